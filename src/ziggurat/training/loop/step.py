"""One optimiser step: batches, whose gradients are weighed by what they predict, one clipping, one change."""

from typing import NamedTuple

import torch

from ziggurat.models.blocks.network import Network
from ziggurat.training.loop.config import Config
from ziggurat.training.objectives.objective import Objective
from ziggurat.training.optimisers import optimiser
from ziggurat.training.precision import uses_bfloat16

__all__ = ["Made", "Stepper"]


class Made(NamedTuple):
    """What a step tells."""

    loss: float
    """Mean nats per predicted token, before the step."""
    norm: float
    """Length of the gradient, before clipping."""


class Stepper:
    """Makes the steps of one run."""

    def __init__(self, config: Config, network: Network, objective: Objective) -> None:
        """Make steps of ``network`` towards ``objective``."""
        self.config = config
        self.network = network
        self.objective = objective
        self.half = uses_bfloat16(config.precision, network)
        self.optimiser = optimiser(
            network,
            config.optimiser,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(config.beta1, config.beta2),
        )

    def make(self, step: int, learning_rate: float) -> Made:
        """Make optimiser step ``step`` (0, 1, …)."""
        self.optimiser.set_learning_rate(learning_rate)
        self.optimiser.zero_grad()
        loss = self._gradients(step)
        limit = self.config.clip_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), limit)
        self.optimiser.step()
        return Made(loss, norm.item())

    def _gradients(self, step: int) -> float:
        """Add up the gradients of the step's batches; return the mean loss of their tokens."""
        total, count, unit = 0.0, 0, 1
        for part in range(self.config.accumulate):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
                mean, predicted = self.objective.loss(step * self.config.accumulate + part)
            # how many tokens the batches predict together is known behind the last: until then the first's is the unit
            unit = unit if part else max(1, predicted)
            (mean * (predicted / unit)).backward()  # type: ignore[no-untyped-call]
            total, count = total + mean.item() * predicted, count + predicted
        if count > unit:
            for weight in self.network.parameters():
                if weight.grad is not None:
                    weight.grad *= unit / count
        return total / max(1, count)
