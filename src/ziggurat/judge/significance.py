"""How sure a figure is, and whether two models differ, from documents as the unit of chance."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.seeding import generator

__all__ = ["Difference", "Interval", "compare", "holm", "paired", "ratio_interval", "statistic_interval"]

Vector = npt.NDArray[np.float64]

RESAMPLES = 10_000
CHUNK = 500
LEVEL = 0.95
Z_TWO_SIDED = 1.959964
"""97.5 % point of the normal distribution: tests at 5 %, two-sided."""
Z_POWER = 0.841621
"""80 % point: the power of the smallest detectable difference."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference: of `compare`, model b minus model a in bits per byte, positive where a is better."""

    value: float
    low: float
    high: float
    """95 % bootstrap interval over documents."""
    p_value: float
    """Two-sided permutation test."""
    smallest_detectable: float
    """Difference that this test set shows with 80 % power at 5 %."""
    text_factor: float
    """How many times as many such documents it takes to show a true difference of this size; ≤ 1: these are enough."""


def ratio_interval(numerators: Vector, denominators: Vector, *, seed: int, resamples: int = RESAMPLES) -> Interval:
    """Return Σ numerators / Σ denominators with its percentile bootstrap interval over documents.

    *Maths.* Efron & Tibshirani 1993, section 13.3: documents are drawn with replacement, numerator and denominator of
    one document together.

    Raises:
        TooLittleTextError: there are no documents.
    """
    if len(numerators) == 0:
        raise TooLittleTextError("no documents: an interval needs some")
    draws = _bootstrap(np.stack([numerators, denominators]), generator(seed, "interval"), resamples)
    ratios = draws[0] / draws[1]
    low, high = np.quantile(ratios, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(numerators.sum() / denominators.sum()), float(low), float(high))


def statistic_interval(
    rows: Vector, statistic: Callable[[Vector], Vector], *, seed: int, resamples: int = RESAMPLES
) -> Interval:
    """Return a statistic of sums over examples with its percentile bootstrap interval (see `ratio_interval`).

    *Shapes and units.* ``rows`` is (K, examples): K counts of each. ``statistic`` turns (K, R) sums into (R,) values.

    Raises:
        TooLittleTextError: there are no examples.
    """
    if rows.shape[1] == 0:
        raise TooLittleTextError("no examples: an interval needs some")
    values = statistic(_bootstrap(rows, generator(seed, "interval"), resamples))
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(statistic(rows.sum(axis=1, keepdims=True))[0]), float(low), float(high))


def compare(
    nats_a: Sequence[float],
    nats_b: Sequence[float],
    document_bytes: Sequence[int],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> Difference:
    """Compare two models by their negative log-likelihoods of the same documents, in the same order.

    *Maths.* `paired` with d_i the difference in bits of document i and b_i its bytes.

    Raises:
        UsageError: the models were not scored on the same documents.
        TooLittleTextError: there are fewer than two documents.
    """
    if not len(nats_a) == len(nats_b) == len(document_bytes):
        raise UsageError("models compare only on the same documents: score both on one test set")
    bits = (np.array(nats_b, dtype=np.float64) - np.array(nats_a, dtype=np.float64)) / math.log(2)
    return paired(bits, np.array(document_bytes, dtype=np.float64), seed=seed, resamples=resamples)


def paired(differences: Vector, sizes: Vector, *, seed: int, resamples: int = RESAMPLES) -> Difference:
    """Return Σ differences / Σ sizes over documents that were judged twice, and how sure it is.

    *Maths.* Let d_i be the difference of document i, and B the sum of all sizes. The effect is Σ d_i / B. Its
    interval is the bootstrap's; its p-value is that of random sign flips of the d_i (Fisher's permutation test for
    pairs; Good 2005, section 3.5), counted as (1 + hits) / (1 + resamples) (Phipson & Smyth 2010, eq. 2). With s the
    standard error of the effect, the smallest detectable difference is (z_0.975 + z_0.8) s, and since s falls with the
    square root of the number of documents, showing the observed effect takes (smallest detectable / effect)² as many.

    Raises:
        TooLittleTextError: there are fewer than two documents.
    """
    if len(differences) < 2:
        raise TooLittleTextError(f"documents to compare on: {len(differences)}; a comparison needs at least 2")
    effect = float(differences.sum()) / float(sizes.sum())
    draws = _bootstrap(np.stack([differences, sizes]), generator(seed, "compare"), resamples)
    ratios = draws[0] / draws[1]
    low, high = np.quantile(ratios, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    detectable = (Z_TWO_SIDED + Z_POWER) * float(ratios.std(ddof=1))
    factor = (detectable / effect) ** 2 if effect else math.inf
    p_value = _sign_flip(differences, generator(seed, "flip"), resamples)
    return Difference(effect, float(low), float(high), p_value, detectable, factor)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for being several (Holm 1979): the chance of any false finding stays at the level.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected


def _bootstrap(rows: npt.NDArray[np.float64], draw: np.random.Generator, resamples: int) -> npt.NDArray[np.float64]:
    """Return (rows, resamples) sums over documents drawn with replacement."""
    documents = rows.shape[1]
    sums = np.empty((rows.shape[0], resamples))
    for start in range(0, resamples, CHUNK):
        stop = min(start + CHUNK, resamples)
        counts = draw.multinomial(documents, np.full(documents, 1 / documents), size=stop - start)
        sums[:, start:stop] = rows @ counts.T
    return sums


def _sign_flip(values: Vector, draw: np.random.Generator, resamples: int) -> float:
    observed = abs(float(values.sum()))
    tolerance = 1e-12 * float(np.abs(values).sum())
    hits = 0
    for start in range(0, resamples, CHUNK):
        signs = draw.integers(0, 2, size=(min(CHUNK, resamples - start), len(values))) * 2 - 1
        hits += int((np.abs(signs @ values) >= observed - tolerance).sum())
    return (1 + hits) / (1 + resamples)
