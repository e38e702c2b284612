"""Counting all n-grams of a text up to an order, in memory or beyond it, into one trie.

*Idea.* Sorted, the n-grams of every order stand side by side, so one scan counts them all. A text that is larger than
the memory allowed is sorted in parts; the parts' distinct n-grams go to disk as sorted runs, and merging the runs
gives the same sorted order, so the same trie.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel
from ziggurat.core.types import IdArray
from ziggurat.training.kernels import ngram_trie
from ziggurat.training.ngram_runs import Runs
from ziggurat.training.ngram_sorting import Shape, SortedNgrams, sort_ngrams
from ziggurat.training.scratch import Scratch

__all__ = ["Budget", "NgramCounts", "count_ngrams"]

_TASKS = 4  # for each thread
_BASE_BYTES = 150 << 20  # of the interpreter and its libraries
_SORT_BYTES = 12  # for each token: the tokens, where they stand, what they share, and room to sort
_NODE_BYTES = 21  # for each n-gram below the highest order: word, child, count, suffix, back-off, flag
_LEAF_BYTES = 13  # for each n-gram of the highest order: word, count, suffix, flag


@dataclass(frozen=True, slots=True)
class Budget:
    """What counting may use."""

    memory_bytes: int
    threads: int
    folder: Path | None
    """Where working files go; None for the system's temporary folder."""


@dataclass(frozen=True, slots=True)
class NgramCounts:
    """All n-grams as a trie with their counts; the layout is described in `ziggurat.training.kernels.ngram_trie`."""

    shape: Shape
    starts: npt.NDArray[np.int64]
    """(order + 1,) where the nodes of each order begin, and the end."""
    words: npt.NDArray[np.integer]
    """(nodes,) last word of each n-gram."""
    first_child: npt.NDArray[np.integer]
    """(nodes below the highest order + 1,)"""
    counts: IdArray
    """(nodes,) occurrences, of the highest order and of n-grams that begin with ``bos``; 0 of all others."""
    raw: IdArray
    """(nodes below the highest order,) occurrences of all; empty where nobody asked for them."""
    scratch: Scratch
    """Where further arrays of this size should live."""


def count_ngrams(tokens: npt.NDArray[Any], shape: Shape, budget: Budget, *, raw: bool) -> NgramCounts:
    """Count the n-grams of all orders up to ``shape.order``; ``raw`` asks for the occurrences of all of them.

    The result does not depend on the memory or the threads allowed.

    *Cost.* In memory about 0.3 µs a token of one thread at order 5.
    """
    allowed = max(budget.memory_bytes - _BASE_BYTES, budget.memory_bytes // 4)
    if tokens.size * _SORT_BYTES <= allowed:
        ordered = sort_ngrams(np.ascontiguousarray(tokens, np.int32), tokens.size, shape, threads=budget.threads)
        return _from_memory(ordered, shape, budget, allowed - tokens.size * _SORT_BYTES, raw)
    part = max(1 << 12, allowed // (2 * _SORT_BYTES))
    with Runs(shape.order, budget.folder) as runs:
        for start in range(0, tokens.size, part):
            count = min(part, tokens.size - start)
            held = np.ascontiguousarray(tokens[start : start + count + shape.order], np.int32)
            runs.add(sort_ngrams(held, count, shape, threads=budget.threads), shape)
        return _from_runs(runs, shape, budget, allowed, raw)


def _from_memory(ordered: SortedNgrams, shape: Shape, budget: Budget, allowed: int, raw: bool) -> NgramCounts:
    source = (ordered.tokens, ordered.positions, ordered.shared, np.empty(0, np.int32))
    spans = ordered.spans(budget.threads * _TASKS)
    levels = np.zeros((len(spans) + 1, shape.order + 1), np.int64)
    counting = [
        partial(ngram_trie.count_levels, source, (start, stop), shape.numbers(), levels[part + 1])
        for part, (start, stop, _, _) in enumerate(spans)
    ]
    in_parallel(counting, threads=budget.threads)
    found = _empty_counts(levels.sum(axis=0), shape, budget, allowed, raw)
    before = np.cumsum(levels, axis=0)

    def fill(part: int) -> None:
        start, stop, first_word, end_word = spans[part]
        cursors = np.concatenate([[first_word], found.starts[:-1] + before[part, 1:]])
        path = np.zeros(shape.order + 1, np.int64)
        ngram_trie.fill_levels(source, (start, stop), shape.numbers(), cursors, path, _target(found))
        if shape.order > 1:
            found.first_child[cursors[0] : end_word] = cursors[2]

    in_parallel([partial(fill, part) for part in range(len(spans))], threads=budget.threads)
    return found


def _from_runs(runs: Runs, shape: Shape, budget: Budget, allowed: int, raw: bool) -> NgramCounts:
    levels = np.zeros(shape.order + 1, np.int64)
    for source in _blocks(runs):
        ngram_trie.count_levels(source, (0, source[1].size), shape.numbers(), levels)
    found = _empty_counts(levels, shape, budget, allowed, raw)
    cursors = np.concatenate([[0], found.starts[:-1]])
    path = np.zeros(shape.order + 1, np.int64)
    for source in _blocks(runs):
        ngram_trie.fill_levels(source, (0, source[1].size), shape.numbers(), cursors, path, _target(found))
        found.scratch.release()
    if shape.order > 1:
        found.first_child[cursors[0] : shape.size] = cursors[2]
    return found


def _blocks(runs: Runs) -> Iterator[ngram_trie.Source]:
    """Yield the merged runs, block by block, as sources of n-grams."""
    for records, shared in runs.merged():
        width = records.shape[1]
        positions = np.arange(0, records.size, width, dtype=np.int32)
        yield records.ravel(), positions, shared, np.ascontiguousarray(records[:, width - 1])


def _empty_counts(levels: npt.NDArray[np.int64], shape: Shape, budget: Budget, allowed: int, raw: bool) -> NgramCounts:
    """Return the trie with room for so many n-grams of each order, its unigrams written."""
    starts = np.zeros(shape.order + 1, np.int64)
    starts[1:] = np.cumsum(np.concatenate([[shape.size], levels[2:]]))
    total, inner = int(starts[-1]), int(starts[-2])
    needed = inner * (_NODE_BYTES + 4 * raw) + (total - inner) * _LEAF_BYTES
    scratch = Scratch(on_disk=needed > allowed, folder=budget.folder)
    word_type = np.uint16 if shape.size <= 1 << 16 else np.int32
    link_type = np.int32 if total < 1 << 31 else np.int64
    words: npt.NDArray[np.integer] = scratch.empty(total, word_type)
    words[: shape.size] = np.arange(shape.size)
    first_child: npt.NDArray[np.integer] = scratch.empty(inner + 1, link_type)
    first_child[inner] = total
    counts, occurrences = scratch.zeros(total, np.int32), scratch.zeros(inner if raw else 0, np.int32)
    return NgramCounts(shape, starts, words, first_child, counts, occurrences, scratch)


def _target(found: NgramCounts) -> ngram_trie.Target:
    return found.words, found.first_child, found.counts, found.raw
