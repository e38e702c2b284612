"""What stood before in the same document, for every position of a text.

Axes: **B** rows, **T** time, **V** vocabulary.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["recall"]

Places: TypeAlias = "npt.NDArray[np.int64]"

LONGEST = 5
"""Ids up to which a place is compared with the one that is now."""
MOST_PLACES = 64
"""Places where the last id stood that are looked at, the nearest first."""


@kernel
def recall(before: IdArray, ids: IdArray, lift: FloatArray, bos: int, reach: int, found: FloatArray) -> None:
    """Write to ``found``, (B, T, 2, V), what is remembered after each of (B, T) ``ids``.

    ``before`` is (B, n): what stands before the ids, −1 where nothing does. ``lift`` is (V,): what one appearance is
    worth. First come log(1 + lift·c) with the counts c of the last ``reach`` ids, then `_echo`. ``bos`` begins a
    document, and forgets all.
    """
    past, size = before.shape[1], lift.size
    text = np.empty(past + ids.shape[1], np.int64)
    earlier = np.empty(text.size, np.int64)
    last = np.empty(size, np.int64)
    counts = np.empty(size, np.int64)
    lifted = np.empty(size, np.float32)
    for row in range(ids.shape[0]):
        for place in range(text.size):
            text[place] = before[row, place] if place < past else ids[row, place - past]
        last[:] = -1
        counts[:] = 0
        lifted[:] = 0
        begin = 0
        for place in range(text.size):
            word = text[place]
            if word < 0 or word == bos:
                for gone in range(max(begin, place - reach), place):
                    counts[text[gone]] = 0
                    lifted[text[gone]] = 0
                begin = place + 1
            else:
                earlier[place] = last[word] if last[word] >= begin else -1
                last[word] = place
                counts[word] += 1
                lifted[word] = np.log1p(lift[word] * counts[word])
                if place - reach >= begin:
                    gone = text[place - reach]
                    counts[gone] -= 1
                    lifted[gone] = np.log1p(lift[gone] * counts[gone])
            if place >= past:
                found[row, place - past, 0] = lifted
                found[row, place - past, 1] = 0
                if place >= begin:
                    _echo(text, earlier, place, max(begin, place - reach), found[row, place - past, 1])


@kernel(inline=True)
def _echo(text: Places, earlier: Places, place: int, begin: int, found: FloatArray) -> None:
    """Write what followed, from ``begin`` on, where the id at ``place`` stood before: log(1 + Σ 4^(m − 1)) of each.

    m is how many ids before each place, itself included, are those before this one; `LONGEST` at the most.
    """
    nearest = earlier[place]
    for turn in range(2):  # first sums, then their logarithms
        other, left = nearest, MOST_PLACES
        while other >= begin and left > 0:
            follower = text[other + 1]
            if turn == 0:
                weight, back = np.float32(1.0), 1
                while back < LONGEST and other - back >= begin and text[other - back] == text[place - back]:
                    weight *= np.float32(4.0)
                    back += 1
                found[follower] -= weight
            elif found[follower] < 0:
                found[follower] = np.log1p(-found[follower])
            other = earlier[other]
            left -= 1
