"""What a test set says of a task's answers: metrics with intervals, a row for each class, confusions, sure errors."""

import functools
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.registry import Registry
from ziggurat.judge.metrics.labels.places import Place, of_labels, of_roles, of_spans
from ziggurat.judge.metrics.labels.tally import TallyMetric, tally
from ziggurat.judge.significance import Interval

__all__ = ["LABEL_METRICS", "Answer", "ClassRow", "Confusion", "LabelReport", "label_report"]

LABEL_METRICS: Registry[type[TallyMetric]] = Registry("ziggurat.judge.metrics.labels", "METRIC", kind="label metric")
"""All metrics of labels, by the name of their module."""

PLACES: Mapping[str, Callable[[Any, Any], list[Place]]] = {"labels": of_labels, "spans": of_spans, "roles": of_roles}
SHOWN_ERRORS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """One example of a test set: what is right, what was said, and how sure the model was."""

    id: str
    """For example ``path:line``."""
    gold: Any
    """A label, labels, spans or roles, as its metrics read them (`ziggurat.core.metrics.LabelMetric`)."""
    predicted: Any
    confidence: float | None = None
    """Probability that the model gave to its answer; None where it gives none."""


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
class LabelReport:
    """What `label_report` found."""

    examples: int
    metrics: tuple[tuple[str, Interval], ...]
    """Each metric's name and its value with the 95 % bootstrap interval over examples."""
    classes: tuple[ClassRow, ...]
    """The most frequent first."""
    confusions: tuple[Confusion, ...]
    """The most frequent first; right answers too."""
    errors: tuple[Answer, ...]
    """Wrong answers, the surest first."""
    unknown: tuple[str, ...]
    """Labels that stand in the evaluated data only: no model of what was learnt can say them."""

    def figures(self) -> dict[str, Any]:
        """Return all of it as JSON takes it, metrics by their name with ``low`` and ``high`` of their interval."""
        return {
            "examples": self.examples,
            "metrics": {name: asdict(interval) for name, interval in self.metrics},
            "classes": [row.figures() for row in self.classes],
            "confusions": [asdict(confusion) for confusion in self.confusions],
            "errors": [_error_figures(answer) for answer in self.errors],
            "unknown": list(self.unknown),
        }


def label_report(
    answers: Sequence[Answer], metrics: Sequence[str], *, known: Collection[str] | None = None, seed: int = 0
) -> LabelReport:
    """Judge answers by the ``metrics`` named, which must read the same kind of answer; the first is the main one.

    ``known`` are the labels of what was learnt; None where they are not told, and then none is called unknown.

    *Idea.* Where exactly one label stands and exactly one other was said, they were confused; else labels that were
    not said are missed, and those that do not stand are surplus.

    Raises:
        UnknownNameError: there is no such metric; the nearest is named.
        UsageError: no metric is named, or they read different kinds of answers.
        TooLittleTextError: there are no answers.
    """
    if not answers:
        raise TooLittleTextError("no examples to evaluate on: give some with gold labels")
    chosen = [LABEL_METRICS.get(name) for name in metrics]
    kinds = sorted({metric.reads for metric in chosen})
    if len(kinds) != 1:
        raise UsageError(f"metrics that read {' and '.join(kinds) or 'nothing'}: name some that read the same answers")
    places = [PLACES[kinds[0]](answer.gold, answer.predicted) for answer in answers]
    found = []
    for metric in chosen:
        one = metric()
        one.update([answer.gold for answer in answers], [answer.predicted for answer in answers])
        found.append((metric.name, one.interval(seed=seed)))
    every = [place for example in places for place in example]
    rows = [
        ClassRow(label, right, gold, said, known is None or label in known)
        for label, (right, gold, said) in tally(every).items()
    ]
    rows.sort(key=lambda row: (-row.support, row.label))
    wrong = [answer for answer, example in zip(answers, places, strict=True) if any(g != s for g, s in example)]
    wrong.sort(key=_sureness)
    return LabelReport(
        examples=len(answers),
        metrics=tuple(found),
        classes=tuple(rows),
        confusions=_confusions(every),
        errors=tuple(wrong[:SHOWN_ERRORS]),
        unknown=tuple(sorted(row.label for row in rows if row.support and not row.known)),
    )


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
    return [_plain(one) for one in value]


@_plain.register(str)
@_plain.register(int)
def _(value: Any) -> Any:
    return value


@_plain.register(set)
@_plain.register(frozenset)
def _(value: Any) -> Any:
    return sorted(value)


@_plain.register(dict)
def _(value: Any) -> Any:
    return {str(key): _plain(one) for key, one in value.items()}
