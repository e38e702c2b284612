"""Positions: how attention, which sees a set, is told the order.

Shape suffixes as in `ziggurat.models.blocks.attention`; **C** is the longest context and **J** = K / 2.
"""

import math

import torch
from torch import Tensor, nn

from ziggurat.models.blocks.initialisation import Embedding

__all__ = [
    "STRETCHES",
    "AddedPositions",
    "LearnedPositions",
    "RotaryPositions",
    "SinusoidalPositions",
    "rotary_frequencies",
    "rotate",
    "sinusoids",
]

STRETCHES: dict[str, tuple[str, ...]] = {
    "none": (),
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
    "yarn": ("factor", "original_max_position_embeddings", "beta_fast", "beta_slow", "attention_factor"),
}
"""Ways to stretch rotary wavelengths, so that a model reads further than it first learned to, and what their numbers
are: as transformers calls them."""


class RotaryPositions(nn.Module):
    """Tables of the angles by which queries and keys are turned.

    *Idea.* Turning the query at position m and the key at position n by angles proportional to m and n leaves a dot
    product that depends on m − n only.

    *Maths.* Coordinate pair j at position m turns by m·θ_j with θ_j = base^(−2j/K) (Su et al. 2021, section 3.2.2).

    *Departs.* Pair j is made of coordinates j and j + K/2 instead of two neighbours: the same up to a fixed order of
    the coordinates, and the layout of Llama's and Qwen's weights.
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self, head_width: int, *, base: float, context: int, stretch: str = "none", numbers: tuple[float, ...] = ()
    ) -> None:
        """Compute the (C, J) tables in 64-bit; they belong to no checkpoint."""
        super().__init__()
        frequencies_J, size = rotary_frequencies(head_width, base=base, stretch=stretch, numbers=numbers)
        angles_CJ = torch.outer(torch.arange(context, dtype=torch.float64), frequencies_J)
        self.register_buffer("cos", (angles_CJ.cos() * size).float(), persistent=False)
        self.register_buffer("sin", (angles_CJ.sin() * size).float(), persistent=False)

    def forward(self, positions: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Return cosines and sines that broadcast against (B, H, T, J): of a slice of positions, or of (B, T)."""
        cos, sin = self.cos[positions], self.sin[positions]
        return (cos, sin) if cos.dim() == 2 else (cos[:, None], sin[:, None])


def rotary_frequencies(
    head_width: int, *, base: float, stretch: str = "none", numbers: tuple[float, ...] = ()
) -> tuple[Tensor, float]:
    """Return the (J,) angles θ by which pairs turn at position 1, and by how much cosines and sines are made longer.

    *Maths.* θ_j = base^(−2j/K) (Su et al. 2021, section 3.2.2). Stretched by a factor s, with ``numbers`` as
    `STRETCHES` names them:

    - linear: θ_j / s, which is to read position m as m / s (Chen et al. 2023, section 2.3);
    - llama3: with wavelength λ_j = 2π/θ_j and the first context C, pairs of λ_j < C/high stay, those of λ_j > C/low
      turn by θ_j / s, and between them (1 − γ)·θ_j / s + γ·θ_j with γ = (C/λ_j − low) / (high − low)
      (as published with Llama 3.1, 2024);
    - yarn: the same sum with γ falling from 1 to 0 between the pair that turns β_fast times in C positions and the one
      that turns β_slow times; queries and keys grow by √(1/t) = 0.1·ln s + 1 each (Peng et al. 2023, sections 3.2 and
      3.4).

    *Departs.* In the article γ is linear in the turns C/λ_j; here it is linear in j between the two pairs, rounded
    outwards, as in the code published with it, which the weights of others were made with.
    """
    pairs_J = torch.arange(0, head_width, 2, dtype=torch.float64)
    frequencies_J = base ** (-pairs_J / head_width)
    if stretch == "none":
        return frequencies_J, 1.0
    slowed_J = frequencies_J / numbers[0]
    if stretch == "linear":
        return slowed_J, 1.0
    if stretch == "llama3":
        _, low, high, first = numbers
        kept_J = ((first * frequencies_J / (2 * math.pi) - low) / (high - low)).clamp(0, 1)
        return slowed_J * (1 - kept_J) + frequencies_J * kept_J, 1.0
    _, first, fast, slow, size = numbers

    def pair(turns: float) -> float:
        return head_width * math.log(first / (turns * 2 * math.pi)) / (2 * math.log(base))

    low, high = max(math.floor(pair(fast)), 0), min(math.ceil(pair(slow)), head_width - 1)
    kept_J = 1 - ((pairs_J / 2 - low) / ((high - low) or 0.001)).clamp(0, 1)
    return slowed_J * (1 - kept_J) + frequencies_J * kept_J, size


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
