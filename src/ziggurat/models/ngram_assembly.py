"""Building an n-gram model from lists of n-grams with their numbers, in any order and with gaps.

*Idea.* A model from elsewhere may hold an n-gram without its beginning or its end (pruning by entropy leaves such).
The trie needs both, so what is missing is added with the number that backing off would give: no probability changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import InputError
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.kernels import ngram_query
from ziggurat.models.ngram_trie import NgramTrie

__all__ = ["Level", "assemble"]


@dataclass(frozen=True, slots=True)
class Level:
    """All n-grams of one order."""

    ngrams: IdArray
    """(N, k) words; no two rows are equal."""
    logprobs: FloatArray
    """(N,)"""
    backoffs: FloatArray
    """(N,) 0 where there is none."""


def assemble(levels: Sequence[Level], *, vocabulary_size: int) -> NgramTrie:
    """Return the model that has these n-grams; a unigram that is missing gets probability 0.

    *Cost.* Fastest where each order is sorted by its words' ids, as Ziggurat writes them.

    Raises:
        InputError: an n-gram stands twice.
    """
    unigrams = Level(
        np.arange(vocabulary_size, dtype=np.int32)[:, None],
        np.full(vocabulary_size, -np.inf, np.float32),
        np.zeros(vocabulary_size, np.float32),
    )
    unigrams.logprobs[levels[0].ngrams[:, 0]] = levels[0].logprobs
    unigrams.backoffs[levels[0].ngrams[:, 0]] = levels[0].backoffs
    full = [unigrams, *levels[1:]]
    while True:
        trie, gaps = _built(full)
        if not any(len(gap) for gap in gaps):
            break
        full = [_extended(level, gap) for level, gap in zip(full, gaps, strict=True)]
    for level in full[1:]:
        added = level.ngrams[np.isnan(level.logprobs)]
        if len(added):
            nodes, contexts, ends = _nodes(trie, added), _nodes(trie, added[:, :-1]), _nodes(trie, added[:, 1:])
            trie.logprobs[nodes] = trie.backoffs[contexts] + trie.logprobs[ends]
    return trie


def _built(levels: list[Level]) -> tuple[NgramTrie, list[IdArray]]:
    """Return the trie of the n-grams whose beginning exists, and by order the beginnings and ends that are missing."""
    trie = NgramTrie(
        np.array([0, levels[0].ngrams.shape[0]]),
        levels[0].ngrams[:, 0],
        np.full(levels[0].ngrams.shape[0] + 1, levels[0].ngrams.shape[0], np.int64),
        levels[0].logprobs,
        levels[0].backoffs,
    )
    gaps = []
    for level in levels[1:]:
        parents, ends = _nodes(trie, level.ngrams[:, :-1]), _nodes(trie, level.ngrams[:, 1:])
        gaps.append(np.unique(np.concatenate([level.ngrams[parents < 0, :-1], level.ngrams[ends < 0, 1:]]), axis=0))
        trie = _with_level(trie, level, parents)
    gaps.append(np.empty((0, len(levels)), np.int32))
    inner = int(trie.starts[-2])
    total = int(trie.starts[-1])
    words: npt.NDArray[np.integer] = trie.words.astype(np.uint16 if trie.size <= 1 << 16 else np.int32)
    links: npt.NDArray[np.integer] = trie.first_child[: inner + 1].astype(np.int32 if total < 1 << 31 else np.int64)
    return NgramTrie(trie.starts, words, links, trie.logprobs, trie.backoffs[:inner]), gaps


def _with_level(trie: NgramTrie, level: Level, parents: npt.NDArray[np.int64]) -> NgramTrie:
    """Return the trie with one order more; every node has an entry in `first_child` and `backoffs`."""
    rows = np.flatnonzero(parents >= 0)
    keys = (parents[rows] << 32) | level.ngrams[rows, -1]
    if np.any(np.diff(keys) < 0):
        order = np.argsort(keys, kind="stable")
        rows, keys = rows[order], keys[order]
    if np.any(np.diff(keys) == 0):
        raise InputError(f"an n-gram of {level.ngrams.shape[1]} words stands twice")
    top, end = int(trie.starts[-2]), int(trie.starts[-1])
    children = np.bincount(parents[rows] - top, minlength=end - top)
    first_child = np.full(end + rows.size + 1, end + rows.size, np.int64)
    first_child[:top] = trie.first_child[:top]
    first_child[top:end] = end + np.cumsum(children) - children
    return NgramTrie(
        np.append(trie.starts, end + rows.size),
        np.concatenate([trie.words, level.ngrams[rows, -1]]),
        first_child,
        np.concatenate([trie.logprobs, level.logprobs[rows]]),
        np.concatenate([trie.backoffs, level.backoffs[rows]]),
    )


def _extended(level: Level, gap: IdArray) -> Level:
    """Return the level with the n-grams of ``gap`` added; NaN marks that their probability is to be computed."""
    return Level(
        np.concatenate([level.ngrams, gap]),
        np.concatenate([level.logprobs, np.full(len(gap), np.nan, np.float32)]),
        np.concatenate([level.backoffs, np.zeros(len(gap), np.float32)]),
    )


def _nodes(trie: NgramTrie, ngrams: IdArray) -> npt.NDArray[np.int64]:
    """Return the node of each n-gram, −1 where the model does not have it."""
    nodes = np.empty(len(ngrams), np.int64)
    ngram_query.locate(trie.words, trie.first_child, np.ascontiguousarray(ngrams), nodes)
    return nodes
