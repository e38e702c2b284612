"""Laws of the filters, on any distribution: what is kept, what never changes, what only grows."""

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ziggurat.core.numerics import log_softmax
from ziggurat.core.seeding import generator
from ziggurat.use.sampling import SamplingConfig, Scores, draw, filtered, min_p, temperature, top_k, top_p

few = settings(max_examples=80, deadline=None)

weights = st.lists(st.integers(1, 997), min_size=2, max_size=9, unique=True)
"""Distinct whole numbers: the distribution is these over their sum."""

configs = st.builds(
    SamplingConfig,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 1.7]),
    top_k=st.integers(0, 7),
    top_p=st.floats(0.0, 1.0),
    min_p=st.floats(0.0, 1.0),
    repetition_penalty=st.sampled_from([1.0, 1.3, 0.7]),
)


def logprobs_of(counts: list[int]) -> Scores:
    return np.log(np.array([counts], dtype=np.float64) / sum(counts))


def kept(scores: Scores) -> set[int]:
    return {int(index) for index in np.flatnonzero(np.isfinite(scores[0]))}


@few
@given(weights, configs, st.integers(0, 8))
def test_what_comes_out_is_a_distribution_over_some_of_the_ids(
    counts: list[int], config: SamplingConfig, said: int
) -> None:
    words = np.array([said % len(counts)], dtype=np.int32)
    found = filtered(logprobs_of(counts).astype(np.float32), config, [words])
    assert np.exp(found).sum() == pytest.approx(1.0)
    assert kept(found)


@few
@given(weights, st.floats(0.01, 0.99))
def test_top_p_keeps_the_smallest_set_that_reaches_the_mass(counts: list[int], mass: float) -> None:
    chances = np.array(counts) / sum(counts)
    found = kept(top_p(logprobs_of(counts), mass))
    assert chances[list(found)].sum() >= mass - 1e-8
    smaller = itertools.combinations(chances.tolist(), len(found) - 1)
    assert max((sum(one) for one in smaller), default=0.0) < mass + 1e-8


@few
@given(weights, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_mass_keeps_no_fewer(counts: list[int], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert kept(top_p(logprobs_of(counts), low)) <= kept(top_p(logprobs_of(counts), high))
    if low > 0:
        assert kept(min_p(logprobs_of(counts), low)) >= kept(min_p(logprobs_of(counts), high))


@few
@given(weights, st.integers(1, 11))
def test_top_k_keeps_exactly_k_of_distinct_scores(counts: list[int], count: int) -> None:
    found = kept(top_k(logprobs_of(counts), count))
    ranked = sorted(range(len(counts)), key=lambda index: -counts[index])
    assert found == set(ranked[:count])


@few
@given(weights, st.floats(0.001, 1.0))
def test_min_p_keeps_what_is_at_least_that_part_of_the_likeliest(counts: list[int], part: float) -> None:
    found = kept(min_p(logprobs_of(counts), part))
    assert {i for i, count in enumerate(counts) if count > part * max(counts) * (1 + 1e-8)} <= found
    assert found <= {i for i, count in enumerate(counts) if count > part * max(counts) * (1 - 1e-8)}


@few
@given(weights, configs, st.randoms(use_true_random=False), st.integers(0, 8))
def test_the_numbering_of_ids_does_not_matter(
    counts: list[int], config: SamplingConfig, random: Random, said: int
) -> None:
    said %= len(counts)
    places = list(range(len(counts)))
    random.shuffle(places)
    one = filtered(logprobs_of(counts).astype(np.float32), config, [np.array([said], dtype=np.int32)])
    shuffled = logprobs_of([counts[place] for place in places]).astype(np.float32)
    other = filtered(shuffled, config, [np.array([places.index(said)], dtype=np.int32)])
    if config.repetition_penalty == 1.0:  # a penalty may make two ids equal, and the first of equals goes before
        np.testing.assert_allclose(np.exp(other), np.exp(one[:, places]), atol=1e-6)
    else:
        assert len(kept(one)) == len(kept(other))


@few
@given(weights, st.floats(-30, 30), st.floats(0.05, 5.0), st.floats(0.01, 0.99))
def test_a_constant_added_to_all_scores_changes_nothing(
    counts: list[int], constant: float, value: float, part: float
) -> None:
    scores = logprobs_of(counts)
    moved = scores + constant
    np.testing.assert_allclose(
        log_softmax(temperature(moved, value)), log_softmax(temperature(scores, value)), atol=1e-8
    )
    assert kept(top_k(moved, 2)) == kept(top_k(scores, 2))
    assert len(kept(min_p(moved, part)) ^ kept(min_p(scores, part))) <= 1  # one may stand at the very border
    assert len(kept(top_p(moved, part)) ^ kept(top_p(scores, part))) <= 1


@few
@given(weights, st.floats(0.05, 3.0), st.floats(0.05, 3.0))
def test_the_colder_the_surer(counts: list[int], one: float, other: float) -> None:
    cold, hot = sorted((one, other))
    best = int(np.argmax(counts))
    colder, hotter = (np.exp(log_softmax(temperature(logprobs_of(counts), value)))[0] for value in (cold, hot))
    assert colder[best] >= hotter[best] - 1e-12
    assert np.argsort(colder, kind="stable").tolist() == np.argsort(hotter, kind="stable").tolist()


@few
@given(weights, configs)
def test_the_likeliest_is_always_kept_unless_it_was_said(counts: list[int], config: SamplingConfig) -> None:
    found = filtered(logprobs_of(counts).astype(np.float32), config, [np.array([], dtype=np.int32)])
    assert int(np.argmax(counts)) in kept(found)


@few
@given(weights, configs, st.integers(0, 997))
def test_what_was_filtered_out_is_never_drawn_and_a_seed_draws_the_same(
    counts: list[int], config: SamplingConfig, seed: int
) -> None:
    found = filtered(logprobs_of(counts).astype(np.float32), config, [np.array([0], dtype=np.int32)])
    first, again = (draw(np.repeat(found, 7, axis=0), [generator(seed, "draw")] * 7).tolist() for _ in range(2))
    assert first == again
    assert set(first) <= kept(found)


@few
@given(st.lists(weights, min_size=2, max_size=3), st.floats(0.0, 1.0), st.integers(1, 5))
def test_a_row_is_filtered_the_same_alone_and_in_company(rows: list[list[int]], mass: float, count: int) -> None:
    width = min(len(row) for row in rows)
    together = np.concatenate([logprobs_of(row[:width]) for row in rows])
    config = SamplingConfig(temperature=0.7, top_p=mass, top_k=count)
    found = filtered(together.astype(np.float32), config, [])
    for row in range(len(rows)):
        alone = filtered(together[row : row + 1].astype(np.float32), config, [])
        np.testing.assert_array_equal(found[row : row + 1], alone)
