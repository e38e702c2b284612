"""Low-rank adaptation: a trained model's matrices stay as they are, and a thin detour beside each learns the change.

*Idea.* What a task asks of a large matrix to change has few directions. So a change of rank r is learnt, as two thin
matrices; the optimiser keeps its state for these alone, and once trained the product is added to the matrix, so that
the adapted model costs what the model did (Hu et al. 2021).
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.models.adapter import Adapter, LowRankPair
from ziggurat.models.blocks.initialisation import Linear, fill_normal
from ziggurat.models.blocks.transformer import TransformerBlock

__all__ = ["AdaptedLinear", "LowRankOptions", "adapt", "adapter_of", "merge", "projections", "strip", "unmerge"]


@dataclass(frozen=True)
class LowRankOptions:
    """How low-rank changes are made."""

    rank: int
    """r of the change of each matrix."""
    alpha: float
    """α: the change is scaled by α / r."""
    dropout: float = 0.0
    """Part of the input that is dropped on the way through the change."""


class AdaptedLinear(Linear):
    """A projection with a low-rank detour beside it; its own weight and bias have the names that they had.

    *Maths.* h = W₀·x + (α / r)·B·A·x (Hu et al. 2021, section 4.1, eq. 3 and the scaling after it); A is ``lora_A``
    (r, inputs), drawn from N(0, 1 / inputs), B is ``lora_B`` (outputs, r), 0 at first, so that training begins with
    the model as it was.

    *Cost.* r·(inputs + outputs) multiplications a vector beside inputs·outputs; none once merged.
    """

    def __init__(self, base: nn.Linear, options: LowRankOptions) -> None:
        """Stand in for ``base``, whose weight and bias it takes over; values of A and B come from `adapt`."""
        super().__init__(base.in_features, base.out_features, bias=base.bias is not None, device="meta")
        self.weight, self.bias = base.weight, base.bias
        self.options = options
        self.scale = options.alpha / options.rank
        like = base.weight
        self.lora_A = nn.Parameter(like.new_empty(options.rank, base.in_features))
        self.lora_B = nn.Parameter(like.new_zeros(base.out_features, options.rank))
        self.merged = False
        """Whether the change is in the weight."""
        self.kept: Tensor | None = None
        """The weight as it was, while the change is merged into it and may be taken out again."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the projection of (…, inputs) vectors, with the change."""
        plain = nn.functional.linear(x, self.weight, self.bias)
        if self.merged:
            return plain
        x = nn.functional.dropout(x, self.options.dropout, self.training)
        few = nn.functional.linear(x, self.lora_A)
        return plain + self.scale * nn.functional.linear(few, self.lora_B)

    def merge(self, *, keep: bool = True) -> None:
        """Add the change to the weight; with ``keep`` a copy of what was there stays, which `unmerge` puts back."""
        if not self.merged:
            with torch.no_grad():
                self.kept = self.weight.detach().clone() if keep else None
                self.weight += self.scale * (self.lora_B @ self.lora_A)
            self.merged = True

    def unmerge(self) -> None:
        """Put the weight back exactly as it was before `merge`.

        Raises:
            UsageError: it was merged for good, without a copy.
        """
        if not self.merged:
            return
        if self.kept is None:
            raise UsageError("the change was merged for good (keep=False): it can't be taken out again")
        with torch.no_grad():
            self.weight.copy_(self.kept)
        self.kept, self.merged = None, False


def projections(network: nn.Module) -> dict[str, nn.Linear]:
    """Return the projections of a network's Transformer blocks, by their names in it: what can be adapted."""
    return {
        f"{place}.{name}": module
        for place, block in network.named_modules()
        if isinstance(block, TransformerBlock)
        for name, module in block.named_modules()
        if isinstance(module, nn.Linear)
    }


def adapt(network: nn.Module, on: Iterable[str], options: LowRankOptions, *, seed: int) -> None:
    """Freeze a network and put a low-rank detour beside each projection whose name, or its end, is among ``on``.

    ``on`` may be ``["all"]``: every projection of every block.

    *Raises.* `UnknownNameError` where a name is no projection's; `UsageError` where the network has none.
    """
    found = projections(network)
    if not found:
        raise UsageError("lora_rank: this model has no Transformer blocks to adapt; train it in full, or freeze parts")
    chosen = set(found) if list(on) == ["all"] else _chosen(list(found), on)
    network.requires_grad_(requires_grad=False)
    for name, base in found.items():
        if name in chosen:
            adapted = AdaptedLinear(base, options)
            std = 1 / math.sqrt(base.in_features)
            fill_normal(adapted.lora_A, std=std, seed=seed, name=f"{name}.lora_A")
            _put(network, name, adapted)


def merge(network: nn.Module, *, keep: bool = True) -> None:
    """Merge every low-rank change into its weight; without ``keep`` for good, and without a copy of any weight."""
    for _, module in _adapted(network):
        module.merge(keep=keep)


def unmerge(network: nn.Module) -> None:
    """Put every weight back as it was before `merge`, to the last bit.

    Raises:
        UsageError: they were merged for good.
    """
    for _, module in _adapted(network):
        module.unmerge()


def strip(network: nn.Module) -> None:
    """Leave plain projections, with the weights that they have now: after `merge` those of the adapted model."""
    for name, module in list(_adapted(network)):
        plain = Linear(module.in_features, module.out_features, bias=module.bias is not None, device="meta")
        plain.weight, plain.bias = module.weight, module.bias
        _put(network, name, plain)


def adapter_of(network: nn.Module) -> Adapter | None:
    """Return copies of a network's low-rank changes; None where it has none."""
    adapted = dict(_adapted(network))
    if not adapted:
        return None
    options = next(iter(adapted.values())).options
    pairs = {name: LowRankPair(_array(module.lora_A), _array(module.lora_B)) for name, module in adapted.items()}
    return Adapter(options.rank, options.alpha, options.dropout, pairs)


def _chosen(names: list[str], on: Iterable[str]) -> set[str]:
    chosen: set[str] = set()
    for wanted in on:
        ending = [name for name in names if name == wanted or name.endswith(f".{wanted}")]
        if not ending:
            ends = {name.rpartition(".")[2] for name in names}
            raise UnknownNameError("projection", wanted, {*ends, "all"}, where="lora_on")
        chosen.update(ending)
    if not chosen:
        raise UsageError("lora_on: name at least one projection, for example q_proj")
    return chosen


def _adapted(network: nn.Module) -> Iterator[tuple[str, AdaptedLinear]]:
    for name, module in network.named_modules():
        if isinstance(module, AdaptedLinear):
            yield name, module


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    place, _, last = name.rpartition(".")
    module.train(network.training)
    setattr(network.get_submodule(place), last, module)


def _array(tensor: Tensor) -> Any:
    return np.array(tensor.detach().float().cpu().numpy())
