"""Texts as vectors: one for each, from the vectors of its tokens.

*Idea.* A bundle may know how its vectors of texts are to be made, as a folder of sentence-transformers does; where
nothing else is asked for, that is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ContextEncoder, Encoder, Tokenizer
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.tokens.batches import alike, padded, whole_rows

__all__ = ["Embedded", "EmbeddingConfig", "embed"]

BATCH_TOKENS = 1 << 14
SMALLEST = 1e-12
"""Length below which a vector is not brought to length one."""


@dataclass(frozen=True)
class EmbeddingConfig:
    """How a text becomes one vector."""

    pooling: Literal["auto", "mean", "first", "pooler"] = option(
        "auto", "mean of the tokens' vectors, first token's, or the pooler's; auto: what the bundle says"
    )
    normalise: Literal["auto", "yes", "no"] = option("auto", "bring vectors to length one; auto: what the bundle says")
    longest: int | None = option(
        None, "tokens of a text that are read, begin and end included (default: what the bundle says)", low=3
    )


class Embedded(NamedTuple):
    """Vectors of texts, and what became of the texts."""

    vectors: FloatArray
    """(N, D) one for each text; 0 for a text of which nothing is known."""
    cut: int
    """How many texts were longer than what is read of one, so that only their beginnings count."""
    longest: int | None
    """Tokens that are read of a text; None: all."""


def embed(
    model: Encoder, tokenizer: Tokenizer, texts: Sequence[str], config: EmbeddingConfig | None = None
) -> Embedded:
    """Return a vector for each text.

    *Maths.* ``mean`` is 1/n Σ h_t over all n vectors of a text, those of its begin and end tokens included (Reimers &
    Gurevych 2019, section 3). Vectors that do not follow the context are the mean of those words that have one.

    Raises:
        UsageError: the model can't make a vector in this way, or reads fewer tokens than asked for.
    """
    config = config or EmbeddingConfig()
    ids = tokenizer.encode_batch(list(texts))
    if not isinstance(model, ContextEncoder):
        return _of_words(model, ids, config)
    own = model.config
    pooling = own.pooling if config.pooling == "auto" else config.pooling
    longest = _longest(model, config)
    rows = whole_rows(ids, tokenizer.vocabulary, longest)
    found = np.zeros((len(rows), model.width), np.float32)
    for some in alike([len(row) for row in rows], BATCH_TOKENS):
        batch, lengths = padded([rows[number] for number in some])
        if pooling == "pooler":
            found[some] = model.pool(batch, lengths)
            continue
        vectors = model.encode(batch, lengths)
        found[some] = vectors[:, 0] if pooling == "first" else vectors.sum(axis=1) / lengths[:, None]
    cut = sum(len(row) < len(whole) + 2 for row, whole in zip(rows, ids, strict=True))
    unit = own.normalise if config.normalise == "auto" else config.normalise == "yes"
    return Embedded(_unit(found) if unit else found, cut, longest)


def _longest(model: ContextEncoder, config: EmbeddingConfig) -> int | None:
    if config.longest is None:
        known: int | None = model.config.longest_text
        return model.context if known is None else known
    if model.context is not None and config.longest > model.context:
        raise UsageError(f"longest: {config.longest} tokens are more than the model reads ({model.context})")
    return config.longest


def _of_words(model: Encoder, ids: list[IdArray], config: EmbeddingConfig) -> Embedded:
    """Return the mean of the vectors of each text's words; what has no vector does not count."""
    if config.pooling not in ("auto", "mean"):
        raise UsageError(f"pooling: vectors of words have no {config.pooling}; take their mean")
    found = np.zeros((len(ids), model.width), np.float32)
    for number, whole in enumerate(ids):
        words = whole if config.longest is None else whole[: config.longest]
        if len(words):
            vectors = model.encode(words[None], np.array([len(words)], np.int32))[0]
            known = vectors[vectors.any(axis=1)]
            found[number] = known.mean(axis=0) if len(known) else 0
    cut = sum(config.longest is not None and len(words) > config.longest for words in ids)
    return Embedded(_unit(found) if config.normalise == "yes" else found, cut, config.longest)


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, SMALLEST), np.float32)
