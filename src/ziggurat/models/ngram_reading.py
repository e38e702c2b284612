"""What counts say of every position of a text: whole distributions of several orders, for a network to stand on.

Axes: **B** rows, **T** time, **K** orders, **R** what is recalled (2 or 0), **V** vocabulary.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import even_ranges, in_parallel, thread_count
from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.kernels import ngram_query
from ziggurat.models.ngram_trie import NgramTrie
from ziggurat.models.recalling import RECALLED, Recall

__all__ = ["LEAST_LOGPROB", "NOTHING", "Counts", "NgramReader"]

LEAST_LOGPROB = np.float32(-20.0)
"""Nats: an id that counts hold for impossible is given this, so that a network can still make it possible."""
NOTHING = -1
"""Stands where no id is."""


class Counts(Protocol):
    """Whatever tells the distributions of the next id from the ids before it."""

    def read(self, before: IdArray, ids: IdArray) -> FloatArray:
        """Return (B, T, K + R, V): log p of each id after each of (B, T) ``ids``, by each order; then what is recalled.

        ``before`` (B, n) are the ids that stand before them, `NOTHING` where there are none.
        """
        ...


class NgramReader:
    """The distributions of chosen orders of one n-gram model.

    *Idea.* The distribution of order k sees the last k − 1 ids: it is what the model says of a context that begins
    there. Lower orders are smoother, so together they also tell how far the counts can be trusted.

    *Cost.* About V/4 ns an order and position, and 10 ns for each id that was seen to follow; rows are read by all
    threads at once.
    """

    def __init__(
        self, trie: NgramTrie, orders: Sequence[int], *, recall: Recall | None = None, threads: int = 0
    ) -> None:
        """Read from ``trie``, which may be memory-mapped, the distributions of ``orders``, and what is recalled.

        *Raises.* `UsageError` where the model does not have such an order.
        """
        if not orders or min(orders) < 1 or max(orders) > trie.order:
            raise UsageError(f"orders {list(orders)} of an n-gram model that has 1 to {trie.order}")
        self.trie = trie
        self.recall = recall
        self.channels = len(orders) + (0 if recall is None else RECALLED)
        self._orders = np.asarray(orders, np.int64)
        self._threads = threads
        self._arrays: ngram_query.Trie = (trie.words, trie.first_child, trie.logprobs, trie.backoffs)
        for array in self._arrays:  # kernels are compiled once, for memory maps and for memory
            array.flags.writeable = False

    def read(self, before: IdArray, ids: IdArray) -> FloatArray:
        """Return (B, T, K + R, V) (see `Counts.read`), no log-probability below `LEAST_LOGPROB`.

        *Raises.* `UsageError` where an id is not in the vocabulary.
        """
        found = np.empty((*ids.shape, self.channels, self.trie.size), np.float32)
        threads = thread_count(self._threads)
        ranges = even_ranges(len(ids), threads)
        tasks = [partial(self.fill, before[start:stop], ids[start:stop], found[start:stop]) for start, stop in ranges]
        in_parallel(tasks, threads=threads)
        return found

    def fill(self, before: IdArray, ids: IdArray, found: FloatArray) -> None:
        """Write to ``found`` what `read` returns, in one thread."""
        size = self.trie.size
        if ids.size and (int(ids.min()) < 0 or int(max(ids.max(), before.max(initial=0))) >= size):
            raise UsageError(f"ids up to {ids.max()} for counts of {size} ids: wrong tokenizer")
        before, ids = _as_ids(before), _as_ids(ids)
        orders = self._orders.size
        seen = self.trie.order - 1
        if before.shape[1] < seen:  # a kernel checks no bounds
            before = np.pad(before, ((0, 0), (seen - before.shape[1], 0)), constant_values=NOTHING)
        near = _as_ids(before[:, before.shape[1] - seen :])
        ngram_query.read_logprobs(self._arrays, near, ids, self._orders, found)
        np.maximum(found[:, :, :orders], LEAST_LOGPROB, out=found[:, :, :orders])
        if self.recall is not None:
            self.recall.fill(before, ids, found[:, :, orders:])


def _as_ids(ids: npt.NDArray[Any]) -> IdArray:
    return np.ascontiguousarray(ids, np.int32)
