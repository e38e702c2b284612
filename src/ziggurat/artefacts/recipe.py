"""Recipes: everything that decides a model, in one TOML file.

*Idea.* A recipe names a family and a seed, and has one section for each room that takes part: ``[text]``,
``[tokens]``, ``[model]``, ``[training]``. What a file leaves out has its default. Environment variables
(``ZIGGURAT_MODEL_LAYERS=6``) go before the file, flags (``--model.layers 6``) before both. What came out is always
written completely, so that a run can be repeated.

A recipe whose family is made of other models lists them in ``parts``: names of recipes, or whole recipes. Parts share
the text, the tokens and the seed of the recipe that they are part of.

A recipe whose model embeds its ids may say in ``vectors`` what the embeddings begin with: a bundle's folder, or a
recipe (its name, or a section ``[vectors]``) that is trained on the same ids first and shares what parts share. A model
that tells labels reads with the tokenizer of such a bundle, so that it knows all words that have a vector, and its
embeddings are as wide as these unless it says otherwise.

A recipe made of others hands vectors on to those of its parts that embed ids.

A recipe may say in ``start`` which bundle's model it trains on; then ``[model]`` and the tokenizer come with that
(`ziggurat.artefacts.origin`).
"""

import dataclasses
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ziggurat.artefacts.lending import common_lender, handed, lender, said
from ziggurat.artefacts.origin import continued, continuing, origin_of, width_of
from ziggurat.artefacts.sections import (
    BUDGETS,
    SHARED,
    START,
    VECTORS,
    mapping_of,
    part_names,
    refuse_shared,
    section_of,
    seed_of,
    sources_of,
    tokenizer_keys,
    trainer_name,
)
from ziggurat.artefacts.settings import SECTIONS, Setting, check_settings, read_value, value_settings
from ziggurat.core.config import options, to_mapping, toml_section, toml_value
from ziggurat.core.errors import InputError, UnknownNameError, UsageError
from ziggurat.core.protocols import Classifier, Embeds, Family, LanguageModel, ReadsLabels, StaticEncoder
from ziggurat.models.registry import FAMILIES
from ziggurat.text.options import TextConfig
from ziggurat.tokens.loading import TOKENIZERS
from ziggurat.training.job import Adapts, trainer

__all__ = ["Recipe", "about", "load_recipe", "names", "resolve", "start_recipe"]

