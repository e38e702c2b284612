"""A low-rank change of a model's matrices, kept apart from the model: what LoRA learns, as plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

from ziggurat.core.types import FloatArray

__all__ = ["Adapter", "LowRankPair"]


@dataclass(frozen=True)
class LowRankPair:
    """The two factors of one matrix's change."""

    down: FloatArray
    """A, (rank, inputs): from what goes into the projection to few numbers."""
    up: FloatArray
    """B, (outputs, rank): from those to what comes out of it."""


@dataclass(frozen=True)
class Adapter:
    """What is added to some projections of a model: (α / rank)·B·A to each matrix (Hu et al. 2021, section 4.1)."""

    rank: int
    alpha: float
    dropout: float
    """Part of the projections' input that was dropped in training, on the way through the factors only."""
    pairs: Mapping[str, LowRankPair]
    """By the projection's name in the network, for example ``stack.layers.0.self_attn.q_proj``."""

    @property
    def scale(self) -> float:
        """α / rank."""
        return self.alpha / self.rank
