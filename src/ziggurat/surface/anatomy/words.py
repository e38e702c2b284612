"""What the parts of a model and their figures are called in the language spoken."""

from collections.abc import Sequence

from ziggurat.core.anatomy import Part
from ziggurat.surface.anatomy.figures import count
from ziggurat.surface.language import current, translate

__all__ = ["called", "explained", "held", "symbol_line"]

MEANINGS = {
    "L": "layers",
    "d_model": "width between layers",
    "h": "heads",
    "h_kv": "heads of keys and values",
    "d_k": "width of a head",
    "d_ff": "hidden width of the feed-forward layers",
    "V": "ids of the vocabulary",
    "D": "width of an embedding",
    "C": "cells of a layer",
    "A": "segments",
    "L_enc": "blocks of the encoder",
    "L_dec": "blocks of the decoder",
    "n": "tokens read at once",
    "m": "tokens of the source",
}


def called(part: Part) -> str:
    """Return a part's name in the language spoken; its pieces are translated one by one."""
    whole = translate(part.name)
    if whole != part.name or current() == "en":
        return whole
    return "，".join(translate(piece) for piece in part.name.split(", "))


def symbol_line(symbols: Sequence[tuple[str, int]]) -> str:
    """Return symbols and their values in a row.

    >>> symbol_line([("d_model", 256), ("V", 4096)])
    'd_model = 256, V = 4,096'
    """
    return (", " if current() == "en" else "，").join(f"{name} = {value:,}" for name, value in symbols)


def explained(symbols: Sequence[tuple[str, int]]) -> list[tuple[str, str, str]]:
    """Return each symbol with its value and what it means."""
    return [(name, f"{value:,}", translate(MEANINGS[name]) if name in MEANINGS else "") for name, value in symbols]


def held(part: Part) -> str:
    """Return how many parameters one such part holds, as short as can be; a dash where it has none."""
    return count(part.total // part.times) if part.total else "–"
