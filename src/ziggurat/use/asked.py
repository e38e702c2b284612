"""What other programs ask a task, as JSON has it: what it must be, and what to do where it is something else."""

import json
from typing import Any

from ziggurat.core.errors import InputError

__all__ = ["asked_text", "asked_words"]

SHOWN = 60
"""Characters of what is refused that an error shows."""


def asked_text(value: Any, *, where: str) -> str:
    """Return a text; ``where`` names it in errors.

    >>> asked_text("a bore", where="inputs[0]")
    'a bore'

    Raises:
        InputError: it is none, or an empty one.
    """
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: {json.dumps(value)[:SHOWN]} is no text; give a string that is not empty")
    return value


def asked_words(value: Any, *, where: str) -> tuple[str, ...]:
    """Return the words of a sentence; ``where`` names it in errors.

    >>> asked_words(["in", "Paris"], where="inputs[0]")
    ('in', 'Paris')

    Raises:
        InputError: it is no list of words, or an empty one.
    """
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise InputError(f'{where}: {json.dumps(value)[:SHOWN]} is no sentence; give a list of words: ["in", "Paris"]')
    return tuple(value)
