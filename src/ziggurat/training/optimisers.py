"""Optimisers, and which parameters decay."""

from collections.abc import Iterable

import torch
from torch import nn

__all__ = ["adamw"]


def adamw(
    parameters: Iterable[nn.Parameter], *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter 2019, algorithm 2) over ``parameters``; with no decay it is Adam.

    Only matrices decay: pulling gains of norms and biases towards zero would change what a layer computes without
    making it simpler.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=learning_rate, betas=betas, fused=True)
