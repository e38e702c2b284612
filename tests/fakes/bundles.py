"""Small real bundles: every family's tiny model with a tokenizer of eleven words."""

from pathlib import Path
from typing import Any

from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.protocols import Tokenizer
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.loading import train_tokenizer

WORDS = "one two three four five six seven eight nine"
CORPUS: dict[str, Any] = {
    "splits": {"train": {"documents": 97, "bytes": 1_700_003}, "dev": {"documents": 11, "bytes": 190_027}},
    "near_duplicates_across_splits": 0,
}


def eleven_words() -> Tokenizer:
    """A tokenizer with as many ids as a family's tiny model: the end token, <unk>, and nine words."""
    from ziggurat.tokens.words import WordsConfig

    tokenizer = train_tokenizer([WORDS], "words", WordsConfig())
    assert (tokenizer.vocabulary.size, tokenizer.vocabulary.bos, tokenizer.vocabulary.eos) == (11, 0, 0)
    return tokenizer


def make_bundle(path: Path, family: str, *, seed: int = 0) -> Bundle:
    """Save the tiny model of ``family`` as the bundle ``path``."""
    provenance = Provenance(
        recipe={"name": f"tiny-{family}", "family": family},
        seed=seed,
        corpus=CORPUS,
        training={"steps": 13, "tokens": 53_000, "seconds": 7.25},
    )
    model = FAMILIES.get(family).tiny(seed=seed)
    return save(path, family=family, model=model, tokenizer=eleven_words(), provenance=provenance)
