"""GloVe text: a line a word, its numbers behind it, and no header; the first line tells how many numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

from ziggurat.artefacts.interchange.vector_blocks import first_bytes, header_of, is_number, is_text, opened
from ziggurat.artefacts.interchange.vector_lines import put_lines, read_lines
from ziggurat.artefacts.interchange.vector_rows import Batch, Listed, VectorList
from ziggurat.core.errors import InputError

__all__ = ["FORMAT", "GloveText"]


class GloveText(VectorList):
    """Word vectors as lines of text without a header."""

    suffixes: ClassVar[tuple[str, ...]] = (".glove",)
    title: ClassVar[str] = "GloVe text"

    def opens(self, path: Path) -> bool:
        """Return whether the first line is a word and numbers, and no header."""
        line, ended, _ = first_bytes(path).partition(b"\n")
        fields = line.split() if ended else line.split()[:-1]  # the last may be cut off
        numbers = len(fields) > 1 and all(map(is_number, fields[max(1, len(fields) - 2) :]))
        return numbers and header_of(line) is None and is_text(line)

    def batches(self, path: Path) -> Iterator[Batch]:
        """Yield the rows of a file; a fault is named by its line.

        Raises:
            ArtefactError: it can't be read.
            InputError: a line is no word with as many numbers as the first line has.
        """
        with opened(path) as blocks:
            blocks.begin()
            first, *second = blocks.lines(2)
            fields = first.split()
            if header_of(first) is not None and second and len(second[0].split()) > len(fields):
                raise InputError(f"{path}:1: a header, so no GloVe text; open it as word2vec_text")
            width = 0
            while width < len(fields) - 1 and is_number(fields[-width - 1]):
                width += 1
            if width == 0:
                raise InputError(f"{path}:1: expected a word and numbers, found {len(fields):,} fields")
            yield from read_lines(blocks, width, line=1)

    def put(self, listed: Listed, file: BinaryIO) -> None:
        """Write a whole file."""
        put_lines(listed, file)

    def place(self, path: Path, number: int) -> str:
        """Return how a message names a line."""
        return f"{path}:{number}"


FORMAT = GloveText()
