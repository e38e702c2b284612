"""Pairs of neighbours in a stream of word numbers: counting them in bounded memory, and making one word of some.

*Form.* In a stream, numbers from 1 up are words; 0 and below part what stands before from what stands behind. A pair is
one 64-bit number, the first word in the upper half. A table of pairs has open addressing and a power of two of slots;
0 is an empty slot, as no pair is.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import IdArray

__all__ = ["count_pairs", "enter_pairs", "join_pairs"]

Pairs: TypeAlias = npt.NDArray[np.int64]

_FACTOR, _OTHER_FACTOR = 0x2545F4914F6CDD1D, 0x369DEA0F31A53F85
_POSITIVE = 0x7FFFFFFFFFFFFFFF


@kernel(inline=True)
def _mixed(pair: int) -> int:
    """Return a number of 63 bits that depends on all bits of ``pair``."""
    value = pair * _FACTOR
    value ^= (value >> 32) & 0xFFFFFFFF
    value *= _OTHER_FACTOR
    return (value ^ ((value >> 29) & 0x7FFFFFFFF)) & _POSITIVE


@kernel
def count_pairs(  # noqa: C901 - in one piece, as kernels of tables are
    stream: IdArray,
    eligible: npt.NDArray[np.bool_],
    span: tuple[int, int],
    keys: Pairs,
    counts: Pairs,
) -> int:
    """Count the pairs of eligible words whose hash lies in ``span``, as many of them as the table takes.

    Returns the hash at which it stopped: the table then holds exactly the pairs whose hash lies in the span before it,
    each with all its occurrences. It is the end of the span where all fitted.
    """
    low, high = span
    keys[:] = 0
    mask = keys.size - 1
    room = keys.size // 4 * 3
    filled = 0
    before = 0
    for place in range(stream.size):
        word = stream[place]
        if word <= 0 or not eligible[word]:
            before = 0
            continue
        first = before
        before = word
        if first == 0:
            continue
        pair = np.int64(first) << 32 | word
        value = _mixed(pair)
        if value < low or value >= high:
            continue
        slot = value & mask
        while keys[slot] != 0 and keys[slot] != pair:
            slot = (slot + 1) & mask
        if keys[slot] == pair:
            counts[slot] += 1
            continue
        keys[slot] = pair
        counts[slot] = 1
        filled += 1
        while filled > room:  # leave the upper half of the span to another pass
            high = low + (high - low) // 2
            kept = np.flatnonzero(keys)
            old_keys, old_counts = keys[kept], counts[kept]
            keys[:] = 0
            filled = 0
            for index in range(kept.size):
                value = _mixed(old_keys[index])
                if value < high:
                    slot = value & mask
                    while keys[slot] != 0:
                        slot = (slot + 1) & mask
                    keys[slot] = old_keys[index]
                    counts[slot] = old_counts[index]
                    filled += 1
    return high


@kernel
def enter_pairs(pairs: Pairs, joined: IdArray, keys: Pairs, values: IdArray) -> None:
    """Enter ``pairs``, which all differ, each with the word that it becomes, into a table with room for them."""
    mask = keys.size - 1
    keys[:] = 0
    for index in range(pairs.size):
        slot = _mixed(pairs[index]) & mask
        while keys[slot] != 0:
            slot = (slot + 1) & mask
        keys[slot] = pairs[index]
        values[slot] = joined[index]


@kernel
def join_pairs(stream: IdArray, begins: npt.NDArray[np.bool_], keys: Pairs, values: IdArray, out: IdArray) -> int:
    """Write ``stream`` to ``out`` (which may be the stream itself) with pairs of the table as one word each.

    From left to right, and a word that has become part of another takes part in no other pair. ``begins`` says which
    words are the first of some pair. Returns how many numbers it wrote.
    """
    mask = keys.size - 1
    place = written = 0
    while place < stream.size:
        word = stream[place]
        place += 1
        if word > 0 and begins[word] and place < stream.size and stream[place] > 0:
            pair = np.int64(word) << 32 | stream[place]
            slot = _mixed(pair) & mask
            while keys[slot] != 0 and keys[slot] != pair:
                slot = (slot + 1) & mask
            if keys[slot] == pair:
                word = values[slot]
                place += 1
        out[written] = word
        written += 1
    return written
