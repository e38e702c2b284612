"""Intervals, tests and rankings: by hand where the sample is tiny, by simulation where chance itself is the subject."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.evaluations import evaluation
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.judge.ranking import rank
from ziggurat.judge.significance import compare, holm, ratio_interval

BIT = math.log(2)


def test_the_effect_is_bits_over_all_bytes() -> None:
    # b needs 10, 20 and 30 bits more: 60 bits over 600 bytes
    found = compare([100.0] * 3, [100 + 10 * BIT, 100 + 20 * BIT, 100 + 30 * BIT], [100, 200, 300], seed=0)
    assert found.value == pytest.approx(0.1)
    assert found.low < 0.1 < found.high + 1e-9
    swapped = compare([100 + 10 * BIT, 100 + 20 * BIT, 100 + 30 * BIT], [100.0] * 3, [100, 200, 300], seed=0)
    assert swapped.value == pytest.approx(-0.1)
    assert swapped.p_value == found.p_value


@pytest.mark.parametrize(
    "differences", [[1.0, 2.0, 3.0], [1.0, -2.0, 3.0, 0.5], [0.25, 0.5, -1.0, 2.0, 4.0], [1.0] * 6]
)
def test_the_p_value_is_that_of_all_sign_flips(differences: list[float]) -> None:
    observed = abs(sum(differences))
    flips = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    exact = sum(flip >= observed - 1e-9 for flip in flips) / len(flips)
    nats = [d * BIT for d in differences]
    found = compare([0.0] * len(nats), nats, [1] * len(nats), seed=1)
    # 10 000 draws of a chance p have a standard deviation of at most 0.005
    assert found.p_value == pytest.approx(exact, abs=0.02)


def test_a_p_value_is_never_zero() -> None:
    found = compare([1.0] * 40, [2.0] * 40, [10] * 40, seed=0)
    assert found.p_value == pytest.approx(1 / 10_001)


def test_equal_models_differ_by_nothing() -> None:
    found = compare([3.0, 5.0, 7.0], [3.0, 5.0, 7.0], [10, 20, 30], seed=0)
    assert (found.value, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert found.text_factor == math.inf


def test_how_much_more_text_it_would_take() -> None:
    # s falls as 1/√n, so a difference half of what can be seen takes 4 times the text
    dice = np.random.default_rng(0)
    noise = dice.standard_normal(400) * 10
    one = compare([0.0] * 400, (noise - noise.mean() + 0.5).tolist(), [100] * 400, seed=0)
    assert one.text_factor == pytest.approx((one.smallest_detectable / one.value) ** 2)
    # by hand: the standard error of a mean of 400 differences with deviation σ bits over 100 bytes each
    error = noise.std(ddof=1) / BIT / 20 / 100
    assert one.smallest_detectable == pytest.approx((1.959964 + 0.841621) * error, rel=0.03)
    two = compare([0.0] * 400, (noise - noise.mean() + 1.0).tolist(), [100] * 400, seed=0)
    assert one.text_factor / two.text_factor == pytest.approx(4, rel=0.01)


def test_p_values_of_equal_models_are_even() -> None:
    # under the null each p-value is as likely as any: 200 of them, mean 1/2 ± 4 · 0.289 / √200, and at most
    # 10 + 4 · √(200 · 0.05 · 0.95) = 22 below 0.05
    dice = np.random.default_rng(7)
    found = [
        compare([0.0] * 23, dice.standard_normal(23).tolist(), [50] * 23, seed=n, resamples=400).p_value
        for n in range(200)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.082)
    assert sum(p < 0.05 for p in found) <= 22


def test_95_percent_intervals_hold_the_truth_about_as_often() -> None:
    # documents of 50 to 150 bytes at 2 bits a byte with noise; the percentile interval of 60 documents is a little
    # short: of 200 at least 200 · 0.95 − 4 · √(200 · 0.95 · 0.05) = 178 hold
    dice = np.random.default_rng(3)
    hits = 0
    for number in range(200):
        sizes = dice.integers(50, 150, 60).astype(float)
        bits = sizes * (2 + 0.3 * dice.standard_normal(60))
        found = ratio_interval(bits, sizes, seed=number, resamples=500)
        hits += found.low <= 2 <= found.high
    assert 178 <= hits <= 199


@given(st.lists(st.tuples(st.floats(1, 900), st.integers(1, 900)), min_size=1, max_size=11))
def test_an_interval_lies_between_the_extremes(documents: list[tuple[float, int]]) -> None:
    bits = np.array([bits for bits, _ in documents])
    sizes = np.array([float(size) for _, size in documents])
    found = ratio_interval(bits, sizes, seed=0, resamples=200)
    assert found.value == pytest.approx(bits.sum() / sizes.sum())
    assert (bits / sizes).min() - 1e-9 <= found.low <= found.high <= (bits / sizes).max() + 1e-9


def test_more_documents_narrow_an_interval_with_their_root() -> None:
    dice = np.random.default_rng(5)
    widths = []
    for count in (100, 400):
        sizes = np.full(count, 100.0)
        found = ratio_interval(200 + 30 * dice.standard_normal(count), sizes, seed=0)
        widths.append(found.high - found.low)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.25)


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01], [0.01]),
        ([0.01, 0.02], [0.02, 0.02]),  # 2 · 0.01, then the larger of it and 1 · 0.02
        ([0.04, 0.01, 0.03], [0.06, 0.03, 0.06]),  # 3 · 0.01; 2 · 0.03; 1 · 0.04 < 0.06
        ([0.5, 0.9], [1.0, 1.0]),
        ([], []),
    ],
)
def test_holm_by_hand(p_values: list[float], corrected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(corrected)


@given(st.lists(st.floats(0, 1), max_size=11))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    for (p, c), (q, d) in itertools.combinations(zip(p_values, corrected, strict=True), 2):
        assert not (p < q and c > d)


@pytest.mark.parametrize(
    ("nats", "error", "said"),
    [
        (([1.0], [1.0], [1]), TooLittleTextError, "documents to compare on: 1; a comparison needs"),
        (([1.0, 2.0], [1.0], [1, 1]), UsageError, "only on the same documents"),
    ],
)
def test_what_can_t_be_compared_is_said(
    nats: tuple[list[float], list[float], list[int]], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        compare(*nats, seed=0)
    with pytest.raises(TooLittleTextError):
        ratio_interval(np.zeros(0), np.zeros(0), seed=0)


def test_a_ranking_orders_names_and_compares_every_pair() -> None:
    dice = np.random.default_rng(0)
    base = 200 + dice.standard_normal(80)
    figures = {"worst": base + 9, "best": base - 9, "middle": base + 0.02 * dice.standard_normal(80)}
    figures["twin"] = figures["middle"] + 1e-3
    ranking = rank({name: evaluation(nats.tolist()) for name, nats in figures.items()})
    assert ranking.names == ("best", "middle", "twin", "worst")
    assert len(ranking.pairs) == 6
    assert all(pair.difference.value >= 0 for pair in ranking.pairs)
    assert ranking.pair("worst", "best").better == "best"
    assert ranking.pair("worst", "best").distinguishable
    noisy = rank({"a": evaluation(base.tolist()), "b": evaluation((base + dice.standard_normal(80)).tolist())})
    assert not noisy.pairs[0].distinguishable
    assert all(pair.corrected_p_value >= pair.difference.p_value for pair in ranking.pairs)


def test_only_what_saw_the_same_documents_is_ranked() -> None:
    with pytest.raises(UsageError, match="b was scored on other documents"):
        rank({"a": evaluation([1.0, 2.0]), "b": evaluation([1.0, 2.0], ids=["x", "y"])})
    with pytest.raises(UsageError, match="b: its tokenizer loses text"):
        rank({"a": evaluation([1.0, 2.0]), "b": evaluation([1.0, 2.0], lossless=False)})
