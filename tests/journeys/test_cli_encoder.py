"""An encoder by the command line: from text to guesses, scores and vectors, in English and in Chinese."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ziggurat as package
from tests.journeys.conftest import TINY, Ziggurat, train
from ziggurat.artefacts.bundle import load
from ziggurat.core.errors import UsageError
from ziggurat.tokens import chinese

FEW = ["--recipe", "bert", *TINY, "--tokens.vocab_size", "300", "--training.rows", "5", "--training.window", "17"]
FEW += ["--training.learning_rate", "1e-2"]
SENTENCE = "the old mason climbs the seventh step at dawn.\n"


@pytest.fixture(scope="module")
def encoder(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the bert recipe, as small as can be."""
    return train(tmp_path_factory.mktemp("runs") / "encoder", texts, *FEW, "--steps", "40")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(SENTENCE + "a stranger forgets every word.\n", encoding="utf-8")
    return path


def test_training_measures_it_and_says_what_next(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    ended = ziggurat("train", texts, *FEW, "--steps", "3", "--out", run)
    assert ended.code == 0, ended.err
    assert "finding words" in ended.err
    assert "bits per byte" not in ended.err + ended.out  # a loss of hidden tokens is no rate of compression
    assert "masked accuracy" in ended.out
    assert ended.err.splitlines()[-1] == f"next: ziggurat embed {run} TEXT…"
    manifest = load(run, verify=True).manifest
    measured = manifest.metrics["test"]
    assert measured["low"] <= measured["masked_accuracy"] <= measured["high"]
    assert measured["baseline_from"] == "training text"
    assert not {"token_perplexity", "bits_per_byte"} & set(measured)
    assert manifest.training["most_frequent_part"] > 0
    assert manifest.model["architecture"] == "RoFormerForMaskedLM"
    assert "| share of hidden tokens guessed rightly (test) |" in (run / "bundle" / "README.md").read_text(
        encoding="utf-8"
    )


def test_evaluate_shows_masked_figures_beside_their_baseline(
    encoder: Path, texts: Path, ziggurat: Ziggurat, tmp_path: Path
) -> None:
    ended = ziggurat("evaluate", encoder, texts)
    assert ended.code == 0, ended.err
    for words in ("masked accuracy", "most frequent token of the training text", "pseudo-perplexity", "95 % interval"):
        assert words in ended.out
    assert "bits per byte" not in ended.out
    found = json.loads(ziggurat("evaluate", encoder, texts, "--json").out)
    assert found["masked_accuracy"] >= found["baseline_accuracy"] > 0.05
    assert found["masked_tokens"] > 500
    gate = ziggurat("evaluate", encoder, texts, "--fail-above", "3")
    assert gate.code == 3
    assert "no bits per byte: an encoder predicts no text; the gate is 3" in gate.err


def test_scores_are_called_what_they_are(encoder: Path, text: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("score", encoder, text, "--by", "token")
    assert ended.code == 0, ended.err
    assert ended.err.startswith("pseudo-log-likelihood: -")
    rows = [line.split("\t") for line in ended.out.splitlines()]
    assert [row[2] for row in rows][:3] == ["the", "old", "mason"]
    assert rows[-1][2] == "."  # the end of text is no row
    found = json.loads(ziggurat("score", encoder, text, "--by", "document", "--json").out)
    assert found["kind"] == "pseudo-log-likelihood"
    assert found["documents"][0][0]["logprob"] == pytest.approx(sum(float(row[0]) for row in rows), abs=1e-2)


def test_it_writes_nothing(encoder: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("generate", encoder, "--prompt", "the tower")
    assert ended.code == 2
    assert "guesses hidden tokens and writes no text; give a language model" in ended.err
    assert "Traceback" not in ended.err


def vectors(lines: str) -> list[tuple[str, list[float]]]:
    return [(found["id"], found["vector"]) for found in map(json.loads, lines.splitlines())]


def test_texts_become_vectors(encoder: Path, text: Path, ziggurat: Ziggurat, tmp_path: Path) -> None:
    ended = ziggurat("embed", encoder, text, "--lines")
    assert ended.code == 0, ended.err
    assert "2 vectors of 8 numbers" in ended.err
    found = vectors(ended.out)
    assert [name for name, _ in found] == [f"{text}:1", f"{text}:2"]
    assert {len(vector) for _, vector in found} == {8}
    whole = vectors(ziggurat("embed", encoder, text).out)
    assert len(whole) == 1
    assert ziggurat("embed", encoder, text, "--lines", "--out", tmp_path / "v.npy").out == ""
    np.testing.assert_allclose(np.load(tmp_path / "v.npy"), [vector for _, vector in found], rtol=1e-6)
    assert ziggurat("embed", encoder, text, "--lines", "--out", tmp_path / "v.jsonl").out == ""
    assert vectors((tmp_path / "v.jsonl").read_text(encoding="utf-8")) == found
    model: Any = package.load(encoder)
    np.testing.assert_allclose(model.embed([SENTENCE.strip()])[0], found[0][1], rtol=1e-4, atol=1e-5)
    unit = vectors(ziggurat("embed", encoder, text, "--lines", "--normalise", "yes").out)
    assert np.linalg.norm(unit[0][1]) == pytest.approx(1, rel=1e-5)


def test_vectors_of_words_are_averaged(learnt: Path, text: Path, ziggurat: Ziggurat) -> None:
    found = vectors(ziggurat("embed", learnt, text, "--lines").out)
    assert [len(vector) for _, vector in found] == [13, 13]
    assert any(found[0][1])


def test_of_a_long_text_the_beginning_counts_and_that_is_said(
    encoder: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    (tmp_path / "long.txt").write_text("the tower " * 97, encoding="utf-8")
    ended = ziggurat("embed", encoder, tmp_path / "long.txt", "--quiet")
    assert "1 texts are longer than 32 tokens: only their beginnings count" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "v.bin"], "--out: v.bin: choose a name that ends with .npy or .jsonl"),
        (["--pooling", "pooler"], "this encoder has no pooler: take the mean of its vectors, or the first"),
        (["--pooling", "middle"], "middle"),
        (["--longest", "99"], "error: --longest: 99 tokens are more than the model reads (32)"),
        (["--longest", "2"], "--longest: must be at least 3, got 2"),
    ],
)
def test_what_can_t_be_asked_of_embed(
    arguments: list[str], message: str, encoder: Path, text: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat("embed", encoder, text, *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_a_model_that_gives_no_vectors(counted: Path, text: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("embed", counted, text)
    assert ended.code == 2
    assert "a ngram model gives no vectors; give one that does" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tokens.specials", "end"], 'train one with tokens.kind = "wordpiece" and tokens.specials = "bert"'),
        (["--model.head", "false"], "guesses no hidden tokens (an encoder needs head = true)"),
        (["--tokens.vocab_size", "5"], "vocab_size (5) must be at least 6 with specials = bert"),
        (["--model.pooling", "pooler"], "pooling = pooler needs a pooler"),
        (["--model.first_position", "3"], "first_position = 3 counts from behind padding token 2"),
        (["--vectors", "bert"], "a model of family encoder gives no vectors; name a recipe of word vectors"),
    ],
)
def test_recipes_that_can_t_be_trained(
    arguments: list[str], message: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat("train", texts, *FEW, "--steps", "3", *arguments, "--out", tmp_path / "run", "--quiet")
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(not chinese.installed(), reason="the packages of the extra zh are not installed")
def test_chinese_words_are_hidden_whole(chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    ended = ziggurat("train", chinese_texts, *FEW, "--steps", "20", "--out", run, "--quiet")
    assert ended.code == 0, ended.err
    marks = np.fromfile(run / "tokens" / "train-words" / "continued.bin", np.bool_)
    assert 0.3 < marks.mean() < 0.7  # words of one to four characters
    assert ziggurat("evaluate", run, chinese_texts, "--lang", "zh").out.startswith("遮蔽准确率")


def test_chinese_without_the_extra_says_what_to_do(
    chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chinese, "installed", lambda: False)
    ended = ziggurat("train", chinese_texts, *FEW, "--steps", "3", "--out", tmp_path / "run", "--quiet")
    assert ended.code == 2
    assert "whole_words = false" in ended.err
    assert "pip install 'ziggurat[zh]'" in ended.err
    single = ["--training.whole_words", "false"]
    assert ziggurat("train", chinese_texts, *FEW, "--steps", "3", *single, "--out", tmp_path / "b", "--quiet").code == 0


def test_the_python_interface_refuses_to_generate(encoder: Path) -> None:
    model = package.load(encoder)
    with pytest.raises(UsageError, match="writes no text"):
        model.generate("the")
    assert model.score("the old mason")[0].tokens == 3
