"""Words to ids at the speed of reading: for text whose words stand between white space, one document a line.

This is the way in for bulk work (counting n-grams of a large file, scoring a million lines). A tokenizer that splits
words by richer rules can use it once its words stand between spaces. White space is every byte up to 0x20: space, tab,
carriage return and the control characters.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel, thread_count
from ziggurat.core.types import IdArray
from ziggurat.tokens.kernels import whitespace as kernels

__all__ = ["WordTable", "learn"]

R = TypeVar("R")
Bytes: TypeAlias = npt.NDArray[np.uint8]
Edges: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WordTable:
    """Which id each word has. Finds it by hash and compares what it found, so it never mistakes a word."""

    table: kernels.Table
    """Letters, edges, keys, numbers: see `ziggurat.tokens.kernels.whitespace`."""
    ids: IdArray
    """(words,) the id of each word."""

    @classmethod
    def of(cls, words: Sequence[str], ids: IdArray) -> "WordTable":
        """Return the table of ``words``, of which word i has the id ``ids[i]``; all differ and none has white space."""
        text = np.frombuffer("\n".join(words).encode(), np.uint8)
        table, _, _ = _read(text)
        return cls(table, ids)

    def words(self) -> list[str]:
        """Return all words, in the order of the table."""
        letters, edges = self.table[0].tobytes(), self.table[1][: self.ids.size + 1].tolist()
        return [letters[start:stop].decode() for start, stop in itertools.pairwise(edges)]

    def encode(self, text: bytes | Bytes, *, unknown: int, line_end: int, threads: int = 0) -> list[IdArray]:
        r"""Return the ids of ``text``: neighbouring parts of it, to be read one after another.

        Each ``\n`` gives ``line_end``; a word that is not in the table gives ``unknown``.

        *Cost.* Some 150 MB of text a second and thread.
        """
        data = np.frombuffer(text, np.uint8) if isinstance(text, bytes) else text

        def encode_part(start: int, stop: int) -> IdArray:
            codes = np.empty(stop - start, np.int32)
            _, written, _ = kernels.read_words(data, (start, stop), self.table, 0, False, codes)
            return _translated(codes[:written], self.ids, line_end=line_end, unknown=unknown, out=codes[:written])

        return _for_each_part(encode_part, data, threads)


def learn(text: Bytes, *, first: int, line_end: int, threads: int = 0) -> tuple[WordTable, IdArray, Edges]:
    r"""Number all words of ``text`` from ``first`` on by falling frequency, and return the text as these numbers.

    Returns the table; the text's ids, with ``line_end`` before the text and for each ``\n``; and how often each word of
    the table occurs. Words of one frequency are numbered as they appear, so ``threads`` never changes the result.
    """
    parts = _for_each_part(lambda start, stop: _read(text[start:stop]), text, threads)
    listed = np.concatenate([_listing(table, count) for table, count, _ in parts] or [text])
    table, count, codes = _read(listed)  # the words of all parts, each once, by first appearance
    words = codes[codes != kernels.LINE_END] - kernels.FIRST_WORD
    renumbered = np.split(words, np.cumsum([part_count for _, part_count, _ in parts])[:-1])
    frequencies = np.zeros(count, np.int64)
    for (_, part_count, part), new in zip(parts, renumbered, strict=False):
        frequencies[new] += np.bincount(part, minlength=part_count + kernels.FIRST_WORD)[kernels.FIRST_WORD :]
    ids = np.empty(count, np.int32)
    ids[np.argsort(-frequencies, kind="stable")] = np.arange(first, first + count, dtype=np.int32)
    stream = np.empty(1 + sum(part.size for _, _, part in parts), np.int32)
    stream[0] = line_end
    place = 1
    for (_, _, part), new in zip(parts, renumbered, strict=False):
        _translated(part, ids[new], line_end=line_end, unknown=line_end, out=stream[place : place + part.size])
        place += part.size
    return WordTable(table, ids), stream, frequencies


def _read(text: Bytes) -> tuple[kernels.Table, int, IdArray]:
    """Return the words of a text by first appearance, how many there are, and the text as codes."""
    codes = np.empty(text.size, np.int32)  # most of it is never touched, so takes no memory
    table = _empty_table(1 << 10, 1 << 13)
    place = count = written = 0
    while True:
        place, more, count = kernels.read_words(text, (place, text.size), table, count, True, codes[written:])
        written += more
        if place == text.size:
            return table, count, codes[:written]
        known = _listing(table, count)
        table = _empty_table(2 * table[1].size, 2 * table[0].size)
        kernels.read_words(known, (0, known.size), table, 0, True, np.empty(known.size, np.int32))


def _empty_table(words: int, letters: int) -> kernels.Table:
    """Return a table with room for about so many words and letters."""
    edges, keys = np.zeros(words, np.int64), np.zeros(2 * words, np.int64)
    return np.empty(letters, np.uint8), edges, keys, np.zeros(2 * words, np.int32)


def _listing(table: kernels.Table, count: int) -> Bytes:
    """Return the words of a table as text, each on a line of its own."""
    letters, edges = table[0], table[1]
    return np.insert(letters[: edges[count]], edges[1 : count + 1], ord("\n"))


def _translated(codes: IdArray, ids: IdArray, *, line_end: int, unknown: int, out: IdArray) -> IdArray:
    """Write the ids that codes stand for to ``out`` (which may be the codes) and return it."""
    answers = np.concatenate([[line_end, unknown], ids]).astype(np.int32)
    return np.take(answers, codes, out=out, mode="clip")


def _for_each_part(work: Callable[[int, int], R], text: Bytes, threads: int) -> list[R]:
    """Apply ``work`` to neighbouring parts of the text, cut after a line's end, each on a thread of its own."""
    count = thread_count(threads)
    edges = [0]
    for part in range(1, count):
        edges.append(_next_line(text, max(edges[-1], text.size * part // count)))
    edges.append(text.size)
    spans = [(start, stop) for start, stop in itertools.pairwise(edges) if stop > start]
    return in_parallel([partial(work, start, stop) for start, stop in spans], threads=count)


def _next_line(text: Bytes, place: int) -> int:
    """Return where the first line begins that begins after ``place``."""
    step = 1 << 16
    while place < text.size:
        ends = np.flatnonzero(text[place : place + step] == ord("\n"))
        if ends.size:
            return place + int(ends[0]) + 1
        place += step
    return text.size
