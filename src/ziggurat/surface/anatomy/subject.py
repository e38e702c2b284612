"""What is described: a recipe that nothing was trained by yet, or a bundle; and how much it is to read at once."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ziggurat.artefacts.bundle import bundle_folder, read_config, read_manifest
from ziggurat.artefacts.manifest import Manifest
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.recipe import names as recipe_names
from ziggurat.artefacts.settings import environment_settings, flag_settings
from ziggurat.core.anatomy import Anatomy, Load, Sizes
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.protocols import Dissects
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.training.footprint import Trained, trained_of

__all__ = ["Subject", "described", "loaded", "of_bundle", "of_recipe"]


@dataclass(frozen=True)
class Subject:
    """A model that may not exist yet, and the loads that its figures are for."""

    name: str
    family: str
    anatomy: Anatomy
    vocabulary: int
    training: Load
    """A batch of training."""
    generation: Load
    """What is written at once: rows, and tokens when it ends."""
    precision: str
    """``auto``, ``f32`` or ``bf16``, as the recipe says."""
    trained: Trained | None
    """What of it is trained, where the recipe freezes or adapts parts; None: all."""
    trains: bool
    """Whether gradients train it, a batch at a time."""


def described(source: str, flags: Mapping[str, str]) -> Recipe | tuple[Path, Manifest]:
    """Return the recipe, or the bundle's folder and manifest, that ``source`` names; ``flags`` set a recipe's keys.

    Raises:
        UnknownNameError: it is nearly a recipe's name.
        ArtefactError: it is neither; the message says what is missing.
        UsageError: keys are to be set of a bundle.
    """
    path = Path(source)
    is_file = path.suffix == ".toml"
    if is_file or (source in recipe_names() and not path.exists()):
        return load_recipe(source, [*environment_settings(os.environ), *flag_settings(flags)])
    near = get_close_matches(source, recipe_names(), n=1, cutoff=0.6)
    if near and not path.exists():
        raise UnknownNameError("recipe", source, recipe_names())
    folder = bundle_folder(path)
    if flags:
        raise UsageError(f"--{next(iter(flags))}: {source} is trained already; set keys of a recipe")
    return folder, read_manifest(folder)


def of_recipe(recipe: Recipe, sizes: Sizes) -> Iterator[Subject]:
    """Yield what a recipe describes: its model, or where it is made of others each of these that has an anatomy.

    Raises:
        UsageError: a window or length is more than the model can read at once.
    """
    for one in (recipe, *recipe.parts):
        family = FAMILIES.get(one.family)
        if isinstance(family, Dissects):
            vocabulary = _vocabulary(one)
            anatomy = family.anatomy(one.model, vocabulary)
            keys = vars(one.training)
            trained = trained_of(family, one.model, vocabulary, keys)
            yield loaded(one.name, anatomy, vocabulary.size, sizes, keys, family=one.family, trained=trained)


def of_bundle(folder: Path, manifest: Manifest, sizes: Sizes) -> Iterator[Subject]:
    """Yield what a bundle's ``config.json`` describes, where its family has an anatomy and the file is whole.

    Raises:
        UsageError: a window or length is more than the model can read at once.
        ArtefactError: ``config.json`` is damaged.
    """
    family = FAMILIES.get(manifest.family)
    if isinstance(family, Dissects):
        config, vocabulary = read_config(folder, family)
        anatomy = family.anatomy(config, vocabulary)
        name = str(manifest.recipe.get("name") or folder.name)
        keys = manifest.recipe.get("training", {})
        trained = trained_of(family, config, vocabulary, keys)
        yield loaded(name, anatomy, vocabulary.size, sizes, keys, family=manifest.family, trained=trained)


def loaded(
    name: str,
    anatomy: Anatomy,
    vocabulary: int,
    sizes: Sizes,
    training: Mapping[str, Any],
    *,
    family: str,
    trained: Trained | None = None,
) -> Subject:
    """Return a subject whose loads are those of ``sizes``, else those of the ``[training]`` keys, within the context.

    Raises:
        UsageError: ``sizes`` asks for more than the model can read at once.
    """
    if anatomy.picks is not None:
        anatomy = replace(anatomy, picks=float(training.get("mask_part") or anatomy.picks))
    limit = anatomy.context
    for flag, asked in (("window", sizes.window), ("length", sizes.length), ("source", sizes.source)):
        if asked is not None and limit is not None and asked > limit:
            raise UsageError(f"--{flag}: {asked} tokens are more than {name} can read at once (its context is {limit})")
    if sizes.source is not None and not anatomy.translates:
        raise UsageError(f"--source: {name} reads no source beside its text; leave it out")
    window, rows = (int(training[key]) if training.get(key) else None for key in ("window", "rows"))
    batch, written = anatomy.loads(sizes, window=window, rows=rows)
    precision = str(training.get("precision", "auto"))
    return Subject(name, family, anatomy, vocabulary, batch, written, precision, trained, trains=anatomy.multiplies)


def _vocabulary(recipe: Recipe) -> Vocabulary:
    """Return the vocabulary that a recipe asks for: as many ids as ``[tokens]`` allows, or those of a fixed kind."""
    wanted = getattr(recipe.tokens, "vocab_size", None)
    if wanted is not None:
        return Vocabulary(size=int(wanted), bos=0, eos=0)
    return train_tokenizer((), recipe.tokenizer, recipe.tokens).vocabulary
