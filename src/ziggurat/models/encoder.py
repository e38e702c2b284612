"""The encoder: a Transformer that reads in both directions, as BERT does (Devlin et al. 2019).

*Idea.* Embed ids, their positions and the segment that they belong to, let L blocks change the vectors, each looking
at all others, and guess from the vector of a hidden id which it was. The default is BERT's form: learned positions,
LayerNorm after each half of a block, GELU, biases everywhere. With other keys it has the modern parts (rotary
positions, pre-norm, RMSNorm, gated layers), which no other program has a form for.

Shape suffixes as in `ziggurat.models.blocks.attention`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.attention import Sight
from ziggurat.models.blocks.dropout import drop
from ziggurat.models.blocks.encoding import NeuralEncoder, NeuralMaskedModel
from ziggurat.models.blocks.feedforward import ACTIVATIONS
from ziggurat.models.blocks.initialisation import Embedding, Linear, fill_normal
from ziggurat.models.blocks.network import Network
from ziggurat.models.blocks.transformer import (
    TransformerConfig,
    TransformerStack,
    fill_transformer,
    layers_and_width,
    normalisation,
    other_default,
)
from ziggurat.models.blocks.transformer_towers import encoder_anatomy
from ziggurat.models.layouts.at_rest import at_rest, configured, restored

__all__ = [
    "FAMILY",
    "EncoderBodyConfig",
    "EncoderConfig",
    "EncoderFamily",
    "EncoderNetwork",
    "PredictionHead",
    "check_first_position",
]


@dataclass(frozen=True)
class EncoderBodyConfig(TransformerConfig):
    """The ``[model]`` keys of whatever reads as an encoder; those that all Transformers share have BERT's values."""

    positions: Literal["rotary", "learned", "sinusoidal"] = other_default("positions", "learned")
    norm: Literal["rms", "layer"] = other_default("norm", "layer")
    norm_place: Literal["pre", "post"] = other_default("norm_place", "post")
    norm_epsilon: float = other_default("norm_epsilon", 1e-12)
    query_norm: bool = other_default("query_norm", False)
    activation: Literal["swiglu", "gelu", "gelu_tanh", "relu", "relu2", "silu"] = other_default("activation", "gelu")
    bias: Literal["none", "qkv", "all"] = other_default("bias", "all")
    token_types: int = option(2, "kinds of segments that have a vector of their own (BERT: 2); 0: none", low=0)
    pooler: bool = option(False, "whether a layer of its own makes one vector of the first token's")
    first_position: int = option(
        0, "number of a text's first position in other programs' files (RoBERTa: padding token + 1)", low=0
    )


@dataclass(frozen=True)
class EncoderConfig(EncoderBodyConfig):
    """The ``[model]`` keys of an encoder; those that all Transformers share have BERT's values."""

    head: bool = option(True, "whether it guesses hidden tokens; without, it only gives vectors")
    pooling: Literal["mean", "first", "pooler"] = option(
        "mean", "how a text becomes one vector: mean of its tokens' vectors, first token's, or the pooler's"
    )
    normalise: bool = option(False, "whether vectors of texts are brought to length one")
    longest_text: int | None = option(None, "tokens of a text that its vector is made of (default: context)", low=3)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        super().__post_init__()
        if self.pooling == "pooler" and not self.pooler:
            raise UsageError("pooling = pooler needs a pooler: set pooler = true, or choose mean or first")
        if self.longest_text is not None and self.longest_text > self.context:
            raise UsageError(f"longest_text ({self.longest_text}) is more than context ({self.context})")


class PredictionHead(nn.Module):
    """From the vector of a hidden id to logits of all ids.

    *Maths.* norm(activation(h·W + b))·Eᵀ + c with the embeddings E where tied (Devlin et al. 2019, as published with
    the article's weights; the article says only that the vectors are fed into a softmax over the vocabulary,
    section 3.1). The activation is that of the blocks, or GELU where those are gated.
    """

    def __init__(self, config: EncoderBodyConfig, size: int) -> None:
        """Make room for logits of ``size`` ids; values come later."""
        super().__init__()
        self.activation = ACTIVATIONS[config.activation if config.activation in ACTIVATIONS else "gelu"]
        self.dense = Linear(config.width, config.width)
        self.norm = normalisation(config)
        self.output = None if config.tied else Linear(config.width, size, bias=False)
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, hidden: Tensor, embedding_VD: Tensor) -> Tensor:
        """Return (…, V) logits of (…, D) vectors."""
        output = embedding_VD if self.output is None else self.output.weight
        return nn.functional.linear(self.norm(self.activation(self.dense(hidden))), output, self.bias)


