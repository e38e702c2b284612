"""The recurrent family: a long short-term memory network that reads ids one after another, without limit of length.

*Idea.* Embed ids, let layers of cells carry what matters from step to step, project the last layer to the vocabulary.
Two uses of one file: the article's plain network (embedding 256, six layers of 512, an output matrix of its own), and
the strong form of Merity, Keskar & Socher (2017, "AWD-LSTM"): tied matrices and dropout on everything but the memory.

Shape suffixes: **B** batch, **T** time, **V** vocabulary, **D** width.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy, Part, Saved
from ziggurat.core.config import from_mapping, option, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.dropout import drop_locked, drop_words
from ziggurat.models.blocks.initialisation import Embedding, fill_normal, fill_uniform
from ziggurat.models.blocks.lstm import CellState, LSTMLayer
from ziggurat.models.blocks.lstm_parts import lstm_parts
from ziggurat.models.blocks.network import CausalNetwork, NeuralLanguageModel
from ziggurat.models.blocks.ngram_parts import ngram_parts, ngram_symbols
from ziggurat.models.blocks.ngram_tables import NgramTableKeys, NgramTables
from ziggurat.models.blocks.weights import check_tensors, load_tensors, shape_only, tensors_of

__all__ = ["FAMILY", "TIED_BOUND", "LSTMConfig", "RecurrentConfig", "RecurrentFamily", "RecurrentNetwork"]

TIED_BOUND = 0.4
"""Tied embeddings are drawn from between minus and plus this."""

ID_BYTES = 8

RecurrentState: TypeAlias = tuple[tuple[Tensor, ...], ...]
"""Each layer's cells; behind them, where there are tables of n-grams, what was read last, in a tuple of its own."""


@dataclass(frozen=True)
class LSTMConfig:
    """The keys of an LSTM's own layers; the defaults are the strong form, sized for a laptop."""

    layers: int = option(2, "LSTM layers, one upon another", low=1)
    embedding: int = option(384, "numbers in the vector of a token", low=1)
    hidden: int = option(768, "cells of each layer; where tied, the last layer has as many as embedding", low=1)
    tied: bool = option(True, "use one matrix to embed and to predict")
    dropout_words: float = option(
        0.0, "part of the vocabulary whose embedding is dropped in a window", low=0, high=0.95
    )
    dropout_input: float = option(0.0, "part of the embedded input that is dropped in a window", low=0, high=0.95)
    dropout_hidden: float = option(0.0, "part of what passes between layers that is dropped", low=0, high=0.95)
    dropout_output: float = option(0.0, "part of the last layer's output that is dropped", low=0, high=0.95)
    dropout_weights: float = option(0.0, "part of the hidden-to-hidden weights that is dropped", low=0, high=0.95)

    @property
    def widths(self) -> tuple[int, ...]:
        """Width before each layer and after the last."""
        last = self.embedding if self.tied else self.hidden
        return (self.embedding, *[self.hidden] * (self.layers - 1), last)


@dataclass(frozen=True)
class RecurrentConfig(NgramTableKeys, LSTMConfig):
    """The ``[model]`` keys of an LSTM."""


