"""The n-gram model: what follows the last few tokens, counted.

*Idea.* The oldest language model, and still the strongest per second of training: the probability of the next token is
read from how often it followed the same last n − 1 tokens, falling back to shorter contexts where the text had too few.
It trains in seconds, knows names and phrases by heart, and is the yardstick for every network.

*Maths.* In back-off form, to which every interpolated smoothing can be brought::

    log p(w | h) = logprob(h w)                     where the n-gram h w is in the model
                 = backoff(h) + log p(w | h′)       otherwise; h′ is h without its first word

How the numbers come from counts: `ziggurat.training.kneser_ney`.
"""

import itertools
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel, thread_count
from ziggurat.core.config import option
from ziggurat.core.errors import DamagedError, UsageError
from ziggurat.core.seeding import generator
from ziggurat.core.types import FloatArray, IdArray, TensorMap, Vocabulary
from ziggurat.models.kernels import ngram_query
from ziggurat.models.ngram_assembly import Level, assemble
from ziggurat.models.ngram_random import random_trie
from ziggurat.models.ngram_reading import NOTHING, NgramReader
from ziggurat.models.ngram_trie import NgramTrie
from ziggurat.models.uncertainty import LOGPROB_COUNT, uncertainty

__all__ = ["FAMILY", "NgramConfig", "NgramFamily", "NgramLanguageModel"]

_PER_THREAD = 1 << 12  # tokens below which another thread costs more than it saves

States = npt.NDArray[np.int64]
"""(B, order − 1): the node of the last 1, 2, … words of each row, −1 where the model does not have them."""


@dataclass(frozen=True)
class NgramConfig:
    """The n-gram model's recipe keys."""

    order: int = option(5, "Words in the longest n-gram: the context's length plus one.", low=1)
    prune: tuple[int, ...] = option(
        (0,), "Per order: leave out n-grams seen at most this often; the last number holds for higher orders too."
    )
    discounts: tuple[float, ...] = option(
        (), "D1, D2, D3+ of modified Kneser-Ney for all orders; empty: computed from the counts of each order."
    )

    def __post_init__(self) -> None:
        """Check what limits of single keys can't say."""
        if not self.prune or list(self.prune) != sorted(self.prune) or self.prune[0] < 0:
            raise UsageError(f"prune: expected numbers that do not fall, like [0, 0, 1], got {list(self.prune)}")
        if self.discounts and not (
            len(self.discounts) == 3 and all(0 <= d <= c for c, d in enumerate(self.discounts, start=1))
        ):
            raise UsageError(f"discounts: expected none or D1 ≤ 1, D2 ≤ 2, D3+ ≤ 3, got {list(self.discounts)}")

    def thresholds(self) -> tuple[int, ...]:
        """Return `prune` for each order."""
        return (*self.prune, *[self.prune[-1]] * self.order)[: self.order]


