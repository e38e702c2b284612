"""Attention: every position asks all positions before it, and takes a weighted mean of what they answer.

Shape suffixes of this room's names, one letter an axis::

    B  batch (rows)                     D  width of the vectors between layers
    T  time of the queries              H  query heads
    S  time of the keys and values      G  key heads; each serves R = H / G query heads
    V  vocabulary                       K  width of one head

so that ``q_BHTK`` is (batch, heads, time, head width).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ziggurat.models.blocks.cache import KeyValueCache
from ziggurat.models.blocks.initialisation import Linear
from ziggurat.models.blocks.normalisation import RMSNorm
from ziggurat.models.blocks.positions import rotate

__all__ = ["MultiHeadAttention", "Sight", "attend", "reference_attention"]

FORMULA_PAIRS = 512 * 512
"""Query–key pairs up to which the formula in 16-bit on a CPU is faster than the fused kernel (2 × at 256 × 256)."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Where the ids of one reading stand and what each of them may look at: the same in all layers."""

    cos: Tensor
    sin: Tensor
    """Of the positions' angles (see `ziggurat.models.blocks.positions.RotaryPositions`)."""
    keep_mask: Tensor | None = None
    """True where a query may look at a key, broadcasting against (B, H, T, S); None: `causal` says it all."""
    causal: bool = True
    """Whether query t may look at keys 0 … t only; False: at every key that `keep_mask` lets it."""
    cache: KeyValueCache | None = None
    """What was read before, and where these ids' keys and values go."""


def reference_attention(
    q_BHTK: Tensor, k_BGSK: Tensor, v_BGSK: Tensor, *, keep_mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """Return (B, H, T, K): attention as its formula is written.

    *Maths.* Attention(Q, K, V) = softmax(Q·Kᵀ / √d_k)·V (Vaswani et al. 2017, eq. 1); d_k is the head width. Query
    heads h·R … h·R + R − 1 share key head h (grouped queries, Ainslie et al. 2023).

    *Cost.* B·H·T·S scores in memory.
    """
    batch, heads, queries, head_width = q_BHTK.shape
    groups, keys = k_BGSK.shape[1:3]
    # The queries of one group stand one after another, so that each group is one matrix product.
    q_BGXK = (q_BHTK / math.sqrt(head_width)).reshape(batch, groups, -1, head_width)
    scores_BHTS = (q_BGXK @ k_BGSK.transpose(-1, -2)).view(batch, heads, queries, keys)
    if causal:
        keep_mask = torch.ones(queries, keys, dtype=torch.bool, device=q_BHTK.device).tril()
    if keep_mask is not None:
        scores_BHTS = scores_BHTS + scores_BHTS.new_zeros(keep_mask.shape).masked_fill_(~keep_mask, -math.inf)
    weights_BHTS = scores_BHTS.softmax(dim=-1)
    return (weights_BHTS.view(batch, groups, -1, keys) @ v_BGSK).view(batch, heads, queries, head_width)


def attend(
    q_BHTK: Tensor, k_BGSK: Tensor, v_BGSK: Tensor, *, keep_mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """Return `reference_attention` by the fastest way there is.

    That is torch's fused kernel, which keeps no T × S scores, except for short windows in 16-bit on a CPU, where the
    formula itself is two to four times as fast.
    """
    short = q_BHTK.shape[2] * k_BGSK.shape[2] <= FORMULA_PAIRS
    if short and q_BHTK.dtype != torch.float32 and q_BHTK.device.type == "cpu":
        return reference_attention(q_BHTK, k_BGSK, v_BGSK, keep_mask=keep_mask, causal=causal)
    grouped = q_BHTK.shape[1] != k_BGSK.shape[1]
    return nn.functional.scaled_dot_product_attention(
        q_BHTK, k_BGSK, v_BGSK, attn_mask=keep_mask, is_causal=causal, enable_gqa=grouped
    )


class MultiHeadAttention(nn.Module):
    """Self-attention in several heads, with rotary positions and normalised queries and keys.

    *Idea.* Each head looks with its own projections; heads may share keys and values (grouped queries), which shrinks
    the cache. Queries and keys are normalised per head before they are turned, so that scores stay bounded
    (QK-norm: Henry et al. 2020; here with RMSNorm, as Qwen3 has it).

    *Maths.* MultiHead = Concat(head₁, …, head_H)·W^O with head_i = Attention(Q·W_i^Q, K·W_i^K, V·W_i^V)
    (Vaswani et al. 2017, section 3.2.2); ``q_proj`` holds all W_i^Q, ``o_proj`` is W^O.
    """

    def __init__(self, width: int, *, heads: int, key_heads: int, head_width: int, epsilon: float) -> None:
        """Project ``width`` to heads and back; values come later. ``heads`` is a multiple of ``key_heads``."""
        super().__init__()
        self.head_width = head_width
        self.q_proj = Linear(width, heads * head_width, bias=False)
        self.k_proj = Linear(width, key_heads * head_width, bias=False)
        self.v_proj = Linear(width, key_heads * head_width, bias=False)
        self.o_proj = Linear(heads * head_width, width, bias=False)
        self.q_norm = RMSNorm(head_width, epsilon=epsilon)
        self.k_norm = RMSNorm(head_width, epsilon=epsilon)

    def forward(self, x_BTD: Tensor, sight: Sight, *, layer: int = 0) -> Tensor:
        """Return (B, T, D): for each position, what it gathered from those it may look at."""
        split = (*x_BTD.shape[:2], -1, self.head_width)
        q_BHTK = rotate(self.q_norm(self.q_proj(x_BTD).view(split)).transpose(1, 2), sight.cos, sight.sin)
        k_BGSK = rotate(self.k_norm(self.k_proj(x_BTD).view(split)).transpose(1, 2), sight.cos, sight.sin)
        v_BGSK = self.v_proj(x_BTD).view(split).transpose(1, 2)
        if sight.cache is not None:
            k_BGSK, v_BGSK = sight.cache.append(layer, k_BGSK, v_BGSK)
        y_BHTK = attend(q_BHTK, k_BGSK, v_BGSK, keep_mask=sight.keep_mask, causal=sight.causal)
        y_BTX = y_BHTK.transpose(1, 2).reshape(*x_BTD.shape[:2], -1)
        return self.o_proj(y_BTX)  # type: ignore[no-any-return]
