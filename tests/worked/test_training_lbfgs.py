"""The minimiser against functions whose least point is known."""

import numpy as np
import pytest

from ziggurat.training.lbfgs import minimise


def test_the_least_of_a_bowl() -> None:
    # f = ½ xᵀ A x − b x has its least at A⁻¹ b: 2x + y = 1, x + 3y = −2: x = 1, y = −1
    matrix, vector = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, -2.0])
    found = minimise(lambda x: (float(x @ matrix @ x / 2 - vector @ x), matrix @ x - vector), np.zeros(2))
    assert found == pytest.approx([1.0, -1.0], abs=1e-4)


def test_a_narrow_valley_is_followed() -> None:
    scales = np.geomspace(1, 1e4, 17)
    found = minimise(
        lambda x: (float((scales * (x - 1) ** 2).sum() / 2), scales * (x - 1)), np.zeros(17), tolerance=1e-9
    )
    assert found == pytest.approx(np.ones(17), abs=1e-4)


def test_where_it_stands_already_it_stays() -> None:
    found = minimise(lambda x: (float(x @ x), 2 * x), np.zeros(3))
    assert found.tolist() == [0.0, 0.0, 0.0]
