"""Bundles of word vectors with given words, whose vectors hold every kind of number a file must carry."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.interchange.vocabulary import words_tokenizer
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.types import FloatArray, Vocabulary
from ziggurat.models.word_vectors import FAMILY, WordVectors

WORDS = ["the", "of", "塔楼", "naïve", "7", "-3.5", "😀", "e\u0301", "#", "a\u00a0b", "\u3000", "</s>", "nan"]
ODD = [0.0, -0.0, 1.0, -1e-5, 1e-12, 9.999999e-13, 1.1754944e-38, 1e-45, 3.4028235e38, -16777217.0, 1e15, 0.1, 1 / 3]


def all_kinds(words: int, width: int, *, seed: int = 0) -> FloatArray:
    """(words, width) numbers: ordinary ones, odd ones in the first rows, and any finite pattern of 32 bits."""
    dice = np.random.default_rng(seed)
    found = dice.normal(0, 0.3, (words, width)).astype(np.float32)
    patterns = dice.integers(0, 1 << 32, words * width // 5, dtype=np.uint32).view(np.float32)
    flat = found.reshape(-1)
    flat[: len(ODD)] = np.array(ODD, np.float64)[: flat.size]
    place = max(0, flat.size - patterns.size)
    flat[place:] = np.where(np.isfinite(patterns), patterns, np.float32(0.25))
    return found


def vector_bundle(path: Path, words: Sequence[str], vectors: FloatArray) -> Bundle:
    """Save vectors of words, behind the two special ids, whose vectors are zero."""
    matrix = np.concatenate([np.zeros((2, vectors.shape[1]), np.float32), vectors])
    model = WordVectors(matrix, Vocabulary(len(matrix), bos=0, eos=0, unk=1))
    tokenizer = words_tokenizer(["", "", *words])
    return save(path, family=FAMILY.name, model=model, tokenizer=tokenizer, provenance=Provenance())


def same_bits(one: FloatArray, other: FloatArray) -> bool:
    """Whether two arrays are equal to the last bit, the sign of zero included."""
    return one.shape == other.shape and bool((one.view(np.uint32) == other.view(np.uint32)).all())
