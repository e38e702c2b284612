"""Sampling by hand: every filter on a distribution whose arithmetic fits in a comment, and draws that follow it."""

import numpy as np
import pytest
from scipy.stats import chisquare

from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.seeding import generator
from ziggurat.use.sampling import (
    SamplingConfig,
    Scores,
    draw,
    filtered,
    min_p,
    penalise_repetition,
    temperature,
    top_k,
    top_p,
)

HALVES = np.log([[1 / 2, 1 / 4, 1 / 8, 1 / 8]])
FALLING = np.log([[0.05, 0.5, 0.15, 0.2, 0.1]])
"""Likeliest first, its ids are 1, 3, 2, 4, 0."""


def probabilities(scores: Scores) -> list[float]:
    return [float(p) for p in np.exp(log_softmax(scores))[0]]


def survivors(scores: Scores) -> list[int]:
    return [int(index) for index in np.flatnonzero(np.isfinite(scores[0]))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # p ** (1 / T), normalised. T = 1/2 squares: (1/4, 1/16, 1/64, 1/64) = (16, 4, 1, 1) / 64; these sum to 22 / 64
        (0.5, [16 / 22, 4 / 22, 1 / 22, 1 / 22]),
        (1.0, [1 / 2, 1 / 4, 1 / 8, 1 / 8]),
        # T = 2 takes roots: (1/√2, 1/2, 1/√8, 1/√8), their sum is 1/√2 + 1/2 + 1/√2 = √2 + 1/2
        (2.0, [2**-0.5 / (2**0.5 + 0.5), 0.5 / (2**0.5 + 0.5), 8**-0.5 / (2**0.5 + 0.5), 8**-0.5 / (2**0.5 + 0.5)]),
        # T → ∞ forgets the scores
        (1e9, [1 / 4, 1 / 4, 1 / 4, 1 / 4]),
        # T → 0 and T = 0 know only the likeliest
        (1e-3, [1, 0, 0, 0]),
        (1e-320, [1, 0, 0, 0]),
        (0.0, [1, 0, 0, 0]),
    ],
)
def test_temperature_is_the_softmax_of_scores_over_t(value: float, expected: list[float]) -> None:
    assert probabilities(temperature(HALVES, value)) == pytest.approx(expected, abs=1e-8)


def test_no_temperature_takes_the_first_of_equals() -> None:
    assert probabilities(temperature(np.log([[0.2, 0.4, 0.4]]), 0.0)) == [0, 1, 0]


def test_temperature_leaves_what_is_impossible_impossible() -> None:
    scores = np.array([[0.0, -np.inf, -1.0]])
    assert probabilities(temperature(scores, 2.0))[1] == 0
    assert probabilities(temperature(scores, 1e-310))[1] == 0


@pytest.mark.parametrize(
    ("count", "kept"),
    [(1, [1]), (2, [1, 3]), (3, [1, 2, 3]), (4, [1, 2, 3, 4]), (5, [0, 1, 2, 3, 4]), (11, [0, 1, 2, 3, 4])],
)
def test_top_k_keeps_the_k_likeliest(count: int, kept: list[int]) -> None:
    assert survivors(top_k(FALLING, count)) == kept


def test_top_k_renormalised_keeps_the_odds() -> None:
    # 0.5 : 0.2 of 0.7
    assert probabilities(top_k(FALLING, 2)) == pytest.approx([0, 5 / 7, 0, 2 / 7, 0])


def test_top_k_does_not_choose_between_equals() -> None:
    assert survivors(top_k(HALVES, 3)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("mass", "kept"),
    [
        # sums from the likeliest: 0.5, 0.7, 0.85, 0.95, 1
        (0.0, [1]),
        (0.3, [1]),
        (0.51, [1, 3]),
        (0.69, [1, 3]),
        (0.71, [1, 2, 3]),
        (0.94, [1, 2, 3, 4]),
        (0.96, [0, 1, 2, 3, 4]),
    ],
)
def test_top_p_keeps_the_fewest_that_reach_the_mass(mass: float, kept: list[int]) -> None:
    assert survivors(top_p(FALLING, mass)) == kept


def test_top_p_stops_where_the_mass_is_reached_exactly() -> None:
    assert survivors(top_p(HALVES, 0.5)) == [0]
    assert survivors(top_p(HALVES, 0.75)) == [0, 1]


def test_top_p_of_equals_takes_as_many_as_it_needs() -> None:
    # four of probability 1/4: 1/4 < 0.4 ≤ 2/4
    assert survivors(top_p(np.zeros((1, 4)), 0.4)) == [0, 1]


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        # the likeliest has 0.5, so the bars are 0.05, 0.15, 0.3 and 0.5; and 0.05, 0.1 … stand just above or below
        (0.09, [0, 1, 2, 3, 4]),
        (0.11, [1, 2, 3, 4]),
        (0.25, [1, 2, 3]),
        (0.35, [1, 3]),
        (0.6, [1]),
        (1.0, [1]),
    ],
)
def test_min_p_is_a_part_of_the_likeliest(part: float, kept: list[int]) -> None:
    assert survivors(min_p(FALLING, part)) == kept


def test_min_p_keeps_what_stands_at_the_bar() -> None:
    # 1/4 of 1/2 is 1/8
    assert survivors(min_p(HALVES, 0.25)) == [0, 1, 2, 3]


def test_a_repetition_penalty_multiplies_log_probabilities() -> None:
    # 2 · log 1/2 = log 1/4, so (1/4, 1/4, 1/8, 1/8) = (2, 2, 1, 1) / 8, normalised by 6
    scores = penalise_repetition(HALVES, [np.array([0, 0, 0], dtype=np.int32)], 2.0)
    assert probabilities(scores) == pytest.approx([2 / 6, 2 / 6, 1 / 6, 1 / 6])