WHOLE = "width"
"""The key of a model that is as wide as its embeddings everywhere: vectors must not change it."""
OWN_OF_PARTS = ("model", "training")
TOP = ("name", "family", "trainer", "seed", "sources", START, VECTORS, "parts", *SECTIONS)
EXPLAINED = {
    VECTORS: "What embeddings begin with: a bundle of word vectors, or a recipe of some; chance where it is not given.",
    START: "A bundle whose model is trained on, with its tokenizer and its [model]; a new model where it is not given.",
}
OF_INNER = ("family", "trainer", VECTORS, "parts", *OWN_OF_PARTS)
"""What a recipe inside a recipe says itself; the rest it shares."""


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
    vectors: "Recipe | str" = ""
    """What its embeddings begin with: a bundle's folder, or what is trained on the same ids first; empty: chance."""
    start: str = ""
    """The folder of the bundle whose model is trained on, with its tokenizer; empty: a new model."""
    parts: tuple["Recipe", ...] = ()
    sources: tuple[str, ...] = ()
    """The texts that it was used on, where it comes from a run."""
    lent: str = ""
    """The bundle whose tokenizer it reads with, as a part of a recipe of which another part began with that."""
    head: str = ""
    """What the file says of itself before its first key."""

    def to_mapping(self) -> dict[str, Any]:
        """Return the recipe as TOML and JSON hold it."""
        mapping: dict[str, Any] = {"name": self.name, "family": self.family, **_named_trainer(self), "seed": self.seed}
        if self.sources:
            mapping["sources"] = list(self.sources)
        mapping |= {START: self.start} if self.start else {}
        mapping |= {section: to_mapping(getattr(self, section)) for section in self._sections}
        if not self.reads_with:
            mapping["tokens"] = {"kind": self.tokenizer, **mapping["tokens"]}
        if isinstance(self.vectors, Recipe):
            mapping[VECTORS] = {"name": self.vectors.name, **_own(self.vectors)}
            mapping[VECTORS]["model"].pop("width", None)  # follows from the model that it begins
        elif self.vectors:
            mapping[VECTORS] = self.vectors
        if self.parts:
            mapping["parts"] = {part.name: _own(part) for part in self.parts}
        return mapping

    def to_toml(self, *, comments: bool = True) -> str:
        """Return the recipe as a complete TOML file, with an explanation before each key if ``comments``."""
        top = {"name": self.name, "family": self.family, **_named_trainer(self), "seed": self.seed}
        top |= {"sources": self.sources} if self.sources else {}
        head = [f"# {line}".rstrip() for line in self.head.splitlines()] if comments else []
        lines = (f"{key} = {toml_value(value)}" for key, value in top.items())
        begun = [*_start_lines(self, comments=comments), *_vectors_lines(self, comments=comments)]
        blocks = ["\n".join([*head, *lines, *begun]) + "\n"]
        for section in self._sections:
            block = toml_section(getattr(self, section), name=section, comments=comments)
            blocks.append(self._with_kind(block, comments=comments) if section == "tokens" else block)
        for table, _, inner in _inside(self):
            keys = {"family": inner.family, **_named_trainer(inner), **_vectors_folder(inner)}
            keys = {"name": inner.name, **keys} if inner.name != table.split(".")[-1] else keys
            blocks.append(
                "\n".join([f"[{table}]", *(f"{key} = {toml_value(value)}" for key, value in keys.items())]) + "\n"
            )
            blocks += [
                toml_section(getattr(inner, section), name=f"{table}.{section}", comments=comments)
                for section in OWN_OF_PARTS
            ]
        return "\n".join(blocks)

    def keys(self) -> list[str]:
        """Return every dotted key that a flag may set."""
        own = [f"{section}.{key}" for section in self._sections for key in options(type(getattr(self, section)))]
        inner = [
            f"{flag}.{section}.{key}"
            for _, flag, one in _inside(self)
            for section in OWN_OF_PARTS
            for key in options(type(getattr(one, section)))
        ]
        vectors = [START] if _adapts(self) else []
        vectors += [VECTORS] if self.embeds and not self.start else []
        vectors += [f"{flag}.{VECTORS}" for _, flag, one in _inside(self) if _embeds(one)]
        return ["seed", *([] if self.reads_with else ["tokens.kind"]), *vectors, *own, *inner]

    def change(self, settings: Mapping[str, Any]) -> "Recipe":
        """Return the recipe with other values at dotted keys, for example ``{"training.minutes": 3.0}``."""
        return self.with_settings(value_settings(settings))

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
            known = (other for other in BUDGETS for _, one in every if other in options(type(one.training)))
            other = next(known, None)
            takes = f"takes another budget, --{other}" if other else "is fitted in one pass and takes no budget"
            raise UsageError(f"--{unit}: recipe {self.name} {takes}")
        whole = int(amount) if float(amount).is_integer() else amount  # some trainers know whole epochs only
        return self.change(dict.fromkeys(keys, whole))

    @property
    def reads_with(self) -> str:
        """The bundle whose tokenizer it reads with; empty: one of its own, made of the training text."""
        own = self.start or self.lent or lender(self.vectors, FAMILIES.get(self.family))
        return own or next((part.reads_with for part in self.parts if part.reads_with), "")

    @property
    def embeds(self) -> bool:
        """Whether vectors may begin its embeddings, or those of a part."""
        return _embeds(self) or any(part.embeds for part in self.parts)

    @property
    def _sections(self) -> tuple[str, ...]:
        """The sections that it has: one that reads with the tokenizer of a bundle has no tokens of its own."""
        return tuple(section for section in SECTIONS if not (self.reads_with and section == "tokens"))

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


