"""What a recipe says of bundles that it begins with: who says it, whose tokenizer it is, and what parts are handed.

*Idea.* Vectors belong to tokens. A model that tells labels reads with the tokenizer of the vectors that begin it, and
models that are parts of one read the same tokens; so there is one lender for all of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ziggurat.artefacts.sections import START, VECTORS
from ziggurat.artefacts.settings import Setting, read_value
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Family, ReadsLabels, ReadsTags

__all__ = ["common_lender", "handed", "lender", "said"]


def said(raw: Mapping[str, Any], key: str, settings: Iterable[Setting], where: str) -> tuple[Any, str]:
    """Return what a parsed recipe or a setting before it says at a key above all sections, and who says it."""
    value, place = raw.get(key, ""), f"{where}: {key}"
    for setting in settings:
        if setting.path == (key,):
            value, place = read_value(setting.text, str | None) or "", setting.origin
    if key == START and not isinstance(value, str):
        raise UsageError(f"{place}: expected a bundle's folder in quotes, got {value!r}")
    return value, place


def lender(vectors: Any, family: Family) -> str:
    """Return the bundle of vectors whose tokenizer a model reads with, where it has any.

    *Idea.* A model that tells labels predicts no tokens, so it may know all that vectors know at no cost; with a
    tokenizer of the training text alone, which is small where people wrote the labels, most words of others would be
    unknown.
    """
    return vectors if isinstance(vectors, str) and isinstance(family, ReadsLabels | ReadsTags) else ""


def common_lender(lenders: Iterable[str], settings: Iterable[Setting], where: str) -> str:
    """Return the bundle whose tokenizer a recipe and its parts read with; empty where they have one of their own.

    Raises:
        UsageError: there are two, or a setting says something of tokens beside one.
    """
    found = sorted({*lenders} - {""})
    if len(found) > 1:
        raise UsageError(
            f"{where}: parts share a tokenizer, and {found[0]} comes with one and {found[1]} with another: give all of "
            f"them the same --{VECTORS}"
        )
    for setting in settings if found else ():
        if setting.path[0] == "tokens":
            raise UsageError(f"{setting.origin}: the tokenizer comes with {VECTORS} {found[0]}; leave it out")
    return found[0] if found else ""


def handed(raw: Mapping[str, Any], settings: list[Setting], where: str) -> tuple[dict[str, str], list[Setting]]:
    """Return what a recipe made of others says of ``vectors`` to those parts that embed ids.

    What its file says stands behind what a part says itself; a setting, be it none, goes before both.

    Raises:
        UsageError: it is a section.
    """
    value = raw.get(VECTORS, "")
    if not isinstance(value, str):
        raise UsageError(
            f"{where}: {VECTORS}: expected a bundle's folder or a recipe's name; give a part a section of its own"
        )
    return {VECTORS: value} if value else {}, [setting for setting in settings if setting.path == (VECTORS,)]
