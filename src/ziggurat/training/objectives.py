"""What training minimises. ``loss`` is the mean nats per predicted token in every family."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from ziggurat.models.blocks.network import Network, NetworkState

__all__ = ["next_token"]

LOGIT_COUNT = 1 << 23
"""Logits that stand in memory at once: 32 MB in 32-bit."""


def next_token(network: Network, ids: Tensor, state: NetworkState | None) -> tuple[Tensor, NetworkState | None]:
    """Return the mean −log p of each next id in (B, T + 1) ``ids``, and the state after reading the first T.

    *Maths.* 1/(B·T) Σ −log softmax(logits)[target], the cross-entropy of Bengio et al. 2003, eq. 6 without its
    penalty. Targets are the ids shifted by one: position t is asked for id t + 1.

    *Cost.* Logits are made, and made again for the gradient, in pieces of `LOGIT_COUNT`, so that B·T·V numbers never
    stand in memory together; where all of them are fewer than that, they are made once.
    """
    hidden, state = network.hidden(ids[:, :-1], state)
    flat, targets = hidden.flatten(0, 1), ids[:, 1:].flatten()
    rows = max(1, LOGIT_COUNT // network.vocabulary.size)
    if flat.shape[0] <= rows:
        return _cross_entropy(network, flat, targets) / len(targets), state
    total = flat.new_zeros((), dtype=torch.float32)
    for start in range(0, flat.shape[0], rows):
        piece: Any = checkpoint(
            _cross_entropy, network, flat[start : start + rows], targets[start : start + rows], use_reentrant=False
        )
        total = total + piece
    return total / len(targets), state


def _cross_entropy(network: Network, hidden: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(network.logits(hidden).float(), targets, reduction="sum")