def start_recipe(settings: Iterable[Setting]) -> Recipe | None:
    """Return a recipe that trains on what ``settings`` say to start from; None where they say nothing.

    Raises:
        ArtefactError: there is no whole bundle.
        UsageError: its model can't be trained on, or a setting is wrong.
    """
    settings = list(settings)
    path, named = said({}, START, settings, "")
    return resolve(continuing(path, where=named), where=named, settings=settings) if path else None


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
            text, where, name, shipped = path.read_text(encoding="utf-8-sig"), str(path), path.stem, False
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: can't be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from error
    else:
        text, where, name, shipped = _shipped(source), f"{source}.toml", source, True
    try:
        raw = {"name": name} | tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not TOML: {error}") from error
    return dataclasses.replace(resolve(raw, where=where, settings=settings, shipped=shipped), head=_head(text))


def resolve(raw: Mapping[str, Any], *, where: str, settings: Iterable[Setting] = (), shipped: bool = False) -> Recipe:
    """Check a parsed recipe and ``settings`` against the configuration of every room; return the whole.

    What a ``shipped`` recipe says of its model is said of a new one: a bundle of such a model that it starts from
    stays as it is.

    Raises:
        UnknownNameError: a section, key, family or part does not exist; the nearest is named.
        UsageError: a value is of the wrong type or out of limits.
    """
    for key in raw:
        if key not in TOP:
            raise UnknownNameError("key", key, TOP, where=where)
    settings = list(settings)
    start, named = said(raw, START, settings, where)
    if start:
        origin = origin_of(start, where=named)
        if shipped and raw.get("family") == origin.family:
            raw = {key: value for key, value in raw.items() if key != "model"}
        raw = continued(raw, origin, settings, where)
    if not isinstance(raw.get("family"), str):
        raise UsageError(f"{where}: family: say which model family, one of {', '.join(FAMILIES.names())}")
    family = FAMILIES.get(raw["family"], where=f"{where}: family")
    kind, tokens = tokenizer_keys(raw.get("tokens", {}), settings, where)
    fitter = trainer_name(raw, family, where)
    classes = (TextConfig, TOKENIZERS.get(kind).config, family.config, trainer(family, fitter).Config)
    known: dict[str, type[Any]] = dict(zip(SECTIONS, classes, strict=True))
    keys = ["seed", "tokens.kind", *(f"{section}.{key}" for section, cls in known.items() for key in options(cls))]
    begun = _begun(raw, settings, family, where)
    inner_names = (*part_names(raw.get("parts", ()), where), *([VECTORS] if isinstance(begun, Mapping) else []))
    if raw.get("parts") and "parts" not in options(family.config):
        raise UsageError(f"{where}: parts: a model of family {raw['family']} has none; leave them out")
    seed = seed_of(raw, settings, where)
    shared = {"seed": seed, **{key: raw[key] for key in ("text", "tokens") if key in raw}}
    parts = tuple(_parts(raw, shared, settings, where, family))
    lent = common_lender([lender(begun, family), *(part.reads_with for part in parts)], settings, where)
    check_settings(settings, [*keys, START, VECTORS], inner_names)
    given = {**raw, "tokens": tokens}
    if isinstance(family, Embeds) and family.embedding_key != WHOLE and (width := width_of(lender(begun, family))):
        given["model"] = {family.embedding_key: width, **mapping_of(raw.get("model", {}), "model", where)}
    if "parts" in options(family.config):
        given["model"] = {"parts": [part.family for part in parts], **mapping_of(raw.get("model", {}), "model", where)}
    sections = {name: section_of(name, cls, given.get(name, {}), settings, where) for name, cls in known.items()}
    if parts and (families := tuple(part.family for part in parts)) != sections["model"].parts:
        raise UsageError(f"{where} [model]: parts: follows from the recipe's parts, {list(families)}; change those")
    common = {"tokenizer": kind, "text": sections["text"], "tokens": sections["tokens"]}
    return Recipe(
        name=str(raw.get("name", raw["family"])),
        family=raw["family"],
        seed=seed,
        tokenizer=kind,
        trainer=fitter if len(family.trainers) > 1 else "",
        vectors=_vectors(begun, shared, settings, family, sections["model"], where, common),
        start=start,
        parts=tuple(_sharing(part, {**common, "lent": lent}) for part in parts),
        sources=sources_of(raw, where),
        **sections,
    )