class EncoderNetwork(Network):
    """The encoder's layers.

    *Cost.* As `TransformerStack` says, and 2·D·V operations for the logits of a position that is guessed.
    """

    def __init__(self, config: EncoderBodyConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(vocabulary, width=config.width, context=config.context)
        self.config = config
        self.embed_tokens = Embedding(vocabulary.size, config.width)
        self.embed_types = Embedding(config.token_types, config.width) if config.token_types else None
        self.embed_norm = normalisation(config)
        self.stack = TransformerStack(config)
        guesses = isinstance(config, EncoderConfig) and config.head
        self.head = PredictionHead(config, vocabulary.size) if guesses else None
        self.pooler = Linear(config.width, config.width) if config.pooler else None

    def fill(self, seed: int) -> None:
        """Draw first weights (`fill_transformer`)."""
        fill_transformer(self, seed=seed)

    def hidden(self, ids: Tensor, *, lengths: Tensor | None = None, types: Tensor | None = None) -> Tensor:
        """Read (B, T) ids; return (B, T, D) vectors, which at padding mean nothing.

        *Shapes and units.* ``lengths`` (B,) counts the ids of each row that are no padding (all, where it is None);
        ``types`` (B, T) says which segment each id belongs to (the first, where it is None).

        *Raises.* `UsageError` where a row is longer than `context`.
        """
        return self.raised(self.embedded(ids, types=types), lengths=lengths)

    def embedded(self, ids: Tensor, *, types: Tensor | None = None) -> Tensor:
        """Return (B, T, D): what the lowest block reads of (B, T) ids of the segments ``types``, as `hidden` has them.

        *Raises.* `UsageError` where a row is longer than `context`.
        """
        time = ids.shape[1]
        self.check_fits(time)
        x_BTD = self.embed_tokens(ids)
        if self.embed_types is not None:
            x_BTD = x_BTD + (self.embed_types.weight[0] if types is None else self.embed_types(types))
        x_BTD = self.embed_norm(self.stack.placed(x_BTD, slice(0, time)))
        return drop(x_BTD, self.config.dropout, training=self.training)

    def raised(self, x_BTD: Tensor, *, lengths: Tensor | None = None, blocks: range | None = None) -> Tensor:
        """Return (B, T, D) vectors after ``blocks`` (default: all), given those before; ``lengths`` as for `hidden`."""
        time, keep_mask = x_BTD.shape[1], None
        # a graph of this reading serves all lengths, so it has the mask always
        if lengths is not None and (torch.compiler.is_exporting() or bool((lengths < time).any())):
            # a row without ids looks at its first place: it must look somewhere
            keep_mask = (torch.arange(time, device=x_BTD.device) < lengths.clamp(min=1)[:, None])[:, None, None]
        sight = Sight(self.stack.turns(slice(0, time)), keep_mask, causal=False)
        return self.stack(x_BTD, sight, blocks=blocks)  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V) logits of (…, D) vectors.

        *Raises.* `UsageError` where the encoder has no head.
        """
        if self.head is None:
            raise UsageError("this encoder only gives vectors: it has no head that guesses hidden tokens")
        return self.head(hidden, self.embed_tokens.weight)  # type: ignore[no-any-return]

    def pooled(self, hidden_BTD: Tensor) -> Tensor:
        """Return (B, D): tanh(h₁·W + b) of each row's first vector (as published with Devlin et al. 2019).

        *Raises.* `UsageError` where the encoder has no pooler.
        """
        if self.pooler is None:
            raise UsageError("this encoder has no pooler: take the mean of its vectors, or the first")
        return torch.tanh(self.pooler(hidden_BTD[:, 0]))

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters; where tied, also the one that predicts it."""
        return self.embed_tokens.weight


class EncoderFamily:
    """Builds, saves and opens encoders."""

    name: ClassVar[str] = "encoder"
    trainers: ClassVar[tuple[str, ...]] = ("masked",)
    embedding_key: ClassVar[str] = "width"
    config: ClassVar[type[Any]] = EncoderConfig

    def build(self, config: EncoderConfig, vocabulary: Vocabulary, *, seed: int) -> NeuralEncoder:
        """Return an untrained encoder.

        *Raises.* `UsageError` where positions are counted in another way than the padding token has it.
        """
        check_first_position(config, vocabulary)
        network = EncoderNetwork(config, vocabulary)
        network.fill(seed)
        return _shown(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return ``config.json`` and the weights, in the layout of the published form that this encoder is."""
        network: EncoderNetwork = model.network
        return at_rest(self.name, network.config, network.vocabulary, network)

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralEncoder:
        """Return the encoder that `state` described, or another program; head and pooler where its file has them.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        return _shown(restored(self.name, EncoderConfig, EncoderNetwork, config, tensors))

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[EncoderConfig, Vocabulary]:
        """Return the configuration and the vocabulary of what `restore` would make of the same.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        return configured(self.name, EncoderConfig, config, tensors)

    def anatomy(self, config: EncoderConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the tower of an encoder: what is added up at its bottom, blocks, pooler and head."""
        return encoder_anatomy(
            config, vocabulary.size, token_types=config.token_types, head=config.head, pooler=config.pooler
        )

    def sized(self, parameters: int) -> EncoderConfig:
        """Return an encoder with about so many parameters beside the embeddings.

        *Maths.* L blocks of width D have 12·L·D² of them; D is about 48 L, as in `ziggurat.models.decoder`.
        """
        layers, width = layers_and_width(parameters, per_layer=12, slope=48)
        return EncoderConfig(layers=layers, width=width, heads=width // 32)

    def tiny(self, *, seed: int) -> NeuralEncoder:
        """Return a small random encoder with wide weights, so that its guesses are far from uniform."""
        config = EncoderConfig(layers=2, width=20, heads=5, feedforward=28, context=64, pooler=True)
        model = self.build(config, Vocabulary(size=11, bos=0, eos=0, mask=10), seed=seed)
        for name, parameter in model.network.named_parameters():
            if parameter.dim() > 1:
                fill_normal(parameter, std=0.4, seed=seed, name=name)
        return model


def check_first_position(config: EncoderBodyConfig, vocabulary: Vocabulary) -> None:
    """Refuse a new encoder whose positions are counted in another way than the padding token has it.

    *Raises.* `UsageError`.
    """
    pad = vocabulary.pad
    if config.first_position and config.first_position - 1 != pad:
        raise UsageError(
            f"first_position = {config.first_position} counts from behind padding token "
            f"{config.first_position - 1}, but the tokenizer's is {pad}: leave it out"
        )


def _shown(network: EncoderNetwork) -> NeuralEncoder:
    return NeuralEncoder(network) if network.head is None else NeuralMaskedModel(network)


FAMILY = EncoderFamily()
