"""What is true of every metric in ``judge/metrics/answers``, found through its registry."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.databases import asked_database
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.judge.answers import ANSWER_METRICS
from ziggurat.text.queries import Query

NAMES = ANSWER_METRICS.names()
LABELS = st.sampled_from("abcde")
SPANS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), LABELS), min_size=1, max_size=5).map(
    lambda spans: [(start, start + length, kind) for start, length, kind in spans]
)
ANSWERS = {
    "labels": st.one_of(LABELS, st.sets(LABELS, min_size=1)),
    "spans": SPANS,
    "roles": st.dictionaries(st.integers(0, 3), SPANS, min_size=1, max_size=3),
    "queries": st.sampled_from(["SELECT 1", "SELECT 2 ;", "select 1", "SELECT 3 - 1"]).map(
        lambda sql: Query(sql, str(asked_database()))
    ),
    "texts": st.lists(st.sampled_from(["a", "bc", "def", "g", "h!"]), min_size=4, max_size=7).map(" ".join),
}

pytestmark = pytest.mark.parametrize("name", NAMES)


def examples(name: str, data: st.DataObject) -> list[tuple[Any, Any]]:
    answer = ANSWERS[ANSWER_METRICS.get(name).reads]
    return data.draw(st.lists(st.tuples(answer, answer), min_size=1, max_size=13))


def measured(name: str, pairs: list[tuple[Any, Any]]) -> Any:
    metric = ANSWER_METRICS.get(name)()
    metric.update([gold for gold, _ in pairs], [said for _, said in pairs])
    return metric


def test_it_says_what_it_is(name: str) -> None:
    metric = ANSWER_METRICS.get(name)
    assert metric.name == name
    assert metric.reads in ANSWERS
    assert metric.lowest < metric.highest
    assert isinstance(metric.higher_is_better, bool)
    assert metric.__doc__


@given(data=st.data(), seed=st.integers(0, 97))
def test_order_and_grouping_never_matter(name: str, data: st.DataObject, seed: int) -> None:
    pairs = examples(name, data)
    shuffled = pairs.copy()
    random.Random(seed).shuffle(shuffled)
    cut = seed % (len(pairs) + 1)
    first = measured(name, shuffled[:cut])
    first.merge(measured(name, shuffled[cut:]))
    assert first.value() == pytest.approx(measured(name, pairs).value(), rel=1e-12)


@given(data=st.data())
def test_it_stays_in_its_range_and_what_is_perfect_is_best(name: str, data: st.DataObject) -> None:
    pairs = examples(name, data)
    metric = measured(name, pairs)
    best = metric.highest if metric.higher_is_better else metric.lowest
    assert metric.lowest <= metric.value() <= metric.highest
    assert measured(name, [(gold, gold) for gold, _ in pairs]).value() == pytest.approx(best, rel=1e-12)


@given(data=st.data())
def test_each_example_is_worth_what_the_metric_says_of_it_alone(name: str, data: st.DataObject) -> None:
    pairs = examples(name, data)
    alone = [measured(name, [pair]).value() for pair in pairs]
    assert measured(name, pairs).each() == pytest.approx(alone, rel=1e-12)


@given(data=st.data(), copies=st.integers(2, 5))
def test_the_same_examples_again_change_nothing(name: str, data: st.DataObject, copies: int) -> None:
    pairs = examples(name, data)
    pairs.append((pairs[0][0], pairs[0][0]))  # a zero among the counts of BLEU is smoothed, whatever it is a part of
    assert measured(name, pairs * copies).value() == pytest.approx(measured(name, pairs).value(), rel=1e-12)


@given(data=st.data())
def test_names_of_labels_never_matter(name: str, data: st.DataObject) -> None:
    if ANSWER_METRICS.get(name).reads in ("texts", "queries"):
        return  # which are made of no labels
    pairs = examples(name, data)
    renamed = [(_renamed(gold), _renamed(said)) for gold, said in pairs]
    assert measured(name, renamed).value() == pytest.approx(measured(name, pairs).value(), rel=1e-12)


@pytest.mark.parametrize("seed", [3, 5])
def test_an_interval_is_drawn_over_examples_within_the_range(name: str, seed: int) -> None:
    answers: dict[str, list[Any]] = {
        "labels": ["a", "b"],
        "spans": [[(0, 2, "a")], [(1, 2, "b")]],
        "roles": [{1: [(0, 1, "a")]}, {}],
        "queries": [Query("SELECT 1", str(asked_database())), Query("SELECT 2", str(asked_database()))],
        "texts": ["a dog runs home", "a dog runs off"],
    }
    one, other = answers[ANSWER_METRICS.get(name).reads]
    metric = measured(name, [(one, one)] * 7 + [(one, other)] * 4)
    found = metric.interval(seed=seed, resamples=997)
    assert found.value == metric.value()
    assert metric.lowest <= found.low <= found.value <= found.high <= metric.highest
    assert found == metric.interval(seed=seed, resamples=997)
    assert found.low < found.high


def test_what_can_not_be_measured_is_said(name: str) -> None:
    metric = ANSWER_METRICS.get(name)()
    with pytest.raises(UsageError, match="1 predictions for 2 examples"):
        metric.update(["a", "b"], ["a"])
    for ask in (metric.value, metric.each, lambda: metric.interval(seed=0)):
        with pytest.raises(TooLittleTextError, match="gold labels"):
            ask()


def _renamed(answer: Any) -> Any:
    if isinstance(answer, str):
        return f"z{ord('z') - ord(answer)}"
    if isinstance(answer, set):
        return {_renamed(one) for one in answer}
    if isinstance(answer, dict):
        return {place: _renamed(spans) for place, spans in answer.items()}
    return [(start, stop, _renamed(kind)) for start, stop, kind in answer]
