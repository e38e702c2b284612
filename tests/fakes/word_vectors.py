"""Word vectors whose numbers a test gives."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.interchange.vocabulary import words_tokenizer
from ziggurat.artefacts.manifest import Provenance
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


def bundle_of(path: Path, given: Mapping[str, Sequence[float]]) -> Bundle:
    """Save such vectors as the bundle ``path``."""
    vectors = vectors_of(given)
    tokenizer = words_tokenizer(["<|endoftext|>", "<unk>", *given])
    provenance = Provenance(recipe={"name": path.name})
    return save(path, family="word_vectors", model=vectors.model, tokenizer=tokenizer, provenance=provenance)


def themes(count: int, *, chinese: bool = False, seed: int = 0) -> dict[str, list[float]]:
    """Return ``count`` words in five groups of like direction, the most frequent first: water3, fire4, …"""
    drawn = np.random.default_rng(seed)
    names = ("水", "火", "木", "金", "土") if chinese else ("water", "fire", "wood", "metal", "earth")
    signs = "一二三四五六七八九十百千万" if chinese else [str(number) for number in range(1000)]
    centres = np.eye(5, 7) * 3
    found = {}
    for number in range(count):
        place = number % 5
        word = names[place] + ("".join(signs[d] for d in divmod(number // 5, 13)) if chinese else signs[number // 5])
        found[word] = (centres[place] + drawn.normal(size=7) * 0.7).tolist()
    return found
