"""The Transformer: one block, and a stack of them, that serve decoder, encoder and encoder–decoder alike.

*Idea.* Everything that tells one published Transformer from another is a key of `TransformerConfig`; what the forms
differ in is only what a position may look at (`ziggurat.models.blocks.attention.Sight`).

Shape suffixes as in `ziggurat.models.blocks.attention`.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.attention import MultiHeadAttention, Sight, Source
from ziggurat.models.blocks.dropout import drop
from ziggurat.models.blocks.feedforward import FeedForward, SwiGLU, gated_width
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.blocks.normalisation import LayerNorm, RMSNorm
from ziggurat.models.blocks.positions import STRETCHES, LearnedPositions, RotaryPositions, SinusoidalPositions

__all__ = [
    "ADDED",
    "TransformerBlock",
    "TransformerConfig",
    "TransformerStack",
    "fill_transformer",
    "layers_and_width",
    "normalisation",
    "other_default",
]


ADDED = ("o_proj.weight", "down_proj.weight")
"""Names of the matrices whose products are added to the residual path."""
LONGEST_CONTEXT = 1 << 20
"""Positions at most: their tables are computed, so no file's size bears a larger number out."""


@dataclass(frozen=True)
class TransformerConfig:
    """The ``[model]`` keys that all Transformers share."""

    layers: int = option(6, "Transformer blocks, one upon another", low=1)
    width: int = option(384, "numbers in the vector that stands for a position", low=1)
    heads: int = option(6, "attention heads of each block", low=1)
    key_heads: int | None = option(None, "heads of keys and values, shared by groups of heads (default: heads)", low=1)
    head_width: int | None = option(None, "width of one head (default: width / heads)", low=1)
    feedforward: int | None = option(
        None, "hidden width of the feed-forward layers (default: 4 times width, or 8/3 where gated)", low=1
    )
    context: int = option(256, "longest sequence that it reads at once, in tokens", low=2)
    tied: bool = option(True, "use one matrix to embed and to predict")
    dropout: float = option(0.0, "part of each block's output that is dropped in training", low=0.0, high=0.95)
    positions: Literal["rotary", "learned", "sinusoidal"] = option(
        "rotary", "how it is told the order: rotary (turned queries and keys), learned or sinusoidal (added vectors)"
    )
    rotary_base: float = option(10000.0, "base of the rotary positions' wavelengths", low=1.0)
    rotary_stretch: Literal["none", "linear", "llama3", "yarn"] = option(
        "none", "how rotary wavelengths are stretched to read further than was learned first"
    )
    rotary_numbers: tuple[float, ...] = option(
        (),
        "numbers of rotary_stretch: linear factor; llama3 factor, low, high, first context; yarn factor, first "
        "context, fast, slow, size",
    )
    norm: Literal["rms", "layer"] = option("rms", "how vectors are normalised: rms (RMSNorm) or layer (LayerNorm)")
    norm_place: Literal["pre", "post"] = option("pre", "where: pre (before each half of a block) or post (after it)")
    norm_epsilon: float = option(1e-6, "added under the root when vectors are normalised", low=0.0)
    query_norm: bool = option(True, "normalise queries and keys of each head (QK-norm)")
    activation: Literal["swiglu", "gelu", "gelu_tanh", "relu", "relu2", "silu"] = option(
        "swiglu", "of the feed-forward layers: swiglu (gated), gelu, gelu_tanh (GPT-2's), relu, relu2 (squared) or silu"
    )
    bias: Literal["none", "qkv", "all"] = option(
        "none", "which matrices add a vector: none, those of queries, keys and values, or all"
    )
    zero_projections: bool = option(
        False, "whether the matrices at the end of each block's halves begin at 0, so that it begins by doing nothing"
    )

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        if self.context > LONGEST_CONTEXT:
            raise UsageError(f"context ({self.context}) is more than {LONGEST_CONTEXT}, the most that is done here")
        if self.head_width is None and self.width % self.heads:
            raise UsageError(
                f"width ({self.width}) is not a multiple of heads ({self.heads}): change one or set head_width"
            )
        if self.positions == "rotary" and self.resolved_head_width % 2:
            raise UsageError(f"head_width ({self.resolved_head_width}) must be even: rotary positions turn pairs")
        if self.positions == "sinusoidal" and self.width % 2:
            raise UsageError(f"width ({self.width}) must be even: sinusoidal positions are sines and cosines")
        wanted = STRETCHES[self.rotary_stretch]
        if len(self.rotary_numbers) != len(wanted) or any(number <= 0 for number in self.rotary_numbers):
            raise UsageError(
                f"rotary_numbers must be {len(wanted)} positive numbers where rotary_stretch is {self.rotary_stretch}"
                + (f": {', '.join(wanted)}" if wanted else "")
            )
        if self.rotary_stretch == "llama3" and self.rotary_numbers[1] >= self.rotary_numbers[2]:
            raise UsageError("rotary_numbers: low_freq_factor must be smaller than high_freq_factor")
        if self.heads % self.resolved_key_heads:
            raise UsageError(f"heads ({self.heads}) is not a multiple of key_heads ({self.key_heads})")

    @property
    def resolved_key_heads(self) -> int:
        """Heads of keys and values."""
        return self.key_heads or self.heads

    @property
    def resolved_head_width(self) -> int:
        """Width of one head."""
        return self.head_width or self.width // self.heads

    @property
    def resolved_feedforward(self) -> int:
        """Hidden width of the feed-forward layers."""
        usual = gated_width(self.width) if self.activation == "swiglu" else 4 * self.width
        return self.feedforward or usual


