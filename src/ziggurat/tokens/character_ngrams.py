"""Character n-grams of a word's spelling, as numbers of buckets: so that a word never seen has a vector too.

*Idea.* ``where`` is spelled ``<where>``, and its n-grams of 3 characters are ``<wh whe her ere re>``: the marks tell a
beginning and an end from the same letters inside a word. There are too many n-grams to list, so each is found by its
hash among a fixed number of buckets, and n-grams that meet there share a vector (Bojanowski et al. 2017, section 3.2).

*Departs.* The published program hashes bytes from 0x80 up as negative numbers, which FNV-1a does not. So does this, so
that the buckets of Chinese and of accented words are those of other programs too.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.protocols import Spells
from ziggurat.core.types import IdArray
from ziggurat.tokens.fast import checked_text

__all__ = ["bucket_ids", "spelling_table"]

Starts: TypeAlias = npt.NDArray[np.int64]

BEGIN, END = "<", ">"
_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)
_WORDS_AT_ONCE = 65_536


def bucket_ids(word: str, shortest: int, longest: int, buckets: int) -> IdArray:
    """Return the buckets of the n-grams of ``word``, by their first character and then by length.

    *Maths.* FNV-1a of the n-gram's UTF-8 bytes, modulo ``buckets``. A mark alone is no n-gram, ``<word>`` as a whole is
    one where ``longest`` allows it, and the empty word has none.

    *Cost.* A fraction of a millisecond; for many words see `spelling_table`.

    Raises:
        InputError: the word holds half of a surrogate pair.
    """
    return _spelled([checked_text(word)], shortest, longest, buckets)[1]


def spelling_table(words: Sequence[str], config: Spells) -> tuple[Starts, IdArray]:
    """Return the buckets of all ``words``, one after another, and where each word's begin.

    Word i has ``buckets[starts[i]:starts[i + 1]]``; give an empty string for an id that is no word, and it has none.

    *Shapes.* starts (words + 1,), buckets (n-grams,).

    *Cost.* Some ten million n-grams a second for n-grams of 3 to 6 characters.

    Raises:
        InputError: a word holds half of a surrogate pair.
    """
    starts, found = [np.zeros(1, np.int64)], [np.empty(0, np.int32)]
    for group in _groups(words):
        counts, buckets = _spelled(group, config.shortest_ngram, config.longest_ngram, config.buckets)
        starts.append(starts[-1][-1] + np.cumsum(counts))
        found.append(buckets)
    return np.concatenate(starts), np.concatenate(found)


def _groups(words: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(words), _WORDS_AT_ONCE):
        yield [checked_text(word) for word in words[start : start + _WORDS_AT_ONCE]]


def _spelled(words: Sequence[str], shortest: int, longest: int, buckets: int) -> tuple[Starts, IdArray]:
    """Return how many n-grams each word has, and the buckets of them all.

    All words are worked on at once: row c of the arrays below is the n-gram that begins at character c of all text.
    """
    marked = [f"{BEGIN}{word}{END}" if word else "" for word in words]
    raw = np.frombuffer("".join(marked).encode(), np.int8)  # signed: see the top of this file
    sizes = np.array([len(word) for word in marked], np.int64)
    edges = np.append(np.flatnonzero((raw.view(np.uint8) & 0xC0) != 0x80), raw.size)  # where characters begin
    widths = np.diff(edges)
    word_ends = np.cumsum(sizes)
    left = np.repeat(word_ends, sizes) - np.arange(widths.size)  # characters from here to the word's end
    first = np.zeros(widths.size, np.bool_)
    first[(word_ends - sizes)[sizes > 0]] = True
    lengths = range(max(1, shortest), longest + 1)
    hashes = np.empty((widths.size, len(lengths)), np.uint32)
    present = np.zeros(hashes.shape, np.bool_)
    state = np.full(widths.size, _OFFSET)
    for length in range(1, longest + 1):
        inside = np.flatnonzero(left >= length)
        if not inside.size:
            break
        state[inside] = _appended(state[inside], raw, edges, widths, inside + length - 1)
        if length >= lengths.start:
            hashes[:, length - lengths.start] = state
            present[inside, length - lengths.start] = True
    if lengths and lengths.start == 1:
        present[first | (left == 1), 0] = False
    totals = np.append(0, np.cumsum(present.sum(axis=1)))
    return totals[word_ends] - totals[word_ends - sizes], (hashes[present] % np.uint32(buckets)).astype(np.int32)


def _appended(
    state: npt.NDArray[np.uint32], raw: npt.NDArray[np.int8], edges: Starts, widths: Starts, characters: Starts
) -> npt.NDArray[np.uint32]:
    """Return the hashes ``state`` after one more character each, whose numbers are ``characters``."""
    begin, width = edges[characters], widths[characters]
    for place in range(int(width.max())):
        longer = np.flatnonzero(width > place)
        signed = raw[begin[longer] + place].astype(np.int32).view(np.uint32)
        state[longer] = (state[longer] ^ signed) * _PRIME
    return state
