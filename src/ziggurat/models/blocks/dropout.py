"""Dropout: number by number, and for recurrent networks so that what is dropped stays dropped for a whole window.

Masks come from torch's global generator, whose state a checkpoint holds.
"""

import torch
from torch import Tensor, nn

__all__ = ["drop", "drop_locked", "drop_words"]

LEVELS = 256
"""Values of the random byte that decides about a number."""


def drop(x: Tensor, part: float, *, training: bool) -> Tensor:
    """Drop each number by itself; what stays is scaled by 1 / (1 − part) (Srivastava et al. 2014, section 4).

    *Departs.* On a processor a byte decides, so that ``part`` is a whole number of 256ths: drawing a whole number of
    32 bits for each takes as long there as three products of a layer 256 wide, and a byte a third of that.
    """
    if not training or part == 0.0:
        return x
    below = round(part * LEVELS)
    if x.device.type != "cpu" or torch.compiler.is_compiling() or not 0 < below < LEVELS:
        return nn.functional.dropout(x, part)
    drawn = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    kept = drawn.view(torch.uint8)[: x.numel()].view(x.shape) >= below
    return x * kept.to(x.dtype).mul_(LEVELS / (LEVELS - below))


def drop_locked(x_BTD: Tensor, part: float, *, training: bool) -> Tensor:
    """Drop the same coordinates at all times of a row; what stays is scaled by 1 / (1 − part).

    *Idea.* A mask that is drawn anew at each step is noise that a memory can average away; a locked one is not
    (variational dropout, Gal & Ghahramani 2016; Merity, Keskar & Socher 2017, section 4.2).
    """
    if not training or part == 0.0:
        return x_BTD
    batch, _, width = x_BTD.shape
    return x_BTD * _mask(x_BTD, (batch, 1, width), part)


def drop_words(embedded_BTD: Tensor, ids: Tensor, part: float, *, vocabulary_size: int, training: bool) -> Tensor:
    """Drop whole ids: an id that is drawn is the zero vector wherever it stands in this window.

    *Idea.* What is said must not hang on one word (embedding dropout, Gal & Ghahramani 2016; Merity, Keskar & Socher
    2017, section 4.3).
    """
    if not training or part == 0.0:
        return embedded_BTD
    return embedded_BTD * _mask(embedded_BTD, (vocabulary_size,), part)[ids][..., None]


def _mask(like: Tensor, shape: tuple[int, ...], part: float) -> Tensor:
    return like.new_empty(shape).bernoulli_(1 - part).div_(1 - part)
