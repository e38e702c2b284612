"""A recipe with a budget of minutes, made repeatable: the steps that those minutes came to."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bundles import make_bundle
from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.study.steps import in_steps


def trained(folder: Path, facts: dict[str, Any], family: str = "ngram") -> Bundle:
    """A bundle whose manifest says this of its training."""
    bundle = make_bundle(folder / family, family)
    return dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, training=facts))


@pytest.mark.parametrize("name", ["gpt", "lstm"])
def test_minutes_become_the_steps_that_were_made(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name).change({"training.minutes": 3.0})
    facts = {"steps": 137, "decay_steps": 41, "evaluate_steps": 11, "seconds": 180.0}
    found = in_steps(recipe, trained(tmp_path, facts)).training
    assert (found.steps, found.minutes, found.epochs) == (137, None, None)
    assert (found.decay_steps, found.evaluate_steps) == (41, 11)
    # nothing else is another recipe
    assert found == dataclasses.replace(recipe.training, steps=137, minutes=None, decay_steps=41, evaluate_steps=11)


def test_a_rhythm_that_was_not_recorded_stays_the_recipes_own(tmp_path: Path) -> None:
    recipe = load_recipe("gpt")
    found = in_steps(recipe, trained(tmp_path, {"steps": 7, "decay_steps": None})).training
    assert found.steps == 7
    assert found.decay_steps == recipe.training.decay_steps
    assert found.evaluate_steps == recipe.training.evaluate_steps


@pytest.mark.parametrize("name", ["ngram", "skipgram", "cbow", "glove"])
def test_what_is_not_trained_in_steps_comes_back_as_it_is(name: str, tmp_path: Path) -> None:
    # Word2Vec records how many stretches it took, which are no steps that a recipe could ask for
    recipe = load_recipe(name)
    assert in_steps(recipe, trained(tmp_path, {"steps": 137, "epochs": 5})) is recipe


@pytest.mark.parametrize("facts", [{}, {"steps": None}, {"steps": 0}])
def test_without_a_record_nothing_is_changed(facts: dict[str, Any], tmp_path: Path) -> None:
    recipe = load_recipe("gpt")
    assert in_steps(recipe, trained(tmp_path, facts)) is recipe
