"""What a model's answers to a task are worth, on examples whose answers are known."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.protocols import Classifier, ConditionalModel, Tagger
from ziggurat.core.schemes import lenient_spans_of
from ziggurat.core.tasks import AsksDatabase, LabelsWords, MarksWords, NamesColumns, Task
from ziggurat.core.types import Example, Told
from ziggurat.judge.answers import ANSWER_METRICS, Answer, AnswersReport, answers_report
from ziggurat.judge.oddities import Oddities, oddities
from ziggurat.judge.reliability import Reliability, reliability
from ziggurat.judge.significance import Interval

__all__ = ["FOUND", "TEMPERATURE", "TaskReport", "informed", "judge_task", "known_labels", "refuse_parser", "told"]

CHUNK = 512
"""Examples that are answered before more are read."""
FOUND = "_found"
"""How the name of a metric ends where nothing was marked."""
TEMPERATURE = "metrics.dev.temperature"
"""Where a bundle's manifest says at which temperature its model is as sure as it is right."""


@dataclass(frozen=True)
class TaskReport:
    """What `judge_task` found."""

    answers: AnswersReport
    reliability: Reliability | None
    """None where the model does not say how sure it is."""
    oddities: Oddities | None = None
    """Of texts that follow from texts."""
    found: tuple[tuple[str, Interval], ...] = ()
    """The metrics once more, where words are marked for the model and it had to find them by itself."""

    @property
    def metrics(self) -> tuple[tuple[str, Interval], ...]:
        """All metrics, those of `found` under names of their own."""
        return (*self.answers.metrics, *((name + FOUND, interval) for name, interval in self.found))

    def figures(self) -> dict[str, Any]:
        """Return all of it as JSON takes it."""
        found = self.answers.figures()
        for error, answer in zip(found["errors"], self.answers.errors, strict=True):
            asked = answer.asked
            error["input"] = list(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else asked
        found["metrics"] |= {name + FOUND: asdict(interval) for name, interval in self.found}
        if self.reliability is not None:
            found["calibration"] = self.reliability.figures()
        if self.oddities is not None:
            found["oddities"] = self.oddities.figures()
        return found

    def entries(self) -> dict[str, Any]:
        """Return what a manifest records: the metrics, the interval of the first, the calibration error."""
        named = {"accuracy": "label_accuracy"}  # a card calls by this name what is measured of analogies
        metrics = self.metrics
        found: dict[str, Any] = {named.get(name, name): interval.value for name, interval in metrics}
        (main, interval), examples = metrics[0], {"examples": self.answers.examples}
        # a model that writes texts has figures of its probabilities too, and an interval of those is called so
        of = f"{main}_" if ANSWER_METRICS.get(main).reads in ("texts", "queries") else ""
        found |= {f"{of}low": interval.low, f"{of}high": interval.high, **examples}
        if self.reliability is not None:
            found["calibration_error"] = self.reliability.expected_calibration_error
        return found


def told(task: Task, bundle: Bundle, examples: Iterable[Example]) -> Iterator[tuple[Example, Told]]:
    """Yield each example with the model's answer to it, calibrated where the bundle was; memory holds some hundred.

    Raises:
        UsageError: the model is none of this task.
    """
    task = informed(task, bundle)
    try:
        temperature = float(bundle.manifest.entry(TEMPERATURE))
    except KeyError:
        temperature = 1.0
    following = iter(examples)
    while chunk := list(itertools.islice(following, CHUNK)):
        inputs = [example.input for example in chunk]
        yield from zip(chunk, task.decode(bundle.model, bundle.tokenizer, inputs, temperature=temperature), strict=True)


def judge_task(task: Task, bundle: Bundle, examples: Iterable[Example], *, seed: int = 0) -> TaskReport:
    """Ask a bundle's model all examples, whose answers are known, and judge what it says by the task's metrics.

    Where the task `MarksWords`, all are asked once more with nothing marked, and are in memory.

    Raises:
        UsageError: the model is none of this task.
        TooLittleTextError: there are no examples.
    """
    task = informed(task, bundle)
    if isinstance(task, MarksWords):
        examples = list(examples)
    answers: list[Answer] = []
    for example, said in told(task, bundle, examples):
        answers.append(Answer(example.id, example.answer, said.answer, said.confidence, example.input))
    if not answers:
        raise TooLittleTextError("no examples to measure on: give a file of examples whose answers are known")
    report = answers_report(answers, task.metrics, known=known_labels(task, bundle), seed=seed)
    sure = [answer.confidence for answer in answers if answer.confidence is not None]
    right = [hit for answer, hit in zip(answers, report.right, strict=True) if answer.confidence is not None]
    found = _found(task, bundle, examples, seed=seed) if isinstance(task, MarksWords) else ()
    told_how_sure = reliability(sure, right) if sure else None
    return TaskReport(report, told_how_sure, _oddities(task, answers), found)


def _found(task: Any, bundle: Bundle, examples: Iterable[Example], *, seed: int) -> tuple[tuple[str, Interval], ...]:
    """Return a task's metrics on examples in which nothing is marked."""
    unmarked = (replace(example, input=task.unmarked(example.input)) for example in examples)
    answers = [Answer(one.id, one.answer, said.answer) for one, said in told(task, bundle, unmarked)]
    return answers_report(answers, task.metrics, seed=seed).metrics


def informed(task: Task, bundle: Bundle) -> Task:
    """Return the task as the bundle's model does it.

    Raises:
        InputError: it asks a database, which can't be read.
        UsageError: the model was trained for another task.
    """
    if isinstance(task, AsksDatabase):
        return task.informed(bundle.manifest.corpus)
    refuse_parser(bundle)
    if isinstance(task, LabelsWords) and isinstance(bundle.model, Tagger):
        return task.knowing(bundle.model.labels)
    if isinstance(task, NamesColumns):
        return task.calling(bundle.manifest.recipe.get("text", {}))
    return task


def refuse_parser(bundle: Bundle) -> None:
    """Refuse a bundle whose model writes queries.

    Raises:
        UsageError: it does.
    """
    if isinstance(bundle.model, ConditionalModel) and "questions" in bundle.manifest.corpus:
        raise UsageError(f"{bundle.path}: this model writes queries: ask it with ziggurat task parsing predict")


def _oddities(task: Task, answers: Sequence[Answer]) -> Oddities | None:
    if ANSWER_METRICS.get(task.metrics[0]).reads != "texts":
        return None
    asked = [answer.asked for answer in answers]
    if not all(isinstance(one, str) for one in asked):
        return None
    return oddities(asked, [str(answer.gold) for answer in answers], [str(answer.predicted) for answer in answers])


def known_labels(task: Task, bundle: Bundle) -> set[str] | None:
    """Return the labels, or types of spans, that the model can say; None where it says anything."""
    if not isinstance(bundle.model, (Classifier, Tagger)):
        return None
    labels = bundle.model.labels
    if ANSWER_METRICS.get(task.metrics[0]).reads == "labels":
        return set(labels)
    return {kind for label in labels for _, _, kind in lenient_spans_of([label])}
