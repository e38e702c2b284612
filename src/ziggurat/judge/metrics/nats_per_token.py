"""Nats per token: what training calls the loss, over whole documents."""

from typing import ClassVar

from ziggurat.judge.metrics.ratio import RatioMetric

__all__ = ["METRIC", "NatsPerToken"]


class NatsPerToken(RatioMetric):
    """Σ nats / Σ tokens. Compares only between models with the same tokenizer."""

    name: ClassVar[str] = "nats_per_token"
    unit: ClassVar[str] = "nats"
    denominator: ClassVar[str] = "tokens"

    def value(self) -> float:
        """Return mean nats per predicted token."""
        return self._nats / self._count


METRIC = NatsPerToken
