"""Word vectors whose numbers a test gives."""

from collections.abc import Mapping, Sequence

import numpy as np

from ziggurat.core.types import Vocabulary
from ziggurat.models.word_vectors import WordVectors
from ziggurat.tokens.word_index import WordIndex
from ziggurat.use.vectors import Vectors


def vectors_of(given: Mapping[str, Sequence[float]]) -> Vectors:
    """Return vectors of words, the most frequent first, behind the two ids that are no words."""
    width = len(next(iter(given.values())))
    matrix = np.array([[0] * width, [0] * width, *given.values()], np.float32)
    vocabulary = Vocabulary(len(matrix), bos=0, eos=0, unk=1)
    return Vectors(WordIndex.of(["<|endoftext|>", "<unk>", *given]), WordVectors(matrix, vocabulary))
