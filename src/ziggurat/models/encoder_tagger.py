"""An encoder that labels words: the vector of a word's ids, one layer, and a CRF over the labels.

*Idea.* An encoder that was trained on much text knows what a word means where it stands; of its vectors a linear layer
makes a score for each label (Devlin et al. 2019, section 5.3: the vector of a word's first piece), and the CRF of the
other taggers makes labellings of them. An encoder that folds case does not see what tells a name most plainly, so the
spelling of words may stand beside its vectors, and an LSTM read both from both ends, as in
`ziggurat.models.recurrent_tagger`. With BERT's form, neither of these and no predicate, transformers opens it
(`ziggurat.models.layouts.bert_tagger`).

Where labels are roles for a predicate, the upper blocks may read its ids marked; those below read a sentence once,
however many predicates it has (`shared_blocks`).

*Departs.* Devlin et al. have no CRF. Shi & Lin (2019) tell BERT of the predicate from its lowest block on. A
sentence of more ids than the encoder can read is read in stretches of as many, which don't see one another.

Shape suffixes: **B** batch, **T** ids, **W** words, **D** width.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy, Part
from ziggurat.core.config import from_mapping, option
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.character_cnn import CharacterCNN, SpellingKeys
from ziggurat.models.blocks.initialisation import Embedding, fill_normal
from ziggurat.models.blocks.lstm import BidirectionalLSTM
from ziggurat.models.blocks.lstm_parts import lstm_parts
from ziggurat.models.blocks.network import Network
from ziggurat.models.blocks.predicate_marks import (
    PredicateMarkKeys,
    PredicateMarks,
    distinct,
    mark_parts,
    mark_symbols,
    marked_ids,
    predicate_part,
)
from ziggurat.models.blocks.tagging import NeuralTagger, TaggingKeys, TaggingNetwork, WordTensors, piece_means
from ziggurat.models.blocks.tagging_parts import label_parts, spelling_parts, spelling_symbols
from ziggurat.models.blocks.transformer_towers import encoder_anatomy
from ziggurat.models.blocks.weights import shape_only, take_weights
from ziggurat.models.encoder import FAMILY as INSIDE
from ziggurat.models.encoder import EncoderBodyConfig, EncoderNetwork, check_first_position
from ziggurat.models.layouts.bert_tagger import CHAIN, BertTagger
from ziggurat.models.layouts.layout import check_arrays, fill_network, outward
from ziggurat.models.tagging import TaggingFamily

__all__ = ["FAMILY", "EncoderTaggerConfig", "EncoderTaggerFamily", "EncoderTaggerNetwork"]

HEAD = ("output.", "crf.")
"""How the names of weights begin that are of the labels."""
LAYOUT = BertTagger()
SMALL = 0.02
"""Spread of the output's first weights: so small that at first all labels are about equally probable."""
MARK = 0.1
"""Spread of the first vector that marks a predicate's ids."""
WIDE = 0.5
"""Spread of a tiny model's weights, so that its labels are far from equally probable."""


@dataclass(frozen=True)
class EncoderTaggerConfig(TaggingKeys, SpellingKeys, PredicateMarkKeys, EncoderBodyConfig):
    """The ``[model]`` keys of an encoder that labels words."""

    character_filters: int = option(0, "filters over a word's characters; 0: words are not spelled", low=0)
    word: Literal["first", "mean"] = option(
        "first", "the vector of a word: that of its first token, or the mean of all its tokens'"
    )
    cells: int = option(
        0, "cells in each direction of an LSTM over the vectors of words; 0: labels are told of these themselves", low=0
    )
    head_dropout: float = option(0.1, "part of a word's vector that is dropped in training", low=0.0, high=0.95)
    shared_blocks: int | None = option(
        None,
        "lowest blocks that read a sentence once for all its predicates, all but one at most; above, the ids of each "
        "predicate are marked (default: none is)",
        low=0,
    )

    @property
    def reads_marks(self) -> bool:
        """Whether a predicate is read (`ziggurat.core.protocols.ReadsMarks`)."""
        return self.mark_embedding > 0 or self.marks_ids

    @property
    def marks_ids(self) -> bool:
        """Whether some of the encoder's own blocks know which predicate is asked."""
        return self.shared_blocks is not None

    @property
    def resolved_shared_blocks(self) -> int:
        """Blocks that read a sentence without knowing it."""
        return self.layers if self.shared_blocks is None else min(self.shared_blocks, self.layers - 1)

    @property
    def word_width(self) -> int:
        """Numbers in the vector of a word, its spelling among them."""
        return self.width + self.character_filters

    @property
    def read_width(self) -> int:
        """Numbers in that vector once it is known which words are the predicate, where one is read."""
        return self.mark_embedding or self.word_width

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        EncoderBodyConfig.__post_init__(self)
        self.check_labels()
        if self.pooler:
            raise UsageError("pooler: labels are told of each word's own vector; leave it out")


