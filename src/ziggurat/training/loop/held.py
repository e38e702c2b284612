"""What a checkpoint of the loop holds: weights, the optimiser's memory, carried state, random numbers."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from ziggurat.core.types import TensorMap
from ziggurat.models.blocks.network import Network, NetworkState
from ziggurat.training.averaging import Average
from ziggurat.training.frozen import frozen_names
from ziggurat.training.job import Share
from ziggurat.training.loop.spreading import like, local, whole
from ziggurat.training.loop.step import Stepper

__all__ = ["Held", "arrays", "tensors"]

_WEIGHTS, _MEMORY, _MEAN, _CARRIED, _DICE = "model.", "optimiser.", "average.", "carried.", "rng"


class Held:
    """All tensors that a run goes on from, by name."""

    def __init__(self, network: Network, stepper: Stepper) -> None:
        """Hold those of ``stepper`` and its network."""
        self.network = network
        self.stepper = stepper
        self.frozen = frozen_names(network)
        self.average = Average(stepper.config.average, self.trained, self.put_back)

    def trained(self) -> dict[str, torch.Tensor]:
        """Return what training changes; frozen weights are in no checkpoint."""
        return {name: value for name, value in self.network.state_dict().items() if name not in self.frozen}

    def put_back(self, weights: dict[str, torch.Tensor]) -> None:
        """Take back what `trained` gave, or the same as whole tensors.

        Raises:
            KeyError: they are weights of another model.
        """
        own = self.trained()
        if differing := own.keys() ^ weights.keys():
            raise KeyError(f"weights of another model: {', '.join(sorted(differing))}")
        with torch.no_grad():
            for name, value in own.items():
                if value.shape != weights[name].shape:
                    raise ValueError(f"{name} is of another shape")
                value.copy_(like(weights[name], value))

    def give(self) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Return what all processes have alike, and the rows that this one has of the rest."""
        processes = self.stepper.spread.processes
        alike: dict[str, torch.Tensor] = {}
        rows: dict[str, torch.Tensor] = {}
        kinds = {
            _WEIGHTS: self.trained().items(),
            _MEMORY: self.stepper.optimiser.held(),
            _MEAN: self.average.means.items(),
        }
        for prefix, found in kinds.items():
            for name, value in found:
                part = local(value)
                (alike if part is None else rows)[f"{prefix}{name}"] = value if part is None else part
        carried = alike if processes.count == 1 else rows
        carried.update({f"{_CARRIED}{place}": value for place, value in _leaves(self.stepper.objective.carried)})
        for name, dice in self._dice().items():
            for rank, state in enumerate(processes.gathered(dice.give())):
                alike[f"{name}.{rank}" if rank else name] = state
        return alike, rows

    def take(self, held: dict[str, torch.Tensor]) -> None:
        """Take back what `give` gave, all rows of all processes put together; there may be more or fewer now.

        Raises:
            KeyError: it is another model's.
            ValueError: it is another optimiser's.
        """
        processes = self.stepper.spread.processes
        self.put_back(_under(_WEIGHTS, held))
        self.stepper.optimiser.take(_under(_MEMORY, held), like)
        own_weights = self.trained()
        means = {n: like(value.to(own_weights[n].device), own_weights[n]) for n, value in _under(_MEAN, held).items()}
        self.average.take(means)
        carried = _under(_CARRIED, held)
        share = Share(processes.rank, processes.count)
        device = self.network.device
        own = {place: value[share.of(len(value))].contiguous().to(device) for place, value in carried.items()}
        self.stepper.objective.carried = _nested(own)
        for name, dice in self._dice().items():
            state = held.get(f"{name}.{processes.rank}" if processes.rank else name)
            if state is not None:  # a process more than there were goes on with the stream that it began
                dice.take(state)

    def _dice(self) -> dict[str, "_Dice"]:
        """Return what training draws from: the processor's random numbers, and where it computes there, the GPU's."""
        found = {_DICE: _Dice(torch.get_rng_state, torch.set_rng_state)}
        device = self.network.device
        if device.type == "cuda":
            found[f"{_DICE}.cuda"] = _Dice(
                partial(torch.cuda.get_rng_state, device), partial(torch.cuda.set_rng_state, device=device)
            )
        return found


class _Dice(NamedTuple):
    """One stream of random numbers."""

    give: Callable[[], torch.Tensor]
    take: Callable[[torch.Tensor], None]


def arrays(found: dict[str, torch.Tensor]) -> TensorMap:
    """Return tensors as arrays, which files hold; of tensors in parts all processes must ask for them."""
    return {name: whole(value).detach().cpu().numpy() for name, value in found.items()}


def tensors(found: TensorMap) -> dict[str, torch.Tensor]:
    """Return arrays as tensors."""
    return {name: torch.from_numpy(np.asarray(array)) for name, array in found.items()}


def _under(prefix: str, found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def _leaves(state: NetworkState, place: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Walk a state of nested tuples; each tensor comes with the path that leads to it, as in ``0.1``."""
    if isinstance(state, torch.Tensor):
        yield place, state
    elif state is not None:
        for index, part in enumerate(state):
            yield from _leaves(part, f"{place}.{index}" if place else str(index))


def _nested(leaves: dict[str, torch.Tensor]) -> NetworkState:
    """Build the nested tuples back that `_leaves` walked; None where there are none."""
    if not leaves:
        return None
    if "" in leaves:
        return leaves[""]
    groups: dict[int, dict[str, torch.Tensor]] = {}
    for place, tensor in leaves.items():
        index, _, rest = place.partition(".")
        groups.setdefault(int(index), {})[rest] = tensor
    return tuple(_nested(groups[index]) for index in sorted(groups))
