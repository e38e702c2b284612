"""The recurrent tagger: words and their spelling, an LSTM in both directions, and a CRF over the labels.

*Idea.* What a word is depends on the word, on how it is spelled and on what stands before and behind it; what labels it
may have depends on those beside it. Each is a part here: an embedding, a convolution over characters, two LSTMs, a
CRF (Huang, Xu & Yu 2015; Lample et al. 2016; Ma & Hovy 2016).

*Departs.* Lample et al. spell words with an LSTM; a convolution, as Ma & Hovy have it, is faster and as good (Reimers &
Gurevych 2017). Where tokens are pieces of words, a word has the mean of its pieces' vectors. Of Chinese, whose words
are characters here, tables of n-grams add the characters before (``ngram_orders``), as Zhang & Yang (2018, section 3.1)
do with bigrams.

Shape suffixes: **B** batch, **T** ids, **W** words, **D** width.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy, Part, Saved
from ziggurat.core.config import option
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.character_cnn import CharacterCNN, SpellingKeys
from ziggurat.models.blocks.dropout import drop_locked
from ziggurat.models.blocks.initialisation import Embedding, fill_normal
from ziggurat.models.blocks.lstm import BidirectionalLSTM
from ziggurat.models.blocks.lstm_parts import lstm_parts
from ziggurat.models.blocks.ngram_parts import ngram_parts, ngram_symbols
from ziggurat.models.blocks.ngram_tables import NgramTableKeys, NgramTables
from ziggurat.models.blocks.predicate_marks import (
    PredicateMarkKeys,
    PredicateMarks,
    distinct,
    mark_parts,
    mark_symbols,
)
from ziggurat.models.blocks.tagging import NeuralTagger, TaggingKeys, TaggingNetwork, WordTensors, piece_means
from ziggurat.models.blocks.tagging_parts import label_parts, spelling_parts, spelling_symbols
from ziggurat.models.tagging import TaggingFamily

__all__ = ["FAMILY", "RecurrentTaggerConfig", "RecurrentTaggerFamily", "RecurrentTaggerNetwork"]

ID_BYTES = 8
EMBEDDING_STD = 0.4
"""Standard deviation of an embedding's first numbers."""


@dataclass(frozen=True)
class RecurrentTaggerConfig(TaggingKeys, SpellingKeys, NgramTableKeys, PredicateMarkKeys):
    """The ``[model]`` keys of a recurrent tagger."""

    layers: int = option(1, "LSTM layers, one upon another, each in both directions", low=1)
    embedding: int = option(100, "numbers in the vector of a token", low=1)
    hidden: int = option(128, "cells of each layer in each direction", low=1)
    dropout_input: float = option(0.5, "part of a word's vector that is dropped", low=0, high=0.95)
    dropout_hidden: float = option(0.3, "part of what passes between layers that is dropped", low=0, high=0.95)
    dropout_output: float = option(0.5, "part of the last layer's output that is dropped", low=0, high=0.95)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        NgramTableKeys.__post_init__(self)
        self.check_labels()

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers in what each layer is given; before the last a predicate is marked, where one is read."""
        return (self.embedding + self.character_filters, *[2 * self.hidden] * (self.layers - 1))

    @property
    def read_widths(self) -> tuple[int, ...]:
        """Numbers in what the LSTM of each layer reads."""
        return (*self.widths[:-1], self.mark_embedding) if self.reads_marks else self.widths


class RecurrentTaggerNetwork(TaggingNetwork):
    """The tagger's layers.

    *Cost.* About 2 floating-point operations a parameter for a word, and 2·K·w·E·F for the spelling of K characters.
    """

    config: RecurrentTaggerConfig

    def __init__(self, config: RecurrentTaggerConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(config, vocabulary, width=2 * config.hidden, context=None)
        self.embedding = Embedding(vocabulary.size, config.embedding)
        self.embed_ngrams = NgramTables(config, vocabulary.size, config.embedding) if config.ngram_orders else None
        self.spelling = CharacterCNN.of(config)
        self.embed_marks = PredicateMarks(config, config.widths[-1]) if config.reads_marks else None
        self.layers = nn.ModuleList(BidirectionalLSTM(width, config.hidden) for width in config.read_widths)

    def fill(self, seed: int) -> None:
        """Draw first weights: embeddings from N(0, 0.4²), all else as its own block says.

        *Departs.* Lample et al. draw embeddings of 100 numbers a quarter as wide; cells then hear so little of a word
        that a short run has hardly begun to learn, with vectors made elsewhere too, since these get the same spread.
        """
        fill_normal(self.embedding.weight, std=EMBEDDING_STD, seed=seed, name="embedding")
        if self.embed_ngrams is not None:
            self.embed_ngrams.fill(seed=seed, name="embed_ngrams")
        if self.spelling is not None:
            self.spelling.fill(seed=seed, name="spelling")
        if self.embed_marks is not None:
            self.embed_marks.fill(seed=seed, name="embed_marks")
        for number, layer in enumerate(self._layers):
            layer.fill(seed=seed, name=f"layers.{number}")
        self.fill_output(seed)

    def hidden(self, batch: WordTensors) -> Tensor:
        """Return (B, W, D) vectors of words, which in padding mean nothing."""
        config, training = self.config, self.training
        asked, owner_B = batch, None
        if self.embed_marks is not None:
            batch, owner_B = distinct(asked)
        x_BTD = self.embedding(batch.ids)
        if self.embed_ngrams is not None:
            x_BTD = x_BTD + self.embed_ngrams(batch.ids)
        x_BWD = piece_means(x_BTD, batch)
        if self.spelling is not None:
            x_BWD = torch.cat([x_BWD, self.spelling(batch.characters).to(x_BWD.dtype)], dim=-1)
        x_BWD = drop_locked(x_BWD, config.dropout_input, training=training)
        for number, layer in enumerate(self._layers):
            if number:
                x_BWD = drop_locked(x_BWD, config.dropout_hidden, training=training)
            if self.embed_marks is not None and owner_B is not None and number == len(self.layers) - 1:
                x_BWD, batch = self.embed_marks(x_BWD, owner_B, asked), asked
            x_BWD = layer(x_BWD, batch.words)
        return drop_locked(x_BWD, config.dropout_output, training=training)

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters."""
        return self.embedding.weight

    @property
    def _layers(self) -> list[BidirectionalLSTM]:
        return [layer for layer in self.layers if isinstance(layer, BidirectionalLSTM)]


