"""Exact match: the part of texts that were written as they stand."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ziggurat.judge.metrics.answers.sums import SummedMetric, Vector

__all__ = ["METRIC", "ExactMatch"]


class ExactMatch(SummedMetric):
    """Right texts / texts; how wide white space is never matters."""

    name: ClassVar[str] = "exact_match"
    reads: ClassVar[str] = "texts"

    def seen(self, gold: Any, predicted: Any) -> bool:
        """Return whether a text is right."""
        return str(gold).split() == str(predicted).split()

    def rows(self, examples: Sequence[bool]) -> Vector:
        """Return (2, examples): 1 where a text is right, and 1."""
        return np.array([examples, [True] * len(examples)], dtype=np.float64)

    def statistic(self, sums: Vector) -> Vector:
        """Return (R,) parts from (2, R) sums."""
        return np.asarray(sums[0] / sums[1], dtype=np.float64)


METRIC = ExactMatch
