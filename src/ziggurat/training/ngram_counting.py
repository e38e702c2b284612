"""Counting all n-grams of a text up to an order, in memory or beyond it, into one trie.

*Idea.* Sorted, the n-grams of every order stand side by side, so one scan counts them all. A text that is larger than
the memory allowed is sorted in parts; the parts' distinct n-grams go to disk as sorted runs, and merging the runs
gives the same sorted order, so the same trie.
"""

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel
from ziggurat.core.types import IdArray
from ziggurat.core.workers import HERE, Workers
from ziggurat.training.kernels import ngram_trie
from ziggurat.training.ngram_runs import Runs
from ziggurat.training.ngram_sorting import Shape, SortedNgrams, sort_ngrams
from ziggurat.training.scratch import Scratch

__all__ = ["Budget", "NgramCounts", "count_ngrams"]

_TASKS = 4  # for each thread
_PARTS = 2  # for each worker
_UNLIMITED = 1 << 62
_COUNTED_AT_ONCE = 1 << 22
_BASE_BYTES = 150 << 20  # of the interpreter and its libraries
_SORT_BYTES = 12  # for each token: the tokens, where they stand, what they share, and room to sort
_HELD_BYTES = 4  # for each token, in each worker: all tokens, and beside them the sort of its own part
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
    first_words: tuple[int, int] = (0, 0)
    """Of a part: the words (from, to) that its n-grams begin with."""


def count_ngrams(
    tokens: npt.NDArray[Any], shape: Shape, budget: Budget, *, raw: bool, workers: Workers = HERE
) -> NgramCounts:
    """Count the n-grams of all orders up to ``shape.order``; ``raw`` asks for the occurrences of all of them.

    The result does not depend on the memory or the threads allowed, nor on the ``workers``. Where these are more than
    the threads, each counts the n-grams that begin with some of the words: neighbours in sorted order, so that what
    they found stands one after another, level by level, and nothing is merged.

    *Cost.* In memory about 0.3 µs a token of one thread at order 5.
    """
    allowed = max(budget.memory_bytes - _BASE_BYTES, budget.memory_bytes // 4)
    if workers.count > budget.threads and tokens.size * _HELD_BYTES <= allowed:
        return _from_workers(tokens, shape, budget, allowed, raw, workers)
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


def _from_workers(
    tokens: npt.NDArray[Any], shape: Shape, budget: Budget, allowed: int, raw: bool, workers: Workers
) -> NgramCounts:
    """Have the n-grams that begin with each range of words counted, and put what was found one after another."""
    count = partial(_count_part, shape, raw, np.asarray(tokens))
    parts: list[NgramCounts] = []
    held = 0
    for part in workers.map(count, _word_ranges(tokens, shape, workers.count * _PARTS)):
        held += sum(array.nbytes for array in _arrays(part))
        parts.append(_put_away(part, Scratch(on_disk=held > allowed // 2, folder=budget.folder)))
    levels = np.array([[0, 0, *np.diff(part.starts)[1:]] for part in parts], np.int64)
    found = _empty_counts(levels.sum(axis=0), shape, budget, allowed, raw)
    begins = np.concatenate([[0], found.starts[:-1]]) + np.cumsum(levels, axis=0) - levels
    for part, begin in zip(parts, begins, strict=True):
        _join(found, part, begin)
        found.scratch.release()
    return found


def _count_part(shape: Shape, raw: bool, tokens: npt.NDArray[Any], words: tuple[int, int]) -> NgramCounts:
    """Count the n-grams that begin with ``words`` (from, to); all others have no room but their unigrams."""
    held = np.ascontiguousarray(tokens, np.int32)
    ordered = sort_ngrams(held, held.size, shape, threads=1, words=words)
    found = _from_memory(ordered, shape, Budget(0, 1, None), _UNLIMITED, raw)
    return dataclasses.replace(found, first_words=words)


def _word_ranges(tokens: npt.NDArray[Any], shape: Shape, parts: int) -> list[tuple[int, int]]:
    """Cut the vocabulary into ranges of words that occur about equally often together; all words are in one."""
    times = np.zeros(shape.size, np.int64)
    for start in range(0, tokens.size, _COUNTED_AT_ONCE):
        times += np.bincount(tokens[start : start + _COUNTED_AT_ONCE], minlength=shape.size)
    before = np.concatenate([[0], np.cumsum(times)])
    inner = np.searchsorted(before, np.arange(1, parts) * tokens.size // parts)
    edges = np.unique(np.concatenate([[0], inner, [shape.size]])).tolist()
    return list(itertools.pairwise(edges))


def _join(found: NgramCounts, part: NgramCounts, begins: npt.NDArray[np.int64]) -> None:
    """Copy the n-grams of a part to where those of each order begin."""
    order = found.shape.order
    low, high = part.first_words
    found.counts[low:high] = part.counts[low:high]
    if found.raw.size:
        found.raw[low:high] = part.raw[low:high]
    if order > 1:
        found.first_child[low:high] = part.first_child[low:high] + (begins[2] - part.starts[1])
    for level in range(2, order + 1):
        here = slice(int(part.starts[level - 1]), int(part.starts[level]))
        there = slice(int(begins[level]), int(begins[level]) + here.stop - here.start)
        found.words[there], found.counts[there] = part.words[here], part.counts[here]
        if level < order:
            moved = begins[level + 1] - part.starts[level]
            found.first_child[there] = part.first_child[here] + moved
            if found.raw.size:
                found.raw[there] = part.raw[here]


def _arrays(part: NgramCounts) -> tuple[npt.NDArray[Any], ...]:
    return part.words, part.first_child, part.counts, part.raw


def _put_away(part: NgramCounts, scratch: Scratch) -> NgramCounts:
    """Keep a part's arrays where the others are kept: in memory while they fit, else on disk."""
    if not scratch.on_disk:
        return part
    kept = []
    for array in _arrays(part):
        kept.append(scratch.empty(array.size, array.dtype.type))
        kept[-1][:] = array
    scratch.release()
    return dataclasses.replace(part, words=kept[0], first_child=kept[1], counts=kept[2], raw=kept[3], scratch=scratch)


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
