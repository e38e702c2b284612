"""Builds the trie of all n-grams from their sorted order, and links each n-gram to the one without its first word.

*Idea.* In sorted order the n-grams of every order that begin at entry i and at none before are those longer than
what it shares with entry i − 1. So one scan writes each order's n-grams one after another, and the continuations of
an n-gram stand side by side.

*Layout.* Nodes of all orders are numbered through: unigrams first (node = id, seen or not), then bigrams, and so on.
``first_child[x] : first_child[x + 1]`` are the n-grams that continue node x, sorted by word.

*Names.* A ``source`` is ``(tokens, positions, shared, weights)``: entry i is the n-gram at ``tokens[positions[i]:]``,
it shares ``shared[i]`` words with entry i − 1, and it occurred ``weights[i]`` times (once where ``weights`` is empty).
A ``target`` is ``(words, first_child, counts, raw)``. ``shape`` is ``(order, bos, eos)``.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.intrinsics import prefetch
from ziggurat.core.types import IdArray

__all__ = ["add_continuations", "count_levels", "fill_levels", "link_suffixes"]

Numbers: TypeAlias = npt.NDArray[np.integer]
Source: TypeAlias = tuple[IdArray, IdArray, Numbers, IdArray]
Target: TypeAlias = tuple[Numbers, Numbers, IdArray, IdArray]

_AHEAD = 24  # how many entries ahead memory is asked for


@kernel(inline=True)
def _word(tokens: IdArray, start: int, offset: int, shape: tuple[int, int, int]) -> int:
    """Return the word at ``offset`` of an n-gram, −1 where it has ended before."""
    place = start + offset
    if place >= tokens.size:
        return -1
    word = int(tokens[place])
    _, bos, eos = shape
    if offset > 0:
        if word == bos and bos != eos:
            return -1
        if int(tokens[place - 1]) == eos and (offset > 1 or bos != eos):
            return -1
    return word


@kernel
def count_levels(source: Source, span: tuple[int, int], shape: tuple[int, int, int], levels: Numbers) -> None:
    """Count into ``levels[k]`` the n-grams of k words that begin in ``span`` of the sorted entries."""
    tokens, positions, shared, _ = source
    order = shape[0]
    for entry in range(span[0], span[1]):
        prefetch(tokens, positions[min(entry + _AHEAD, positions.size - 1)])
        for level in range(shared[entry] + 1, order + 1):
            if _word(tokens, positions[entry], level - 1, shape) < 0:
                break
            levels[level] += 1


@kernel
def fill_levels(  # noqa: C901 - one scan, in one piece
    source: Source,
    span: tuple[int, int],
    shape: tuple[int, int, int],
    cursors: Numbers,
    path: Numbers,
    target: Target,
) -> None:
    """Write the n-grams that begin in ``span`` of the sorted entries; ``cursors[k]`` is the next free node of order k.

    ``cursors[0]`` is the next unigram whose children are not yet known. ``path[k]`` is the node of the last entry's
    first k words, and ``path[0]`` how many words it has: zeros before a new first word. ``counts`` gets the occurrences
    of the longest n-grams and of those that begin with ``bos``, the others stay 0; ``raw``, where it is not empty,
    gets the occurrences of all below the highest order.
    """
    tokens, positions, shared, weights = source
    words, first_child, counts, raw = target
    order, bos, _ = shape
    for entry in range(span[0], span[1]):
        prefetch(tokens, positions[min(entry + _AHEAD, positions.size - 1)])
        start = positions[entry]
        for level in range(shared[entry] + 1, order + 1):
            word = _word(tokens, start, level - 1, shape)
            if word < 0:
                break
            node = word
            if level > 1:
                node = cursors[level]
                cursors[level] += 1
                words[node] = word
                if level < order:
                    first_child[node] = cursors[level + 1]
            elif order > 1:
                first_child[cursors[0] : word + 1] = cursors[2]
                cursors[0] = word + 1
            path[level] = node
            path[0] = level
        weight = weights[entry] if weights.size else 1
        depth = path[0]
        if depth == order:
            counts[path[order]] += weight
        if order > 1 and tokens[start] == bos:
            for level in range(2, min(depth, order - 1) + 1):
                counts[path[level]] += weight
        if raw.size:
            for level in range(1, min(depth, order - 1) + 1):
                raw[path[level]] += weight


@kernel
def link_suffixes(
    words: Numbers, first_child: Numbers, suffixes: Numbers, span: tuple[int, int], vocabulary_size: int
) -> None:
    """Set ``suffixes[c − V]`` of all children c of the parents in ``span``: the node of c without its first word.

    *Idea.* With s the suffix of parent x, the suffix of child (x, w) is the child (s, w). Both lists of children are
    sorted, and the second contains the first.
    """
    for parent in range(span[0], span[1]):
        child, last = first_child[parent], first_child[parent + 1]
        if parent < vocabulary_size:
            for node in range(child, last):
                suffixes[node - vocabulary_size] = words[node]
            continue
        soon = min(parent + _AHEAD, span[1] - 1) - vocabulary_size
        prefetch(first_child, suffixes[soon])
        near = min(parent + _AHEAD // 2, span[1] - 1) - vocabulary_size
        prefetch(words, first_child[suffixes[near]])
        suffix = suffixes[parent - vocabulary_size]
        low, high = first_child[suffix], first_child[suffix + 1]
        for node in range(child, last):
            low = _seek(words, words[node], low, high)
            suffixes[node - vocabulary_size] = low
            low += 1


@kernel(inline=True)
def _seek(words: Numbers, word: int, low: int, high: int) -> int:
    """Return where ``word`` stands in the ascending ``words[low:high]``, which contains it: probably near ``low``."""
    stride = 1
    while low + stride < high and words[low + stride] <= word:
        low += stride
        stride <<= 1
    high = min(high, low + stride)
    size = high - low
    while size > 1:
        half = size >> 1
        low += half if words[low + half] <= word else 0
        size -= half
    return low


@kernel
def add_continuations(suffixes: Numbers, span: tuple[int, int], vocabulary_size: int, counts: IdArray) -> None:
    """Count for each n-gram the different words before it: one for each node of ``span`` whose suffix it is."""
    for node in range(span[0], span[1]):
        counts[suffixes[node - vocabulary_size]] += 1
