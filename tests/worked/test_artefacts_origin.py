"""Recipes that train a bundle's model on: what comes with the bundle, what is refused, what is written."""

import dataclasses
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bundles import eleven_words, make_bundle
from ziggurat.artefacts.bundle import save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.artefacts.origin import continuing
from ziggurat.artefacts.recipe import Recipe, load_recipe, start_recipe
from ziggurat.artefacts.settings import environment_settings, flag_settings
from ziggurat.core.errors import ArtefactError, UnknownNameError, UsageError
from ziggurat.models.registry import FAMILIES

OWN = {
    "name": "mine",
    "family": "decoder",
    "training": {"steps": 41, "rows": 3, "window": 17, "learning_rate": 0.02, "decay_steps": 7, "frozen": ["lm_head"]},
}


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """A decoder that a recipe of its own made: layers 2, width 20, context 64."""
    return str(saved(tmp_path / "base", OWN))


def saved(path: Path, recipe: dict[str, Any]) -> Path:
    model = FAMILIES.get("decoder").tiny(seed=0)
    return save(
        path, family="decoder", model=model, tokenizer=eleven_words(), provenance=Provenance(recipe=recipe)
    ).path


def begun(bundle: str, **flags: str) -> Recipe:
    found = start_recipe(
        flag_settings({"start": bundle, **{key.replace("__", "."): text for key, text in flags.items()}})
    )
    assert found is not None
    return found


