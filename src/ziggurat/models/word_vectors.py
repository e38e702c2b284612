"""Word vectors: one vector a word, whatever stands around it; words of like company lie close together.

*Idea.* Word2Vec and GloVe learn two vectors a word: one for the word itself, one for the word as somebody's neighbour.
The first are what everybody uses; the second are kept where held-out loss is to be measured. With character n-grams
(Bojanowski et al. 2017) a word's vector is the mean of its own and those of the n-grams in its spelling, so that a
word never seen has one too: the mean of its n-grams'. Which n-grams a spelling has is known in `tokens`; here they are
numbers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.core.anatomy import Anatomy, Part
from ziggurat.core.config import from_mapping, option, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.seeding import uniform_rows
from ziggurat.core.types import FloatArray, IdArray, TensorMap, Vocabulary

__all__ = ["FAMILY", "WordVectors", "WordVectorsConfig", "WordVectorsFamily"]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WordVectorsConfig:
    """The ``[model]`` keys of word vectors."""

    width: int = option(100, "numbers in the vector of a word", low=1, high=65_536)
    shortest_ngram: int = option(3, "characters of the shortest n-gram of a spelling", low=1, high=20)
    longest_ngram: int = option(0, "characters of the longest n-gram of a spelling; 0: words are learnt whole", low=0)
    buckets: int = option(2_000_000, "vectors that all n-grams share, found by hash", low=1, high=1 << 31)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        if 0 < self.longest_ngram < self.shortest_ngram:
            raise UsageError("longest_ngram: must not be below shortest_ngram")

    @property
    def spells(self) -> bool:
        """Whether vectors are also made of character n-grams."""
        return self.longest_ngram > 0


class WordVectors:
    """An `Encoder` without context: a matrix of vectors, one for each id.

    *Cost.* Memory-mapped arrays stay where they are: opening does not read them.
    """

    def __init__(
        self,
        vectors: FloatArray,
        vocabulary: Vocabulary,
        *,
        config: WordVectorsConfig | None = None,
        outputs: FloatArray | None = None,
        ngrams: tuple[IdArray, FloatArray] | None = None,
        counts: Counts | None = None,
    ) -> None:
        """Hold a word's vector in each row of ``vectors`` (V, D).

        Args:
            vectors: (V, D) what an id's vector is; special ids have zeros.
            vocabulary: The ids.
            config: How they came about; unless told, words are taken as learnt whole.
            outputs: (V or fewer, D) vectors of the side that is predicted, where they are kept.
            ngrams: The buckets (K,) of character n-grams that were learnt, ascending, and their vectors (K, D).
            counts: (V,) occurrences of each id in the training text, where they are known.
        """
        self.vectors, self.outputs, self.ngrams, self.counts = vectors, outputs, ngrams, counts
        self._vocabulary = vocabulary
        self.config = config or WordVectorsConfig(width=vectors.shape[1])

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self._vocabulary

    @property
    def width(self) -> int:
        """D, numbers in a vector."""
        return int(self.vectors.shape[1])

    def encode(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T, D): the vector of each of each row's first ``lengths`` ids; 0 at and beyond them."""
        found = self.vectors[np.asarray(ids)]
        inside = np.arange(ids.shape[1]) < np.asarray(lengths)[:, None]
        return np.where(inside[:, :, None], found, np.float32(0))

    def spelled(self, buckets: IdArray) -> FloatArray | None:
        """Return (D,): the vector of a word that is not in the vocabulary, from the buckets of its n-grams.

        It is the mean of those n-grams' vectors that some word of the training text has too; None where it has none.

        *Departs.* Bojanowski et al. 2017 average over all n-grams; those that never occurred are noise.
        """
        if self.ngrams is None or not self.ngrams[0].size:
            return None
        known, vectors = self.ngrams
        places = np.searchsorted(known, buckets)
        found = places[(places < known.size) & (known[np.minimum(places, known.size - 1)] == buckets)]
        return np.asarray(vectors[found].mean(axis=0), np.float32) if found.size else None


