"""What metrics share that divide the nats of all documents by something counted in them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

__all__ = ["RatioMetric"]


class RatioMetric(ABC):
    """A function of Σ nats and of Σ tokens or Σ bytes: order and grouping of documents never matter."""

    name: ClassVar[str]
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool] = False
    denominator: ClassVar[str]
    """What is counted below the line: ``tokens`` or ``bytes``."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._nats = 0.0
        self._count = 0

    def update(self, nats: Iterable[float], tokens: Iterable[int], size_bytes: Iterable[int]) -> None:
        """Add documents: each one's negative log-likelihood in nats, predicted tokens and UTF-8 bytes."""
        self._nats += sum(nats)
        self._count += sum(size_bytes if self.denominator == "bytes" else tokens)

    def merge(self, other: Self) -> None:
        """Add what another instance of the same metric has seen."""
        self._nats += other._nats
        self._count += other._count

    @abstractmethod
    def value(self) -> float:
        """Return the metric over all that was added."""

    @classmethod
    def of(cls, evaluation: Any) -> float:
        """Return the metric of an evaluation (anything with nats, tokens and document_bytes)."""
        metric = cls()
        metric.update(evaluation.nats, evaluation.tokens, evaluation.document_bytes)
        return metric.value()
