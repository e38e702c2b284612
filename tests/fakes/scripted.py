"""Language models that say what a test tells them to, and remember what they were asked."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ziggurat.core.types import FloatArray, IdArray, Vocabulary

Prefix = tuple[int, ...]


class Scripted:
    """Gives after each prefix the probabilities that ``weights`` names, as far as its context reaches."""

    def __init__(
        self, vocabulary: Vocabulary, weights: Callable[[Prefix], Sequence[float]], *, context: int | None = None
    ) -> None:
        """``weights(prefix)`` need not sum to one."""
        self.vocabulary, self.context = vocabulary, context
        self._weights = weights
        self.read: list[list[Prefix]] = []
        """The prefixes of each call of `begin`."""
        self.steps: list[int] = []
        """Rows of each call of `step`."""

    def _next(self, prefixes: Sequence[Prefix]) -> FloatArray:
        if self.context is not None:
            assert max(map(len, prefixes)) <= self.context, "read more than the context holds"
        rows = np.array([self._weights(prefix) for prefix in prefixes], dtype=np.float64)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(rows / rows.sum(axis=1, keepdims=True)), dtype=np.float32)

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        found = np.zeros((len(ids), ids.shape[1] - 1), dtype=np.float32)
        for row, length in enumerate(lengths.tolist()):
            words = ids[row].tolist()
            for t in range(1, length):
                found[row, t - 1] = self._next([tuple(words[:t])])[0, words[t]]
        return found

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        return np.asarray(self.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64))

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, list[Prefix]]:
        state = [tuple(row[:length].tolist()) for row, length in zip(ids, lengths.tolist(), strict=True)]
        self.read.append(state)
        return self._next(state), state

    def step(self, state: list[Prefix], ids: IdArray) -> tuple[FloatArray, list[Prefix]]:
        self.steps.append(len(ids))
        grown = [(*prefix, index) for prefix, index in zip(state, ids.tolist(), strict=True)]
        return self._next(grown), grown

    def reorder(self, state: list[Prefix], rows: IdArray) -> list[Prefix]:
        return [state[row] for row in rows.tolist()]


class Extending(Scripted):
    """One that also goes on from a state with many ids at once, and remembers these too."""

    def __init__(
        self, vocabulary: Vocabulary, weights: Callable[[Prefix], Sequence[float]], *, context: int | None = None
    ) -> None:
        super().__init__(vocabulary, weights, context=context)
        self.extended: list[list[Prefix]] = []
        """What each row of each call of `extend` was given."""

    def extend(self, state: list[Prefix], ids: IdArray, lengths: IdArray) -> tuple[FloatArray, list[Prefix]]:
        more = [tuple(row[:length].tolist()) for row, length in zip(ids, lengths.tolist(), strict=True)]
        self.extended.append(more)
        grown = [(*prefix, *new) for prefix, new in zip(state, more, strict=True)]
        return self._next(grown), grown


def reciting(vocabulary: Vocabulary, ids: Sequence[int], *, context: int | None = None, start: int = 1) -> Scripted:
    """A model that is certain of ``ids``, one after another, whatever the prompt of ``start`` ids says; then of eos."""

    def weights(prefix: Prefix) -> list[float]:
        place = len(prefix) - start
        chosen = ids[place] if place < len(ids) else vocabulary.eos
        return [float(index == chosen) for index in range(vocabulary.size)]

    return Scripted(vocabulary, weights, context=context)
