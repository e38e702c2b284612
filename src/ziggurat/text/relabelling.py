"""Writing a file again with labels that a model gives, and every other byte as it was.

*Idea.* One reading serves both: while its sentences are given labels, as many at a time as the model likes, the bytes
of their lines wait; then each line goes out with its label put in. So standard input can be labelled, and a file larger
than memory. Lines are cut as bytes, since not every encoding gives back the bytes that it was decoded from.
"""

import codecs
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.files import atomic_file
from ziggurat.text.compression import SUFFIXES
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.encodings import checked_name, recognise
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source
from ziggurat.text.tagged import Line, TaggedSentence

__all__ = ["Block", "Labeller", "RawLines", "relabelled", "write_pieces"]

Labeller = Callable[[Iterator[TaggedSentence]], Iterable[Sequence[str]]]
"""Takes sentences and gives the labels of each, in their order; may take some more before it gives the first."""
Edit = Callable[[Line, str], bytes]

WIDE = {"utf-16": 2, "utf-32": 4}
"""Bytes of a unit in encodings whose line ends are more than one byte."""
UNICODE = ("ascii", "utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class Block:
    """The lines from the end of one sentence to the end of the next."""

    lines: tuple[Line, ...]
    rows: tuple[int, ...] = ()
    """Which of the lines hold the sentence's tokens, from 0."""
    sentence: TaggedSentence | None = None
    """None for what stands after the last."""


class RawLines:
    """A file's lines with their bytes; can be gone through once."""

    def __init__(self, source: Source, options: TextConfig) -> None:
        """Prepare to read ``source``, which is opened when the first line is asked for."""
        self._source, self._options = source, options
        self._stream: BinaryIO | None = None
        self._waiting = bytearray()
        self._encoding, self._unit = "", 1
        self._foreign = ""

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines.

        Raises:
            InputError: as `ziggurat.text.tagged.read_lines`; or a label was written in UTF-8 before it was seen that
                the file is in another encoding.
        """
        try:
            with Ledger(Path(os.devnull)) as ledger, open_source(self._source) as self._stream:
                content = lines(cast(BinaryIO, self), self._source, self._options, ledger)
                for number, text in enumerate(content, start=1):
                    plain = text.removesuffix("\n").removesuffix("\r")
                    yield Line(number, plain, self._take())
                for found in ledger.observed.get("encodings", ()):
                    if self._foreign and found not in UNICODE:
                        raise self._unwritable(self._foreign, found)
        except PermissionError as error:
            raise InputError(f"{self._source.label}: may not be read ({error.strerror})") from error

    def read(self, size: int) -> bytes:
        """Return the next bytes of the file, and keep them: whoever decodes it reads here."""
        block = cast(BinaryIO, self._stream).read(size)
        if not self._encoding:
            self._encoding = self._recognised(block)
            self._unit = next((unit for name, unit in WIDE.items() if self._encoding.startswith(name)), 1)
        self._waiting += block
        return block

    def bytes_of(self, text: str) -> bytes:
        """Return ``text`` in the file's encoding.

        Raises:
            InputError: it has characters that the encoding lacks.
        """
        if self._encoding == "ascii" and not text.isascii():
            self._foreign = self._foreign or text
        try:
            return text.encode("utf-8" if self._encoding == "ascii" else self._encoding)
        except UnicodeEncodeError as error:
            raise self._unwritable(text, self._encoding) from error

    def cut(self, line: Line, *, blanks: bool) -> tuple[bytes, bytes]:
        """Return a line's bytes without its end, and the end; with ``blanks``, those before it belong to it."""
        raw = line.raw
        for end in map(self.bytes_of, ("\n", "\r")):
            raw = raw.removesuffix(end)
        while blanks and raw.endswith((self.bytes_of(" "), self.bytes_of("\t"))):
            raw = raw[: -self._unit]
        return raw, line.raw[len(raw) :]

    def cells(self, line: Line) -> list[bytes]:
        """Return a line's cells, parted by tabs, the last with the line's end."""
        tab, found, start = self.bytes_of("\t"), list[bytes](), 0
        while (stop := self._find(line.raw, tab, start)) >= 0:
            found.append(line.raw[start:stop])
            start = stop + len(tab)
        return [*found, line.raw[start:]]

    def _take(self) -> bytes:
        end = self.bytes_of("\n")
        found = self._find(self._waiting, end, 0)
        stop = len(self._waiting) if found < 0 else found + len(end)
        raw = bytes(self._waiting[:stop])
        del self._waiting[:stop]
        return raw

    def _find(self, raw: bytes | bytearray, mark: bytes, start: int) -> int:
        found = raw.find(mark, start)
        while found % self._unit and found >= 0:
            found = raw.find(mark, found + 1)
        return found

    def _recognised(self, head: bytes) -> str:
        """Return the encoding to write in: as the file's, without a byte order mark."""
        options = self._options
        name = checked_name(options.encoding) if options.encoding else recognise(head) or "latin-1"
        if name in WIDE:
            big = head.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
            return f"{name}-{'be' if big else 'le'}"
        return name.removesuffix("-sig")

    def _unwritable(self, text: str, encoding: str) -> InputError:
        return InputError(
            f"{self._source.label}: the label '{text}' can't be written in the file's encoding, {encoding}; "
            "convert the file to UTF-8 first"
        )


def relabelled(blocks: Iterable[Block], label: Labeller, edit: Edit) -> Iterator[bytes]:
    """Yield all bytes of ``blocks``, each row as ``edit`` makes it of the line and its new label.

    Raises:
        UsageError: there are not as many labels as tokens.
        InputError: reading fails, or a label can't stand in the file.
    """
    waiting: deque[Block] = deque()
    sentences = _sentences(blocks, waiting)
    for labels in label(sentences):
        if not waiting:  # labels may come from elsewhere, without a look at the sentence
            next(sentences, None)
        if not waiting or waiting[0].sentence is None:
            raise UsageError("more labels than sentences; each sentence gets its own")
        yield from _edited(waiting.popleft(), labels, edit)
    for sentence in sentences:
        raise UsageError(f"{sentence.id}: no labels; each sentence gets its own")
    for block in waiting:
        if block.sentence is not None:
            raise UsageError(f"{block.sentence.id}: no labels; each sentence gets its own")
        yield from (line.raw for line in block.lines)


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file of ``pieces``, whole or not at all; it may be the one that they are read from.

    Raises:
        UsageError: the name says that the file is compressed, which it would not be; or a folder is there.
        DiskFullError: the disk is full; the file is as it was before.
    """
    if path.suffix.lower() in SUFFIXES:
        raise UsageError(f"{path}: written plain, not compressed; choose a name without {path.suffix}")
    with atomic_file(path) as partial, partial.open("wb") as file:
        file.writelines(pieces)


def _sentences(blocks: Iterable[Block], waiting: deque[Block]) -> Iterator[TaggedSentence]:
    for block in blocks:
        waiting.append(block)
        if block.sentence is not None:
            yield block.sentence


def _edited(block: Block, labels: Sequence[str], edit: Edit) -> Iterator[bytes]:
    sentence = cast(TaggedSentence, block.sentence)
    if len(labels) != len(sentence.tokens):
        raise UsageError(f"{sentence.id}: {len(labels)} labels for {len(sentence.tokens)} tokens; each has one")
    new = dict(zip(block.rows, labels, strict=True))
    for number, line in enumerate(block.lines):
        yield edit(line, new[number]) if number in new else line.raw
