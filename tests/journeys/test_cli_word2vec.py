"""Word2Vec by the command line, English and Chinese: every way of training, n-grams of spellings, an interruption."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.conftest import Ended, Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.runs import read_metrics
from ziggurat.models.word_vectors import WordVectors
from ziggurat.tokens.character_ngrams import bucket_ids

SMALL = ["--tokens.min_count", "2", "--model.width", "13", "--training.threads", "1", "--seed", "7"]
SPELLED = ["--model.longest_ngram", "5", "--model.buckets", "997"]
CHINESE = ["--tokens.split", "unicode", "--model.shortest_ngram", "1"]


def vectors(run: Path) -> WordVectors:
    model = load(run, verify=True).model
    assert isinstance(model, WordVectors)
    return model


def trained(ziggurat: Ziggurat, text: Path, run: Path, *arguments: str, recipe: str = "skipgram") -> Ended:
    ended = ziggurat("train", text, "--recipe", recipe, *SMALL, *arguments, "--out", run)
    assert ended.code == 0, ended.err
    return ended


# -- every way of training --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["negative", "hierarchical", "softmax"])
@pytest.mark.parametrize("recipe", ["skipgram", "cbow"])
def test_every_objective_learns_from_text(
    recipe: str, objective: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    run = tmp_path / "run"
    rate = "0.025" if objective == "softmax" else "0.1"  # the softmax takes a window's neighbours in one step
    trained(ziggurat, texts, run, "--epochs", "5", "--training.objective", objective,
            "--training.learning_rate", rate, recipe=recipe)  # fmt: skip
    facts = load(run).manifest.training
    assert len(facts["losses"]) == facts["epochs"] == 5
    assert facts["losses"][-1] < facts["losses"][0]
    assert facts["dev_pairs"] == sum(pairs for _, pairs in facts["dev_parts"])
    assert facts["dev_loss"] > 0
    asked = json.loads(ziggurat("vectors", "nearest", run, "tower", "--count", "3", "--json").out)
    assert len(asked["answers"][0]["nearest"]) == 3


def test_the_articles_recipe_is_the_exact_formula(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    # a word is followed and preceded by few others in this text: an exact softmax must beat guessing among all words
    run = tmp_path / "run"
    trained(ziggurat, texts, run, "--epochs", "3", "--training.learning_rate", "0.5", recipe="article-skipgram")
    recipe = tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))["training"]
    assert (recipe["objective"], recipe["window"], recipe["dynamic_window"], recipe["sample"]) == (
        "softmax", 1, False, 0.0,
    )  # fmt: skip
    model, facts = vectors(run), load(run).manifest.training
    words = int((model.counts > 0).sum()) if model.counts is not None else 0
    assert facts["dev_loss"] < 0.8 * np.log(words)
    # with a window of one word each pair of neighbours is predicted from both ends
    assert facts["dev_pairs"] % 2 == 0


def test_what_is_told_while_it_learns_is_of_pairs_and_no_bits(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = trained(ziggurat, texts, tmp_path / "run", "--epochs", "2")
    assert "bits per byte" not in ended.err + ended.out
    assert "words/s" in ended.err
    assert ended.err.splitlines()[-1] == f"next: ziggurat vectors nearest {tmp_path / 'run'} WORD"
    told = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert {event["per"] for event in told if event["event"] == "step"} == {"pair"}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    for name, more in (("a", []), ("b", []), ("c", ["--training.sample", "0.01"])):
        trained(ziggurat, texts, tmp_path / name, "--epochs", "1", *more)
    first, same, other = ((tmp_path / name / "bundle" / "model.safetensors").read_bytes() for name in "abc")
    assert first == same
    assert first != other


# -- words that were never seen ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spelled(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_once(tmp_path_factory.mktemp("spelled") / "english", texts, [*SPELLED, "--training.epochs", "2"])


@pytest.fixture(scope="module")
def chinese_spelled(chinese_texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spelled") / "中文"
    return run_once(folder, chinese_texts, [*SPELLED, *CHINESE, "--training.epochs", "2"])


def run_once(folder: Path, text: Path, arguments: list[str]) -> Path:
    from ziggurat.surface.cli import main

    assert main(["train", str(text), "--recipe", "skipgram", *SMALL, *arguments, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_an_english_word_that_was_never_seen_is_answered(spelled: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "nearest", spelled, "remembering", "--count", "3")
    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) == 3
    assert "'remembering' is not in the vocabulary: its vector is made of its character n-grams" in ended.err
    # most of what it is spelled with, it shares with a word of the text
    assert "remembers" in [line.split()[0] for line in ended.out.splitlines()]


def test_a_chinese_word_that_was_never_seen_is_answered_in_chinese(chinese_spelled: Path, ziggurat: Ziggurat) -> None:
    known = load(chinese_spelled).words
    assert known.find("石塔") is None
    ended = ziggurat("--lang", "zh", "vectors", "nearest", chinese_spelled, "石塔", "--count", "2")
    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) == 2
    assert "“石塔”不在词表中：其向量由字符 n 元组合成" in ended.err


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_its_vector_is_the_mean_of_what_was_learnt(
    language: str, spelled: Path, chinese_spelled: Path, ziggurat: Ziggurat
) -> None:
    run, word = (spelled, "remembering") if language == "english" else (chinese_spelled, "石塔")
    model = vectors(run)
    assert model.ngrams is not None
    config, (known, parts) = model.config, model.ngrams
    assert (np.diff(known) > 0).all()
    buckets = bucket_ids(word, config.shortest_ngram, config.longest_ngram, config.buckets)
    found = [parts[list(known).index(bucket)] for bucket in buckets if bucket in known]
    assert found
    expected = np.mean(found, axis=0)
    other = load(run).words.word(5)
    own = model.vectors[5]
    cosine = float(expected @ own / np.linalg.norm(expected) / np.linalg.norm(own))
    ended = ziggurat("vectors", "similarity", run, word, other, "--quiet")
    assert float(ended.out) == pytest.approx(cosine, abs=6e-5)


def test_without_ngrams_a_word_that_was_never_seen_is_refused(learnt: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "nearest", learnt, "remembered")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "unknown word 'remembered'; did you mean 'remembers'" in ended.err


def test_ngrams_come_back_from_the_bundle_as_the_recipe_wrote_them(spelled: Path) -> None:
    recipe = tomllib.loads((spelled / "recipe.toml").read_text(encoding="utf-8"))
    assert (recipe["trainer"], recipe["model"]["longest_ngram"], recipe["model"]["buckets"]) == ("word2vec", 5, 997)
    model = vectors(spelled)
    assert model.config.spells
    assert model.ngrams is not None
    assert 0 <= model.ngrams[0].min() <= model.ngrams[0].max() < 997
    (begun,) = [event for event in read_metrics(spelled / "metrics.jsonl") if event["event"] == "start"]
    # words, their targets and n-grams, thirteen numbers each, in rows of sixteen
    assert begun["parameters"] == 16 * (2 * model.vocabulary.size + len(model.ngrams[0]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model.longest_ngram", "2"], "longest_ngram: must not be below shortest_ngram"),
        (["--model.longest_ngram", "5", "--training.objective", "softmax"], "training.objective: softmax knows whole"),
        (["--training.objectiv", "softmax"], "did you mean '--training.objective'"),
        (["--training.objective", "hierarchic"], "unknown value 'hierarchic'; did you mean 'hierarchical'?"),
        (["--training.negatives", "0"], "--training.negatives: must be from 1 to 100, got 0"),
        (["--training.x_max", "10"], "unknown option '--training.x_max'"),
        (["--tokens.min_count", "100000"], "fewer than two different words to learn from"),
        (["--training.learning_rate", "1e9", "--training.final_rate", "1e9"], "training.learning_rate: vectors grew"),
        (["--steps", "3"], "--steps: recipe skipgram takes another budget, --epochs"),
        (["--minutes", "3"], "--minutes: recipe skipgram takes another budget, --epochs"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    arguments: list[str], said: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat("train", texts, "--recipe", "skipgram", *SMALL, *arguments, "--out", tmp_path / "run", "--quiet")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err


# -- an interruption --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_ctrl_c_saves_and_the_resumed_run_ends_with_the_same_vectors(
    language: str, texts: Path, chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    text, more = (texts, SPELLED) if language == "english" else (chinese_texts, CHINESE)
    whole, stopped = tmp_path / "whole", tmp_path / "停"
    arguments = [*more, "--epochs", "150" if language == "english" else "600"]
    trained(ziggurat, text, whole, *arguments)
    program = [sys.executable, "-m", "ziggurat", "train", str(text), "--recipe", "skipgram", *SMALL, *arguments]
    process = subprocess.Popen(
        [*program, "--out", str(stopped)], stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    metrics = stopped / "metrics.jsonl"
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and not (metrics.is_file() and '"event": "start"' in metrics.read_text()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    if process.returncode == 0:
        pytest.skip("it was done before the signal came")
    assert process.returncode == 130, said
    assert said.splitlines()[-1].startswith("error: stopped at step ")
    assert said.splitlines()[-1].endswith(f"go on with: ziggurat train --resume {shlex.quote(str(stopped))}")
    assert not (stopped / "bundle").exists()
    ended = ziggurat("train", "--resume", stopped)
    assert ended.code == 0, ended.err
    assert "going on from step" in ended.err
    files = [(run / "bundle" / "model.safetensors").read_bytes() for run in (whole, stopped)]
    assert files[0] == files[1]
    facts = [load(run).manifest.training for run in (whole, stopped)]
    assert facts[0]["losses"] == pytest.approx(facts[1]["losses"], rel=1e-12)
