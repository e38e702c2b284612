"""What a test set says of a task's answers: metrics with intervals, errors, and of labels each class and confusions."""

import functools
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.registry import Registry
from ziggurat.judge.metrics.answers.places import Place, of_labels, of_roles, of_spans
from ziggurat.judge.metrics.answers.sums import SummedMetric
from ziggurat.judge.metrics.answers.tally import tally
from ziggurat.judge.significance import Interval

__all__ = ["ANSWER_METRICS", "Answer", "AnswersReport", "ClassRow", "Confusion", "answers_report"]

ANSWER_METRICS: Registry[type[SummedMetric]] = Registry("ziggurat.judge.metrics.answers", "METRIC", kind="metric")
"""All metrics of answers, by the name of their module."""

PLACES: Mapping[str, Callable[[Any, Any], list[Place]]] = {"labels": of_labels, "spans": of_spans, "roles": of_roles}
"""Where the labels stand in answers that are made of some; texts are not."""
SHOWN_ERRORS = 10
TOLERANCE = 1e-9
"""Of the best value: what is no more below it is the best but for rounding."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One example of a test set: what is right, what was said, and how sure the model was."""

    id: str
    """For example ``path:line``."""
    gold: Any
    """A label, labels, spans, roles or a text, as its metrics read them (`ziggurat.core.metrics.AnswerMetric`)."""
    predicted: Any
    confidence: float | None = None
    """Probability that the model gave to its answer; None where it gives none."""
    asked: Any = None
    """What was asked, where that is to be shown: ids need not differ, as of units that stand on one line."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How one class fares."""

    label: str
    right: int
    support: int
    """How often it stands."""
    said: int
    """How often it was said."""
    known: bool
    """Whether the model could have said it: it was in what was learnt."""

    @property
    def precision(self) -> float:
        """Right / said; 0 where it was never said."""
        return self.right / self.said if self.said else 0.0

    @property
    def recall(self) -> float:
        """Right / support; 0 where it never stands."""
        return self.right / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """2 · right / (support + said)."""
        return 2 * self.right / (self.support + self.said)

    def figures(self) -> dict[str, Any]:
        """Return the row for JSON."""
        rates = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {"label": self.label, **rates, "support": self.support, "said": self.said, "known": self.known}


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often one label was said where another, or the same, stands."""

    gold: str
    """Empty where nothing stands: a span that was said and is none."""
    predicted: str
    """Empty where nothing was said: a span that was missed."""
    count: int


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """What `answers_report` found."""

    examples: int
    metrics: tuple[tuple[str, Interval], ...]
    """Each metric's name and its value with the 95 % bootstrap interval over examples."""
    signatures: Mapping[str, str]
    """How a metric is computed, in the form in which the field says so, of those that have one."""
    classes: tuple[ClassRow, ...]
    """The most frequent first; none where answers are texts."""
    confusions: tuple[Confusion, ...]
    """The most frequent first; right answers too."""
    errors: tuple[Answer, ...]
    """Wrong answers, the surest first; of those that are alike in this, what the main metric says least for."""
    right: tuple[bool, ...]
    """Of each answer, in their order, whether it is right."""
    unknown: tuple[str, ...]
    """Labels that stand in the evaluated data only: no model of what was learnt can say them."""

    def figures(self) -> dict[str, Any]:
        """Return all of it as JSON takes it, metrics by their name with ``low`` and ``high`` of their interval."""
        return {
            "examples": self.examples,
            "metrics": {name: asdict(interval) for name, interval in self.metrics},
            "signatures": dict(self.signatures),
            "classes": [row.figures() for row in self.classes],
            "confusions": [asdict(confusion) for confusion in self.confusions],
            "errors": [_error_figures(answer) for answer in self.errors],
            "unknown": list(self.unknown),
        }


