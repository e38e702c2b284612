"""A model with tables of n-grams from text to use: trained, described, opened, generated with, and not exported."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import TINY, Ziggurat, train

TABLES = ["--model.ngram_orders", "[2, 3]", "--model.ngram_rows", "211", "--tokens.vocab_size", "300"]
LSTM = ["--model.layers", "1", "--model.embedding", "8", "--model.hidden", "8"]


@pytest.fixture(scope="module", params=["gpt", "lstm"])
def tabled(request: pytest.FixtureRequest, texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a tiny network with tables."""
    few = TINY if request.param == "gpt" else LSTM
    folder = tmp_path_factory.mktemp("runs") / "tabled"
    return train(folder, texts, "--recipe", request.param, "--steps", "5", *few, *TABLES)


def read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def test_its_bundle_is_in_our_own_form_and_says_so(tabled: Path, ziggurat: Ziggurat) -> None:
    config = read(tabled / "bundle" / "config.json")
    assert config["model"]["ngram_orders"] == [2, 3]
    manifest = read(tabled / "bundle" / "ziggurat.json")
    assert manifest["model"]["architecture"] is None
    assert "transformers" not in (tabled / "bundle" / "README.md").read_text(encoding="utf-8")
    ended = ziggurat("describe", tabled, "--json")
    assert ended.code == 0, ended.err
    assert '"n-gram tables"' in ended.out


def test_it_writes_and_is_measured(tabled: Path, texts: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("generate", tabled, "--prompt", "The", "--max-tokens", "7", "--seed", "3")
    assert ended.code == 0, ended.err
    ended = ziggurat("evaluate", tabled, texts)
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(("file", "form"), [("model.gguf", "GGUF"), ("model.onnx", "ONNX"), ("folder", "transformers")])
def test_no_other_program_has_a_form_for_it(
    tabled: Path, file: str, form: str, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat("export", tabled, tmp_path / file, *(["--to", "transformers"] if form == "transformers" else []))
    assert ended.code == 2
    assert f"{form} has no form for what ngram_orders adds to a model" in ended.err
    assert not (tmp_path / file).exists()


def test_it_is_drawn_in_both_languages_before_it_is_trained(ziggurat: Ziggurat) -> None:
    asked = ("describe", "lstm", "--model.ngram_orders", "[2, 3]", "--model.ngram_width", "64")
    ended = ziggurat(*asked)
    assert ended.code == 0, ended.err
    assert "⊕ ← n-gram tables" in ended.out
    assert "rows of n-gram tables" in ended.out
    ended = ziggurat(*asked, "--lang", "zh")
    assert ended.code == 0, ended.err
    assert "⊕ ← n 元表" in ended.out
    assert "n 元表的行数" in ended.out


def test_tables_without_orders_are_refused(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("train", texts, "--recipe", "gpt", "--model.ngram_rows", "211", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "ngram_rows: there are no tables without ngram_orders" in ended.err
