"""Normalisation: keeping the size of the vectors between layers the same."""

import torch
from torch import Tensor, nn

__all__ = ["LayerNorm", "RMSNorm", "reference_layer_norm", "reference_rms_norm"]


def reference_rms_norm(x: Tensor, weight: Tensor, *, epsilon: float) -> Tensor:
    """Return what `RMSNorm` does, as its formula is written."""
    mean_square = x.square().mean(dim=-1, keepdim=True)
    return x / torch.sqrt(mean_square + epsilon) * weight


class RMSNorm(nn.Module):
    """Scale each vector to root mean square one, then by a trained gain per coordinate.

    *Maths.* y_i = a_i / RMS(a) · g_i with RMS(a) = √(1/D Σ a_i²) (Zhang & Sennrich 2019, eq. 4); ``weight`` is g.

    *Departs.* ε is added to the mean square under the root, so that the zero vector stays zero.

    *Shapes and units.* (…, D) in and out, in the type that came in; sums are taken in 32-bit.
    """

    def __init__(self, width: int, *, epsilon: float) -> None:
        """Begin with gain 1 for each of ``width`` coordinates."""
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised vectors."""
        return nn.functional.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.epsilon)


def reference_layer_norm(x: Tensor, weight: Tensor, bias: Tensor, *, epsilon: float) -> Tensor:
    """Return what `LayerNorm` does, as its formula is written."""
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(centred.square().mean(dim=-1, keepdim=True) + epsilon) * weight + bias


class LayerNorm(nn.Module):
    """Bring each vector to mean zero and variance one, then scale and shift it by trained amounts per coordinate.

    *Maths.* h = g ⊙ (a − μ) / σ + b with μ and σ the mean and the standard deviation of a's coordinates (Ba, Kiros &
    Hinton 2016, eq. 4); ``weight`` is g, ``bias`` b.

    *Departs.* ε is added to the variance under the root, so that a constant vector gives b.

    *Shapes and units.* (…, D) in and out, in the type that came in; sums are taken in 32-bit.
    """

    def __init__(self, width: int, *, epsilon: float) -> None:
        """Begin with gain 1 and shift 0 for each of ``width`` coordinates."""
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised vectors."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return nn.functional.layer_norm(x, self.weight.shape, weight, bias, self.epsilon)
