"""What we enter into a comparison: recipes of the package with settings, fitted as a user would fit them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ziggurat.artefacts.bundle import bundle_folder, read_manifest
from ziggurat.artefacts.fit import Material, fit
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.core.errors import UsageError

__all__ = ["Entry", "bundle_facts", "fit_entry", "trained_seconds"]


@dataclass(frozen=True)
class Entry:
    """One of our models."""

    name: str
    recipe: str
    """A recipe that comes with the package, or a TOML file."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Dotted keys as flags of ``ziggurat train`` have them; those of parts with the part's name in front."""
    minutes: Mapping[str, float] = field(default_factory=dict)
    """Keys that hold minutes, as parts of the minutes that the benchmark gives."""
    dev: bool = True
    """Whether a part of the training text is put aside to tune on; else all of it is learnt."""
    steps: int | None = None
    """Steps of every network instead of its budget, for a run that only tries things out."""

    def within(self, minutes: float) -> "Entry":
        """Return the entry with its parts of so many minutes filled in."""
        shares = {key: share * minutes for key, share in self.minutes.items()}
        return replace(self, settings={**self.settings, **shares}, minutes={})

    def resolved(self, seed: int) -> Recipe:
        """Return the whole recipe.

        Raises:
            UnknownNameError: there is no such recipe or key; the nearest is named.
        """
        recipe = load_recipe(self.recipe).change({**self.settings, "seed": seed})
        if self.steps is None:
            return recipe
        try:
            return recipe.with_budget("steps", self.steps)
        except UsageError:  # it is counted, not trained in steps
            return recipe

    def to_json(self) -> str:
        """Return it as a process takes it on its command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Entry":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


def fit_entry(entry: Entry, material: Material, folder: Path, *, seed: int) -> dict[str, Any]:
    """Fit the entry's model into ``folder/bundle``; return the seconds that its trainers worked, and their facts."""
    recipe = entry.resolved(seed)
    fit(recipe, material, folder)
    return bundle_facts(recipe, folder)


def bundle_facts(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Return the seconds that the trainers of the bundle in ``folder`` worked, and their facts."""
    manifest = read_manifest(bundle_folder(folder))
    facts = manifest.training
    kept = {key: facts[key] for key in ("steps", "tokens", "epochs", "dev_loss", "weights") if key in facts}
    return {"seconds": trained_seconds(recipe, folder), "parameters": manifest.model.get("parameters"), **kept}


def trained_seconds(recipe: Recipe, folder: Path) -> float:
    """Return the seconds that the trainers of a recipe say they took: its own, its parts' and its vectors'."""
    total = float(read_manifest(bundle_folder(folder)).training["seconds"])
    total += sum(trained_seconds(part, folder / "parts" / part.name) for part in recipe.parts)
    if isinstance(recipe.vectors, Recipe):
        total += trained_seconds(recipe.vectors, folder / "vectors")
    return total
