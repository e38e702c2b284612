"""Positions: how attention, which sees a set, is told the order.

Shape suffixes as in `ziggurat.models.blocks.attention`; **C** is the longest context and **J** = K / 2.
"""

import torch
from torch import Tensor, nn

__all__ = ["RotaryPositions", "rotate"]


class RotaryPositions(nn.Module):
    """Tables of the angles by which queries and keys are turned.

    *Idea.* Turning the query at position m and the key at position n by angles proportional to m and n leaves a dot
    product that depends on m − n only.

    *Maths.* Coordinate pair j at position m turns by m·θ_j with θ_j = base^(−2j/K) (Su et al. 2021, section 3.4.2).

    *Departs.* Pair j is made of coordinates j and j + K/2 instead of two neighbours: the same up to a fixed order of
    the coordinates, and the layout of Llama's and Qwen's weights.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, head_width: int, *, base: float, context: int) -> None:
        """Compute the (C, J) tables in 64-bit; they belong to no checkpoint."""
        super().__init__()
        frequencies_J = base ** (-torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)
        angles_CJ = torch.outer(torch.arange(context, dtype=torch.float64), frequencies_J)
        self.register_buffer("cos", angles_CJ.cos().float(), persistent=False)
        self.register_buffer("sin", angles_CJ.sin().float(), persistent=False)

    def forward(self, positions: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Return cosines and sines that broadcast against (B, H, T, J): of a slice of positions, or of (B, T)."""
        cos, sin = self.cos[positions], self.sin[positions]
        return (cos, sin) if cos.dim() == 2 else (cos[:, None], sin[:, None])


def rotate(x_BHTK: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn queries or keys by their positions' angles.

    *Maths.* (a, b) ↦ (a cos − b sin, b cos + a sin) for each pair (Su et al. 2021, eq. 34).
    """
    a_BHTJ, b_BHTJ = x_BHTK.chunk(2, dim=-1)
    cos, sin = cos.to(x_BHTK.dtype), sin.to(x_BHTK.dtype)
    return torch.cat((a_BHTJ * cos - b_BHTJ * sin, b_BHTJ * cos + a_BHTJ * sin), dim=-1)
