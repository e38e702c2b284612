"""What a recipe says of itself and of its keys, in the user's language."""

import dataclasses
from collections.abc import Mapping

from ziggurat.artefacts.recipe import Recipe, load_recipe, names
from ziggurat.artefacts.recipe import about as in_english
from ziggurat.surface import language

__all__ = ["about", "explained"]

COMMENT = "# "


def about(name: str) -> str:
    """Return the one line that a recipe which comes with Ziggurat says of itself."""
    if language.current() != "zh":
        return in_english(name)
    return _heads()[name].split("\n", 1)[0]


def explained(recipe: Recipe) -> str:
    """Return a recipe as a complete TOML file with an explanation before each key.

    What the author of a recipe wrote over it stays as it is.
    """
    if language.current() != "zh":
        return recipe.to_toml()
    from ziggurat.surface.chinese.recipes import keys

    if recipe.name in names() and recipe.head == load_recipe(recipe.name).head:
        recipe = dataclasses.replace(recipe, head=_heads()[recipe.name])
    lines = recipe.to_toml().splitlines(keepends=True)
    own = len(recipe.head.splitlines())
    return "".join([*lines[:own], *(_said(line, keys()) for line in lines[own:])])


def _said(line: str, keys: Mapping[str, str]) -> str:
    said = keys.get(line.removeprefix(COMMENT).rstrip("\n")) if line.startswith(COMMENT) else None
    return f"{COMMENT}{said}\n" if said else line


def _heads() -> Mapping[str, str]:
    from ziggurat.surface.chinese.recipes import heads

    return heads()
