"""Finding where a smooth convex function is least, by quasi-Newton steps with a short memory."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["minimise"]

Matrix = npt.NDArray[np.float64]

MEMORY = 10
"""Steps that the minimiser remembers."""
SUFFICIENT = 1e-4
"""Part of the decrease that the slope promises which a step must bring."""


def minimise(
    function: Callable[[Matrix], tuple[float, Matrix]], start: Matrix, *, tolerance: float = 1e-5, most: int = 500
) -> Matrix:
    """Return where a smooth convex function, given with its gradient, is least.

    *Maths.* L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) with steps halved until the decrease is sufficient
    (ibid., eq. 3.6a). It ends when no entry of the gradient exceeds ``tolerance`` times 1 + |value|.
    """
    point = start.copy()
    value, gradient = function(point)
    past: list[tuple[Matrix, Matrix]] = []
    for _ in range(most):
        if float(np.abs(gradient).max()) <= tolerance * (1 + abs(value)):
            break
        direction = -_scaled(gradient, past)
        slope = float(direction @ gradient)
        step = 1.0 if past else min(1.0, 1.0 / float(np.abs(gradient).sum()))
        while True:
            reached, there = function(point + step * direction)
            if reached <= value + SUFFICIENT * step * slope or step < 1e-12:
                break
            step /= 2
        moved, changed = step * direction, there - gradient
        if float(moved @ changed) > 0:
            past = [*past[-(MEMORY - 1) :], (moved, changed)]
        point, value, gradient = point + moved, reached, there
    return point


def _scaled(gradient: Matrix, past: list[tuple[Matrix, Matrix]]) -> Matrix:
    """Return the gradient times the inverse Hessian as far as past steps tell it (two loops)."""
    found = gradient.copy()
    factors = []
    for moved, changed in reversed(past):
        factor = float(moved @ found) / float(moved @ changed)
        factors.append(factor)
        found -= factor * changed
    if past:
        moved, changed = past[-1]
        found *= float(moved @ changed) / float(changed @ changed)
    for (moved, changed), factor in zip(past, reversed(factors), strict=True):
        found += moved * (factor - float(changed @ found) / float(moved @ changed))
    return found
