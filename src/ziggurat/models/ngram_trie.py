"""The n-gram model at rest: five arrays, one behind another, that need no parsing when a file of them is opened."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import DamagedError
from ziggurat.core.types import FloatArray, TensorMap

__all__ = ["NgramTrie", "entry_bytes"]

_NAMES = ("starts", "words", "first_child", "logprobs", "backoffs")


def entry_bytes(vocabulary_size: int) -> tuple[int, int]:
    """Return the bytes of an n-gram below the highest order, and of one of the highest.

    Of each are held its last word and its probability, and below the highest order where its continuations begin and
    its back-off: 4 bytes each, of the word 2 where the vocabulary has at most 65,536 ids. Where there are 2³¹ n-grams
    or more, continuations take 4 bytes more.

    >>> entry_bytes(4096), entry_bytes(100_000)
    ((14, 6), (16, 8))
    """
    word = 2 if vocabulary_size <= 1 << 16 else 4
    return word + 12, word + 4


@dataclass(frozen=True, slots=True)
class NgramTrie:
    """All n-grams of a model, from the first word on: the continuations of each stand side by side, sorted by word.

    *Idea.* Nodes are numbered through, unigrams first (node = id, seen in training or not), then bigrams, and so on.
    ``first_child[x] : first_child[x + 1]`` are the nodes of the n-grams that continue node x by one word. Two
    conditions hold: with an n-gram its beginning is in the model (else it could not be reached), and so is its end
    (so that a distribution is known by following the context's ends).

    *Cost.* 16 bytes for each n-gram below the highest order and 8 for each of the highest; 2 bytes fewer for each
    where the vocabulary has at most 65,536 ids.
    """

    starts: npt.NDArray[np.int64]
    """(order + 1,) where the nodes of each order begin, and the end."""
    words: npt.NDArray[np.integer]
    """(nodes,) the last word of each n-gram."""
    first_child: npt.NDArray[np.integer]
    """(nodes below the highest order + 1,)"""
    logprobs: FloatArray
    """(nodes,) log p(last word | words before), natural."""
    backoffs: FloatArray
    """(nodes below the highest order,) log of the weight of the shorter context for words that do not follow here."""

    @property
    def order(self) -> int:
        """Words in the longest n-gram."""
        return self.starts.size - 1

    @property
    def size(self) -> int:
        """Ids in the vocabulary."""
        return int(self.starts[1])

    def counts(self) -> list[int]:
        """Return how many n-grams of each order there are."""
        return [int(count) for count in np.diff(self.starts)]

    def state(self) -> TensorMap:
        """Return the arrays by name, as a file holds them."""
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def restore(cls, tensors: TensorMap, *, vocabulary_size: int) -> "NgramTrie":
        """Return the trie from what `state` gave; arrays may be memory-mapped and are not read through.

        Raises:
            DamagedError: an array is missing, or sizes do not fit one another.
        """
        missing = set(_NAMES) - set(tensors)
        if missing:
            raise DamagedError(f"n-gram model: tensor '{min(missing)}' is missing; fit or copy the model again")
        starts = np.asarray(tensors["starts"], np.int64)
        words, first_child, logprobs, backoffs = (cast(Any, np.asarray(tensors[name])) for name in _NAMES[1:])
        if starts.ndim != 1 or starts.size < 2 or starts[0] != 0 or np.any(np.diff(starts) < 0):
            raise DamagedError("n-gram model: tensor 'starts' is not an ascending list; fit or copy the model again")
        sizes = (starts[-1], starts[-2] + 1, starts[-1], starts[-2])
        for name, size, kind in zip(_NAMES[1:], sizes, ("iu", "iu", "f", "f"), strict=True):
            array = tensors[name]
            if array.shape != (size,) or array.dtype.kind not in kind:
                found = f"{array.dtype} {array.shape}"
                raise DamagedError(f"n-gram model: tensor '{name}' is {found}, not ({size},); fit or copy it again")
        if starts[1] != vocabulary_size:
            raise DamagedError(f"n-gram model: {starts[1]} unigrams for a vocabulary of {vocabulary_size} ids")
        return cls(starts, words, first_child, logprobs, backoffs)
