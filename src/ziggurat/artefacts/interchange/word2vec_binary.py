"""word2vec binary: a line with the number of words and of columns, then records of a word, a space, and its numbers.

Numbers are 32-bit floats, little-endian. word2vec.c ends a record with a line's end, gensim does not; both are read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

import numpy as np

from ziggurat.artefacts.interchange.vector_blocks import Blocks, first_bytes, header_of, is_text, opened, take_header
from ziggurat.artefacts.interchange.vector_rows import Batch, Listed, VectorList, rows_at_once
from ziggurat.artefacts.kernels import vector_text as kernels
from ziggurat.core.errors import InputError

__all__ = ["FORMAT", "Word2VecBinary"]

_FLOAT_BYTES = 4
_FASTTEXT = (793_712_314).to_bytes(4, "little")
"""How a fastText model begins."""


class Word2VecBinary(VectorList):
    """Word vectors as records behind a header."""

    suffixes: ClassVar[tuple[str, ...]] = (".bin",)
    title: ClassVar[str] = "word2vec binary"

    def opens(self, path: Path) -> bool:
        """Return whether a header comes first and then what is no text."""
        header, _, rest = first_bytes(path).partition(b"\n")
        return header_of(header) is not None and not is_text(rest.partition(b"\n")[0])

    def batches(self, path: Path) -> Iterator[Batch]:
        """Yield the rows of a file; a fault is named by the word's number and the byte where it begins.

        Raises:
            ArtefactError: it can't be read.
            InputError: there are more or fewer records than the header announces, or a number is not finite.
        """
        with opened(path) as blocks:
            if first_bytes(path).startswith(_FASTTEXT):
                raise InputError(f"{path}: a fastText model, not a list of vectors; import the .vec file beside it")
            header = take_header(blocks, least=lambda width: _FLOAT_BYTES * width + 1)  # and the space
            yield from _records(blocks, header.words, header.width)

    def put(self, listed: Listed, file: BinaryIO) -> None:
        """Write a whole file."""
        width = listed.vectors.shape[1]
        file.write(b"%d %d\n" % (len(listed.words), width))
        for words, rows in listed.parts():
            records = zip(words, np.ascontiguousarray(rows, "<f4"), strict=True)
            file.write(b"".join(b"%b %b" % (word, numbers.tobytes()) for word, numbers in records))

    def place(self, path: Path, number: int) -> str:
        """Return how a message names a record."""
        return f"{path}: word {number:,}"


def _records(blocks: Blocks, announced: int, width: int) -> Iterator[Batch]:
    most = rows_at_once(width)
    spans = np.empty((most, 2), np.int64)
    out = np.empty((most, _FLOAT_BYTES * width), np.uint8)
    done = 0
    while done < announced:
        span = (blocks.start, blocks.stop)
        place, count = kernels.read_records(blocks.data, span, out[: announced - done], spans)
        rows = out[:count].view("<f4")
        words = blocks.words(spans[:count])
        if (bad := np.flatnonzero(~np.isfinite(rows).all(axis=1))).size:
            row = int(bad[0])
            what = f"'{words[row][:40].decode(errors='replace')}' has a number that is not finite"
            raise _fault(blocks, done + row + 1, int(spans[row, 0]), what)
        if count:
            yield Batch(done + 1, words, rows, blocks.borne_out(announced))
        blocks.use(place)
        done += count
        if count < most and done < announced and not blocks.more():
            what = f"the file ends; its header announces {announced:,} words"
            if not blocks.ended:
                what = f"no space within {blocks.data.size:,} bytes: no word2vec binary file"
            raise _fault(blocks, done + 1, blocks.start, what)
    while blocks.start < blocks.stop or blocks.more():
        if blocks.data[blocks.start : blocks.stop].tobytes().strip(b"\r\n"):
            raise _fault(blocks, done + 1, blocks.start, f"the header announces {announced:,} words, here is more")
        blocks.use(blocks.stop)


def _fault(blocks: Blocks, number: int, place: int, what: str) -> InputError:
    return InputError(f"{blocks.path}: word {number:,} at byte {blocks.place + place - blocks.start:,}: {what}")


FORMAT = Word2VecBinary()