Written = Callable[[str], str]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a recipe file."""

    def write(text: str) -> str:
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        return str(tmp_path / "mine.toml")

    return write


# -- a shipped recipe -------------------------------------------------------------------------------------------------


def test_a_model_that_a_shipped_recipe_made_in_another_form_is_trained_on_as_it_is(tmp_path: Path) -> None:
    family: Any = FAMILIES.get("encoder_tagger")
    former = dataclasses.replace(family.tiny(seed=0).network.config, mark_embedding=5, cells=7)
    tagger = family.build(former, eleven_words().vocabulary, seed=1)
    recipe = {"name": "encoder-roles", "family": "encoder_tagger"}
    own = save(
        tmp_path / "roles",
        family="encoder_tagger",
        model=tagger,
        tokenizer=eleven_words(),
        provenance=Provenance(recipe=recipe),
    )
    assert load_recipe("encoder-roles").model.shared_blocks == 2
    begins = load_recipe("encoder-roles", flag_settings({"start": str(own.path)}))
    assert (begins.model, begins.training.rows) == (former, 16)
    # what only an encoder lends says nothing of the rest, so the recipe does
    encoder: Any = FAMILIES.get("encoder")
    save(
        tmp_path / "encoder",
        family="encoder",
        model=encoder.tiny(seed=0),
        tokenizer=eleven_words(),
        provenance=Provenance(),
    )
    above = load_recipe("encoder-roles", flag_settings({"start": str(tmp_path / "encoder")}))
    assert (above.model.shared_blocks, above.model.width) == (2, 20)


# -- what comes with the bundle ---------------------------------------------------------------------------------------


def test_family_and_model_come_with_the_bundle(bundle: str, written: Written) -> None:
    recipe = load_recipe(written(f'start = "{bundle}"\n[training]\nsteps = 5\n'))
    assert (recipe.name, recipe.family, recipe.start) == ("mine", "decoder", bundle)
    assert (recipe.model.layers, recipe.model.width, recipe.model.context) == (2, 20, 64)
    assert recipe.training.steps == 5


def test_without_a_recipe_training_goes_on_as_it_was_but_slower(bundle: str) -> None:
    training = begun(bundle).training
    assert (training.steps, training.rows, training.window) == (41, 3, 17)
    # a tenth of 0.02; what belonged to the other run's budget and parts is left behind
    assert (training.learning_rate, training.decay_steps, training.frozen) == (0.002, None, ())
    assert begun(bundle).name == "mine-adapted"


def test_trained_on_once_more_it_is_not_slowed_again(bundle: str, tmp_path: Path) -> None:
    again = saved(tmp_path / "second", begun(bundle).to_mapping())
    assert continuing(str(again))["training"]["learning_rate"] == 0.002
    assert continuing(str(again))["name"] == "mine-adapted"


def test_a_model_from_elsewhere_begins_from_the_trainer_s_defaults(tmp_path: Path) -> None:
    imported = saved(tmp_path / "imported", {"name": "from-elsewhere"})
    training = begun(str(imported)).training
    # the default rate is 3e-3
    assert (training.minutes, training.learning_rate, training.rows) == (10.0, 0.0003, 16)


def test_flags_and_variables_name_the_start(bundle: str) -> None:
    assert start_recipe([]) is None
    by_variable = start_recipe(environment_settings({"ZIGGURAT_START": bundle}))
    assert by_variable == begun(bundle)
    assert begun(bundle, training__steps="7", seed="5").training.steps == 7
    budget = begun(bundle).with_budget("minutes", 3)
    assert (budget.training.minutes, budget.training.steps, budget.start) == (3.0, None, bundle)


def test_dropout_may_be_changed(bundle: str, written: Written) -> None:
    assert begun(bundle, model__dropout="0.2").model.dropout == 0.2
    assert load_recipe(written(f'start = "{bundle}"\n[model]\ndropout = 0.3\n')).model.dropout == 0.3


# -- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comments", [True, False])
def test_the_file_is_complete_and_reads_the_same(bundle: str, written: Written, comments: bool) -> None:
    recipe = begun(bundle, model__dropout="0.2", training__lora_rank="2")
    text = recipe.to_toml(comments=comments)
    raw = tomllib.loads(text)
    assert (raw["start"], raw["model"]["width"], raw["training"]["lora_rank"]) == (bundle, 20, 2)
    assert "tokens" not in raw
    again = load_recipe(written(text))
    assert again.to_mapping() == recipe.to_mapping()
    assert dataclasses.replace(again, head="") == dataclasses.replace(recipe, head="")


def test_a_new_model_s_file_says_where_a_start_would_stand() -> None:
    lines = load_recipe("gpt").to_toml().splitlines()
    assert lines[lines.index("# start =") - 1].startswith("# A bundle whose model is trained on")
    # counts are made in one piece
    assert "# start =" not in load_recipe("ngram").to_toml()
    assert set(load_recipe("gpt").keys()) >= {"start", "vectors"}
    assert not {"start", "vectors"} & set(load_recipe("ngram").keys())


def test_what_comes_with_the_bundle_is_no_key_of_its_own(bundle: str) -> None:
    keys = begun(bundle).keys()
    assert "training.lora_rank" in keys
    assert "model.dropout" in keys
    assert not [key for key in keys if key.startswith("tokens.") or key == "vectors"]


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('family = "recurrent"\n', "mine.toml: family: start .*base is of family decoder, not recurrent: leave family"),
        ("[model]\nwidth = 21\n", r"mine.toml \[model\]: width: comes with start .*, where it is 20; leave it out"),
        ("[model]\nkey_heads = 1\n", r"key_heads: comes with start .*, where it is 2"),
        ("[model]\nwidht = 21\n", "unknown key 'widht'; did you mean 'width'"),
        ('[tokens]\nkind = "bytes"\n', "mine.toml: tokens: comes with start .*base; leave it out"),
        ('vectors = "skipgram"\n', "mine.toml: vectors: comes with start"),
        ('parts = ["gpt"]\n', "mine.toml: parts: comes with start"),
        ("model = 3\n", r"model must be a section, \[model\]"),
    ],
)
def test_a_file_that_says_something_else_is_refused(bundle: str, written: Written, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_recipe(written(f'start = "{bundle}"\n{text}'))


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("model.width", "21", "--model.width: comes with start .*, where it is 20"),
        ("model.tied", "false", "--model.tied: comes with start .*, where it is True"),
        ("tokens.kind", "bytes", "--tokens.kind: the tokenizer and embeddings come with start"),
        ("vectors", "skipgram", "--vectors: the tokenizer and embeddings come with start"),
        ("model.widht", "21", "unknown option '--model.widht'; did you mean '--model.width'"),
        ("training.lora_rnk", "2", "unknown option '--training.lora_rnk'; did you mean '--training.lora_rank'"),
    ],
)
def test_a_flag_that_says_something_else_is_refused(bundle: str, flag: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        start_recipe(flag_settings({"start": bundle, flag: value}))


def test_the_same_value_is_no_contradiction(bundle: str) -> None:
    assert begun(bundle, model__width="20").model.width == 20


def test_what_can_t_be_trained_on_is_refused(tmp_path: Path, written: Written) -> None:
    for family in ("ngram", "mixture", "word_vectors"):
        path = make_bundle(tmp_path / family, family).path
        with pytest.raises(UsageError, match=f"--start: .*: models of family {family} are made in one piece"):
            begun(str(path))
    with pytest.raises(ArtefactError, match="no such folder"):
        begun(str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="start: expected a bundle's folder in quotes, got 3"):
        load_recipe(written("start = 3\n"))
    with pytest.raises(UnknownNameError, match="unknown key 'strat'; did you mean 'start'"):
        load_recipe(written('strat = "x"\n'))


def test_a_bundle_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = str(saved(tmp_path / "base", OWN))
    assert begun(path).training.rows == 3
    saved(tmp_path / "base", {**OWN, "training": {"rows": 5}})
    assert begun(path).training.rows == 5
