"""What a model's embeddings begin with: vectors of a bundle, brought to the ids of the run's own tokenizer.

*Idea.* Two tokenizers number their tokens as they like, but a token's text is the same for both. A token gets the
vector of the one token as which the other tokenizer reads its text; so case folding and white space are treated as that
tokenizer treats them. Where the two are the same, ids are the same and nothing is read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.artefacts.bundle import Bundle, load
from ziggurat.artefacts.recipe import Recipe
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Embeds, Tokenizer
from ziggurat.core.types import IdArray
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import FirstVectors

__all__ = ["Beginning", "check_vectors", "counterparts", "first_vectors"]

BROKEN = "\ufffd"
"""What a token decodes to whose bytes are no whole character."""


@dataclass(frozen=True)
class Beginning:
    """Vectors for a run's ids, and what its manifest says of them."""

    first: FirstVectors
    facts: dict[str, Any]


def check_vectors(recipe: Recipe, *, part: str = "") -> None:
    """Check, before anything is made, that the bundle which a recipe or a part of it names can begin its embeddings.

    ``part`` stands before the recipe's keys where it is part of another, ``gpt.``.

    Raises:
        ArtefactError: there is no whole bundle.
        UsageError: its model gives no vectors, or vectors of another width than the embeddings.
    """
    if recipe.vectors and isinstance(recipe.vectors, str):
        _check_width(recipe, load(Path(recipe.vectors), verify=False), part=part)
    for inner in recipe.parts:
        check_vectors(inner, part=f"{part}{inner.name}.")


def first_vectors(recipe: Recipe, bundle: Bundle, tokenizer: Tokenizer) -> Beginning:
    """Return the vectors of ``bundle`` for the ids of ``tokenizer``, to begin the embeddings of the recipe's model.

    Raises:
        UsageError: the bundle gives no vectors, vectors of another width, or none for any of the ids.
    """
    _check_width(recipe, bundle)
    encoder, size = bundle.word_vectors, tokenizer.vocabulary.size
    theirs = counterparts(bundle.tokenizer, tokenizer)
    known = np.flatnonzero(theirs >= 0)
    vectors = np.zeros((size, encoder.width), np.float32)
    vectors[known] = encoder.encode(theirs[known, None], np.ones(known.size, np.int32))[:, 0]
    found_mask = np.asarray(vectors.any(axis=1) & np.isfinite(vectors).all(axis=1))
    found = int(found_mask.sum())
    if found < 2:
        raise UsageError(
            f"vectors: {bundle.path} has a vector for {found} of {size} tokens, too few to begin with: "
            "train vectors on text of the same language and with tokens of the same kind"
        )
    facts = {
        "from": str(bundle.path),
        "arrays": bundle.manifest.files["model.safetensors"]["sha256"],
        "found": found,
        "of": size,
        "seconds": float(bundle.manifest.training.get("seconds", 0.0)),
    }
    return Beginning(FirstVectors(vectors, found_mask), facts)


def counterparts(source: Tokenizer, target: Tokenizer) -> IdArray:
    """Return (V,): for each id of ``target`` the id of ``source`` that stands for the same text, −1 where none does."""
    vocabulary = target.vocabulary
    found = np.full(vocabulary.size, -1, np.int32)
    if source.fingerprint == target.fingerprint:
        found[:] = np.arange(vocabulary.size)
    else:
        texts = [target.decode([token]) for token in range(vocabulary.size)]
        whole = [token for token, text in enumerate(texts) if text and BROKEN not in text]
        for token, ids in zip(whole, source.encode_batch([texts[token] for token in whole]), strict=True):
            if len(ids) == 1 and ids[0] != source.vocabulary.unk:
                found[token] = ids[0]
    found[list(vocabulary.special)] = -1
    return found


def _check_width(recipe: Recipe, bundle: Bundle, *, part: str = "") -> None:
    family = FAMILIES.get(recipe.family)
    if not isinstance(family, Embeds):
        raise UsageError(f"vectors: a model of family {recipe.family} embeds no ids; leave the key out")
    width, wanted = bundle.word_vectors.width, getattr(recipe.model, family.embedding_key)
    if width != wanted:
        key = f"{part}model.{family.embedding_key}"
        raise UsageError(
            f"vectors: those of {bundle.path} have {width} numbers each and {key} is {wanted}: "
            f"set {key} to {width}, or give vectors of width {wanted}"
        )
