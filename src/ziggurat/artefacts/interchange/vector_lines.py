"""Word vectors as lines of text, a word and its numbers: reading and writing at tens of megabytes a second."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ziggurat.artefacts.interchange.vector_blocks import Blocks
from ziggurat.artefacts.interchange.vector_rows import Batch, Listed, rows_at_once
from ziggurat.artefacts.kernels import vector_text as kernels
from ziggurat.core.errors import InputError
from ziggurat.core.types import FloatArray

__all__ = ["put_lines", "read_lines"]

_BUFFER_BYTES = 8_000_000
_NUMBER_BYTES = 32
_SHOWN = 40
_WHITE = bytes.maketrans(bytes(range(0x20)), b" " * 0x20)
"""As the kernel sees it, every byte up to 0x20 stands between fields."""


def read_lines(blocks: Blocks, width: int, *, line: int, announced: int | None = None) -> Iterator[Batch]:
    """Yield the rows of a file's remaining lines, of which the first is the file's line ``line``.

    A word may have spaces in it: the last D fields are the numbers. Blank lines may end the file.

    Raises:
        InputError: a line is no word with ``width`` numbers, or there are not as many as ``announced``.
    """
    most = rows_at_once(width)
    out, doubtful = np.empty((most, width), np.float32), np.empty(most, np.bool_)
    spans = np.empty((most, 2), np.int64)
    done = 0
    while True:
        span = (blocks.start, blocks.stop)
        place, rows, fault, field = kernels.read_lines(blocks.data, span, blocks.ended, out, spans, doubtful)
        if announced is not None and done + rows > announced:
            raise _fault(blocks, line + announced - done, f"the header announces {announced:,} words, here is one more")
        for row in np.flatnonzero(doubtful[:rows]).tolist():
            stop = spans[row + 1, 0] if row + 1 < rows else place
            _read_again(blocks, line + row, blocks.data[spans[row, 1] : stop].tobytes(), out[row])
        yield Batch(line, blocks.words(spans[:rows]), out[:rows], blocks.borne_out(announced))
        blocks.use(place)
        line, done = line + rows, done + rows
        if fault == kernels.BLANK:
            _expect_blank(blocks, line)
            break
        if fault:
            raise _fault(blocks, line, _what(blocks, width, fault, field))
        if rows < most and not _goes_on(blocks, line):
            break
    if announced is not None and done < announced:
        raise _fault(blocks, line, f"the file ends: the header announces {announced:,} words, {done:,} are there")


def put_lines(listed: Listed, file: BinaryIO) -> None:
    """Write a line for each word; each number has the fewest digits that give it back."""
    longest = max(map(len, listed.words)) + listed.vectors.shape[1] * _NUMBER_BYTES + 2
    out = np.empty(max(_BUFFER_BYTES, longest), np.uint8)
    for words, rows in listed.parts():
        letters = np.frombuffer(b"".join(words), np.uint8)
        edges = np.cumsum([0, *map(len, words)], dtype=np.int64)
        done = 0
        while done < len(words):
            more, size = kernels.write_lines(rows, letters, edges, done, out)
            file.write(out[:size].data)
            done += more
            if not more:  # with a number so small or large that the kernel leaves it
                file.write(b" ".join([words[done], *(str(number).encode() for number in rows[done])]) + b"\n")
                done += 1


def _read_again(blocks: Blocks, line: int, text: bytes, out: FloatArray) -> None:
    """Read a row's numbers by exact arithmetic: as the nearest of 53 bits, then of 24, as Python and NumPy do."""
    for column, number in enumerate(_fields(text)[: out.size]):
        with np.errstate(over="ignore"):
            out[column] = float(number)
        if not np.isfinite(out[column]):
            raise _fault(blocks, line, f"'{_shown(number)}' is not a finite number of 32 bits")


def _goes_on(blocks: Blocks, line: int) -> bool:
    """Read on; return whether there is a line that was not read."""
    if not blocks.more() and not blocks.ended:
        raise _fault(blocks, line, f"a line of more than {blocks.data.size:,} bytes: not a list of vectors")
    return blocks.start < blocks.stop


def _expect_blank(blocks: Blocks, line: int) -> None:
    """Refuse a blank line that others follow."""
    while blocks.start < blocks.stop or blocks.more():
        if blocks.data[blocks.start : blocks.stop].tobytes().strip():
            raise _fault(blocks, line, "a blank line where a word and its numbers should stand")
        blocks.use(blocks.stop)


def _what(blocks: Blocks, width: int, fault: int, field: int) -> str:
    """Return what is wrong with the line that begins where ``blocks`` stands."""
    line = blocks.data[blocks.start : blocks.stop].tobytes().split(b"\n", 1)[0]
    fields = _fields(line)
    expected = f"expected a word and {width:,} numbers"
    if fault == kernels.TOO_MANY:
        return f"{expected}, found {len(fields):,} fields of which '{_shown(fields[-width - 1])}' is a number too"
    if fault == kernels.WIDTH or len(fields) < width + 1:
        return f"{expected}, found {len(fields):,} fields"
    return f"'{_shown(_fields(line[field - blocks.start :])[0])}' is not a finite number of 32 bits"


def _fields(line: bytes) -> list[bytes]:
    return line.translate(_WHITE).split()


def _shown(field: bytes) -> str:
    return field[:_SHOWN].decode(errors="replace")


def _fault(blocks: Blocks, line: int, what: str) -> InputError:
    return InputError(f"{blocks.path}:{line}: {what}")
