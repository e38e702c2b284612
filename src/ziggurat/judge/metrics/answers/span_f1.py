"""F1 of spans, strict: both boundaries and the type are right, or it is wrong."""

from typing import ClassVar

from ziggurat.judge.metrics.answers.places import Place, Spans, of_spans
from ziggurat.judge.metrics.answers.tally import TallyMetric

__all__ = ["METRIC", "SpanF1"]


class SpanF1(TallyMetric):
    """2 · right / (gold + said) over all spans of all types (Tjong Kim Sang & De Meulder 2003)."""

    name: ClassVar[str] = "span_f1"
    reads: ClassVar[str] = "spans"

    @staticmethod
    def places(gold: Spans, predicted: Spans) -> list[Place]:
        """Return what is counted of an example."""
        return of_spans(gold, predicted)


METRIC = SpanF1
