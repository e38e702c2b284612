"""Keys that a model's suggestions save whoever types: held-out text is typed again, key by key.

*Idea.* A typist who knows what is to be written types it character by character. Before each key the model, which has
seen only what stands there, offers what may come (`ziggurat.use.suggesting`). Where an offer agrees wholly with the
text it is taken, which costs one key; else the next character is typed. Nothing is ever deleted or corrected. A
character is a Unicode code point and one key; that is not so of Chinese, which is typed in letters.
"""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.protocols import LanguageModel, Tokenizer
from ziggurat.core.types import Document
from ziggurat.judge.significance import Interval, ratio_interval
from ziggurat.use.suggesting import SuggestConfig, Suggester

__all__ = ["Keystrokes", "keystrokes"]


@dataclass(frozen=True, slots=True)
class Keystrokes:
    """What was typed and taken of each document."""

    ids: tuple[str, ...]
    characters: tuple[int, ...]
    typed: tuple[int, ...]
    """Characters that were typed one by one."""
    accepts: tuple[int, ...]
    """Suggestions that were taken."""
    offers: tuple[int, ...]
    """Keys before which something was offered."""
    seconds: float

    @property
    def saved(self) -> float:
        """1 − (typed + accepts) / characters: the part of all keys that is saved where taking costs one."""
        return 1 - (sum(self.typed) + sum(self.accepts)) / sum(self.characters)

    @property
    def saved_if_free(self) -> float:
        """1 − typed / characters: the part of the text that needn't be typed."""
        return 1 - sum(self.typed) / sum(self.characters)

    @property
    def accepted(self) -> float:
        """The part of offers that is taken; 0 where nothing was offered."""
        return sum(self.accepts) / max(1, sum(self.offers))

    def interval(self, *, seed: int = 0) -> Interval:
        """Return the part of keys saved with its 95 % bootstrap interval over documents."""
        keys = np.array(self.typed, dtype=np.float64) + np.array(self.accepts)
        sizes = np.array(self.characters, dtype=np.float64)
        return ratio_interval(sizes - keys, sizes, seed=seed)

    def figures(self, *, seed: int = 0) -> dict[str, Any]:
        """Return what a table and JSON say of it; ``low`` and ``high`` bound ``keystrokes_saved``."""
        interval = self.interval(seed=seed)
        return {
            "keystrokes_saved": interval.value,
            "low": interval.low,
            "high": interval.high,
            "saved_if_free": self.saved_if_free,
            "accepted": self.accepted,
            "characters": sum(self.characters),
            "typed": sum(self.typed),
            "accepts": sum(self.accepts),
            "documents": len(self.ids),
            "milliseconds_per_key": 1000 * self.seconds / max(1, sum(self.typed) + sum(self.accepts)),
        }


def keystrokes(
    model: LanguageModel,
    tokenizer: Tokenizer,
    documents: Iterable[Document],
    config: SuggestConfig | None = None,
    *,
    max_seconds: float = math.inf,
) -> Keystrokes:
    """Type ``documents`` with the model's suggestions; of several that agree the longest is taken.

    After ``max_seconds`` no other document is begun.

    Raises:
        UsageError: the tokenizer loses text.
        TooLittleTextError: there are no documents, or no characters in them.
    """
    began = time.perf_counter()
    rows: list[tuple[str, int, int, int, int]] = []
    for document in documents:
        if rows and time.perf_counter() - began > max_seconds:
            break
        rows.append((document.id, len(document.text), *_typed(Suggester(model, tokenizer, config), document.text)))
    if not any(row[1] for row in rows):
        raise TooLittleTextError("no text to type: give documents that are not empty")
    ids, characters, typed, accepts, offers = zip(*rows, strict=True)
    return Keystrokes(ids, characters, typed, accepts, offers, time.perf_counter() - began)


def _typed(suggester: Suggester, text: str) -> tuple[int, int, int]:
    """Return characters typed, suggestions taken, and keys before which there was one."""
    place = typed = accepts = offers = 0
    while place < len(text):
        offered = suggester.suggest()
        offers += bool(offered)
        agreeing = [one.text for one in offered if text.startswith(one.text, place)]
        taken = max(agreeing, key=len, default="")
        typed += not taken
        accepts += bool(taken)
        keyed = taken or text[place]
        suggester.type(keyed, refused=[one for one in offered if one.text != taken])
        place += len(keyed)
    return typed, accepts, offers
