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

__all__ = ["Lexicon", "WordTable", "learn", "merge"]

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
        lexicon = Lexicon()
        lexicon.read(np.frombuffer("\n".join(words).encode(errors="surrogatepass"), np.uint8))
        return cls(lexicon.table, ids)

    def words(self) -> list[str]:
        """Return all words, in the order of the table."""
        return _spelled(self.table, self.ids.size)

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


class Lexicon:
    """Words by first appearance, of text that comes in pieces; and how often each was there."""

    def __init__(self) -> None:
        """Know no words."""
        self.table = _empty_table(1 << 10, 1 << 13)
        self._counts = np.zeros(1 << 10, np.int64)
        self.size = 0

    @property
    def counts(self) -> Edges:
        """(words,) occurrences of each word."""
        return self._counts[: self.size]

    def words(self) -> list[str]:
        """Return all words."""
        return _spelled(self.table, self.size)

    def read(self, text: Bytes) -> IdArray:
        """Enter the words of ``text``; return it as codes (see `ziggurat.tokens.kernels.whitespace.read_words`)."""
        codes = np.empty(text.size, np.int32)  # most of it is never touched, so takes no memory
        place = written = 0
        while True:
            place, more, self.size = kernels.read_words(
                text, (place, text.size), self.table, self.size, True, codes[written:]
            )
            written += more
            if place == text.size:
                break
            known = _listing(self.table, self.size)
            self.table = _empty_table(2 * self.table[1].size, 2 * self.table[0].size)
            kernels.read_words(known, (0, known.size), self.table, 0, True, np.empty(known.size, np.int32))
        codes = codes[:written]
        found = np.bincount(codes, minlength=self.size + kernels.FIRST_WORD)[kernels.FIRST_WORD :]
        if self.size > self._counts.size:
            self._counts = np.concatenate([self._counts, np.zeros(2 * self.size - self._counts.size, np.int64)])
        self._counts[: self.size] += found
        return codes


def merge(lexicons: Sequence[Lexicon]) -> tuple[Lexicon, Edges, list[IdArray]]:
    """Return a lexicon of the words of all, how often each occurs, and for each of ``lexicons`` its words' numbers."""
    both = Lexicon()
    codes = both.read(np.concatenate([np.empty(0, np.uint8), *(_listing(one.table, one.size) for one in lexicons)]))
    numbers = codes[codes != kernels.LINE_END] - kernels.FIRST_WORD
    renumbered = np.split(numbers, np.cumsum([one.size for one in lexicons])[:-1])
    frequencies = np.zeros(both.size, np.int64)
    for one, new in zip(lexicons, renumbered, strict=False):
        frequencies[new] += one.counts
    return both, frequencies, renumbered


def learn(text: Bytes, *, first: int, line_end: int, threads: int = 0) -> tuple[WordTable, IdArray, Edges]:
    r"""Number all words of ``text`` from ``first`` on by falling frequency, and return the text as these numbers.

    Returns the table; the text's ids, with ``line_end`` before the text and for each ``\n``; and how often each word of
    the table occurs. Words of one frequency are numbered as they appear, so ``threads`` never changes the result.
    """

    def read(start: int, stop: int) -> tuple[Lexicon, IdArray]:
        lexicon = Lexicon()
        return lexicon, lexicon.read(text[start:stop])

    parts = _for_each_part(read, text, threads)
    both, frequencies, renumbered = merge([lexicon for lexicon, _ in parts])
    ids = np.empty(both.size, np.int32)
    ids[np.argsort(-frequencies, kind="stable")] = np.arange(first, first + both.size, dtype=np.int32)
    stream = np.empty(1 + sum(codes.size for _, codes in parts), np.int32)
    stream[0] = line_end
    place = 1
    for (_, codes), new in zip(parts, renumbered, strict=False):
        _translated(codes, ids[new], line_end=line_end, unknown=line_end, out=stream[place : place + codes.size])
        place += codes.size
    return WordTable(both.table, ids), stream, frequencies


def _spelled(table: kernels.Table, count: int) -> list[str]:
    letters, edges = table[0].tobytes(), table[1][: count + 1].tolist()
    return [letters[start:stop].decode(errors="surrogatepass") for start, stop in itertools.pairwise(edges)]


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
