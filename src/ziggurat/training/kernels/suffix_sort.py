"""Sorts all positions of a token stream by the n tokens that follow: equal n-grams end up side by side.

*Idea.* Positions fall into buckets by the leading bits of their n-gram; each bucket is sorted by as many further
words as fit, with a serial number, into one 63-bit key; ties go on to the words behind. What is left is the sorted
order and, for each entry, how many words it shares with the one before: from these two arrays every n-gram of every
order, and its count, is read in one scan.

*Where n-grams end.* An n-gram begins at ``bos`` or inside a document and never goes past ``eos``, so those near the
end are shorter. Where one id serves as both, an n-gram may begin with it and may end with it.

*Names.* ``marks`` is ``(bos, eos)``. A key holds ``word + 1`` in ``width`` bits; 0 stands for "ended before".
``layout`` is ``(width, lead)``: a bucket is the key of the first ``lead`` words.
``shared[i]`` is the number of words that entry i shares with entry i − 1, and the order itself where they are equal.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.intrinsics import prefetch
from ziggurat.core.types import IdArray

__all__ = ["bucket_sizes", "fill_buckets", "join_buckets", "sort_buckets"]

Keys: TypeAlias = npt.NDArray[np.int64]
Shared: TypeAlias = npt.NDArray[np.unsignedinteger]

_SMALL = 24  # up to here insertion is fastest
_LARGE = 512  # from here counting digits beats comparing
_AHEAD = 24  # how many positions ahead the tokens are asked for


@kernel(inline=True)
def _word(tokens: IdArray, start: int, offset: int, marks: tuple[int, int]) -> int:
    """Return ``word + 1`` at ``offset`` of an n-gram that has not ended before; 0 at the stream's end or a ``bos``."""
    place = start + offset
    if place >= tokens.size:
        return 0
    word = int(tokens[place])
    if offset > 0 and word == marks[0] and marks[0] != marks[1]:
        return 0
    return word + 1


@kernel(inline=True)
def _ends(word: int, offset: int, marks: tuple[int, int]) -> bool:
    """Whether an n-gram ends with ``word`` at ``offset``."""
    return word == marks[1] and (offset > 0 or marks[0] != marks[1])


@kernel(inline=True)
def _pack(tokens: IdArray, start: int, depth: int, count: int, width: int, marks: tuple[int, int]) -> int:
    """Return ``count`` words of an n-gram from ``depth`` on as one integer, the first in the highest bits."""
    key = 0
    ended = depth > 0 and _ends(int(tokens[start + depth - 1]), depth - 1, marks)
    for offset in range(depth, depth + count):
        key <<= width
        if not ended:
            word = _word(tokens, start, offset, marks)
            key |= word
            ended = word == 0 or _ends(word - 1, offset, marks)
    return key


@kernel
def bucket_sizes(
    tokens: IdArray, span: tuple[int, int], layout: tuple[int, int], marks: tuple[int, int], first: int, sizes: Keys
) -> None:
    """Count into ``sizes`` how many positions of ``span`` fall into each bucket from ``first`` on; pass others."""
    width, lead = layout
    for position in range(span[0], span[1]):
        bucket = _pack(tokens, position, 0, lead, width, marks) - first
        if 0 <= bucket < sizes.size:
            sizes[bucket] += 1


@kernel
def fill_buckets(
    tokens: IdArray,
    span: tuple[int, int],
    layout: tuple[int, int],
    marks: tuple[int, int],
    first: int,
    cursors: Keys,
    positions: IdArray,
) -> None:
    """Put the positions of ``span`` into their buckets, from ``cursors`` on, in ascending order.

    ``cursors`` are those of the buckets from ``first`` on; positions of others are passed.
    """
    width, lead = layout
    for position in range(span[0], span[1]):
        bucket = _pack(tokens, position, 0, lead, width, marks) - first
        if 0 <= bucket < cursors.size:
            positions[cursors[bucket]] = position
            cursors[bucket] += 1


@kernel(inline=True)
def _insertion_sort(keys: Keys, low: int, high: int) -> None:
    for i in range(low + 1, high):
        key = keys[i]
        j = i
        while j > low and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key


@kernel
def _quick_sort(keys: Keys, size: int, stack: Keys) -> None:
    """Sort distinct keys by splitting at a median of three, short stretches by insertion."""
    stack[0] = 0
    stack[1] = size
    top = 2
    while top:
        top -= 2
        low = stack[top]
        high = stack[top + 1]
        while high - low > _SMALL:
            first, middle, last = keys[low], keys[(low + high) >> 1], keys[high - 1]
            pivot = max(min(first, middle), min(max(first, middle), last))
            i = low - 1
            j = high
            while True:
                i += 1
                while keys[i] < pivot:
                    i += 1
                j -= 1
                while keys[j] > pivot:
                    j -= 1
                if i >= j:
                    break
                keys[i], keys[j] = keys[j], keys[i]
            middle = j + 1
            if middle - low < high - middle:  # the longer part waits, so that the stack stays short
                stack[top] = middle
                stack[top + 1] = high
                high = middle
            else:
                stack[top] = low
                stack[top + 1] = middle
                low = middle
            top += 2
        _insertion_sort(keys, low, high)


