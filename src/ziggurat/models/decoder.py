"""The decoder: a GPT-style Transformer that reads from left to right.

*Idea.* Embed ids, let L blocks change the vectors, each looking at itself and what came before it, and compare each
vector with every id's embedding. The default is the modern form, in the layout of Qwen3: pre-norm with RMSNorm, rotary
positions, normalised queries and keys, gated feed-forward layers. Other keys make it GPT-2, Llama or Qwen2
(`ziggurat.models.layouts`), and whatever opens those opens ours.

Shape suffixes as in `ziggurat.models.blocks.attention`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.attention import Sight
from ziggurat.models.blocks.cache import KeyValueCache
from ziggurat.models.blocks.dropout import drop
from ziggurat.models.blocks.initialisation import Embedding, Linear, fill_normal
from ziggurat.models.blocks.network import CausalNetwork, NeuralLanguageModel
from ziggurat.models.blocks.ngram_tables import NgramTableKeys, NgramTables
from ziggurat.models.blocks.transformer import TransformerConfig, TransformerStack, fill_transformer, layers_and_width
from ziggurat.models.blocks.transformer_towers import decoder_anatomy
from ziggurat.models.blocks.value_embeddings import ValueEmbeddings
from ziggurat.models.layouts.at_rest import at_rest, configured, restored

__all__ = ["FAMILY", "DecoderConfig", "DecoderFamily", "DecoderNetwork"]


@dataclass(frozen=True)
class DecoderConfig(NgramTableKeys, TransformerConfig):
    """The ``[model]`` keys of a decoder."""

    value_embeddings: int = option(
        0, "embeddings that are added to the values of attention: one each in so many first and last blocks", low=0
    )

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        TransformerConfig.__post_init__(self)
        NgramTableKeys.__post_init__(self)
        if self.value_embeddings > self.layers:
            raise UsageError(f"value_embeddings ({self.value_embeddings}) is more than layers ({self.layers})")


class DecoderNetwork(CausalNetwork):
    """The decoder's layers.

    *Cost.* As `TransformerStack` says, and 2·D·V operations for the logits of a position.
    """

    carries_state = False

    def __init__(self, config: DecoderConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(vocabulary, width=config.width, context=config.context)
        self.config = config
        self.embed_tokens = Embedding(vocabulary.size, config.width)
        self.embed_ngrams = NgramTables(config, vocabulary.size, config.width) if config.ngram_orders else None
        self.embed_values = _value_embeddings(config, vocabulary.size) if config.value_embeddings else None
        self.stack = TransformerStack(config)
        self.lm_head = None if config.tied else Linear(config.width, vocabulary.size, bias=False)

    def fill(self, seed: int) -> None:
        """Draw first weights (`fill_transformer`, `NgramTables.fill`, `ValueEmbeddings.fill`)."""
        fill_transformer(self, seed=seed, apart=("embed_ngrams", "embed_values"))
        if self.embed_values is not None:
            self.embed_values.fill()
        if self.embed_ngrams is not None:
            self.embed_ngrams.fill(seed=seed, name="embed_ngrams")

    def hidden(
        self,
        ids: Tensor,
        state: KeyValueCache | None = None,
        *,
        lengths: Tensor | None = None,
        beside: Tensor | None = None,
    ) -> tuple[Tensor, KeyValueCache | None]:
        """Read (B, T) ids; keep keys and values only where a cache came in (see `CausalNetwork.hidden`).

        *Raises.* `UsageError` where a row would become longer than `context`.
        """
        time = ids.shape[1]
        self.check_fits(time + (state.longest if state is not None else 0))
        fresh = state is None or state.longest == 0
        places = slice(0, time) if state is None else state.positions(time)
        x_BTD = self._embedded(ids, state, lengths)
        x_BTD = self.stack.placed(x_BTD if beside is None else x_BTD + beside, places)
        x_BTD = drop(x_BTD, self.config.dropout, training=self.training)
        keep_mask = None if fresh or state is None else state.keep_mask(time)
        values = () if self.embed_values is None else self.embed_values(ids)
        sight = Sight(self.stack.turns(places), keep_mask, causal=fresh, cache=state, values=values)
        x_BTD = self.stack(x_BTD, sight)
        if state is not None:
            state.advance(time, lengths)
        return x_BTD, state

    def _embedded(self, ids: Tensor, state: KeyValueCache | None, lengths: Tensor | None) -> Tensor:
        """Return (B, T, D): what ids enter with; a cache then knows them as read last."""
        x_BTD: Tensor = self.embed_tokens(ids)
        if self.embed_ngrams is None:
            return x_BTD
        before = None if state is None else state.last_ids
        if state is not None and before is not None:
            state.last_ids = self.embed_ngrams.after(ids, before, lengths)
        return x_BTD + self.embed_ngrams(ids, before)  # type: ignore[no-any-return]

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
        last_ids = None if self.embed_ngrams is None else self.embed_ngrams.nothing(batch)
        return KeyValueCache(shape, dtype=self.embed_tokens.weight.dtype, device=self.device, last_ids=last_ids)

    def reorder_state(self, state: KeyValueCache, rows: Tensor) -> KeyValueCache:
        """Return a cache with copies of ``rows``; the old one stays as it was."""
        return state.reorder(rows)


def _value_embeddings(config: DecoderConfig, size: int) -> ValueEmbeddings:
    width = config.resolved_key_heads * config.resolved_head_width
    return ValueEmbeddings(config.value_embeddings, layers=config.layers, size=size, width=width)


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
        """Return ``config.json`` and the weights, in the layout of the published form that this decoder is."""
        network: DecoderNetwork = model.network
        return at_rest(self.name, network.config, network.vocabulary, network)

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralLanguageModel:
        """Return the decoder that `state` described, or another program.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        return NeuralLanguageModel(restored(self.name, DecoderConfig, DecoderNetwork, config, tensors))

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[DecoderConfig, Vocabulary]:
        """Return the configuration and the vocabulary of what `restore` would make of the same.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        return configured(self.name, DecoderConfig, config, tensors)

    def anatomy(self, config: DecoderConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the tower of a decoder: embeddings, positions, blocks, output."""
        return decoder_anatomy(config, vocabulary.size, value_embeddings=config.value_embeddings)

    def sized(self, parameters: int) -> DecoderConfig:
        """Return a decoder with about so many parameters beside the embeddings.

        *Maths.* L blocks of width D have 12·L·D² of them; D is about 48 L, near the proportions of small GPT models.
        """
        layers, width = layers_and_width(parameters, per_layer=12, slope=48)
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
