"""Networks on counts from the command line: trained on from a bundle, changed by low rank, merged, used."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.journeys.conftest import TINY, Ziggurat, train
from ziggurat.artefacts.tensors import read_tensors

KEYS = (*TINY, "--tokens.vocab_size", "300", "--model.order", "3", "--training.folds", "2")
CHANGED = ("model.network.stack.layers.0.self_attn.q_proj", "model.network.stack.layers.0.self_attn.v_proj")


@pytest.fixture(scope="module")
def base(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a tiny decoder on counts."""
    folder = tmp_path_factory.mktemp("runs") / "base"
    return train(folder, texts, "--recipe", "counted-gpt", "--steps", "5", *KEYS)


@pytest.fixture(scope="module")
def changed(base: Path, texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that learnt a low-rank change of it."""
    folder = tmp_path_factory.mktemp("runs") / "changed"
    return train(folder, texts, "--start", base, "--steps", "5", "--training.lora_rank", "2", "--training.folds", "2")


def arrays(folder: Path) -> dict[str, Any]:
    return dict(read_tensors(folder / "model.safetensors"))


def manifest(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "bundle" / "ziggurat.json").read_text(encoding="utf-8")))


def test_it_is_trained_on_and_its_counts_are_those_of_the_text(base: Path, texts: Path, tmp_path: Path) -> None:
    on = train(tmp_path / "on", texts, "--start", base, "--steps", "3", "--training.folds", "2")
    before, after = arrays(base / "bundle"), arrays(on / "bundle")
    assert before.keys() == after.keys()
    counts = {name for name in before if name.startswith("counts.")}
    assert counts
    # the same text, so the same counts; and every weight that learns has moved
    assert all(np.array_equal(before[name], after[name]) for name in counts)
    assert not np.array_equal(before["trust.bias"], after["trust.bias"])
    said = manifest(on)["training"]
    assert (said["folds"], said["steps"]) == (2, 3)
    assert said["ngrams_kept"] == manifest(base)["training"]["ngrams_kept"]


def test_a_low_rank_change_reaches_the_network_inside_and_nothing_else(base: Path, changed: Path) -> None:
    before, after = arrays(base / "bundle"), arrays(changed / "bundle")
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {f"{name.removeprefix('model.')}.weight" for name in CHANGED}
    # one block of width 8, queries and values, each 2·(8 + 8) numbers
    assert manifest(changed)["training"]["trainable"] == 64


def test_the_change_merges_into_the_same_model(base: Path, changed: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("adapter", base, changed, "--out", tmp_path / "merged")
    assert ended.code == 0, ended.err
    merged, learnt = arrays(tmp_path / "merged"), arrays(changed / "bundle")
    assert merged.keys() == learnt.keys()
    for name, array in merged.items():
        np.testing.assert_allclose(np.asarray(array, np.float64), np.asarray(learnt[name], np.float64), atol=1e-7)
    assert ziggurat("generate", tmp_path / "merged", "--prompt", "the", "--max-tokens", "3").code == 0


@pytest.mark.parametrize(
    "keys",
    [
        ["--recipe", "ngram"],
        ["--recipe", "counted-lstm", "--model.embedding", "4", "--model.hidden", "4", "--steps", "1"],
    ],
    ids=["ngram", "counted-lstm"],
)
def test_a_new_run_counts_beyond_memory_in_its_own_folder(keys: list[str], texts: Path, tmp_path: Path) -> None:
    folds = ["--training.folds", "2"] if "counted-lstm" in keys else []
    sizes = ["--tokens.vocab_size", "300", "--model.order", "3", "--training.memory", "1K"]
    run = train(tmp_path / "run", texts, *keys, *folds, *sizes)
    assert (run / "bundle" / "model.safetensors").is_file()


@pytest.mark.parametrize("name", ["model.gguf", "model.onnx", "folder"])
def test_no_other_program_has_a_form_for_it_and_that_is_said(
    base: Path, name: str, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    form = ["--to", "transformers"] if name == "folder" else []
    ended = ziggurat("export", base, tmp_path / name, *form)
    assert (ended.code, ended.out) == (2, "")
    assert "has no form for a network on n-gram counts: only Ziggurat opens it" in ended.err
    assert not (tmp_path / name).exists()
