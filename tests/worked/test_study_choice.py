"""The rule that chooses a size: by hand where the table is tiny, by simulation where chance itself is the subject."""

import math

import numpy as np
import pytest

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.study.choice import Choice, choose, seed_noise


def once(figures: list[list[float]], *, higher: bool = True, sizes: tuple[int, ...] = (2, 3, 5)) -> Choice:
    """Apply the rule where questions can't be resampled."""
    table = np.array(figures)
    return choose(sizes[: len(table)], table, table[:, :, None], higher_is_better=higher)


def test_where_seeds_agree_the_best_is_taken() -> None:
    # the second seed is better by 0.02 at every size: nothing is left to chance, so 0.01 is a difference
    found = once([[0.50, 0.52], [0.70, 0.72], [0.71, 0.73]])
    assert (found.best, found.chosen) == (5, 5)
    assert [row.score for row in found.rows] == pytest.approx([0.51, 0.71, 0.72])
    assert [row.behind for row in found.rows] == pytest.approx([0.21, 0.01, 0.0])
    assert [row.worse for row in found.rows] == [True, True, False]
    assert found.row(3).by_seed == pytest.approx((0.70, 0.72))


def test_where_less_is_better_the_signs_turn() -> None:
    up = once([[0.50, 0.52], [0.70, 0.72], [0.71, 0.73]])
    down = once([[-0.50, -0.52], [-0.70, -0.72], [-0.71, -0.73]], higher=False)
    assert (down.best, down.chosen, down.higher_is_better) == (5, 5, False)
    assert [(r.behind, r.low, r.high) for r in down.rows] == [(r.behind, r.low, r.high) for r in up.rows]


def test_what_seeds_leave_to_chance() -> None:
    # means of sizes 2, 2; of seeds 1.5, 2.5; of all 2. What is left: 1 − 2 − 1.5 + 2 = −0.5, then 0.5, 0.5, −0.5
    # s² = 4 · 0.25 / ((2 − 1)(2 − 1)) = 1
    assert seed_noise(np.array([[1.0, 3.0], [2.0, 2.0]])) == (1.0, 1)
    # three sizes and four seeds leave 2 · 3 = 6 degrees of freedom; a table that adds up leaves nothing
    table = np.add.outer([1.0, 5.0, 2.0], [0.0, 0.5, 0.25, 0.75])
    noise, degrees = seed_noise(table)
    assert (noise, degrees) == (pytest.approx(0.0, abs=1e-12), 6)
    assert seed_noise(np.array([[1.0], [2.0], [3.0]])) == (0.0, 0)


def test_the_interval_from_seeds_is_that_of_student() -> None:
    # d = 2 · 0.1 apart; s² = Σ left² / 2. Rows (0, 1, 2) + noise: take left = ±a in a pattern that sums to nothing
    figures = np.array([[0.0, 0.3, 0.0], [1.0, 1.0, 1.3]])
    # size means 0.1, 1.1; seed means 0.5, 0.65, 0.65; all 0.6
    # left of the first row: 0 − 0.1 − 0.5 + 0.6 = 0; 0.3 − 0.1 − 0.65 + 0.6 = 0.15; 0 − 0.1 − 0.65 + 0.6 = −0.15
    # the second row is its negative: s² = 4 · 0.0225 / ((2 − 1)(3 − 1)) = 0.045, s = 0.2121
    # half width: t(2 degrees, 97.5 %) = 4.303 times s √(2/3) = 0.1732 gives 0.745
    found = once(figures.tolist(), sizes=(2, 3))
    row = found.row(2)
    assert row.behind == pytest.approx(1.0)
    assert (row.high - row.low) / 2 == pytest.approx(0.745, rel=0.12)
    assert row.worse
    assert found.smallest_detectable == pytest.approx(0.745 * (1 + 0.8416 / 1.96), rel=0.12)


def test_more_sizes_make_each_interval_wider() -> None:
    # the same two sizes among three: three pairs: the bounds move from 2.5 % to 0.83 %
    dice = np.random.default_rng(3)
    right = dice.random((3, 1, 200)) < np.array([0.5, 0.5, 0.6])[:, None, None]
    counts = dice.multinomial(200, np.full(200, 1 / 200), size=4000)
    draws = (right @ counts.T) / 200
    figures = right.mean(axis=2)
    two = choose((2, 5), figures[[0, 2]], draws[[0, 2]], higher_is_better=True)
    three = choose((2, 3, 5), figures, draws, higher_is_better=True)
    widths = [found.row(2).high - found.row(2).low for found in (two, three)]
    # normal points 1.960 and 2.394
    assert widths[1] / widths[0] == pytest.approx(2.394 / 1.960, rel=0.06)


def test_questions_alone_make_an_interval() -> None:
    # one seed, 100 questions, of which both know 60, the best knows 10 more: d = 0.1, its variance (0.1 − 0.01) / 100
    both, more = np.repeat([1.0, 0.0, 0.0], [60, 10, 30]), np.repeat([1.0, 1.0, 0.0], [60, 10, 30])
    counts = np.random.default_rng(0).multinomial(100, np.full(100, 0.01), size=4000)
    draws = np.array([[both @ counts.T / 100], [more @ counts.T / 100]])
    found = choose((2, 3), np.array([[0.6], [0.7]]), draws, higher_is_better=True)
    assert (found.row(2).high - found.row(2).low) / 2 == pytest.approx(1.96 * math.sqrt(0.09 / 100), rel=0.1)
    assert (found.chosen, found.seeds) == (3, 1)