class RecurrentNetwork(CausalNetwork):
    """The LSTM's layers.

    *Cost.* A token costs about 2 floating-point operations a parameter to read, whatever came before; training costs
    three times that.
    """

    carries_state = True

    def __init__(self, config: RecurrentConfig, vocabulary: Vocabulary, *, predicts: bool = True) -> None:
        """Make all layers; their values come from `fill` or from a file. One that only reads has no output."""
        widths = config.widths
        super().__init__(vocabulary, width=widths[-1], context=None)
        self.config = config
        self.embedding = Embedding(vocabulary.size, config.embedding)
        self.embed_ngrams = NgramTables(config, vocabulary.size, config.embedding) if config.ngram_orders else None
        self.layers = nn.ModuleList(LSTMLayer(*pair) for pair in itertools.pairwise(widths))
        self.bias = nn.Parameter(torch.zeros(vocabulary.size)) if predicts else None
        free = predicts and not config.tied
        self.output = nn.Parameter(torch.empty(vocabulary.size, self.width)) if free else None

    def fill(self, seed: int) -> None:
        """Draw first weights: layers as `LSTMLayer.fill`, tied embeddings from U(−0.4, 0.4), free ones from N(0, 1).

        *Maths.* N(0, 1) and U(−1/√D, 1/√D) for a free output matrix are torch's own for the article's network. The
        output's bias begins at 0.

        *Departs.* AWD-LSTM ties at U(−0.1, 0.1) and has hundreds of epochs to grow out of it; in a short run by AdamW,
        cells that hear so little of their input learn late, or not at all (`docs/experiments.md`).
        """
        if self.config.tied:
            fill_uniform(self.embedding.weight, bound=TIED_BOUND, seed=seed, name="embedding")
        else:
            fill_normal(self.embedding.weight, std=1.0, seed=seed, name="embedding")
        if self.output is not None:
            fill_uniform(self.output, bound=self.width**-0.5, seed=seed, name="output")
        for number, layer in enumerate(self._layers):
            layer.fill(seed=seed, name=f"layers.{number}")
        if self.embed_ngrams is not None:
            self.embed_ngrams.fill(seed=seed, name="embed_ngrams")

    def hidden(
        self,
        ids: Tensor,
        state: RecurrentState | None = None,
        *,
        lengths: Tensor | None = None,
        beside: Tensor | None = None,
    ) -> tuple[Tensor, RecurrentState]:
        """Read (B, T) ids on from ``state`` (see `CausalNetwork.hidden`); the old state stays as it was."""
        held = list(self.initial_state(ids.shape[0]) if state is None else state)
        before = None if self.embed_ngrams is None else held.pop()[0]
        x_BTD = self.entered(ids, before, beside=beside)
        last: tuple[tuple[Tensor], ...] = ()
        if self.embed_ngrams is not None and before is not None:
            last = ((self.embed_ngrams.after(ids, before, lengths),),)
        y_BTD, reached = self.through(self.layers, x_BTD, held, lengths=lengths)
        return y_BTD, (*reached, *last)

    def entered(self, ids: Tensor, before: Tensor | None = None, *, beside: Tensor | None = None) -> Tensor:
        """Return (B, T, D): what (B, T) ids enter the layers with; ``before`` are those that stood before them."""
        x_BTD = drop_words(
            self.embedding(ids),
            ids,
            self.config.dropout_words,
            vocabulary_size=self.vocabulary.size,
            training=self.training,
        )
        if beside is not None:
            x_BTD = x_BTD + beside
        if self.embed_ngrams is not None:
            x_BTD = x_BTD + self.embed_ngrams(ids, before)
        return x_BTD

    def through(
        self,
        layers: Iterable[nn.Module],
        x_BTD: Tensor,
        held: Iterable[tuple[Tensor, ...]],
        *,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor, list[CellState]]:
        """Return (B, T, C) and the states of ``layers``, these or others alike, after `entered` vectors."""
        config, training = self.config, self.training
        x_BTD = drop_locked(x_BTD, config.dropout_input, training=training)
        reached: list[CellState] = []
        for number, (layer, (shown_BC, kept_BC)) in enumerate(zip(layers, held, strict=True)):
            assert isinstance(layer, LSTMLayer)  # noqa: S101 - there are no others
            if number:
                x_BTD = drop_locked(x_BTD, config.dropout_hidden, training=training)
            if lengths is None:
                x_BTD, (h_BC, c_BC) = layer(x_BTD, (shown_BC, kept_BC), weight_drop=config.dropout_weights)
            else:
                x_BTD, (h_BC, c_BC) = layer.read_padded(x_BTD, (shown_BC, kept_BC), lengths)
            reached.append((h_BC.detach(), c_BC.detach()))
        return drop_locked(x_BTD, config.dropout_output, training=training), reached

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V): the products of a vector with each id's output vector, plus the id's bias."""
        return nn.functional.linear(hidden, self.embedding.weight if self.output is None else self.output, self.bias)

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters; where tied, also the one that predicts it."""
        return self.embedding.weight

    def initial_state(self, batch: int) -> RecurrentState:
        """Return cells that show and hold 0, and no ids that were read."""
        last = () if self.embed_ngrams is None else ((self.embed_ngrams.nothing(batch),),)
        return (*self.silent(batch), *last)

    def silent(self, batch: int) -> tuple[CellState, ...]:
        """Return each layer's cells where nothing has been read: they show and hold 0."""
        zeros = [self.embedding.weight.new_zeros(batch, layer.cells) for layer in self._layers]
        return tuple((h_BC, h_BC.clone()) for h_BC in zeros)

    def reorder_state(self, state: RecurrentState, rows: Tensor) -> RecurrentState:
        """Return a state with copies of ``rows``; the old one stays as it was."""
        return tuple(tuple(part[rows] for part in parts) for parts in state)

    @property
    def _layers(self) -> list[LSTMLayer]:
        return [layer for layer in self.layers if isinstance(layer, LSTMLayer)]


