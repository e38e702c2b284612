"""Finding families, tokenizers, metrics and formats by file name, without importing them.

*Idea.* A module, which is a file or a folder with an ``__init__.py``, belongs to a registry when its source assigns the
registry's marker at top level (``FAMILY = …``). Listing reads names and text, never executes; importing waits until a
name is used. So adding a thing is adding one file, and ``ziggurat --help`` stays fast.
"""

import functools
import importlib
import re
from importlib import resources
from typing import Any, Generic, TypeVar, cast

from ziggurat.core.errors import UnknownNameError

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """The things of one kind that stand in one folder, by module name."""

    def __init__(self, package: str, marker: str, *, kind: str) -> None:
        """Look in ``package`` for modules that assign ``marker``; ``kind`` is the word for error messages."""
        self.package = package
        self.marker = marker
        self.kind = kind

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        pattern = re.compile(rf"(?m)^{re.escape(self.marker)}\b\s*(?::[^=\n]+)?=")
        entries = (entry.name.removesuffix(".py") for entry in resources.files(self.package).iterdir())
        return tuple(sorted({name for name in entries if name != "__init__" and pattern.search(self.source(name))}))

    def source(self, name: str) -> str:
        """Return the text of the module ``name``, or nothing where there is none; nothing is imported."""
        folder = resources.files(self.package)
        for place in (folder / f"{name}.py", folder / name / "__init__.py"):
            if place.is_file():
                return place.read_text(encoding="utf-8")
        return ""

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted, importing nothing."""
        return self._names

    def get(self, name: str, *, where: str = "") -> T:
        """Import the module ``name`` and return its marker object.

        Raises:
            UnknownNameError: no such module; the message names the nearest.
        """
        if name not in self._names:
            raise UnknownNameError(self.kind, name, self._names, where=where)
        module: Any = importlib.import_module(f"{self.package}.{name}")
        return cast(T, getattr(module, self.marker))