def test_the_smallest_that_is_not_worse_is_taken_and_not_the_one_beside_the_best() -> None:
    # 3 is worse, but 2 is not: the rule looks for the smallest
    draws = np.zeros((3, 1, 1000))
    draws[2] = np.tile([0.69, 0.71], 500)
    draws[1] = np.tile([0.39, 0.41], 500)
    draws[0] = np.tile([0.50, 0.88], 500)  # 0.19 behind, or 0.19 ahead
    draws[0, 0, 1::2], draws[0, 0, ::2] = 0.90, 0.48
    found = choose((2, 3, 5), np.array([[0.69], [0.40], [0.70]]), draws, higher_is_better=True)
    assert [row.worse for row in found.rows] == [False, True, False]
    assert (found.chosen, found.best, found.all_alike) == (2, 5, False)


def test_nothing_to_tell_apart_is_said() -> None:
    found = once([[0.5, 0.7], [0.7, 0.5], [0.61, 0.6]])
    assert found.all_alike
    assert found.chosen == 2
    assert found.smallest_detectable > found.row(2).behind


def test_draws_that_are_undefined_are_left_out() -> None:
    draws = np.tile([0.4, 0.6], 500)[None, None].repeat(2, axis=0)
    draws = draws + np.array([0.0, 0.1])[:, None, None]
    holes = draws.copy()
    holes[:, :, 10:20] = np.nan
    figures = np.array([[0.5], [0.6]])
    found = choose((2, 3), figures, holes, higher_is_better=True)
    assert (found.row(2).low, found.row(2).high) == (pytest.approx(0.1), pytest.approx(0.1))


def test_a_choice_needs_two_sizes_and_some_chance() -> None:
    with pytest.raises(UsageError, match="--sizes"):
        once([[0.5, 0.6]])
    with pytest.raises(TooLittleTextError, match="--seeds"):
        once([[0.5], [0.6]])
    with pytest.raises(TooLittleTextError, match="undefined"):
        once([[0.5, math.nan], [0.6, 0.7]])


@pytest.mark.parametrize(("seeds", "questions"), [(3, 1), (1, 60), (3, 60)])
def test_two_sizes_that_are_alike_are_seldom_told_apart(seeds: int, questions: int) -> None:
    dice = np.random.default_rng(seeds * questions)
    told = 0
    rounds = 400
    for number in range(rounds):
        level = dice.standard_normal((1, 1, questions))
        values = level + 0.3 * dice.standard_normal((2, seeds, questions))
        values = values + (0.05 if seeds > 1 else 0.0) * dice.standard_normal((2, seeds, 1))  # no seed, no part of it
        counts = dice.multinomial(questions, np.full(questions, 1 / questions), size=500).T
        draws = values @ counts / questions if questions > 1 else values
        found = choose((2, 3), values.mean(axis=2), draws, higher_is_better=True, seed=number)
        told += not found.all_alike
    # 5 % of 400 is 20, its standard deviation 4.4. With seeds and questions both the small part that they share is
    # counted twice, which errs on the safe side
    assert 1 <= told <= 34


def test_the_best_of_five_is_no_better_than_the_others() -> None:
    # the best of five alike looks better than it is; intervals over the four differences alone told it apart in 11 %
    dice = np.random.default_rng(11)
    told = 0
    for number in range(300):
        values = dice.standard_normal((5, 3, 1))
        told += not choose((2, 3, 5, 7, 11), values[:, :, 0], values, higher_is_better=True, seed=number).all_alike
    # 5 % of 300 is 15, its standard deviation 3.8
    assert 2 <= told <= 26


def test_one_seed_leaves_out_what_seeds_do() -> None:
    # seeds move scores by 0.05, questions by 0.3 √(2 / 60): with one seed differences are found that are none
    dice = np.random.default_rng(0)
    told = 0
    for number in range(200):
        values = 0.3 * dice.standard_normal((2, 1, 60)) + 0.05 * dice.standard_normal((2, 1, 1))
        counts = dice.multinomial(60, np.full(60, 1 / 60), size=500).T
        found = choose((2, 3), values.mean(axis=2), values @ counts / 60, higher_is_better=True, seed=number)
        told += not found.all_alike
    assert told > 20


def test_a_difference_as_large_as_the_smallest_detectable_is_mostly_found() -> None:
    dice = np.random.default_rng(5)
    found_at = 0
    rounds = 200
    for number in range(rounds):
        noise = dice.standard_normal((2, 4, 1)) * 0.1
        alike = choose((2, 3), noise[:, :, 0], noise, higher_is_better=True, seed=number)
        moved = noise + np.array([0.0, alike.smallest_detectable])[:, None, None]
        found_at += choose((2, 3), moved[:, :, 0], moved, higher_is_better=True, seed=number).row(2).worse
    # 80 % of 200 is 160, its standard deviation 5.7; the width itself is a guess from 4 seeds
    assert 0.65 * rounds < found_at < 0.97 * rounds
