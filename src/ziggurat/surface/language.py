"""The language in which the command line speaks: English, or Chinese where the user's settings say so.

*Idea.* Sentences stand in the source in English and are looked up in the catalogue of the user's language; a sentence
without an entry stays English. So the source stays readable, and no sentence can get lost.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

__all__ = ["LANGUAGES", "choose", "current", "speaking", "translate"]

LANGUAGES = ("en", "zh")
VARIABLES = ("ZIGGURAT_LANG", "LC_ALL", "LC_MESSAGES", "LANG")

_chosen: list[str] = []


def choose(language: str | None) -> None:
    """Speak this language from now on; None leaves the choice to the environment."""
    _chosen[:] = [language] if language else []


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language for the length of a ``with`` block."""
    before = list(_chosen)
    choose(language)
    try:
        yield
    finally:
        _chosen[:] = before


def current(environ: Mapping[str, str] | None = None) -> str:
    """Return the language to speak: what was chosen, else the first of the variables that is set.

    >>> current({"LANG": "zh_CN.UTF-8"}), current({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}), current({})
    ('zh', 'en', 'en')
    """
    if _chosen and environ is None:
        return _chosen[0]
    variables = os.environ if environ is None else environ
    value = next((variables[name] for name in VARIABLES if variables.get(name)), "")
    return next((language for language in LANGUAGES if value.lower().startswith(language)), "en")


def translate(sentence: str) -> str:
    """Return a sentence of the source in the user's language; ``{places}`` in it stay as they are.

    A full stop at its end makes no difference: help texts of options stand with one and without.
    """
    if current() != "zh":
        return sentence
    from ziggurat.surface.chinese import SENTENCES

    return SENTENCES.get(sentence) or SENTENCES.get(sentence.removesuffix("."), sentence)
