"""How large the learning rate is at each step, and when a run ends.

*Idea.* Warm up, hold, decay (WSD). While it holds, a run need not know how long it will be; so a budget in minutes
becomes a number of steps at the moment when decay begins, from the speed measured until then. From there on the run is
as reproducible as one whose steps were given.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["Plan", "Shape", "factor", "fix_total"]

Shape = Literal["wsd", "cosine", "linear", "constant", "noam"]

FLOOR = 0.01
"""The learning rate's last value, as a part of its peak."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a run's length, in optimiser steps."""

    shape: Shape
    warmup_steps: int
    total_steps: int | None
    """None while a budget in minutes has not yet become steps."""
    decay_steps: int | None
    """Last steps in which the rate decays (WSD only)."""


def factor(plan: Plan, step: int) -> float:
    """Return the part of the peak learning rate at ``step`` (0, 1, …).

    *Maths.* Warm-up: (step + 1) / warmup. Then, with p the part of the way from the end of warm-up to the last step:
    cosine 0.01 + 0.99 (1 + cos πp) / 2 (Loshchilov & Hutter 2017, eq. 5); linear 1 − 0.99 p; WSD 1, and over its last
    ``decay_steps`` linear (Hu et al. 2024, section 4). noam √(warmup / (step + 1)), which knows no end (Vaswani et al.
    2017, eq. 3, as a part of its peak).

    Where the minutes are over so soon that decay begins within the warm-up, the lower of both is taken: the rate falls
    to its end all the same.
    """
    if step < plan.warmup_steps:
        return min((step + 1) / plan.warmup_steps, _decayed(plan, step))
    if plan.shape == "noam":
        return math.sqrt(max(1, plan.warmup_steps) / (step + 1))
    if plan.shape == "constant" or plan.total_steps is None:
        return 1.0
    if plan.shape == "wsd":
        return _decayed(plan, step)
    way = max(1, plan.total_steps - 1 - plan.warmup_steps)
    part = min(1.0, (step - plan.warmup_steps) / way)
    if plan.shape == "linear":
        return 1.0 - (1.0 - FLOOR) * part
    return FLOOR + (1.0 - FLOOR) * (1.0 + math.cos(math.pi * part)) / 2


def _decayed(plan: Plan, step: int) -> float:
    """Return what decay leaves of the rate at ``step``: 1 before it begins, and for all shapes that know none."""
    if plan.shape != "wsd" or plan.total_steps is None:
        return 1.0
    decay = plan.decay_steps or 0
    left = plan.total_steps - step
    return 1.0 if left > decay else max(FLOOR, left / (decay + 1))


def fix_total(plan: Plan, *, step: int, elapsed_seconds: float, budget_seconds: float) -> Plan:
    """Turn what is left of a budget in seconds into steps, at the speed so far; ``step`` steps are done."""
    speed = max(step, 1) / max(elapsed_seconds, 1e-9)
    decay = max(1, round((budget_seconds - elapsed_seconds) * speed))
    return replace(plan, total_steps=step + decay, decay_steps=decay)
