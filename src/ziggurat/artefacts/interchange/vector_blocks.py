"""The bytes of a vector file, a few megabytes at a time, compressed or not; and its first bytes, to tell its format."""

import codecs
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import ArtefactError, InputError
from ziggurat.text.compression import decompressed

__all__ = ["Blocks", "Header", "first_bytes", "header_of", "is_number", "is_text", "opened", "take_header"]

Bytes: TypeAlias = npt.NDArray[np.uint8]

BLOCK_BYTES = 8_000_000
"""A file is read so much at once; no line and no record may be longer."""

_HEAD_BYTES = 1 << 16
_LONGEST_HEADER = 100
_SHOWN = 40
_WIDEST = 65_536
_MOST_WORDS = (1 << 31) - 3
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HEADER = re.compile(rb"[ \t]*([0-9]+)[ \t]+([0-9]+)[ \t\r]*")
_NUMBER = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass
class Blocks:
    """A window that moves over a file: ``data[start:stop]`` is what was read and not yet used."""

    path: Path
    stream: BinaryIO
    size: int | None
    """Bytes of the whole file; None where it is compressed."""
    data: Bytes
    start: int = 0
    stop: int = 0
    place: int = 0
    """Where in the (plain) file ``data[start]`` stands."""
    ended: bool = False

    def use(self, place: int) -> None:
        """Go on with ``data[place]``."""
        self.place += place - self.start
        self.start = place

    def more(self) -> bool:
        """Read on behind what is not yet used; False where nothing follows or the window is full."""
        if self.start:
            rest = self.stop - self.start
            self.data[:rest] = self.data[self.start : self.stop]
            self.start, self.stop = 0, rest
        room = self.data.data[self.stop :]
        try:
            count = self.stream.readinto(room) if room else 0  # type: ignore[attr-defined]
        except OSError as error:
            raise ArtefactError(f"{self.path}: can't be read ({error.strerror})") from error
        self.ended = self.ended or (bool(room) and not count)
        self.stop += count
        return bool(count)

    def begin(self) -> None:
        """Read the first window of the file and pass over a byte order mark."""
        while self.stop < self.data.size and self.more():
            pass
        self.use(len(codecs.BOM_UTF8) if self.data[:3].tobytes() == codecs.BOM_UTF8 and self.stop >= 3 else 0)

    def borne_out(self, announced: int | None) -> int:
        """Return how many rows a header announced, 0 where the file's size could not be compared with it."""
        return 0 if self.size is None else announced or 0

    def words(self, spans: npt.NDArray[np.int64]) -> list[bytes]:
        """Return the pieces of the window that begin and end at ``spans`` (words, 2)."""
        view = self.data.data
        return [bytes(view[start:stop]) for start, stop in spans.tolist()]

    def lines(self, most: int) -> list[bytes]:
        """Return up to ``most`` whole lines from where it stands, without going on."""
        return self.data[self.start : self.stop].tobytes().split(b"\n", most)[:most]


@dataclass(frozen=True)
class Header:
    """The first line of a word2vec file."""

    words: int
    width: int


def take_header(blocks: Blocks, *, least: Callable[[int], int]) -> Header:
    """Read a word2vec file's first line and go on behind it, after comparing what it says with the file's size.

    Args:
        blocks: The file, at its beginning.
        least: Bytes that a row of so many numbers takes at least.

    Raises:
        InputError: it is no header, or the file has no room for what it announces.
    """
    blocks.begin()
    where = f"{blocks.path}:1"
    line = blocks.lines(1)[0]
    header = header_of(line)
    if header is None:
        found = line[:_SHOWN].decode(errors="replace").strip()
        raise InputError(f"{where}: expected the numbers of words and of columns, found {found!r}: no word2vec file")
    if not 0 < header.width <= _WIDEST:
        raise InputError(f"{where}: the header announces vectors of {header.width:,} numbers; 1 to {_WIDEST:,} can be")
    if not 0 < header.words <= _MOST_WORDS:
        raise InputError(f"{where}: the header announces {header.words:,} words; 1 to {_MOST_WORDS:,} can be")
    blocks.use(min(blocks.start + len(line) + 1, blocks.stop))
    if blocks.size is not None and header.words * least(header.width) > blocks.size - blocks.place + 1:
        announced = f"{header.words:,} words of {header.width:,} numbers"
        raise InputError(f"{where}: the header announces {announced}, for which {blocks.size:,} bytes have no room")
    return header


@contextmanager
def opened(path: Path) -> Iterator[Blocks]:
    """Open a file that may be compressed.

    Raises:
        ArtefactError: it can't be read.
        InputError: it is a damaged compressed file.
    """
    try:
        with path.open("rb") as file:
            stream = decompressed(file, str(path))
            size = path.stat().st_size if stream is file else None
            room = BLOCK_BYTES if size is None else min(BLOCK_BYTES, size + 1)  # and 1 to see that it ends
            yield Blocks(path, stream, size, np.empty(room, np.uint8))
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error


def first_bytes(path: Path) -> bytes:
    """Return the first plain bytes of a file, none where it can't be read; what is wrong is said by who opens it."""
    try:
        with path.open("rb") as file:
            return decompressed(file, str(path)).read(_HEAD_BYTES).removeprefix(codecs.BOM_UTF8)
    except (OSError, InputError):
        return b""


def header_of(line: bytes) -> Header | None:
    """Return the header that a first line is, None where it is none."""
    found = _HEADER.fullmatch(line) if len(line) <= _LONGEST_HEADER else None
    return Header(int(found[1]), int(found[2])) if found else None


def is_number(field: bytes) -> bool:
    """Return whether a field of a line is meant as a number, finite or not."""
    return _NUMBER.fullmatch(field) is not None


def is_text(line: bytes) -> bool:
    """Return whether bytes are a line of a word and numbers, or at least text: the rest of it may be cut off."""
    fields = line.split()
    if len(fields) > 2 and all(map(is_number, fields[-3:-1])):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(line) is None
