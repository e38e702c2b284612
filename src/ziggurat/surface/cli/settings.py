"""Flags that set a recipe's keys: ``--model.layers 6``.

*Idea.* Which keys there are depends on the recipe, so the command line's parser can't know them. It leaves them among
the arguments, and they are taken out here; whether a key exists is the recipe's to say.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ziggurat.artefacts.settings import WITHOUT_SECTION, read_value
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.text.options import TextConfig

__all__ = ["open_to_settings", "split_reading", "split_settings"]

READING = ("encoding", "undecodable", "field", "label_field")
"""Keys of a recipe's section ``text`` that say how a file is read which nothing is learnt from."""

F = TypeVar("F", bound=Callable[..., Any])


def open_to_settings(command: F) -> F:
    """Let the parser leave unknown flags among a command's arguments."""
    vars(command)["context_settings"] = {"ignore_unknown_options": True, "allow_extra_args": True}
    return command


def split_settings(words: Sequence[str], context: Any) -> tuple[list[str], dict[str, str]]:
    """Return the plain arguments among ``words``, and the flags as ``{"model.layers": "6"}``.

    Raises:
        UnknownNameError: a flag without a dot that the command does not have; the nearest is named.
        UsageError: a flag without a value.
    """
    plain: list[str] = []
    settings: dict[str, str] = {}
    following: Iterator[str] = iter(words)
    for word in following:
        if word == "-" or not word.startswith("-"):
            plain.append(word)
            continue
        flag, given, value = word.partition("=")
        if not flag.startswith("--") or ("." not in flag and flag.removeprefix("--") not in WITHOUT_SECTION):
            known = [option for parameter in context.command.params for option in parameter.opts]
            raise UnknownNameError("option", flag, [k for k in known if k.startswith("-")])
        if not given:
            value = next(following, "")
            if not value:
                raise UsageError(f"{flag}: needs a value")
        settings[flag.removeprefix("--")] = value
    return plain, settings


def split_reading(words: Sequence[str], context: Any) -> tuple[list[str], TextConfig]:
    """Return the plain arguments among ``words``, and how flags as ``--text.encoding gb18030`` say that files are read.

    Raises:
        UnknownNameError: a flag that the command does not have; the nearest is named.
        UsageError: a flag without a value, or with one that its key does not take.
    """
    plain, settings = split_settings(words, context)
    flags = {f"text.{key}": key for key in READING}
    for flag in settings:
        if flag not in flags:
            raise UnknownNameError("option", f"--{flag}", (f"--{known}" for known in flags))
    values = {flags[flag]: read_value(text, str | None) for flag, text in settings.items()}
    return plain, from_mapping(
        TextConfig, values, where="--text", origins={key: f"--{one}" for one, key in flags.items()}
    )
