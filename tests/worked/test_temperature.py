"""Temperature scaling by hand, and what it may never do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.types import Told
from ziggurat.use.temperature import (
    HIGHEST,
    LOWEST,
    PULL,
    answers_temperature,
    fit_temperature,
    mean_nll,
    tempered,
)

SCORES = st.integers(1, 11).flatmap(
    lambda rows: st.tuples(
        arrays(np.float64, (rows, 3), elements=st.floats(-31, 0)), arrays(np.int64, rows, elements=st.integers(0, 2))
    )
)


def logs(*probabilities: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.array(probabilities)))


def test_a_temperature_takes_the_root_and_normalises() -> None:
    # T = 2: √0.8 : √0.2 = 2 : 1; T = 1/2: 0.64 : 0.04 = 16 : 1
    assert np.exp(tempered(logs(0.8, 0.2)[None], 2.0)[0]).tolist() == pytest.approx([2 / 3, 1 / 3])
    assert np.exp(tempered(logs(0.8, 0.2)[None], 0.5)[0]).tolist() == pytest.approx([16 / 17, 1 / 17])


def test_who_is_always_80_percent_sure_and_right_two_times_of_three() -> None:
    # the mean nll of one number p for all is least where p is the part that is right, 2/3: √0.8 : √0.2, so T = 2
    said, right = np.stack([logs(0.8, 0.2)] * 3), np.array([0, 0, 1])
    assert fit_temperature(said, right, pull=0) == pytest.approx(2, abs=1e-9)
    # −(2·ln(2/3) + ln(1/3)) / 3 = ln 3 − 2/3·ln 2
    assert mean_nll(said, right, temperature=2.0) == pytest.approx(math.log(3) - 2 / 3 * math.log(2))


def test_the_temperature_undoes_what_was_done() -> None:
    drawn = np.random.default_rng(7)
    honest = np.log(drawn.dirichlet(np.ones(5), size=20_011))
    targets = np.array([drawn.choice(5, p=row) for row in np.exp(honest)])
    assert fit_temperature(honest * 3, targets) == pytest.approx(3, rel=0.05)


def test_all_right_is_as_sure_as_may_be_and_all_wrong_as_little() -> None:
    said = np.stack([logs(0.6, 0.4), logs(0.7, 0.3)])
    found = fit_temperature(said, np.array([0, 0]), pull=0)
    assert LOWEST <= found < 0.02  # (2/3)^(1/T) is below what a float adds to 1 from T = 0.011 on
    assert mean_nll(said, np.array([0, 0]), temperature=found) < 1e-12
    assert fit_temperature(said, np.array([1, 1]), pull=0) == pytest.approx(HIGHEST)


def test_few_answers_that_are_all_right_make_nothing_sure() -> None:
    # β is where N·(E_β[z] − z_y) + pull·(1 − 1/β) = 0: of 10 answers said with 0.9, z_y − E = ln 9 / (1 + 9^β)
    said, right = np.stack([logs(0.9, 0.1)] * 10), np.zeros(10, np.int64)
    beta = 1 / fit_temperature(said, right)
    assert 10 * math.log(9) / (1 + 9**beta) == pytest.approx(PULL * (1 - 1 / beta))
    assert 1 < beta < 1.5


def test_many_answers_are_heard_over_the_wish_to_leave_all_as_it_is() -> None:
    said, right = np.tile(np.stack([logs(0.8, 0.2)] * 3), (500, 1)), np.tile([0, 0, 1], 500)
    assert fit_temperature(said, right) == pytest.approx(2, rel=0.03)


def test_who_knows_nothing_stays_as_it_is() -> None:
    assert fit_temperature(logs(0.25, 0.25, 0.25, 0.25)[None], np.array([2])) == 1


def test_what_is_called_impossible_and_right_costs_much_but_not_everything() -> None:
    said, right = np.stack([logs(1.0, 0.0)] * 2), np.array([0, 1])
    found = fit_temperature(said, right)
    assert mean_nll(said, right, temperature=found) < mean_nll(said, right) == pytest.approx(50)


@given(case=SCORES)
def test_it_never_raises_the_nll_of_what_it_was_fitted_on(case: tuple[np.ndarray, np.ndarray]) -> None:
    logprobs, targets = case
    found = fit_temperature(logprobs, targets, pull=0)
    assert LOWEST * 0.999 <= found <= HIGHEST * 1.001
    assert mean_nll(logprobs, targets, temperature=found) <= mean_nll(logprobs, targets)
    for other in (found * 0.9, found * 1.1):
        if LOWEST < other < HIGHEST:
            assert (
                mean_nll(logprobs, targets, temperature=found) <= mean_nll(logprobs, targets, temperature=other) + 1e-9
            )


@given(case=SCORES, temperature=st.floats(LOWEST, HIGHEST))
def test_the_order_of_labels_is_kept(case: tuple[np.ndarray, np.ndarray], temperature: float) -> None:
    found = tempered(case[0], temperature)
    assert np.exp(found).sum(axis=1).tolist() == pytest.approx([1] * len(found))
    for before, after in zip(case[0], found, strict=True):
        assert (np.diff(after[np.argsort(before)]) >= 0).all()


def test_what_can_not_be_fitted() -> None:
    said = logs(0.8, 0.2)[None]
    with pytest.raises(UsageError, match="2 right labels for 1 answers"):
        fit_temperature(said, np.array([0, 1]))
    with pytest.raises(UsageError, match="none of the 2 columns"):
        fit_temperature(said, np.array([2]))
    with pytest.raises(TooLittleTextError):
        fit_temperature(said[:0], np.array([], dtype=np.int64))


def answers(*sure: float | None) -> list[Told]:
    return [Told("x", one) for one in sure]


def test_answers_of_one_probability_are_as_sure_as_they_are_right() -> None:
    # 0.25 to the power 1 / T is the part that is right, 1/2, at T = 2; and 1/16 at T = 1/2
    assert answers_temperature(answers(0.25, 0.25), ["x", "y"], pull=0) == pytest.approx(2, abs=1e-9)
    assert answers_temperature(answers(*[0.25] * 16), ["x"] + ["y"] * 15, pull=0) == pytest.approx(0.5, abs=1e-9)
    assert answers_temperature(answers(0.5, 0.5), ["x", "y"]) == pytest.approx(1, abs=1e-9)


def test_few_answers_that_are_all_right_are_believed_as_laplace_has_it() -> None:
    # 10·ln 2 + 1 − T = 0: 0.5^(1/T) = 0.916, and 11/12 = 0.917
    found = answers_temperature(answers(*[0.5] * 10), ["x"] * 10)
    assert found == pytest.approx(1 + 10 * math.log(2))
    assert 0.5 ** (1 / (1 + 10 * math.log(2))) == pytest.approx(11 / 12, abs=1e-3)


def test_answers_that_do_not_say_how_sure_they_are_count_nothing() -> None:
    assert answers_temperature(answers(None, None), ["x", "y"]) is None
    assert answers_temperature([], []) is None
    some = answers_temperature(answers(0.25, None, 0.25), ["x", "y", "y"], pull=0)
    assert some == pytest.approx(2, abs=1e-9)
    with pytest.raises(UsageError, match="2 right answers for 1 answers"):
        answers_temperature(answers(0.5), ["x", "y"])


def test_answers_of_no_chance_and_of_every_chance_are_heard() -> None:
    found = answers_temperature(answers(0.0, 1.0, 1.0), ["x", "y", "x"])
    assert found is not None
    assert LOWEST <= found <= HIGHEST * 1.001


@given(
    sure=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=11), seed=st.integers(0, 99), factor=st.floats(0.8, 1.2)
)
def test_no_other_temperature_makes_the_answers_likelier(sure: list[float], seed: int, factor: float) -> None:
    right = np.random.default_rng(seed).random(len(sure)) < 0.5
    found = answers_temperature(answers(*sure), ["x" if one else "y" for one in right], pull=0)
    assert found is not None

    def nll(temperature: float) -> float:
        chances = np.array(sure) ** (1 / temperature)
        return -float(np.log(chances[right]).sum() + np.log1p(-chances[~right]).sum())

    if LOWEST < found * factor < HIGHEST and LOWEST * 1.01 < found < HIGHEST * 0.99:
        assert nll(found) <= nll(found * factor) + 1e-9