def other_default(key: str, default: Any) -> Any:
    """Return the key that all Transformers share, limits and text included, with another default."""
    shared = next(field for field in dataclasses.fields(TransformerConfig) if field.name == key)
    return dataclasses.field(default=default, metadata=shared.metadata)


class TransformerBlock(nn.Module):
    """Attention between positions, then a feed-forward layer on each, both added to what came in.

    *Maths.* With pre-norm x + attention(norm(x)), then x + feedforward(norm(x)): the residual path from the first
    layer to the last is never normalised, so that gradients reach all layers alike (Xiong et al. 2020). With post-norm
    norm(x + attention(x)), then norm(x + feedforward(x)) (Vaswani et al. 2017, section 3.1). A block of a decoder that
    translates looks at its source between the two.

    *Departs.* Dropout acts on each branch before it is added (Vaswani et al. 2017, section 5.4), and on nothing else.
    Submodules carry the names of Qwen3's weights.
    """

    def __init__(self, config: TransformerConfig, *, crosses: bool = False) -> None:
        """Make one block; ``crosses`` says whether it looks at a source."""
        super().__init__()
        self.dropout = config.dropout
        self.pre = config.norm_place == "pre"
        self.self_attn = _attention(config)
        self.cross_attn = _attention(config) if crosses else None
        self.mlp: nn.Module
        if config.activation == "swiglu":
            self.mlp = SwiGLU(config.width, config.resolved_feedforward, bias=config.bias == "all")
        else:
            self.mlp = FeedForward(
                config.width, config.resolved_feedforward, activation=config.activation, bias=config.bias == "all"
            )
        self.input_layernorm = normalisation(config)
        self.cross_attn_layernorm = normalisation(config) if crosses else None
        self.post_attention_layernorm = normalisation(config)

    def forward(self, x_BTD: Tensor, sight: Sight, *, layer: int) -> Tensor:
        """Return the (B, T, D) vectors after this block; ``layer`` is its place in the cache.

        *Raises.* `UsageError` where it looks at a source and ``sight`` has none.
        """
        norm = self.input_layernorm
        x_BTD = self._add(x_BTD, self.self_attn(self._before(x_BTD, norm), sight, layer=layer), norm)
        if self.cross_attn is not None and self.cross_attn_layernorm is not None:
            if sight.source is None:
                raise UsageError("a decoder that translates was given no source to look at")
            norm = self.cross_attn_layernorm
            x_BTD = self._add(x_BTD, self.cross_attn.across(self._before(x_BTD, norm), sight.source, layer=layer), norm)
        norm = self.post_attention_layernorm
        return self._add(x_BTD, self.mlp(self._before(x_BTD, norm)), norm)

    def _before(self, x_BTD: Tensor, norm: nn.Module) -> Tensor:
        return norm(x_BTD) if self.pre else x_BTD

    def _add(self, x_BTD: Tensor, branch_BTD: Tensor, norm: nn.Module) -> Tensor:
        x_BTD = x_BTD + drop(branch_BTD, self.dropout, training=self.training)
        return x_BTD if self.pre else norm(x_BTD)


