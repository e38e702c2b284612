"""The interfaces that metrics implement: what is built up from batches, or from answers."""

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["AnswerMetric", "Metric"]


class Metric(Protocol):
    """A measured quantity built up from batches: the ``METRIC`` object's instances in ``judge/metrics/``."""

    name: ClassVar[str]
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool]

    def update(self, nats: Iterable[float], tokens: Iterable[int], size_bytes: Iterable[int]) -> None:
        """Add documents: each one's negative log-likelihood in nats, predicted tokens and UTF-8 bytes."""
        ...

    def merge(self, other: "Metric") -> None:
        """Add what another instance of the same metric has seen."""
        ...

    def value(self) -> float:
        """Return the metric over all that was added."""
        ...


class AnswerMetric(Protocol):
    """How far predicted answers agree with the gold ones: instances of ``METRIC`` in ``judge/metrics/answers/``.

    What an answer is says ``reads``: ``labels`` (a label; a set of labels; a sequence of either, one a position),
    ``spans`` (`ziggurat.core.schemes.LabelSpan`, of one sequence), ``roles`` (spans by the place of their predicate) or
    ``texts`` (a text, or whatever ``str`` makes one of: an answer may know more than its text that it is judged by).
    """

    name: ClassVar[str]
    reads: ClassVar[str]
    higher_is_better: ClassVar[bool]
    lowest: ClassVar[float]
    highest: ClassVar[float]

    @property
    def signature(self) -> str:
        """How it is computed, in the form in which the field says so; empty where it has none."""
        ...

    def update(self, gold: Iterable[Any], predicted: Iterable[Any]) -> None:
        """Add examples: the gold answer of each, and the predicted one."""
        ...

    def merge(self, other: Any) -> None:
        """Add what another instance of the same metric has seen."""
        ...

    def value(self) -> float:
        """Return the metric over all that was added."""
        ...

    def each(self) -> npt.NDArray[np.float64]:
        """Return (examples,) what the metric says of each example alone."""
        ...
