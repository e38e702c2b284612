"""Recipes: everything that decides a model, in one TOML file.

*Idea.* A recipe names a family and a seed, and has one section for each room that takes part: ``[text]``,
``[tokens]``, ``[model]``, ``[training]``. What a file leaves out has its default. Environment variables
(``ZIGGURAT_MODEL_LAYERS=6``) go before the file, flags (``--model.layers 6``) before both. What came out is always
written completely, so that a run can be repeated.

A recipe whose family is made of other models lists them in ``parts``: names of recipes, or whole recipes. Parts share
the text, the tokens and the seed of the recipe that they are part of.
"""

import dataclasses
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ziggurat.artefacts.settings import SECTIONS, Setting, check_settings, read_value
from ziggurat.core.config import from_mapping, options, parse_value, to_mapping, toml_section, toml_value
from ziggurat.core.errors import InputError, UnknownNameError, UsageError
from ziggurat.core.protocols import Family
from ziggurat.models.registry import FAMILIES
from ziggurat.text.options import TextConfig
from ziggurat.tokens.loading import TOKENIZERS
from ziggurat.training.job import trainer

__all__ = ["Recipe", "about", "load_recipe", "names", "resolve"]

OWN_OF_PARTS = ("model", "training")
SHARED = ("seed", "text", "tokens")
TOP = ("name", "family", "trainer", "seed", "sources", "parts", *SECTIONS)
BUDGETS = ("minutes", "steps", "tokens", "epochs")
DEFAULT_KIND = "bpe"


@dataclass(frozen=True)
class Recipe:
    """A resolved recipe: every key has its value."""

    name: str
    family: str
    seed: int
    text: TextConfig
    tokenizer: str
    """The kind of tokenizer: ``kind`` in ``[tokens]``."""
    tokens: Any
    """The configuration of that kind."""
    model: Any
    """The family's configuration."""
    training: Any
    """The configuration of the trainer."""
    trainer: str = ""
    """Which of the family's trainers fits it; empty where the family has only one."""
    parts: tuple["Recipe", ...] = ()
    sources: tuple[str, ...] = ()
    """The texts that it was used on, where it comes from a run."""
    head: str = ""
    """What the file says of itself before its first key."""

    def to_mapping(self) -> dict[str, Any]:
        """Return the recipe as TOML and JSON hold it."""
        mapping: dict[str, Any] = {"name": self.name, "family": self.family, **self._trainer(), "seed": self.seed}
        if self.sources:
            mapping["sources"] = list(self.sources)
        mapping |= {section: to_mapping(getattr(self, section)) for section in SECTIONS}
        mapping["tokens"] = {"kind": self.tokenizer, **mapping["tokens"]}
        if self.parts:
            own = ("family", "trainer", "parts", *OWN_OF_PARTS)
            mapping["parts"] = {
                part.name: {key: value for key, value in part.to_mapping().items() if key in own} for part in self.parts
            }
        return mapping

    def to_toml(self, *, comments: bool = True) -> str:
        """Return the recipe as a complete TOML file, with an explanation before each key if ``comments``."""
        top = {"name": self.name, "family": self.family, **self._trainer(), "seed": self.seed}
        top |= {"sources": self.sources} if self.sources else {}
        head = [f"# {line}".rstrip() for line in self.head.splitlines()] if comments else []
        blocks = ["\n".join([*head, *(f"{key} = {toml_value(value)}" for key, value in top.items())]) + "\n"]
        for section in SECTIONS:
            block = toml_section(getattr(self, section), name=section, comments=comments)
            blocks.append(self._with_kind(block, comments=comments) if section == "tokens" else block)
        for path, part in _within(self):
            name = ".".join(f"parts.{step}" for step in path)
            blocks.append(f"[{name}]\nfamily = {toml_value(part.family)}\n")
            blocks += [
                toml_section(getattr(part, section), name=f"{name}.{section}", comments=comments)
                for section in OWN_OF_PARTS
            ]
        return "\n".join(blocks)

    def keys(self) -> list[str]:
        """Return every dotted key that a flag may set."""
        own = [f"{section}.{key}" for section in SECTIONS for key in options(type(getattr(self, section)))]
        inner = [
            ".".join((*path, section, key))
            for path, part in _within(self)
            for section in OWN_OF_PARTS
            for key in options(type(getattr(part, section)))
        ]
        return ["seed", "tokens.kind", *own, *inner]

    def change(self, settings: Mapping[str, Any]) -> "Recipe":
        """Return the recipe with other values at dotted keys, for example ``{"training.minutes": 3.0}``."""
        return self.with_settings(
            Setting(tuple(key.split(".")), "none" if value is None else toml_value(value), f"--{key}")
            for key, value in settings.items()
        )

    def with_settings(self, settings: Iterable[Setting]) -> "Recipe":
        """Return the recipe with ``settings`` before what it says."""
        return dataclasses.replace(resolve(self.to_mapping(), where=self.name, settings=settings), head=self.head)

    def with_sources(self, sources: Iterable[str]) -> "Recipe":
        """Return the recipe with the texts that it is used on."""
        return dataclasses.replace(self, sources=tuple(sources))

    def with_budget(self, unit: str, amount: float) -> "Recipe":
        """Return the recipe with a training budget of ``amount`` minutes, steps, tokens or epochs and no other.

        Raises:
            UsageError: nothing in it is trained by such a budget.
        """
        every = [((), self), *_within(self)]
        keys = [".".join((*path, "training", unit)) for path, one in every if unit in options(type(one.training))]
        if not keys:
            raise UsageError(f"--{unit}: recipe {self.name} is fitted in one pass and takes no budget")
        whole = int(amount) if float(amount).is_integer() else amount  # some trainers take whole passes only
        return self.change(dict.fromkeys(keys, whole))

    def _trainer(self) -> dict[str, str]:
        return {"trainer": self.trainer} if self.trainer else {}

    def _with_kind(self, block: str, *, comments: bool) -> str:
        kinds = f"# Kind of tokenizer: {', '.join(TOKENIZERS.names())}.\n" if comments else ""
        return block.replace("[tokens]\n", f"[tokens]\n{kinds}kind = {toml_value(self.tokenizer)}\n", 1)


