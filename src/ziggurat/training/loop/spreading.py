"""How one network is trained by several processes: each has all of it and gradients are summed, or each has a part.

*Idea.* The global batch of a step is the same rows for any number of processes; each reads its share of them. The loss
is a sum over tokens, so gradients are sums over processes, and only behind the last are they divided by the number of
all predicted tokens. Nothing else differs from one process, so the curve of the loss is the same to rounding.

*Maths.* ``ddp``: an all-reduce of all gradients after backward (Li et al. 2020, "PyTorch Distributed", section 3, whose
buckets we keep and whose overlap with backward we leave out). ``fsdp``: weights, gradients and moments are cut into N
parts by rows, and a block's weights are gathered when it is read (Zhao et al. 2023; Rajbhandari et al. 2020, stage 3).
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from ziggurat.models.blocks.lstm import LSTMLayer
from ziggurat.models.blocks.network import Network
from ziggurat.models.blocks.transformer import TransformerBlock
from ziggurat.training.torchrun import Processes

__all__ = ["Everywhere", "InParts", "Spread", "like", "local", "spread", "whole"]

T = TypeVar("T")


class Spread:
    """One process: nothing is shared."""

    name = "none"
    sparse = True
    """Whether gradients of tables may come as the rows that were read."""

    def __init__(self, network: Network, processes: Processes) -> None:
        """Train ``network`` by ``processes``."""
        self.network = network
        self.processes = processes

    def under(self, compute: Callable[[], T], *, last: bool = True) -> T:
        """Return what ``compute`` does with the whole network; ``last`` says whether no other batch is added."""
        del last
        return compute()

    def add_up(self) -> None:
        """Let all processes have the sum of their gradients."""

    def measured(self, measure: Callable[[], float | None]) -> float | None:
        """Return what the held-out text costs, the same on all processes."""
        return measure()


class Everywhere(Spread):
    """Every process has the whole network; gradients are summed after backward."""

    name = "ddp"

    def add_up(self) -> None:
        """Sum all gradients over all processes."""
        dense = []
        for weight in self.network.parameters():
            if weight.grad is not None and weight.grad.is_sparse:
                weight.grad = self._rows_of_all(weight.grad)
            elif weight.grad is not None:
                dense.append(weight.grad)
        self.processes.sum_all(dense)

    def _rows_of_all(self, gradient: Tensor) -> Tensor:
        """Return the sum of all processes' sparse gradients, of which each has rows of its own."""
        own = gradient.coalesce()
        count, numbers = own.indices().shape[1], own.values()
        most = max(int(other) for other in self.processes.gathered(torch.tensor([count])))
        short = most - count  # made up by zeros for row 0, which change nothing
        rows = self.processes.gathered(nn.functional.pad(own.indices()[0], (0, short)))
        values = self.processes.gathered(nn.functional.pad(numbers, (0, 0, 0, short)))
        places = torch.cat(rows)[None]
        return torch.sparse_coo_tensor(places, torch.cat(values), gradient.shape, check_invariants=False)

    def measured(self, measure: Callable[[], float | None]) -> float | None:
        """Let the first process measure, and tell the others."""
        found = measure() if self.processes.rank == 0 else None
        there = self.processes.told(float(found is not None))
        loss = self.processes.told(0.0 if found is None else found)  # of a network that diverged it is no number
        return loss if there else None


class InParts(Spread):
    """Every process has a part of each weight, and of all that is kept for it."""

    name = "fsdp"
    sparse = False  # a table's rows are spread, and parts of gradients are summed as they are

    def __init__(self, network: Network, processes: Processes) -> None:
        """Cut ``network``: its blocks one by one, and what is outside them together."""
        super().__init__(network, processes)
        self.root: Any = _Whole(network)
        # a block that looks at a source has its keys made before it is read: it stays with the root
        blocks = [
            module
            for module in network.modules()
            if isinstance(module, LSTMLayer) or (isinstance(module, TransformerBlock) and module.cross_attn is None)
        ]
        mesh = init_device_mesh(network.device.type, (processes.count,))
        for module in [*blocks, self.root]:
            fully_shard(module, mesh=mesh)
            # gradients are sums: gloo adds where an average is asked for, so none is asked for
            module.set_gradient_divide_factor(1.0)  # type: ignore[operator]
            module.set_force_sum_reduction_for_comms(True)  # type: ignore[operator]

    def under(self, compute: Callable[[], T], *, last: bool = True) -> T:
        """Return what ``compute`` does, weights being gathered while it does."""
        self.root.set_is_last_backward(last)
        with warnings.catch_warnings():
            # torch warns of changing in place what a block returns as a view of other numbers: nothing does
            warnings.filterwarnings("ignore", message="FSDP2-wrapped module", category=UserWarning)
            found: T = self.root(compute)
        return found

    def measured(self, measure: Callable[[], float | None]) -> float | None:
        """Let all measure together, since each has only a part of the weights."""
        return self.under(measure)


def spread(how: str, network: Network, processes: Processes) -> Spread:
    """Return how ``network`` is trained by ``processes``: as told, or for ``auto`` by summing gradients.

    One process has nothing to share, whatever is told: a run of several may go on in one.
    """
    if processes.count == 1:
        return Spread(network, processes)
    return InParts(network, processes) if how == "fsdp" else Everywhere(network, processes)


class _Whole(nn.Module):
    """A network and whatever is done with it, as one module whose forward gathers the weights."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, compute: Callable[[], Any]) -> Any:
        return compute()


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor with all its rows, wherever they are; all processes must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def local(tensor: Tensor) -> Tensor | None:
    """Return this process's rows of a tensor that is in parts, None where it is not."""
    return tensor.to_local() if isinstance(tensor, DTensor) else None


def like(tensor: Tensor, other: Tensor) -> Tensor:
    """Return a whole tensor in parts as ``other`` is; nothing is sent."""
    if not isinstance(other, DTensor) or tensor.dim() != other.dim():
        return tensor
    return distribute_tensor(tensor, other.device_mesh, other.placements, src_data_rank=None)