def _named_trainer(recipe: Recipe) -> dict[str, str]:
    return {"trainer": recipe.trainer} if recipe.trainer else {}


def _vectors_folder(recipe: Recipe) -> dict[str, str]:
    return {VECTORS: recipe.vectors} if recipe.vectors and isinstance(recipe.vectors, str) else {}


def _embeds(recipe: Recipe) -> bool:
    return isinstance(FAMILIES.get(recipe.family), Embeds)


def _adapts(recipe: Recipe) -> bool:
    return isinstance(recipe.training, Adapts)


def _start_lines(recipe: Recipe, *, comments: bool) -> list[str]:
    """Return the lines of a file that say whose model is trained on."""
    if not _adapts(recipe):
        return []
    line = f"{START} = {toml_value(recipe.start)}" if recipe.start else f"# {START} ="
    return [f"# {EXPLAINED[START]}", line] if comments else [line]


def _vectors_lines(recipe: Recipe, *, comments: bool) -> list[str]:
    """Return the lines of a file that say what embeddings begin with, where that is no section."""
    if not _embeds(recipe) or recipe.start or isinstance(recipe.vectors, Recipe):
        return []
    line = f"{VECTORS} = {toml_value(recipe.vectors)}" if recipe.vectors else f"# {VECTORS} ="
    return [f"# {EXPLAINED[VECTORS]}", line] if comments else [line]


def _own(recipe: Recipe) -> dict[str, Any]:
    """Return what a recipe inside another says itself."""
    return {key: value for key, value in recipe.to_mapping().items() if key in OF_INNER}


def _inside(recipe: Recipe) -> Iterator[tuple[str, str, Recipe]]:
    """Yield the recipes inside a recipe: each one's section, what stands before its keys in flags, and itself."""
    for part in recipe.parts:
        yield f"parts.{part.name}", part.name, part
        for section, flag, inner in _inside(part):
            yield f"parts.{part.name}.{section}", f"{part.name}.{flag}", inner
    if isinstance(recipe.vectors, Recipe):
        yield VECTORS, VECTORS, recipe.vectors


def _within(recipe: Recipe) -> Iterator[tuple[tuple[str, ...], Recipe]]:
    """Yield a recipe's parts and their parts, each with the names that lead to it."""
    for part in recipe.parts:
        yield (part.name,), part
        for path, inner in _within(part):
            yield (part.name, *path), inner