def names() -> tuple[str, ...]:
    """Return the names of the recipes that come with Ziggurat."""
    folder = resources.files("ziggurat.artefacts").joinpath("recipes")
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def about(name: str) -> str:
    """Return the one line that a recipe which comes with Ziggurat says of itself."""
    return _head(_shipped(name)).split("\n", 1)[0]


def load_recipe(source: str, settings: Iterable[Setting] = ()) -> Recipe:
    """Return a recipe by name, or from a TOML file or run folder, with ``settings`` before what it says.

    Raises:
        UnknownNameError: neither a recipe's name nor a file, or a key that does not exist; the nearest is named.
        InputError: the file is not TOML; the message names the line.
        UsageError: a value is of the wrong type or out of limits.
    """
    path = Path(source)
    path = path / "recipe.toml" if path.is_dir() else path
    if source not in names() and (path.suffix == ".toml" or path.is_file()):
        try:
            text, where, name = path.read_text(encoding="utf-8-sig"), str(path), path.stem
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: can't be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from error
    else:
        text, where, name = _shipped(source), f"{source}.toml", source
    try:
        raw = {"name": name} | tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not TOML: {error}") from error
    return dataclasses.replace(resolve(raw, where=where, settings=settings), head=_head(text))


def resolve(raw: Mapping[str, Any], *, where: str, settings: Iterable[Setting] = ()) -> Recipe:
    """Check a parsed recipe and ``settings`` against the configuration of every room; return the whole.

    Raises:
        UnknownNameError: a section, key, family or part does not exist; the nearest is named.
        UsageError: a value is of the wrong type or out of limits.
    """
    for key in raw:
        if key not in TOP:
            raise UnknownNameError("key", key, TOP, where=where)
    if not isinstance(raw.get("family"), str):
        raise UsageError(f"{where}: family: say which model family, one of {', '.join(FAMILIES.names())}")
    settings = list(settings)
    family = FAMILIES.get(raw["family"], where=f"{where}: family")
    kind, tokens = _tokens(raw.get("tokens", {}), settings, where)
    fitter = _trainer(raw, family, where)
    classes = (TextConfig, TOKENIZERS.get(kind).config, family.config, trainer(family, fitter).Config)
    known: dict[str, type[Any]] = dict(zip(SECTIONS, classes, strict=True))
    keys = ["seed", "tokens.kind", *(f"{section}.{key}" for section, cls in known.items() for key in options(cls))]
    check_settings(settings, keys, _part_names(raw.get("parts", ()), where))
    if raw.get("parts") and "parts" not in options(family.config):
        raise UsageError(f"{where}: parts: a model of family {raw['family']} has none; leave them out")
    seed = _seed(raw, settings, where)
    shared = {"seed": seed, **{key: raw[key] for key in ("text", "tokens") if key in raw}}
    parts = tuple(_parts(raw, shared, settings, where))
    given = {**raw, "tokens": tokens}
    if "parts" in options(family.config):
        given["model"] = {"parts": [part.family for part in parts], **_mapping(raw.get("model", {}), "model", where)}
    sections = {name: _section(name, cls, given.get(name, {}), settings, where) for name, cls in known.items()}
    if parts and (families := tuple(part.family for part in parts)) != sections["model"].parts:
        raise UsageError(f"{where} [model]: parts: follows from the recipe's parts, {list(families)}; change those")
    return Recipe(
        name=str(raw.get("name", raw["family"])),
        family=raw["family"],
        seed=seed,
        tokenizer=kind,
        trainer=fitter if len(family.trainers) > 1 else "",
        parts=tuple(
            dataclasses.replace(p, tokenizer=kind, **{s: sections[s] for s in ("text", "tokens")}) for p in parts
        ),
        sources=_sources(raw, where),
        **sections,
    )