def answers_report(
    answers: Sequence[Answer], metrics: Sequence[str], *, known: Collection[str] | None = None, seed: int = 0
) -> AnswersReport:
    """Judge answers by the ``metrics`` named, which must read the same kind of answer; the first is the main one.

    ``known`` are the labels of what was learnt; None where they are not told, and then none is called unknown.

    *Idea.* Where exactly one label stands and exactly one other was said, they were confused; else labels that were
    not said are missed, and those that do not stand are surplus. An answer with labels is wrong where one of them is;
    a text is wrong where the main metric has something against it.

    Raises:
        UnknownNameError: there is no such metric; the nearest is named.
        UsageError: no metric is named, or they read different kinds of answers.
        TooLittleTextError: there are no answers.
    """
    if not answers:
        raise TooLittleTextError("no examples to evaluate on: give some with gold labels")
    chosen = [ANSWER_METRICS.get(name) for name in metrics]
    kinds = sorted({metric.reads for metric in chosen})
    if len(kinds) != 1:
        raise UsageError(f"metrics that read {' and '.join(kinds) or 'nothing'}: name some that read the same answers")
    golds, said = [answer.gold for answer in answers], [answer.predicted for answer in answers]
    judged = [metric() for metric in chosen]
    for one in judged:
        one.update(golds, said)
    worth = judged[0].each() * (1 if judged[0].higher_is_better else -1)
    places = None if kinds[0] not in PLACES else [PLACES[kinds[0]](*both) for both in zip(golds, said, strict=True)]
    if places is None:
        best = judged[0].highest if judged[0].higher_is_better else -judged[0].lowest
        right = worth >= best - TOLERANCE * abs(best)
    else:
        right = np.array([all(gold == other for gold, other in example) for example in places])
    wrong = np.flatnonzero(~right).tolist()
    order = sorted(wrong, key=lambda place: (_sureness(answers[place]), worth[place]))
    every = [place for example in places or () for place in example]
    rows = _class_rows(every, known)
    return AnswersReport(
        examples=len(answers),
        metrics=tuple((one.name, one.interval(seed=seed)) for one in judged),
        signatures={one.name: one.signature for one in judged if one.signature},
        classes=rows,
        confusions=_confusions(every),
        errors=tuple(answers[place] for place in order[:SHOWN_ERRORS]),
        right=tuple(right.tolist()),
        unknown=tuple(sorted(row.label for row in rows if row.support and not row.known)),
    )


def _class_rows(places: Sequence[Place], known: Collection[str] | None) -> tuple[ClassRow, ...]:
    rows = [
        ClassRow(label, right, gold, said, known is None or label in known)
        for label, (right, gold, said) in tally(places).items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.support, row.label)))


def _confusions(places: Sequence[Place]) -> tuple[Confusion, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    for gold, said in places:
        counts.update((label, label) for label in gold & said)
        missed, surplus = gold - said, said - gold
        if len(gold) == len(said) == len(missed) == 1:
            counts[next(iter(missed)), next(iter(surplus))] += 1
        else:
            counts.update((label, "") for label in missed)
            counts.update(("", label) for label in surplus)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(gold, said, count) for (gold, said), count in ordered)


def _sureness(answer: Answer) -> float:
    return 0.0 if answer.confidence is None else -answer.confidence


def _error_figures(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "gold": _plain(answer.gold),
        "predicted": _plain(answer.predicted),
        "confidence": answer.confidence,
    }


@functools.singledispatch
def _plain(value: Any) -> Any:
    """Return an answer as JSON takes it: sets in order, tuples as lists, positions of predicates as text."""
    return str(value)


@_plain.register(int)
def _(value: int) -> int:
    return value


@_plain.register(list)
@_plain.register(tuple)
def _(value: Sequence[Any]) -> list[Any]:
    return [_plain(one) for one in value]


@_plain.register(set)
@_plain.register(frozenset)
def _(value: Any) -> Any:
    return sorted(value)


@_plain.register(dict)
def _(value: Any) -> Any:
    return {str(key): _plain(one) for key, one in value.items()}
