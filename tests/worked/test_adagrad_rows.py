"""Products and AdaGrad steps of two rows, and numbers taken by threads, against the same in NumPy."""

import math

import numpy as np
import pytest

from ziggurat.core.compiled import in_parallel, kernel
from ziggurat.core.lanes import WIDTH, aligned_rows
from ziggurat.training.kernels.adagrad_rows import adagrad_step, prefetch_row, row_product
from ziggurat.training.kernels.counter import take_number


@kernel
def product(a, i, b, j):
    return row_product(a, i, b, j)


@kernel
def step(a, i, b, j, factor):
    prefetch_row(a, i)
    adagrad_step(a, i, b, j, factor)


@kernel
def take(counter, taken):
    while True:
        number = take_number(counter)
        if number >= taken.size:
            return
        taken[number] += 1


def drawn(rows: int, half: int, seed: int) -> np.ndarray:
    """Rows of vectors, and behind them sums from 1 to 2."""
    dice = np.random.default_rng(seed)
    found = aligned_rows(rows, 2 * half)
    found[:, :half] = dice.normal(size=(rows, half))
    found[:, half:] = dice.uniform(1, 2, size=(rows, half))
    return found


@pytest.mark.parametrize("half", [WIDTH, 3 * WIDTH, 7 * WIDTH])
def test_the_product_is_of_the_vectors_alone(half: int) -> None:
    a, b = drawn(3, half, 1), drawn(5, half, 2)
    expected = float(a[2, :half].astype(np.float64) @ b[3, :half])
    assert product(a, 2, b, 3) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("half", [WIDTH, 3 * WIDTH])
def test_a_step(half: int) -> None:
    a, b = drawn(3, half, 1), drawn(5, half, 2)
    u, g = a[1, :half].astype(np.float64), a[1, half:].astype(np.float64)
    v, h = b[4, :half].astype(np.float64), b[4, half:].astype(np.float64)
    before = a.copy(), b.copy()
    step(a, 1, b, 4, 0.7)
    # s = 0.7 v, G += s², u −= s / √G; and the same for v with the u from before
    assert np.allclose(a[1, half:], g + (0.7 * v) ** 2, rtol=1e-6)
    assert np.allclose(a[1, :half], u - 0.7 * v / np.sqrt(g + (0.7 * v) ** 2), rtol=1e-5, atol=1e-6)
    assert np.allclose(b[4, half:], h + (0.7 * u) ** 2, rtol=1e-6)
    assert np.allclose(b[4, :half], v - 0.7 * u / np.sqrt(h + (0.7 * u) ** 2), rtol=1e-5, atol=1e-6)
    for matrix, old, row in ((a, before[0], 1), (b, before[1], 4)):
        others = np.arange(len(matrix)) != row
        assert np.array_equal(matrix[others], old[others])


def test_one_number_by_hand() -> None:
    # u = 3 with sum 4, v = 2 with sum 1, factor 0.5
    # s_u = 0.5 · 2 = 1, G_u = 5, u = 3 − 1/√5; s_v = 0.5 · 3 = 1.5, G_v = 3.25, v = 2 − 1.5/√3.25
    a, b = aligned_rows(1, 2 * WIDTH), aligned_rows(1, 2 * WIDTH)
    a[:, WIDTH:], b[:, WIDTH:] = 1, 1
    a[0, 0], a[0, WIDTH], b[0, 0] = 3, 4, 2
    step(a, 0, b, 0, 0.5)
    assert a[0, 0] == pytest.approx(3 - 1 / math.sqrt(5), rel=1e-6)
    assert b[0, 0] == pytest.approx(2 - 1.5 / math.sqrt(3.25), rel=1e-6)
    assert (a[0, WIDTH], b[0, WIDTH]) == (5, 3.25)
    assert not a[0, 1:WIDTH].any()  # padding stays zero


def test_a_component_with_a_boundless_sum_never_moves() -> None:
    a, b = drawn(1, WIDTH, 1), drawn(1, WIDTH, 2)
    a[0, 5], a[0, WIDTH + 5] = 1, 1e30
    for _ in range(100):
        step(a, 0, b, 0, 10.0)
    assert a[0, 5] == 1
    assert a[0, WIDTH + 5] == np.float32(1e30)


def test_no_step_is_longer_than_one() -> None:
    a, b = drawn(1, WIDTH, 1), drawn(1, WIDTH, 2)
    a[0, WIDTH:] = b[0, WIDTH:] = 1
    for _ in range(1000):
        before = a[0, :WIDTH].copy(), b[0, :WIDTH].copy()
        step(a, 0, b, 0, 1e4)
        assert np.abs(a[0, :WIDTH] - before[0]).max() <= 1.0001
        assert np.abs(b[0, :WIDTH] - before[1]).max() <= 1.0001
    assert np.isfinite(a).all()


@pytest.mark.parametrize("threads", [1, 4])
def test_every_number_is_taken_once(threads: int) -> None:
    counter, taken = np.zeros(1, np.int64), np.zeros(100_003, np.int64)
    in_parallel([lambda: take(counter, taken)] * threads, threads=threads)
    assert (taken == 1).all()
    assert counter[0] == taken.size + threads  # each thread saw the end
