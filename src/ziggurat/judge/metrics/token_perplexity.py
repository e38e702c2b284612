"""Token perplexity: among how many equally likely tokens a model seems to choose."""

import math
from typing import ClassVar

from ziggurat.judge.metrics.ratio import RatioMetric

__all__ = ["METRIC", "TokenPerplexity"]


class TokenPerplexity(RatioMetric):
    """exp(Σ nats / Σ tokens) (Jelinek et al. 1977). Compares only between models with the same tokenizer."""

    name: ClassVar[str] = "token_perplexity"
    unit: ClassVar[str] = "tokens"
    denominator: ClassVar[str] = "tokens"

    def value(self) -> float:
        """Return the perplexity: 1 or more; infinite where a token had no probability."""
        mean = self._nats / self._count
        return math.exp(mean) if mean < 700 else math.inf


METRIC = TokenPerplexity
