"""Where a network's first weights come from: the seed and the weight's own name, nothing else.

*Idea.* Layers are made without values (torch would draw them from its global generator, and draw them twice). Then
`fill_normal` gives each weight a stream of its own, so that the same seed gives the same weights whatever was drawn
before, and a layer more or less leaves the other layers' weights as they were.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ziggurat.core.seeding import derive
from ziggurat.core.types import FloatArray

__all__ = ["Embedding", "Linear", "fill_from", "fill_normal", "fill_uniform"]


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


def fill_from(parameter: Tensor, vectors: FloatArray, found_mask: npt.NDArray[np.bool_]) -> None:
    """Put vectors made elsewhere into a (V, D) weight that is filled already, at its own scale.

    *Idea.* What vectors know is which of them lie near each other; how long they are and what they all share is an
    accident of how they were made. The family has chosen the spread of its embeddings so that the layers behind them,
    and where tied the first predictions, start well; so the vectors get that spread. Rows without a vector keep what
    was drawn.

    *Maths.* Row i becomes σ·(v_i − m)/s: m the mean of the vectors that are there, s the root mean square of all
    numbers of v_i − m, and σ the standard deviation of the weight as it was drawn. Taking the mean away follows Mu &
    Viswanath (2018, section 2.1): it is long, and it says nothing of a word.
    """
    with torch.no_grad():
        spread = float(parameter.double().std(correction=0))
        known_ND = torch.from_numpy(np.asarray(vectors[found_mask], np.float64))
        centred_ND = known_ND - known_ND.mean(0)
        scale = float(centred_ND.square().mean().sqrt())
        if scale > 0:
            parameter[torch.from_numpy(found_mask)] = (centred_ND * (spread / scale)).to(parameter.dtype)


def _stream(seed: int, name: str) -> torch.Generator:
    return torch.Generator().manual_seed(derive(seed, "init", name))
