"""An encoder that tells labels: from the vector of a text's first id, or of all of them (Devlin et al. 2019, 4.1).

*Idea.* The encoder's blocks without the head that guesses; the vector of the first id, which is the begin of the text
and stands for no word, goes through the pooler to the labels. With the defaults it is BERT's form, and transformers
opens it (`ziggurat.models.layouts.bert_classifier`).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.classifying import ClassifierNetwork, ClassifyingKeys
from ziggurat.models.blocks.transformer_towers import encoder_anatomy
from ziggurat.models.classifying import ClassifierFamily
from ziggurat.models.encoder import FAMILY as INSIDE
from ziggurat.models.encoder import EncoderBodyConfig, EncoderNetwork, check_first_position
from ziggurat.models.layouts.bert_classifier import BertClassifier

__all__ = ["FAMILY", "EncoderClassifierConfig", "EncoderClassifierNetwork"]


@dataclass(frozen=True)
class EncoderClassifierConfig(ClassifyingKeys, EncoderBodyConfig):
    """The ``[model]`` keys of an encoder that tells labels."""

    pool: Literal["mean", "max", "first", "last", "mean+max"] = option(
        "first", "how the vectors of a text become one: mean, max, first, last, or mean and max"
    )
    pooler: bool = option(True, "whether that one vector goes through a layer of its own before the labels are told")

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        EncoderBodyConfig.__post_init__(self)
        self.check_labels()
        if self.pooler and self.pools > 1:
            raise UsageError(f"pooler: it reads one vector, and {self.pool} gives {self.pools}: set pooler = false")


class EncoderClassifierNetwork(ClassifierNetwork):
    """An encoder's blocks with a head for labels."""

    own_parts: ClassVar[tuple[str, ...]] = ("body.pooler.",)
    body: EncoderNetwork

    def __init__(self, config: EncoderClassifierConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(config, EncoderNetwork(config, vocabulary), width=config.width)

    def read(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, D) vectors, each of which has seen all of its row."""
        return self.body.hidden(ids, lengths=lengths)

    def pooled(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, P): one vector of each row; with a pooler tanh(W·v + b) of it (as Devlin et al. have it)."""
        found = super().pooled(ids, lengths)
        return found if self.body.pooler is None else torch.tanh(self.body.pooler(found))

    def fill_body(self, seed: int) -> None:
        """Draw the first weights of the blocks, embeddings and pooler (`EncoderNetwork.fill`).

        *Raises.* `UsageError` where positions are counted in another way than the padding token has it.
        """
        check_first_position(self.body.config, self.vocabulary)
        self.body.fill(seed)


def _anatomy(config: EncoderClassifierConfig, vocabulary: Vocabulary) -> tuple[Anatomy, int]:
    """Return the tower of an encoder with its pooler, and how wide its vectors are."""
    found = encoder_anatomy(config, vocabulary.size, token_types=config.token_types, head=False, pooler=config.pooler)
    return found, config.width


FAMILY = ClassifierFamily(
    "encoder_classifier",
    EncoderClassifierConfig,
    network=EncoderClassifierNetwork,
    anatomy=_anatomy,
    inside=INSIDE,
    layout=BertClassifier(),
)
