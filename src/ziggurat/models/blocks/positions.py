"""Positions: how attention, which sees a set, is told the order.

Shape suffixes as in `ziggurat.models.blocks.attention`; **C** is the longest context and **J** = K / 2.
"""

import torch
from torch import Tensor, nn

from ziggurat.models.blocks.initialisation import Embedding

__all__ = ["AddedPositions", "LearnedPositions", "RotaryPositions", "SinusoidalPositions", "rotate", "sinusoids"]


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


class LearnedPositions(nn.Module):
    """A trained vector for each position, added to the ids' embeddings (Gehring et al. 2017, section 3.1)."""

    def __init__(self, width: int, *, context: int) -> None:
        """Make room for ``context`` vectors; values come later."""
        super().__init__()
        self.table = Embedding(context, width)

    def forward(self, positions: Tensor | slice) -> Tensor:
        """Return (T, D) or (B, T, D) vectors: of a slice of positions, or of (B, T)."""
        return self.table.weight[positions]


class SinusoidalPositions(nn.Module):
    """Fixed waves added to the ids' embeddings, so that a position is a fixed rotation away from any other.

    *Departs.* Sines fill the first half of a vector and cosines the second, where the article interleaves them: the
    same up to a fixed order of the coordinates, and the layout of Marian's models.
    """

    table: Tensor

    def __init__(self, width: int, *, context: int) -> None:
        """Compute ``context`` vectors; they belong to no checkpoint."""
        super().__init__()
        self.register_buffer("table", sinusoids(context, width), persistent=False)

    def forward(self, positions: Tensor | slice) -> Tensor:
        """Return (T, D) or (B, T, D) vectors: of a slice of positions, or of (B, T)."""
        return self.table[positions]


AddedPositions = LearnedPositions | SinusoidalPositions
"""Positions that are vectors of the embeddings' width."""


def sinusoids(context: int, width: int) -> Tensor:
    """Return (C, D) fixed position vectors, sines before cosines.

    *Maths.* PE(pos, 2i) = sin(pos / 10000^(2i/D)), PE(pos, 2i + 1) = cos(pos / 10000^(2i/D)) (Vaswani et al. 2017,
    section 3.5); here 2i stands at i and 2i + 1 at D/2 + i.
    """
    frequencies_J = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles_CJ = torch.outer(torch.arange(context, dtype=torch.float64), frequencies_J)
    return torch.cat((angles_CJ.sin(), angles_CJ.cos()), dim=-1).float()
