"""Temperature scaling: how sure a classifier or tagger may be, learnt on held-out answers by one number."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.types import Told
from ziggurat.use.calibration import among_labels

__all__ = ["HIGHEST", "LOWEST", "PULL", "answers_temperature", "fit_temperature", "mean_nll", "tempered"]

LOWEST, HIGHEST = 0.01, 100.0
"""Between which a temperature is sought: where all answers are right, nll falls with it for ever."""
PULL = 5.0
"""Answers that the wish to leave all as it is counts as much as."""
ANSWERS_PULL = 1.0
"""The same for answers made of many labels, which are often far too unsure: 10 of 0.5 that are all right come out at
0.916, beside 11/12 by Laplace's rule of succession."""
LEAST = 1e-300
"""Probability that an answer has at least: a long one may underflow."""
MOST_NATS = 700.0
"""Beyond which e^x overflows."""
STEPS = 60
"""Halvings of the stretch between, in logarithm: it ends far below what a float tells apart."""

Logprobs = npt.NDArray[np.float64]
Targets = npt.NDArray[np.integer]


def tempered(logprobs: Logprobs, temperature: float) -> Logprobs:
    """Return (N, L) log-probabilities at ``temperature``: above 1 less sure, below 1 surer, always in the same order.

    *Maths.* softmax(z / T) (Guo et al. 2017, eq. 9).
    """
    return np.asarray(log_softmax(among_labels(logprobs) / temperature), dtype=np.float64)


def mean_nll(logprobs: Logprobs, targets: Targets, *, temperature: float = 1.0) -> float:
    """Return the mean nats of the right labels, whose columns are ``targets`` (N,), in (N, L) log-probabilities."""
    return -float(tempered(logprobs, temperature)[np.arange(len(targets)), targets].mean())


def fit_temperature(logprobs: Logprobs, targets: Targets, *, pull: float = PULL) -> float:
    """Return the temperature at which held-out (N, L) log-probabilities say ``targets`` (N,) with the least nll.

    *Idea.* The temperature changes no answer, only how sure it is. But where few answers are held out and all of them
    are right, the surest model seems the best; so temperatures are likelier the nearer they are to 1.

    *Maths.* In β = 1 / T, N·nll = Σ (log Σ_k exp(β z_k) − β z_y) is convex; its slope, Σ (E_β[z] − z_y), grows with β
    (Guo et al. 2017, section 4.2). To it comes ``pull`` · (β − log β), convex too and least at β = 1: β is drawn from a
    gamma distribution with this mode. Where the slope of the sum is 0 is the least, found by halving log β between
    1 / `HIGHEST` and 1 / `LOWEST`, which is the answer where the slope has one sign throughout.

    Raises:
        UsageError: there are not as many targets as rows, or one is no column.
        TooLittleTextError: there are none.
    """
    if len(logprobs) != len(targets):
        raise UsageError(f"{len(targets)} right labels for {len(logprobs)} answers: give one for each")
    if not len(targets):
        raise TooLittleTextError("no held-out answers: a temperature needs some to be fitted on")
    if targets.min() < 0 or targets.max() >= logprobs.shape[1]:
        raise UsageError(f"a right label is none of the {logprobs.shape[1]} columns")
    z = among_labels(logprobs)
    said = z[np.arange(len(targets)), targets]

    def slope(beta: float) -> float:
        expected = (np.exp(log_softmax(beta * z)) * z).sum(axis=1)
        return float((expected - said).sum()) + pull * (1 - 1 / beta)

    found = _level(slope)
    return found if mean_nll(z, targets, temperature=found) < mean_nll(z, targets) else 1.0


def answers_temperature(told: Sequence[Told], right: Sequence[Any], *, pull: float = ANSWERS_PULL) -> float | None:
    """Return the temperature at which answers are as probable as they are ``right``; None where none says how sure.

    *Idea.* Of an answer made of many labels only its own probability p is known. Raised to the power 1 / T it says how
    often such answers are right, and the order of answers by p stays as it is.

    *Maths.* In β = 1 / T, nll = −Σ_right β log p − Σ_wrong log(1 − p^β) is convex, for log(1 − e^(βx)) is concave in β;
    its slope is −Σ_right log p + Σ_wrong log p / (p^−β − 1). To it comes ``pull``, as in `fit_temperature`.

    Raises:
        UsageError: there are not as many right answers as answers.
    """
    if len(told) != len(right):
        raise UsageError(f"{len(right)} right answers for {len(told)} answers: give one for each")
    sure = np.array([one.confidence for one in told if one.confidence is not None], np.float64)
    if not len(sure):
        return None
    pairs = [(one, gold) for one, gold in zip(told, right, strict=True) if one.confidence is not None]
    hits = np.array([one.answer == gold for one, gold in pairs])
    logs = np.log(np.clip(sure, LEAST, 1 - np.finfo(np.float32).eps))

    def slope(beta: float) -> float:
        wrong = logs[~hits] / np.expm1(np.minimum(-beta * logs[~hits], MOST_NATS))
        return float(wrong.sum() - logs[hits].sum()) + pull * (1 - 1 / beta)

    return _level(slope)


def _level(slope: Callable[[float], float]) -> float:
    """Return the temperature 1 / β at which a ``slope`` that grows with β is 0, or the last on the way there."""
    if slope(1.0) == 0.0:
        return 1.0
    low, high = -np.log(HIGHEST), -np.log(LOWEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
    return float(np.exp(-(low + high) / 2))
