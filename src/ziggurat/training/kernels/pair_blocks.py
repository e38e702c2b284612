"""Pairs of words as records of eight bytes, sorted into blocks by where their two rows lie."""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.training.kernels.dice import next_bits

__all__ = ["Source", "fill_blocks", "shuffle_blocks", "size_blocks"]

Source: TypeAlias = tuple[IdArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""The contexts and units of all rows, and (V + 1,) where each row begins and ends."""

Pairs: TypeAlias = npt.NDArray[np.uint32]
"""Row and column within the groups of a block, sixteen bits each."""

_16, _32 = np.uint32(16), np.uint64(32)


@kernel
def size_blocks(
    source: Source, groups: IdArray, span: tuple[int, int], mirrored: bool, sizes: npt.NDArray[np.int64]
) -> None:
    """Add the entries of the rows of ``span`` to ``sizes`` (groups, groups), and to the diagonal their mirror images.

    ``groups`` says of each word in which group it is.
    """
    contexts, _, edges = source
    for word in range(span[0], span[1]):
        mine = groups[word]
        for entry in range(edges[word], edges[word + 1]):
            other = groups[contexts[entry]]
            sizes[mine, other] += 1
            if mirrored and mine == other and contexts[entry] != word:
                sizes[mine, other] += 1


@kernel
def fill_blocks(
    source: Source,
    layout: tuple[IdArray, npt.NDArray[np.int64], float],
    span: tuple[int, int],
    mirrored: bool,
    cursors: npt.NDArray[np.int64],
    pairs: Pairs,
    logs: FloatArray,
) -> None:
    """Write the entries of the rows of ``span`` to their blocks: both words, and the logarithm of their count.

    ``layout`` is the group of each word, the first word of each group, and how many units are one; ``cursors`` (groups,
    groups) says where the next entry of each block goes.
    """
    contexts, units, edges = source
    groups, firsts, unit = layout
    for word in range(span[0], span[1]):
        mine = groups[word]
        here = np.uint32(word - firsts[mine])
        for entry in range(edges[word], edges[word + 1]):
            context = contexts[entry]
            other = groups[context]
            there = np.uint32(context - firsts[other])
            log = np.float32(math.log(units[entry] / unit))
            place = cursors[mine, other]
            pairs[place] = here << _16 | there
            logs[place] = log
            if mirrored and mine == other and context != word:
                place += 1
                pairs[place] = there << _16 | here
                logs[place] = log
            cursors[mine, other] = place + 1


@kernel
def shuffle_blocks(
    edges: npt.NDArray[np.int64], span: tuple[int, int], seeds: npt.NDArray[np.uint64], pairs: Pairs, logs: FloatArray
) -> None:
    """Put the pairs of each block of ``span`` into an order drawn from the block's seed (Fisher & Yates 1938)."""
    for block in range(span[0], span[1]):
        first, state = edges[block], seeds[block : block + 1]
        for left in range(edges[block + 1] - first, 1, -1):
            taken = first + np.int64(((next_bits(state) >> _32) * np.uint64(left)) >> _32)
            last = first + left - 1
            pairs[last], pairs[taken] = pairs[taken], pairs[last]
            logs[last], logs[taken] = logs[taken], logs[last]
