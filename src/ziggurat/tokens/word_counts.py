"""The words of texts that come one after another: how often each is there and, if wanted, in which order.

*Idea.* Texts are gathered to batches, each batch is cut and counted on all cores, and only the words stay in memory.
Where the order is wanted, the words' numbers go into a file that nobody sees, so a corpus may be larger than memory.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import thread_count
from ziggurat.core.files import disk_errors
from ziggurat.core.types import IdArray
from ziggurat.tokens.cutting import BREAK, Bytes, Cut, for_each_part, joined, unescaped
from ziggurat.tokens.word_table import Lexicon, merge

__all__ = ["WordCounts", "batches", "read_words"]

Counts: TypeAlias = npt.NDArray[np.int64]

BATCH_CHARACTERS = 1 << 24
_CHUNK = 1 << 22


@dataclass
class WordCounts:
    """What was read. Numbers run from 1; 0 is the end of a text or a sign that was left out."""

    names: list[str]
    """What each number stands for; the first is empty."""
    counts: Counts
    """How often each number was there."""
    stream: IdArray | None
    """All texts as numbers, where the order was wanted."""

    def replace(self, parts: Callable[[str], Iterable[str]]) -> "WordCounts":
        """Return the same with each word as the words that it falls into."""
        numbers: dict[str, int] = {"": 0}
        pieces = [[0], *([numbers.setdefault(part, len(numbers)) for part in parts(name)] for name in self.names[1:])]
        sizes = np.array([len(piece) for piece in pieces])
        flat = np.array([number for piece in pieces for number in piece], np.int32)
        counts = np.bincount(flat, weights=np.repeat(self.counts, sizes), minlength=len(numbers)).astype(np.int64)
        if self.stream is None:
            return WordCounts(list(numbers), counts, None)
        starts = np.cumsum(sizes) - sizes

        def spread(chunk: IdArray) -> IdArray:
            lengths = sizes[chunk]
            inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            return np.asarray(flat[np.repeat(starts[chunk], lengths) + inside], np.int32)

        with tempfile.TemporaryFile() as file:
            for start in range(0, self.stream.size, _CHUNK):
                _append(file, spread(self.stream[start : start + _CHUNK]))
            return WordCounts(list(numbers), counts, _mapped(file))


def read_words(
    texts: Iterable[str], cut: Cut, *, before: Callable[[str], str] | None = None, ordered: bool = False
) -> WordCounts:
    """Count the words of ``texts``, cut by ``cut`` after ``before`` has been applied; keep their order if ``ordered``.

    Raises:
        DiskFullError: there is no room for the words in order.
    """
    lexicons = [Lexicon() for _ in range(thread_count())]
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in lexicons] if ordered else []

        def read(part: Bytes, number: int) -> None:
            codes = lexicons[number].read(cut.words(part, breaks=ordered))
            if ordered:
                _append(files[number], codes)

        for batch in batches(texts):
            for_each_part(read, joined(batch if before is None else [before(text) for text in batch]))
        merged, frequencies, renumbered = merge(lexicons)
        names = ["", *map(unescaped, merged.words())]
        counts = np.concatenate([[0], frequencies])
        parting = names.index(BREAK) if ordered and BREAK in names else None
        if parting is not None:
            counts[parting] = 0
        if not ordered:
            return WordCounts(names, counts, None)
        whole = stack.enter_context(tempfile.TemporaryFile())
        for file, new in zip(files, renumbered, strict=True):
            numbers = np.concatenate([[0, 0], new + 1]).astype(np.int32)
            numbers[numbers == parting] = 0
            file.seek(0)
            while chunk := file.read(4 * _CHUNK):
                _append(whole, numbers[np.frombuffer(chunk, np.int32)])
        return WordCounts(names, counts, _mapped(whole))


def batches(texts: Iterable[str], limit: int = BATCH_CHARACTERS) -> Iterator[list[str]]:
    """Yield texts in groups of about ``limit`` characters."""
    batch: list[str] = []
    held = 0
    for text in texts:
        batch.append(text)
        held += len(text)
        if held >= limit:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _append(file: IO[bytes], numbers: IdArray) -> None:
    with disk_errors(Path(tempfile.gettempdir())):
        file.write(numbers.tobytes())
        file.flush()


def _mapped(file: IO[bytes]) -> IdArray:
    if file.tell() == 0:
        return np.zeros(0, np.int32)
    return np.memmap(file, np.int32, "r+")
