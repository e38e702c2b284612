"""What a machine does in a second: the figures that a step's time is made of, and how they are read off between sizes.

*Idea.* A small network on a processor is far from the speed of the largest matrix product, and how far depends on the
sizes of its matrices. So a handful of things that every training step consists of are measured at a few sizes
(`ziggurat.training.speed`), and what lies between is interpolated. No figure belongs to a recipe.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, TypeAlias

from ziggurat.core.errors import DamagedError

__all__ = ["Curve", "Machine", "Rates", "Sheet", "between", "of_mapping", "on_sheet"]

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""Sizes, ascending, and what was measured at each."""

Sheet: TypeAlias = tuple[tuple[float, Curve], ...]
"""Curves for a second size, ascending."""


@dataclass(frozen=True)
class Rates:
    """What was measured in one precision."""

    products: Sheet
    """Operations a second of a matrix product and the two of its gradients: by tokens, then by √(inputs · outputs)."""
    attention: Curve
    """Operations a second of attention, forward and backward, by the tokens that each looks at."""
    cells: Sheet
    """Operations a second of a recurrent layer, forward and backward: by rows, then by cells."""
    moved: Curve
    """Seconds for everything that is no product, a byte that is kept for the backward pass, by numbers in a vector
    between layers of all tokens."""
    logit_forward: Curve
    """Seconds that a log-probability takes beside its product, by how many are made at once."""
    logit_backward: Curve
    """Seconds that its gradient takes."""
    part: float
    """Seconds that a part of a model takes however little it has to do."""

    def slowed(self, times: float) -> "Rates":
        """Return the rates of something ``times`` slower: fewer operations a second, more seconds for the rest."""

        def by(curve: Curve, factor: float) -> Curve:
            return tuple((size, value * factor) for size, value in curve)

        return Rates(
            products=tuple((size, by(curve, 1 / times)) for size, curve in self.products),
            attention=by(self.attention, 1 / times),
            cells=tuple((size, by(curve, 1 / times)) for size, curve in self.cells),
            moved=by(self.moved, times),
            logit_forward=by(self.logit_forward, times),
            logit_backward=by(self.logit_backward, times),
            part=self.part * times,
        )


@dataclass(frozen=True)
class Machine:
    """This machine as it was measured."""

    f32: Rates
    bf16: Rates
    bandwidth: float
    """Bytes a second that are read and written where nothing fits the caches."""
    update: float
    """Seconds for a trained number: its gradient is measured, and AdamW moves it."""
    memory_bytes: int
    """All there is."""
    runtime_bytes: int
    """What a process that trains holds before it has a model."""
    slack: float
    """Bytes that its peak grows by for each byte that its arrays add up to."""
    threads: int
    counting: float
    """Seconds in which a token is counted, for each order of an n-gram model: sorted, counted and smoothed."""
    telling: float
    """Seconds that a number takes which counts hand to a network: read, and weighed forward and backward."""

    def shared_by(self, processes: int, *, cores: int) -> "Machine":
        """Return what one of ``processes`` has of this machine and its ``cores``, all of them at work.

        *Maths.* What was measured is what `threads` threads do. P processes of as many get cores / (P·threads) of their
        time, where these are more than there are cores; where they are not, each is as fast as one alone. Bandwidth is
        that of all, so each has a P-th of it; memory too.

        *Departs.* What moves numbers one by one waits for memory or for cores, which was not measured apart: it is
        slowed down as products are.
        """
        slower = max(1.0, processes * self.threads / cores)
        return replace(
            self,
            f32=self.f32.slowed(slower),
            bf16=self.bf16.slowed(slower),
            bandwidth=self.bandwidth / processes,
            update=self.update * slower,
            memory_bytes=self.memory_bytes // processes,
            counting=self.counting * slower,
            telling=self.telling * slower,
        )

    def of(self, precision: str) -> Rates:
        """Return the rates of a precision."""
        return self.bf16 if precision == "bf16" else self.f32

    def to_mapping(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {"f32": dict(vars(self.f32)), "bf16": dict(vars(self.bf16))}


def of_mapping(mapping: Mapping[str, Any]) -> Machine:
    """Return what `Machine.to_mapping` gave.

    Raises:
        DamagedError: it is something else.
    """
    try:
        rates = {name: _rates(mapping[name]) for name in ("f32", "bf16")}
        rest = {field.name: mapping[field.name] for field in fields(Machine) if field.name not in rates}
        whole = ("memory_bytes", "runtime_bytes", "threads")
        numbers = {key: int(value) if key in whole else float(value) for key, value in rest.items()}
        return Machine(**rates, **numbers)  # type: ignore[arg-type]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"these are no rates of a machine: {error}") from None


def between(curve: Sequence[tuple[float, float]], size: float) -> float:
    """Return what a curve says at ``size``: between two sizes that were measured on the straight line of logarithms.

    Beyond the ends it says what it says at the end.

    >>> round(between(((10, 1.0), (1000, 100.0)), 100), 9), between(((10, 1.0), (1000, 100.0)), 4)
    (10.0, 1.0)
    """
    sizes = [one for one, _ in curve]
    place = bisect_left(sizes, size)
    if place in (0, len(sizes)):
        return curve[min(place, len(sizes) - 1)][1]
    (low, at_low), (high, at_high) = curve[place - 1 : place + 1]
    part = math.log(size / low) / math.log(high / low)
    return math.exp((1 - part) * math.log(at_low) + part * math.log(at_high))


def on_sheet(sheet: Sheet, first: float, second: float) -> float:
    """Return what a sheet says at two sizes, interpolated in both."""
    return between([(size, between(curve, second)) for size, curve in sheet], first)


def _rates(mapping: Mapping[str, Any]) -> Rates:
    curves = {name: _curve(mapping[name]) for name in ("attention", "moved", "logit_forward", "logit_backward")}
    sheets = {name: _sheet(mapping[name]) for name in ("products", "cells")}
    return Rates(part=float(mapping["part"]), **curves, **sheets)  # type: ignore[arg-type]


def _curve(points: Any) -> Curve:
    curve = tuple((float(size), float(value)) for size, value in points)
    if not curve or any(a >= b for (a, _), (b, _) in pairwise(curve)) or any(min(pair) <= 0 for pair in curve):
        raise ValueError("sizes must grow, and all numbers be positive")
    return curve


def _sheet(points: Any) -> Sheet:
    sheet = tuple((float(size), _curve(curve)) for size, curve in points)
    _curve([(size, 1.0) for size, _ in sheet])
    return sheet
