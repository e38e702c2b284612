"""Kneser–Ney smoothing over a trie of counts: discounts' statistics, probabilities, and the removal of n-grams."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.intrinsics import prefetch
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["compact", "estimate_children", "tally_counts"]

Numbers: TypeAlias = npt.NDArray[np.integer]
Flags: TypeAlias = npt.NDArray[np.bool_]

_AHEAD = 24


@kernel
def tally_counts(counts: IdArray, span: tuple[int, int], tally: npt.NDArray[np.int64]) -> None:
    """Add to ``tally[c]`` how many nodes of ``span`` have the count c, for c from 1 to 4."""
    for node in range(span[0], span[1]):
        if counts[node] < tally.size:
            tally[counts[node]] += 1


@kernel
def estimate_children(
    span: tuple[int, int],
    links: tuple[Numbers, Numbers],
    counts: IdArray,
    values: FloatArray,
    backoffs: FloatArray,
    discounts: npt.NDArray[np.float64],
    keep: Flags,
) -> None:
    """Turn the counts of all children of the parents in ``span`` into probabilities; write the parents' backoffs.

    *Maths.* For parent h with children w of count c (Chen & Goodman 1998, modified Kneser–Ney, interpolated)::

        γ(h)     = Σ_w D(c(h w)) / Σ_w c(h w)
        p(w | h) = (c(h w) − D(c(h w))) / Σ c(h ·) + γ(h) p(w | h′)

    where h′ is h without its first word, and D(c) is D1, D2 or D3+. A child that is going to be removed gives its whole
    count, not only D, to γ.

    Args:
        span: Parents.
        links: ``(first_child, suffixes)``, as `ziggurat.training.kernels.ngram_trie` makes them; the second from the
            first bigram on.
        counts: Adjusted counts of all nodes.
        values: Probabilities of all nodes; the same memory as ``counts``, so a node's count is read before.
        backoffs: log γ of the parents; 0 for those without children.
        discounts: D(0) = 0, D1, D2, D3+.
        keep: Which nodes stay; empty where all do.
    """
    first_child, suffixes = links
    offset = values.size - suffixes.size
    last_child = first_child[span[1]]
    for parent in range(span[0], span[1]):
        child, stop = first_child[parent], first_child[parent + 1]
        backoffs[parent] = 0.0
        if child == stop:
            continue
        total = 0
        freed = 0.0
        for node in range(child, stop):
            prefetch(values, suffixes[min(node + _AHEAD, last_child - 1) - offset])
            count = counts[node]
            total += count
            freed += discounts[min(count, 3)] if keep.size == 0 or keep[node] else np.float64(count)
        gamma = freed / total
        backoffs[parent] = np.log(gamma) if gamma > 0.0 else -np.inf
        for node in range(child, stop):
            count = counts[node]
            lower = np.float64(values[suffixes[node - offset]])
            values[node] = (count - discounts[min(count, 3)]) / total + gamma * lower


@kernel
def compact(
    words: Numbers,
    first_child: Numbers,
    values: FloatArray,
    backoffs: FloatArray,
    keep: Flags,
    starts: npt.NDArray[np.int64],
) -> None:
    """Remove the nodes that are not kept, in place, and set ``starts`` to where each order's nodes begin and end now.

    Unigrams all stay. A node is kept only if its parent is.
    """
    inner = backoffs.size
    order = starts.size - 1
    level = 1
    place = starts[1]  # where the next kept child goes
    child = starts[1]
    parent_place = 0
    old_end = starts[1]
    for parent in range(inner):
        if parent == old_end:
            level += 1
            old_end = starts[level]
            starts[level - 1] = parent_place
        while child < first_child[parent]:
            if keep[child]:
                words[place] = words[child]
                values[place] = values[child]
                place += 1
            child += 1
        if parent < starts[1] or keep[parent]:
            first_child[parent_place] = place
            backoffs[parent_place] = backoffs[parent]
            parent_place += 1
    while child < words.size:
        if keep[child]:
            words[place] = words[child]
            values[place] = values[child]
            place += 1
        child += 1
    first_child[parent_place] = place
    starts[order - 1] = parent_place
    starts[order] = place
