"""How figures of one evaluation hang together, and what a comparison does not depend on."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.evaluations import evaluation
from ziggurat.judge.evaluate import METRICS, Evaluation
from ziggurat.judge.significance import compare

Row = tuple[float, int, int]
ROWS = st.lists(st.tuples(st.floats(0, 1e4), st.integers(1, 9999), st.integers(1, 9999)), min_size=1, max_size=23)
"""Documents: nats, tokens, bytes."""
PAIRS = st.lists(st.tuples(st.integers(-999, 999), st.integers(1, 999)), min_size=2, max_size=11)
"""Documents: eighths of a nat by which b is worse, bytes."""

every_metric = pytest.mark.parametrize("name", METRICS.names())


def made(rows: Sequence[Row]) -> Evaluation:
    nats, tokens, sizes = zip(*rows, strict=True)
    return evaluation(nats, tokens=tokens, size_bytes=sizes)


def figure(name: str, rows: Sequence[Row]) -> float:
    return float(METRICS.get(name).of(made(rows)))


@every_metric
@given(ROWS, ROWS)
def test_merging_leaves_the_other_as_it_was(name: str, rows: list[Row], more: list[Row]) -> None:
    there, other = METRICS.get(name)(), METRICS.get(name)()
    there.update(*zip(*rows, strict=True))
    other.update(*zip(*more, strict=True))
    before = other.value()
    there.merge(other)
    assert other.value() == before
    assert there.value() == pytest.approx(figure(name, rows + more), rel=1e-9)


@every_metric
@given(ROWS)
def test_a_figure_lies_between_those_of_its_documents(name: str, rows: list[Row]) -> None:
    alone = [figure(name, [row]) for row in rows]
    assert min(alone) * (1 - 1e-9) <= figure(name, rows) <= max(alone) * (1 + 1e-9)
    assert figure(name, rows) >= (1 if name == "token_perplexity" else 0)


@given(ROWS)
def test_perplexity_is_the_exponential_of_nats_per_token(rows: list[Row]) -> None:
    nats = figure("nats_per_token", rows)
    if nats < 690:
        assert figure("token_perplexity", rows) == pytest.approx(math.exp(nats), rel=1e-9)


@given(ROWS, st.integers(1, 99))
def test_bits_per_byte_do_not_know_the_tokens(rows: list[Row], more: int) -> None:
    retokenized = [(nats, tokens + more, size) for nats, tokens, size in rows]
    assert made(retokenized).bits_per_byte == made(rows).bits_per_byte


@given(ROWS)
def test_all_of_an_evaluation_survives_json(rows: list[Row]) -> None:
    one = made(rows)
    assert Evaluation.from_json(one.to_json(), where="x") == one


def compared(pairs: Sequence[tuple[int, int]], *, base: float = 0.0, scale: float = 1.0, seed: int = 0) -> Any:
    # Eighths add up without rounding, so that ties stay ties.
    better = [base] * len(pairs)
    worse = [base + scale * eighths / 8 for eighths, _ in pairs]
    return compare(better, worse, [size for _, size in pairs], seed=seed, resamples=200)


@settings(max_examples=50)
@given(PAIRS)
def test_exchanging_two_models_turns_the_sign_of_all_but_the_evidence(pairs: list[tuple[int, int]]) -> None:
    there, back = compared(pairs), compared([(-eighths, size) for eighths, size in pairs])
    assert back.value == pytest.approx(-there.value, abs=1e-12)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-9)
    assert back.p_value == there.p_value
    assert back.smallest_detectable == pytest.approx(there.smallest_detectable, rel=1e-9, abs=1e-12)


@settings(max_examples=50)
@given(PAIRS, st.sampled_from([0.5, 2.0, 16.0]))
def test_the_unit_does_not_change_the_evidence(pairs: list[tuple[int, int]], scale: float) -> None:
    one, scaled = compared(pairs), compared(pairs, scale=scale)
    assert scaled.p_value == one.p_value
    assert scaled.value == pytest.approx(scale * one.value, rel=1e-9, abs=1e-12)
    assert scaled.smallest_detectable == pytest.approx(scale * one.smallest_detectable, rel=1e-6, abs=1e-12)


@settings(max_examples=50)
@given(PAIRS, st.integers(1, 4096))
def test_what_both_models_need_cancels(pairs: list[tuple[int, int]], base: int) -> None:
    one, both = compared(pairs), compared(pairs, base=float(base))
    assert both.value == pytest.approx(one.value, abs=1e-9)
    assert both.p_value == one.p_value


@settings(max_examples=50)
@given(PAIRS, st.integers(0, 99))
def test_a_comparison_is_a_function_of_its_seed(pairs: list[tuple[int, int]], seed: int) -> None:
    assert compared(pairs, seed=seed) == compared(pairs, seed=seed)


@settings(max_examples=50)
@given(PAIRS)
def test_the_interval_of_a_difference_lies_within_its_documents(pairs: list[tuple[int, int]]) -> None:
    found = compared(pairs)
    alone = [eighths / 8 / math.log(2) / size for eighths, size in pairs]
    assert min(alone) - 1e-9 <= found.low <= found.high <= max(alone) + 1e-9
    assert 1 / 201 <= found.p_value <= 1


@settings(max_examples=50)
@given(PAIRS)
def test_text_is_enough_exactly_where_the_effect_is_detectable(pairs: list[tuple[int, int]]) -> None:
    found = compared(pairs)
    if found.value and abs(found.smallest_detectable / abs(found.value) - 1) > 1e-9:
        assert (found.text_factor <= 1) == (abs(found.value) >= found.smallest_detectable)
