"""Which features a text has: its ids, what each id is made of, and n-grams of ids; order beyond these is forgotten.

*Idea.* A bag of features: a text has each of them or has it not. Features are numbers: first come the ids themselves,
then what ids are spelled with, which a table says of each id, then n-grams of ids. There are too many of these for a
table, so each is found by its hash among those that were kept. Hashes have 63 bits: of ten million n-grams no two are
likely to meet.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["FeatureIndex", "Parts", "TextBags", "bags_of", "ngram_keys"]

Numbers = npt.NDArray[np.int64]

_TINY = 1e-9
_STEP, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Parts(NamedTuple):
    """The features that each id has beside itself, wherever it stands: what it is spelled with."""

    starts: Numbers
    """(V + 1,) where each id's features begin."""
    features: IdArray
    """All of them, one id after another."""


class TextBags(NamedTuple):
    """The different features of texts, one text after another."""

    starts: Numbers
    """(texts + 1,) where each text's features begin."""
    features: IdArray
    """Each text's, ascending."""

    @property
    def texts(self) -> Numbers:
        """The text that each of `features` is of."""
        return np.repeat(np.arange(self.starts.size - 1), np.diff(self.starts))

    def values(self, scales: FloatArray) -> FloatArray:
        """Return the value of each of `features` in its text, each text being a vector of length 1.

        *Maths.* x_f = s_f / √(Σ s²), summed over the features of the text; ``scales`` s (N,) say how much each counts.
        """
        scaled, texts = scales[self.features], self.texts
        lengths = np.sqrt(np.bincount(texts, weights=np.square(scaled, dtype=np.float64)))
        return np.asarray(scaled / np.maximum(lengths, _TINY)[texts], np.float32)

    def kept(self, keep_mask: npt.NDArray[np.bool_], ids: int) -> "TextBags":
        """Return the bags without the features that are not to be kept; those that are, as `FeatureIndex.kept` does."""
        inside = keep_mask[self.features]
        return TextBags(_shrunk(self.starts, inside), _renumbered(keep_mask, ids)[self.features[inside]])


@dataclass(frozen=True)
class FeatureIndex:
    """Finds the features of texts."""

    parts: Parts
    """Features from V, the number of ids, to below `first`; those below V are the ids."""
    keys: Numbers
    """(P,) keys of n-grams of ids, ascending: the one at place p is the feature ``first + p``."""
    first: int
    longest: int
    """Ids in the longest n-gram; 1 where there are none."""

    @property
    def ids(self) -> int:
        """V, how many ids there are."""
        return self.parts.starts.size - 1

    @property
    def size(self) -> int:
        """N, how many features there are."""
        return self.first + self.keys.size

    def kept(self, keep_mask: npt.NDArray[np.bool_]) -> "FeatureIndex":
        """Return the index without the features that are not to be kept; those that are, numbered anew.

        Ids keep their numbers, whether they are to be kept or not.
        """
        inside = keep_mask[self.parts.features]
        features = _renumbered(keep_mask, self.ids)[self.parts.features[inside]]
        first = self.ids + int(keep_mask[self.ids : self.first].sum())
        parts = Parts(_shrunk(self.parts.starts, inside), features)
        return FeatureIndex(parts, self.keys[keep_mask[self.first :]], first, self.longest)

    def check(self) -> None:
        """Check that numbers are such as `find` takes for granted.

        Raises:
            ArtefactError: they are not; the message names the array.
        """
        starts, features = self.parts
        if starts[0] != 0 or starts[-1] != features.size or np.any(np.diff(starts) < 0):
            raise ArtefactError("array 'part_starts' does not say where the parts of ids begin")
        if features.min(initial=self.ids) < self.ids or features.max(initial=self.ids - 1) + 1 != self.first:
            beside = self.first - self.ids
            raise ArtefactError(f"array 'parts' names other features than the {beside} that are neither ids nor 'keys'")
        if np.any(np.diff(self.keys) <= 0):
            raise ArtefactError("array 'keys' does not ascend")

    def find(self, ids: IdArray, lengths: Numbers | IdArray) -> TextBags:
        """Return the features of texts whose ids stand one after another; ``lengths`` says how many each has."""
        texts = np.repeat(np.arange(lengths.size), lengths)
        owners, distinct = np.divmod(np.unique(texts * self.ids + ids), max(1, self.ids))
        found = [(owners, distinct), _spread(self.parts, owners, distinct)]
        if self.keys.size:
            keys, owners = ngram_keys(ids, texts, self.longest)
            places = np.minimum(np.searchsorted(self.keys, keys), self.keys.size - 1)
            known = self.keys[places] == keys
            found.append((owners[known], self.first + places[known]))
        return _bagged(found, lengths.size, self.size)


