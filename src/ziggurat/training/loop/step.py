"""One optimiser step: batches, whose gradients are weighed by what they predict, one clipping, one change."""

from functools import partial
from typing import NamedTuple

import torch

from ziggurat.models.blocks.network import Network
from ziggurat.training.clipping import clip_norm
from ziggurat.training.loop.config import Config
from ziggurat.training.loop.spreading import Spread, whole
from ziggurat.training.objectives.objective import Loss, Objective
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

    def __init__(self, config: Config, network: Network, objective: Objective, spread: Spread) -> None:
        """Make steps of ``network`` towards ``objective``; ``spread`` says how it is shared among processes."""
        self.config = config
        self.network = network
        self.objective = objective
        self.spread = spread
        self.half = uses_bfloat16(config.precision, network)
        self.optimiser = optimiser(
            network,
            config.optimiser,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(config.beta1, config.beta2),
            table_rate=config.table_rate,
            new_rate=config.new_rate,
        )
        network.sparse_tables(spread.sparse)

    def make(self, step: int, learning_rate: float) -> Made:
        """Make optimiser step ``step`` (0, 1, …)."""
        self.optimiser.set_learning_rate(learning_rate)
        self.optimiser.zero_grad()
        loss = self._gradients(step)
        limit = self.config.clip_norm or float("inf")
        norm = clip_norm(self.network.parameters(), limit)
        self.optimiser.step()
        return Made(loss, whole(norm).item())

    def _gradients(self, step: int) -> float:
        """Add up the gradients of the step's batches, over all processes; return the mean loss of their tokens."""
        parts, processes = self.config.accumulate, self.spread.processes
        total, count = 0.0, 0.0
        # how many tokens the batches predict together is known behind the last: until then a number that all processes
        # know is the unit, alone that of the first batch
        unit = self.objective.tokens_per_batch if processes.count > 1 else 0
        for part in range(parts):
            number = step * parts + part
            mean, predicted = self.spread.under(partial(self._loss, number), last=part == parts - 1)
            unit = unit or max(1, predicted)
            (mean * (predicted / unit)).backward()  # type: ignore[no-untyped-call]
            total, count = total + mean.item() * predicted, count + predicted
        self.spread.add_up()
        total, count = processes.summed(total, count)
        if count and count != unit:
            for weight in self.network.parameters():
                if weight.grad is not None:
                    weight.grad *= unit / count
        return total / max(1, count)

    def _loss(self, number: int) -> Loss:
        with torch.autocast(self.network.device.type, torch.bfloat16, enabled=self.half):
            return self.objective.loss(number)
