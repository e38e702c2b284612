"""What metrics share that count, class by class, what was right, what was to be found and what was said."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ziggurat.judge.metrics.answers.places import Place
from ziggurat.judge.metrics.answers.sums import SummedMetric, Vector

__all__ = ["Counts", "TallyMetric", "f1_of", "tally"]

Counts: TypeAlias = tuple[int, int, int]
"""Right, gold and said: how often a class was said where it stands, stands, and was said."""


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


class TallyMetric(SummedMetric):
    """F1 of counts: of all classes together, or the mean of the classes.

    A class counts in a mean where it stands or was said. Where there is nothing to find and nothing was said, it is 0.
    """

    by_class: ClassVar[bool] = False
    """Whether it is the mean over classes."""

    @staticmethod
    @abstractmethod
    def places(gold: Any, predicted: Any) -> list[Place]:
        """Return what is counted of an example."""

    def seen(self, gold: Any, predicted: Any) -> Mapping[str, Counts]:
        """Return the counts of an example, class by class."""
        return tally(self.places(gold, predicted))

    def rows(self, examples: Sequence[Mapping[str, Counts]]) -> Vector:
        """Return (3·C, examples) counts; C is 1 where all classes count together."""
        labels = sorted({label for counts in examples for label in counts}) if self.by_class else [""]
        index = {label: number for number, label in enumerate(labels)}
        rows = np.zeros((3, max(1, len(labels)), len(examples)))
        for example, counts in enumerate(examples):
            for label, three in counts.items():
                rows[:, index[label] if self.by_class else 0, example] += three
        return rows.reshape(-1, len(examples))

    def statistic(self, sums: Vector) -> Vector:
        """Return (R,) F1 from (3·C, R) counts."""
        right, gold, said = sums.reshape(3, -1, sums.shape[1])
        present = np.maximum((gold + said > 0).sum(axis=0), 1)
        return np.asarray(f1_of(right, gold, said).sum(axis=0) / present, dtype=np.float64)
