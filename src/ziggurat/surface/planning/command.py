"""The command that trains what was planned."""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ziggurat.study.planning.memory import OFFERED
from ziggurat.study.planning.plan import Plan
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.subjects import Planned

__all__ = ["Order", "train_command"]

MEETING = "--rdzv-backend=c10d --rdzv-endpoint=FIRST:29400"
"""Where processes of several nodes find each other."""


@dataclass(frozen=True)
class Order:
    """What a plan was asked for, as it stood on the command line."""

    recipe: str
    names: tuple[str, ...] = ()
    """The text."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """Keys of the recipe: ``{"model.layers": "6"}``."""
    options: PlanOptions = field(default_factory=PlanOptions)


def train_command(order: Order, found: Sequence[tuple[Planned, Plan]]) -> str | None:
    """Return what trains as planned; None where it does not fit, or our trainer or torchrun's nodes can't do it.

    Several devices are as many processes of torchrun, with the rows of all in one batch. What was set for the plan
    alone (``--rows``, ``--window``, ``--precision``, the budget) becomes keys of the recipe.
    """
    first = found[0][1]
    hardware = first.hardware
    each = min(hardware.devices, hardware.device.per_node)
    trains = all(plan.fits and plan.strategy in OFFERED and (plan.tokens or not plan.counts) for _, plan in found)
    if hardware.devices % each or not trains:
        return None
    words = [*(map(shlex.quote, order.names) if order.names else ["TEXT…"]), "--recipe", shlex.quote(order.recipe)]
    words += [*_keys(order, found), *_budget(order, found)]
    if hardware.devices == 1:
        return " ".join(["ziggurat train", *words])
    several = hardware.nodes > 1
    launch = ["torchrun", *([f"--nnodes={hardware.nodes}"] if several else []), f"--nproc-per-node={each}"]
    launch += [MEETING] if several else []
    return " ".join([*launch, "-m ziggurat train", *words, "--out FOLDER"])


def _keys(order: Order, found: Sequence[tuple[Planned, Plan]]) -> list[str]:
    """Return the keys of the recipe: those that were given, and before them those that follow from the plan."""
    options, keys = order.options, dict(order.flags)
    for one, plan in found:
        devices, own = plan.hardware.devices, {}
        if devices > 1 or options.rows is not None:
            own["rows"] = str(devices * plan.work.load.rows)
        if options.window is not None:
            own["window"] = str(options.window)
        if options.precision is not None:
            own["precision"] = options.precision
        if plan.recompute != one.recomputes:
            own["recompute"] = str(plan.recompute).lower()
        if devices > 1:
            own["spread"] = plan.strategy
        keys |= {f"{one.section}.{key}": value for key, value in own.items()}
    return [f"--{key} {shlex.quote(value)}" if value else f"--{key}=" for key, value in keys.items()]


def _budget(order: Order, found: Sequence[tuple[Planned, Plan]]) -> list[str]:
    """Return the budget that was given; tokens as steps, since a step of each model has as many as its plan says."""
    options = order.options
    if options.tokens is not None or options.optimal:
        steps = [max(1, math.ceil(plan.steps)) for _, plan in found]
        if len(set(steps)) == 1:
            return [f"--steps {steps[0]}"]
        return [word for (one, _), many in zip(found, steps, strict=True) for word in _own_steps(one, many)]
    for unit in ("minutes", "steps", "epochs"):
        amount = getattr(options, unit)
        if amount is not None:
            return [f"--{unit} {amount:.12g}"]
    return []


def _own_steps(one: Planned, steps: int) -> list[str]:
    """Return the keys by which one model of several is trained for ``steps``, and by no other budget of its recipe."""
    others = [unit for unit in ("minutes", "tokens", "epochs") if getattr(one.training, unit, None) is not None]
    return [f"--{one.section}.steps {steps}", *(f"--{one.section}.{unit}=" for unit in others)]
