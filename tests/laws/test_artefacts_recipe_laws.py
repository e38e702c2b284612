"""What is true of every recipe that comes with the package; they are found by listing their folder."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest

from ziggurat.artefacts.recipe import Recipe, about, load_recipe, names
from ziggurat.artefacts.settings import Setting, flag_settings
from ziggurat.core.config import options, to_mapping
from ziggurat.models.registry import FAMILIES

BUDGETS = ("minutes", "steps", "tokens", "epochs")

pytestmark = pytest.mark.parametrize("name", names())


def test_it_loads_and_says_what_it_is(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.family in FAMILIES.names()
    assert about(name) == recipe.head.split("\n")[0]
    assert 20 < len(about(name)) < 130


def test_written_completely_it_is_the_same_recipe(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    for comments in (True, False):
        path = tmp_path / f"{name}-{comments}.toml"
        path.write_text(recipe.to_toml(comments=comments), encoding="utf-8")
        again = load_recipe(str(path))
        assert again.to_mapping() == recipe.to_mapping()


def test_without_comments_only_keys_without_a_value_are_commented_out(name: str) -> None:
    text = load_recipe(name).to_toml(comments=False)
    assert not [line for line in text.splitlines() if line.startswith("#") and not line.endswith("=")]


def test_every_key_stands_behind_its_explanation(name: str) -> None:
    lines = load_recipe(name).to_toml().splitlines()
    inside = lines[next(number for number, line in enumerate(lines) if line.startswith("[")) :]
    keys = [
        (before, line)
        for before, line in itertools.pairwise(inside)
        if re.match(r"(# )?\w+ =", line) and not line.startswith(("name", "family", "trainer"))
    ]
    assert len(keys) > 10
    assert [line for before, line in keys if not re.match(r"# .{9}", before) or before.endswith("=")] == []


def test_every_key_can_be_set_by_a_flag(name: str) -> None:
    recipe = load_recipe(name)
    for key in recipe.keys():  # noqa: SIM118 - no mapping
        if key.split(".")[-1] in BUDGETS:  # one replaces the others: see below
            continue
        value = _value(recipe, key)
        setting = Setting(tuple(key.split(".")), value, f"--{key}")
        assert recipe.with_settings([setting]).to_mapping() == recipe.to_mapping(), key


def test_what_it_says_is_toml_of_known_types(name: str) -> None:
    raw = tomllib.loads(load_recipe(name).to_toml())
    assert set(raw) <= {"name", "family", "trainer", "seed", "vectors", "parts", "text", "tokens", "model", "training"}


def test_a_budget_replaces_the_one_of_the_file(name: str) -> None:
    recipe = load_recipe(name)
    trained = [one for one in (recipe, *recipe.parts) if "steps" in options(type(one.training))]
    if not trained:
        return
    changed = recipe.with_budget("steps", 7)
    for one in (changed, *changed.parts):
        if "steps" in options(type(one.training)):
            assert one.training.steps == 7
            assert one.training.minutes is None


def test_a_seed_holds_for_all_of_it(name: str) -> None:
    recipe = load_recipe(name, flag_settings({"seed": "41"}))
    assert {one.seed for one in (recipe, *recipe.parts)} == {41}


def _value(recipe: Recipe, key: str) -> str:
    """What a key has now, as a user would write it."""
    from ziggurat.core.config import toml_value

    if key == "seed":
        return str(recipe.seed)
    if key == "tokens.kind":
        return recipe.tokenizer
    path = key.split(".")
    one = recipe
    if len(path) == 3 or path[0] in [part.name for part in recipe.parts]:
        inside = {part.name: part for part in recipe.parts} | {"vectors": recipe.vectors}
        found = inside[path[0]]
        assert isinstance(found, Recipe)
        one, path = found, path[1:]
    if path == ["start"]:
        return one.start or "none"
    if path == ["vectors"]:
        return one.vectors.name if isinstance(one.vectors, Recipe) else one.vectors or "none"
    value = getattr(getattr(one, path[0]), path[1])
    return "none" if value is None else toml_value(value) if not isinstance(value, str) else value


def test_recipes_of_word_vectors_read_text_alike(name: str) -> None:
    # so that what they make of one text compares: Chinese by words, signs left out, case folded
    recipe = load_recipe(name)
    if name == "task-vectors":  # which a tagger reads by: every sign, and Chinese by characters
        tokens = to_mapping(recipe.tokens)
        assert (recipe.tokenizer, tokens["split"]) == ("words", "unicode")
        assert (tokens["lowercase"], tokens["punctuation"]) == (True, True)
    elif recipe.family == "word_vectors":
        tokens = to_mapping(recipe.tokens)
        assert (recipe.tokenizer, tokens["split"]) == ("words", "auto")
        assert (tokens["lowercase"], tokens["punctuation"]) == (True, False)
