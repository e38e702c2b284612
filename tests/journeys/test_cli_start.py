"""From a bundle on: train it further, in full, in part or by a low-rank change; merge a change; go to ONNX."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.journeys.conftest import TINY, Ziggurat, train
from ziggurat.artefacts.tensors import read_tensors
from ziggurat.surface import api
from ziggurat.surface.cli import main


@pytest.fixture(scope="module")
def base(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a tiny decoder."""
    folder = tmp_path_factory.mktemp("runs") / "base"
    return train(folder, texts, "--recipe", "gpt", "--steps", "5", *TINY, "--tokens.vocab_size", "300")


@pytest.fixture(scope="module")
def changed(base: Path, texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that learnt a low-rank change of it."""
    folder = tmp_path_factory.mktemp("runs") / "changed"
    return train(folder, texts, "--start", base, "--steps", "5", "--training.lora_rank", "2")


def manifest(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "bundle" / "ziggurat.json").read_text(encoding="utf-8")))


def test_a_bundle_is_trained_on(base: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    out = tmp_path / "on"
    ended = ziggurat("train", texts, "--start", base, "--steps", "3", "--out", out)
    assert ended.code == 0, ended.err
    said, was = manifest(out), manifest(base)
    assert said["tokenizer"] == was["tokenizer"]
    assert said["training"]["start"] == {
        "from": str(base / "bundle"),
        "arrays": was["files"]["model.safetensors"]["sha256"],
    }
    recipe = tomllib.loads((out / "recipe.toml").read_text(encoding="utf-8"))
    assert (recipe["name"], recipe["start"], recipe["model"]["width"]) == ("gpt-adapted", str(base), 8)
    # gpt's rate is 3e-3
    assert (recipe["training"]["steps"], recipe["training"]["learning_rate"]) == (3, 0.0006)
    assert "training gpt-adapted" in ended.err
    assert "of them trained; in memory: weights" in ended.err
    assert "of memory while training" in ended.err
    assert "training the tokenizer" not in ended.err
    assert not (out / "adapter").exists()


def test_a_finished_run_resumes_at_once_and_can_be_repeated(changed: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    before = (changed / "bundle" / "model.safetensors").read_bytes()
    assert ziggurat("train", "--resume", changed).code == 0
    assert (changed / "bundle" / "model.safetensors").read_bytes() == before
    assert ziggurat("train", "--recipe", changed, "--out", tmp_path / "again").code == 0
    assert (tmp_path / "again" / "bundle" / "model.safetensors").read_bytes() == before


def test_a_low_rank_change_leaves_an_adapter_that_merges_into_the_same_bundle(
    base: Path, changed: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    assert sorted(file.name for file in (changed / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    training = manifest(changed)["training"]
    # one block of width 8, queries and values, each 2·(8 + 8) numbers; 8 bytes of optimiser each
    assert (training["trainable"], training["optimiser_bytes"]) == (64, 512)
    assert training["peak_bytes"] > 10_000_000
    ended = ziggurat("adapter", base, changed, "--out", tmp_path / "merged")
    assert (ended.code, ended.out.strip()) == (0, str(tmp_path / "merged"))
    folders = (tmp_path / "merged", changed / "bundle", base / "bundle")
    merged, learnt, before = (read_tensors(folder / "model.safetensors") for folder in folders)
    assert merged.keys() == learnt.keys() == before.keys()
    for name, array in merged.items():
        assert np.abs(np.asarray(array, np.float32) - np.asarray(learnt[name], np.float32)).max() <= 1e-7
        assert np.array_equal(array, before[name]) == (("q_proj" not in name) and ("v_proj" not in name)), name
    again = ziggurat("adapter", base, changed / "adapter", "--out", tmp_path / "merged")
    assert (again.code, "exists already; choose another --out" in again.err) == (2, True)
    written = ziggurat("generate", tmp_path / "merged", "--prompt", "the", "--max-tokens", "3")
    assert written.code == 0, written.err


def test_the_python_interface_trains_on(base: Path, texts: Path, tmp_path: Path) -> None:
    settings = {"training.steps": 2, "training.frozen": ["embed_tokens"]}
    model = api.train(str(texts), start=base, out=tmp_path / "api", settings=settings)
    facts = model.bundle.manifest.training
    assert facts["start"]["from"] == str(base / "bundle")
    assert facts["trainable"] < model.bundle.manifest.model["parameters"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model.width", "9"], "--model.width: comes with start"),
        (["--tokens.kind", "bytes"], "--tokens.kind: the tokenizer and embeddings come with start"),
        (["--recipe", "gpt"], "gpt.toml: tokens: comes with start"),
        (["--recipe", "lstm"], "lstm.toml: family: start"),
        (["--vectors", "skipgram"], "--vectors: the tokenizer and embeddings come with start"),
    ],
)
def test_what_comes_with_the_bundle_is_not_set(
    base: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat, arguments: list[str], message: str
) -> None:
    ended = ziggurat("train", texts, "--start", base, *arguments, "--out", tmp_path / "run")
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_what_can_t_be_trained_on_is_refused(
    base: Path, counted: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat("train", texts, "--start", counted, "--out", tmp_path / "run")
    assert (ended.code, "--start: " in ended.err, "ngram are made in one piece" in ended.err) == (2, True, True)
    ended = ziggurat("train", texts, "--start", tmp_path / "none", "--out", tmp_path / "run")
    assert (ended.code, "no such folder" in ended.err) == (2, True)
    ended = ziggurat("train", "--resume", base, "--start", base)
    assert (ended.code, "--start: a resumed run keeps its own text and recipe" in ended.err) == (2, True)
    ended = ziggurat("adapter", base, tmp_path, "--out", tmp_path / "out")
    assert (ended.code, "adapter_config.json: can't be read" in ended.err) == (2, True)


def test_a_start_that_was_replaced_ends_a_resumed_run(
    base: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from ziggurat.training.saves import Saves

    other = tmp_path / "start"
    shutil.copytree(base / "bundle", other)
    out = tmp_path / "run"
    arguments = ["--steps", "4", "--training.checkpoint_steps", "1", "--training.frozen", '["embed_tokens"]']
    save = Saves.save

    def stop(self: Saves, *given: Any, **keys: Any) -> None:
        save(self, *given, **keys)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Saves, "save", stop)
        assert main(["train", str(texts), "--start", str(other), *arguments, "--out", str(out), "--quiet"]) == 130
    shutil.rmtree(other)
    train(tmp_path / "second", texts, "--start", base, "--steps", "2")
    shutil.copytree(tmp_path / "second" / "bundle", other)
    ended = ziggurat("train", "--resume", out)
    assert (ended.code, "a checkpoint of another model or recipe" in ended.err) == (2, True)


@pytest.mark.slow
def test_a_trained_model_goes_to_onnx(base: Path, counted: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    pytest.importorskip("onnxscript", reason="the extra 'formats' is not installed")
    ended = ziggurat("export", base, tmp_path / "model.onnx")
    assert ended.code == 0, ended.err
    assert "model.onnx" in ended.err
    ended = ziggurat("import", tmp_path / "model.onnx", "--out", tmp_path / "back")
    assert (ended.code, "an ONNX graph is what a model computes" in ended.err) == (2, True)
    ended = ziggurat("export", counted, tmp_path / "counted.onnx")
    assert (ended.code, "as ONNX go decoders, LSTMs and encoders" in ended.err) == (2, True)
