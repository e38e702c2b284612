"""Keys of a recipe that are set from outside its file: by environment variables and by flags."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ziggurat.core.config import parse_value, toml_value
from ziggurat.core.errors import UnknownNameError

__all__ = [
    "SECTIONS",
    "WITHOUT_SECTION",
    "Setting",
    "check_settings",
    "environment_settings",
    "flag_settings",
    "read_value",
    "value_settings",
]

SECTIONS = ("text", "tokens", "model", "training")
"""The sections of a recipe, one for each room that takes part."""

WITHOUT_SECTION = ("seed", "start", "vectors")
"""Keys above all sections that can be set from outside."""


class Setting(NamedTuple):
    """One key set from outside the file."""

    path: tuple[str, ...]
    """For example ``("model", "layers")``."""
    text: str
    """Its value as the user wrote it."""
    origin: str
    """The flag or variable, for error messages."""


def flag_settings(pairs: Mapping[str, str]) -> list[Setting]:
    """Return settings given as flags.

    >>> flag_settings({"model.layers": "6"})
    [Setting(path=('model', 'layers'), text='6', origin='--model.layers')]
    """
    return [Setting(tuple(key.split(".")), text, f"--{key}") for key, text in pairs.items()]


def value_settings(values: Mapping[str, Any]) -> list[Setting]:
    """Return settings given as values of Python.

    >>> value_settings({"vectors": None})
    [Setting(path=('vectors',), text='none', origin='--vectors')]
    """
    return flag_settings({key: "none" if value is None else toml_value(value) for key, value in values.items()})


def environment_settings(environ: Mapping[str, str]) -> list[Setting]:
    """Return settings given as ``ZIGGURAT_SECTION_KEY`` variables, and of ``ZIGGURAT_SEED``, ``_START``, ``_VECTORS``.

    Other variables are not ours.

    >>> environment_settings({"ZIGGURAT_MODEL_LAYERS": "6", "ZIGGURAT_TRACEBACK": "1"})
    [Setting(path=('model', 'layers'), text='6', origin='ZIGGURAT_MODEL_LAYERS')]
    """
    found = []
    for variable, text in sorted(environ.items()):
        head, _, key = variable.removeprefix("ZIGGURAT_").lower().partition("_")
        if variable.startswith("ZIGGURAT_") and ((head in SECTIONS and key) or (head in WITHOUT_SECTION and not key)):
            found.append(Setting((head, key) if key else (head,), text, variable))
    return found


def check_settings(settings: Iterable[Setting], keys: Iterable[str], parts: Iterable[str]) -> None:
    """Check that each setting is one of the dotted ``keys``, or belongs to one of the recipe's ``parts``.

    Raises:
        UnknownNameError: it is neither; the message names the same key of another section, else the nearest key.
    """
    known = list(keys)
    for setting in settings:
        if ".".join(setting.path) in known or (setting.path[0] in parts and len(setting.path) > 1):
            continue
        same = [name for name in known if name.rpartition(".")[2] == setting.path[-1]] or known
        if setting.origin.startswith("--"):
            raise UnknownNameError("option", setting.origin, (f"--{name}" for name in same))
        spelled = (f"ZIGGURAT_{name.replace('.', '_').upper()}" for name in same)
        raise UnknownNameError("variable", setting.origin, spelled)


def read_value(text: str, hint: Any) -> Any:
    """Return a setting's value: ``none`` where the key may be unset, text as it stands where text is wanted.

    >>> read_value("none", int | None), read_value("6", int), read_value("2024", str)
    (None, 6, '2024')
    """
    if text == "none" and "None" in str(hint):
        return None
    value = parse_value(text)
    return text if not isinstance(value, str) and "str" in str(hint) and "tuple" not in str(hint) else value