@kernel
def _radix_sort(keys: Keys, spare: Keys, size: int, bits: tuple[int, int], tally: Keys) -> None:
    """Sort by the bits ``[bits[0], bits[1])``; keys equal there stay in their order."""
    digits = 11 if size >= 1 << 13 else 8
    mask = (1 << digits) - 1
    source, target = keys, spare
    moves = 0
    for bit in range(bits[0], bits[1], digits):
        tally[: mask + 1] = 0
        for i in range(size):
            tally[(source[i] >> bit) & mask] += 1
        if tally[(source[0] >> bit) & mask] == size:
            continue
        total = 0
        for digit in range(mask + 1):
            count = tally[digit]
            tally[digit] = total
            total += count
        for i in range(size):
            digit = (source[i] >> bit) & mask
            target[tally[digit]] = source[i]
            tally[digit] += 1
        source, target = target, source
        moves += 1
    if moves & 1:
        for i in range(size):
            keys[i] = spare[i]


@kernel
def _order_keys(keys: Keys, spare: Keys, size: int, bits: tuple[int, int], work: Keys) -> None:
    """Sort keys of which the bits below ``bits[0]`` ascend already, by the method that suits their number."""
    if size <= _SMALL:
        _insertion_sort(keys, 0, size)
    elif size < _LARGE:
        _quick_sort(keys, size, work)
    else:
        _radix_sort(keys, spare, size, bits, work)


@kernel
def _share(keys: Keys, size: int, packing: tuple[int, int, int], order: int, depth: int, shared: Shared) -> None:
    """Fill ``shared[1:size]`` of sorted keys of words from ``depth`` on; 0 marks a tie that must be sorted further.

    ``packing`` is ``(serial, count, width)`` of the keys.
    """
    serial, count, width = packing
    last_word = (1 << width) - 1
    for i in range(1, size):
        differing = (keys[i] ^ keys[i - 1]) >> serial
        if differing:
            equal = 0
            while differing >> (width * (count - 1 - equal)) == 0:
                equal += 1
            shared[i] = depth + equal
        else:
            done = depth + count == order or (keys[i] >> serial) & last_word == 0
            shared[i] = order if done else 0


@kernel
def sort_buckets(  # noqa: C901 - buckets, rounds, groups: one loop each
    tokens: IdArray,
    edges: Keys,
    order: int,
    layout: tuple[int, int],
    marks: tuple[int, int],
    positions: IdArray,
    shared: Shared,
) -> None:
    """Sort each bucket ``positions[edges[b]:edges[b + 1]]`` and fill ``shared``, but for each bucket's first entry.

    *Cost.* About a dozen passes over the positions, bucket by bucket; scratch memory of 32 bytes for each position of
    the largest bucket.
    """
    width, lead = layout
    largest = 2
    for bucket in range(edges.size - 1):
        largest = max(largest, edges[bucket + 1] - edges[bucket])
    keys, spare, local = np.empty(largest, np.int64), np.empty(largest, np.int64), np.empty(largest, np.int32)
    groups, ties = np.empty((largest // 2 + 1, 3), np.int64), np.empty((largest // 2 + 1, 3), np.int64)
    work = np.empty(1 << 11, np.int64)
    known = min(lead, order)  # words that all of a bucket share, unless they ended
    for bucket in range(edges.size - 1):
        low, high = edges[bucket], edges[bucket + 1]
        if high - low < 2:
            continue
        whole = _pack(tokens, positions[low], 0, known, width, marks)
        if known == order or whole & ((1 << width) - 1) == 0:
            shared[low + 1 : high] = order
            continue
        ties[0, 0], ties[0, 1], ties[0, 2] = low, high, known
        tied = 1
        while tied:
            groups, ties = ties, groups
            waiting, tied = tied, 0
            for group in range(waiting):
                low, high, depth = groups[group, 0], groups[group, 1], groups[group, 2]
                size = high - low
                serial = 1
                while size > 1 << serial:
                    serial += 1
                count = min((63 - serial) // width, order - depth)
                for i in range(size):
                    prefetch(tokens, positions[min(low + i + _AHEAD, positions.size - 1)] + depth)
                    local[i] = positions[low + i]
                    keys[i] = (_pack(tokens, local[i], depth, count, width, marks) << serial) | i
                _order_keys(keys, spare, size, (serial, serial + count * width), work)
                for i in range(size):
                    positions[low + i] = local[keys[i] & ((1 << serial) - 1)]
                _share(keys, size, (serial, count, width), order, depth, shared[low:high])
                start = low
                for i in range(low + 1, high + 1):
                    if i == high or shared[i] != 0:
                        if i - start > 1:
                            ties[tied, 0], ties[tied, 1], ties[tied, 2] = start, i, depth + count
                            tied += 1
                        start = i


@kernel
def join_buckets(
    tokens: IdArray, edges: Keys, order: int, marks: tuple[int, int], positions: IdArray, shared: Shared
) -> None:
    """Fill ``shared`` for the first entry of each bucket by comparing it with the entry before."""
    for bucket in range(edges.size - 1):
        entry = edges[bucket]
        if entry == edges[bucket + 1]:
            continue
        shared[entry] = 0
        if entry == 0:
            continue
        one, two = positions[entry - 1], positions[entry]
        offset = 0
        ended = False
        while offset < order and not ended:
            word = _word(tokens, one, offset, marks)
            if word != _word(tokens, two, offset, marks):
                break
            ended = word == 0 or _ends(word - 1, offset, marks)
            offset += 1
        shared[entry] = order if ended else offset
