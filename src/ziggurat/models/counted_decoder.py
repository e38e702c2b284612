"""A decoder on counts: attention learns only what n-grams leave unexplained (`ziggurat.models.blocks.counted`)."""

from dataclasses import dataclass

from ziggurat.models.blocks.counted import CountingKeys
from ziggurat.models.counting import CountedFamily
from ziggurat.models.decoder import FAMILY as INSIDE
from ziggurat.models.decoder import DecoderConfig

__all__ = ["FAMILY", "CountedDecoderConfig"]


@dataclass(frozen=True)
class CountedDecoderConfig(CountingKeys, DecoderConfig):
    """The ``[model]`` keys of a decoder on counts."""

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        DecoderConfig.__post_init__(self)
        self.check_orders()


FAMILY = CountedFamily("counted_decoder", CountedDecoderConfig, inside=INSIDE)
