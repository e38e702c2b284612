"""What errors say, in Chinese: a file for each room that raises them, and one for the libraries that read for us.

Errors are raised as finished English sentences by rooms that know of no language. A file's ``[messages]`` has each with
``{}`` where the source puts a value in, and beside it the Chinese, in which ``{0}`` is the first of these values,
``{1:word}`` one that is itself looked up in ``[words]``, and ``{1:list}`` several of them, joined by ``and``.
`ziggurat.surface.errors` finds the sentence that was meant. What the log says on the way stands here too.
"""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources

__all__ = ["messages", "words"]


@functools.cache
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    entries = sorted(resources.files(__package__).iterdir(), key=lambda entry: entry.name)
    return {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in entries
        if entry.name.endswith(".toml")
    }


def messages() -> Mapping[str, str]:
    """Return what stands for each sentence, by its English with ``{}`` for values."""
    return {english: chinese for table in _tables().values() for english, chinese in table.get("messages", {}).items()}


def words() -> Mapping[str, str]:
    """Return what stands for the words and clauses that are values of sentences."""
    return {english: chinese for table in _tables().values() for english, chinese in table.get("words", {}).items()}