def test_a_repetition_penalty_divides_positive_scores() -> None:
    scores = penalise_repetition(np.array([[3.0, 3.0, -3.0, 0.0]]), [np.array([0, 2, 3], dtype=np.int32)], 2.0)
    assert scores.tolist() == [[1.5, 3.0, -6.0, 0.0]]


def test_a_repetition_penalty_reads_each_row_s_own_words_and_leaves_its_input() -> None:
    scores = np.log([[0.25, 0.75], [0.25, 0.75]])
    before = scores.copy()
    said = [np.array([], dtype=np.int32), np.array([1], dtype=np.int32)]
    penalised = penalise_repetition(scores, said, 3.0)
    np.testing.assert_array_equal(scores, before)
    np.testing.assert_allclose(penalised, np.log([[0.25, 0.75], [0.25, 0.75**3]]))


def test_all_together_in_their_order() -> None:
    # Penalty 2 on id 1:       0.05    0.25   0.15   0.2  0.1     (0.5² = 0.25)
    # temperature 1/2 squares: 0.0025  0.0625 0.0225 0.04 0.01
    # top-k 4:                 –       0.0625 0.0225 0.04 0.01    (sum 0.135)
    # top-p 0.9 of these:      sums    0.463, 0.759, 0.926: three stay
    # min-p 1/2:               bar     0.03125: 0.0625 and 0.04 stay, 25 : 16
    config = SamplingConfig(temperature=0.5, top_k=4, top_p=0.9, min_p=0.5, repetition_penalty=2.0)
    logprobs = filtered(FALLING.astype(np.float32), config, [np.array([1], dtype=np.int32)])
    assert np.exp(logprobs)[0].tolist() == pytest.approx([0, 25 / 41, 0, 16 / 41, 0], abs=1e-6)


def test_top_p_is_measured_after_the_temperature() -> None:
    # squared and normalised, 16/22 > 0.7 alone; unsquared, 1/2 < 0.7 would need a second
    assert survivors(filtered(HALVES.astype(np.float32), SamplingConfig(temperature=0.5, top_p=0.7), [])) == [0]
    assert survivors(filtered(HALVES.astype(np.float32), SamplingConfig(temperature=1.0, top_p=0.7), [])) == [0, 1]


def test_without_settings_it_is_the_model_s_own_distribution() -> None:
    logprobs = np.log([[0.3, 0.6, 0.1]]).astype(np.float32)
    np.testing.assert_allclose(filtered(logprobs, SamplingConfig(), []), logprobs, rtol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"),
    [("temperature", -0.1), ("top_k", -1), ("top_p", 1.1), ("min_p", -0.5), ("repetition_penalty", 0.0)],
)
def test_a_setting_out_of_its_limits_is_named(key: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"generate: {key}"):
        from_mapping(SamplingConfig, {key: value}, where="generate")


@pytest.mark.parametrize("chances", [[0.5, 0.25, 0.125, 0.125], [0.05, 0.5, 0.15, 0.2, 0.1], [0.9, 0.1]])
def test_draws_follow_the_distribution(chances: list[float]) -> None:
    one = generator(0, "draws")
    drawn = draw(np.tile(np.log(chances), (10_007, 1)), [one] * 10_007)
    counts = np.bincount(drawn, minlength=len(chances))
    assert chisquare(counts, 10_007 * np.array(chances)).pvalue > 0.01


def test_filtered_draws_follow_the_filtered_distribution() -> None:
    logprobs = filtered(FALLING.astype(np.float32), SamplingConfig(top_k=3, temperature=2.0), [])
    one = generator(1, "draws")
    drawn = draw(np.tile(logprobs, (7919, 1)), [one] * 7919)
    counts = np.bincount(drawn, minlength=5)
    assert counts[[0, 4]].tolist() == [0, 0]
    kept = [1, 2, 3]
    assert chisquare(counts[kept], 7919 * np.exp(logprobs[0, kept])).pvalue > 0.01


def test_a_uniform_number_chooses_by_cumulative_probability() -> None:
    class At(np.random.Generator):
        """A generator whose next uniform number is known."""

        def __init__(self, point: float) -> None:
            super().__init__(np.random.PCG64(0))
            self.point = point

        def random(self, *_: object, **__: object) -> float:  # type: ignore[override]
            return self.point

    # cumulative: 1/2, 3/4, 7/8, 1; a border belongs to the id above it
    points = {0.0: 0, 0.49: 0, 0.5: 1, 0.74: 1, 0.75: 2, 0.875: 3, 1 - 2**-53: 3}
    drawn = draw(np.tile(HALVES, (len(points), 1)), [At(point) for point in points])
    assert drawn.tolist() == list(points.values())


def test_an_impossible_id_is_never_drawn_even_at_the_ends() -> None:
    with np.errstate(divide="ignore"):
        logprobs = np.log([[0.0, 0.0, 1.0, 0.0]])
    one = generator(2, "draws")
    assert set(draw(np.tile(logprobs, (503, 1)), [one] * 503).tolist()) == {2}


def test_a_row_is_drawn_the_same_alone_and_in_company() -> None:
    logprobs = np.log(np.random.default_rng(3).dirichlet(np.ones(11), size=5))
    together = draw(logprobs, [generator(7, "row", row) for row in range(5)])
    alone = [int(draw(logprobs[row : row + 1], [generator(7, "row", row)])[0]) for row in range(5)]
    assert together.tolist() == alone
    assert together.dtype == np.int32
