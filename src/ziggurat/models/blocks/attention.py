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
from typing import Literal

import torch
from torch import Tensor, nn

from ziggurat.models.blocks.cache import KeyValueCache
from ziggurat.models.blocks.initialisation import Linear
from ziggurat.models.blocks.normalisation import RMSNorm
from ziggurat.models.blocks.positions import rotate

__all__ = ["MultiHeadAttention", "Sight", "Source", "attend", "reference_attention"]

FORMULA_PAIRS = 512 * 512
"""Query–key pairs up to which the formula in 16-bit on a CPU is faster than the fused kernel (2 × at 256 × 256)."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What each id of one reading may look at, and how far it is turned: the same in all layers."""

    turns: tuple[Tensor, Tensor] | None = None
    """Cosines and sines of the positions' angles (`ziggurat.models.blocks.positions`); None: no turn."""
    keep_mask: Tensor | None = None
    """True where a query may look at a key, broadcasting against (B, H, T, S); None: all that `causal` lets it."""
    causal: bool = True
    """Whether query t may look at keys 0 … t only, of these at what `keep_mask` lets it; False: at later ones too."""
    cache: KeyValueCache | None = None
    """What was read before, and where these ids' keys and values go."""
    values: tuple[Tensor | None, ...] = ()
    """For each layer the (B, T, G·K) vectors that are added to the values of these ids; None, or empty: nothing."""
    source: "Source | None" = None
    """What a decoder that translates looks at beside its own past."""


@dataclass(frozen=True, slots=True)
class Source:
    """What an encoder read: for each layer of a decoder the keys and values that it looks at."""

    keys_and_values: tuple[tuple[Tensor, Tensor], ...]
    """A (B, G, S, K) pair for each layer."""
    keep_mask: Tensor | None
    """(B, 1, 1, S), True at ids that are no padding; None where all are."""

    @property
    def rows(self) -> int:
        """How many sources were read."""
        return self.keys_and_values[0][0].shape[0]

    def picked(self, rows: Tensor) -> "Source":
        """Return the sources of ``rows``, which may repeat or drop."""
        keep_mask = None if self.keep_mask is None else self.keep_mask[rows]
        return Source(tuple((k[rows], v[rows]) for k, v in self.keys_and_values), keep_mask)

    def spread(self, batch: int) -> "Source":
        """Return the only source there is for each of ``batch`` rows, without a copy."""
        spread = tuple((k.expand(batch, -1, -1, -1), v.expand(batch, -1, -1, -1)) for k, v in self.keys_and_values)
        return Source(spread, self.keep_mask)


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
        keep_mask = _causal(q_BHTK, k_BGSK, keep_mask)
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
    half = q_BHTK.dtype != torch.float32 and q_BHTK.device.type == "cpu"
    if half and q_BHTK.shape[2] * k_BGSK.shape[2] <= FORMULA_PAIRS:
        return reference_attention(q_BHTK, k_BGSK, v_BGSK, keep_mask=keep_mask, causal=causal)
    grouped = q_BHTK.shape[1] != k_BGSK.shape[1]
    if causal and keep_mask is not None:  # the kernel takes one or the other
        keep_mask, causal = _causal(q_BHTK, k_BGSK, keep_mask), False
    return nn.functional.scaled_dot_product_attention(
        q_BHTK, k_BGSK, v_BGSK, attn_mask=keep_mask, is_causal=causal, enable_gqa=grouped
    )


def _causal(q_BHTK: Tensor, k_BGSK: Tensor, keep_mask: Tensor | None) -> Tensor:
    """Return what query t may look at: keys 0 … t, and of these what ``keep_mask`` lets it."""
    past = torch.ones(q_BHTK.shape[2], k_BGSK.shape[2], dtype=torch.bool, device=q_BHTK.device).tril()
    return past if keep_mask is None else past & keep_mask


class MultiHeadAttention(nn.Module):
    """Attention in several heads: of a sequence to itself (`forward`), or to another (`across`).

    *Idea.* Each head looks with its own projections; heads may share keys and values (grouped queries), which shrinks
    the cache. Queries and keys may be normalised per head before they are turned, so that scores stay bounded
    (QK-norm: Henry et al. 2020; here with RMSNorm, as Qwen3 has it).

    *Maths.* MultiHead = Concat(head₁, …, head_H)·W^O with head_i = Attention(Q·W_i^Q, K·W_i^K, V·W_i^V)
    (Vaswani et al. 2017, section 3.2.2); ``q_proj`` holds all W_i^Q, ``o_proj`` is W^O.
    """

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        key_heads: int,
        head_width: int,
        epsilon: float | None,
        bias: Literal["none", "qkv", "all"] = "none",
    ) -> None:
        """Project ``width`` to heads and back; values come later. ``heads`` is a multiple of ``key_heads``.

        ``epsilon`` is that of the norms of queries and keys, None where there are none; ``bias`` says which
        projections add one.
        """
        super().__init__()
        self.head_width = head_width
        inward = bias != "none"
        self.q_proj = Linear(width, heads * head_width, bias=inward)
        self.k_proj = Linear(width, key_heads * head_width, bias=inward)
        self.v_proj = Linear(width, key_heads * head_width, bias=inward)
        self.o_proj = Linear(heads * head_width, width, bias=bias == "all")
        self.q_norm = None if epsilon is None else RMSNorm(head_width, epsilon=epsilon)
        self.k_norm = None if epsilon is None else RMSNorm(head_width, epsilon=epsilon)

    def forward(self, x_BTD: Tensor, sight: Sight, *, layer: int = 0) -> Tensor:
        """Return (B, T, D): for each position, what it gathered from those it may look at."""
        q_BHTK = self._heads(self.q_proj(x_BTD), self.q_norm)
        k_BGSK, v_BGSK = self.keys_and_values(x_BTD)
        if sight.values and (added := sight.values[layer]) is not None:
            v_BGSK = v_BGSK + self._heads(added.to(v_BGSK.dtype), None)
        if sight.turns is not None:
            q_BHTK, k_BGSK = rotate(q_BHTK, *sight.turns), rotate(k_BGSK, *sight.turns)
        if sight.cache is not None:
            k_BGSK, v_BGSK = sight.cache.append(layer, k_BGSK, v_BGSK)
        return self._joined(attend(q_BHTK, k_BGSK, v_BGSK, keep_mask=sight.keep_mask, causal=sight.causal))

    def across(self, x_BTD: Tensor, source: Source, *, layer: int) -> Tensor:
        """Return (B, T, D): for each position, what it gathered from another sequence (cross-attention)."""
        q_BHTK = self._heads(self.q_proj(x_BTD), self.q_norm)
        k_BGSK, v_BGSK = source.keys_and_values[layer]
        return self._joined(attend(q_BHTK, k_BGSK, v_BGSK, keep_mask=source.keep_mask))

    def keys_and_values(self, x_BSD: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (B, G, S, K) keys, not turned yet, and values of a sequence."""
        return self._heads(self.k_proj(x_BSD), self.k_norm), self._heads(self.v_proj(x_BSD), None)

    def _heads(self, x_BTX: Tensor, norm: RMSNorm | None) -> Tensor:
        x_BTHK = x_BTX.view(*x_BTX.shape[:2], -1, self.head_width)
        return (x_BTHK if norm is None else norm(x_BTHK)).transpose(1, 2)

    def _joined(self, y_BHTK: Tensor) -> Tensor:
        batch, _, time, _ = y_BHTK.shape
        return self.o_proj(y_BHTK.transpose(1, 2).reshape(batch, time, -1))  # type: ignore[no-any-return]
