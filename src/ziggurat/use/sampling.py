"""From next-token log-probabilities to a drawn token: temperature, filters, repetition penalty.

Each filter is a pure function from (B, V) scores to (B, V) scores, where −inf means "never". They are applied in the
order of this file: repetition penalty, temperature, top-k, top-p, min-p; then one id a row is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.numerics import log_softmax
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["SamplingConfig", "draw", "filtered", "min_p", "penalise_repetition", "temperature", "top_k", "top_p"]

Scores = npt.NDArray[np.floating]

ROUNDING = 1e-9
"""What stands at a border but for so much stands at the border."""


@dataclass(frozen=True)
class SamplingConfig:
    """How the next token is chosen."""

    temperature: float = option(1.0, "softmax(·/T): below 1 safer, above 1 bolder, 0 always the likeliest", low=0.0)
    top_k: int = option(0, "choose among the k likeliest only; 0 among all", low=0)
    top_p: float = option(1.0, "choose among the likeliest that together have this probability", low=0.0, high=1.0)
    min_p: float = option(0.0, "leave out what is less likely than this part of the likeliest", low=0.0, high=1.0)
    repetition_penalty: float = option(1.0, "above 1 makes what was already said less likely", low=0.01)


def filtered(logprobs: FloatArray, config: SamplingConfig, said: Sequence[IdArray]) -> Scores:
    """Return (B, V) normalised log-probabilities after everything in ``config``; ``said[b]`` are row b's ids so far."""
    scores: Scores = logprobs.astype(np.float64)
    if config.repetition_penalty != 1.0:
        scores = penalise_repetition(scores, said, config.repetition_penalty)
    scores = temperature(scores, config.temperature)
    if config.top_k:
        scores = top_k(scores, config.top_k)
    if config.top_p < 1.0:
        scores = top_p(scores, config.top_p)
    if config.min_p > 0.0:
        scores = min_p(scores, config.min_p)
    return log_softmax(scores)


def penalise_repetition(scores: Scores, said: Sequence[IdArray], penalty: float) -> Scores:
    """Divide positive scores of ids already said by ``penalty`` and multiply negative ones.

    *Maths.* Keskar et al. 2019 (CTRL), section 4.1. Log-probabilities are never positive, so here it multiplies.
    """
    result = scores.copy()
    for row, ids in enumerate(said):
        seen = np.unique(ids)
        values = result[row, seen]
        result[row, seen] = np.where(values > 0, values / penalty, values * penalty)
    return result


def temperature(scores: Scores, value: float) -> Scores:
    """Return scores / T but for a constant; at T = 0 only the likeliest id of each row remains (the first of equals).

    *Maths.* softmax(z / T), the article's formula for the output layer: T belongs to decoding, not to training. The
    constant, max z / T, leaves the softmax as it is and keeps a T next to 0 from dividing all of it out of range.
    """
    if value > 0:
        peak = scores.max(axis=-1, keepdims=True)
        # next to T = 0 the gap to the likeliest may be more than a float holds; −∞ / ∞ is never used
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(np.isneginf(scores), scores, (scores - peak) / value)
    result = np.full_like(scores, -np.inf)
    rows = np.arange(len(scores))
    best = scores.argmax(axis=-1)
    result[rows, best] = 0.0
    return result


def top_k(scores: Scores, count: int) -> Scores:
    """Keep the ``count`` highest scores of each row, and what equals the last of them."""
    if count >= scores.shape[-1]:
        return scores
    threshold = np.partition(scores, -count, axis=-1)[:, [-count]]
    return np.where(scores >= threshold, scores, -np.inf)


def top_p(scores: Scores, mass: float) -> Scores:
    """Keep the smallest set of likeliest ids whose probability is at least ``mass``; always one.

    *Maths.* The nucleus of Holtzman et al. 2020, eq. 2.
    """
    order = np.argsort(-scores, axis=-1, kind="stable")
    probabilities = np.exp(log_softmax(np.take_along_axis(scores, order, axis=-1)))
    before = np.cumsum(probabilities, axis=-1) - probabilities
    kept_sorted = before < mass - ROUNDING
    kept_sorted[:, 0] = True
    kept = np.zeros_like(kept_sorted)
    np.put_along_axis(kept, order, kept_sorted, axis=-1)
    return np.where(kept, scores, -np.inf)


def min_p(scores: Scores, part: float) -> Scores:
    """Keep ids at least ``part`` times as likely as the likeliest (Nguyen et al. 2024)."""
    threshold = scores.max(axis=-1, keepdims=True) + np.log(part)
    return np.where(scores >= threshold - ROUNDING, scores, -np.inf)


def draw(logprobs: Scores, generators: Sequence[np.random.Generator]) -> IdArray:
    """Draw one id a row (B,), each row by its own generator, so that a row does not depend on its neighbours.

    *Maths.* Inverse transform: the first id whose cumulative probability exceeds a uniform number.
    """
    cumulative = np.cumsum(np.exp(logprobs), axis=-1)
    chosen = np.empty(len(logprobs), dtype=np.int32)
    for row, generator in enumerate(generators):
        point = generator.random() * cumulative[row, -1]
        chosen[row] = np.searchsorted(cumulative[row], point, side="right")
    return chosen
