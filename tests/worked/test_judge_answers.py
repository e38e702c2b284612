"""The report over a test set, by hand."""

import json

import pytest

from ziggurat.core.errors import TooLittleTextError, UnknownNameError, UsageError
from ziggurat.judge.answers import Answer, ClassRow, Confusion, answers_report

ANSWERS = [
    Answer("1", "a", "a", 0.9),
    Answer("2", "a", "b", 0.8),
    Answer("3", "b", "b", 0.7),
    Answer("4", "c", "b", 0.95),
    Answer("5", "a", "a", 0.4),
]


def test_rows_confusions_and_errors() -> None:
    found = answers_report(ANSWERS, ["accuracy", "macro_f1"], known={"a", "b", "d"})
    assert found.examples == 5
    assert [name for name, _ in found.metrics] == ["accuracy", "macro_f1"]
    assert found.metrics[0][1].value == pytest.approx(3 / 5)
    # a: 2 right of 3 that stand and 2 said; b: 1 of 1 and 3; c: none of 1 and 0
    assert found.classes == (
        ClassRow("a", 2, 3, 2, True),
        ClassRow("b", 1, 1, 3, True),
        ClassRow("c", 0, 1, 0, False),
    )
    a, b, c = found.classes
    assert (a.precision, a.recall, a.f1) == (1, pytest.approx(2 / 3), pytest.approx(4 / 5))
    assert (b.precision, b.recall, b.f1) == (pytest.approx(1 / 3), 1, pytest.approx(1 / 2))
    assert (c.precision, c.recall, c.f1) == (0, 0, 0)
    assert found.confusions[0] == Confusion("a", "a", 2)
    assert set(found.confusions[1:]) == {Confusion("a", "b", 1), Confusion("b", "b", 1), Confusion("c", "b", 1)}
    assert [answer.id for answer in found.errors] == ["4", "2"]


def test_labels_that_were_never_learnt_are_said() -> None:
    assert answers_report(ANSWERS, ["accuracy"], known={"a", "b"}).unknown == ("c",)
    assert answers_report(ANSWERS, ["accuracy"], known={"a", "b", "c"}).unknown == ()
    assert answers_report(ANSWERS, ["accuracy"]).unknown == ()


def test_only_the_ten_surest_errors_are_shown() -> None:
    answers = [Answer(str(n), "a", "b", n / 13) for n in range(13)]
    assert [answer.id for answer in answers_report(answers, ["accuracy"]).errors] == [str(n) for n in range(12, 2, -1)]


def test_errors_without_a_confidence_come_in_their_order() -> None:
    answers = [Answer("x", "a", "b"), Answer("y", "a", "a"), Answer("z", "b", "a")]
    assert [answer.id for answer in answers_report(answers, ["accuracy"]).errors] == ["x", "z"]


def test_spans_are_confused_missed_or_surplus() -> None:
    gold = [(0, 2, "PER"), (3, 4, "LOC"), (6, 7, "LOC")]
    said = [(0, 2, "ORG"), (3, 4, "LOC"), (5, 7, "LOC")]
    found = answers_report([Answer("s", gold, said)], ["span_f1"])
    assert set(found.confusions) == {
        Confusion("PER", "ORG", 1),
        Confusion("LOC", "LOC", 1),
        Confusion("LOC", "", 1),
        Confusion("", "LOC", 1),
    }
    assert found.figures()["errors"][0]["gold"] == [[0, 2, "PER"], [3, 4, "LOC"], [6, 7, "LOC"]]


@pytest.mark.parametrize(
    ("metric", "gold", "said"),
    [
        ("accuracy", "a", "b"),
        ("micro_f1", {"b", "a"}, {"c"}),
        ("accuracy", ["a", "b"], ["a", "c"]),
        ("span_f1", [(0, 1, "a")], []),
        ("argument_f1", {3: [(0, 1, "a")]}, {4: [(0, 1, "a")]}),
    ],
)
def test_figures_are_json(metric: str, gold: object, said: object) -> None:
    found = answers_report([Answer("e", gold, said, 0.5), Answer("f", gold, gold)], [metric]).figures()
    assert json.loads(json.dumps(found)) == found
    assert set(found["metrics"][metric]) == {"value", "low", "high"}
    assert len(found["errors"]) == 1


def test_what_can_not_be_reported() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'accuracy'"):
        answers_report(ANSWERS, ["acuracy"])
    with pytest.raises(UsageError, match="labels and spans"):
        answers_report(ANSWERS, ["accuracy", "span_f1"])
    with pytest.raises(UsageError, match="name some"):
        answers_report(ANSWERS, [])
    with pytest.raises(TooLittleTextError, match="no examples"):
        answers_report([], ["accuracy"])
