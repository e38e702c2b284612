"""Where a network's first weights come from: the seed and the weight's own name, nothing else.

*Idea.* Layers are made without values (torch would draw them from its global generator, and draw them twice). Then
`fill_normal` gives each weight a stream of its own, so that the same seed gives the same weights whatever was drawn
before, and a layer more or less leaves the other layers' weights as they were.
"""

import torch
from torch import Tensor, nn

from ziggurat.core.seeding import derive

__all__ = ["Embedding", "Linear", "fill_normal", "fill_uniform"]


class Linear(nn.Linear):
    """`torch.nn.Linear` whose values are left to whoever builds or restores the network."""

    def reset_parameters(self) -> None:
        """Draw nothing."""


class Embedding(nn.Embedding):
    """`torch.nn.Embedding` whose values are left to whoever builds or restores the network."""

    def reset_parameters(self) -> None:
        """Draw nothing."""


def fill_normal(parameter: Tensor, *, std: float, seed: int, name: str) -> None:
    """Fill a weight from N(0, std²) with the stream that belongs to ``seed`` and ``name``."""
    with torch.no_grad():
        parameter.normal_(0.0, std, generator=_stream(seed, name))


def fill_uniform(parameter: Tensor, *, bound: float, seed: int, name: str) -> None:
    """Fill a weight from U(−bound, bound) with the stream that belongs to ``seed`` and ``name``."""
    with torch.no_grad():
        parameter.uniform_(-bound, bound, generator=_stream(seed, name))


def _stream(seed: int, name: str) -> torch.Generator:
    return torch.Generator().manual_seed(derive(seed, "init", name))
