"""Recipes are explained in Chinese as fully as in English, with the same figures; to a program both say the same."""

import re
import tomllib
import unicodedata
from pathlib import Path

import pytest
from docs.generate import configurations

from ziggurat.artefacts.recipe import about as in_english
from ziggurat.artefacts.recipe import load_recipe, names
from ziggurat.core.config import options
from ziggurat.surface.chinese.recipes import heads, keys
from ziggurat.surface.language import speaking
from ziggurat.surface.recipes import about, explained

HAN = re.compile("[\u4e00-\u9fff]")
FACTS = re.compile(r"--[a-z]+(?:[.-]?\w+)*|`[^`]+`|\d[\d,.]*\d|\d|docs/\w+\.md|[A-Z][a-z]+[A-Z]\w*|\[\w+\]|\w+_\w+")
"""What a translation may neither lose nor bring: flags, figures, years, and names of parts and files."""
ROOMS = ("text", "tokens", "models", "training")
"""Where the keys of recipes are declared."""
COMMENT = "# "


def explanations() -> set[str]:
    """What the source says of each key of a recipe."""
    of_rooms = [cls for cls in configurations() if cls.__module__.split(".")[1] in ROOMS]
    return {said for cls in of_rooms for _, _, said in options(cls).values()}


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)


def test_every_key_is_explained_and_no_entry_has_outlived_its_key() -> None:
    said = explanations()
    assert len(said) > 150
    assert sorted(said - keys().keys()) == []
    # of three keys the file of a recipe itself says what they mean
    shown = {line.removeprefix(COMMENT) for name in names() for line in load_recipe(name).to_toml().splitlines()}
    assert sorted(keys().keys() - said - shown) == []


def test_every_recipe_has_a_head_in_chinese() -> None:
    assert sorted(heads()) == sorted(names())


@pytest.mark.parametrize("name", names())
def test_both_heads_name_the_same_figures_flags_and_parts(name: str) -> None:
    english, chinese = load_recipe(name).head, heads()[name]
    assert sorted(set(FACTS.findall(chinese))) == sorted(set(FACTS.findall(english)))
    assert HAN.search(chinese.splitlines()[0])
    assert max(columns(line) for line in chinese.splitlines()) <= 120


@pytest.mark.parametrize("name", names())
def test_a_chinese_recipe_says_the_same_and_explains_all_of_it(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    with speaking("zh"):
        spoken = explained(recipe)
    assert tomllib.loads(spoken) == tomllib.loads(recipe.to_toml())
    below = spoken.splitlines()[len(heads()[name].splitlines()) :]
    comments = [line for line in below if line.startswith(COMMENT) and not line.endswith(" =")]
    assert len(comments) > 20
    assert [line for line in comments if not HAN.search(line)] == []
    path = tmp_path / f"{name}.toml"
    path.write_text(spoken, encoding="utf-8")
    assert load_recipe(str(path)).to_mapping() == recipe.to_mapping()


def test_a_line_of_the_list_is_in_the_language_and_english_stays_as_it_is() -> None:
    with speaking("zh"):
        assert about("glove") == heads()["glove"].splitlines()[0]
    with speaking("en"):
        assert about("glove") == in_english("glove")
        assert explained(load_recipe("glove")) == load_recipe("glove").to_toml()


def test_what_a_user_wrote_over_a_recipe_stays(tmp_path: Path) -> None:
    path = tmp_path / "gpt.toml"
    path.write_text("# peak learning rate\n" + load_recipe("gpt").to_toml(comments=False), "utf-8")
    with speaking("zh"):
        spoken = explained(load_recipe(str(path)))
    assert spoken.startswith("# peak learning rate\nname")
    assert f"# {keys()['peak learning rate']}\n" in spoken
