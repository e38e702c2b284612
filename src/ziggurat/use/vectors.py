"""Questions to word vectors: which words are near, what completes an analogy, which word doesn't belong.

*Idea.* Words of like company have vectors of like direction, so nearness is the cosine of the angle between two
vectors. Answers are exact: every word of the vocabulary is compared, or of its most frequent part where a question is
restricted to it, and the words of the question are never answers.

Ids are rows of the matrix: first those that are no words (zeros), then words by falling frequency.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from ziggurat.artefacts.bundle import Bundle, load
from ziggurat.artefacts.interchange.formats import Foreign, format_in
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.protocols import StaticEncoder, Tokenizer
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.tokens.loading import normalised, token_texts
from ziggurat.tokens.word_index import WordIndex
from ziggurat.use.closest import Found, Rows, scaled
from ziggurat.use.spellings import like_spelled

__all__ = ["Method", "UnknownWordError", "Vectors", "open_vectors"]

Method: TypeAlias = Literal["add", "multiply"]
Asked: TypeAlias = str | FloatArray
"""A word, or a vector (D,) in its place."""
Near: TypeAlias = tuple[str, float]
"""A word, and how near it is."""


class UnknownWordError(UnknownNameError, KeyError):
    """A word that has no vector; the message names words of like spelling that have one."""

    def __init__(self, word: str, alike: Sequence[str] = (), *, where: str = "") -> None:
        """Say that ``word`` is unknown, and that one of ``alike`` was probably meant."""
        super().__init__("word", word, (), where=where)
        self.known = tuple(alike)
        meant = " or ".join(
            filter(None, [", ".join(f"'{one}'" for one in alike[:-1]), *(f"'{one}'" for one in alike[-1:])])
        )
        self.args = (f"{self.args[0]}{f'; did you mean {meant}?' if alike else ''}",)

    def __str__(self) -> str:
        return str(self.args[0])


class Vectors:
    """Word vectors to be asked; what gensim's users know has its name from there, beside ours."""

    def __init__(
        self,
        index: WordIndex,
        model: StaticEncoder,
        first_word: int = 2,
        *,
        reader: Callable[[str], Sequence[int]] | None = None,
        normal: Callable[[str], str] | None = None,
    ) -> None:
        """Ask ``model``, whose id i is the word ``index.word(i)`` for all ids from ``first_word`` on.

        ``reader`` gives the ids of a text: where a word as it stands has no id, what the tokenizer makes of it (it may
        fold case) can have one. ``normal`` gives a word as the tokenizer has it before it cuts: so words were spelled
        in n-grams when those were learnt.
        """
        self.index, self.model, self.first_word = index, model, first_word
        self._reader, self._normal = reader, normal
        self._rows = Rows(model.vectors, first_word)

    @classmethod
    def of(cls, opened: Bundle | Foreign) -> "Vectors":
        """Return the vectors of an open bundle or foreign file.

        Raises:
            UsageError: its model has no vectors of words.
        """
        model = opened.model
        if not isinstance(model, StaticEncoder):
            place = f"{opened.path}: " if isinstance(opened, Bundle) else ""
            raise UsageError(f"{place}a model without vectors of words; give one that was trained to have them")
        words = opened.words if isinstance(opened, Bundle) else WordIndex.of(token_texts(opened.tokenizer))
        return cls(
            words,
            model,
            max(model.vocabulary.special) + 1,
            reader=lambda text: _read(opened.tokenizer, text),
            normal=lambda text: normalised(opened.tokenizer, text),
        )

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
        """All words, the most frequent first, as a list of its own."""
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
        """Return a word's id, or None where the vocabulary lacks it, as it stands and as the tokenizer reads it."""
        found = self.index.find(word)
        if found is None and self._reader is not None and self._readable(word):
            ids = self._reader(word)
            found = ids[0] if len(ids) == 1 else None
        return None if found is None or found < self.first_word else found

    def vector(self, word: str, *, where: str = "") -> FloatArray:
        """Return (D,): a word's vector, made of its character n-grams where the vocabulary lacks it.

        ``where`` says in an error where the word was given.

        Raises:
            UnknownWordError: the vocabulary lacks it and there are no n-grams to make it of.
        """
        found = self.id_of(word)
        vector = self.matrix[found] if found is not None else self._spelled(word)
        if vector is None:
            raise UnknownWordError(word, like_spelled(word, self.index, first=self.first_word), where=where)
        return np.asarray(vector, np.float32)

    def nearest(
        self,
        positive: Asked | Iterable[Asked] = (),
        negative: Asked | Iterable[Asked] = (),
        count: int = 10,
        *,
        restrict: int | None = None,
        method: Method = "add",
    ) -> list[Near]:
        """Return the ``count`` words that are near all of ``positive`` and far from ``negative``, nearest first.

        *Maths.* ``add``: cos(x, Σ p̂ − Σ n̂) over unit vectors, 3CosAdd (Mikolov et al. 2013c). ``multiply``: 3CosMul
        (Levy & Goldberg 2014, eq. 4), in which no single word decides.

        ``restrict`` allows only the so many most frequent words as answers.

        Raises:
            UnknownWordError: a word that has no vector.
        """
        plus, minus = _listed(positive), _listed(negative)
        return self.answers([(plus, minus)], count, restrict=restrict, method=method)[0]

    def answers(
        self,
        questions: Sequence[tuple[Sequence[Asked], Sequence[Asked]]],
        count: int = 10,
        *,
        restrict: int | None = None,
        method: Method = "add",
    ) -> list[list[Near]]:
        """Return `nearest` of many questions (positive, negative) at once, faster than one by one.

        Raises:
            UnknownWordError: a word that has no vector.
            UsageError: a question without words, or one with more words than the first.
        """
        shapes = {(len(plus), len(minus)) for plus, minus in questions}
        if (0, 0) in shapes:
            raise UsageError("no word was given; give at least one")
        if len(shapes) > 1:
            raise UsageError("questions that are asked together must have as many words each")
        if not questions:
            return []
        asked = [one for plus, minus in questions for one in (*plus, *minus)]
        rows = {one: row for row, one in enumerate(dict.fromkeys(one for one in asked if isinstance(one, str)))}
        given = [one for one in asked if not isinstance(one, str)]
        vectors = np.stack([*map(self.vector, rows), *given]).astype(np.float32)
        ids = [number if (number := self.id_of(word)) is not None else -1 for word in rows]
        others = iter(range(len(rows), len(vectors)))
        places = np.array([rows[one] if isinstance(one, str) else next(others) for one in asked], np.int32)
        places = places.reshape(len(questions), -1)
        excluded = np.array([*ids, *(-1 for _ in given)], np.int32)[places]
        split, stop = len(questions[0][0]), self._stop(restrict)
        plus, minus = places[:, :split], places[:, split:]
        if method == "add":
            units = scaled(vectors)
            queries = units[plus].sum(axis=1) - units[minus].sum(axis=1)
            found = self._rows.by_cosine(queries, excluded, count=count, stop=stop)
        else:
            found = self._rows.by_product(vectors, plus, minus, excluded, count=count, stop=stop)
        return [
            [(self.index.word(number), score) for number, score in zip(*both, strict=True) if number >= 0]
            for both in zip(found[0].tolist(), found[1].tolist(), strict=True)
        ]

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

    # what gensim's users know under other names

    def most_similar(
        self,
        positive: Asked | Iterable[Asked] = (),
        negative: Asked | Iterable[Asked] = (),
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[Near]:
        """Return `nearest` by addition, as gensim calls it."""
        return self.nearest(positive, negative, topn, restrict=restrict_vocab)

    def most_similar_cosmul(
        self,
        positive: Asked | Iterable[Asked] = (),
        negative: Asked | Iterable[Asked] = (),
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[Near]:
        """Return `nearest` by multiplication, as gensim calls it, with the ε of the paper."""
        return self.nearest(positive, negative, topn, restrict=restrict_vocab, method="multiply")

    def doesnt_match(self, words: Iterable[str]) -> str:
        """Return `odd_one_out`, as gensim calls it."""
        return self.odd_one_out(words)

    def distance(self, first: str, second: str) -> float:
        """Return 1 − `similarity`."""
        return 1 - self.similarity(first, second)

    def get_vector(self, word: str, *, norm: bool = False) -> FloatArray:
        """Return `vector`, scaled to length 1 where ``norm``."""
        return scaled(self.vector(word)) if norm else self.vector(word)

    @property
    def vector_size(self) -> int:
        """`width`, as gensim calls it."""
        return self.width

    @property
    def vectors(self) -> FloatArray:
        """`matrix`, as gensim calls it."""
        return self.matrix

    @property
    def index_to_key(self) -> Sequence[str]:
        """What each row of `matrix` stands for; the first rows are no words (see ``first_word``)."""
        return self.index.words()

    @property
    def key_to_index(self) -> Mapping[str, int]:
        """The row of `matrix` that each word has; each is looked up when it is asked for."""
        return _Rows(self)

    def _readable(self, word: str) -> bool:
        """Whether a tokenizer could read this as a word that is known: asking one that is not loaded yet is slow."""
        plain = unicodedata.normalize("NFKC", word)
        forms = {plain, plain.lower(), plain.casefold(), unicodedata.normalize("NFC", word).lower()} - {word}
        return len(word.split()) > 1 or any(form in self.index for form in forms)

    def _stop(self, restrict: int | None) -> int:
        """Return the row after the last that may be an answer."""
        return len(self.index) if restrict is None else min(len(self.index), self.first_word + restrict)

    def _spelled(self, word: str) -> FloatArray | None:
        if not self.model.config.spells:
            return None
        from ziggurat.tokens.character_ngrams import bucket_ids

        config = self.model.config
        word = word if self._normal is None else self._normal(word)
        buckets = bucket_ids(word, config.shortest_ngram, config.longest_ngram, config.buckets)
        return self.model.spelled(buckets)


class _Rows(Mapping[str, int]):
    """The ids of words, as a mapping that holds none of them."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def __getitem__(self, word: str) -> int:
        found = self._vectors.id_of(word)
        if found is None:
            raise KeyError(word)
        return found

    def __len__(self) -> int:
        return len(self._vectors)

    def __iter__(self) -> Iterator[str]:
        index = self._vectors.index
        return map(index.word, range(self._vectors.first_word, len(index)))


def _read(tokenizer: Tokenizer, text: str) -> Sequence[int]:
    """Return the ids that a tokenizer makes of a text, none where it does not know all of it."""
    ids = tokenizer.encode(text).ids.tolist()
    return [] if tokenizer.vocabulary.unk in ids else ids


def _listed(asked: Asked | Iterable[Asked]) -> list[Asked]:
    if isinstance(asked, str) or (isinstance(asked, np.ndarray) and asked.ndim == 1):
        return [asked]
    return list(asked)


def open_vectors(path: Path) -> Vectors:
    """Open the word vectors of a bundle or run folder, or of a foreign file: word2vec, GloVe, fastText.

    *Cost.* A bundle opens in milliseconds, whatever its size; a foreign file is read.

    Raises:
        UsageError: the model has no vectors of words.
        ArtefactError, InputError: it can't be opened; the message says what is wrong.
    """
    return Vectors.of(format_in(path).read(path) if path.is_file() else load(path))
