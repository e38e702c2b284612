"""Questions to word vectors: which words are near, what completes an analogy, which word doesn't belong.

*Idea.* Words of like company have vectors of like direction, so nearness is the cosine of the angle between two
vectors. Answers are exact: every word of the vocabulary is compared, or of its most frequent part where a question is
restricted to it, and the words of the question are never answers.

Ids are rows of the matrix: first those that are no words (zeros), then words by falling frequency.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.protocols import Model, StaticEncoder, Tokenizer
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.tokens.word_index import WordIndex
from ziggurat.use.closest import Found, Rows, scaled

__all__ = ["Method", "Opened", "UnknownWordError", "Vectors"]

Method: TypeAlias = Literal["add", "multiply"]
Asked: TypeAlias = str | FloatArray
"""A word, or a vector (D,) in its place."""


class Opened(Protocol):
    """What has a model and a tokenizer: a bundle, or a foreign file."""

    @property
    def model(self) -> Model:
        """The model."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""
        ...


class UnknownWordError(UnknownNameError, KeyError):
    """A word that has no vector; the message names words of like spelling that have one."""

    __str__ = Exception.__str__


class Vectors:
    """Word vectors to be asked; what gensim's users know has its name from there, beside ours."""

    def __init__(self, index: WordIndex, model: StaticEncoder, first_word: int = 2) -> None:
        """Ask ``model``, whose id i is the word ``index.word(i)`` for all ids from ``first_word`` on."""
        self.index, self.model, self.first_word = index, model, first_word
        self._rows = Rows(model.vectors, first_word)

    @classmethod
    def of(cls, opened: Opened) -> "Vectors":
        """Return the vectors of an open bundle or foreign file.

        Raises:
            UsageError: its model has no vectors of words.
        """
        model, tokenizer = opened.model, opened.tokenizer
        if not isinstance(model, StaticEncoder):
            raise UsageError(f"{getattr(opened, 'path', 'the model')}: no word vectors; give a model of word vectors")
        words = [tokenizer.decode([token]) or f"<{token}>" for token in range(model.vocabulary.size)]
        return cls(WordIndex.of(words), model)

    @property
    def matrix(self) -> FloatArray:
        """(V, D) the vectors as they are stored, by id; they may be a memory map."""
        return self.model.vectors

    @property
    def width(self) -> int:
        """D, numbers in a vector."""
        return self.model.width

    @property
    def vocabulary_words(self) -> Sequence[str]:
        """All words, the most frequent first."""
        return self.index.words()[self.first_word :]

    def __len__(self) -> int:
        return len(self.index) - self.first_word

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and (self.id_of(word) is not None or self._spelled(word) is not None)

    def __getitem__(self, key: Any) -> FloatArray:
        """Return the vector of a word or id, or the vectors (N, D) of a sequence of words, of ids, or of a slice."""
        if isinstance(key, str):
            return self.vector(key)
        if isinstance(key, (list, tuple)) and any(isinstance(word, str) for word in key):
            return np.stack([self.vector(word) for word in key])
        return np.asarray(self.matrix[key], np.float32)

    def id_of(self, word: str) -> int | None:
        """Return a word's id, or None where the vocabulary lacks it."""
        found = self.index.find(word)
        return None if found is None or found < self.first_word else found

    def vector(self, word: str) -> FloatArray:
        """Return (D,): a word's vector, made of its character n-grams where the vocabulary lacks it.

        Raises:
            UnknownWordError: the vocabulary lacks it and there are no n-grams to make it of.
        """
        found = self.id_of(word)
        vector = self.matrix[found] if found is not None else self._spelled(word)
        if vector is None:
            raise UnknownWordError("word", word, ())
        return np.asarray(vector, np.float32)

    def nearest(
        self,
        positive: Asked | Iterable[Asked] = (),
        negative: Asked | Iterable[Asked] = (),
        count: int = 10,
        *,
        restrict: int | None = None,
        method: Method = "add",
    ) -> list[tuple[str, float]]:
        """Return the ``count`` words that are near all of ``positive`` and far from ``negative``, nearest first.

        *Maths.* ``add``: cos(x, Σ p̂ − Σ n̂) over unit vectors, 3CosAdd (Mikolov et al. 2013c). ``multiply``: 3CosMul
        (Levy & Goldberg 2014, eq. 4), in which no single word decides.

        ``restrict`` allows only the so many most frequent words as answers.

        Raises:
            UnknownWordError: a word that has no vector.
        """
        plus, minus = _listed(positive), _listed(negative)
        if not plus and not minus:
            raise UsageError("no word was given; give at least one")
        vectors = np.stack([self.vector(one) if isinstance(one, str) else one for one in (*plus, *minus)])
        given = [self.id_of(one) for one in (*plus, *minus) if isinstance(one, str)]
        excluded = np.array([[one for one in given if one is not None]], np.int32)
        stop = self._stop(restrict)
        if method == "add":
            signs = np.repeat(np.array([1, -1], np.float32), [len(plus), len(minus)])
            found = self._rows.by_cosine(signs[None] @ scaled(vectors), excluded, count=count, stop=stop)
        else:
            order: IdArray = np.arange(len(vectors), dtype=np.int32)[None]
            near, far = order[:, : len(plus)], order[:, len(plus) :]
            found = self._rows.by_product(vectors, near, far, excluded, count=count, stop=stop)
        ids, scores = found
        return [(self.index.word(int(i)), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def batch(
        self,
        positive: IdArray,
        negative: IdArray | None = None,
        *,
        count: int = 1,
        restrict: int | None = None,
        method: Method = "add",
    ) -> Found:
        """Return `nearest` of many questions at once, as (N, ``count``) ids and scores.

        Shapes: ``positive`` (N, P) and ``negative`` (N, Q) are ids. Where there are fewer answers, ids are −1.

        *Cost.* One matrix product of N × D by D × V, and one pass over the N × V scores.
        """
        positive = np.asarray(positive, np.int32)
        negative = np.empty((len(positive), 0), np.int32) if negative is None else np.asarray(negative, np.int32)
        excluded, stop = np.concatenate([positive, negative], axis=1), self._stop(restrict)
        if method == "add":
            queries = self._rows.unit(positive).sum(axis=1) - self._rows.unit(negative).sum(axis=1)
            return self._rows.by_cosine(queries, excluded, count=count, stop=stop)
        used, inverse = np.unique(excluded, return_inverse=True)
        places: IdArray = inverse.reshape(excluded.shape).astype(np.int32)
        split = positive.shape[1]
        plus, minus = places[:, :split], places[:, split:]
        return self._rows.by_product(self.matrix[used], plus, minus, excluded, count=count, stop=stop)

    def closest(self, vectors: FloatArray, *, count: int = 1, restrict: int | None = None) -> Found:
        """Return the ids and cosines of the ``count`` words nearest to each of ``vectors`` (N, D)."""
        nothing = np.empty((len(vectors), 0), np.int32)
        return self._rows.by_cosine(np.asarray(vectors, np.float32), nothing, count=count, stop=self._stop(restrict))

    def cosines(self, first: IdArray, second: IdArray) -> FloatArray:
        """Return (N,): the cosine between the vectors of ids ``first`` and ``second``, pair by pair."""
        return np.asarray(np.einsum("nd,nd->n", self._rows.unit(first), self._rows.unit(second)), np.float32)

    def similarity(self, first: str, second: str) -> float:
        """Return the cosine between two words' vectors, −1 to 1."""
        return float(scaled(self.vector(first)) @ scaled(self.vector(second)))

    def odd_one_out(self, words: Iterable[str]) -> str:
        """Return the word that is least like the others."""
        return self.belonging(words)[-1][0]

    def belonging(self, words: Iterable[str]) -> list[tuple[str, float]]:
        """Return words with their cosine to the mean of all their unit vectors, the most typical first.

        Raises:
            UsageError: fewer than three words were given.
        """
        given = list(words)
        if len(given) < 3:
            raise UsageError(f"at least three words are needed to find the odd one, got {len(given)}")
        units = scaled(np.stack([self.vector(word) for word in given]))
        scores = units @ scaled(units.mean(axis=0))
        return [(given[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")]

    def _stop(self, restrict: int | None) -> int:
        """Return the row after the last that may be an answer."""
        return len(self.index) if restrict is None else min(len(self.index), self.first_word + restrict)

    def _spelled(self, word: str) -> FloatArray | None:
        if self.model.ngrams is None:
            return None
        from ziggurat.tokens.character_ngrams import bucket_ids

        config = self.model.config
        buckets = bucket_ids(word, config.shortest_ngram, config.longest_ngram, config.buckets)
        return self.model.spelled(buckets) if len(buckets) else None


def _listed(asked: Asked | Iterable[Asked]) -> list[Asked]:
    if isinstance(asked, str) or (isinstance(asked, np.ndarray) and asked.ndim == 1):
        return [asked]
    return list(asked)
