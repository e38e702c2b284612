"""Multinomial logistic regression with an L2 penalty: convex, so there is one answer, and no rate to tune."""

import numpy as np
import numpy.typing as npt

from ziggurat.training.lbfgs import minimise

__all__ = ["fit_logistic"]

Matrix = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


def fit_logistic(features: Matrix, classes: Ids, count: int, *, penalty: float = 1.0) -> Matrix:
    """Return (D + 1, count) weights of a classifier, the last row its biases, which bear no penalty.

    *Maths.* Minimises −Σ log softmax(x W + b)[class] + penalty / 2 · ‖W‖² (Hastie, Tibshirani & Friedman 2009, section
    4.4.4), from zero.

    Args:
        features: (N, D).
        classes: (N,) class of each row, 0 … count − 1.
        count: Classes.
        penalty: Of the squared weights.
    """
    rows = np.hstack([features, np.ones((len(features), 1))])
    shape = (rows.shape[1], count)
    wanted = np.zeros((len(rows), count))
    wanted[np.arange(len(rows)), classes] = 1.0
    weighs = np.full(shape, penalty)
    weighs[-1] = 0.0

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(shape)
        scores = rows @ weights
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        value = -float((logs * wanted).sum()) + float((weighs * weights**2).sum()) / 2
        return value, (rows.T @ (np.exp(logs) - wanted) + weighs * weights).ravel()

    return minimise(loss, np.zeros(shape[0] * shape[1])).reshape(shape)
