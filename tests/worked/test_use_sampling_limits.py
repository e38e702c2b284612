"""Filters at the ends of their range: infinite temperature, one id, ties, impossible ids, and all filters at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.bundles import eleven_words
from tests.fakes.scripted import Scripted
from ziggurat.core.seeding import generator
from ziggurat.use.completion import GenerationConfig, generate
from ziggurat.use.sampling import SamplingConfig, draw, filtered, min_p, penalise_repetition, temperature, top_k, top_p

NEVER = -math.inf
few = settings(max_examples=60, deadline=None)


def chances(config: SamplingConfig, *probabilities: float, said: tuple[int, ...] = ()) -> list[float]:
    with np.errstate(divide="ignore"):
        row = np.log(np.array([probabilities])).astype(np.float32)
    found = filtered(row, config, [np.array(said, dtype=np.int32)])
    return [float(chance) for chance in np.exp(found)[0]]


def test_an_infinite_temperature_forgets_all_but_what_is_impossible() -> None:
    found = chances(SamplingConfig(temperature=math.inf), 0.7, 0.2, 0.1, 0.0)
    assert found == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0])


@pytest.mark.parametrize("value", [0.0, 1e-300, 0.5, 1.0, 1e300, math.inf])
def test_no_temperature_makes_the_impossible_possible(value: float) -> None:
    found = temperature(np.array([[NEVER, 0.0, NEVER, -1.0]]), value)
    assert np.isneginf(found[0, [0, 2]]).all()
    assert not np.isnan(found).any()


def test_all_filters_in_their_order() -> None:
    # p = 0.4, 0.3, 0.2, 0.1. Penalty 2 on the first squares it: 0.16, 0.3, 0.2, 0.1. T = 1/2 squares all: 0.0256, 0.09,
    # 0.04, 0.01. Top 3: without 0.01, their sum is 0.1556: 0.1645, 0.5784, 0.2571. Top-p 0.8: 0.5784 + 0.2571 = 0.8355
    # is enough. Min-p 0.5: 0.04 / 0.09 = 0.44 is too little. One is left.
    config = SamplingConfig(repetition_penalty=2.0, temperature=0.5, top_k=3, top_p=0.8, min_p=0.5)
    assert chances(config, 0.4, 0.3, 0.2, 0.1, said=(0,)) == pytest.approx([0, 1, 0, 0])
    # with min-p 0.4 two are left, 0.09 to 0.04: 9/13 and 4/13
    config = SamplingConfig(repetition_penalty=2.0, temperature=0.5, top_k=3, top_p=0.8, min_p=0.4)
    assert chances(config, 0.4, 0.3, 0.2, 0.1, said=(0,)) == pytest.approx([0, 9 / 13, 4 / 13, 0])


def test_top_k_before_top_p_is_not_top_p_before_top_k() -> None:
    # top 2 of 0.4, 0.35, 0.25 are 0.533 and 0.467: top-p 0.5 then needs only the first. The other way round it needs
    # both (0.4 is less than 0.5), and top 2 leaves both
    assert chances(SamplingConfig(top_k=2, top_p=0.5), 0.4, 0.35, 0.25) == pytest.approx([1, 0, 0])


@pytest.mark.parametrize(("count", "kept"), [(1, 3), (2, 3), (3, 3), (4, 4), (5, 5), (9, 5)])
def test_ties_at_the_border_of_top_k_all_stay(count: int, kept: int) -> None:
    # three likeliest are equal: which of them goes must not depend on their ids
    scores = np.log(np.array([[0.1, 0.25, 0.25, 0.25, 0.15]]))
    assert np.isfinite(top_k(scores, count)).sum() == kept


def test_top_p_of_equals_keeps_the_first_of_them() -> None:
    assert np.flatnonzero(np.isfinite(top_p(np.log(np.full((1, 4), 0.25)), 0.5))[0]).tolist() == [0, 1]


@pytest.mark.parametrize(("mass", "kept"), [(0.0, 1), (0.5, 1), (0.500001, 2), (0.75, 2), (0.875, 3), (1.0, 4)])
def test_top_p_needs_no_more_than_reaches_the_mass(mass: float, kept: int) -> None:
    # 1/2, 3/4, 7/8, 1 are the sums from the likeliest down
    scores = np.log(np.array([[1 / 2, 1 / 4, 1 / 8, 1 / 8]]))
    assert np.isfinite(top_p(scores, mass)).sum() == kept


def test_min_p_of_one_keeps_the_likeliest_and_its_equals() -> None:
    scores = np.log(np.array([[0.4, 0.2, 0.4]]))
    assert np.isfinite(min_p(scores, 1.0))[0].tolist() == [True, False, True]


def test_what_was_said_often_counts_once() -> None:
    scores = np.log(np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]))
    said = [np.array([0, 0, 0], dtype=np.int32), np.array([0], dtype=np.int32)]
    once = penalise_repetition(scores, said, 1.5)
    assert (once[0] == once[1]).all()
    assert once[0].tolist() == pytest.approx([1.5 * math.log(0.5), math.log(0.25), math.log(0.25)])


def test_rows_are_filtered_each_by_itself() -> None:
    rows = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])).astype(np.float32)
    config = SamplingConfig(top_k=2, temperature=0.5, repetition_penalty=1.3)
    said = [np.array([1], dtype=np.int32), np.array([2], dtype=np.int32)]
    both = filtered(rows, config, said)
    for row in (0, 1):
        assert both[row].tolist() == filtered(rows[[row]], config, [said[row]])[0].tolist()


def test_the_models_own_numbers_stay_as_they_are() -> None:
    rows = np.log(np.array([[0.7, 0.2, 0.1]])).astype(np.float32)
    before = rows.copy()
    filtered(rows, SamplingConfig(0.5, 2, 0.9, 0.1, 1.5), [np.array([0], dtype=np.int32)])
    assert (rows == before).all()


@few
@given(st.lists(st.sampled_from([0.0, 1.0, 3.0, 7.0]), min_size=1, max_size=7).filter(any), st.integers(0, 99))
def test_the_impossible_is_never_drawn(weights: list[float], seed: int) -> None:
    with np.errstate(divide="ignore"):
        row = np.log(np.array([weights]) / sum(weights))
    (drawn,) = draw(row, [generator(seed, "test")]).tolist()
    assert weights[drawn] > 0


@pytest.mark.parametrize(
    "config",
    [
        GenerationConfig(max_tokens=40, temperature=math.inf),
        GenerationConfig(max_tokens=40, temperature=1e-9),
        GenerationConfig(max_tokens=40, top_p=0.0),
        GenerationConfig(max_tokens=40, min_p=1.0),
        GenerationConfig(max_tokens=40, top_k=10**9),
        GenerationConfig(max_tokens=40, repetition_penalty=1e9),
        GenerationConfig(max_tokens=40, repetition_penalty=0.01),
    ],
)
def test_whatever_the_settings_only_what_is_possible_is_written(config: GenerationConfig) -> None:
    tokenizer = eleven_words()
    model = Scripted(tokenizer.vocabulary, lambda _: [0.0, 0.0, 5.0, 3.0, 2.0, *[0.0] * 6])
    (found,) = generate(model, tokenizer, [""], config, seed=3)
    assert set(found.ids) <= {2, 3, 4}
    assert len(found.ids) == 40
    assert math.isfinite(found.logprob)
