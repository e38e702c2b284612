"""Tokenizers of every kind by the command line: made, shown, kept, opened again, and used by a model."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.texts import documents
from tests.journeys.conftest import Ziggurat
from ziggurat.tokens.loading import TOKENIZERS

KINDS = TOKENIZERS.names()
CHINESE = documents(7, chinese=True)


def shown(ziggurat: Ziggurat, *arguments: str | Path) -> dict[str, Any]:
    ended = ziggurat("tokenize", *arguments, "--json", "--quiet")
    assert (ended.code, ended.err) == (0, "")
    return dict(json.loads(ended.out))


@pytest.fixture(scope="module")
def mixed_texts(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    path = tmp_path_factory.mktemp("more") / "塔.txt"
    path.write_text("\n\n".join(CHINESE), encoding="utf-8")
    return [path, texts]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_opened_as_the_same_tokenizer(
    kind: str, mixed_texts: list[Path], tmp_path: Path, ziggurat: Ziggurat
) -> None:
    out = tmp_path / "my tokenizer.json"
    made = shown(ziggurat, *mixed_texts, "--kind", kind, "--out", out)
    opened = shown(ziggurat, *mixed_texts, "--tokenizer", out)
    for found in (made, opened):
        for changing in ("bytes_per_second", "train_seconds"):
            found.pop(changing, None)
    assert made == opened
    assert (made["kind"], made["documents"]) == (kind, 44)


@pytest.mark.parametrize("kind", KINDS)
def test_figures_agree_with_the_text(kind: str, mixed_texts: list[Path], ziggurat: Ziggurat) -> None:
    found = shown(ziggurat, mixed_texts[0], "--kind", kind, "--show", "11")
    text = "\n\n".join(CHINESE)
    assert found["bytes"] == len(text.encode())
    assert found["bytes_per_token"] * found["tokens"] == pytest.approx(len(text.encode()))
    assert found["characters_per_token"] * found["tokens"] == pytest.approx(len(text))
    assert len(found["pieces"]) == 11
    if found["lossless"]:
        assert text.startswith("".join(found["pieces"]))
    if kind == "bytes":
        assert (found["tokens"], found["vocabulary"]) == (found["bytes"], 257)
    if kind == "characters":
        assert found["tokens"] == len(text)


def test_more_ids_make_longer_tokens(mixed_texts: list[Path], ziggurat: Ziggurat) -> None:
    found = [shown(ziggurat, *mixed_texts, "--vocab-size", size)["bytes_per_token"] for size in ("257", "300", "400")]
    assert found[0] == pytest.approx(1.0)
    assert found == sorted(found)
    assert len({*found}) == 3


@pytest.mark.parametrize("count", [0, 1, 5, 1000])
def test_as_many_pieces_as_were_asked_for(count: int, texts: Path, ziggurat: Ziggurat) -> None:
    found = shown(ziggurat, texts, "--kind", "bytes", "--show", str(count))
    first = documents(43)[0]
    assert found["pieces"] == list(first[:count])
    if not count:
        assert "│" not in ziggurat("tokenize", texts, "--kind", "bytes", "--show", "0").out


def test_the_next_command_can_be_pasted(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    kept = tmp_path / "my tokenizer.json"
    said = ziggurat("tokenize", texts, "--kind", "bytes", "--out", kept).err.splitlines()[-1]
    assert said == f"next: ziggurat tokenize TEXT… --tokenizer '{kept}'"
    said = ziggurat("tokenize", texts, "--kind", "bytes").err.splitlines()[-1]
    assert said == f"next: ziggurat train {texts} --tokens.kind bytes"


def test_a_models_own_tokenizer_is_that_of_its_training(counted: Path, texts: Path, ziggurat: Ziggurat) -> None:
    by_run = shown(ziggurat, texts, "--tokenizer", counted)
    by_file = shown(ziggurat, texts, "--tokenizer", counted / "bundle" / "tokenizer.json")
    described = json.loads(ziggurat("describe", counted, "--json").out)["manifest"]["tokenizer"]
    assert by_run["fingerprint"] == by_file["fingerprint"] == described["fingerprint"]
    assert by_run["vocabulary"] == described["vocabulary"] == 300


def test_perplexity_and_tokens_make_the_bits_per_byte_of_any_tokenizer(
    texts: Path, tmp_path: Path, counted: Path, ziggurat: Ziggurat
) -> None:
    words = ["--recipe", "ngram", "--tokens.kind", "bytes", "--model.order", "8", "--quiet"]
    assert ziggurat("train", texts, *words, "--out", tmp_path / "run").code == 0
    by_bytes, by_pieces = (
        json.loads(ziggurat("evaluate", run, texts, "--json").out) for run in (tmp_path / "run", counted)
    )
    assert by_bytes["fingerprint"] != by_pieces["fingerprint"]
    assert by_bytes["bytes"] == by_pieces["bytes"]
    assert by_bytes["tokens"] > by_pieces["tokens"]
    for found in (by_bytes, by_pieces):
        bits = found["tokens"] * math.log2(found["token_perplexity"]) / found["bytes"]
        assert bits == pytest.approx(found["bits_per_byte"])


def test_where_there_is_no_text_no_tokenizer_is_written(tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "a.txt").write_text("\n \n", encoding="utf-8")
    for name, said in (("a.txt", "a.txt: no text in it"), ("b.txt", "b.txt: no such file or folder")):
        ended = ziggurat("tokenize", tmp_path / name, "--out", tmp_path / "t.json")
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert said in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