class NgramLanguageModel:
    """An n-gram model that answers for many sequences at once; a `LanguageModel`.

    *Cost.* Scoring: about 0.2 µs a token and thread at order 5; a whole distribution: one pass over the vocabulary.
    """

    def __init__(self, trie: NgramTrie, vocabulary: Vocabulary, *, threads: int = 0) -> None:
        """Read from ``trie``, which may be memory-mapped, with up to ``threads`` threads (0: all cores)."""
        self.trie = trie
        self._vocabulary = vocabulary
        self._threads = threads
        words, first_child = _read_only(trie.words), _read_only(trie.first_child)
        self._arrays: ngram_query.Trie = (words, first_child, _read_only(trie.logprobs), _read_only(trie.backoffs))

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self._vocabulary

    @property
    def context(self) -> None:
        """None: sequences may have any length."""
        return

    @property
    def order(self) -> int:
        """Words in its longest n-gram."""
        return self.trie.order

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T − 1): log p(ids[:, t] | ids[:, :t]) for t ≥ 1; 0 at and beyond a row's length."""
        rows, width = ids.shape
        begins = np.arange(rows, dtype=np.int64) * width
        return self._score(ids.ravel(), begins, begins + lengths).reshape(rows, width)[:, 1:]

    def token_uncertainty(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, FloatArray]:
        """Return (B, T − 1) `token_logprobs`, and how uncertain the model was before each of these ids."""
        rows, width = ids.shape
        found = np.zeros((rows, max(width - 1, 0)), np.float32)
        text = np.concatenate([np.full((rows, self.order - 1), NOTHING, ids.dtype), ids], axis=1)
        reader = NgramReader(self.trie, (self.order,), threads=self._threads)
        size = max(1, LOGPROB_COUNT // (max(1, rows) * self._vocabulary.size))
        for start in range(0, width - 1, size):
            stop = min(start + size, width - 1)
            told = reader.read(text[:, start : start + self.order - 1], ids[:, start:stop])
            found[:, start:stop] = uncertainty(told[:, :, 0])
        found *= np.arange(1, width) < lengths[:, None]
        return self.token_logprobs(ids, lengths), found

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        """Return (B,) nats: the log-probability of each row's first ``lengths`` ids, given its first."""
        return np.asarray(self.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64))

    def stream_logprobs(self, tokens: npt.NDArray[np.integer[Any]], starts: npt.NDArray[np.int64]) -> FloatArray:
        """Return (N,) log p of each token of a token stream after those before it in its document; 0 of the first.

        ``starts`` is as in a `TokenStream`: document d begins at ``starts[d]``, and its ``eos`` is the token before the
        next one's ``bos``, or that very token where one id serves as both. No padded batch is made.
        """
        overlap = int(self._vocabulary.bos == self._vocabulary.eos)
        return self._score(tokens, starts[:-1], starts[1:] + overlap)

    def score_documents(
        self, tokens: npt.NDArray[np.integer[Any]], starts: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Return (documents,) nats: the log-probability of each document of a token stream (see `stream_logprobs`)."""
        logprobs = self.stream_logprobs(tokens, starts)
        overlap = int(self._vocabulary.bos == self._vocabulary.eos)
        return np.add.reduceat(logprobs[overlap:], starts[:-1], dtype=np.float64) if starts.size > 1 else np.zeros(0)

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, States]:
        """Read (B, T) prompts at once; return (B, V) next-id logprobs and the state."""
        return self.extend(np.full((ids.shape[0], self.order - 1), -1, np.int64), ids, lengths)

    def step(self, state: States, ids: IdArray) -> tuple[FloatArray, States]:
        """Append one id to each row; return (B, V) next-id logprobs and the new state. The old one stays valid."""
        states = state.copy()
        ngram_query.advance(self._arrays, states, self._checked(ids))
        return self._next_logprobs(states), states

    def extend(self, state: States, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, States]:
        """Append (B, T) ids at once; return (B, V) next-id logprobs and the new state. The old one stays valid."""
        states = state.copy()
        for distance in range(min(ids.shape[1], self.order - 1), 0, -1):  # what stands before them is out of sight
            rows = np.flatnonzero(lengths >= distance)
            part = states[rows]
            ngram_query.advance(self._arrays, part, self._checked(ids[rows, lengths[rows] - distance]))
            states[rows] = part
        return self._next_logprobs(states), states

    def reorder(self, state: States, rows: IdArray) -> States:
        """Return the state whose row b is the old row ``rows[b]``."""
        return state[rows]

    def _next_logprobs(self, states: States) -> FloatArray:
        logprobs = np.empty((states.shape[0], self.trie.size), np.float32)
        ngram_query.next_logprobs(self._arrays, states, logprobs)
        return logprobs

    def _score(self, tokens: npt.NDArray[Any], begins: States, ends: States) -> FloatArray:
        """Return log p of each token, 0 of those that begin a sequence or stand in none."""
        tokens = self._checked(np.asarray(tokens, np.int32))
        logprobs = np.zeros(tokens.size, np.float32)
        sizes = np.cumsum(ends - begins)
        total = int(sizes[-1]) if sizes.size else 0
        parts = max(1, min(thread_count(self._threads), total // _PER_THREAD))
        cuts = [0, *np.searchsorted(sizes, total * np.arange(1, parts) // parts).tolist(), begins.size]
        tasks = [
            partial(
                ngram_query.score_tokens,
                *(self._arrays, tokens, begins[start:stop], ends[start:stop], self.order, logprobs),
            )
            for start, stop in itertools.pairwise(cuts)
        ]
        in_parallel(tasks, threads=parts)
        return logprobs

    def _checked(self, ids: IdArray) -> IdArray:
        if ids.size and (int(ids.min()) < 0 or int(ids.max()) >= self.trie.size):
            raise UsageError(
                f"ids from {ids.min()} to {ids.max()} for a model of {self.trie.size} ids: wrong tokenizer"
            )
        return np.ascontiguousarray(ids, np.int32)


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a view that can't be written to: kernels are compiled once, for memory maps and for memory."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


class NgramFamily:
    """The n-gram family."""

    name: ClassVar[str] = "ngram"
    trainers: ClassVar[tuple[str, ...]] = ("count",)
    config: ClassVar[type[Any]] = NgramConfig

    def build(self, config: NgramConfig, vocabulary: Vocabulary, *, seed: int) -> NgramLanguageModel:
        """Return a model that has seen nothing: every id that can follow is equally probable."""
        del config, seed  # what is not counted has no order, and nothing here is random
        logprobs = np.full(vocabulary.size, -np.log(vocabulary.size - (vocabulary.bos != vocabulary.eos)), np.float32)
        if vocabulary.bos != vocabulary.eos:
            logprobs[vocabulary.bos] = -np.inf
        every = np.arange(vocabulary.size, dtype=np.int32)[:, None]
        level = Level(every, logprobs, np.zeros(vocabulary.size, np.float32))
        return NgramLanguageModel(assemble([level], vocabulary_size=vocabulary.size), vocabulary)

    def state(self, model: NgramLanguageModel) -> tuple[dict[str, Any], TensorMap]:
        """Return what ``config.json`` and ``model.safetensors`` hold."""
        facts = {"order": model.order, "ngrams": model.trie.counts(), "vocabulary": asdict(model.vocabulary)}
        return facts, model.trie.state()

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NgramLanguageModel:
        """Return the model from what `state` gave; arrays may be read-only memory maps and are not read through."""
        try:
            vocabulary = Vocabulary(**config["vocabulary"])
        except (KeyError, TypeError) as error:
            raise DamagedError(
                f"config.json: no usable key 'vocabulary' ({error}); fit or copy the model again"
            ) from error
        return NgramLanguageModel(NgramTrie.restore(tensors, vocabulary_size=vocabulary.size), vocabulary)

    def tiny(self, *, seed: int) -> NgramLanguageModel:
        """Return a trigram model over 11 ids with random content."""
        vocabulary = Vocabulary(size=11, bos=0, eos=0)
        return NgramLanguageModel(random_trie(generator(seed, "ngram", "tiny"), size=11, order=3), vocabulary)


FAMILY = NgramFamily()
