"""word2vec text and fastText ``.vec``: a line with the number of words and of columns, then a line a word.

What word2vec.c writes with ``-binary 0``, gensim's ``save_word2vec_format``, and fastText beside its model (with a
space at each line's end).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

from ziggurat.artefacts.interchange.vector_blocks import first_bytes, header_of, is_text, opened, take_header
from ziggurat.artefacts.interchange.vector_lines import put_lines, read_lines
from ziggurat.artefacts.interchange.vector_rows import Batch, Listed, VectorList

__all__ = ["FORMAT", "Word2VecText"]


class Word2VecText(VectorList):
    """Word vectors as lines of text behind a header."""

    suffixes: ClassVar[tuple[str, ...]] = (".vec", ".txt", ".w2v")
    title: ClassVar[str] = "word2vec text"

    def opens(self, path: Path) -> bool:
        """Return whether a header comes first and then text."""
        header, _, rest = first_bytes(path).partition(b"\n")
        return header_of(header) is not None and is_text(rest.partition(b"\n")[0])

    def batches(self, path: Path) -> Iterator[Batch]:
        """Yield the rows of a file; a fault is named by its line.

        Raises:
            ArtefactError: it can't be read.
            InputError: a line is not what the header announces, or there are more or fewer of them.
        """
        with opened(path) as blocks:
            header = take_header(blocks, least=lambda width: 2 * width + 1)  # " 0" for a number, and the line's end
            yield from read_lines(blocks, header.width, line=2, announced=header.words)

    def put(self, listed: Listed, file: BinaryIO) -> None:
        """Write a whole file."""
        file.write(b"%d %d\n" % (len(listed.words), listed.vectors.shape[1]))
        put_lines(listed, file)

    def place(self, path: Path, number: int) -> str:
        """Return how a message names a line."""
        return f"{path}:{number}"


FORMAT = Word2VecText()
