"""Commands and groups of commands, found by listing their folder: a file is a command, a folder is a group of them."""

import re
from collections.abc import Iterator
from typing import Any

from ziggurat.core.errors import UnknownNameError
from ziggurat.core.registry import Registry

__all__ = ["Commands", "first_line"]


class Commands(Registry[Any]):
    """The commands of one folder by the names that people type: ``odd_one_out.py`` is the command ``odd-one-out``.

    A folder's ``__init__.py`` assigns ``COMMAND = Commands(__name__)`` and its files are commands in turn.
    """

    def __init__(self, package: str, *, group: str = "") -> None:
        """List the commands of ``package``; ``group`` is what one types before them, after ``ziggurat``."""
        super().__init__(package, "COMMAND", kind="command")
        self.group = group

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted, importing nothing."""
        return tuple(name.replace("_", "-") for name in super().names())

    def get(self, name: str, *, where: str = "") -> Any:
        """Import a command and return its function, or the `Commands` that it is a group of.

        Raises:
            UnknownNameError: there is none of this name; the message names the nearest.
        """
        if name not in self.names():
            kind = "option" if name.startswith("-") else self.kind
            known = ("--help",) if name.startswith("-") else self.names()
            raise UnknownNameError(kind, name, known, where=where or (f"ziggurat {self.group}" if self.group else ""))
        return super().get(name.replace("-", "_"), where=where)

    def lines(self) -> dict[str, str]:
        """Return the line that stands beside each name in an overview: the first of its file."""
        return {name: first_line(self.source(name.replace("-", "_"))) for name in self.names()}

    @property
    def title(self) -> str:
        """The line that stands beside a group's name: the first of its folder's ``__init__.py``."""
        return first_line(self.source("__init__"))

    def functions(self) -> Iterator[tuple[str, Any]]:
        """Import and return every command, those of groups included, under all that one types after ``ziggurat``."""
        for name in self.names():
            command = self.get(name)
            if isinstance(command, Commands):
                yield from command.functions()
            else:
                yield f"{self.group} {name}".strip(), command


def first_line(source: str) -> str:
    """Return the first line of a module's docstring, without its full stop."""
    found = re.match(r'"""(.*?)\.?(?:"""|\n)', source)
    return found[1] if found else ""
