"""Interpolated modified Kneser–Ney smoothing: from counts to a model.

*Idea.* A count is discounted, and what is taken away goes to the distribution of the shorter context. There a word
counts not by how often it was seen but by how many different words it was seen after: "Francisco" is frequent, but
follows almost only "San", so it is improbable elsewhere.

*Maths.* Chen & Goodman (1998), *An Empirical Study of Smoothing Techniques for Language Modeling*, TR-10-98, Harvard.
With n_c the number of n-grams of one order whose (adjusted) count is c::

    Y = n1 / (n1 + 2 n2)        D1 = 1 − 2 Y n2/n1      D2 = 2 − 3 Y n3/n2      D3+ = 3 − 4 Y n4/n3

    a(w1 … wk) = how many different words stand before w1 … wk; its plain count where k is the order or w1 is bos

    p(w | h) = (a(h w) − D(a(h w))) / Σ_v a(h v) + γ(h) p(w | h′),   γ(h) = Σ_v D(a(h v)) / Σ_v a(h v)

    p(w)     = (a(w) − D(a(w))) / Σ_v a(v) + γ / |V|

The last line gives every id of the vocabulary its share, words never seen among them. What is counted where, and that
n-grams with an initial ``bos`` keep plain counts, follows KenLM (Heafield et al. 2013, *Scalable Modified Kneser-Ney
Language Model Estimation*), so that models agree.

*Departs.* Where a discount is undefined (an order without n-grams of count 1, 2 or 3, as in characters or small texts)
or leaves [0, c], the order gets `FALLBACK`.
"""

import itertools
import logging
from functools import partial

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.ngram_trie import NgramTrie
from ziggurat.training.kernels import kneser_ney, ngram_trie
from ziggurat.training.ngram_counting import NgramCounts

__all__ = ["FALLBACK", "closed_form_discounts", "smooth"]

FALLBACK = (0.5, 1.0, 1.5)
"""D1, D2, D3+ where the closed form gives none (the same as KenLM's)."""

Discounts = tuple[float, float, float]

_LOG = logging.getLogger("ziggurat")
_TASKS = 8  # for each thread


def closed_form_discounts(tally: npt.NDArray[np.int64]) -> Discounts | None:
    """Return D1, D2, D3+ from the numbers of n-grams with count 1, 2, 3, 4; None where they are not defined.

    >>> closed_form_discounts(np.array([0, 100, 30, 12, 6]))
    (0.625, 1.25, 1.75)
    """
    n1, n2, n3, n4 = (int(count) for count in tally[1:5])
    if 0 in {n1, n2, n3}:
        return None
    share = n1 / (n1 + 2 * n2)
    discounts = (1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3)
    if all(0 <= discount <= count for count, discount in enumerate(discounts, start=1)):
        return discounts
    return None


def smooth(
    found: NgramCounts, *, discounts: Discounts | None, prune: tuple[int, ...], threads: int
) -> tuple[NgramTrie, list[Discounts]]:
    """Turn counts into a model; return it with the discounts of each order. ``found`` is used up.

    Args:
        found: Counts; of all occurrences too where a threshold below the highest order is above 0.
        discounts: D1, D2, D3+ of all orders; None for the closed form of each.
        prune: For each order the greatest number of occurrences at which an n-gram is left out.
        threads: How many work at once.
    """
    shape, starts = found.shape, found.starts
    suffixes = _link(found, threads)
    keep = _kept(found, prune)
    values = found.counts.view(np.float32)
    backoffs = found.scratch.empty(int(starts[-2]), np.float32)
    chosen = [discounts or _discounts(found, level) for level in range(1, shape.order + 1)]
    _estimate_unigrams(found, values, np.array([0.0, *chosen[0]]), keep)
    for level in range(2, shape.order + 1):
        table = np.array([0.0, *chosen[level - 1]])
        arguments = ((found.first_child, suffixes), found.counts, values, backoffs, table, keep)
        tasks = [
            partial(kneser_ney.estimate_children, span, *arguments) for span in _parents(found, level - 1, threads)
        ]
        in_parallel(tasks, threads=threads)
        found.scratch.release()
    del suffixes
    words, first_child = found.words, found.first_child
    if keep.size:
        starts = starts.copy()
        kneser_ney.compact(words, first_child, values, backoffs, keep, starts)
        words, first_child = words[: starts[-1]], first_child[: starts[-2] + 1]
        values, backoffs = values[: starts[-1]], backoffs[: starts[-2]]
    _to_logarithms(values, threads)
    return NgramTrie(starts, words, first_child, values, backoffs), chosen


