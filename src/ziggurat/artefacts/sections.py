"""A parsed recipe's pieces, each checked against what the rooms know: sections, seed, texts, names of parts."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ziggurat.artefacts.settings import SECTIONS, Setting, read_value
from ziggurat.core.config import from_mapping, options, parse_value
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.protocols import Family
from ziggurat.tokens.loading import TOKENIZERS

__all__ = [
    "BUDGETS",
    "SHARED",
    "START",
    "VECTORS",
    "mapping_of",
    "part_names",
    "refuse_shared",
    "section_of",
    "seed_of",
    "sources_of",
    "tokenizer_keys",
    "trainer_name",
]

SHARED = ("seed", "text", "tokens")
"""What recipes inside a recipe share with it."""
VECTORS = "vectors"
"""What embeddings begin with."""
START = "start"
"""The bundle whose model is trained on."""
BUDGETS = ("minutes", "steps", "tokens", "epochs")
DEFAULT_KIND = "bpe"


def section_of(name: str, cls: type[Any], raw: Any, settings: list[Setting], where: str) -> Any:
    """Return a room's configuration from its section of the file, with ``settings`` before it."""
    values, origins = dict(mapping_of(raw, name, where)), {}
    known = options(cls)
    own = [s for s in settings if s.path[0] == name and s.path != ("tokens", "kind")]
    if any(setting.path[1] in BUDGETS for setting in own):
        values = {key: value for key, value in values.items() if key not in BUDGETS}  # a budget replaces the file's
    for setting in own:
        key = setting.path[1]
        values[key] = read_value(setting.text, known[key][0])
        origins[key] = setting.origin
    return from_mapping(cls, values, where=f"{where} [{name}]", origins=origins)


def tokenizer_keys(raw: Any, settings: list[Setting], where: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of tokenizer and the keys of the file; a kind set from outside leaves keys of another behind."""
    keys = dict(mapping_of(raw, "tokens", where))
    kind, place = keys.pop("kind", DEFAULT_KIND), f"{where} [tokens]: kind"
    for setting in settings:
        if setting.path == ("tokens", "kind"):
            other = read_value(setting.text, str)
            own = options(TOKENIZERS.get(other, where=setting.origin).config)
            keys = keys if other == kind else {key: value for key, value in keys.items() if key in own}
            kind, place = other, setting.origin
    if not isinstance(kind, str):
        raise UsageError(f"{place}: expected text in quotes, got {kind!r}")
    TOKENIZERS.get(kind, where=place)
    return kind, keys


def trainer_name(raw: Mapping[str, Any], family: Family, where: str) -> str:
    """Return the trainer that a parsed recipe names, or the family's first."""
    name = raw.get("trainer", family.trainers[0])
    if name not in family.trainers:
        raise UnknownNameError("trainer", str(name), family.trainers, where=f"{where}: trainer")
    return str(name)


def mapping_of(raw: Any, name: str, where: str) -> Mapping[str, Any]:
    """Return a section as keys and values.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(raw, Mapping):
        raise UsageError(f"{where}: {name} must be a section, [{name}]")
    return raw


def seed_of(raw: Mapping[str, Any], settings: list[Setting], where: str) -> int:
    """Return the seed of a parsed recipe or of a setting.

    Raises:
        UsageError: it is no whole number from 0.
    """
    seed, place = raw.get("seed", 0), f"{where}: seed"
    for setting in settings:
        if setting.path == ("seed",):
            seed, place = parse_value(setting.text), setting.origin
    if type(seed) is not int or seed < 0:
        raise UsageError(f"{place}: expected a whole number from 0, got {seed!r}")
    return seed


def sources_of(raw: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Return the texts that a parsed recipe was used on.

    Raises:
        UsageError: they are no list of texts.
    """
    sources = raw.get("sources", ())
    if not isinstance(sources, (list, tuple)) or not all(isinstance(source, str) for source in sources):
        raise UsageError(f"{where}: sources: expected a list of texts in quotes, got {sources!r}")
    return tuple(sources)


def part_names(parts: Any, where: str) -> tuple[str, ...]:
    """Return the names of a parsed recipe's parts.

    Raises:
        UsageError: a name stands twice, or can't be one.
    """
    if not isinstance(parts, (list, tuple, Mapping)) or not all(isinstance(part, str) for part in parts):
        raise UsageError(f"{where}: parts: expected a list of recipe names")
    names = tuple(parts)
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UsageError(f"{where}: parts: {name} stands there twice; give each [parts.NAME] its own name")
        if name in (*SHARED, *SECTIONS, VECTORS) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise UsageError(
                f"{where}: parts: '{name}' can't name a part: use letters, digits, - and _, and no section's name"
            )
    return names


def refuse_shared(settings: Iterable[Setting]) -> None:
    """Refuse settings of an inner recipe that belong to the whole."""
    for setting in settings:
        if setting.path[0] in SHARED:
            raise UsageError(f"{setting.origin}: parts share it; set --{'.'.join(setting.path)}")
