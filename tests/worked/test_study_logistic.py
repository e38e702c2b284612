"""Logistic regression against problems whose answers are known."""

import math

import numpy as np
import pytest

from ziggurat.study.logistic import fit_logistic


def test_two_classes_by_hand() -> None:
    # one feature, +1 three times of class 1 and once of class 0, −1 the other way round; a weak penalty.
    # By symmetry biases are 0 and weights ∓w; p = σ(2w) would be 3/4 without penalty: 2w = ln 3.
    features = np.array([[1.0]] * 4 + [[-1.0]] * 4)
    classes = np.array([1, 1, 1, 0, 0, 0, 0, 1])
    weights = fit_logistic(features, classes, 2, penalty=1e-9)
    assert weights[0, 1] - weights[0, 0] == pytest.approx(math.log(3), abs=1e-3)
    assert weights[1] == pytest.approx([0.0, 0.0], abs=1e-4)
    # with the penalty 1: derivative of −6 ln σ(2w) − 2 ln σ(−2w) + w² is 0: 12 (1 − σ) − 4 σ = 2w, σ = σ(2w)
    w = fit_logistic(features, classes, 2, penalty=1.0)[0, 1]
    sigma = 1 / (1 + math.exp(-2 * w))
    assert 12 * (1 - sigma) - 4 * sigma == pytest.approx(2 * w, abs=1e-3)


def test_biases_bear_no_penalty_and_give_the_shares() -> None:
    # no feature: p of each class is its share, whatever the penalty
    features, classes = np.zeros((10, 2)), np.array([0] * 5 + [1] * 3 + [2] * 2)
    scores = fit_logistic(features, classes, 3, penalty=100.0)[-1]
    shares = np.exp(scores) / np.exp(scores).sum()
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=1e-4)


def test_it_is_the_optimum_that_others_find() -> None:
    optimise = pytest.importorskip("scipy.optimize")
    dice = np.random.default_rng(0)
    features, classes = dice.standard_normal((101, 7)), dice.integers(0, 3, 101)

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(8, 3)
        scores = features @ weights[:-1] + weights[-1]
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -float(logs[np.arange(101), classes].sum()) + 0.5 * float((weights[:-1] ** 2).sum())

    theirs = optimise.minimize(loss, np.zeros(24), method="BFGS")
    ours = fit_logistic(features, classes, 3)
    assert loss(ours.ravel()) == pytest.approx(theirs.fun, rel=1e-6)
    assert (ours - ours.mean(axis=1, keepdims=True))[:-1] == pytest.approx(ours[:-1], abs=1e-3)


def test_classes_that_a_line_parts_do_not_run_away() -> None:
    features = np.linspace(-2, 2, 23)[:, None]
    weights = fit_logistic(features, (features[:, 0] > 0).astype(np.int64), 2)
    assert np.isfinite(weights).all()
    assert ((features @ weights[:-1] + weights[-1]).argmax(axis=1) == (features[:, 0] > 0)).all()