def _link(found: NgramCounts, threads: int) -> npt.NDArray[np.integer]:
    """Link each n-gram to its end (itself without the first word), and count for each what stands before it."""
    size, bos, eos = found.shape.size, found.shape.bos, found.shape.eos
    suffixes: npt.NDArray[np.integer] = found.scratch.empty(int(found.starts[-1]) - size, found.first_child.dtype.type)
    if found.shape.order > 1:
        ngram_trie.link_bigrams(found.words, suffixes, found.counts, int(found.starts[2] - found.starts[1]))
    elif bos == eos:
        found.counts[bos] -= 1  # the first bos of the text is no word that anything predicts
    with_bos = (bos, bos + 1)  # nodes of the order at hand that begin with bos
    for level in range(3, found.shape.order + 1):
        sizes = found.counts[found.starts[level - 3] : found.starts[level - 2]]
        if level > 3:  # those with bos have plain counts, and no n-gram ends with them
            with_bos = (int(found.first_child[with_bos[0]]), int(found.first_child[with_bos[1]]))
            sizes = sizes.copy()
            sizes[with_bos[0] - found.starts[level - 3] : with_bos[1] - found.starts[level - 3]] = 0
        _link_level(found, suffixes, level, sizes, threads)
        found.scratch.release()
    if bos != eos:
        found.counts[bos] = 0
    return suffixes


def _link_level(
    found: NgramCounts, suffixes: npt.NDArray[np.integer], level: int, sizes: IdArray, threads: int
) -> None:
    """Link the n-grams of one order; ``sizes`` says how many contexts have each n-gram two orders below as suffix."""
    low, middle, high = (int(found.starts[level - k]) for k in (3, 2, 1))
    unigrams = found.shape.size
    stops = np.cumsum(sizes, dtype=suffixes.dtype)
    grouped: npt.NDArray[np.integer] = found.scratch.empty(high - middle, found.first_child.dtype.type)

    def link(first: int, last: int) -> None:
        ends, begin = (low + first, low + last), int(stops[first] - sizes[first])
        cursors = np.subtract(stops[first:last], sizes[first:last])
        contexts = suffixes[middle - unigrams : high - unigrams]
        ngram_trie.group_parents(contexts, (middle, high), ends, cursors, grouped)
        trie = (found.words, found.first_child)
        ngram_trie.link_suffixes(trie, ends, (begin, cursors, grouped), suffixes, found.counts)

    cuts = [0, *np.searchsorted(stops, grouped.size * np.arange(1, threads) // threads).tolist(), sizes.size]
    in_parallel([partial(link, *span) for span in itertools.pairwise(cuts) if span[0] < span[1]], threads=threads)


def _parents(found: NgramCounts, level: int, threads: int) -> list[tuple[int, int]]:
    """Cut the nodes of an order into ranges that have about the same number of children each."""
    start, stop = int(found.starts[level - 1]), int(found.starts[level])
    first, last = int(found.starts[level]), int(found.starts[level + 1])
    parts = threads * _TASKS
    targets = first + (last - first) * np.arange(1, parts) // parts
    inner = start + np.searchsorted(found.first_child[start:stop], targets)
    cuts = np.unique(np.concatenate([[start], inner, [stop]])).tolist()
    return list(itertools.pairwise(cuts))


def _kept(found: NgramCounts, prune: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return which n-grams occur often enough to stay; nothing where all do."""
    if not any(prune):
        return np.empty(0, np.bool_)
    keep = found.scratch.empty(int(found.starts[-1]), np.bool_)
    for level in range(1, found.shape.order + 1):
        span = slice(found.starts[level - 1], found.starts[level])
        if prune[level - 1] == 0:
            keep[span] = True
            continue
        occurrences = found.counts if level == found.shape.order else found.raw
        np.greater(occurrences[span], prune[level - 1], out=keep[span])
    return keep


def _discounts(found: NgramCounts, level: int) -> Discounts:
    tally = np.zeros(5, np.int64)
    kneser_ney.tally_counts(found.counts, (int(found.starts[level - 1]), int(found.starts[level])), tally)
    discounts = closed_form_discounts(tally)
    if discounts is None:
        counts = ", ".join(f"{count:,} of count {c}" for c, count in enumerate(tally.tolist()) if c)
        # the few tokens of a small vocabulary are all frequent: nothing to tell anybody
        _LOG.log(
            logging.DEBUG if level == 1 else logging.INFO,
            "order %d: no discounts from %s; using %s",
            level,
            counts,
            FALLBACK,
        )
    return discounts or FALLBACK


def _estimate_unigrams(
    found: NgramCounts, values: FloatArray, discounts: npt.NDArray[np.float64], keep: npt.NDArray[np.bool_]
) -> None:
    """Turn the counts of unigrams into probabilities, with an equal share of γ for each id that can be predicted."""
    size, bos = found.shape.size, found.shape.bos
    counts = found.counts[:size].astype(np.int64)
    taken = discounts[np.minimum(counts, 3)]
    freed = np.where(keep[:size], taken, counts) if keep.size else taken
    predicted = np.ones(size)
    predicted[bos] = bos == found.shape.eos
    total = max(1, int(counts.sum()))
    gamma = freed.sum() / total if counts.any() else 1.0
    values[:size] = (counts - freed) / total + predicted * (gamma / predicted.sum())


def _to_logarithms(values: FloatArray, threads: int) -> None:
    def convert(start: int, stop: int) -> None:
        with np.errstate(divide="ignore"):  # bos, where it is no eos, has the probability 0
            np.log(values[start:stop], out=values[start:stop])

    step = 1 << 20
    tasks = [partial(convert, start, start + step) for start in range(0, values.size, step)]
    in_parallel(tasks, threads=threads)
