"""Micro F1: every label counts alike, whatever its class."""

from typing import ClassVar

from ziggurat.judge.metrics.answers.places import Labels, Place, of_labels
from ziggurat.judge.metrics.answers.tally import TallyMetric

__all__ = ["METRIC", "MicroF1"]


class MicroF1(TallyMetric):
    """2 · right / (gold + said) over all labels; where each text has one label it is the accuracy."""

    name: ClassVar[str] = "micro_f1"
    reads: ClassVar[str] = "labels"

    @staticmethod
    def places(gold: Labels, predicted: Labels) -> list[Place]:
        """Return what is counted of an example."""
        return of_labels(gold, predicted)


METRIC = MicroF1
