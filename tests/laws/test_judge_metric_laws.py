"""What is true of every metric in ``judge/metrics``, found through its registry."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.evaluations import evaluation
from ziggurat.judge.evaluate import METRICS

NAMES = METRICS.names()
DOCUMENTS = st.lists(st.tuples(st.floats(0.1, 900), st.integers(1, 300), st.integers(1, 2000)), min_size=1, max_size=17)

pytestmark = pytest.mark.parametrize("name", NAMES)


def test_it_says_what_it_is(name: str) -> None:
    metric = METRICS.get(name)
    assert metric.name == name
    assert metric.unit
    assert isinstance(metric.higher_is_better, bool)
    assert metric.__doc__


@given(documents=DOCUMENTS, cut=st.integers(0, 17), dice=st.randoms())
def test_order_and_grouping_never_matter(
    name: str, documents: list[tuple[float, int, int]], cut: int, dice: object
) -> None:
    make = METRICS.get(name)
    whole = make()
    whole.update(*zip(*documents, strict=True))
    shuffled = documents.copy()
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = make(), make()
    for part, some in ((first, shuffled[:cut]), (second, shuffled[cut:])):
        if some:
            part.update(*zip(*some, strict=True))
    first.merge(second)
    assert first.value() == pytest.approx(whole.value(), rel=1e-9)


@given(documents=DOCUMENTS, worse=st.floats(0.1, 50))
def test_more_surprise_is_worse(name: str, documents: list[tuple[float, int, int]], worse: float) -> None:
    make = METRICS.get(name)
    one, other = make(), make()
    one.update(*zip(*documents, strict=True))
    other.update(*zip(*[(nats + worse, *rest) for nats, *rest in documents], strict=True))
    if math.isfinite(other.value()):
        assert (other.value() > one.value()) != make.higher_is_better


@given(documents=DOCUMENTS, copies=st.integers(2, 5))
def test_the_same_documents_again_change_nothing(
    name: str, documents: list[tuple[float, int, int]], copies: int
) -> None:
    make = METRICS.get(name)
    one, many = make(), make()
    one.update(*zip(*documents, strict=True))
    many.update(*zip(*(documents * copies), strict=True))
    assert many.value() == pytest.approx(one.value(), rel=1e-9)


def test_an_evaluation_gives_it_directly(name: str) -> None:
    make = METRICS.get(name)
    metric = make()
    metric.update([3.0, 5.0], [25, 25], [100, 100])
    assert make.of(evaluation([3.0, 5.0])) == metric.value()