def _parts(
    raw: Mapping[str, Any], shared: Mapping[str, Any], settings: list[Setting], where: str, whole: Family
) -> Iterator[Recipe]:
    parts = raw.get("parts", ())
    labels = isinstance(whole, ReadsLabels)
    wanted, lacks = (Classifier, "tells no labels") if labels else (LanguageModel, "predicts no text")
    keys, wishes = handed(raw, settings, where) if parts else ({}, [])
    heard = not (keys or any(read_value(wish.text, str | None) for wish in wishes))
    for name in parts:
        if isinstance(parts, Mapping):
            own = mapping_of(parts[name], f"parts.{name}", where)
            for key in SHARED:
                if key in own:
                    raise UsageError(f"{where} [parts.{name}]: {key}: parts share it; set it for the whole recipe")
        else:
            own = tomllib.loads(_shipped(name, where=f"{where}: parts"))
        inner = [Setting(s.path[1:], s.text, s.origin) for s in settings if s.path[0] == name and len(s.path) > 1]
        refuse_shared(inner)
        place = f"{where} [parts.{name}]"
        if own.get("parts") or (
            own.get("family") in FAMILIES.names() and isinstance(FAMILIES.get(own["family"]), Embeds)
        ):
            own, inner, heard = {**keys, **own}, [*wishes, *inner], True
        found = resolve({**own, **shared, "name": name}, where=place, settings=inner)
        if not isinstance(FAMILIES.get(found.family).tiny(seed=0), wanted):
            raise UsageError(f"{place}: a model of family {found.family} {lacks}; give models that do")
        yield found
    if not heard:
        place = wishes[-1].origin if wishes else f"{where}: {VECTORS}"
        raise UsageError(f"{place}: no part of this recipe embeds ids, so vectors can't begin it; leave it out")


def _sharing(part: Recipe, common: Mapping[str, Any]) -> Recipe:
    """Return a part, and the parts in it, with what the whole recipe shares with them."""
    return dataclasses.replace(part, parts=tuple(_sharing(one, common) for one in part.parts), **common)


def _begun(raw: Mapping[str, Any], settings: list[Setting], family: Family, where: str) -> str | Mapping[str, Any]:
    """Return what a parsed recipe or a setting says of ``vectors``: a folder, or a recipe that is not checked yet.

    Raises:
        UsageError: the family embeds nothing, or the value is neither.
    """
    value, place = said(raw, VECTORS, settings, where)
    if value and not isinstance(family, Embeds):
        if raw.get("parts"):
            return ""  # `_parts` hands it on
        raise UsageError(
            f"{place}: a model of family {family.name} embeds no ids, so vectors can't begin it; leave it out"
        )
    if isinstance(value, str) and (value in names() or value.endswith(".toml")):
        named = load_recipe(value)
        own = {"name": named.name, **_own(named)}
        own["model"].pop("width", None)
        return own
    if not isinstance(value, (str, Mapping)):
        raise UsageError(f"{place}: expected a bundle's folder, a recipe's name or a section, got {value!r}")
    return value


def _vectors(
    begun: str | Mapping[str, Any],
    shared: Mapping[str, Any],
    settings: list[Setting],
    family: Family,
    model: Any,
    where: str,
    common: Mapping[str, Any],
) -> Recipe | str:
    """Return what embeddings begin with; a recipe gets the width that the model's embeddings have.

    Raises:
        UsageError: the recipe's model gives no vectors, or its width is said to be another.
    """
    if isinstance(begun, str) or not isinstance(family, Embeds):
        return str(begun)
    place = f"{where} [{VECTORS}]"
    key, width = family.embedding_key, getattr(model, family.embedding_key)
    inner = [
        Setting(setting.path[1:], setting.text, setting.origin)
        for setting in settings
        if setting.path[0] == VECTORS and len(setting.path) > 1
    ]
    refuse_shared(inner)
    own = dict(begun)
    for name in ("sources", *SHARED):
        if name in own:
            raise UsageError(f"{place}: {name}: parts share it; set it for the whole recipe")
    found = resolve({**own, **shared}, where=place, settings=inner)
    if not isinstance(FAMILIES.get(found.family).tiny(seed=0), StaticEncoder):
        raise UsageError(f"{place}: a model of family {found.family} gives no vectors; name a recipe of word vectors")
    told = "width" in own.get("model", {}) or any(setting.path == ("model", "width") for setting in inner)
    if told and found.model.width != width:
        raise UsageError(f"{place}: model.width: {found.model.width} is not the model's {key}, {width}; leave it out")
    return dataclasses.replace(found, model=dataclasses.replace(found.model, width=width), **common)


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