def _within(recipe: Recipe) -> Iterator[tuple[tuple[str, ...], Recipe]]:
    """Yield a recipe's parts and their parts, each with the names that lead to it."""
    for part in recipe.parts:
        yield (part.name,), part
        for path, inner in _within(part):
            yield (part.name, *path), inner


def _section(name: str, cls: type[Any], raw: Any, settings: list[Setting], where: str) -> Any:
    values, origins = dict(_mapping(raw, name, where)), {}
    known = options(cls)
    own = [s for s in settings if s.path[0] == name and s.path != ("tokens", "kind")]
    if any(setting.path[1] in BUDGETS for setting in own):
        values = {key: value for key, value in values.items() if key not in BUDGETS}  # a budget replaces the file's
    for setting in own:
        key = setting.path[1]
        values[key] = read_value(setting.text, known[key][0])
        origins[key] = setting.origin
    return from_mapping(cls, values, where=f"{where} [{name}]", origins=origins)


def _tokens(raw: Any, settings: list[Setting], where: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of tokenizer and the keys of the file; a kind set from outside leaves keys of another behind."""
    keys = dict(_mapping(raw, "tokens", where))
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


def _trainer(raw: Mapping[str, Any], family: Family, where: str) -> str:
    """Return the trainer that a parsed recipe names, or the family's first."""
    name = raw.get("trainer", family.trainers[0])
    if name not in family.trainers:
        raise UnknownNameError("trainer", str(name), family.trainers, where=f"{where}: trainer")
    return str(name)


def _mapping(raw: Any, name: str, where: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise UsageError(f"{where}: {name} must be a section, [{name}]")
    return raw


def _seed(raw: Mapping[str, Any], settings: list[Setting], where: str) -> int:
    seed, place = raw.get("seed", 0), f"{where}: seed"
    for setting in settings:
        if setting.path == ("seed",):
            seed, place = parse_value(setting.text), setting.origin
    if type(seed) is not int or seed < 0:
        raise UsageError(f"{place}: expected a whole number from 0, got {seed!r}")
    return seed


def _sources(raw: Mapping[str, Any], where: str) -> tuple[str, ...]:
    sources = raw.get("sources", ())
    if not isinstance(sources, (list, tuple)) or not all(isinstance(source, str) for source in sources):
        raise UsageError(f"{where}: sources: expected a list of texts in quotes, got {sources!r}")
    return tuple(sources)


def _part_names(parts: Any, where: str) -> tuple[str, ...]:
    if not isinstance(parts, (list, tuple, Mapping)) or not all(isinstance(part, str) for part in parts):
        raise UsageError(f"{where}: parts: expected a list of recipe names")
    names = tuple(parts)
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UsageError(f"{where}: parts: {name} stands there twice; give each [parts.NAME] its own name")
        if name in (*SHARED, *SECTIONS) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise UsageError(f"{where}: parts: '{name}' can't name a part: use letters, digits, - and _, no section")
    return names


def _parts(raw: Mapping[str, Any], shared: Mapping[str, Any], settings: list[Setting], where: str) -> Iterator[Recipe]:
    parts = raw.get("parts", ())
    for name in parts:
        if isinstance(parts, Mapping):
            own = _mapping(parts[name], f"parts.{name}", where)
            for key in SHARED:
                if key in own:
                    raise UsageError(f"{where} [parts.{name}]: {key}: parts share it; set it for the whole recipe")
        else:
            own = tomllib.loads(_shipped(name, where=f"{where}: parts"))
        inner = [Setting(s.path[1:], s.text, s.origin) for s in settings if s.path[0] == name]
        for setting in inner:
            if setting.path[0] in SHARED:
                raise UsageError(f"{setting.origin}: parts share it; set --{'.'.join(setting.path)}")
        yield resolve({**own, **shared, "name": name}, where=f"{where} [parts.{name}]", settings=inner)


def _shipped(name: str, *, where: str = "") -> str:
    if name not in names():
        raise UnknownNameError("recipe", name, names(), where=where)
    return resources.files("ziggurat.artefacts").joinpath("recipes", f"{name}.toml").read_text(encoding="utf-8")


def _head(text: str) -> str:
    """Return the comment that a file begins with."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").removeprefix(" "))
    return "\n".join(lines)
