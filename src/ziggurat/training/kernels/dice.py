"""Random draws in compiled loops: a generator of one number, and tables to draw words from.

*Maths.* SplitMix64 (Steele, Lea & Flood 2014): the state grows by a constant and is then mixed, so a stream is known by
its first state alone, and two states give unrelated streams. Drawing from a distribution over V words is Walker's alias
method (1977, in Vose's 1991 form): one index, one coin.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import IdArray

__all__ = ["Alias", "State", "alias_table", "draw", "next_bits"]

State: TypeAlias = npt.NDArray[np.uint64]
"""(1,) the generator's state."""

Alias: TypeAlias = tuple[npt.NDArray[np.uint32], IdArray]
"""For each word the chance, in 2⁻³² parts, that it is taken when it is hit, and which word is taken otherwise."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@kernel(inline=True, borrows=True)
def next_bits(state: State) -> np.uint64:
    """Return the next 64 random bits."""
    state[0] += _STEP
    bits = state[0]
    bits = (bits ^ (bits >> _30)) * _FIRST
    bits = (bits ^ (bits >> _27)) * _SECOND
    return np.uint64(bits ^ (bits >> _31))


@kernel(inline=True, borrows=True)
def draw(state: State, chances: npt.NDArray[np.uint32], others: IdArray) -> int:
    """Return a word drawn from the distribution that an `Alias` table holds."""
    bits = next_bits(state)
    hit = int(((bits >> _32) * np.uint64(chances.size)) >> _32)
    other = int(others[hit])  # read in any case, so that no branch waits for the coin
    return hit if (bits & _LOW) < np.uint64(chances[hit]) else other


@kernel
def alias_table(
    weights: npt.NDArray[np.float64], chances: npt.NDArray[np.uint32], others: IdArray, waiting: IdArray
) -> None:
    """Write the `Alias` table of a distribution proportional to ``weights`` (V,); ``waiting`` (V,) is working space."""
    size = weights.size
    scale = size / weights.sum()
    rest = weights * scale
    low, high = 0, size
    for word in range(size):
        if rest[word] < 1.0:
            waiting[low] = word
            low += 1
        else:
            high -= 1
            waiting[high] = word
    while low > 0 and high < size:
        low -= 1
        small, large = waiting[low], waiting[high]
        chances[small] = np.uint32(min(4294967295.0, rest[small] * 4294967296.0))
        others[small] = large
        rest[large] -= 1.0 - rest[small]
        if rest[large] < 1.0:
            high += 1
            waiting[low] = large
            low += 1
    for place in range(high, size):
        chances[waiting[place]] = np.uint32(0xFFFFFFFF)
        others[waiting[place]] = waiting[place]
    for place in range(low):  # left over by rounding alone
        chances[waiting[place]] = np.uint32(0xFFFFFFFF)
        others[waiting[place]] = waiting[place]
