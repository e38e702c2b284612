"""Counting which words stand near which: text by places of words, rows of counts, counts of parts joined.

*Idea.* Where a word stands is known from a list of its places, so one row of the matrix is counted at a time, into an
array of all words that stays in the processor's cache. Nothing is sorted: the array is read out in order. Weights are
whole numbers, so that sums are exact and no order of adding matters.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.intrinsics import prefetch
from ziggurat.core.types import IdArray

__all__ = ["GROUP", "count_rows", "keep_words", "list_places", "merge_rows", "tally_words"]

Units: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.uint8]

_AHEAD = 12
_SHIFT = 6
GROUP = 1 << _SHIFT
"""So many words share a flag that says whether one of them was counted."""


@kernel
def keep_words(tokens: npt.NDArray[np.integer], marks: tuple[int, int, int], text: IdArray) -> int:
    """Write the words of ``tokens`` to ``text``, −1 where a document begins or ends; return how many were written.

    Unknown words (``marks`` is bos, eos and unk) are left out, so that the words around them become neighbours.
    """
    bos, eos, unknown = marks
    written = 0
    for token in tokens:
        if token != unknown:
            text[written] = -1 if token in (bos, eos) else token
            written += 1
    return written


@kernel
def tally_words(text: IdArray, counts: Units) -> None:
    """Add to ``counts`` how often each word occurs."""
    for word in text:
        if word >= 0:
            counts[word] += 1


@kernel
def list_places(text: IdArray, margin: int, cursors: Units, places: IdArray) -> None:
    """Write where each word stands between two margins to ``places``, those of word w from ``cursors[w]`` on."""
    for place in range(margin, text.size - margin):
        word = text[place]
        if word >= 0:
            places[cursors[word]] = place
            cursors[word] += 1


@kernel(inline=True)
def _drain(row: Units, flags: Flags, contexts: IdArray, units: Units, written: int) -> int:
    """Write what ``row`` counted behind ``written`` in order of the words, and set it to zero."""
    for group in range(flags.size):
        if flags[group]:
            flags[group] = 0
            for word in range(group << _SHIFT, min(row.size, (group + 1) << _SHIFT)):
                if row[word]:
                    contexts[written] = word
                    units[written] = row[word]
                    row[word] = 0
                    written += 1
    return written


@kernel
def count_rows(
    source: tuple[IdArray, IdArray, Units],
    span: tuple[int, int],
    weights: Units,
    symmetric: bool,
    room: tuple[Units, Flags],
    found: tuple[IdArray, Units],
    sizes: Units,
) -> int:
    """Count the rows of the words of ``span``; return how many entries were written to ``found``.

    Args:
        source: A text with a window of −1 or more text at both ends, where its words stand, and where those of each
            word begin and end.
        span: Words from and to.
        weights: (window + 1,) what a neighbour at each distance counts.
        symmetric: Whether neighbours on both sides count. Then only those whose id is not smaller than the row's are
            written, since the other half of the matrix mirrors them; a pair of one word counts from both its places.
        room: Zeros, one for each word, and one for each 64 of them; zeros again at the end.
        found: Where contexts and units go, row after row.
        sizes: (V,) gets the entries of each row.
    """
    text, places, edges = source
    row, flags = room
    contexts, units = found
    last = weights.size - 1
    written = 0
    for word in range(span[0], span[1]):
        lowest = word if symmetric else 0
        for entry in range(edges[word], edges[word + 1]):
            place = places[entry]
            prefetch(text, places[min(entry + _AHEAD, places.size - 1)])
            for distance in range(1, last + 1):
                other = text[place - distance]
                if other < 0:
                    break
                if other >= lowest:
                    row[other] += weights[distance]
                    flags[other >> _SHIFT] = 1
            if symmetric:
                for distance in range(1, last + 1):
                    other = text[place + distance]
                    if other < 0:
                        break
                    if other >= lowest:
                        row[other] += weights[distance]
                        flags[other >> _SHIFT] = 1
        before = written
        written = _drain(row, flags, contexts, units, written)
        sizes[word] = written - before
    return written


@kernel
def merge_rows(
    source: tuple[IdArray, Units, npt.NDArray[np.int64]],
    span: tuple[int, int],
    room: tuple[Units, Flags],
    found: tuple[IdArray, Units],
    sizes: Units,
) -> int:
    """Add up the rows of the words of ``span`` from several parts; return how many entries were written to ``found``.

    ``source`` holds the contexts and units of all parts and (parts, V + 1) where each row of each part begins and
    ends; the rest is as in `count_rows`.
    """
    contexts, units, edges = source
    row, flags = room
    written = 0
    for word in range(span[0], span[1]):
        for part in range(edges.shape[0]):
            for entry in range(edges[part, word], edges[part, word + 1]):
                row[contexts[entry]] += units[entry]
                flags[contexts[entry] >> _SHIFT] = 1
        before = written
        written = _drain(row, flags, found[0], found[1], written)
        sizes[word] = written - before
    return written
