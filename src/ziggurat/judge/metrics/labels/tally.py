"""What metrics share that count, class by class, what was right, what was to be found and what was said."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.judge.metrics.labels.places import Place
from ziggurat.judge.significance import Interval, statistic_interval

__all__ = ["Counts", "TallyMetric", "f1_of", "tally"]

Counts: TypeAlias = tuple[int, int, int]
"""Right, gold and said: how often a class was said where it stands, stands, and was said."""

Vector = npt.NDArray[np.float64]


def tally(places: Iterable[Place]) -> dict[str, Counts]:
    """Return the counts of each class over the places of an example.

    >>> tally([(frozenset("a"), frozenset("a")), (frozenset("a"), frozenset("b"))])
    {'a': (1, 2, 1), 'b': (0, 0, 1)}
    """
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for gold, said in places:
        for number, labels in enumerate((gold & said, gold, said)):
            for label in labels:
                found[label][number] += 1
    return {label: (right, gold, said) for label, (right, gold, said) in sorted(found.items())}


def f1_of(right: Vector, gold: Vector, said: Vector) -> Vector:
    """Return 2·right / (gold + said), which is the harmonic mean of precision and recall; 0 where nothing is counted.

    *Maths.* With P = right / said and R = right / gold, 2PR / (P + R) (van Rijsbergen 1979, chapter 7, with β = 1).
    """
    return np.asarray(2 * right / np.maximum(gold + said, 1), dtype=np.float64)


class TallyMetric(ABC):
    """F1 of counts: of all classes together, or the mean of the classes; order and grouping of examples never matter.

    A class counts in a mean where it stands or was said. Where there is nothing to find and nothing was said, it is 0.
    """

    name: ClassVar[str]
    reads: ClassVar[Literal["labels", "spans", "roles"]]
    higher_is_better: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0
    by_class: ClassVar[bool] = False
    """Whether it is the mean over classes."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._examples: list[Mapping[str, Counts]] = []

    @staticmethod
    @abstractmethod
    def places(gold: Any, predicted: Any) -> list[Place]:
        """Return what is counted of an example."""

    def update(self, gold: Iterable[Any], predicted: Iterable[Any]) -> None:
        """Add examples: the gold answer of each, and the predicted one.

        Raises:
            UsageError: there are more of one than of the other.
        """
        golds, said = list(gold), list(predicted)
        if len(golds) != len(said):
            raise UsageError(f"{len(said)} predictions for {len(golds)} examples: they can't be compared")
        self._examples += [tally(self.places(one, other)) for one, other in zip(golds, said, strict=True)]

    def merge(self, other: Self) -> None:
        """Add what another instance of the same metric has seen."""
        self._examples += other._examples

    def value(self) -> float:
        """Return the metric over all that was added.

        Raises:
            TooLittleTextError: nothing was.
        """
        return float(self._statistic(self._rows().sum(axis=1, keepdims=True))[0])

    def interval(self, *, seed: int, resamples: int = 10_000) -> Interval:
        """Return the metric with its 95 % bootstrap interval over examples.

        Raises:
            TooLittleTextError: nothing was added.
        """
        return statistic_interval(self._rows(), self._statistic, seed=seed, resamples=resamples)

    def _rows(self) -> Vector:
        """Return (3·C, examples) counts; C is 1 where all classes count together."""
        if not self._examples:
            raise TooLittleTextError("no examples to evaluate on: give some with gold labels")
        labels = sorted({label for counts in self._examples for label in counts}) if self.by_class else [""]
        index = {label: number for number, label in enumerate(labels)}
        rows = np.zeros((3, max(1, len(labels)), len(self._examples)))
        for example, counts in enumerate(self._examples):
            for label, three in counts.items():
                rows[:, index[label] if self.by_class else 0, example] += three
        return rows.reshape(-1, len(self._examples))

    def _statistic(self, sums: Vector) -> Vector:
        right, gold, said = sums.reshape(3, -1, sums.shape[1])
        present = np.maximum((gold + said > 0).sum(axis=0), 1)
        return np.asarray(f1_of(right, gold, said).sum(axis=0) / present, dtype=np.float64)
