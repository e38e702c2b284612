"""The interface of tasks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from ziggurat.core.protocols import Model, ReadsMarks, ReadsPairs, Tokenizer
from ziggurat.core.types import Example, Told

__all__ = ["AsksDatabase", "LabelsWords", "MarksWords", "NamesColumns", "PrefersRecipe", "Task", "serves"]


class Task(Protocol):
    """What people do with text, on their own labelled files: the ``TASK`` object of a module in ``use/tasks/``.

    *Idea.* It reads the field's formats, names the recipes whose models can serve it, says by such a model what an
    input's answer is, and names the metrics by which answers are judged.
    """

    name: ClassVar[str]
    """The module's name."""
    metrics: ClassVar[tuple[str, ...]]
    """Names of metrics in ``judge/metrics/answers/``, which read the same kind of answers; the main one first."""
    learns: ClassVar[type[Any]]
    """Protocol of the families that can serve it: `ReadsLabels`, `ReadsTags`, `ReadsPairs`."""
    recipes: ClassVar[tuple[str, ...]]
    """Names of recipes, the first where none is asked for."""
    baseline: ClassVar[str]
    """The one that takes seconds, and is always reported beside others; empty where none does."""

    def read(self, names: Sequence[str], options: Any = None, *, labelled: bool) -> Iterable[Example]:
        """Yield the examples in files, bit by bit; where they are ``labelled`` each has its answer.

        The ``options``, a recipe's section ``text``, say how files are read.
        """
        ...

    def asked(self, value: Any, *, where: str) -> Any:
        """Return the input of an example that a value, as JSON has it, stands for; ``where`` names it in errors.

        Raises:
            InputError: it stands for none.
        """
        ...

    def examples(self, split: Any) -> Iterable[Example]:
        """Yield the examples in a split of what a run of one of the recipes has prepared, each with its answer."""
        ...

    def decode(
        self, model: Model, tokenizer: Tokenizer, inputs: Sequence[Any], *, temperature: float = 1.0
    ) -> list[Told]:
        """Return the model's answer to each input.

        Raises:
            UsageError: the model is none of this task.
        """
        ...

    def tune(self, model: Model, tokenizer: Tokenizer, examples: Sequence[Example]) -> float | None:
        """Return the temperature at which a model is as sure of held-out examples as it is right.

        None where it has no use for one.
        """
        ...

    def shown(self, asked: Any, answer: Any) -> str:
        """Return an answer to what was asked in a few words, on one line."""
        ...

    def written(self, example: Example, told: Told) -> str:
        """Return a model's answer as it stands in a file, line ends included."""
        ...


@runtime_checkable
class MarksWords(Protocol):
    """A task whose questions are about words that are marked, which it can find by itself where nobody marks them.

    Its models read marks (`ziggurat.core.protocols.ReadsMarks`), those of other tasks none. It is measured both ways.
    """

    marks_words: ClassVar[Literal[True]]
    """That it does."""

    def unmarked(self, asked: Any) -> Any:
        """Return what is asked with nothing marked."""
        ...


@runtime_checkable
class LabelsWords(Protocol):
    """A task whose files are read, and answers written, by the labels that a model says of words."""

    def knowing(self, labels: Sequence[str]) -> Task:
        """Return the task as a model with these labels does it."""
        ...


@runtime_checkable
class NamesColumns(Protocol):
    """A task whose files have columns with names, which may be those that a model learnt from."""

    def calling(self, text: Mapping[str, Any]) -> Task:
        """Return the task as a model does it whose recipe has this section ``text``."""
        ...


@runtime_checkable
class PrefersRecipe(Protocol):
    """A task whose files say which of its recipes suits them."""

    def preferred(self, names: Sequence[str]) -> tuple[str, str] | None:
        """Return a recipe that suits the examples in files better than the first one, and why; None: none does."""
        ...


@runtime_checkable
class AsksDatabase(Protocol):
    """A task whose answers are queries to a database."""

    def about(self, database: str) -> Task:
        """Return the task about a database that the user names, instead of the one that a model was trained on."""
        ...

    def informed(self, corpus: Mapping[str, Any]) -> Task:
        """Return the task as a model does it whose manifest says so of the text that it was trained on.

        Raises:
            InputError: the database can't be read.
        """
        ...

    def found(self, told: Told) -> dict[str, Any]:
        """Return what the database says to an answer, as JSON has it: ``rows``, or the ``fault`` of the query."""
        ...


def serves(task: Task, family: object, config: object, *, queries: bool) -> bool:
    """Return whether a family's models with this configuration can learn a task; ``queries``: its pairs end in some."""
    marks = isinstance(config, ReadsMarks) and config.reads_marks
    asks = isinstance(family, ReadsPairs) and queries
    return isinstance(family, task.learns) and (marks, asks) == (
        isinstance(task, MarksWords),
        isinstance(task, AsksDatabase),
    )
