"""Sentences of tokens with a label each, and the numbered lines of the files that hold them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ziggurat.core.errors import InputError
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source
from ziggurat.text.sources import resolve

__all__ = ["Line", "TaggedSentence", "is_blank", "one_source", "read_lines"]


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """One sentence as somebody cut it into tokens, with what they say that each token is.

    Raises:
        InputError: there is no token, or not one label for each.
    """

    id: str
    """Unique within a file: ``path:line``."""
    tokens: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """One a token, as they stand in the file (``B-PER``, ``E-NAME``, ``NOUN``); empty where it was read without."""
    line: int = 0
    """Where the first token stands, from 1; 0 for what comes from no file."""

    def __post_init__(self) -> None:
        """Check that there are tokens, and a label for each or none at all."""
        if not self.tokens:
            raise InputError(f"{self.id}: a sentence of 0 tokens; remove it or give it tokens")
        if self.labels and len(self.labels) != len(self.tokens):
            raise InputError(f"{self.id}: {len(self.labels)} labels for {len(self.tokens)} tokens; each has one")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, and where it stands."""

    number: int
    """From 1."""
    text: str
    """Without its end, LF or CR LF."""
    raw: bytes = b""
    """The same as it stands in the file, end included; kept only where the file is to be written again."""


def is_blank(text: str) -> bool:
    """Whether a line has nothing but blanks and tabs: other white space, as U+3000, may be a token."""
    return not text.strip(" \t")


def one_source(name: str | os.PathLike[str]) -> Source:
    """Return the one file, or standard input (``-``), that the user named.

    Raises:
        InputError: there is no such file, or it is a folder, a pattern or a name under a scheme.
    """
    sources = resolve([os.fspath(name)])
    if len(sources) != 1 or not sources[0].explicit or sources[0].reader:
        raise InputError(f"{os.fspath(name)}: not one file; name a file, or - for standard input")
    return sources[0]


def read_lines(source: Source, options: TextConfig) -> Iterator[Line]:
    """Yield a file's lines one after another, decompressed and decoded; memory holds a block of them.

    Raises:
        InputError: the file may not be read, is not text, or is not in its encoding; the message names file and line.
    """
    try:
        with Ledger(Path(os.devnull)) as ledger, open_source(source) as stream:
            for number, text in enumerate(lines(stream, source, options, ledger), start=1):
                yield Line(number, text.removesuffix("\n").removesuffix("\r"))
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error
