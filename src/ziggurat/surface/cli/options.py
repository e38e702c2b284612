"""Options of a command, declared once as the keys of a configuration.

*Idea.* A configuration class says of each key its default, its limits and one line of explanation
(`ziggurat.core.config`). `with_options` turns them into options of the command line, so that help, checks and error
messages come from the same declaration as those of recipes and of the Python API.
"""

import functools
import inspect
import typing
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import typer

from ziggurat.core.config import from_mapping, options
from ziggurat.core.errors import UsageError

__all__ = ["naming_flags", "with_options"]

Command = Callable[..., Any]


def with_options(
    cls: type[Any], *, name: str = "options", without: Collection[str] = ()
) -> Callable[[Command], Command]:
    """Give a command the keys of ``cls`` as options, and its parameter ``name`` the instance that they make.

    Keys ``without`` an option keep their defaults: those that mean nothing to this command.
    A key ``top_k`` becomes ``--top-k``; a list may be given by repeating the option.
    """
    offered = {key: declared for key, declared in options(cls).items() if key not in without}

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(*args: Any, **kwargs: Any) -> Any:
            given = {key: kwargs.pop(key) for key in offered}
            values = {key: value for key, value in given.items() if value is not None}
            origins = {key: _flag(key) for key in given}
            return command(*args, **kwargs, **{name: from_mapping(cls, values, where="options", origins=origins)})

        own = inspect.signature(command).parameters
        added = [_parameter(key, hint, default, doc) for key, (hint, default, doc) in offered.items()]
        kept = [parameter for parameter in own.values() if parameter.name != name]
        vars(run)["__signature__"] = inspect.Signature([*kept, *added])
        hints = typing.get_type_hints(command, include_extras=True)
        run.__annotations__ = {p.name: p.annotation for p in added} | {p.name: hints[p.name] for p in kept}
        return run

    return decorate


@contextmanager
def naming_flags(cls: type[Any]) -> Iterator[None]:
    """Let errors that name a key of ``cls``, as the Python API has it, name the option of the command line.

    Raises:
        UsageError: what was raised within, its key written as an option.
    """
    try:
        yield
    except UsageError as error:
        key, colon, rest = str(error).partition(":")
        if not colon or key not in options(cls):
            raise
        raise UsageError(f"{_flag(key)}:{rest}") from error


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _parameter(key: str, hint: Any, default: Any, doc: str) -> inspect.Parameter:
    plain = doc.split(" ", 1)[0].isalpha()  # a formula keeps its small letters
    option = typer.Option(_flag(key), help=f"{doc[:1].upper()}{doc[1:]}" if plain else doc)
    if typing.get_origin(hint) is tuple:
        hint, default = list[typing.get_args(hint)[0]] | None, list(default) or None  # type: ignore[misc]
    elif Literal in (typing.get_origin(hint), *map(typing.get_origin, typing.get_args(hint))):
        hint = str | None if default is None else str  # checked by the configuration, which names the nearest
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[hint, option])
