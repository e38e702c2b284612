"""A decoder that tells labels: from the vector of a text's last id, which has seen all others (Radford et al. 2018)."""

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.classifying import ClassifierNetwork, ClassifyingKeys
from ziggurat.models.classifying import ClassifierFamily
from ziggurat.models.decoder import FAMILY as INSIDE
from ziggurat.models.decoder import DecoderConfig, DecoderNetwork

__all__ = ["FAMILY", "DecoderClassifierConfig", "DecoderClassifierNetwork"]


@dataclass(frozen=True)
class DecoderClassifierConfig(ClassifyingKeys, DecoderConfig):
    """The ``[model]`` keys of a decoder that tells labels."""

    pool: Literal["mean", "max", "first", "last", "mean+max"] = option(
        "last", "how the vectors of a text become one: mean, max, first, last, or mean and max"
    )

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        DecoderConfig.__post_init__(self)
        self.check_labels()
        if not self.tied:
            raise UsageError(
                "tied: a decoder that tells labels predicts no tokens and has one matrix only: leave it out"
            )


class DecoderClassifierNetwork(ClassifierNetwork):
    """A decoder's blocks with a head for labels."""

    body: DecoderNetwork

    def __init__(self, config: DecoderClassifierConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        super().__init__(config, DecoderNetwork(config, vocabulary), width=config.width)

    def read(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, D) vectors; what stands behind a row's own ids is seen by none of them."""
        del lengths
        hidden_BTD, _ = self.body.hidden(ids)
        return hidden_BTD

    def fill_body(self, seed: int) -> None:
        """Draw the first weights of the blocks and embeddings (`DecoderNetwork.fill`)."""
        self.body.fill(seed)


def _anatomy(config: DecoderClassifierConfig, vocabulary: Vocabulary) -> tuple[Anatomy, int]:
    """Return the tower of a decoder without its output, and how wide its vectors are."""
    found = INSIDE.anatomy(config, vocabulary)
    (tower,) = found.towers
    return replace(found, towers=(replace(tower, parts=tower.parts[:-1]),)), config.width


FAMILY = ClassifierFamily(
    "decoder_classifier",
    DecoderClassifierConfig,
    network=DecoderClassifierNetwork,
    anatomy=_anatomy,
    inside=INSIDE,
    fixed={"tied": True},
)
