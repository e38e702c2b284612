"""Bits per byte: a model's surprise at a text, in the unit of compressors."""

import math
from typing import ClassVar

from ziggurat.judge.metrics.ratio import RatioMetric

__all__ = ["METRIC", "BitsPerByte"]


class BitsPerByte(RatioMetric):
    """Σ nats / (ln 2 · Σ bytes).

    *Idea.* An arithmetic coder driven by the model would write that many bits for each byte of UTF-8 text, whatever
    the tokens; so models with different tokenizers compare, and so do compressors.
    """

    name: ClassVar[str] = "bits_per_byte"
    unit: ClassVar[str] = "bits per byte"
    denominator: ClassVar[str] = "bytes"

    def value(self) -> float:
        """Return bits per byte; 0 is perfect foresight, 8 knows nothing of bytes."""
        return self._nats / math.log(2) / self._count


METRIC = BitsPerByte
