"""The decoder: a GPT-style Transformer that reads from left to right, in the layout of Qwen3.

*Idea.* Embed ids, let L pre-norm blocks with rotary positions, normalised queries and keys and gated feed-forward
layers change the vectors, normalise, and compare each vector with every id's embedding. Configuration and tensors are
named as Qwen3's, so that whatever opens a Qwen3 model opens ours.

Shape suffixes as in `ziggurat.models.blocks.attention`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from ziggurat.core.config import option
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.attention import MultiHeadAttention, Sight
from ziggurat.models.blocks.cache import KeyValueCache
from ziggurat.models.blocks.feedforward import SwiGLU, gated_width
from ziggurat.models.blocks.initialisation import Embedding, Linear, fill_normal
from ziggurat.models.blocks.network import Network, NeuralLanguageModel
from ziggurat.models.blocks.normalisation import RMSNorm
from ziggurat.models.blocks.positions import RotaryPositions
from ziggurat.models.blocks.transformer import TransformerBlock
from ziggurat.models.blocks.weights import load_tensors, tensors_of

__all__ = ["FAMILY", "DecoderConfig", "DecoderFamily", "DecoderNetwork"]


@dataclass(frozen=True)
class DecoderConfig:
    """The ``[model]`` keys of a decoder."""

    layers: int = option(6, "Transformer blocks, one upon another", low=1)
    width: int = option(384, "numbers in the vector that stands for a position", low=1)
    heads: int = option(6, "attention heads of each block", low=1)
    key_heads: int | None = option(None, "heads of keys and values, shared by groups of heads (default: heads)", low=1)
    head_width: int | None = option(None, "width of one head, an even number (default: width / heads)", low=2)
    feedforward: int | None = option(None, "hidden width of the feed-forward layers (default: 8/3 of width)", low=1)
    context: int = option(256, "longest sequence that it reads at once, in tokens", low=2)
    tied: bool = option(True, "use one matrix to embed and to predict")
    dropout: float = option(0.0, "part of each block's output that is dropped in training", low=0.0, high=0.95)
    rotary_base: float = option(10000.0, "base of the rotary positions' wavelengths", low=1.0)
    norm_epsilon: float = option(1e-6, "added under the root when vectors are normalised", low=0.0)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        if self.head_width is None and self.width % self.heads:
            raise UsageError(
                f"width ({self.width}) is not a multiple of heads ({self.heads}): change one or set head_width"
            )
        if self.resolved_head_width % 2:
            raise UsageError(f"head_width ({self.resolved_head_width}) must be even: rotary positions turn pairs")
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
        return self.feedforward or gated_width(self.width)


class DecoderNetwork(Network):
    """The decoder's layers.

    *Cost.* A token costs about 2 floating-point operations a parameter to read, and 4·L·T·H·K to attend; training
    costs three times that.
    """

    carries_state: ClassVar[bool] = False

    def __init__(self, config: DecoderConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(vocabulary, width=config.width, context=config.context)
        self.config = config
        self.embed_tokens = Embedding(vocabulary.size, config.width)
        self.layers = nn.ModuleList(_block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, epsilon=config.norm_epsilon)
        self.lm_head = None if config.tied else Linear(config.width, vocabulary.size, bias=False)
        self.positions = RotaryPositions(config.resolved_head_width, base=config.rotary_base, context=config.context)

    def fill(self, seed: int) -> None:
        """Draw first weights: N(0, 0.02²), and what is added to the residual path smaller by √(2L).

        *Maths.* Standard deviations of GPT-2 (Radford et al. 2019, section 2.3): with 2L additions the variance at
        the last layer does not depend on L. Gains of the norms stay 1.
        """
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                added = name.endswith(("o_proj.weight", "down_proj.weight"))
                std = 0.02 / math.sqrt(2 * self.config.layers) if added else 0.02
                fill_normal(parameter, std=std, seed=seed, name=name)

    def hidden(
        self, ids: Tensor, state: KeyValueCache | None = None, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, KeyValueCache | None]:
        """Read (B, T) ids; keep keys and values only where a cache came in (see `Network.hidden`).

        *Raises.* `UsageError` where a row would become longer than `context`.
        """
        time = ids.shape[1]
        self.check_fits(time + (state.longest if state is not None else 0))
        dropout = self.config.dropout
        x_BTD = nn.functional.dropout(self.embed_tokens(ids), dropout, self.training)
        sight = self._sight(time, state)
        for number, block in enumerate(self.layers):
            x_BTD = block(x_BTD, sight, layer=number, dropout=dropout)
        if state is not None:
            state.advance(time, lengths)
        return self.norm(x_BTD), state

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V): the products of a vector with each id's output embedding."""
        output = self.embed_tokens if self.lm_head is None else self.lm_head
        return nn.functional.linear(hidden, output.weight)

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters; where tied, also the one that predicts it."""
        return self.embed_tokens.weight

    def initial_state(self, batch: int) -> KeyValueCache:
        """Return an empty cache."""
        config = self.config
        shape = (config.layers, batch, config.resolved_key_heads, config.resolved_head_width)
        return KeyValueCache(shape, dtype=self.norm.weight.dtype, device=self.device)

    def reorder_state(self, state: KeyValueCache, rows: Tensor) -> KeyValueCache:
        """Return a cache with copies of ``rows``; the old one stays as it was."""
        return state.reorder(rows)

    def _sight(self, time: int, state: KeyValueCache | None) -> Sight:
        if state is None or state.longest == 0:
            cos, sin = self.positions(slice(0, time))
            return Sight(cos, sin, causal=True, cache=state)
        cos, sin = self.positions(state.positions(time))
        return Sight(cos, sin, keep_mask=state.keep_mask(time), causal=False, cache=state)


class DecoderFamily:
    """Builds, saves and opens decoders."""

    name: ClassVar[str] = "decoder"
    trainers: ClassVar[tuple[str, ...]] = ("gradient",)
    embedding_key: ClassVar[str] = "width"
    config: ClassVar[type[Any]] = DecoderConfig

    def build(self, config: DecoderConfig, vocabulary: Vocabulary, *, seed: int) -> NeuralLanguageModel:
        """Return an untrained decoder."""
        network = DecoderNetwork(config, vocabulary)
        network.fill(seed)
        return NeuralLanguageModel(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return a configuration that is Qwen3's ``config.json``, and the weights under Qwen3's names."""
        network: DecoderNetwork = model.network
        tensors = {_outer_name(name): array for name, array in tensors_of(network).items()}
        return _qwen3_config(network.config, network.vocabulary), tensors

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralLanguageModel:
        """Return the decoder that `state` described.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        network = DecoderNetwork(*_from_qwen3_config(config))
        load_tensors(network, {name.removeprefix("model."): array for name, array in tensors.items()})
        return NeuralLanguageModel(network)

    def sized(self, parameters: int) -> DecoderConfig:
        """Return a decoder with about so many parameters beside the embeddings.

        *Maths.* L blocks of width D have 12·L·D² of them; D is about 48 L, near the proportions of small GPT models.
        """
        layers = max(2, round((parameters / (12 * 48**2)) ** (1 / 3)))
        width = 32 * max(1, round(math.sqrt(parameters / (12 * layers)) / 32))
        return DecoderConfig(layers=layers, width=width, heads=width // 32)

    def tiny(self, *, seed: int) -> NeuralLanguageModel:
        """Return a small random decoder with wide weights, so that its distributions are far from uniform."""
        config = DecoderConfig(layers=2, width=20, heads=4, key_heads=2, head_width=6, feedforward=28, context=64)
        model = self.build(config, Vocabulary(size=11, bos=0, eos=0), seed=seed)
        for name, parameter in model.network.named_parameters():
            if parameter.dim() > 1:
                fill_normal(parameter, std=0.4, seed=seed, name=name)
        return model


FAMILY = DecoderFamily()


def _block(config: DecoderConfig) -> TransformerBlock:
    attention = MultiHeadAttention(
        config.width,
        heads=config.heads,
        key_heads=config.resolved_key_heads,
        head_width=config.resolved_head_width,
        epsilon=config.norm_epsilon,
    )
    feedforward = SwiGLU(config.width, config.resolved_feedforward)
    norms = (RMSNorm(config.width, epsilon=config.norm_epsilon), RMSNorm(config.width, epsilon=config.norm_epsilon))
    return TransformerBlock(attention, feedforward, norms=norms)


def _outer_name(name: str) -> str:
    return name if name.startswith("lm_head.") else f"model.{name}"


def _qwen3_config(config: DecoderConfig, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what transformers writes for such a model; what Qwen3 has no key for stands under ``ziggurat``."""
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "dtype": "float32",
        "torch_dtype": "float32",
        "vocab_size": vocabulary.size,
        "bos_token_id": vocabulary.bos,
        "eos_token_id": vocabulary.eos,
        "hidden_size": config.width,
        "intermediate_size": config.resolved_feedforward,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.resolved_key_heads,
        "head_dim": config.resolved_head_width,
        "hidden_act": "silu",
        "max_position_embeddings": config.context,
        "rms_norm_eps": config.norm_epsilon,
        "rope_theta": config.rotary_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rotary_base},
        "tie_word_embeddings": config.tied,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "use_sliding_window": False,
        "initializer_range": 0.02,
        "use_cache": True,
        "ziggurat": {"dropout": config.dropout, "unk_token_id": vocabulary.unk},
    }


def _from_qwen3_config(config: Mapping[str, Any]) -> tuple[DecoderConfig, Vocabulary]:
    extra = config.get("ziggurat", {})
    try:
        own = DecoderConfig(
            layers=config["num_hidden_layers"],
            width=config["hidden_size"],
            heads=config["num_attention_heads"],
            key_heads=config["num_key_value_heads"],
            head_width=config["head_dim"],
            feedforward=config["intermediate_size"],
            context=config["max_position_embeddings"],
            tied=config["tie_word_embeddings"],
            dropout=extra.get("dropout", 0.0),
            rotary_base=config["rope_parameters"]["rope_theta"],
            norm_epsilon=config["rms_norm_eps"],
        )
        vocabulary = Vocabulary(
            size=config["vocab_size"],
            bos=config["bos_token_id"],
            eos=config["eos_token_id"],
            unk=extra.get("unk_token_id"),
        )
    except KeyError as error:
        raise ArtefactError(f"config.json: the key {error} is missing") from None
    return own, vocabulary