def bags_of(index: FeatureIndex, ids: IdArray, lengths: IdArray) -> TextBags:
    """Return the features of (B, T) padded rows, of each its first ``lengths`` ids."""
    inside = np.arange(ids.shape[1]) < lengths[:, None]
    return index.find(ids[inside], np.minimum(lengths, ids.shape[1]))


def ngram_keys(ids: IdArray, texts: Numbers, longest: int) -> tuple[Numbers, Numbers]:
    """Return a key for each n-gram of 2 to ``longest`` neighbouring ids of one text, and the text of each.

    *Maths.* h₁ = a + 1; hₙ = mix(hₙ₋₁) + b + 1, where b is the n-th id; the key is the upper 63 bits of mix(hₙ). Mix is
    a step of SplitMix64 (Steele, Lea & Flood 2014, *Fast Splittable Pseudorandom Number Generators*, in the form of
    Java's library, with Stafford's thirteenth mixer).

    Args:
        ids: Of all texts, one after another.
        texts: The number of each id's text, ascending.
        longest: Ids in the longest n-gram.
    """
    keys, owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    wide = ids.astype(np.uint64) + np.uint64(1)
    hashes = wide
    for length in range(2, longest + 1):
        if ids.size < length:
            break
        hashes = _mixed(hashes[:-1]) + wide[length - 1 :]
        inside = texts[length - 1 :] == texts[: ids.size - length + 1]
        keys.append((_mixed(hashes[inside]) >> np.uint64(1)).astype(np.int64))
        owners.append(texts[length - 1 :][inside])
    return np.concatenate(keys), np.concatenate(owners)


def _mixed(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed = hashes + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))


def _renumbered(keep_mask: npt.NDArray[np.bool_], ids: int) -> IdArray:
    """Return the new number of each feature, where beside ids only those of the mask are counted."""
    return (np.cumsum(keep_mask | (np.arange(keep_mask.size) < ids)) - 1).astype(np.int32)


def _shrunk(starts: Numbers, keep_mask: npt.NDArray[np.bool_]) -> Numbers:
    """Return where runs begin once only what the mask keeps of all is there."""
    return np.append(0, np.cumsum(keep_mask))[starts]


def _spread(parts: Parts, owners: Numbers, ids: Numbers) -> tuple[Numbers, Numbers]:
    """Return all features of ``ids``, and the text that owns each."""
    begins = parts.starts[ids]
    counts = parts.starts[ids + 1] - begins
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    places = np.arange(total) + np.repeat(begins - (ends - counts), counts)
    return np.repeat(owners, counts), parts.features[places].astype(np.int64)


def _bagged(found: list[tuple[Numbers, Numbers]], texts: int, size: int) -> TextBags:
    """Return pairs of text and feature as bags, each pair once."""
    pairs = np.unique(np.concatenate([owners * size + features for owners, features in found]))
    owners, features = np.divmod(pairs, max(1, size))
    return TextBags(np.searchsorted(owners, np.arange(texts + 1)), features.astype(np.int32))
