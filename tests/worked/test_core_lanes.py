"""Products and updates of gathered rows against NumPy's."""

import numpy as np
import numpy.typing as npt
import pytest

from ziggurat.core.compiled import kernel
from ziggurat.core.lanes import BLOCK, WIDTH, add_rows, aligned_rows, dot_rows, padded
from ziggurat.core.types import FloatArray, IdArray


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
