"""chrF: how many of a text's character sequences stand in the right text (extra ``tasks``)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ziggurat.judge.metrics.answers.foreign import sacrebleu_metrics, signature_of
from ziggurat.judge.metrics.answers.sums import SummedMetric, Vector

__all__ = ["METRIC", "Chrf"]

LONGEST = 6
BETA = 2


class Chrf(SummedMetric):
    """chrF2 of one reference, from 0 to 100, as sacrebleu computes it (Popović 2015; Post 2018).

    *Maths.* (1 + β²) P R / (β² P + R) with β = 2, where P and R are the means over n from 1 to 6 of the right character
    n-grams among those said, and among those that stand (Popović 2015, eq. 1); white space does not count, nor an n
    that either side is too short for (``eff:yes``).

    Raises:
        MissingExtraError: sacrebleu is not installed.
    """

    name: ClassVar[str] = "chrf"
    reads: ClassVar[str] = "texts"
    highest: ClassVar[float] = 100.0

    def __init__(self) -> None:
        """Begin with nothing seen."""
        super().__init__()
        self._library = sacrebleu_metrics("chrF")

    @property
    def signature(self) -> str:
        """How sacrebleu names what was computed."""
        return signature_of(self._library.CHRF())

    def seen(self, gold: Any, predicted: Any) -> list[int]:
        """Return 18 counts: n-grams said, those that stand, those right, for each n from 1 to 6."""
        found = []
        golds, said = ("".join(str(text).split()) for text in (gold, predicted))
        for length in range(1, LONGEST + 1):
            stands, written = _ngrams(golds, length), _ngrams(said, length)
            # what was said counts only where something of that length stands
            found += [written.total() if stands else 0, stands.total(), (written & stands).total()]
        return found

    def rows(self, examples: Sequence[list[int]]) -> Vector:
        """Return (18, examples) counts."""
        return np.array(examples, dtype=np.float64).T

    def statistic(self, sums: Vector) -> Vector:
        """Return (R,) scores from (18, R) sums."""
        said, stands, right = sums.reshape(LONGEST, 3, -1).transpose(1, 0, 2)
        both = (said > 0) & (stands > 0)
        orders = np.maximum(both.sum(axis=0), 1)
        precision, recall = (
            np.where(both, right / np.maximum(side, 1), 0).sum(axis=0) / orders for side in (said, stands)
        )
        weighted = BETA**2 * precision + recall
        score = 100 * (1 + BETA**2) * precision * recall / np.where(weighted > 0, weighted, 1)
        return np.asarray(np.minimum(score, 100), dtype=np.float64)


def _ngrams(text: str, length: int) -> Counter[str]:
    return Counter(text[start : start + length] for start in range(len(text) - length + 1))


METRIC = Chrf
