"""An LSTM that tells labels: it reads a text from both ends, and the vectors of all its ids are pooled.

*Idea.* One stack of layers reads the row as it stands, another reads it from its end (Schuster & Paliwal 1997;
Graves & Schmidhuber 2005 for LSTM), both from the same embeddings. They meet only when their vectors are pooled, so
that a trained LSTM, which reads one way, can be the first of them.

Shape suffixes: **B** batch, **T** time, **D** width.
"""

import itertools
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.config import option
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.classifying import ClassifierNetwork, ClassifyingKeys
from ziggurat.models.blocks.initialisation import fill_uniform
from ziggurat.models.blocks.lstm import LSTMLayer, turned
from ziggurat.models.classifying import ClassifierFamily
from ziggurat.models.recurrent import FAMILY as INSIDE
from ziggurat.models.recurrent import TIED_BOUND, RecurrentConfig, RecurrentNetwork

__all__ = ["FAMILY", "RecurrentClassifierConfig", "RecurrentClassifierNetwork"]


@dataclass(frozen=True)
class RecurrentClassifierConfig(ClassifyingKeys, RecurrentConfig):
    """The ``[model]`` keys of an LSTM that tells labels."""

    layers: int = option(1, "LSTM layers, one upon another, in each direction", low=1)
    embedding: int = option(128, "numbers in the vector of a token", low=1)
    hidden: int = option(128, "cells of each layer; where tied, the last layer has as many as embedding", low=1)
    tied: bool = option(False, "whether the last layer is as wide as the embedding, as in an LSTM of tied matrices")
    dropout_words: float = option(0.2, "part of the vocabulary whose embedding is dropped in a batch", low=0, high=0.95)
    dropout_input: float = option(0.3, "part of the embedded input that is dropped in a batch", low=0, high=0.95)
    pool: Literal["mean", "max", "first", "last", "mean+max"] = option(
        "mean+max", "how the vectors of a text become one: mean, max, first, last, or mean and max"
    )
    head_dropout: float = option(0.5, "part of that one vector that is dropped in training", low=0.0, high=0.95)
    both_ways: bool = option(True, "whether layers of their own also read the text from its end")

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        RecurrentConfig.__post_init__(self)
        self.check_labels()


class RecurrentClassifierNetwork(ClassifierNetwork):
    """An LSTM's layers, those that read from the end, and a head for labels."""

    own_parts: ClassVar[tuple[str, ...]] = ("turned_layers.",)
    body: RecurrentNetwork

    def __init__(self, config: RecurrentClassifierConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        body = RecurrentNetwork(config, vocabulary, predicts=False)
        super().__init__(config, body, width=body.width * (2 if config.both_ways else 1))
        pairs = itertools.pairwise(config.widths) if config.both_ways else ()
        self.turned_layers = nn.ModuleList(LSTMLayer(*pair) for pair in pairs)

    def read(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, D): what each direction makes of the ids, in the order in which it reads them.

        So the last of a row's vectors is that of each direction when it has read all, and no pool but the first minds
        that the vectors beside each other are of different ids.
        """
        # padding stands behind all that either direction has to read, so neither is told where it begins
        x_BTD = self.body.entered(ids)
        found, _ = self.body.through(self.body.layers, x_BTD, self.body.silent(len(ids)))
        if not len(self.turned_layers):
            return found
        again, _ = self.body.through(self.turned_layers, turned(x_BTD, lengths), self.body.silent(len(ids)))
        return torch.cat([found, again], dim=-1)

    def fill_body(self, seed: int) -> None:
        """Draw the first weights of all layers (`RecurrentNetwork.fill`), and embeddings from U(−0.4, 0.4).

        *Idea.* A word that a small training text has a few times is to be heard by what was learnt of it and not by
        what was drawn, so embeddings begin small whether or not they are tied.
        """
        self.body.fill(seed)
        fill_uniform(self.body.embedding.weight, bound=TIED_BOUND, seed=seed, name="embedding")
        for number, layer in enumerate(self.turned_layers):
            assert isinstance(layer, LSTMLayer)  # noqa: S101 - there are no others
            layer.fill(seed=seed, name=f"turned_layers.{number}")


def _anatomy(config: RecurrentClassifierConfig, vocabulary: Vocabulary) -> tuple[Anatomy, int]:
    """Return the tower of an LSTM without its output, its layers twice where it reads both ways; and what they give."""
    found = INSIDE.anatomy(config, vocabulary)
    (tower,) = found.towers
    parts = tower.parts[:-1]
    layers = [part for part in parts if part.kind == "cells"] if config.both_ways else []
    again = tuple(replace(part, name=f"{part.name}, backwards") for part in layers)
    width = config.widths[-1] * (2 if config.both_ways else 1)
    return replace(found, towers=(replace(tower, parts=(*parts, *again)),)), width


FAMILY = ClassifierFamily(
    "recurrent_classifier",
    RecurrentClassifierConfig,
    network=RecurrentClassifierNetwork,
    anatomy=_anatomy,
    inside=INSIDE,
)
