"""Temperature scaling: how sure a classifier may be, learnt on held-out answers by one number."""

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.use.calibration import among_labels

__all__ = ["HIGHEST", "LOWEST", "PULL", "fit_temperature", "mean_nll", "tempered"]

LOWEST, HIGHEST = 0.01, 100.0
"""Between which a temperature is sought: where all answers are right, nll falls with it for ever."""
PULL = 5.0
"""Answers that the wish to leave all as it is counts as much as."""
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

    low, high = -np.log(HIGHEST), -np.log(LOWEST)
    if slope(1.0) == 0.0:
        return 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
    found = float(np.exp(-(low + high) / 2))
    return found if mean_nll(z, targets, temperature=found) < mean_nll(z, targets) else 1.0
