"""The interfaces of tasks, and of the metrics that judge their answers."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, Protocol

from ziggurat.core.protocols import Model, Tokenizer
from ziggurat.core.types import Example, Told

__all__ = ["LabelMetric", "Task"]


class LabelMetric(Protocol):
    """How far predicted labels agree with the gold ones: instances of ``METRIC`` in ``judge/metrics/labels/``.

    What an answer is says ``reads``: ``labels`` (a label; a set of labels; a sequence of either, one a position),
    ``spans`` (`ziggurat.core.schemes.LabelSpan`, of one sequence) or ``roles`` (spans by the place of their predicate).
    """

    name: ClassVar[str]
    reads: ClassVar[Literal["labels", "spans", "roles"]]
    higher_is_better: ClassVar[bool]
    lowest: ClassVar[float]
    highest: ClassVar[float]

    def update(self, gold: Iterable[Any], predicted: Iterable[Any]) -> None:
        """Add examples: the gold answer of each, and the predicted one."""
        ...

    def merge(self, other: Any) -> None:
        """Add what another instance of the same metric has seen."""
        ...

    def value(self) -> float:
        """Return the metric over all that was added."""
        ...


class Task(Protocol):
    """What people do with text, on their own labelled files: the ``TASK`` object of a module in ``use/tasks/``.

    *Idea.* It reads the field's formats, names the recipes whose models can serve it, says by such a model what an
    input's answer is, and names the metrics by which answers are judged.
    """

    name: ClassVar[str]
    """The module's name."""
    metrics: ClassVar[tuple[str, ...]]
    """Names of label metrics, the main one first."""
    recipes: ClassVar[tuple[str, ...]]
    """Names of recipes, the baseline first: quick, strong, and always reported."""

    def read(self, names: Sequence[str], *, labelled: bool) -> Iterable[Example]:
        """Yield the examples in files, bit by bit; where they are ``labelled`` each has its answer."""
        ...

    def decode(
        self, model: Model, tokenizer: Tokenizer, inputs: Sequence[Any], *, temperature: float = 1.0
    ) -> list[Told]:
        """Return the model's answer to each input.

        Raises:
            UsageError: the model is none of this task.
        """
        ...

    def tune(self, model: Model, tokenizer: Tokenizer, examples: Sequence[Example]) -> float:
        """Return the temperature at which a model is as sure of held-out examples as it is right."""
        ...

    def written(self, answer: Any) -> str:
        """Return an answer as it stands in a file."""
        ...
