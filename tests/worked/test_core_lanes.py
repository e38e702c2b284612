"""Products and updates of gathered rows against NumPy's."""

import numpy as np
import numpy.typing as npt
import pytest

from ziggurat.core.compiled import kernel
from ziggurat.core.lanes import BLOCK, WIDTH, add_rows, aligned_rows, dot_rows, mean_row, padded, spread_row
from ziggurat.core.types import FloatArray, IdArray

Numbers = npt.NDArray[np.float32]


@kernel
def products_of(
    a: FloatArray, a_rows: IdArray, b: FloatArray, b_rows: IdArray, taken: tuple[int, ...], out: npt.NDArray[np.float32]
) -> None:
    dot_rows((a, a_rows, a_rows.size), b, b_rows, taken, out)


@kernel
def added_to(
    a: FloatArray, a_rows: IdArray, b: FloatArray, b_rows: IdArray, taken: tuple[int, ...], by: npt.NDArray[np.float32]
) -> None:
    add_rows((a, a_rows, a_rows.size), b, b_rows, taken, by)


@kernel
def products_of_some(
    a: FloatArray, a_rows: IdArray, count: int, b: FloatArray, b_rows: IdArray, taken: tuple[int, ...], out: Numbers
) -> None:
    dot_rows((a, a_rows, count), b, b_rows, taken, out)


@kernel
def added_to_some(
    a: FloatArray, a_rows: IdArray, count: int, b: FloatArray, b_rows: IdArray, taken: tuple[int, ...], by: Numbers
) -> None:
    add_rows((a, a_rows, count), b, b_rows, taken, by)


def filled(rows: int, width: int, *, seed: int) -> FloatArray:
    """Random numbers, zeros where a row is filled up."""
    matrix = aligned_rows(rows, width)
    matrix[:, :width] = np.random.default_rng(seed).standard_normal((rows, width))
    return matrix


@pytest.mark.parametrize(("width", "wide"), [(1, 16), (16, 16), (17, 32), (100, 112)])
def test_rows_are_padded_and_begin_at_a_cache_line(width: int, wide: int) -> None:
    matrix = aligned_rows(7, width)
    assert padded(width) == wide
    assert matrix.shape == (7, wide)
    assert not matrix.any()
    assert all(row.ctypes.data % (4 * WIDTH) == 0 for row in matrix)


@pytest.mark.parametrize("columns", [1, 2, 5, 6, 8, 11, BLOCK])
@pytest.mark.parametrize("rows", [1, 2, 3, 7, 10])
def test_products_are_numpys(columns: int, rows: int) -> None:
    a, b = filled(13, 53, seed=1), filled(19, 53, seed=2)
    dice = np.random.default_rng(3)
    left, right = dice.integers(0, 13, rows).astype(np.int32), dice.integers(0, 19, columns).astype(np.int32)
    out = np.zeros(rows * columns + 2 * WIDTH, np.float32)
    products_of(a, left, b, right, (0,) * columns, out)
    np.testing.assert_allclose(out[: rows * columns].reshape(rows, columns), a[left] @ b[right].T, atol=2e-5)


@pytest.mark.parametrize("columns", [1, 2, 5, 6, 8, 11, BLOCK])
@pytest.mark.parametrize("rows", [1, 2, 3, 7, 10])
def test_updates_are_numpys(columns: int, rows: int) -> None:
    a, b = filled(13, 53, seed=1), filled(19, 53, seed=2)
    before_a, before_b = a.copy(), b.copy()
    dice = np.random.default_rng(3)
    left = dice.permutation(13)[:rows].astype(np.int32)
    right = dice.integers(0, 19, columns).astype(np.int32)  # some twice: they get both
    by = dice.standard_normal((rows, columns)).astype(np.float32)
    added_to(a, left, b, right, (0,) * columns, by.ravel())
    np.testing.assert_allclose(a[left], before_a[left] + by @ before_b[right], atol=2e-5)
    expected = before_b.copy()
    np.add.at(expected, right, by.T @ before_a[left])
    np.testing.assert_allclose(b, expected, atol=5e-5)
    assert np.array_equal(np.delete(a, left, axis=0), np.delete(before_a, left, axis=0))


def test_a_row_that_stands_twice_gives_what_the_first_time_left() -> None:
    # a = (1); b = (2); factors 3 and 5: a ← 1 + 3·2 = 7, then 7 + 5·2 = 17; b ← 2 + 3·1 + 5·7 = 40
    a, b = aligned_rows(1, 1), aligned_rows(1, 1)
    a[0, 0], b[0, 0] = 1, 2
    added_to(a, np.zeros(2, np.int32), b, np.zeros(1, np.int32), (0,), np.array([3, 5], np.float32))
    assert (a[0, 0], b[0, 0]) == (17, 40)


