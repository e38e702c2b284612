"""The encoder–decoder: one Transformer reads a source, another writes what follows from it.

*Idea.* The encoder lets every id of the source look at all others. The decoder reads its own text from left to right
and, in each block, also looks at what the encoder made of the source (Vaswani et al. 2017, figure 1). Given a source it
is a language model like any other (`ziggurat.models.blocks.conditioned`). The default is the article's form, which is
that of Marian's translation models too (`ziggurat.models.layouts.marian`).

Shape suffixes as in `ziggurat.models.blocks.attention`; S is the time of the source.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.config import option
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.attention import Sight, Source
from ziggurat.models.blocks.cache import KeyValueCache
from ziggurat.models.blocks.conditioned import NeuralConditionalModel, TranslatingNetwork
from ziggurat.models.blocks.dropout import drop
from ziggurat.models.blocks.initialisation import Embedding, Linear, fill_normal
from ziggurat.models.blocks.transformer import (
    ADDED,
    TransformerConfig,
    TransformerStack,
    fill_transformer,
    layers_and_width,
    other_default,
)
from ziggurat.models.blocks.transformer_towers import translating_anatomy
from ziggurat.models.layouts.at_rest import at_rest, configured, restored

__all__ = ["FAMILY", "Seq2seqConfig", "Seq2seqFamily", "Seq2seqNetwork"]


@dataclass(frozen=True)
class Seq2seqConfig(TransformerConfig):
    """The ``[model]`` keys of an encoder–decoder; ``layers`` are the encoder's."""

    layers: int = option(6, "Transformer blocks of the encoder, one upon another", low=1)
    decoder_layers: int | None = option(None, "Transformer blocks of the decoder (default: layers)", low=1)
    width: int = other_default("width", 512)
    heads: int = other_default("heads", 8)
    context: int = option(512, "longest source, and longest target, in tokens", low=2)
    dropout: float = other_default("dropout", 0.1)
    positions: Literal["rotary", "learned", "sinusoidal"] = other_default("positions", "sinusoidal")
    norm: Literal["rms", "layer"] = other_default("norm", "layer")
    norm_place: Literal["pre", "post"] = other_default("norm_place", "post")
    norm_epsilon: float = other_default("norm_epsilon", 1e-5)
    query_norm: bool = other_default("query_norm", False)
    activation: Literal["swiglu", "gelu", "gelu_tanh", "relu", "relu2", "silu"] = other_default("activation", "relu")
    bias: Literal["none", "qkv", "all"] = other_default("bias", "all")
    scale_embedding: bool = option(True, "multiply embeddings by the root of width before positions are added")

    @property
    def resolved_decoder_layers(self) -> int:
        """Blocks of the decoder."""
        return self.decoder_layers or self.layers


