"""Dropout for recurrent networks: what is dropped stays dropped for a whole window.

Masks come from torch's global generator, whose state a checkpoint holds.
"""

from torch import Tensor

__all__ = ["drop_locked", "drop_words"]


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
