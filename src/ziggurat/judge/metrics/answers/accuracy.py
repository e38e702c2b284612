"""Accuracy: the part of answers that are right as a whole."""

from typing import ClassVar

from ziggurat.judge.metrics.answers.places import Labels, Place, of_labels
from ziggurat.judge.metrics.answers.tally import TallyMetric

__all__ = ["METRIC", "Accuracy"]

RIGHT, WRONG = frozenset(["right"]), frozenset(["wrong"])


class Accuracy(TallyMetric):
    """Right positions / positions: texts, or tokens where each has a label; of several labels all must be right."""

    name: ClassVar[str] = "accuracy"
    reads: ClassVar[str] = "labels"

    @staticmethod
    def places(gold: Labels, predicted: Labels) -> list[Place]:
        """Return one label for each position: so right, gold and said make F1 the accuracy, 2r / (n + n)."""
        return [(RIGHT, RIGHT if one == other else WRONG) for one, other in of_labels(gold, predicted)]


METRIC = Accuracy
