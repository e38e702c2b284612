"""Whether a model is right as often as it is sure: expected calibration error, bin by bin."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ziggurat.core.errors import TooLittleTextError, UsageError

__all__ = ["BINS", "Bin", "Reliability", "reliability"]

BINS = 15
"""As in Guo et al. 2017, table 1."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies above ``low``, up to ``high``."""

    low: float
    high: float
    count: int
    confidence: float
    """Their mean confidence; 0 where there are none."""
    accuracy: float
    """The part of them that is right; 0 where there are none."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """What a reliability diagram shows, and its one number."""

    bins: tuple[Bin, ...]

    @property
    def expected_calibration_error(self) -> float:
        """Σ_m |B_m| / n · |acc(B_m) − conf(B_m)| (Guo et al. 2017, eq. 3): 0 is as right as sure, 1 is the worst."""
        total = sum(one.count for one in self.bins)
        return sum(one.count * abs(one.accuracy - one.confidence) for one in self.bins) / total

    def figures(self) -> dict[str, Any]:
        """Return it for JSON; bins without answers are left out."""
        kept = [asdict(one) for one in self.bins if one.count]
        return {"expected_calibration_error": self.expected_calibration_error, "bins": kept}


def reliability(confidences: Sequence[float], right: Sequence[bool], *, bins: int = BINS) -> Reliability:
    """Sort answers by confidence into ``bins`` of equal width, ((m − 1) / M, m / M], and count in each what is right.

    *Departs.* A confidence of exactly 0, which the article's intervals leave out, belongs to the first bin.

    Raises:
        UsageError: there are not as many confidences as answers, one is outside of 0 to 1, or there is no bin.
        TooLittleTextError: there are no answers.
    """
    if len(confidences) != len(right):
        raise UsageError(f"{len(confidences)} confidences for {len(right)} answers: give one for each")
    if bins < 1:
        raise UsageError(f"bins: {bins}; it takes at least 1")
    if not len(right):
        raise TooLittleTextError("no answers: a calibration error needs some")
    sure, hits = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not ((sure >= 0) & (sure <= 1)).all():
        raise UsageError("a confidence is outside of 0 to 1: give probabilities")
    edges = np.arange(bins + 1) / bins
    number = np.maximum(np.searchsorted(edges, sure, side="left") - 1, 0)
    counts = np.bincount(number, minlength=bins)
    means = [np.bincount(number, weights=one, minlength=bins) / np.maximum(counts, 1) for one in (sure, hits)]
    return Reliability(
        tuple(
            Bin(float(edges[m]), float(edges[m + 1]), int(counts[m]), float(means[0][m]), float(means[1][m]))
            for m in range(bins)
        )
    )
