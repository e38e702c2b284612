"""A decoder leaves for llama.cpp and comes back: ``export`` to GGUF and ``import`` from it."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.decoders import FORMS, byte_pairs, drawn, tokenizer
from ziggurat.artefacts.bundle import load
from ziggurat.surface.cli import main

pytest.importorskip("gguf")


def test_out_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = drawn(tmp_path / "ours", FORMS["gpt2"], byte_pairs(), chat_template="{{ messages }}")
    file = tmp_path / "model.gguf"
    assert main(["export", str(bundle.path), str(file)]) == 0
    said = capsys.readouterr().err
    assert "read back by Ziggurat" in said
    assert "log-probabilities differ by at most 0.0e+00 nats" in said
    assert "at 48 of 48 places" in said
    assert f"{file.stat().st_size:,} bytes, read back and compared" in said
    assert main(["import", str(file), "--out", str(tmp_path / "back"), "--quiet"]) == 0
    back = load(tmp_path / "back")
    assert back.chat_template == "{{ messages }}"
    assert json.loads((tmp_path / "back" / "config.json").read_text())["model_type"] == "gpt2"
    ids = np.array([[0, *bundle.tokenizer.encode("the old mason 石匠").ids, 0]], np.int32)
    assert back.tokenizer.encode("the old mason 石匠").ids.tolist() == ids[0, 1:-1].tolist()
    scores = [one.language_model.score(ids, np.array([ids.size], np.int32))[0] for one in (bundle, back)]
    assert scores[0] == scores[1]
    capsys.readouterr()
    assert main(["generate", str(tmp_path / "back"), "--prompt", "the", "--max-tokens", "5", "--temperature", "0"]) == 0
    first = capsys.readouterr().out
    assert main(["generate", str(bundle.path), "--prompt", "the", "--max-tokens", "5", "--temperature", "0"]) == 0
    assert capsys.readouterr().out == first


def test_out_again_from_a_file_of_fewer_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    form = {"layers": 1, "width": 32, "heads": 2, "feedforward": 64, "context": 29}
    bundle = drawn(tmp_path / "ours", form, tokenizer("characters"))
    small, exact = tmp_path / "small.gguf", tmp_path / "exact.gguf"
    assert main(["export", str(bundle.path), str(small), "--type", "q8_0"]) == 0
    assert main(["import", str(small), "--quiet"]) == 0
    assert main(["export", str(tmp_path / "small"), str(exact), "--type", "f32", "--to", "gguf"]) == 0
    assert "differ by at most 0.0e+00 nats" in capsys.readouterr().err.split("read back by Ziggurat")[-1]
    assert small.stat().st_size < exact.stat().st_size


def test_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = drawn(tmp_path / "ours", FORMS["qwen3"], byte_pairs("qwen2"))
    assert main(["export", str(bundle.path), str(tmp_path / "x.gguf"), "--type", "f16", "--lang", "zh"]) == 0
    assert "由 Ziggurat 读回" in capsys.readouterr().err


REFUSED = {
    "a number type": (["--type", "q2"], "--type q2: GGUF is written with one of f32, f16"),
    "another format's": (["--type", "f16", "--to", "arpa"], "--type f16"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_that_cannot_be(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options, said = REFUSED[name]
    bundle = drawn(tmp_path / "ours", FORMS["llama"], byte_pairs())
    assert main(["export", str(bundle.path), str(tmp_path / "x.gguf"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "x.gguf").exists()


@pytest.mark.parametrize("family", ["ngram", "recurrent", "word_vectors"])
def test_families_that_gguf_cannot_hold(family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = make_bundle(tmp_path / "ours", family)
    assert main(["export", str(bundle.path), str(tmp_path / "x.gguf")]) == 2
    assert "GGUF holds decoders of the forms gpt2, llama, qwen2, qwen3" in capsys.readouterr().err


def test_a_tokenizer_that_gguf_cannot_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = drawn(tmp_path / "ours", FORMS["llama"], tokenizer("unigram"))
    assert main(["export", str(bundle.path), str(tmp_path / "x.gguf")]) == 2
    assert "train with bpe (pattern gpt2 or qwen2), bytes or characters" in capsys.readouterr().err


def test_a_file_that_was_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = drawn(tmp_path / "ours", FORMS["llama"], byte_pairs())
    file = tmp_path / "x.gguf"
    assert main(["export", str(bundle.path), str(file), "--quiet"]) == 0
    file.write_bytes(file.read_bytes()[:-4001])
    capsys.readouterr()
    assert main(["import", str(file)]) == 2
    said = capsys.readouterr().err
    assert "x.gguf: damaged" in said
    assert "Traceback" not in said
    assert not (tmp_path / "x").exists()
