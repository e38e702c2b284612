"""Sorting the n-grams of a token stream that fits in memory."""

import itertools
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import even_ranges, in_parallel
from ziggurat.core.types import IdArray
from ziggurat.training.kernels import suffix_sort

__all__ = ["Shape", "SortedNgrams", "sort_ngrams"]

_BUCKET_BITS = 18
_TASKS = 8  # for each thread, so that no thread waits long for the last one


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides which n-grams there are: their order, and the vocabulary."""

    order: int
    size: int
    """Ids in the vocabulary."""
    bos: int
    eos: int

    def marks(self) -> tuple[int, int]:
        """Return ``(bos, eos)``, as kernels take them."""
        return self.bos, self.eos

    def numbers(self) -> tuple[int, int, int]:
        """Return ``(order, bos, eos)``, as kernels take them."""
        return self.order, self.bos, self.eos


@dataclass(frozen=True, slots=True)
class SortedNgrams:
    """The n-grams of a text in sorted order, equal ones side by side."""

    tokens: IdArray
    positions: IdArray
    """Where each n-gram begins in `tokens`."""
    shared: npt.NDArray[np.unsignedinteger]
    """How many words each shares with the one before; the order itself where they are equal."""
    word_edges: npt.NDArray[np.int64]
    """(V + 1,) where the n-grams that begin with each word begin."""

    def spans(self, parts: int) -> list[tuple[int, int, int, int]]:
        """Cut into about ``parts`` parts of one size that begin with a new word: entries from, to, words from, to."""
        targets = np.arange(1, parts) * self.positions.size // parts
        inner = np.searchsorted(self.word_edges, targets, "right") - 1
        words = np.unique(np.concatenate([[0], inner, [self.word_edges.size - 1]]))
        edges = self.word_edges[words]
        return [(int(edges[i]), int(edges[i + 1]), int(words[i]), int(words[i + 1])) for i in range(words.size - 1)]


def sort_ngrams(
    tokens: IdArray, count: int, shape: Shape, *, threads: int, words: tuple[int, int] | None = None
) -> SortedNgrams:
    """Sort the n-grams that begin at the first ``count`` of ``tokens``; the tokens behind only continue them.

    Where ``words`` (from, to) are given, only those that begin with one of these.

    *Cost.* 5 bytes a token beside the tokens (6 above order 255), and for the largest bucket 36 bytes for each of its
    positions; about 70 ns a token.
    """
    width = shape.size.bit_length()
    lead = max(1, min(shape.order, _BUCKET_BITS // width))
    layout, marks = (width, lead), shape.marks()
    low, high = words or (0, shape.size)
    behind = width * (lead - 1)  # bits of a bucket's key behind those of its first word
    first, buckets = (low + 1) << behind, (high - low) << behind
    ranges = even_ranges(count, threads)
    sizes = np.zeros((len(ranges), buckets), np.int64)
    sizing = [
        partial(suffix_sort.bucket_sizes, tokens, span, layout, marks, first, sizes[part])
        for part, span in enumerate(ranges)
    ]
    in_parallel(sizing, threads=threads)
    edges = np.zeros(buckets + 1, np.int64)
    np.cumsum(sizes.sum(axis=0), out=edges[1:])
    cursors = edges[:-1] + np.cumsum(sizes, axis=0) - sizes
    count = int(edges[-1])
    positions = np.empty(count, np.int32)
    filling = [
        partial(suffix_sort.fill_buckets, tokens, span, layout, marks, first, cursors[part], positions)
        for part, span in enumerate(ranges)
    ]
    in_parallel(filling, threads=threads)
    shared: npt.NDArray[np.unsignedinteger] = np.empty(count, np.uint8 if shape.order < 1 << 8 else np.uint16)
    targets = np.arange(1, threads * _TASKS) * count // (threads * _TASKS)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(edges, targets), [buckets]]))
    sorting = [
        partial(
            suffix_sort.sort_buckets, tokens, edges[start : stop + 1], shape.order, layout, marks, positions, shared
        )
        for start, stop in itertools.pairwise(cuts.tolist())
    ]
    in_parallel(sorting, threads=threads)
    suffix_sort.join_buckets(tokens, edges, shape.order, marks, positions, shared)
    word_edges = edges[(np.clip(np.arange(shape.size + 1), low, high) - low) << behind]
    return SortedNgrams(tokens, positions, shared, word_edges)
