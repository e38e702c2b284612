"""Which ids of a row are hidden, and what stands in their places: the noise that encoders learn from.

*Idea.* Some of a row's ids are drawn. Most become the token that hides, a few another id, and the rest stay, so that
the model can't tell which of the ids that it reads are to be believed (Devlin et al. 2019, section 3.1). Whole words
may be drawn instead of single tokens: a piece of a word is easily guessed from the word's other pieces.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import UsageError
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.tokens.batches import padded

__all__ = ["HIDDEN", "REPLACED", "AskedRow", "Masker", "most_frequent", "stacked"]

HIDDEN, REPLACED = 0.8, 0.1
"""Parts of the drawn ids that become the token that hides, and that become another id (Devlin et al. 2019, 3.1)."""

Flags = npt.NDArray[np.bool_]


class AskedRow(NamedTuple):
    """A row as the model reads it, and what it is asked about."""

    read: IdArray
    """(T,) ``[bos, …, eos]``, noised or hidden."""
    targets: IdArray
    """(T,) the ids to guess, −1 where nothing is asked."""


@dataclass(frozen=True)
class Masker:
    """Draws what is hidden; the same generator gives the same draws."""

    vocabulary: Vocabulary
    part: float = 0.15
    """Part of a row's ids that are drawn."""

    def __post_init__(self) -> None:
        """Check that there is a token that hides.

        Raises:
            UsageError: there is none.
        """
        if self.vocabulary.mask is None:
            raise UsageError(
                "the tokenizer has no token that hides another ([MASK]): "
                'train one with tokens.kind = "wordpiece" and tokens.specials = "bert"'
            )

    @property
    def mask(self) -> int:
        """The token that hides another."""
        assert self.vocabulary.mask is not None  # noqa: S101 - checked when it was made
        return self.vocabulary.mask

    @functools.cached_property
    def _ordinary(self) -> Flags:
        """(V,) which ids stand for text."""
        ordinary = np.ones(self.vocabulary.size, np.bool_)
        ordinary[list(self.vocabulary.special)] = False
        return ordinary

    @functools.cached_property
    def _others(self) -> npt.NDArray[np.int64]:
        return np.flatnonzero(self._ordinary)

    def count(self, length: int) -> int:
        """Return how many of ``length`` ids are drawn: at least one."""
        return max(1, round(self.part * length))

    def guessable(self, ids: IdArray) -> Flags:
        """Return (T,) which of ``ids`` may be asked about: all but special ones."""
        return self._ordinary[ids]

    def asked(self, read: IdArray, ids: IdArray, places: IdArray) -> AskedRow:
        """Return the row ``read``, made of ``ids``, between its begin and its end; ``places`` of it are asked about."""
        targets = np.full(len(ids) + 2, -1, np.int32)
        targets[places + 1] = ids[places]
        ends = self.vocabulary.bos, self.vocabulary.eos
        return AskedRow(np.concatenate([ends[:1], read, ends[1:]]).astype(np.int32), targets)

    def places(self, ids: IdArray, count: int, draw: np.random.Generator, continued: Flags | None = None) -> IdArray:
        """Return the places of at most ``count`` ids of a row (T,) to guess, sorted; never of a special token.

        ``continued`` (T,) is true where an id goes on the word of the id before it; then whole words are drawn, those
        that are too long for what is left of ``count`` passed over. One word or id is always drawn where there is any.
        """
        allowed = np.flatnonzero(self.guessable(ids))
        if continued is None:
            return np.sort(draw.permutation(allowed)[:count]).astype(np.int32)
        begins = ~continued[allowed]
        begins[1:] |= np.diff(allowed) != 1
        begins[:1] = True
        words = np.split(allowed, np.flatnonzero(begins)[1:])
        chosen: list[npt.NDArray[np.int64]] = []
        left = count
        for number in draw.permutation(len(words)):
            word = words[number]
            if len(word) and (len(word) <= left or not chosen):
                chosen.append(word)
                left -= len(word)
            if left <= 0:
                break
        return np.sort(np.concatenate(chosen)).astype(np.int32) if chosen else np.zeros(0, np.int32)

    def noised(self, ids: IdArray, places: IdArray, draw: np.random.Generator) -> IdArray:
        """Return a row whose ids at ``places`` are hidden, replaced or left, by parts `HIDDEN` and `REPLACED`."""
        noised = ids.copy()
        dice = draw.random(len(places))
        others = self._others
        replaced = (dice >= HIDDEN) & (dice < HIDDEN + REPLACED)
        drawn = others[draw.integers(0, len(others), len(places))]
        noised[places[dice < HIDDEN]] = self.mask
        noised[places[replaced]] = drawn[replaced]
        return noised

    def hidden(self, ids: IdArray, places: IdArray) -> IdArray:
        """Return a row whose ids at ``places`` are all hidden, as one measures."""
        found = ids.copy()
        found[places] = self.mask
        return found


def stacked(rows: Sequence[AskedRow]) -> tuple[IdArray, IdArray, IdArray]:
    """Return (B, T) ids padded at the right, (B,) lengths, and (B, T) the ids to guess, −1 elsewhere."""
    ids, lengths = padded([row.read for row in rows])
    targets = np.full(ids.shape, -1, np.int32)
    for place, row in enumerate(rows):
        targets[place, : len(row.targets)] = row.targets
    return ids, lengths, targets


def most_frequent(pieces: Iterable[IdArray], vocabulary: Vocabulary) -> tuple[int, float]:
    """Return the id that stands most often in ``pieces``, special ones aside, and its part of all others.

    It is the guess of who knows no context.
    """
    counts = np.zeros(vocabulary.size, np.int64)
    for piece in pieces:
        counts += np.bincount(piece, minlength=len(counts))
    counts[list(vocabulary.special)] = 0
    return int(counts.argmax()), float(counts.max() / max(1, counts.sum()))
