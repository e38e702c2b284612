"""Words by the command line: Chinese ones, phrases, no signs; models of them are trained, asked, opened by others."""

import json
import tomllib
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Core

from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.tokens import chinese
from ziggurat.tokens.word_tokenizer import WordTokenizer

WORDS = ["--recipe", "ngram", "--tokens.kind", "words", "--tokens.vocab_size", "300"]
needs_packages = pytest.mark.skipif(not chinese.installed(), reason="packages of the extra zh are not installed")


def tokenizer_of(run: Path) -> WordTokenizer:
    found = load(run).tokenizer
    assert isinstance(found, WordTokenizer)
    return found


@needs_packages
@pytest.mark.parametrize("split", ["jieba", "auto"])
def test_chinese_is_learnt_by_words(chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat, split: str) -> None:
    run = tmp_path / "run"
    keys = ["--tokens.split", split, "--tokens.punctuation", "false"]
    ended = ziggurat("train", chinese_texts, *WORDS, *keys, "--out", run)
    assert ended.code == 0, ended.err
    assert tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))["tokens"]["split"] == split
    tokenizer = tokenizer_of(run)
    text = "老石匠记得一块白石。"
    cut = [text[start:stop] for start, stop in tokenizer.encode(text).offsets.tolist()]
    assert "".join(cut) == text.removesuffix("。")
    assert len(cut) < 9
    core = Core.from_file(str(run / "bundle" / "tokenizer.json"))
    assert core.encode(tokenizer.prepared(text)).ids == tokenizer.encode(text).ids.tolist()
    evaluated = json.loads(ziggurat("evaluate", run, chinese_texts, "--json").out)
    assert evaluated["token_perplexity"] > 1
    shown = json.loads(ziggurat("tokenize", chinese_texts, "--tokenizer", run, "--json", "--quiet").out)
    assert shown["kind"] == "words"
    assert any(len(piece) > 1 for piece in shown["pieces"])


def test_phrases_are_part_of_the_bundle(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    keys = ["--tokens.phrases", "2", "--tokens.phrase_threshold", "10", "--tokens.lowercase", "true"]
    ended = ziggurat("train", texts, *WORDS, *keys, "--out", run)
    assert ended.code == 0, ended.err
    tokenizer = tokenizer_of(run)
    found = tokenizer.encode("The river counts his three sons before the rain.").ids
    assert "his_three_sons" in [tokenizer.decode([index]) for index in found]
    manifest = json.loads(ziggurat("describe", run, "--json").out)["manifest"]
    assert manifest["tokenizer"]["fingerprint"] == tokenizer.fingerprint


@pytest.mark.parametrize("split", ["jieba", "auto"])
def test_without_the_packages_one_line_says_what_to_install(
    chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch, split: str
) -> None:
    monkeypatch.setattr(chinese, "versions", dict)
    ended = ziggurat("train", chinese_texts, *WORDS, "--tokens.split", split, "--out", tmp_path / "run", "--quiet")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "pip install 'ziggurat[zh]'" in ended.err
    assert "split = unicode" in ended.err


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["--tokens.split", "jiebar"], "--tokens.split: unknown value 'jiebar'; did you mean 'jieba'?"),
        (["--tokens.phrases", "5"], "--tokens.phrases: must be from 0 to 4, got 5"),
        (["--tokens.phrase_threshold", "many"], "--tokens.phrase_threshold: expected a number, got 'many'"),
        (["--tokens.split", "whitespace", "--tokens.punctuation", "false"], "punctuation: false does not go with"),
    ],
)
def test_what_words_can_not_be_told(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, keys: list[str], said: str
) -> None:
    ended = ziggurat("train", texts, *WORDS, *keys, "--out", tmp_path / "run")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
    assert not (tmp_path / "run").exists()


@needs_packages
def test_tokenize_shows_how_chinese_would_be_cut(chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    out = tmp_path / "t.json"
    keys = ["--tokens.split", "jieba", "--tokens.punctuation=false", "--vocab-size", "31"]
    ended = ziggurat("tokenize", chinese_texts, "--kind", "words", *keys, "--out", out, "--json", "--quiet")
    found = json.loads(ended.out)
    assert found["vocabulary"] == 31
    assert "。" not in found["pieces"]
    assert any(len(piece) > 1 for piece in found["pieces"])
    assert json.loads(out.read_text(encoding="utf-8"))["model"]["ziggurat"]["cut"]["han_runs"] is True


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["--tokens.splitt", "jieba"], "unknown option '--tokens.splitt'; did you mean '--tokens.split'?"),
        (["--model.order", "3"], "unknown option '--model.order'"),
        (["--tokens.min_count", "0"], "--tokens.min_count: must be at least 1, got 0"),
        (["--tokens.min_count"], "--tokens.min_count: needs a value"),
        (["--tokenizer", "t.json", "--tokens.min_count", "2"], "--tokens.min_count: an opened tokenizer keeps its own"),
    ],
)
def test_tokenize_refuses_keys_that_the_kind_does_not_have(
    texts: Path, ziggurat: Ziggurat, keys: list[str], said: str
) -> None:
    ended = ziggurat("tokenize", texts, "--kind", "words", *keys)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err
