"""GloVe by the command line: from text to neighbours, again to the last bit, and on after an interruption."""

import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.runs import read_metrics
from ziggurat.models.word_vectors import WordVectors

SMALL = ["--recipe", "glove", "--tokens.min_count", "1", "--model.width", "13", "--seed", "7"]


def vectors(run: Path) -> np.ndarray:
    model = load(run, verify=True).model
    assert isinstance(model, WordVectors)
    return model.vectors


def test_from_text_to_neighbours(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    ended = ziggurat("train", texts, *SMALL, "--epochs", "3", "--out", run)
    assert ended.code == 0, ended.err
    assert "counting co-occurrences" in ended.err
    assert "pairs of words near each other" in ended.err
    assert ended.err.splitlines()[-1].startswith("next: ziggurat vectors nearest")
    recipe = tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))
    assert (recipe["trainer"], recipe["training"]["epochs"], recipe["model"]["width"]) == ("glove", 3, 13)
    manifest = load(run, verify=True).manifest
    assert len(manifest.training["losses"]) == 3
    assert manifest.training["loss"] == manifest.training["losses"][-1]
    assert {event["event"] for event in read_metrics(run / "metrics.jsonl")} >= {"cooccurrences", "step", "end"}
    word = load(run).words.word(2)
    asked = ziggurat("vectors", "nearest", run, word)
    assert asked.code == 0, asked.err
    assert asked.out.strip()


def test_threads_and_memory_leave_every_byte_as_it_is(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    runs = [tmp_path / "one", tmp_path / "two"]
    others = [["--training.threads", "1"], ["--training.threads", "3", "--training.memory", "1M"]]
    for run, more in zip(runs, others, strict=True):
        assert ziggurat("train", texts, *SMALL, "--epochs", "2", "--out", run, *more).code == 0
    assert np.array_equal(vectors(runs[0]), vectors(runs[1]))


def test_ctrl_c_saves_and_the_resumed_run_ends_with_the_same_vectors(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    arguments = [*SMALL, "--epochs", "3000"]
    assert ziggurat("train", texts, *arguments, "--out", whole).code == 0
    program = [sys.executable, "-m", "ziggurat", "train", str(texts), *arguments, "--out", str(stopped)]
    process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)
    metrics = stopped / "metrics.jsonl"
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline and not (metrics.is_file() and '"event": "step"' in metrics.read_text()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    if process.returncode == 0:
        pytest.skip("it was done before the signal came")
    assert process.returncode == 130, said
    assert said.splitlines()[-1].endswith(f"go on with: ziggurat train --resume {stopped}")
    assert ziggurat("train", "--resume", stopped).code == 0
    assert np.array_equal(vectors(whole), vectors(stopped))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model.longest_ngram", "5"], "model.longest_ngram: GloVe learns words whole"),
        (["--training.memory", "much"], "training.memory: expected a size like 800M"),
        (["--training.x_max", "0"], "--training.x_max: must be at least"),
        (["--training.windw", "5"], "did you mean '--training.window'"),
        (["--tokens.min_count", "100000"], "no two words stand near each other"),
        (["--epochs", "1.5"], "expected a whole number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, arguments: list[str], said: str
) -> None:
    ended = ziggurat("train", texts, *SMALL, *arguments, "--out", tmp_path / "run", "--quiet")
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == 1
