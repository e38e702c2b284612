"""What metrics of answers share: each example is counted by itself, and the metric is made of the sums."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.judge.significance import Interval, statistic_interval

__all__ = ["SummedMetric", "Vector"]

Vector = npt.NDArray[np.float64]


class SummedMetric(ABC):
    """A function of sums of counts: order and grouping of examples never matter, and resamples cost one product."""

    name: ClassVar[str]
    reads: ClassVar[str]
    higher_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._examples: list[Any] = []

    @abstractmethod
    def seen(self, gold: Any, predicted: Any) -> Any:
        """Return what is kept of an example."""

    @abstractmethod
    def rows(self, examples: Sequence[Any]) -> Vector:
        """Return (K, examples): K counts of each of what `seen` kept."""

    @abstractmethod
    def statistic(self, sums: Vector) -> Vector:
        """Return (R,) values of the metric from (K, R) sums of counts."""

    @property
    def signature(self) -> str:
        """How it is computed, in the form in which the field says so; empty where it has none."""
        return ""

    def update(self, gold: Iterable[Any], predicted: Iterable[Any]) -> None:
        """Add examples: the gold answer of each, and the predicted one.

        Raises:
            UsageError: there are more of one than of the other.
        """
        golds, said = list(gold), list(predicted)
        if len(golds) != len(said):
            raise UsageError(f"{len(said)} predictions for {len(golds)} examples: they can't be compared")
        self._examples += [self.seen(one, other) for one, other in zip(golds, said, strict=True)]

    def merge(self, other: Self) -> None:
        """Add what another instance of the same metric has seen."""
        self._examples += other._examples

    def value(self) -> float:
        """Return the metric over all that was added.

        Raises:
            TooLittleTextError: nothing was.
        """
        return float(self.statistic(self._counted().sum(axis=1, keepdims=True))[0])

    def each(self) -> Vector:
        """Return (examples,) what the metric says of each alone.

        Raises:
            TooLittleTextError: nothing was added.
        """
        return self.statistic(self._counted())

    def interval(self, *, seed: int, resamples: int = 10_000) -> Interval:
        """Return the metric with its 95 % bootstrap interval over examples.

        Raises:
            TooLittleTextError: nothing was added.
        """
        return statistic_interval(self._counted(), self.statistic, seed=seed, resamples=resamples)

    def _counted(self) -> Vector:
        if not self._examples:
            raise TooLittleTextError("no examples to evaluate on: give some with gold labels")
        return self.rows(self._examples)