class RecurrentTaggerFamily(TaggingFamily):
    """Builds, saves and opens recurrent taggers."""

    name: ClassVar[str] = "recurrent_tagger"
    embedding_key: ClassVar[str] = "embedding"
    config: ClassVar[type[Any]] = RecurrentTaggerConfig
    network: ClassVar[type[Any]] = RecurrentTaggerNetwork

    def anatomy(self, config: RecurrentTaggerConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the tower of a tagger, a word being a token: embeddings, spelling, layers, output, CRF.

        A configuration whose labels are not known yet is taken to have two, the fewest.
        """
        size, cells = vocabulary.size, config.hidden
        embedding = Part(
            name="token embeddings",
            kind="embedding",
            formula="V·D",
            sizes=(("V", size), ("D", config.embedding)),
            gives="n × D",
            parameters=size * config.embedding,
            saved=Saved(f32=2 * ID_BYTES, bf16=2 * ID_BYTES),
        )
        tables = ngram_parts(config, size, ("D", config.embedding))
        widths = config.read_widths
        layers = [replace(lstm_parts([width, cells], dropped_between=True)[0], times=2) for width in widths]
        layers[-1:-1] = mark_parts(config, ("x", config.widths[-1]))
        symbols = (
            *(("D", config.embedding), ("C", cells), ("V", size), ("Y", config.label_count)),
            *ngram_symbols(config, size),
            *spelling_symbols(config),
            *mark_symbols(config),
        )
        told = label_parts(config.label_count, "2·C", (("C", cells),), 2 * cells)
        parts = (embedding, *tables, *spelling_parts(config), *layers, *told)
        return Anatomy((Part("LSTM tagger", "tower", parts=parts),), symbols, generates=False)

    def sized(self, parameters: int) -> RecurrentTaggerConfig:
        """Return a tagger of one layer with about so many parameters beside the embeddings.

        *Maths.* With D = C and C/2 filters two directions have 20·C² of them.
        """
        cells = max(4, 4 * round(math.sqrt(parameters / 20) / 4))
        return RecurrentTaggerConfig(
            embedding=cells, hidden=cells, character_filters=cells // 2, character_embedding=max(2, cells // 4)
        )

    def tiny(self, *, seed: int) -> NeuralTagger:
        """Return a small random tagger of two layers with wide weights, so that its labels are far from one another."""
        config = RecurrentTaggerConfig(
            labels=("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
            layers=2,
            embedding=7,
            hidden=5,
            character_filters=3,
            character_embedding=2,
            character_rows=131,
        )
        model = self.build(config, Vocabulary(size=11, bos=0, eos=0), seed=seed)
        for name, parameter in model.network.named_parameters():
            fill_normal(parameter, std=1.0, seed=seed, name=name)
        return model


FAMILY = RecurrentTaggerFamily()
