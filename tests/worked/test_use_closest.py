"""The closest rows of a matrix: who is found, in which order, and what is never found."""

import numpy as np
import pytest

from ziggurat.use.closest import Rows, scaled

# directions of 3-4-5 triangles, at several lengths
MATRIX = np.array([[9, 9], [3, 4], [8, 6], [0, 0], [-5, 0], [0.3, 0.4], [0, 2]], np.float32)
NOBODY = np.empty((1, 0), np.int32)


def test_rows_by_falling_cosine() -> None:
    # with (0, 1): row 1 4/5, row 2 3/5, row 3 none, row 4 0, row 5 4/5 as row 1, row 6 1; row 0 is not searched
    ids, scores = Rows(MATRIX, 1).by_cosine(np.array([[0, 7]], np.float32), NOBODY, count=6, stop=7)
    assert ids.tolist() == [[6, 1, 5, 2, 3, 4]]
    assert scores[0].tolist() == pytest.approx([1, 0.8, 0.8, 0.6, 0, 0])


def test_of_equal_rows_the_first_comes_first_in_blocks_of_any_size() -> None:
    same = np.tile(np.array([[1, 0]], np.float32), (4001, 1))
    for block in (1, 1 << 11, 1 << 22):
        for count in (1, 3):
            ids, _ = Rows(same, block_scores=block).by_cosine(same[:1], NOBODY, count=count, stop=4001)
            assert ids[0].tolist() == [0, 1, 2][:count]


def test_excluded_rows_are_never_found() -> None:
    query = np.array([[0, 1]], np.float32)
    ids, _ = Rows(MATRIX, 1).by_cosine(query, np.array([[6, -1, 1]], np.int32), count=2, stop=7)
    assert ids.tolist() == [[5, 2]]


def test_fewer_answers_than_were_asked_for() -> None:
    ids, scores = Rows(MATRIX, 1).by_cosine(np.array([[0, 1]], np.float32), NOBODY, count=4, stop=3)
    assert ids.tolist() == [[1, 2, -1, -1]]
    assert scores[0, 2:].tolist() == [-np.inf, -np.inf]
    assert Rows(MATRIX).by_cosine(MATRIX[:0], np.empty((0, 0), np.int32), count=2, stop=7)[0].shape == (0, 2)
    assert Rows(MATRIX).by_cosine(MATRIX[:1], NOBODY, count=0, stop=7)[0].shape == (1, 0)


def test_the_product_rule_by_hand() -> None:
    # vectors: up (0, 1), right (1, 0), left (−1, 0). Row 1 is (0.6, 0.8): s with up 0.9, right 0.8, left 0.2
    # up · right ⁄ left = 0.9 × 0.8 ⁄ 0.201 = 3.582090; row 6 is (0, 1): 1 × 0.5 ⁄ 0.501 = 0.998004
    vectors = np.array([[0, 1], [1, 0], [-1, 0]], np.float32)
    near, far = np.array([[0, 1]], np.int32), np.array([[2]], np.int32)
    ids, scores = Rows(MATRIX, 1).by_product(vectors, near, far, np.array([[2, 4, 5]], np.int32), count=2, stop=7)
    assert ids.tolist() == [[1, 6]]
    assert scores[0].tolist() == pytest.approx([3.582090, 0.998004], abs=1e-5)


def test_the_product_rule_without_one_side() -> None:
    vectors = np.array([[0, 1], [1, 0]], np.float32)
    both, none = np.array([[0, 1]], np.int32), np.empty((1, 0), np.int32)
    # row 1: 0.9 × 0.8 = 0.72 and 1 ⁄ (0.72 + 0.001) = 1.386963
    _, near = Rows(MATRIX[:2], 1).by_product(vectors, both, none, NOBODY, count=1, stop=2)
    _, far = Rows(MATRIX[:2], 1).by_product(vectors, none, both, NOBODY, count=1, stop=2)
    assert near[0, 0] == pytest.approx(0.72, abs=1e-6)
    assert far[0, 0] == pytest.approx(1.386963, abs=1e-5)


def test_lengths_are_measured_once_and_no_further_than_needed() -> None:
    rows = Rows(MATRIX)
    assert rows.inverse_lengths(3).tolist() == pytest.approx([1 / (9 * 2**0.5), 1 / 5, 1 / 10])
    first = rows.inverse_lengths(3)
    assert np.shares_memory(first, rows.inverse_lengths(2))
    assert rows.inverse_lengths(7)[3:].tolist() == pytest.approx([0, 1 / 5, 2, 1 / 2])


def test_scaling_leaves_zeros() -> None:
    assert scaled(np.array([[3, 4], [0, 0]], np.float32)).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]
    assert scaled(np.array([0, -2])).tolist() == [0, -1]


def test_more_questions_than_are_asked_at_once() -> None:
    drawn = np.random.default_rng(5).normal(size=(2503, 5)).astype(np.float32)
    nobody = np.arange(2503, dtype=np.int32)[:, None]
    ids, scores = Rows(drawn).by_cosine(drawn, nobody, count=1, stop=2503)
    cosines = scaled(drawn[1700]) @ scaled(drawn).T
    cosines[1700] = -np.inf
    assert ids[1700, 0] == cosines.argmax()
    assert scores[1700, 0] == pytest.approx(float(cosines.max()), abs=1e-6)
    assert (ids[:, 0] != np.arange(2503)).all()
