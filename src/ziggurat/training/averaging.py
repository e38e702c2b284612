"""A mean of weights over steps, which may be better than the weights of any one step.

*Idea.* At a rate that still learns, weights wander about a good place; their mean is nearer to it. So a run that can't
lower its rate in the end, or not for long, still gets most of what lowering it would give, for next to nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from ziggurat.training.schedules import Plan

__all__ = ["EVERY", "Average", "How"]

How: TypeAlias = Literal["none", "ema", "tail"]

EVERY = 10
"""Steps from one look at the weights to the next."""
FADING = 8
"""η of Shamir & Zhang: the larger, the sooner are old weights forgotten."""


class Average:
    """The mean so far.

    *Maths.* The n-th weights w that are looked at change the mean m to m + a·(w − m). ``ema``: a = (η + 1) / (n + η)
    with η = 8, an exponential mean whose memory grows with the run, about its last ninth (Shamir & Zhang 2013, who call
    it polynomial-decay averaging). ``tail``: a = 1 / n from the step on at which the rate begins to fall.

    *Cost.* A copy of the weights, and a pass over them at every tenth step and the last.
    """

    def __init__(
        self, how: How, weights: Callable[[], dict[str, Tensor]], put: Callable[[dict[str, Tensor]], None]
    ) -> None:
        """Look at ``weights()``; ``put(values)`` changes them."""
        self.how = how
        self.count = 0
        """How many weights the mean is of."""
        self.means: dict[str, Tensor] = {}
        self._weights = weights
        self._put = put

    @property
    def ready(self) -> bool:
        """Whether there is a mean."""
        return bool(self.means)

    @torch.no_grad()
    def follow(self, step: int, plan: Plan) -> None:
        """Look at the weights after ``step`` steps, where it is time to."""
        if (step % EVERY and step != plan.total_steps) or not self._begun(step, plan):
            return
        self.count += 1
        found = {name: value for name, value in self._weights().items() if value.is_floating_point()}
        if not self.means:
            self.means = {name: value.clone() for name, value in found.items()}
            return
        share = 1 / self.count if self.how == "tail" else (FADING + 1) / (self.count + FADING)
        torch._foreach_lerp_([_own(mean) for mean in self.means.values()], [_own(found[n]) for n in self.means], share)

    def _begun(self, step: int, plan: Plan) -> bool:
        if self.how != "tail":
            return self.how == "ema"
        return plan.total_steps is not None and step > plan.total_steps - (plan.decay_steps or 0)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Let the weights be the mean inside a ``with`` block, and what they were after it."""
        before = {name: value.clone() for name, value in self._weights().items()}
        self._put({**before, **self.means})
        try:
            yield
        finally:
            self._put(before)

    def keep(self) -> None:
        """Let the weights be the mean."""
        self._put({**self._weights(), **self.means})

    def take(self, means: Mapping[str, Tensor]) -> None:
        """Go on from ``means``; `count` is told apart."""
        self.means = dict(means)


def _own(value: Tensor) -> Tensor:
    """Return this process's rows, where each has only some."""
    return value.to_local() if isinstance(value, DTensor) else value
