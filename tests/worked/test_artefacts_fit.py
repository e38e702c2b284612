"""From corpus to bundle: each stage once, again only where what decided it changed or its result is damaged."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.jobs import Recorder
from tests.fakes.texts import documents
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.fit import Material, fit, prepare_material
from ziggurat.artefacts.recipe import Recipe, load_recipe, resolve
from ziggurat.artefacts.runs import read_metrics
from ziggurat.core.errors import TooLittleTextError
from ziggurat.text.corpus import Corpus
from ziggurat.tokens.loading import TOKENIZERS

BYTES = TOKENIZERS.get("bytes").config()
RECIPE = load_recipe("ngram").change({"model.order": 2, "tokens.kind": "bytes"})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("fit")
    return prepared(folder, write_lines(folder / "a.jsonl", [json.dumps({"text": text}) for text in documents(61)]))


@pytest.fixture(scope="module")
def material(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Material:
    return prepare_material(corpus, "bytes", BYTES, tmp_path_factory.mktemp("material"))


def stages(recorder: Recorder) -> list[str]:
    return [" ".join(str(event.get(key, "")) for key in ("stage", "split")).strip() for event in recorder.of("stage")]


def prepare(corpus: Corpus, folder: Path, kind: str = "bytes", config: Any = BYTES) -> tuple[Material, list[str]]:
    recorder = Recorder()
    material = prepare_material(corpus, kind, config, folder, listener=recorder)
    return material, stages(recorder)


ALL = ["tokenizer", "ids train", "ids dev"]


def test_a_second_preparation_finds_the_first(corpus: Corpus, tmp_path: Path) -> None:
    first, made = prepare(corpus, tmp_path)
    again, made_again = prepare(corpus, tmp_path)
    assert made == ALL
    assert made_again == []
    assert again.key == first.key
    np.testing.assert_array_equal(again.train.tokens, first.train.tokens)


def test_the_ids_are_the_splits_and_nothing_of_the_test_split(corpus: Corpus, material: Material) -> None:
    assert material.dev is not None
    assert (len(material.train), len(material.dev)) == (len(corpus.train), len(corpus.dev))
    assert material.train.size_bytes == corpus.train.size_bytes
    # A document of n bytes is n ids and the end token that it shares with the one before it; one more opens the first.
    assert len(material.train.tokens) == corpus.train.size_bytes + len(corpus.train) + 1
    assert material.corpus == corpus.facts()


def test_how_far_text_was_compressed_is_told(corpus: Corpus, tmp_path: Path) -> None:
    recorder = Recorder()
    material = prepare_material(corpus, "bytes", BYTES, tmp_path, listener=recorder)
    (told,) = recorder.of("ids")
    assert told["bytes"] == corpus.train.size_bytes
    assert told["bytes_per_token"] == pytest.approx(corpus.train.size_bytes / len(material.train.tokens))


@pytest.mark.parametrize(
    ("damaged", "made"),
    [
        ("tokenizer.json", ["tokenizer"]),
        (".tokenizer.done", ["tokenizer"]),
        (".train.done", ["ids train"]),
        (".dev.done", ["ids dev"]),
    ],
)
def test_what_is_damaged_is_made_again_and_only_that(
    damaged: str, made: list[str], corpus: Corpus, tmp_path: Path
) -> None:
    before, _ = prepare(corpus, tmp_path)
    (tmp_path / damaged).write_text("{")
    after, again = prepare(corpus, tmp_path)
    assert again == made
    assert after.tokenizer.fingerprint == before.tokenizer.fingerprint


def test_a_store_that_was_cut_short_is_written_again(corpus: Corpus, tmp_path: Path) -> None:
    before, _ = prepare(corpus, tmp_path)
    tokens = np.array(before.train.tokens)
    largest = max((tmp_path / "train").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-7])
    after, made = prepare(corpus, tmp_path)
    assert made == ["ids train"]
    np.testing.assert_array_equal(after.train.tokens, tokens)


def test_another_tokenizer_makes_all_of_it_again(corpus: Corpus, tmp_path: Path) -> None:
    first, _ = prepare(corpus, tmp_path)
    characters = TOKENIZERS.get("characters")
    second, made = prepare(corpus, tmp_path, "characters", characters.config())
    third, made_again = prepare(corpus, tmp_path, "characters", characters.config(min_count=5))
    assert made == made_again == ALL
    assert len({first.key, second.key, third.key}) == 3


def test_another_text_is_another_key(corpus: Corpus, tmp_path: Path) -> None:
    first, _ = prepare(corpus, tmp_path)
    second, made = prepare(replace(corpus, fingerprint="0" * 16), tmp_path)
    assert made == ALL
    assert second.key != first.key


def test_an_empty_training_split_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    empty = replace(corpus, train=replace(corpus.train, rows=corpus.train.rows[:0], size_bytes=0))
    with pytest.raises(TooLittleTextError, match="the training split is empty"):
        prepare(empty, tmp_path)


def fitted(recipe: Recipe, material: Material, folder: Path) -> list[str]:
    recorder = Recorder()
    fit(recipe, material, folder, listener=recorder)
    return stages(recorder)


def test_a_fit_leaves_a_bundle_that_says_where_it_came_from(material: Material, tmp_path: Path) -> None:
    recipe = RECIPE.change({"seed": 11}).with_sources(["a.txt"])
    made = fit(recipe, material, tmp_path)
    opened = load(tmp_path, verify=True)
    assert opened.manifest == made.manifest
    assert opened.manifest.recipe == recipe.to_mapping()
    assert resolve(opened.manifest.recipe, where="x").to_mapping() == recipe.to_mapping()
    assert opened.manifest.seed == 11
    assert opened.manifest.corpus["fingerprint"] == material.corpus["fingerprint"]
    assert opened.tokenizer.fingerprint == material.tokenizer.fingerprint
    told = [event["stage"] for event in read_metrics(tmp_path / "metrics.jsonl") if event["event"] == "stage"]
    assert told == ["training", "bundle"]


def test_a_finished_fit_is_opened_and_a_changed_one_made_again(material: Material, tmp_path: Path) -> None:
    assert fitted(RECIPE, material, tmp_path) == ["training", "bundle"]
    assert fitted(RECIPE, material, tmp_path) == []
    assert fitted(RECIPE.with_sources(["elsewhere/a.txt"]), material, tmp_path) == []  # the same text, moved
    assert fitted(RECIPE.change({"model.order": 3}), material, tmp_path) == ["training", "bundle"]
    assert load(tmp_path).manifest.recipe["model"]["order"] == 3
    (tmp_path / "bundle" / "ziggurat.json").unlink()
    assert fitted(RECIPE.change({"model.order": 3}), material, tmp_path) == ["training", "bundle"]


def test_parts_are_fitted_first_each_in_its_folder_and_named(material: Material, tmp_path: Path) -> None:
    raw = {
        "family": "mixture",
        "tokens": {"kind": "bytes"},
        "parts": {
            "two": {"family": "ngram", "model": {"order": 2}},
            "four": {"family": "ngram", "model": {"order": 4}},
        },
    }
    recipe = resolve(raw, where="my.toml")
    recorder = Recorder()
    bundle = fit(recipe, material, tmp_path, listener=recorder)
    told = [(event["stage"], event.get("part")) for event in recorder.of("stage")]
    assert told == [
        ("training", "two"),
        ("bundle", "two"),
        ("training", "four"),
        ("bundle", "four"),
        ("training", None),
        ("bundle", None),
    ]
    assert bundle.manifest.recipe["model"]["parts"] == ["ngram", "ngram"]
    assert load(tmp_path / "parts" / "four").manifest.recipe["model"]["order"] == 4
    # What was fitted alone is the same when it is a part, and is not fitted again when the whole changes.
    assert fitted(recipe.change({"training.follow": False}), material, tmp_path) == ["training", "bundle"]
    alone = fit(RECIPE, material, tmp_path / "alone")
    part = load(tmp_path / "parts" / "two")
    inside = [load(tmp_path / "parts" / name).manifest.training["seconds"] for name in ("two", "four")]
    assert bundle.manifest.training["seconds"] > sum(inside) > 0
    ids = material.train.document(0)[None]
    lengths = np.array([ids.shape[1]], np.int32)
    np.testing.assert_array_equal(
        part.language_model.token_logprobs(ids, lengths), alone.language_model.token_logprobs(ids, lengths)
    )