class TransformerStack(nn.Module):
    """Blocks one upon another, and what they share: positions, and with pre-norm a norm behind the last.

    *Cost.* A token costs about 2 floating-point operations a parameter to read, and 4·L·S·H·K to attend to S others;
    training costs three times that.
    """

    def __init__(self, config: TransformerConfig, *, layers: int | None = None, crosses: bool = False) -> None:
        """Make ``layers`` blocks (default: those of ``config``); their values come from `fill_transformer`."""
        super().__init__()
        self.config = config
        self.rotary: RotaryPositions | None = None
        self.added: LearnedPositions | SinusoidalPositions | None = None
        if config.positions == "rotary":
            self.rotary = RotaryPositions(
                config.resolved_head_width,
                base=config.rotary_base,
                context=config.context,
                stretch=config.rotary_stretch,
                numbers=config.rotary_numbers,
            )
        elif config.positions == "learned":
            self.added = LearnedPositions(config.width, context=config.context)
        else:
            self.added = SinusoidalPositions(config.width, context=config.context)
        self.layers = nn.ModuleList(TransformerBlock(config, crosses=crosses) for _ in range(layers or config.layers))
        self.norm = normalisation(config) if config.norm_place == "pre" else None
        self.recomputes = False
        """Whether a block's inner vectors are made again for its gradient instead of kept (Chen et al. 2016)."""

    def placed(self, x_BTD: Tensor, places: slice | Tensor) -> Tensor:
        """Add to embedded ids the vectors of their positions, where positions are vectors."""
        return x_BTD if self.added is None else x_BTD + self.added(places)

    def turns(self, places: slice | Tensor) -> tuple[Tensor, Tensor] | None:
        """Return by how much queries and keys at ``places`` are turned, where positions are turns."""
        return None if self.rotary is None else self.rotary(places)

    def forward(self, x_BTD: Tensor, sight: Sight, *, blocks: range | None = None) -> Tensor:
        """Return the (B, T, D) vectors after all ``blocks`` (default: each), normalised if the last is among them."""
        again = self.recomputes and torch.is_grad_enabled()
        blocks = range(len(self.layers)) if blocks is None else blocks
        for number in blocks:
            block = self.layers[number]
            if again:
                x_BTD = checkpoint(block, x_BTD, sight, layer=number, use_reentrant=False)
            else:
                x_BTD = block(x_BTD, sight, layer=number)
        ended = bool(blocks) and blocks.stop == len(self.layers)
        return self.norm(x_BTD) if ended and self.norm is not None else x_BTD

    def source(self, memory_BSD: Tensor, keep_mask: Tensor | None) -> Source:
        """Return what the blocks of a decoder that translates look at, from the vectors of an encoder."""
        crossing = [module for module in self.modules() if isinstance(module, TransformerBlock)]
        seen = (block.cross_attn.keys_and_values(memory_BSD) for block in crossing if block.cross_attn is not None)
        return Source(tuple(seen), keep_mask)


def normalisation(config: TransformerConfig) -> RMSNorm | LayerNorm:
    """Return a norm of the kind that ``config`` asks for."""
    kind = RMSNorm if config.norm == "rms" else LayerNorm
    return kind(config.width, epsilon=config.norm_epsilon)


def fill_transformer(network: nn.Module, *, seed: int, apart: tuple[str, ...] = ()) -> None:
    """Draw first weights: N(0, 0.02²), and what N additions put on a residual path smaller by √N; biases are 0.

    *Maths.* Standard deviations of GPT-2 (Radford et al. 2019, section 2.3): with pre-norm the variance at the last
    layer does not depend on N, which is 2L, or 3L in a decoder that also looks at a source. Gains of the norms stay 1.

    *Departs.* With post-norm each sum is normalised, so that nothing grows; there the smaller numbers only make a block
    begin nearer to doing nothing.

    Modules of the network that are named ``apart`` keep what they have: they fill themselves. With
    ``zero_projections`` what is put on a residual path begins at 0, as the last layer of each branch does in Fixup
    (Zhang, Dauphin & Ma 2019, section 3): every block begins by doing nothing.
    """
    added: dict[str, int] = {}
    silent: set[str] = set()
    for place, stack in network.named_modules():
        if isinstance(stack, TransformerStack):
            onto = [name for name, _ in stack.named_parameters() if name.endswith(ADDED)]
            named = [f"{place}.{name}".removeprefix(".") for name in onto]
            added |= dict.fromkeys(named, len(onto))
            silent |= set(named if stack.config.zero_projections else ())
    for name, parameter in network.named_parameters():
        if name.startswith(tuple(f"{module}." for module in apart)):
            continue
        if name.endswith("bias") or name in silent:
            nn.init.zeros_(parameter)
        elif parameter.dim() > 1:
            std = 0.02 / math.sqrt(added.get(name, 1))
            fill_normal(parameter, std=std, seed=seed, name=name.removeprefix("stack."))


def layers_and_width(parameters: int, *, per_layer: int, slope: int) -> tuple[int, int]:
    """Return the L ≥ 2 and the D, a multiple of 32, of a Transformer with about so many parameters in its blocks.

    *Maths.* L layers of width D have ``per_layer``·L·D² of them, and D is about ``slope``·L.

    >>> layers_and_width(12 * 6 * 288**2, per_layer=12, slope=48)
    (6, 288)
    """
    layers = max(2, round((parameters / (per_layer * slope**2)) ** (1 / 3)))
    return layers, 32 * max(1, round(math.sqrt(parameters / (per_layer * layers)) / 32))


def _attention(config: TransformerConfig) -> MultiHeadAttention:
    return MultiHeadAttention(
        config.width,
        heads=config.heads,
        key_heads=config.resolved_key_heads,
        head_width=config.resolved_head_width,
        epsilon=config.norm_epsilon if config.query_norm else None,
        bias=config.bias,
    )
