"""What a recipe takes from the bundle whose model it trains on: family, tokenizer and [model].

*Idea.* Weights fit one model, and ids mean something to one tokenizer. So of what a recipe says, text and training are
its own; the rest comes with the bundle, and a recipe that says something else is refused. Dropout is no property of the
weights and may be changed. A recipe of a family that stands on the bundle's, as a classifier on an encoder, takes that
model inside its own.
"""

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ziggurat.artefacts.bundle import bundle_folder, load, read_manifest
from ziggurat.artefacts.manifest import NAME
from ziggurat.artefacts.sections import BUDGETS, START, VECTORS, mapping_of
from ziggurat.artefacts.settings import Setting, read_value
from ziggurat.core.config import options, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.protocols import StandsOn
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import Adapts, trainer

__all__ = ["Origin", "continued", "continuing", "origin_of", "width_of"]

FREE = "dropout"
"""How the [model] keys begin that may differ from the bundle's."""
SLOWER = 10
"""By how much the learning rate is divided when a model is trained on."""
DEFAULT_MINUTES = 10.0
_NEW = (
    "learning_rate",
    "decay_steps",
    "evaluate_steps",
    "frozen",
    "lora_rank",
    "lora_alpha",
    "lora_on",
    "lora_dropout",
)


@dataclass(frozen=True)
class Origin:
    """A bundle whose model can be trained on."""

    path: str
    """As the user wrote it."""
    family: str
    model: Any
    """The model's configuration."""
    kind: str
    """The kind of its tokenizer."""
    recipe: Mapping[str, Any]
    """The recipe that made it; little more than its name where it was imported."""
    free: frozenset[str] = frozenset()
    """The [model] keys of what stands on it, which are the recipe's own."""


def origin_of(path: str, *, where: str) -> Origin:
    """Open the bundle ``path`` and return what a recipe takes from it; ``where`` says in errors who names it.

    Raises:
        ArtefactError: there is no whole bundle.
        UsageError: its model can't be trained on.
    """
    folder = bundle_folder(Path(path))
    return _opened(path, str(folder.absolute()), (folder / NAME).stat().st_mtime_ns, where)


def continuing(path: str, *, where: str = START) -> dict[str, Any]:
    """Return a recipe that trains a bundle's model on, where the user gave none; ``where`` names in errors who said so.

    Its ``[training]`` keys are those of the recipe that made the model, with a tenth of the learning rate; those of a
    model that was imported, or trained on already, begin from the trainer's defaults or stay as they are.

    Raises:
        ArtefactError, UsageError: as `origin_of`.
    """
    found = origin_of(path, where=where)
    own = dict(found.recipe.get("training", {}))
    family = FAMILIES.get(found.family)
    config = trainer(family, found.recipe.get("trainer", "")).Config
    known = options(config)
    rate = float(own.get("learning_rate", known["learning_rate"][1]))
    training = {key: value for key, value in own.items() if key in known and key not in _NEW}
    training["learning_rate"] = rate if found.recipe.get(START) else float(f"{rate / SLOWER:.4g}")
    if not any(unit in training for unit in BUDGETS):
        training["minutes"] = DEFAULT_MINUTES
    name = str(found.recipe.get("name", found.family)).removesuffix("-adapted")
    return {"name": f"{name}-adapted", "family": found.family, START: path, "training": training}


def continued(raw: Mapping[str, Any], found: Origin, settings: Iterable[Setting], where: str) -> dict[str, Any]:
    """Return a parsed recipe with what comes from the bundle that it starts from.

    Raises:
        UsageError: it says something else than the bundle does, or what does not go with a start.
    """
    found = _inside(found, str(raw.get("family", found.family)))
    if raw.get("family", found.family) != found.family:
        raise UsageError(
            f"{where}: family: {START} {found.path} is of family {found.family}, not {raw['family']}: leave family out"
        )
    for key in ("tokens", VECTORS, "parts"):
        if raw.get(key):
            raise UsageError(f"{where}: {key}: comes with {START} {found.path}; leave it out of the recipe")
    model = to_mapping(found.model)
    for key, value in mapping_of(raw.get("model", {}), "model", where).items():
        _accept(found, key, value, f"{where} [model]: {key}")
        model[key] = value
    known = options(type(found.model))
    for setting in settings:
        if setting.path[0] in ("tokens", VECTORS):
            raise UsageError(f"{setting.origin}: the tokenizer and embeddings come with {START} {found.path}")
        if setting.path[0] == "model" and setting.path[-1] in known:
            key = setting.path[-1]
            _accept(found, key, read_value(setting.text, known[key][0]), setting.origin)
    trained = {"trainer": found.recipe["trainer"]} if "trainer" in found.recipe else {}
    return {**trained, **raw, "family": found.family, "model": model, "tokens": {"kind": found.kind}}


def width_of(path: str) -> int | None:
    """Return how many numbers the vectors of the bundle ``path`` have; None where there is none that says so."""
    with suppress(ArtefactError):
        width = read_manifest(bundle_folder(Path(path))).model.get("width") if path else None
        return width if isinstance(width, int) else None
    return None


def _inside(found: Origin, family: str) -> Origin:
    """Return the bundle as what a model of ``family`` has inside, where that stands on the bundle's family."""
    outer: Any = FAMILIES.get(family) if family in FAMILIES.names() and family != found.family else None
    if not isinstance(outer, StandsOn) or outer.body != found.family:
        return found
    model = outer.over(found.model)
    free = outer.optional | (options(type(model)).keys() - options(type(found.model)).keys())
    recipe = {key: value for key, value in found.recipe.items() if key != "trainer"}
    return dataclasses.replace(found, family=family, model=model, recipe=recipe, free=free)


def _accept(found: Origin, key: str, value: Any, place: str) -> None:
    """Refuse a value of the model's that is not the bundle's, unless it may be changed; unknown keys are not ours."""
    own = getattr(found.model, key, value)
    own = list(own) if isinstance(own, tuple) else own
    if not key.startswith(FREE) and key not in found.free and value != own:
        raise UsageError(f"{place}: comes with {START} {found.path}, where it is {own}; leave it out")


@functools.lru_cache(maxsize=16)
def _opened(path: str, folder: str, written: int, where: str) -> Origin:
    """Open a bundle once for all the times that its recipe is read; ``written`` tells it from an older one."""
    del written
    bundle = load(Path(folder), verify=False)
    fitter = trainer(bundle.family, bundle.manifest.recipe.get("trainer", ""))
    config = getattr(getattr(bundle.model, "network", None), "config", None)
    if config is None or not isinstance(fitter.Config(), Adapts):
        raise UsageError(
            f"{where}: {path}: models of family {bundle.manifest.family} are made in one piece and can't be trained "
            "on; give the bundle of a network"
        )
    manifest = bundle.manifest
    return Origin(path, manifest.family, config, str(manifest.tokenizer["kind"]), manifest.recipe)
