"""Finding where a smooth convex function is least, by quasi-Newton steps with a short memory."""

from collections.abc import Callable
from typing import NamedTuple

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
    past: list[_Step] = []
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
        if (curvature := float(moved @ changed)) > 0:
            past = [*past[-(MEMORY - 1) :], _Step(moved, changed, curvature)]
        point, value, gradient = point + moved, reached, there
    return point


class _Step(NamedTuple):
    """A step that was taken, what it changed the gradient by, and their product."""

    moved: Matrix
    changed: Matrix
    curvature: float


def _scaled(gradient: Matrix, past: list[_Step]) -> Matrix:
    """Return the gradient times the inverse Hessian as far as past steps tell it (two loops)."""
    found, room = gradient.copy(), np.empty_like(gradient)
    factors = []
    for step in reversed(past):
        factor = float(step.moved @ found) / step.curvature
        factors.append(factor)
        found -= np.multiply(step.changed, factor, out=room)
    if past:
        found *= past[-1].curvature / float(past[-1].changed @ past[-1].changed)
    for step, factor in zip(past, reversed(factors), strict=True):
        found += np.multiply(step.moved, factor - float(step.changed @ found) / step.curvature, out=room)
    return found
