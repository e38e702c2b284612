"""What the training loop asks of an objective, and how a cross-entropy is taken without all logits at once."""

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from ziggurat.models.blocks.network import Network, NetworkState
from ziggurat.training.footprint import LOGIT_COUNT

__all__ = ["Loss", "Objective", "cross_entropy", "sent"]


class Loss(NamedTuple):
    """What a batch costs."""

    mean: Tensor
    """Nats per predicted token, ready for its gradient; 0 where nothing is predicted."""
    predicted: int
    """Predicted tokens, that batches of unlike size are weighted by."""


class Objective(Protocol):
    """One run's batches and their loss: a function of the seed and of what a checkpoint holds."""

    tokens_per_batch: int
    """Predicted tokens of a batch, where it is full."""
    steps_per_epoch: float
    """Batches in which the training text is read once."""
    carried: NetworkState | None
    """What one batch leaves to the next: nested tuples of tensors, which checkpoints hold; None where nothing."""

    def loss(self, number: int) -> Loss:
        """Return what batch ``number`` (0, 1, …) costs."""
        ...

    def dev_loss(self, limit_tokens: int) -> float | None:
        """Return the mean nats per predicted token over about ``limit_tokens`` of the held-out text, from all over it.

        None where nothing in it can be predicted: a loss of 0 would be the best of all.
        """
        ...


def cross_entropy(network: Network, hidden_ND: Tensor, targets_N: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return the mean −log p of ``targets_N``, from the vectors that predict them; 0 where there are none.

    *Maths.* 1/N Σ −log softmax(logits)[target]; with label smoothing ε the target distribution is 1 − ε on the target
    and ε/V on every id (Szegedy et al. 2016, section 7; Vaswani et al. 2017, section 5.4).

    *Cost.* Logits are made, and made again for the gradient, in pieces of `LOGIT_COUNT`, so that N·V numbers never
    stand in memory together; where all of them are fewer than that, they are made once.
    """
    rows = max(1, LOGIT_COUNT // network.vocabulary.size)
    if hidden_ND.shape[0] <= rows:
        return _summed(network, hidden_ND, targets_N, smoothing) / max(1, len(targets_N))
    total = hidden_ND.new_zeros((), dtype=torch.float32)
    for start in range(0, hidden_ND.shape[0], rows):
        some = slice(start, start + rows)
        piece: Any = checkpoint(_summed, network, hidden_ND[some], targets_N[some], smoothing, use_reentrant=False)
        total = total + piece
    return total / len(targets_N)


def _summed(network: Network, hidden: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    logits = network.logits(hidden).float()
    return functional.cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing)


def sent(ids: npt.NDArray[np.integer[Any]], device: torch.device) -> Tensor:
    """Return ids on ``device``; to a GPU they go from pinned memory, so that nobody waits for them."""
    tensor = torch.from_numpy(np.ascontiguousarray(ids, np.int64))
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)
