"""Frozen dataclasses ⇄ TOML, with every key documented where it is declared.

*Idea.* A configuration is a frozen dataclass whose fields are made by `option`: default, one-line explanation, limits.
From that one declaration come the checks, the error messages (unknown key → nearest key), the commented recipe that
``ziggurat recipe NAME`` prints, and the reference page.
"""

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union

from ziggurat.core.errors import UnknownNameError, UsageError

__all__ = ["from_mapping", "option", "options", "parse_value", "to_mapping", "toml_section", "toml_value"]

C = TypeVar("C")


def option(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Declare a configuration key: its default, one line of explanation, and inclusive limits."""
    return dataclasses.field(default=default, metadata={"doc": doc, "low": low, "high": high})


def options(cls: type[Any]) -> dict[str, tuple[Any, Any, str]]:
    """Return ``{key: (type, default, explanation)}`` of a configuration class, in order of declaration."""
    hints = typing.get_type_hints(cls)
    return {f.name: (hints[f.name], f.default, f.metadata.get("doc", "")) for f in dataclasses.fields(cls)}


def from_mapping(
    cls: type[C], mapping: Mapping[str, Any], *, where: str, origins: Mapping[str, str] | None = None
) -> C:
    """Build ``cls`` from parsed TOML or JSON, checking names, types and limits.

    ``where`` says in errors where the keys stand, for example ``recipe.toml [model]``; ``origins`` says it for those
    keys that came from elsewhere, for example ``{"layers": "--model.layers"}``.

    Raises:
        UnknownNameError: a key that ``cls`` does not have; the message names the nearest.
        UsageError: no keys at all, a value of the wrong type or out of limits, or one that does not go with another.
    """
    if not isinstance(typing.cast(object, mapping), Mapping):  # a file may hold anything
        raise UsageError(f"{where}: expected keys and values, got {mapping!r}")
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls))}
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        if key not in fields:
            raise UnknownNameError("key", key, fields, where=(origins or {}).get(key, where))
        place = (origins or {}).get(key, f"{where}: {key}")
        values[key] = _checked(value, hints[key], fields[key].metadata, place)
    try:
        return cls(**values)
    except UsageError as error:  # what keys must be to each other, checked by the class itself
        raise UsageError(f"{where}: {error}") from error


def to_mapping(instance: Any) -> dict[str, Any]:
    """Return the keys and values of a configuration, ready for TOML or JSON; keys that are None are left out."""
    pairs = ((f.name, getattr(instance, f.name)) for f in dataclasses.fields(instance))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in pairs if value is not None}


def parse_value(text: str) -> Any:
    """Read a value given on the command line: TOML where it is TOML, else the bare word as a string.

    >>> parse_value("3"), parse_value("true"), parse_value("bpe"), parse_value("[1, 2]")
    (3, True, 'bpe', [1, 2])
    """
    import tomllib

    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if len(found) == 1 else text  # a line's end in it would begin another key


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return repr(value)


def toml_section(instance: Any, *, name: str, comments: bool = True) -> str:
    """Return ``[name]`` with every key of a configuration, each preceded by its explanation."""
    lines = [f"[{name}]"]
    for key, (_, _, doc) in options(type(instance)).items():
        value = getattr(instance, key)
        if comments and doc:
            lines.append(f"# {doc}")
        lines.append(f"# {key} =" if value is None else f"{key} = {toml_value(value)}")
    return "\n".join(lines) + "\n"


def _checked(value: Any, hint: Any, limits: Mapping[str, Any], where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in typing.get_args(hint):
            return None
        inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return _checked(value, inner[0], limits, where)
    if origin is Literal:
        allowed = typing.get_args(hint)
        if value not in allowed:
            raise UnknownNameError("value", str(value), map(str, allowed), where=where)
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise UsageError(f"{where}: expected a list, got {value!r}")
        return tuple(_checked(item, typing.get_args(hint)[0], limits, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool) or not _finite(value):
        raise UsageError(f"{where}: expected {_plain(hint)}, got {value!r}")
    low, high = limits.get("low"), limits.get("high")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"at most {high}" if low is None else f"from {low} to {high}"
        raise UsageError(f"{where}: must be {bounds}, got {value}")
    return value


def _finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _plain(hint: Any) -> str:
    return {int: "a whole number", float: "a number", str: "text in quotes", bool: "true or false"}.get(hint, str(hint))
