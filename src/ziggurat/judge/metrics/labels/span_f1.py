"""F1 of spans, strict: both boundaries and the type are right, or it is wrong."""

from typing import ClassVar, Literal

from ziggurat.judge.metrics.labels.places import Place, Spans, of_spans
from ziggurat.judge.metrics.labels.tally import TallyMetric

__all__ = ["METRIC", "SpanF1"]


class SpanF1(TallyMetric):
    """2 · right / (gold + said) over all spans of all types (Tjong Kim Sang & De Meulder 2003)."""

    name: ClassVar[str] = "span_f1"
    reads: ClassVar[Literal["labels", "spans", "roles"]] = "spans"

    @staticmethod
    def places(gold: Spans, predicted: Spans) -> list[Place]:
        """Return what is counted of an example."""
        return of_spans(gold, predicted)


METRIC = SpanF1