class EncoderTaggerNetwork(TaggingNetwork):
    """An encoder's blocks with what tells labels above.

    *Cost.* That of the encoder, whose blocks above the shared ones read a sentence once for each predicate, 2·D·L
    operations a word, and those of spelling and LSTM where they are.
    """

    config: EncoderTaggerConfig

    def __init__(self, config: EncoderTaggerConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(config, vocabulary, width=2 * config.cells or config.read_width, context=None)
        self.body = EncoderNetwork(config, vocabulary)
        self.spelling = CharacterCNN.of(config)
        self.embed_predicate = Embedding(1, config.width) if config.marks_ids else None
        self.embed_marks = PredicateMarks(config, config.word_width) if config.mark_embedding else None
        self.reader = BidirectionalLSTM(config.read_width, config.cells) if config.cells else None

    def fill(self, seed: int) -> None:
        """Draw first weights: those below as their own blocks say, biases and CRF 0.

        Those of the output come from N(0, 0.02²), the vector that marks a predicate's ids from N(0, 0.1²).

        *Raises.* `UsageError` where positions are counted in another way than the padding token has it.
        """
        check_first_position(self.body.config, self.vocabulary)
        self.body.fill(seed)
        if self.spelling is not None:
            self.spelling.fill(seed=seed, name="spelling")
        if self.embed_predicate is not None:
            fill_normal(self.embed_predicate.weight, std=MARK, seed=seed, name="embed_predicate")
        if self.embed_marks is not None:
            self.embed_marks.fill(seed=seed, name="embed_marks")
        if self.reader is not None:
            self.reader.fill(seed=seed, name="reader")
        self.fill_output(seed)

    def fill_output(self, seed: int) -> None:
        """Draw the first weights of the output."""
        fill_normal(self.output.weight, std=SMALL, seed=seed, name="output")
        nn.init.zeros_(self.output.bias)

    def hidden(self, batch: WordTensors) -> Tensor:
        """Return (B, W, D) vectors of words, which in padding mean nothing."""
        own_B = torch.arange(len(batch.ids), device=batch.ids.device)
        known, owner_B = distinct(batch) if self.config.reads_marks else (batch, own_B)
        spelled_BWF = None if self.spelling is None else self.spelling(known.characters)
        if self.embed_predicate is None:
            x_BTD = self.read(known.ids, known.lengths)
        else:
            x_BTD = self.read(known.ids, known.lengths, asked=(owner_B, marked_ids(batch)))
            spelled_BWF = None if spelled_BWF is None else spelled_BWF[owner_B]
            known, owner_B = batch, own_B
        x_BWD = self.words(x_BTD, known)
        if spelled_BWF is not None:
            x_BWD = torch.cat([x_BWD, spelled_BWF.to(x_BWD.dtype)], dim=-1)
        x_BWD = nn.functional.dropout(x_BWD, self.config.head_dropout, self.training)
        if self.embed_marks is not None:
            x_BWD = self.embed_marks(x_BWD, owner_B, batch)
        if self.reader is None:
            return x_BWD
        return nn.functional.dropout(self.reader(x_BWD, batch.words), self.config.head_dropout, self.training)

    def read(self, ids: Tensor, lengths: Tensor, *, asked: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return (B, T, D) vectors of (S, T) ids, of each row its first ``lengths``; at padding they mean nothing.

        *Shapes and units.* ``asked`` says which sentence each of B rows reads (B,), and which of its ids are the
        predicate (B, T); the lowest blocks read sentences, the others rows. Without it B is S, and all read these.
        """
        most, time = self.config.context, ids.shape[1]
        stretches = []
        for start in range(0, max(1, time), most):
            inside = (lengths - start).clamp(0, min(most, time - start))
            x_BTD = self.body.embedded(ids[:, start : start + most])
            blocks, shared = range(self.config.layers), self.config.resolved_shared_blocks
            if asked is not None and self.embed_predicate is not None:
                owner_B, marked_BT = asked
                x_BTD = self.body.raised(x_BTD, lengths=inside, blocks=blocks[:shared])[owner_B]
                x_BTD = x_BTD + marked_BT[:, start : start + most, None] * self.embed_predicate.weight
                inside, blocks = inside[owner_B], blocks[shared:]
            stretches.append(self.body.raised(x_BTD, lengths=inside, blocks=blocks))
        return torch.cat(stretches, dim=1)

    def words(self, x_BTD: Tensor, batch: WordTensors) -> Tensor:
        """Return (B, W, D) vectors of words, given those of their ids."""
        if self.config.word == "mean":
            return piece_means(x_BTD, batch)
        firsts_BW = batch.firsts.masked_fill(~batch.inside, 0)
        return x_BTD.gather(1, firsts_BW[..., None].expand(-1, -1, x_BTD.shape[-1]))

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters the encoder."""
        return self.body.token_embedding

    def begin_with(self, other: Network) -> None:
        """Take the weights of a trained network: an encoder's, or another tagger's.

        What tells labels keeps what was drawn where the other has none, or tells other labels; and so do the spelling,
        the marks and the LSTM where the other has none.

        *Raises.* `UsageError` where the other is of another kind or size.
        """
        tells = isinstance(other, EncoderTaggerNetwork)
        fresh = () if isinstance(other, EncoderTaggerNetwork) and other.config.labels == self.config.labels else HEAD
        prefix = "" if tells else "body."
        self.fresh = take_weights(
            self,
            other,
            prefix=prefix,
            fresh=fresh,
            may_lack=("spelling.", "embed_predicate.", "embed_marks.", "reader."),
        )


class EncoderTaggerFamily(TaggingFamily):
    """Builds, saves and opens encoders that label words."""

    name: ClassVar[str] = "encoder_tagger"
    body: ClassVar[str] = INSIDE.name
    optional: ClassVar[frozenset[str]] = frozenset()
    embedding_key: ClassVar[str] = INSIDE.embedding_key
    config: ClassVar[type[Any]] = EncoderTaggerConfig
    network: ClassVar[type[Any]] = EncoderTaggerNetwork

    def over(self, config: Any) -> EncoderTaggerConfig:
        """Return the configuration of a tagger with an encoder of this configuration inside."""
        own = {field.name for field in dataclasses.fields(EncoderTaggerConfig)} - {"pooler"}
        return EncoderTaggerConfig(
            **{each.name: getattr(config, each.name) for each in dataclasses.fields(config) if each.name in own}
        )

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return ``config.json`` and the weights: as transformers has them where it knows such a model, or as ours."""
        network: EncoderTaggerNetwork = model.network
        if not LAYOUT.holds(network.config):
            return super().state(model)
        described = LAYOUT.describe(network.config, network.vocabulary)
        return described, outward(network, LAYOUT.renamings(network.config))

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralTagger:
        """Return the model that `state` described, or transformers: labels of a file without a CRF are told one by one.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        if not _is_foreign(config):
            return super().restore(config, tensors)
        own, vocabulary = self.configured(config, tensors)
        shapes = shape_only(lambda: self.network(own, vocabulary), own, tensors)
        sizes = {name: tuple(value.shape) for name, value in shapes.state_dict().items() if name in CHAIN}
        found = {**{name: np.zeros(size, np.float32) for name, size in sizes.items()}, **tensors}
        check_arrays(shapes, found, LAYOUT, own)
        network = self.network(own, vocabulary)
        fill_network(network, found, LAYOUT, own)
        return NeuralTagger(network)

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[Any, Vocabulary]:
        """Return the configuration and the vocabulary that a ``config.json`` holds.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        if not _is_foreign(config):
            return super().configured(config, tensors)
        try:
            keys, vocabulary = LAYOUT.read(config)
            return from_mapping(EncoderTaggerConfig, keys, where="config.json"), vocabulary
        except KeyError as error:
            raise ArtefactError(f"config.json describes no {self.name}: the key {error} is missing") from None
        except (TypeError, ValueError, AttributeError, ArithmeticError, UsageError) as error:
            raise ArtefactError(f"config.json describes no {self.name}: {error}") from None

    def anatomy(self, config: EncoderTaggerConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the tower of a tagger, a word being a token: that of the encoder, spelling, output, CRF.

        A configuration whose labels are not known yet is taken to have two, the fewest.
        """
        body = encoder_anatomy(config, vocabulary.size, token_types=config.token_types, head=False)
        (tower,) = body.towers
        filters, cells, width = config.character_filters, config.cells, config.read_width
        marks = config.mark_embedding
        read = "2·C" if cells else "m" if marks else "(d_model + f)" if filters else "d_model"
        whose = {"d_model": config.width, **({"f": filters} if filters else {})}
        whose = {"C": cells} if cells else {"m": marks} if marks else whose
        told = label_parts(config.label_count, read, tuple(whose.items()), 2 * cells or width)
        readers = [dataclasses.replace(lstm_parts([width, cells])[0], times=2)] if cells else []
        own = (*spelling_parts(config), *mark_parts(config, ("x", config.word_width)), *readers, *told)
        towers = (dataclasses.replace(tower, parts=(*_marked(tower.parts, config), *own)),)
        lstm = (("D", width), ("C", cells)) if cells else ()
        symbols = (*body.symbols, ("Y", config.label_count), *spelling_symbols(config), *mark_symbols(config), *lstm)
        return dataclasses.replace(body, towers=towers, symbols=symbols, generates=False, picks=None)

    def sized(self, parameters: int) -> EncoderTaggerConfig:
        """Return a tagger whose encoder has about so many parameters beside the embeddings."""
        return self.over(INSIDE.sized(parameters))

    def tiny(self, *, seed: int) -> NeuralTagger:
        """Return a small random tagger with wide weights, so that its labels are far from one another."""
        inner: Any = INSIDE.tiny(seed=seed)
        config = dataclasses.replace(self.over(inner.network.config), labels=("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
        model = self.build(config, inner.vocabulary, seed=seed)
        for name, parameter in model.network.named_parameters():
            if parameter.dim() > 1:
                fill_normal(parameter, std=WIDE, seed=seed, name=name)
        return model


def _marked(parts: tuple[Part, ...], config: EncoderTaggerConfig) -> tuple[Part, ...]:
    """Return the parts of an encoder, with the mark before the first block that reads it."""
    if not config.marks_ids:
        return parts
    place = next(number for number, part in enumerate(parts) if part.kind == "block")
    block, shared = parts[place], config.resolved_shared_blocks
    below = (dataclasses.replace(block, times=shared),) if shared else ()
    above = dataclasses.replace(block, times=block.times - shared)
    return (*parts[:place], *below, predicate_part(config.width), above, *parts[place + 1 :])


def _is_foreign(config: Mapping[str, Any]) -> bool:
    return config.get("model_type") in LAYOUT.model_types


FAMILY = EncoderTaggerFamily()
