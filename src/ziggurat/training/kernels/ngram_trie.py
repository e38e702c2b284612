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

__all__ = ["count_levels", "fill_levels", "group_parents", "link_bigrams", "link_suffixes"]

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
def link_bigrams(words: Numbers, suffixes: Numbers, counts: IdArray, bigrams: int) -> None:
    """Link each bigram to its second word, and count for each word the different words before it."""
    vocabulary_size = words.size - suffixes.size
    for node in range(vocabulary_size, vocabulary_size + bigrams):
        suffixes[node - vocabulary_size] = words[node]
        counts[words[node]] += 1


@kernel
def group_parents(
    suffixes: Numbers, parents: tuple[int, int], ends: tuple[int, int], cursors: Numbers, grouped: Numbers
) -> None:
    """Sort the nodes of ``parents`` whose suffix is in ``ends`` by their suffix, in ascending order within a group.

    ``suffixes`` are those of ``parents``; ``cursors`` hold where the group of each node of ``ends`` begins in
    ``grouped``, and afterwards where it ends.
    """
    low, high = ends
    for parent in range(parents[0], parents[1]):
        suffix = suffixes[parent - parents[0]]
        if low <= suffix < high:
            grouped[cursors[suffix - low]] = parent
            cursors[suffix - low] += 1


@kernel
def link_suffixes(
    trie: tuple[Numbers, Numbers],
    ends: tuple[int, int],
    groups: tuple[int, Numbers, Numbers],
    suffixes: Numbers,
    counts: IdArray,
) -> None:
    """Link the children of all parents that have a suffix in ``ends``; count for each suffix the words before it.

    *Idea.* With s the suffix of parent x, the suffix of child (x, w) is the child (s, w). Taken together, all parents
    of one s need each child of s by its word: a table of the vocabulary's size gives it at once. And since every word
    before (s, w) comes up here, and nowhere else, counting needs no lock.

    Args:
        trie: ``(words, first_child)``.
        ends: The suffixes s.
        groups: Where the first group begins; where each one ends; the parents by group (see `group_parents`).
        suffixes: Written for the children, from the first bigram on.
        counts: Raised for the children's suffixes.
    """
    words, first_child = trie
    begin, stops, grouped = groups
    size = words.size - suffixes.size
    table = np.empty(size, suffixes.dtype)
    last = stops[stops.size - 1] - 1  # groups behind belong to other threads
    for suffix in range(ends[0], ends[1]):
        stop = stops[suffix - ends[0]]
        low = first_child[suffix]
        alone = stop - begin == 1  # then its children are all the children that its suffix has
        if not alone:
            for node in range(low, first_child[suffix + 1]):
                table[words[node]] = node
        for place in range(begin, stop):
            prefetch(first_child, grouped[min(place + _AHEAD, last)])
            soon = first_child[grouped[min(place + _AHEAD // 2, last)]]
            prefetch(words, soon)
            prefetch(suffixes, soon - size)
            first = first_child[grouped[place]]
            for node in range(first, first_child[grouped[place] + 1]):
                end = low + node - first if alone else table[words[node]]
                suffixes[node - size] = end
                counts[end] += 1
        begin = stop