@pytest.mark.parametrize("columns", [1, 5, BLOCK])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_only_as_many_rows_take_part_as_are_told(columns: int, count: int) -> None:
    a, b = filled(7, 37, seed=1), filled(13, 37, seed=2)
    left, right = np.array([5, 2, 6, 0, 1], np.int32), np.arange(columns, dtype=np.int32)
    out = np.full(5 * columns + 2 * WIDTH, 97, np.float32)
    products_of_some(a, left, count, b, right, (0,) * columns, out)
    expected = a[left[:count]] @ b[right].T
    np.testing.assert_allclose(out[: count * columns].reshape(count, columns), expected, atol=2e-5)
    assert (out[count * columns + WIDTH :] == 97).all()  # the room behind them, and no more
    before_a, before_b = a.copy(), b.copy()
    added_to_some(a, left, count, b, right, (0,) * columns, np.ones(5 * columns, np.float32))
    untouched = np.setdiff1d(np.arange(7), left[:count])
    assert np.array_equal(a[untouched], before_a[untouched])
    np.testing.assert_allclose(b[right], before_b[right] + before_a[left[:count]].sum(axis=0), atol=2e-5)
    assert np.array_equal(b[columns:], before_b[columns:])


@pytest.mark.parametrize("width", [1, 15, 16, 17, 32, 48, 100, 300])
def test_every_width_is_summed_to_its_end(width: int) -> None:
    # (1, 2, …, w) · (1, 1, …, 1) = w (w + 1) / 2, all of it exact in 32 bits; times itself w (w + 1) (2 w + 1) / 6
    a, b = aligned_rows(2, width), aligned_rows(1, width)
    a[0, :width], a[1, :width], b[0, :width] = np.arange(1, width + 1), 1, np.arange(1, width + 1)
    out = np.zeros(2 + 2 * WIDTH, np.float32)
    products_of(a, np.array([1, 0], np.int32), b, np.zeros(1, np.int32), (0,), out)
    assert out[0] == width * (width + 1) / 2
    assert out[1] == pytest.approx(width * (width + 1) * (2 * width + 1) / 6, rel=1e-6)


def test_a_column_that_stands_twice_gets_both_by_hand() -> None:
    # a = (2), b = (3), twice; factors 5 and 7: a ← 2 + 5·3 + 7·3 = 38; b ← 3 + 5·2 + 7·2 = 27
    a, b = aligned_rows(1, 1), aligned_rows(1, 1)
    a[0, 0], b[0, 0] = 2, 3
    added_to(a, np.zeros(1, np.int32), b, np.zeros(2, np.int32), (0, 0), np.array([5, 7], np.float32))
    assert (a[0, 0], b[0, 0]) == (38, 27)


def test_factors_of_zero_change_not_a_bit() -> None:
    a, b = filled(5, 23, seed=1), filled(3, 23, seed=2)
    before = a.copy(), b.copy()
    added_to(a, np.arange(5, dtype=np.int32), b, np.arange(3, dtype=np.int32), (0,) * 3, np.zeros(15, np.float32))
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])


@kernel
def mean_of(a: FloatArray, rows: IdArray, out: FloatArray) -> None:
    mean_row((a, rows, rows.size), out)


@kernel
def spread_over(a: FloatArray, rows: IdArray, moved: FloatArray) -> None:
    spread_row((a, rows, rows.size), moved)


@pytest.mark.parametrize("count", [1, 2, 7, 19])
def test_a_mean_is_numpys_and_what_became_of_it_is_given_back(count: int) -> None:
    a, before = filled(13, 53, seed=1), filled(13, 53, seed=1)
    rows = np.random.default_rng(count).integers(0, 13, count).astype(np.int32)
    mean = aligned_rows(2, 53)
    mean_of(a, rows, mean)
    np.testing.assert_allclose(mean, np.tile(a[rows].mean(axis=0), (2, 1)), atol=1e-6)
    assert np.array_equal(a, before)
    mean[0] += np.float32(0.25)
    spread_over(a, rows, mean)
    expected = before.copy()
    np.add.at(expected, rows, np.full(53 + 11, 0.25, np.float32))  # a row that stands twice gets it twice
    np.testing.assert_allclose(a, expected, atol=1e-5)
