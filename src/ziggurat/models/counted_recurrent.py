"""An LSTM on counts: its cells learn only what n-grams leave unexplained (`ziggurat.models.blocks.counted`)."""

from dataclasses import dataclass

from ziggurat.models.blocks.counted import CountingKeys
from ziggurat.models.counting import CountedFamily
from ziggurat.models.recurrent import FAMILY as INSIDE
from ziggurat.models.recurrent import RecurrentConfig

__all__ = ["FAMILY", "CountedRecurrentConfig"]


@dataclass(frozen=True)
class CountedRecurrentConfig(CountingKeys, RecurrentConfig):
    """The ``[model]`` keys of an LSTM on counts."""

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        RecurrentConfig.__post_init__(self)
        self.check_orders()


FAMILY = CountedFamily("counted_recurrent", CountedRecurrentConfig, inside=INSIDE)
