"""What other programs ask a task, as JSON has it: what it must be, and what to do where it is something else."""

import re
from typing import Any

from ziggurat.core.errors import InputError, shown

__all__ = ["asked_text", "asked_words"]

HALVES = re.compile("[\ud800-\udfff]")
"""Halves of a character, which JSON can hold and UTF-8 can't."""


def asked_text(value: Any, *, where: str) -> str:
    """Return a text; ``where`` names it in errors.

    >>> asked_text("a bore", where="inputs[0]")
    'a bore'

    Raises:
        InputError: it is none, or an empty one.
    """
    if not isinstance(value, str) or not value.strip() or HALVES.search(value):
        raise InputError(f"{where}: {shown(value)} is no text; give a string that is not empty")
    return value


def asked_words(value: Any, *, where: str) -> tuple[str, ...]:
    """Return the words of a sentence; ``where`` names it in errors.

    >>> asked_words(["in", "Paris"], where="inputs[0]")
    ('in', 'Paris')

    Raises:
        InputError: it is no list of words, or an empty one.
    """
    if not isinstance(value, list) or not value or not all(map(_is_word, value)):
        raise InputError(f'{where}: {shown(value)} is no sentence; give a list of words: ["in", "Paris"]')
    return tuple(value)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not HALVES.search(value)
