"""A recipe whose budget in minutes is replaced by the steps that it came to, so that it can be made again."""

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.recipe import Recipe
from ziggurat.core.config import options

__all__ = ["in_steps"]


def in_steps(recipe: Recipe, bundle: Bundle) -> Recipe:
    """Return ``recipe`` with as many steps, and the same rhythm of decay and evaluation, as ``bundle`` was trained by.

    A recipe that is not trained in steps comes back as it is.
    """
    facts = bundle.manifest.training
    if "steps" not in options(type(recipe.training)) or not facts.get("steps"):
        return recipe
    fixed = {key: facts[key] for key in ("decay_steps", "evaluate_steps") if facts.get(key) is not None}
    return recipe.with_budget("steps", int(facts["steps"])).change({f"training.{k}": v for k, v in fixed.items()})
