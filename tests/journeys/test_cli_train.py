"""From text to a model by the command line: by every recipe's way, again, and on after an interruption."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.journeys.conftest import TINY, Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.runs import read_metrics

SMALL = ["--tokens.vocab_size", "300"]


def test_training_leaves_a_complete_run_and_says_what_next(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    ended = ziggurat("train", texts, "--recipe", "gpt", "--steps", "5", *TINY, *SMALL, "--seed", "7", "--out", run)
    assert ended.code == 0, ended.err
    assert ended.err.splitlines()[-1] == f'next: ziggurat generate {run} --prompt "…"'
    assert "bits per byte" in ended.out
    assert {path.name for path in run.iterdir() if path.name[0] != "."} >= {
        "recipe.toml", "metrics.jsonl", "checkpoints", "bundle"
    }  # fmt: skip
    recipe = tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))
    assert (recipe["seed"], recipe["model"]["width"], recipe["training"]["steps"]) == (7, 8, 5)
    assert recipe["sources"] == [str(texts)]
    assert "minutes" not in recipe["training"]
    manifest = load(run, verify=True).manifest
    assert manifest.training["steps"] == 5
    assert manifest.entry("metrics.test.low") <= manifest.entry("metrics.test.bits_per_byte")
    assert manifest.entry("corpus.near_duplicates_across_splits") == 0
    assert manifest.recipe["model"] == recipe["model"]
    assert {event["event"] for event in read_metrics(run / "metrics.jsonl")} >= {"start", "step", "eval", "end"}


def test_a_run_can_be_repeated_from_its_recipe(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert ziggurat("train", texts, "--steps", "3", *TINY, *SMALL, "--out", first).code == 0
    assert ziggurat("train", "--recipe", first, "--out", second).code == 0
    weights = [(run / "bundle" / "model.safetensors").read_bytes() for run in (first, second)]
    assert weights[0] == weights[1]


def test_the_environment_sets_keys_and_flags_go_before_it(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZIGGURAT_MODEL_ORDER", "2")
    monkeypatch.setenv("ZIGGURAT_SEED", "11")
    monkeypatch.setenv("ZIGGURAT_TOKENS_KIND", "bytes")
    assert ziggurat("train", texts, "--recipe", "ngram", "--model.order", "3", "--out", tmp_path / "run").code == 0
    recipe = tomllib.loads((tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8"))
    assert (recipe["model"]["order"], recipe["seed"], recipe["tokens"]["kind"]) == (3, 11, "bytes")


def test_a_mixture_trains_its_parts_and_knows_them(mixed: Path) -> None:
    manifest = load(mixed).manifest
    assert sorted(manifest.recipe["parts"]) == ["gpt", "ngram"]
    assert manifest.recipe["parts"]["gpt"]["model"]["width"] == 8
    assert len(manifest.training["weights"]) == 2
    for part in ("gpt", "ngram"):
        assert load(mixed / "parts" / part).tokenizer.fingerprint == manifest.tokenizer["fingerprint"]


def test_chinese_text_in_its_own_encoding(chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    ended = ziggurat("--lang", "zh", "train", chinese_texts, "--recipe", "ngram", *SMALL, "--out", run)
    assert ended.code == 0, ended.err
    assert "每字节比特数" in ended.out
    assert "下一步：ziggurat generate" in ended.err
    text = ziggurat("generate", run, "--prompt", "塔楼", "--max-tokens", "20", "--seed", "3").out
    assert text.startswith("塔楼")
    assert "\ufffd" not in text


def test_runs_below_the_current_folder_get_names_of_their_own(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert ziggurat("train", texts, "--recipe", "ngram", *SMALL, "--quiet").code == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["tower-ngram", "tower-ngram-2"]


def test_json_is_one_object_and_nothing_else(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("train", texts, "--recipe", "ngram", *SMALL, "--out", tmp_path / "run", "--json", "--quiet")
    found = json.loads(ended.out)
    assert ended.err == ""
    assert list(found) == ["version", "run", "bundle", "family", "training", "metrics"]
    assert found["metrics"]["bits_per_byte"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "gtp"], "unknown recipe 'gtp'; did you mean 'gpt'?"),
        (["--model.layer", "3"], "unknown option '--model.layer'; did you mean '--model.layers'?"),
        (["--modell.layers", "3"], "unknown option '--modell.layers'; did you mean '--model.layers'?"),
        (["--minuts", "3"], "unknown option '--minuts'; did you mean '--minutes'?"),
        (["--model.layers", "many"], "--model.layers: expected a whole number, got 'many'"),
        (["--model.layers", "0"], "--model.layers: must be at least 1, got 0"),
        (["--model.layers"], "--model.layers: needs a value"),
        (["--tokens.kind", "bep"], "--tokens.kind: unknown tokenizer 'bep'; did you mean 'bpe'?"),
        (["--steps", "3", "--minutes", "1"], "--minutes and --steps: give one budget, not 2"),
        (["--recipe", "ngram", "--minutes", "1"], "recipe ngram is fitted in one pass and takes no budget"),
        (["--recipe", "mixture", "--gpt.model.layer", "3"], "unknown option '--gpt.model.layer'"),
        (["--recipe", "mixture", "--gpt.tokens.kind", "words"], "parts share it; set --tokens.kind"),
        (["--recipe", "nowhere.toml"], "nowhere.toml: can't be read (No such file or directory)"),
        (["--model.width", "10"], "width (10) is not a multiple of heads (4)"),
    ],
)
def test_a_wrong_option_is_one_line_and_makes_no_folder(
    arguments: list[str], message: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = ziggurat("train", texts, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert message in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_neither_overwritten_nor_joined(
    counted: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat("train", texts, "--recipe", "ngram", "--out", counted)
    assert (ended.code, "holds a finished run; choose another --out" in ended.err) == (2, True)
    (tmp_path / "recipe.toml").write_bytes((counted / "recipe.toml").read_bytes())
    ended = ziggurat("train", texts, "--recipe", "ngram", "--out", tmp_path)
    assert (ended.code, f"go on with '--resume {tmp_path}'" in ended.err) == (2, True)
    ended = ziggurat("train", "--resume", tmp_path / "none")
    assert (ended.code, "no run to go on with" in ended.err) == (2, True)
    ended = ziggurat("train", "--resume", counted, "--minutes", "3")
    assert (ended.code, "--minutes: a resumed run keeps its own text and recipe" in ended.err) == (2, True)


def test_resuming_a_finished_run_changes_nothing(counted: Path, ziggurat: Ziggurat) -> None:
    before = {path: path.read_bytes() for path in (counted / "bundle").iterdir()}
    ended = ziggurat("train", "--resume", counted)
    assert ended.code == 0, ended.err
    assert {path: path.read_bytes() for path in (counted / "bundle").iterdir()} == before


def test_ctrl_c_saves_and_the_resumed_run_ends_with_the_same_weights(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    arguments = ["train", str(texts), "--steps", "120", *TINY, *SMALL, "--training.precision", "f32"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ziggurat", *arguments, "--out", str(stopped)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not read_metrics(stopped / "metrics.jsonl")[3:]:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    last = err.splitlines()[-1]
    assert last.startswith("error: stopped at step ")
    assert last.endswith(f"; go on with: ziggurat train --resume {stopped}")
    assert not (stopped / "bundle").exists()
    assert ziggurat("train", "--resume", stopped).code == 0
    assert ziggurat(*arguments, "--out", whole).code == 0
    weights = [(run / "bundle" / "model.safetensors").read_bytes() for run in (whole, stopped)]
    assert weights[0] == weights[1]
