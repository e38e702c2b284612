"""What is true of every map of words: it follows directions alone, and no turn of the space changes it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.word_vectors import themes, vectors_of
from ziggurat.core.types import FloatArray
from ziggurat.use.projection import frequent, neighbourhoods, project, trustworthiness


def rows(count: int, *, chinese: bool = False, seed: int = 0) -> FloatArray:
    return np.array(list(themes(count, chinese=chinese, seed=seed).values()), np.float32)


def distances(places: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(places[:, None] - places, axis=2))


@given(st.integers(3, 29), st.integers(0, 5))
def test_figures_are_shares(count: int, seed: int) -> None:
    layout = project(rows(count, seed=seed))
    assert layout.places.shape == (count, 2)
    assert 0 < layout.explained <= 1 + 1e-12
    assert 0 <= layout.trust <= 1
    assert 1 <= layout.neighbours <= 10
    np.testing.assert_allclose(layout.places.mean(axis=0), 0, atol=1e-6)


@given(st.integers(3, 29), st.lists(st.floats(0.01, 100), min_size=29, max_size=29))
def test_lengths_of_vectors_play_no_part(count: int, lengths: list[float]) -> None:
    given_rows = rows(count)
    stretched = given_rows * np.array(lengths[:count], np.float32)[:, None]
    one, other = project(given_rows), project(stretched)
    np.testing.assert_allclose(distances(one.places), distances(other.places), atol=1e-4)
    assert other.explained == pytest.approx(one.explained, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_turning_the_space_keeps_the_map(seed: int) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(7, 7)))
    given_rows = rows(23, seed=seed)
    one, other = project(given_rows), project((given_rows @ turn).astype(np.float32))
    np.testing.assert_allclose(distances(one.places), distances(other.places), atol=1e-4)
    assert other.explained == pytest.approx(one.explained, abs=1e-5)


@given(st.permutations(range(23)))
def test_words_in_another_order_lie_where_they_lay(order: list[int]) -> None:
    given_rows = rows(23)
    one, other = project(given_rows), project(given_rows[order])
    np.testing.assert_allclose(distances(one.places)[np.ix_(order, order)], distances(other.places), atol=1e-4)


@given(st.integers(5, 31), st.integers(1, 4))
def test_a_map_that_keeps_all_distances_is_trusted_wholly(count: int, neighbours: int) -> None:
    drawn = np.random.default_rng(count).normal(size=(count, 2))
    neighbours = min(neighbours, (count - 1) // 2)
    assert trustworthiness(drawn, drawn * 3 + 1, neighbours=neighbours) == 1
    mixed = trustworthiness(drawn, np.random.default_rng(1).normal(size=(count, 2)), neighbours=neighbours)
    assert 0 <= mixed <= 1


@pytest.mark.parametrize("chinese", [False, True])
def test_neighbourhoods_hold_each_word_once_and_its_seed_first(chinese: bool) -> None:
    vectors = vectors_of(themes(60, chinese=chinese))
    words = list(vectors.vocabulary_words)
    seeds = [words[0], words[1], words[7]]
    chosen = neighbourhoods(vectors, [*seeds, seeds[0]], count=5)
    assert chosen.words[:3] == seeds == chosen.groups[:3]
    assert len(set(chosen.words)) == len(chosen.words) <= 3 + 15
    for word, group in zip(chosen.words, chosen.groups, strict=True):
        if word not in seeds:  # no other seed among whose nearest it is lies nearer
            rivals = [seed for seed in seeds if word in [near for near, _ in vectors.nearest(seed, count=5)]]
            assert group == max(rivals, key=lambda seed: vectors.similarity(word, seed))


@pytest.mark.parametrize("chinese", [False, True])
def test_the_most_frequent_are_a_beginning_of_the_vocabulary(chinese: bool) -> None:
    vectors = vectors_of(themes(31, chinese=chinese))
    for count in (0, 1, 17, 100):
        assert frequent(vectors, count).words == list(vectors.vocabulary_words)[:count]
