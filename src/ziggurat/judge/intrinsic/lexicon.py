"""Words of a question ⇄ rows of a matrix, with or without a difference between capitals and small letters."""

import functools
from collections.abc import Sequence

import numpy as np

from ziggurat.core.types import FloatArray, IdArray

__all__ = ["Lexicon"]


class Lexicon:
    """The first words of a vocabulary in falling frequency, and their vectors.

    *Idea.* Folded words are compared in capitals, and of several variants the first, which is the most frequent, stands
    for all, as gensim and ``compute-accuracy`` of word2vec.c have it.
    """

    def __init__(
        self, words: Sequence[str], vectors: FloatArray, *, restrict: int | None = None, fold: bool = True
    ) -> None:
        """Use the first ``restrict`` of ``words`` (V,), all where None, with ``vectors`` (V, D)."""
        size = len(words) if restrict is None else min(restrict, len(words))
        self.words, self.vectors, self.fold = words[:size], vectors[:size], fold

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self.words)

    def find(self, word: str) -> int | None:
        """Return the row of a word, or of its most frequent variant; None where there is none."""
        return self._places.get(self._folded(word))

    def variants(self, row: int) -> list[int]:
        """Return the rows of all words that fold to the same as the word of ``row``."""
        return self._variants.get(self._folded(self.words[row]), [row])

    @functools.cached_property
    def standing(self) -> IdArray:
        """(V,) for each row the row that stands for it: its own, unless it is a variant of a more frequent word."""
        rows: IdArray = np.arange(len(self), dtype=np.int32)
        for group in self._variants.values():
            rows[group] = group[0]
        return rows

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {self._folded(word): row for row, word in reversed(list(enumerate(self.words)))}

    @functools.cached_property
    def _variants(self) -> dict[str, list[int]]:
        """By folded word the rows of its variants, where there are several."""
        groups: dict[str, list[int]] = {}
        if len(self._places) < len(self):
            for row, word in enumerate(self.words):
                groups.setdefault(self._folded(word), []).append(row)
        return {word: rows for word, rows in groups.items() if len(rows) > 1}

    def _folded(self, word: str) -> str:
        return word.upper() if self.fold else word
