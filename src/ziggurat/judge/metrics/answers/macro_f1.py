"""Macro F1: every class counts alike, however rare."""

from typing import ClassVar

from ziggurat.judge.metrics.answers.places import Labels, Place, of_labels
from ziggurat.judge.metrics.answers.tally import TallyMetric

__all__ = ["METRIC", "MacroF1"]


class MacroF1(TallyMetric):
    """Mean over classes of their F1; a class that neither stands nor was said does not count."""

    name: ClassVar[str] = "macro_f1"
    reads: ClassVar[str] = "labels"
    by_class: ClassVar[bool] = True

    @staticmethod
    def places(gold: Labels, predicted: Labels) -> list[Place]:
        """Return what is counted of an example."""
        return of_labels(gold, predicted)


METRIC = MacroF1
