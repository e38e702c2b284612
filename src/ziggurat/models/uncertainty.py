"""How uncertain a model is of what comes next: what a mixture asks its parts besides their probabilities.

*Maths.* u = −Σ_w p(w | h)·log p(w | h) / log V: the entropy of the next id (Shannon 1948) as a share of the largest
there is. 0 is certainty, 1 means that every id is equally probable. It depends on the history h alone.
"""

import math
from typing import Protocol, runtime_checkable

import numpy as np

from ziggurat.core.protocols import LanguageModel
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["LOGPROB_COUNT", "Uncertain", "token_uncertainty", "uncertainty"]

LOGPROB_COUNT = 1 << 22
"""Log-probabilities that stand in memory at once: 16 MB."""


@runtime_checkable
class Uncertain(Protocol):
    """A language model that tells its uncertainty along with a text's log-probabilities, in one reading."""

    def token_uncertainty(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, FloatArray]:
        """Return two (B, T − 1) arrays: `LanguageModel.token_logprobs`, and u before each of those ids."""
        ...


def uncertainty(logprobs: FloatArray) -> FloatArray:
    """Return u of distributions (…, V), one number each; an id of probability 0 adds nothing.

    >>> float(uncertainty(np.log(np.float32([0.25, 0.25, 0.25, 0.25]))))
    1.0
    """
    possible = np.maximum(logprobs, np.float32(-100))  # exp(−100) = 0 in 32-bit, and 0 · −100 is a number
    entropy = -np.einsum("...v,...v->...", np.exp(possible), possible)
    return np.asarray(entropy / np.float32(math.log(max(2, logprobs.shape[-1]))), dtype=np.float32)


def token_uncertainty(model: LanguageModel, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, FloatArray]:
    """Return what `Uncertain.token_uncertainty` does, of any model: by its own way, else id by id."""
    if isinstance(model, Uncertain):
        return model.token_uncertainty(ids, lengths)
    found = np.zeros((2, ids.shape[0], max(ids.shape[1] - 1, 0)), dtype=np.float32)
    rows = max(1, LOGPROB_COUNT // model.vocabulary.size)
    for start in range(0, ids.shape[0], rows):
        some = slice(start, start + rows)
        _spell(model, ids[some, : int(lengths[some].max())], found[:, some])
    found *= np.arange(1, ids.shape[1]) < lengths[:, None]
    return found[0], found[1]


def _spell(model: LanguageModel, ids: IdArray, found: FloatArray) -> None:
    if ids.shape[1] < 2:
        return
    logprobs, state = model.begin(ids[:, :1], np.ones(ids.shape[0], dtype=np.int32))
    for t in range(1, ids.shape[1]):
        found[0, :, t - 1] = np.take_along_axis(logprobs, ids[:, t : t + 1], axis=1)[:, 0]
        found[1, :, t - 1] = uncertainty(logprobs)
        if t + 1 < ids.shape[1]:
            logprobs, state = model.step(state, ids[:, t])
