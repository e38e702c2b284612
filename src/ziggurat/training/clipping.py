"""Clipping: a gradient that is too long is shortened, whatever form its parts come in."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["clip_norm"]


def clip_norm(parameters: Iterable[nn.Parameter], limit: float) -> Tensor:
    """Shorten the gradient of ``parameters`` to the length ``limit`` where it is longer; return how long it was.

    *Maths.* g ← g · min(1, limit / (‖g‖ + 10⁻⁶)), ‖g‖ the Euclidean length of all numbers together (Pascanu, Mikolov &
    Bengio 2013, algorithm 1), as torch.nn.utils.clip_grad_norm_ has it.

    *Departs.* Sparse gradients are taken too: rows that are there twice are first added up, since the length of a sum
    is not that of its parts.
    """
    numbers: list[Tensor] = []
    for parameter in parameters:
        if parameter.grad is not None:
            if parameter.grad.is_sparse:
                parameter.grad = parameter.grad.coalesce()
                numbers.append(parameter.grad.values())
            else:
                numbers.append(parameter.grad)
    if not numbers:
        return torch.zeros(())
    norm = torch.nn.utils.get_total_norm(numbers)
    if limit == float("inf"):  # a length beyond all numbers is one that is too long for none, not one over itself
        return norm
    torch._foreach_mul_(numbers, (limit / (norm + 1e-6)).clamp(max=1.0))
    return norm
