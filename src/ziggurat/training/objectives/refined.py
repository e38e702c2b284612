"""The loss that is left where a model may be as sure as suits it best: what its weights are chosen by.

*Idea.* A network that learns labels goes on to tell more of them rightly long after it has begun to be too sure, and
its held-out loss rises while its answers get better. How sure it is a temperature puts right afterwards; so weights are
chosen by the loss at the best of some temperatures (Berta, Holzmüller, Jordan & Bach 2025, "Rethinking Early Stopping:
Refine, Then Calibrate").

*Maths.* min over β of 1/N Σ −log p_β(y | x), p_β ∝ p^β, β being 1 / T (Guo et al. 2017, eq. 9).
"""

from collections.abc import Sequence

import numpy as np

__all__ = ["SHARPNESS", "RefinedLoss"]

SHARPNESS = (1.25, 1.0, 0.8, 0.64, 0.51, 0.41, 0.33)
"""β that are tried. The first step below 1 is as large as those after it; few held-out texts can't drive it far."""


class RefinedLoss:
    """Nats that are summed at each of `SHARPNESS`."""

    def __init__(self) -> None:
        """Begin with none."""
        self._nats = np.zeros(len(SHARPNESS))
        self._count = 0

    def add(self, nats: Sequence[float], count: int) -> None:
        """Add the nats of ``count`` more, one sum for each of `SHARPNESS`."""
        self._nats += nats
        self._count += count

    @property
    def mean(self) -> float | None:
        """The mean where it is least; None of nothing."""
        return float(self._nats.min()) / self._count if self._count else None
