"""What a recipe says of its trainer: named, left out, changed, inside another recipe, and written to a file."""

from pathlib import Path
from typing import Any

import pytest

from ziggurat.artefacts.recipe import Recipe, load_recipe, names, resolve
from ziggurat.artefacts.settings import environment_settings, flag_settings
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.models.registry import FAMILIES
from ziggurat.training import glove, word2vec

LSTM = 'family = "recurrent"\n[model]\nembedding = 7\n'
GLOVE = '[vectors]\nfamily = "word_vectors"\ntrainer = "glove"\n'


def written(folder: Path, text: str, name: str = "my") -> str:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def inner(recipe: Recipe) -> Recipe:
    assert isinstance(recipe.vectors, Recipe)
    return recipe.vectors


@pytest.mark.parametrize("name", names())
def test_it_is_told_where_there_is_a_choice_and_only_there(name: str) -> None:
    recipe = load_recipe(name)
    choice = FAMILIES.get(recipe.family).trainers
    assert recipe.trainer == ("" if len(choice) == 1 else recipe.to_mapping()["trainer"])
    assert ("trainer" in recipe.to_mapping()) == (len(choice) > 1)
    assert (f'\ntrainer = "{recipe.trainer}"\n' in recipe.to_toml()) == (len(choice) > 1)


def test_its_keys_are_the_trainers_own() -> None:
    assert isinstance(load_recipe("glove").training, glove.Config)
    assert isinstance(load_recipe("skipgram").training, word2vec.Config)
    assert "training.x_max" in load_recipe("glove").keys()  # noqa: SIM118 - no mapping
    assert "training.x_max" not in load_recipe("skipgram").keys()  # noqa: SIM118
    with pytest.raises(UnknownNameError, match=r"unknown option '--training\.x_max'"):
        load_recipe("skipgram", flag_settings({"training.x_max": "3"}))
    with pytest.raises(UnknownNameError, match="unknown variable 'ZIGGURAT_TRAINING_NEGATIVES'"):
        load_recipe("glove", environment_settings({"ZIGGURAT_TRAINING_NEGATIVES": "3"}))


def test_where_it_is_left_out_the_first_is_taken_and_written(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, 'family = "word_vectors"\n'))
    assert recipe.trainer == FAMILIES.get("word_vectors").trainers[0] == "word2vec"
    again = load_recipe(written(tmp_path, recipe.to_toml(), "again"))
    assert again.to_mapping() == {**recipe.to_mapping(), "name": again.name}


def test_a_file_that_names_the_only_one_is_understood_and_nothing_is_added(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, 'family = "ngram"\ntrainer = "count"\n'))
    assert recipe.trainer == ""
    assert "trainer" not in recipe.to_toml()


@pytest.mark.parametrize("trainer", ["word2vec", "glove"])
def test_a_recipe_comes_back_from_toml_and_from_json(trainer: str, tmp_path: Path) -> None:
    first = load_recipe(written(tmp_path, f'family = "word_vectors"\ntrainer = "{trainer}"\n[training]\nwindow = 7\n'))
    for comments in (True, False):
        again = load_recipe(written(tmp_path, first.to_toml(comments=comments)))
        assert (again.trainer, again.training.window) == (trainer, 7)
        assert again.to_mapping() == first.to_mapping()
    assert resolve(first.to_mapping(), where="ziggurat.json").to_mapping() == first.to_mapping()
    changed = first.change({"training.window": 3, "model.width": 11})
    assert (changed.trainer, changed.training.window, changed.model.width) == (trainer, 3, 11)


# -- inside another recipe --------------------------------------------------------------------------------------------


def test_vectors_in_a_section_have_a_trainer_of_their_own(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, LSTM + GLOVE + "[vectors.training]\nx_max = 3.0\n"))
    assert (recipe.trainer, inner(recipe).trainer, inner(recipe).training.x_max) == ("", "glove", 3.0)
    again = load_recipe(written(tmp_path, recipe.to_toml()))
    assert again.to_mapping() == recipe.to_mapping()
    assert again.to_toml() == recipe.to_toml()
    changed = recipe.with_settings(flag_settings({"vectors.training.x_max": "17"}))
    assert inner(changed).training.x_max == 17.0


