"""Sums in log space: the numbers, and the edges where the plain formula fails."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from ziggurat.core.numerics import log_softmax, logsumexp

Floats = npt.NDArray[np.float64]
ROWS = st.lists(st.floats(-50, 50), min_size=1, max_size=7)


def test_a_sum_by_hand() -> None:
    # log(1 + 2 + 5) = log 8
    assert logsumexp(np.log([1.0, 2.0, 5.0])) == pytest.approx(math.log(8))


def test_large_values_do_not_overflow_and_small_ones_do_not_vanish() -> None:
    # log(e^1000 + e^1000) = 1000 + log 2; the same below zero, where exp underflows to 0
    assert logsumexp(np.array([1000.0, 1000.0])) == pytest.approx(1000 + math.log(2))
    assert logsumexp(np.array([-1000.0, -1000.0])) == pytest.approx(-1000 + math.log(2))


def test_impossible_terms_add_nothing() -> None:
    assert logsumexp(np.array([-np.inf, 3.0])) == pytest.approx(3.0)
    assert logsumexp(np.array([-np.inf, -np.inf])) == -np.inf


def test_a_certain_infinity_stays_one() -> None:
    assert logsumexp(np.array([np.inf, 0.0])) == np.inf


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_axis_that_is_named_is_summed(axis: int) -> None:
    values = np.arange(15.0).reshape(3, 5) / 7
    expected = np.log(np.exp(values).sum(axis=axis))
    np.testing.assert_allclose(logsumexp(values, axis=axis), expected, rtol=1e-12)


@given(ROWS)
def test_scipy_agrees(values: list[float]) -> None:
    assert logsumexp(np.array(values)) == pytest.approx(float(special.logsumexp(values)), abs=1e-9)


def test_log_softmax_by_hand() -> None:
    # logits log 1, log 3: probabilities 1/4 and 3/4
    np.testing.assert_allclose(log_softmax(np.log([1.0, 3.0])), np.log([0.25, 0.75]))


@given(ROWS, st.floats(-100, 100))
def test_log_softmax_is_a_distribution_and_ignores_a_shift(values: list[float], shift: float) -> None:
    logits = np.array(values)
    result = log_softmax(logits)
    assert np.exp(result).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(log_softmax(logits + shift), result, atol=1e-9)


def test_each_row_is_normalised_by_itself() -> None:
    logits: Floats = np.array([[0.0, 0.0, 0.0], [5.0, -np.inf, 5.0]])
    expected = np.log([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 1e-300, 1 / 2]])
    result = log_softmax(logits)
    np.testing.assert_allclose(result[0], expected[0])
    np.testing.assert_allclose(result[1, [0, 2]], expected[1, [0, 2]])
    assert result[1, 1] == -np.inf


def test_single_precision_stays_single() -> None:
    assert log_softmax(np.zeros((2, 3), dtype=np.float32)).dtype == np.float32
    assert logsumexp(np.zeros((2, 3), dtype=np.float32)).dtype == np.float32
