"""Metrics of labels by hand."""

from typing import Any

import pytest

from ziggurat.core.errors import UsageError
from ziggurat.judge.answers import ANSWER_METRICS
from ziggurat.judge.metrics.answers.tally import tally


def value(name: str, gold: list[Any], said: list[Any]) -> float:
    metric = ANSWER_METRICS.get(name)()
    metric.update(gold, said)
    return metric.value()


def test_one_label_a_text() -> None:
    gold, said = ["a", "a", "a", "b", "c"], ["a", "a", "b", "b", "d"]
    # right: the first two a and the b, 3 of 5
    assert value("accuracy", gold, said) == pytest.approx(3 / 5)
    assert value("micro_f1", gold, said) == pytest.approx(3 / 5)
    # a: 2·2 / (3 + 2) = 4/5; b: 2·1 / (1 + 2) = 2/3; c and d: 0; (4/5 + 2/3) / 4 = 11/30
    assert value("macro_f1", gold, said) == pytest.approx(11 / 30)


def test_several_labels_a_text() -> None:
    gold, said = [{"a", "b"}, {"c"}], [{"a"}, {"c"}]
    # a and c right; 3 stand, 2 were said: 2·2 / 5; only the second text is right as a whole
    assert value("micro_f1", gold, said) == pytest.approx(4 / 5)
    assert value("accuracy", gold, said) == pytest.approx(1 / 2)
    # a 1, b 0, c 1
    assert value("macro_f1", gold, said) == pytest.approx(2 / 3)


def test_a_label_for_each_token() -> None:
    # 2 of 3 and 1 of 1 tokens: 3 of 4, not the mean of the sentences
    assert value("accuracy", [["D", "N", "V"], ["N"]], [["D", "N", "N"], ["N"]]) == pytest.approx(3 / 4)
    with pytest.raises(UsageError, match="2 labels for 3 positions"):
        value("accuracy", [["D", "N", "V"]], [["D", "N"]])


def test_a_span_is_right_as_a_whole_or_wrong() -> None:
    gold = [[(0, 2, "PER"), (3, 4, "LOC"), (5, 7, "ORG")]]
    said = [[(0, 2, "PER"), (3, 4, "ORG"), (5, 6, "ORG"), (8, 9, "ORG")]]
    # one of three found, one of four said is right: 2·1 / (3 + 4)
    assert value("span_f1", gold, said) == pytest.approx(2 / 7)


def test_where_nothing_stands_and_nothing_is_said_f1_is_nothing() -> None:
    assert value("span_f1", [[]], [[]]) == 0
    assert value("argument_f1", [{}], [{}]) == 0
    # an example without spans adds nothing to those with some
    assert value("span_f1", [[], [(0, 1, "a")]], [[], [(0, 1, "a")]]) == 1


def test_a_role_belongs_to_its_predicate() -> None:
    gold = [{1: [(0, 1, "ARG0"), (2, 4, "ARG1")], 5: [(0, 1, "ARG0")]}]
    said = [{1: [(0, 1, "ARG0")], 4: [(0, 1, "ARG0")]}]
    # the argument of predicate 4 is not that of 5: 1 right, 3 stand, 2 said: 2·1 / 5
    assert value("argument_f1", gold, said) == pytest.approx(2 / 5)


def test_counts_of_each_class_are_kept() -> None:
    places = [(frozenset("ab"), frozenset("bc")), (frozenset("a"), frozenset())]
    assert tally(places) == {"a": (0, 2, 0), "b": (1, 1, 1), "c": (0, 0, 1)}
