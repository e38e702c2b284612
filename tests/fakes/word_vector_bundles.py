"""Real bundles and real questions for vectors whose numbers a test gives, or those that gensim was asked about."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.models.word_vectors import WordVectors, WordVectorsConfig
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.words import WordsConfig

GOLDEN = Path(__file__).parent.parent / "golden" / "intrinsic"


def golden_vectors() -> dict[str, list[float]]:
    """The vectors that gensim was asked about, by word, in their order."""
    lines = (GOLDEN / "vectors.txt").read_text(encoding="utf-8").splitlines()[1:]
    return {word: [float(value) for value in values] for word, *values in map(str.split, lines)}


def save_vectors(path: Path, given: Mapping[str, Sequence[float]], *, buckets: int = 0) -> Path:
    """Save the bundle of these vectors, the most frequent word first; with ``buckets``, with character n-grams too."""
    count = len(given)
    text = " ".join(f"{word} " * (count - place) for place, word in enumerate(given))
    tokenizer = train_tokenizer([text], "words", WordsConfig(split="whitespace"))
    width = len(next(iter(given.values())))
    matrix = np.array([[0] * width, [0] * width, *given.values()], np.float32)
    config, ngrams = WordVectorsConfig(width=width), None
    if buckets:
        config = WordVectorsConfig(width=width, longest_ngram=4, buckets=buckets)
        known = np.arange(buckets, dtype=np.int32)
        ngrams = known, np.random.default_rng(0).standard_normal((buckets, width)).astype(np.float32)
    model = WordVectors(matrix, tokenizer.vocabulary, config=config, ngrams=ngrams)
    provenance = Provenance(recipe={"name": "given", "family": "word_vectors"}, seed=0, corpus={}, training={})
    return save(path, family="word_vectors", model=model, tokenizer=tokenizer, provenance=provenance).path
