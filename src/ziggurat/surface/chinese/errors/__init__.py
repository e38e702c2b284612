"""What errors say, in Chinese: a file for each room that raises them, and one for the libraries that read for us.

Errors are raised as finished English sentences by rooms that know of no language. A file's ``[messages]`` has each with
``{}`` where the source puts a value in, and beside it the Chinese, in which ``{0}`` is the first of these values. They
come out as they are; only ``{1:word}`` is ours, one of ``[words]`` or a sentence again, ``{1:list}`` several joined by
``and``, and ``{0:place}`` a place, perhaps one of ``[places]``. `ziggurat.surface.errors` finds what was meant.
"""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources

__all__ = ["messages", "places", "words"]


@functools.cache
def messages() -> Mapping[str, str]:
    """Return what stands for each sentence, by its English with ``{}`` for values."""
    return _all("messages")


@functools.cache
def words() -> Mapping[str, str]:
    """Return what stands for the words and clauses of ours that are values of sentences."""
    return _all("words")


@functools.cache
def places() -> Mapping[str, str]:
    """Return what stands for the places that are no file of the user's."""
    return _all("places")


@functools.cache
def _tables() -> list[dict[str, dict[str, str]]]:
    entries = [entry for entry in resources.files(__package__).iterdir() if entry.name.endswith(".toml")]
    return [tomllib.loads(entry.read_text(encoding="utf-8")) for entry in entries]


def _all(kind: str) -> dict[str, str]:
    return {english: chinese for table in _tables() for english, chinese in table.get(kind, {}).items()}
