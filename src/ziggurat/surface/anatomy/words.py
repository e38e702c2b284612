"""What the parts of a model and their figures are called in the language spoken."""

from collections.abc import Sequence

from ziggurat.core.anatomy import Anatomy, Load, Part
from ziggurat.surface.anatomy.figures import count
from ziggurat.surface.language import current, translate

__all__ = ["PIECES", "called", "explained", "form", "held", "symbols"]

MEANINGS = {
    "L": "layers",
    "d_model": "width between layers",
    "h": "heads",
    "h_kv": "heads of keys and values",
    "d_k": "width of a head",
    "d_ff": "hidden width, feed-forward",
    "V": "ids of the vocabulary",
    "D": "width of an embedding",
    "C": "cells of a layer",
    "J": "numbers of counts and recall for each id",
    "K": "orders of counts that are handed on",
    "E": "width of an embedding",
    "U": "width of the vectors that predict",
    "P": "numbers that a text's label is told from",
    "Y": "labels",
    "A": "kinds of segments",
    "n_max": "longest text",
    "R": "rows of n-gram tables",
    "k": "n-gram tables",
    "W": "width of n-gram tables",
    "n_v": "value embeddings",
    "L_enc": "blocks of the encoder",
    "L_dec": "blocks of the decoder",
    "n": "tokens read at once",
    "m": "tokens of the source",
    "c": "characters with a vector",
    "e": "width of a character's vector",
    "w": "characters that a filter sees",
    "f": "filters over characters",
    "picked": "tokens that are guessed",
}


PIECES = (
    ("decoder stack", "encoder stack", "LSTM", "LSTM tagger", "word vectors"),
    ("token embeddings", "shared", "segment embeddings", "n-gram tables", "value embeddings", "characters"),
    ("learned positions", "sinusoidal positions", "rotary positions"),
    (
        "attention",
        "cross-attention",
        "feed-forward",
        "dense layer of the head",
        "LSTM layer",
        "backwards",
        "pooler",
        "memory",
    ),
    ("SwiGLU", "GELU", "GELU (tanh)", "ReLU", "squared ReLU", "SiLU", "RMSNorm", "LayerNorm"),
    ("predicate marks", "predicate vector"),
    ("output", "tied to the embeddings", "classifier", "CRF"),
    ("what counts expect", "trust in counts"),
)
"""What families and the names of their parts are made of; all of it has its Chinese."""


def called(part: Part) -> str:
    """Return a part's name in the language spoken; its pieces are translated one by one."""
    whole = translate(part.name)
    if whole != part.name or current() == "en":
        return whole
    return "，".join(translate(piece) for piece in part.name.split(", "))


def form(anatomy: Anatomy) -> str:
    """Return what towers a model has."""
    return " + ".join(called(tower) for tower in anatomy.towers)


def symbols(anatomy: Anatomy, load: Load) -> tuple[tuple[str, int], ...]:
    """Return the symbols of a model and of what it reads at once."""
    read = [("n", load.text)]
    read += [("m", load.source)] if load.source else []
    read += [("picked", load.picked)] if load.picked is not None else []
    return (*anatomy.symbols, *read)


def explained(found: Sequence[tuple[str, int]]) -> list[tuple[str, str, str]]:
    """Return each symbol with its value and what it means."""
    return [(name, f"{value:,}", translate(MEANINGS[name]) if name in MEANINGS else "") for name, value in found]


def held(part: Part) -> str:
    """Return how many parameters one such part holds, as short as can be; a dash where it has none."""
    return count(part.total // part.times) if part.total else "–"
