"""How long a training goes on, what it takes from the socket and the purse, and what failures cost it."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ziggurat.core.errors import UsageError

__all__ = [
    "TOKENS_PER_PARAMETER",
    "Budget",
    "Failures",
    "check_countable",
    "checkpoint_interval",
    "critical_batch_tokens",
    "failures",
    "lost_part",
    "tokens_of",
]

TOKENS_PER_PARAMETER = 20
"""Tokens for each parameter where compute is spent best (Hoffmann et al. 2022: equal growth of both, table 3)."""

Unit: TypeAlias = Literal["minutes", "steps", "tokens", "epochs", "optimal"]


@dataclass(frozen=True)
class Budget:
    """How much is to be trained, in one unit."""

    unit: Unit
    amount: float = 0.0


def check_countable(budget: Budget, corpus_tokens: float | None) -> None:
    """Refuse a budget that can't be turned into tokens.

    Raises:
        UsageError: it is in epochs, and it is not known how large the text is.
    """
    if budget.unit == "epochs" and corpus_tokens is None:
        raise UsageError(
            "a budget in epochs needs the size of the text: name files, or give --text-tokens or --text-bytes"
        )


def tokens_of(
    budget: Budget, *, step_tokens: int, step_seconds: float, parameters: int, corpus_tokens: float | None
) -> float:
    """Return how many tokens a budget reads.

    Raises:
        UsageError: a budget in epochs, and it is not known how large the text is.
    """
    check_countable(budget, corpus_tokens)
    return {
        "epochs": budget.amount * (corpus_tokens or 0.0),
        "tokens": budget.amount,
        "steps": budget.amount * step_tokens,
        "minutes": 60 * budget.amount / step_seconds * step_tokens,
        "optimal": float(TOKENS_PER_PARAMETER * parameters),
    }[budget.unit]


@dataclass(frozen=True)
class Failures:
    """What a run loses to devices that fail."""

    mean_seconds: float
    """Between two failures of the whole."""
    expected: float
    """Failures in the run."""
    checkpoint_seconds: float
    """That a checkpoint takes."""
    interval_seconds: float
    """Between two checkpoints, where least is lost."""
    lost_part: float
    """Of all time, to checkpoints and to work that is done again."""


def checkpoint_interval(checkpoint_seconds: float, mean_seconds: float) -> float:
    """Return the seconds between checkpoints that lose least.

    *Maths.* √(2·C·M) with C the seconds of a checkpoint and M those between failures (Young 1974; Daly 2006 has terms
    of higher order, which matter where C is not far below M).

    >>> checkpoint_interval(60, 10800)
    1138.4...
    """
    return math.sqrt(2 * checkpoint_seconds * mean_seconds)


def lost_part(checkpoint_seconds: float, mean_seconds: float) -> float:
    """Return the part of all time that failures cost where checkpoints are `checkpoint_interval` apart.

    *Maths.* With an interval of τ the part C/τ goes to checkpoints, and τ/(2·M) to what is done again: together
    √(2·C/M), which is all time where a checkpoint takes half the time between failures.

    Raises:
        UsageError: nothing is left of the time.

    >>> lost_part(60, 12000)
    0.1
    """
    if 2 * checkpoint_seconds >= mean_seconds:
        raise UsageError(
            f"--mtbf: a failure comes every {mean_seconds:,.0f} s, a checkpoint takes {checkpoint_seconds:,.0f} s: the "
            "run never ends; raise --storage or take fewer devices"
        )
    return math.sqrt(2 * checkpoint_seconds / mean_seconds)


def failures(*, useful_seconds: float, devices: int, mtbf_hours: float, checkpoint_seconds: float) -> Failures:
    """Return what is lost beside ``useful_seconds`` on devices each of which fails once in ``mtbf_hours``.

    *Maths.* Failures of devices are independent, so N of them fail N times as often: M = MTBF/N. They come in all of
    the time, in what is lost too.

    Raises:
        UsageError: the run never ends.
    """
    mean = 3600 * mtbf_hours / devices
    lost = lost_part(checkpoint_seconds, mean)
    interval = checkpoint_interval(checkpoint_seconds, mean)
    return Failures(mean, useful_seconds / (1 - lost) / mean, checkpoint_seconds, interval, lost)


CRITICAL_TOKENS, CRITICAL_POWER = 2e8, 0.21


def critical_batch_tokens(loss: float) -> float:
    """Return the tokens of a batch beyond which more rows save few steps, where the loss is ``loss`` nats a token.

    *Maths.* B(L) = B*/L^(1/α) with B* = 2·10⁸ tokens and α = 0.21 (Kaplan et al. 2020, section 5.1, after McCandlish
    et al. 2018); at this size a run takes twice the fewest steps and twice the fewest tokens. The figures are those of
    their text and tokens of about 4 bytes: a rule of thumb elsewhere.

    >>> round(critical_batch_tokens(3.0) / 1e6, 2)
    1.07
    """
    return float(CRITICAL_TOKENS / loss ** (1 / CRITICAL_POWER))