class RecurrentFamily:
    """Builds, saves and opens LSTM networks."""

    name: ClassVar[str] = "recurrent"
    trainers: ClassVar[tuple[str, ...]] = ("gradient",)
    embedding_key: ClassVar[str] = "embedding"
    config: ClassVar[type[Any]] = RecurrentConfig

    def build(self, config: RecurrentConfig, vocabulary: Vocabulary, *, seed: int) -> NeuralLanguageModel:
        """Return an untrained network."""
        network = RecurrentNetwork(config, vocabulary)
        network.fill(seed)
        return NeuralLanguageModel(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the configuration with the vocabulary, and the weights."""
        network: RecurrentNetwork = model.network
        vocabulary = to_mapping(network.vocabulary)
        return {"model": to_mapping(network.config), "vocabulary": vocabulary}, tensors_of(network)

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralLanguageModel:
        """Return the network that `state` described.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        own, vocabulary = self.configured(config, tensors)
        check_tensors(shape_only(lambda: RecurrentNetwork(own, vocabulary), own, tensors), tensors)
        network = RecurrentNetwork(own, vocabulary)
        load_tensors(network, tensors)
        return NeuralLanguageModel(network)

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[RecurrentConfig, Vocabulary]:
        """Return the configuration and the vocabulary that a ``config.json`` holds.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        del tensors  # the file says all
        try:
            own = from_mapping(RecurrentConfig, config["model"], where="config.json")
            return own, from_mapping(Vocabulary, config["vocabulary"], where="config.json")
        except (KeyError, TypeError, UsageError) as error:
            raise ArtefactError(f"config.json does not describe an LSTM: {error}") from None

    def anatomy(self, config: RecurrentConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the tower of an LSTM: embeddings, tables of n-grams, layers, output."""
        size, last = vocabulary.size, config.widths[-1]
        embedding = Part(
            name="token embeddings",
            kind="embedding",
            formula="V·D",
            sizes=(("V", size), ("D", config.embedding)),
            gives="n × D",
            parameters=size * config.embedding,
            saved=Saved(f32=ID_BYTES, bf16=ID_BYTES),
        )
        output = Part(
            name="output, tied to the embeddings" if config.tied else "output",
            kind="output",
            formula="V" if config.tied else "V·C + V",
            sizes=(("V", size),) if config.tied else (("V", size), ("C", last)),
            gives="n × V",
            parameters=size if config.tied else size * last + size,
            products=size * last,
            saved=Saved(f32=4 * last + ID_BYTES, bf16=2 * last + ID_BYTES),
        )
        layers = lstm_parts(
            config.widths,
            dropped_between=config.dropout_hidden > 0,
            dropped_weights=config.dropout_weights > 0,
        )
        tables = ngram_parts(config, size, ("D", config.embedding))
        symbols = (
            *(("L", config.layers), ("D", config.embedding), ("C", config.hidden), ("V", size)),
            *ngram_symbols(config, size),
        )
        return Anatomy((Part("LSTM", "tower", parts=(embedding, *tables, *layers, output)),), symbols)

    def sized(self, parameters: int) -> RecurrentConfig:
        """Return a tied network with about so many parameters beside the embeddings.

        *Maths.* One layer of D cells has 8·D²; two, D → 2D → D, have 36·D². The second pays from about 2 M on.
        """
        layers, factor = (1, 8) if parameters < 2_000_000 else (2, 36)
        embedding = 32 * max(1, round(math.sqrt(parameters / factor) / 32))
        return RecurrentConfig(layers=layers, embedding=embedding, hidden=2 * embedding)

    def tiny(self, *, seed: int) -> NeuralLanguageModel:
        """Return a small random network with wide weights, so that its distributions are far from uniform."""
        config = RecurrentConfig(layers=3, embedding=5, hidden=13)
        model = self.build(config, Vocabulary(size=11, bos=0, eos=0), seed=seed)
        for name, parameter in model.network.named_parameters():
            fill_normal(parameter, std=1.0, seed=seed, name=name)
        return model


FAMILY = RecurrentFamily()
