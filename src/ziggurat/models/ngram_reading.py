"""What counts say of every position of a text: whole distributions of several orders, for a network to stand on.

Axes: **B** rows, **T** time, **K** orders, **V** vocabulary.
"""

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel, thread_count
from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.kernels import ngram_query
from ziggurat.models.ngram_trie import NgramTrie

__all__ = ["LEAST_LOGPROB", "NOTHING", "Counts", "NgramReader"]

LEAST_LOGPROB = np.float32(-20.0)
"""Nats: an id that counts hold for impossible is given this, so that a network can still make it possible."""
NOTHING = -1
"""Stands where no id is."""


class Counts(Protocol):
    """Whatever tells the distributions of the next id from the ids before it."""

    def read(self, before: IdArray, ids: IdArray) -> FloatArray:
        """Return (B, T, K, V): log p of each id after each of (B, T) ``ids``, by each order.

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

    def __init__(self, trie: NgramTrie, orders: Sequence[int], *, threads: int = 0) -> None:
        """Read from ``trie``, which may be memory-mapped, the distributions of ``orders``.

        *Raises.* `UsageError` where the model does not have such an order.
        """
        if not orders or min(orders) < 1 or max(orders) > trie.order:
            raise UsageError(f"orders {list(orders)} of an n-gram model that has 1 to {trie.order}")
        self.trie = trie
        self._orders = np.asarray(orders, np.int64)
        self._threads = threads
        self._arrays: ngram_query.Trie = (trie.words, trie.first_child, trie.logprobs, trie.backoffs)
        for array in self._arrays:  # kernels are compiled once, for memory maps and for memory
            array.flags.writeable = False

    def read(self, before: IdArray, ids: IdArray) -> FloatArray:
        """Return (B, T, K, V) log-probabilities (see `Counts.read`), none below `LEAST_LOGPROB`.

        *Raises.* `UsageError` where an id is not in the vocabulary.
        """
        size = self.trie.size
        if ids.size and (int(ids.min()) < 0 or int(max(ids.max(), before.max(initial=0))) >= size):
            raise UsageError(f"ids up to {ids.max()} for counts of {size} ids: wrong tokenizer")
        before, ids = _as_ids(before), _as_ids(ids)
        logprobs = np.empty((*ids.shape, self._orders.size, size), np.float32)
        parts = max(1, min(thread_count(self._threads), len(ids)))
        cuts = [len(ids) * part // parts for part in range(parts + 1)]
        tasks = [
            partial(
                ngram_query.read_logprobs,
                *(self._arrays, before[start:stop], ids[start:stop], self._orders, logprobs[start:stop]),
            )
            for start, stop in itertools.pairwise(cuts)
        ]
        in_parallel(tasks, threads=parts)
        return np.maximum(logprobs, LEAST_LOGPROB, out=logprobs)


def _as_ids(ids: npt.NDArray[Any]) -> IdArray:
    return np.ascontiguousarray(ids, np.int32)
