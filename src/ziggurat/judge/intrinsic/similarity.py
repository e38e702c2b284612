"""Word similarity: whether the vectors put pairs of words into the order in which people do."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.types import FloatArray
from ziggurat.judge.intrinsic.lexicon import Lexicon
from ziggurat.judge.intrinsic.word_sets import SimilaritySet

__all__ = ["SimilarityAnswers", "Spell", "answer_similarity", "midranks", "spearman"]

Values = npt.NDArray[np.float64]
Spell = Callable[[str], FloatArray | None]
"""Makes a vector (D,) of a word's spelling, or None where it can't."""


@dataclass(frozen=True, slots=True)
class SimilarityAnswers:
    """The cosine of each pair of words that could be asked of the vectors."""

    pairs: SimilaritySet
    asked: npt.NDArray[np.bool_]
    """(N,) whether both words have vectors."""
    cosines: Values
    """(N,) the cosine; 0 where the pair was not asked."""
    spelled: int
    """Words outside the vocabulary whose vectors were made of their character n-grams."""
    vocabulary: int
    """Words known."""

    @property
    def correlation(self) -> float | None:
        """Spearman's rank correlation with people's scores over the asked pairs; None where it is undefined."""
        return spearman(np.array(self.pairs.scores)[self.asked], self.cosines[self.asked])

    @property
    def correlation_of_all(self) -> float | None:
        """The same over all pairs, unknown ones having similarity 0 (gensim's ``dummy4unknown``)."""
        return spearman(np.array(self.pairs.scores), self.cosines)


def answer_similarity(lexicon: Lexicon, pairs: SimilaritySet, *, spell: Spell | None = None) -> SimilarityAnswers:
    """Return the cosine of each pair; ``spell`` makes vectors for words outside the vocabulary where it can."""
    made: dict[str, FloatArray | None] = {}
    spelled: set[str] = set()

    def vector(word: str) -> FloatArray | None:
        row = lexicon.find(word)
        if row is not None:
            return np.asarray(lexicon.vectors[row])
        found = spell(word) if spell is not None else None
        if found is not None:
            spelled.add(word)
        return found

    asked = np.zeros(len(pairs.pairs), bool)
    cosines = np.zeros(len(pairs.pairs))
    for number, words in enumerate(pairs.pairs):
        one, other = (made[word] if word in made else made.setdefault(word, vector(word)) for word in words)
        if one is not None and other is not None:
            asked[number] = True
            cosines[number] = _cosine(one, other)
    return SimilarityAnswers(pairs, asked, cosines, len(spelled), len(lexicon))


def spearman(one: Values, other: Values) -> float | None:
    """Return Spearman's rank correlation; None where one side is constant or there are fewer than two values.

    *Maths.* Pearson's correlation of the ranks, equal values sharing the mean of their ranks (Spearman 1904).
    """
    if len(one) < 2:
        return None
    middle = (len(one) + 1) / 2
    first, second = midranks(one) - middle, midranks(other) - middle
    spread = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / spread if spread else None


def midranks(values: Values) -> Values:
    """Return ranks from 1; equal values share the mean of theirs.

    >>> midranks(np.array([0.3, 0.1, 0.3])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[group])


def _cosine(one: FloatArray, other: FloatArray) -> float:
    x, y = one.astype(np.float64), other.astype(np.float64)
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size else 0.0