class WordVectorsFamily:
    """Saves and opens word vectors."""

    name: ClassVar[str] = "word_vectors"
    trainers: ClassVar[tuple[str, ...]] = ("word2vec", "glove")
    config: ClassVar[type[Any]] = WordVectorsConfig

    def build(self, config: WordVectorsConfig, vocabulary: Vocabulary, *, seed: int) -> WordVectors:
        """Return vectors before training: uniform in ±1 / D; special ids have zeros.

        *Departs.* word2vec.c draws from half that range; from all of it the first pass over a text gets further.
        """
        vectors = uniform_rows(vocabulary.size, config.width, seed, "vectors")
        vectors[list(vocabulary.special)] = 0
        return WordVectors(vectors, vocabulary, config=config)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the configuration with the vocabulary, and the arrays."""
        buckets, ngrams = model.ngrams or (None, None)
        arrays = {"outputs": model.outputs, "ngram_buckets": buckets, "ngrams": ngrams, "counts": model.counts}
        tensors = {"vectors": model.vectors, **{name: array for name, array in arrays.items() if array is not None}}
        return {"model": to_mapping(model.config), "vocabulary": to_mapping(model.vocabulary)}, tensors

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> WordVectors:
        """Return the vectors that `state` described.

        Raises:
            ArtefactError: a key or array is missing or does not fit.
        """
        own, vocabulary = self.configured(config, tensors)
        arrays: dict[str, Any] = dict(tensors)
        if (vectors := arrays.pop("vectors", None)) is None:
            raise ArtefactError("config.json does not describe word vectors: 'vectors'")
        learnt = arrays["ngram_buckets"].size if "ngram_buckets" in arrays else 0
        forms = {
            "vectors": (np.float32, (vocabulary.size, own.width)),
            "outputs": (np.float32, (vocabulary.size, own.width)),
            "ngram_buckets": (np.int32, (learnt,)),
            "ngrams": (np.float32, (learnt, own.width)),
            "counts": (np.int64, (vocabulary.size,)),
        }
        for name, array in {"vectors": vectors, **arrays}.items():
            if name not in forms or (array.dtype, array.shape) != forms[name]:
                raise ArtefactError(f"array '{name}' ({array.dtype}, {array.shape}) does not fit config.json")
        buckets, ngrams = arrays.pop("ngram_buckets", None), arrays.pop("ngrams", None)
        if (buckets is None) != (ngrams is None):
            raise ArtefactError("of character n-grams the vectors or the buckets are missing")
        pair = None if buckets is None else (buckets, ngrams)
        return WordVectors(vectors, vocabulary, config=own, ngrams=pair, **arrays)

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[WordVectorsConfig, Vocabulary]:
        """Return the configuration and the vocabulary that a ``config.json`` holds.

        Raises:
            ArtefactError: a key is missing or does not fit.
        """
        del tensors  # the file says all
        try:
            own = from_mapping(WordVectorsConfig, config["model"], where="config.json")
            return own, from_mapping(Vocabulary, config["vocabulary"], where="config.json")
        except (KeyError, TypeError, UsageError) as error:
            raise ArtefactError(f"config.json does not describe word vectors: {error}") from None

    def anatomy(self, config: WordVectorsConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the matrix of vectors; those of character n-grams are as many as the text has, so none are counted."""
        sizes = (("V", vocabulary.size), ("D", config.width))
        matrix = Part(
            name="word vectors",
            kind="embedding",
            formula="V·D",
            sizes=sizes,
            gives="n × D",
            parameters=vocabulary.size * config.width,
        )
        return Anatomy((Part("word vectors", "tower", parts=(matrix,)),), sizes, generates=False)

    def tiny(self, *, seed: int) -> WordVectors:
        """Return random vectors of width 7 for 11 ids, with character n-grams in 13 buckets."""
        config = WordVectorsConfig(width=7, longest_ngram=5, buckets=13)
        words = self.build(config, Vocabulary(size=11, bos=0, eos=0), seed=seed)
        ngrams = np.arange(13, dtype=np.int32), uniform_rows(13, config.width, seed, "ngrams")
        return WordVectors(words.vectors, words.vocabulary, config=config, ngrams=ngrams)


FAMILY = WordVectorsFamily()