class Seq2seqNetwork(TranslatingNetwork):
    """The encoder's and the decoder's layers, over one matrix of embeddings.

    *Maths.* Sources, targets and predictions share one embedding matrix E, whose rows are multiplied by √D where they
    enter (Vaswani et al. 2017, section 3.4); logits are h·Eᵀ + b. ``final_logits_bias`` is b: 0, and not trained, but
    Marian's models bring one.

    *Cost.* As `TransformerStack` says; the keys and values of a source are made once, not at each step.
    """

    final_logits_bias: Tensor

    def __init__(self, config: Seq2seqConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(vocabulary, width=config.width, context=config.context)
        self.config = config
        self.embed_tokens = Embedding(vocabulary.size, config.width)
        self.encoder = TransformerStack(config)
        self.decoder = TransformerStack(config, layers=config.resolved_decoder_layers, crosses=True)
        self.lm_head = None if config.tied else Linear(config.width, vocabulary.size, bias=False)
        self.register_buffer("final_logits_bias", torch.zeros(1, vocabulary.size))
        self._scale = math.sqrt(config.width) if config.scale_embedding else 1.0

    def fill(self, seed: int) -> None:
        """Draw first weights.

        *Maths.* With post-norm each matrix is drawn from N(0, 2/(n_in + n_out)), which keeps the sizes of vectors and
        of gradients about equal from layer to layer (Glorot & Bengio 2010, eq. 12); with pre-norm as `fill_transformer`
        says. Embeddings that are multiplied by √D as they enter are drawn from N(0, 1/D), so that they enter with the
        size of the waves that are added to them.
        """
        fill_transformer(self, seed=seed)
        if self.config.norm_place == "post":
            for name, module in self.named_modules():
                silent = self.config.zero_projections and f"{name}.weight".endswith(ADDED)
                if isinstance(module, nn.Linear) and not silent:
                    std = math.sqrt(2 / (module.in_features + module.out_features))
                    fill_normal(module.weight, std=std, seed=seed, name=f"{name}.weight")
        if self.config.scale_embedding:
            fill_normal(self.embed_tokens.weight, std=1 / self._scale, seed=seed, name="embed_tokens.weight")

    def encoded(self, ids: Tensor, keep_mask: Tensor | None = None) -> Tensor:
        """Return (B, S, D): the source's vectors after the encoder; ``keep_mask`` (B, S) is True where no padding is.

        *Raises.* `UsageError` where a source is longer than `context`.
        """
        self.check_fits(ids.shape[1])
        seen = None if keep_mask is None else keep_mask[:, None, None]
        places = slice(0, ids.shape[1])
        return self.encoder(  # type: ignore[no-any-return]
            self._embedded(ids, self.encoder, places), Sight(self.encoder.turns(places), seen, causal=False)
        )

    def source(self, ids: Tensor, lengths: Tensor) -> Source:
        """Return what the decoder looks at of (B, S) source ids, of which (B,) ``lengths`` a row are no padding."""
        keep_mask = None
        if len(lengths) and int(lengths.min()) < ids.shape[1]:
            keep_mask = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        memory_BSD = self.encoded(ids, keep_mask)
        return self.decoder.source(memory_BSD, None if keep_mask is None else keep_mask[:, None, None])

    def hidden(
        self, ids: Tensor, source: Source, state: KeyValueCache | None = None, *, lengths: Tensor | None = None
    ) -> Tensor:
        """Read (B, T) target ids beside a source of B rows; return (B, T, D) vectors, and write on in ``state``.

        *Raises.* `UsageError` where a row would become longer than `context`.
        """
        time = ids.shape[1]
        self.check_fits(time + (state.longest if state is not None else 0))
        fresh = state is None or state.longest == 0
        places = slice(0, time) if state is None else state.positions(time)
        keep_mask = None if fresh or state is None else state.keep_mask(time)
        sight = Sight(self.decoder.turns(places), keep_mask, causal=fresh, cache=state, source=source)
        x_BTD = self.decoder(self._embedded(ids, self.decoder, places), sight)
        if state is not None:
            state.advance(time, lengths)
        return x_BTD  # type: ignore[no-any-return]

    def empty_cache(self, batch: int) -> KeyValueCache:
        """Return the state of ``batch`` targets of which nothing has been read."""
        config, weight = self.config, self.embed_tokens.weight
        shape = (config.resolved_decoder_layers, batch, config.resolved_key_heads, config.resolved_head_width)
        return KeyValueCache(shape, dtype=weight.dtype, device=weight.device)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V): the products of a vector with each id's output embedding, and the bias."""
        output = self.embed_tokens if self.lm_head is None else self.lm_head
        return nn.functional.linear(hidden, output.weight) + self.final_logits_bias[0]

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters."""
        return self.embed_tokens.weight

    def _embedded(self, ids: Tensor, stack: TransformerStack, places: slice | Tensor) -> Tensor:
        x_BTD = stack.placed(self.embed_tokens(ids) * self._scale, places)
        return drop(x_BTD, self.config.dropout, training=self.training)


class Seq2seqFamily:
    """Builds, saves and opens encoder–decoders."""

    name: ClassVar[str] = "seq2seq"
    trainers: ClassVar[tuple[str, ...]] = ("conditional",)
    embedding_key: ClassVar[str] = "width"
    reads_pairs: ClassVar[Literal[True]] = True
    config: ClassVar[type[Any]] = Seq2seqConfig

    def build(self, config: Seq2seqConfig, vocabulary: Vocabulary, *, seed: int) -> NeuralConditionalModel:
        """Return an untrained encoder–decoder."""
        network = Seq2seqNetwork(config, vocabulary)
        network.fill(seed)
        return NeuralConditionalModel(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return ``config.json`` and the weights, in Marian's layout where it holds them."""
        network: Seq2seqNetwork = model.network
        return at_rest(self.name, network.config, network.vocabulary, network)

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralConditionalModel:
        """Return the encoder–decoder that `state` described, or another program.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        return NeuralConditionalModel(restored(self.name, Seq2seqConfig, Seq2seqNetwork, config, tensors))

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[Seq2seqConfig, Vocabulary]:
        """Return the configuration and the vocabulary of what `restore` would make of the same.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        return configured(self.name, Seq2seqConfig, config, tensors)

    def anatomy(self, config: Seq2seqConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the two towers of an encoder–decoder."""
        return translating_anatomy(config, vocabulary.size, decoder_layers=config.resolved_decoder_layers)

    def sized(self, parameters: int) -> Seq2seqConfig:
        """Return an encoder–decoder with about so many parameters beside the embeddings.

        *Maths.* A block of width D has 12·D² in the encoder and 16·D² in the decoder, which looks twice; L of each
        have 28·L·D², and D is about 64 L, near the article's proportions.
        """
        layers, width = layers_and_width(parameters, per_layer=28, slope=64)
        return Seq2seqConfig(layers=layers, width=width, heads=width // 32)

    def tiny(self, *, seed: int) -> NeuralConditionalModel:
        """Return a small random encoder–decoder with wide weights, so that its distributions are far from uniform."""
        config = Seq2seqConfig(layers=2, decoder_layers=3, width=20, heads=4, feedforward=28, context=64)
        model = self.build(config, Vocabulary(size=11, bos=0, eos=0), seed=seed)
        for name, parameter in model.network.named_parameters():
            if parameter.dim() > 1:
                fill_normal(parameter, std=0.4, seed=seed, name=name)
        return model


FAMILY = Seq2seqFamily()