@pytest.mark.parametrize(("name", "trainer"), [("glove", "glove"), ("cbow", "word2vec"), ("skipgram", "word2vec")])
def test_a_named_recipe_brings_its_trainer(name: str, trainer: str, tmp_path: Path) -> None:
    recipe = load_recipe("lstm", flag_settings({"vectors": name}))
    assert inner(recipe).trainer == trainer
    assert inner(load_recipe(written(tmp_path, recipe.to_toml()))).to_mapping() == inner(recipe).to_mapping()


def test_another_recipe_for_the_vectors_leaves_the_keys_of_the_first_behind() -> None:
    recipe = load_recipe("lstm-vectors").change({"vectors": "glove"})
    assert (inner(recipe).name, inner(recipe).trainer) == ("glove", "glove")
    assert isinstance(inner(recipe).training, glove.Config)


def test_parts_may_name_theirs_and_come_back(tmp_path: Path) -> None:
    raw: dict[str, Any] = {
        "family": "mixture",
        "parts": {
            "counts": {"family": "ngram", "trainer": "count", "model": {"order": 3}},
            "循环": {"family": "recurrent", "trainer": "gradient"},
        },
    }
    with pytest.raises(UsageError, match="'循环' can't name a part"):
        resolve(raw, where="my.toml")
    raw["parts"]["lstm"] = raw["parts"].pop("循环") | {"vectors": "glove"}
    recipe = resolve(raw, where="my.toml")
    assert [(part.name, part.trainer) for part in recipe.parts] == [("counts", ""), ("lstm", "")]
    assert inner(recipe.parts[1]).trainer == "glove"
    assert resolve(recipe.to_mapping(), where="x").to_mapping() == recipe.to_mapping()


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'family = "word_vectors"\ntrainer = "word2vce"\n',
            "my.toml: trainer: unknown trainer 'word2vce'; did you mean 'word2vec'?",
        ),
        ('family = "word_vectors"\ntrainer = "glvoe"\n', "my.toml: trainer: unknown trainer 'glvoe'; did you mean 'gl"),
        ('family = "word_vectors"\ntrainer = 3\n', "my.toml: trainer: unknown trainer '3'; known: glove, word2vec"),
        ('family = "word_vectors"\ntrainer = ""\n', "my.toml: trainer: unknown trainer ''; known: glove, word2vec"),
        ('family = "word_vectors"\ntrainer = ["glove"]\n', "my.toml: trainer: unknown trainer '['glove']'"),
        ('family = "word_vectors"\ntrainr = "glove"\n', "my.toml: unknown key 'trainr'; did you mean 'trainer'?"),
        ('family = "recurrent"\ntrainer = "glove"\n', "my.toml: trainer: unknown trainer 'glove'; "),
        (
            'family = "word_vectors"\ntrainer = "glove"\n[training]\nnegatives = 5\n',
            "my.toml [training]: unknown key 'negatives'",
        ),
        (
            LSTM + GLOVE.replace("glove", "golve"),
            "my.toml [vectors]: trainer: unknown trainer 'golve'; did you mean 'glove'?",
        ),
        (
            'family = "mixture"\n[parts.a]\nfamily = "ngram"\ntrainer = "cuont"\n',
            "my.toml [parts.a]: trainer: unknown trainer 'cuont'; did you mean 'count'?",
        ),
    ],
)
def test_an_unknown_one_is_named_where_it_stands_with_the_nearest(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(written(tmp_path, text))
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "unit", "said"),
    [
        ("skipgram", "steps", "--steps: recipe skipgram takes another budget, --epochs"),
        ("glove", "minutes", "--minutes: recipe glove takes another budget, --epochs"),
        ("ngram", "epochs", "--epochs: recipe ngram is fitted in one pass and takes no budget"),
    ],
)
def test_a_budget_that_a_trainer_does_not_know_is_refused_with_one_that_it_does(
    name: str, unit: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(name).with_budget(unit, 3)
    assert str(caught.value) == said
    if "epochs" in said and unit != "epochs":
        assert load_recipe(name).with_budget("epochs", 3).training.epochs == 3
