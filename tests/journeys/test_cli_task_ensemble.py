"""An ensemble of classifiers from labelled files to answers: trained in parts, resumed, described, asked."""

import json
from pathlib import Path
from typing import Any

import pytest

import ziggurat as package
from tests.journeys.conftest import Ziggurat
from tests.journeys.test_cli_task import rows, table
from ziggurat.artefacts.bundle import load
from ziggurat.surface.cli import main

PART = "--lstm-classifier"
SMALL = [f"{PART}.model.hidden", "6", f"{PART}.training.epochs", "none", f"{PART}.training.steps", "30"]
GIVEN = ["--recipe", "classifier-ensemble", *SMALL]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Word vectors of a few reviews, seven numbers each."""
    folder = tmp_path_factory.mktemp("vectors")
    lines = [json.dumps({"text": " . ".join(text for text, _ in rows(part, 6))}) for part in range(0, 240, 6)]
    (folder / "text.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["train", str(folder / "text.jsonl"), "--recipe", "task-vectors", "--model.width", "7", "--quiet"]
    assert main([*words, "--training.threads", "1", "--epochs", "2", "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def run(vectors: Path) -> Path:
    """A finished run of an ensemble that began with them."""
    train, test = table(vectors.parent / "train.tsv", rows(0, 60)), table(vectors.parent / "test.tsv", rows(100, 20))
    out = vectors.parent / "ensemble"
    words = ["task", "classification", "train", str(train), "--test", str(test), "--vectors", str(vectors)]
    assert main([*words, *SMALL, "--out", str(out), "--quiet", "--json"]) == 0
    return out


def test_vectors_at_hand_begin_the_part_that_embeds_and_all_parts_read_with_their_tokenizer(
    run: Path, vectors: Path
) -> None:
    whole, lender = load(run), load(vectors)
    assert whole.manifest.recipe["name"] == "classifier-ensemble"  # what the task takes where vectors are at hand
    parts = {name: load(run / "parts" / name) for name in ("linear", "lstm-classifier")}
    for bundle in (whole, *parts.values()):
        assert bundle.manifest.tokenizer["fingerprint"] == lender.manifest.tokenizer["fingerprint"]
    facts = parts["lstm-classifier"].manifest.training
    assert facts["vectors"]["from"] == str(vectors / "bundle")
    assert parts["lstm-classifier"].manifest.recipe["model"]["embedding"] == 7
    assert "vectors" not in parts["linear"].manifest.training


def test_what_the_parts_say_is_pooled_by_the_weights_on_record(run: Path) -> None:
    whole: Any = load(run).model
    facts = load(run).manifest.training
    assert facts["weights"] == pytest.approx(list(whole.weights))
    assert len(facts["parts_dev_accuracy"]) == 2
    assert load(run).manifest.metrics["test"]["label_accuracy"] > 0.9
    assert load(run).manifest.model["gives"] == "labels"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_asked_as_any_classifier(run: Path, language: str, ziggurat: Ziggurat) -> None:
    said = package.load(run).classify(["clever and moving", "silly and loud"])
    assert [one.answer for one in said] == ["good", "bad"]
    ended = ziggurat("task", "classification", "evaluate", run, run.parent / "test.tsv", "--lang", language)
    assert ended.code == 0, ended.err
    ended = ziggurat("task", "classification", "predict", run, run.parent / "test.tsv", "--quiet")
    assert len(ended.out.splitlines()) == 40
    ended = ziggurat("describe", run, "--lang", language)
    assert ended.code == 0, ended.err


def test_its_recipe_is_written_whole_and_trains_the_same_again(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    again = tmp_path / "again"
    given = ["--recipe", run, "--test", run.parent / "test.tsv", "--out", again, "--quiet"]
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given)
    assert ended.code == 0, ended.err
    first, second = (load(folder).manifest for folder in (run, again))
    assert first.files["model.safetensors"]["sha256"] == second.files["model.safetensors"]["sha256"]


@pytest.mark.parametrize("begun", [False, True])
def test_a_run_that_was_stopped_goes_on_without_training_its_parts_again(
    begun: bool, run: Path, vectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    out = tmp_path / "run"
    given = [*GIVEN, *(["--vectors", vectors] if begun else []), "--out", out]
    with monkeypatch.context() as patch:
        patch.setattr("ziggurat.training.opinion_pool.fit_weights", interrupted)
        ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given)
    assert (ended.code, ended.out) == (130, "")
    parts = [out / "parts" / name / "bundle" / "model.safetensors" for name in ("linear", "lstm-classifier")]
    written = [part.stat().st_mtime_ns for part in parts]
    ended = ziggurat("task", "classification", "train", "--resume", out, "--json")
    assert ended.code == 0, ended.err
    assert [one["recipe"] for one in json.loads(ended.out)["models"]] == ["linear", "classifier-ensemble"]
    assert [part.stat().st_mtime_ns for part in parts] == written
    said = [load(out / "parts" / name).manifest.recipe for name in ("linear", "lstm-classifier")]
    assert [recipe.get("tokens", {}).get("kind") for recipe in said] == ([None] * 2 if begun else ["words"] * 2)


@pytest.mark.parametrize("recipe", ["lstm-classifier", "classifier-ensemble"])
def test_vectors_may_be_learnt_from_the_labelled_texts_themselves(
    recipe: str, run: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    small = SMALL if recipe == "classifier-ensemble" else [one.replace(f"{PART}.", "--") for one in SMALL]
    given = ["--recipe", recipe, *small, "--vectors", "cbow", "--out", tmp_path / "run", "--quiet"]
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given)
    assert ended.code == 0, ended.err
    bundle = load(
        tmp_path / "run" / "parts" / "lstm-classifier" if recipe == "classifier-ensemble" else tmp_path / "run"
    )
    facts = bundle.manifest.training["vectors"]
    assert facts["found"] == facts["of"] - len(bundle.tokenizer.vocabulary.special)
    assert bundle.manifest.tokenizer["kind"] == "words"


def test_none_takes_the_vectors_of_a_run_away(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    given = ["--recipe", run, "--vectors", "none", "--out", tmp_path / "run", "--quiet"]
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given)
    assert ended.code == 0, ended.err
    assert "vectors" not in load(tmp_path / "run" / "parts" / "lstm-classifier").manifest.training
    assert load(tmp_path / "run").manifest.tokenizer["fingerprint"] != load(run).manifest.tokenizer["fingerprint"]


def test_what_does_not_fit_a_part_names_the_key_of_the_part(run: Path, vectors: Path, ziggurat: Ziggurat) -> None:
    given = ["--vectors", vectors, f"{PART}.model.embedding", "9"]
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given)
    assert (ended.code, ended.out) == (2, "")
    assert "lstm-classifier.model.embedding is 9: set lstm-classifier.model.embedding to 7" in ended.err


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_minutes_are_a_budget_of_the_part_that_takes_some(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    given = ["--recipe", "classifier-ensemble", "--minutes", "0.02", "--out", tmp_path / "run", "--quiet"]
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given)
    assert ended.code == 0, ended.err
    assert load(tmp_path / "run" / "parts" / "lstm-classifier").manifest.training["seconds"] < 3
