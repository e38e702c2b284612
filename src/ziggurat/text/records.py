"""What a format's reader gets and gives: sources in, records out."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

from ziggurat.core.registry import Registry
from ziggurat.text.compression import SUFFIXES
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig

__all__ = ["READERS", "Reader", "Record", "Source"]

_UNWRITABLE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
"""What would break a line of a list of names, or what no UTF-8 can hold: names of files may be any bytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place that text is read from: a file, standard input, or a name under a scheme."""

    label: str
    """What the user calls it: the path as given, ``standard input``, ``demo:en``."""
    path: Path | None = None
    """The file; None for standard input and for schemes."""
    name: str = ""
    """What stands behind a scheme, for example ``en``."""
    reader: str = ""
    """The format's name where the scheme or the user decides it; else found from suffix and content."""
    explicit: bool = True
    """Whether the user named exactly this; what a folder or glob merely contains may be skipped."""
    content: bytes | None = None
    """The file's bytes, where it was read already: whoever reads this source may stand on another machine."""
    watch: Callable[[BinaryIO], object] | None = None
    """Told of the file as it is opened, compressed as it is, by whoever wants to see how far it was read."""

    def __post_init__(self) -> None:
        """Escape in the label what can't be written in one line of UTF-8."""
        object.__setattr__(self, "label", _writable(self.label))

    @property
    def ending(self) -> str:
        """How the file's name ends, as ``.csv``, in small letters, whatever it was compressed by; or nothing."""
        suffixes = [suffix.lower() for suffix in self.path.suffixes] if self.path else []
        if suffixes and suffixes[-1] in SUFFIXES:
            suffixes.pop()
        return suffixes[-1] if suffixes else ""


@dataclass(frozen=True, slots=True)
class Record:
    """One raw document: read lazily, so that a single file larger than memory is one record."""

    id: str
    parts: Iterable[str]
    """The text in pieces, each but the last ending where Unicode normalisation can't reach across."""

    def __post_init__(self) -> None:
        """Escape in the id what can't be written in one line of UTF-8."""
        object.__setattr__(self, "id", _writable(self.id))


def _writable(name: str) -> str:
    return _UNWRITABLE.sub(lambda match: match.group().encode("unicode_escape").decode(), name)


class Reader(Protocol):
    """One format: the ``READER`` object of a module in ``text/readers/``."""

    suffixes: ClassVar[tuple[str, ...]]
    """File name endings that mean this format, compression aside."""
    openings: ClassVar[tuple[bytes, ...]]
    """First bytes of a text that mean this format, where its name means none."""
    scheme: ClassVar[str]
    """Prefix of sources that are not files (``hf``, ``demo``), or empty."""

    def read(self, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:
        """Yield the source's records in order; one record's parts are used up before the next is asked for.

        Raises:
            InputError: the content is not of this format; the message names the file and the line.
        """
        ...


READERS: Registry[Reader] = Registry("ziggurat.text.readers", "READER", kind="format")
