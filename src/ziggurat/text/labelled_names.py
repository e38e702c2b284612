"""What columns of tables, and fields of JSON lines, are called in which texts and their labels stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ziggurat.core.errors import UnknownNameError
from ziggurat.text.options import TextConfig
from ziggurat.text.readers.jsonl import FIELD_NAMES

__all__ = ["Names", "Naming", "names_of"]

LABEL_NAMES = (
    *("label", "class", "category", "intent", "sentiment", "target", "y"),
    *("标签", "类别", "分类", "情感", "意图"),
)
"""Where the label usually stands, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What one column or field is called."""

    usual: tuple[str, ...]
    """Names that it may have, the likeliest first."""
    given: str | None = None
    """The name that it has, as the user says."""

    def place(self, found: Iterable[str], *, kind: str = "column", where: str = "") -> int | None:
        """Return which of the names that were found it is, in small letters or not; None where it is none of them.

        Raises:
            UnknownNameError: it is none of them, and the user says that it is; the message names those.
        """
        exact = [name.strip() for name in found]
        small = [name.lower() for name in exact]
        for name in self.usual if self.given is None else (self.given.strip(),):
            if name in exact:
                return exact.index(name)
            if name.lower() in small:
                return small.index(name.lower())
        if self.given is not None:
            raise UnknownNameError(kind, self.given, exact, where=where)
        return None


@dataclass(frozen=True, slots=True)
class Names:
    """What holds a file's texts and what holds their labels."""

    text: Naming
    label: Naming
    asked: bool = True
    """Whether options could have given them: a guess is said then, with the option that mends it."""

    @property
    def given(self) -> bool:
        """Whether the user says one of them: the first row of a table holds names then."""
        return self.text.given is not None or self.label.given is not None


def names_of(options: TextConfig | None, learnt: Sequence[str | None] = ()) -> Names:
    """Return the names of text and label: those that ``options`` give, else ``learnt`` ones, else usual ones."""
    text, label = ((name,) if name else () for name in (*learnt, None, None)[:2])
    given = options or TextConfig()
    return Names(
        Naming((*text, *FIELD_NAMES), given.field),
        Naming((*label, *LABEL_NAMES), given.label_field),
        options is not None,
    )
