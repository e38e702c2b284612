"""Models in order, and which of them can be told apart."""

from collections.abc import Mapping
from dataclasses import dataclass

from ziggurat.core.errors import UsageError
from ziggurat.judge.evaluate import Evaluation
from ziggurat.judge.significance import Difference, compare, holm

__all__ = ["Pair", "Ranking", "rank"]

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models compared on the same documents; the difference is positive: ``worse`` needs more bits."""

    better: str
    worse: str
    difference: Difference
    corrected_p_value: float
    """After Holm's correction over all pairs of the ranking."""

    @property
    def distinguishable(self) -> bool:
        """Whether the two can be told apart at 5 %."""
        return self.corrected_p_value < LEVEL


@dataclass(frozen=True, slots=True)
class Ranking:
    """Names from best to worst, and every pair of them."""

    names: tuple[str, ...]
    pairs: tuple[Pair, ...]

    def pair(self, one: str, other: str) -> Pair:
        """Return the comparison of two models."""
        return next(pair for pair in self.pairs if {pair.better, pair.worse} == {one, other})


def rank(evaluations: Mapping[str, Evaluation], *, seed: int = 0) -> Ranking:
    """Order models by bits per byte and test every pair on the same documents.

    Raises:
        UsageError: they were scored on different documents, or one's tokenizer loses text; the message says which.
    """
    figures: dict[str, float] = {}
    first = next(iter(evaluations.values()))
    for name, evaluation in evaluations.items():
        if (evaluation.ids, evaluation.document_bytes) != (first.ids, first.document_bytes):
            raise UsageError(f"{name} was scored on other documents: score all models on one test set")
        value = evaluation.bits_per_byte
        if value is None:
            raise UsageError(f"{name}: its tokenizer loses text, so bits per byte say nothing; compare perplexities")
        figures[name] = value
    names = tuple(sorted(figures, key=lambda name: figures[name]))
    couples = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    differences = [
        compare(evaluations[a].nats, evaluations[b].nats, evaluations[a].document_bytes, seed=seed) for a, b in couples
    ]
    corrected = holm([difference.p_value for difference in differences])
    pairs = [Pair(a, b, d, p) for (a, b), d, p in zip(couples, differences, corrected, strict=True)]
    return Ranking(names, tuple(pairs))
