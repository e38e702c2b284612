"""Data on standard output, words on standard error: for every command, every form of output and both languages."""

import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Ended, Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.surface.cli import COMMANDS
from ziggurat.surface.terminal import JSON_VERSION, width_of

TEXT = "the tower climbs the long road at dawn. a stranger counts every word in silence."
HAN = re.compile("[\u4e00-\u9fff]")

Words = Callable[[str], list[str]]


@pytest.fixture
def words(texts: Path, counted: Path, climbed: Path, tmp_path: Path) -> Words:
    """The arguments with which each command does its work, quickly."""
    small = [str(texts), "--recipe", "ngram", "--tokens.kind", "bytes", "--model.order", "2"]
    cases = {
        "train": [*small, "--out", str(tmp_path / "run")],
        "generate": [str(counted), "--prompt", "the", "--max-tokens", "5"],
        "score": [str(counted), str(texts), "--by", "document"],
        "evaluate": [str(counted), str(texts)],
        "tokenize": [str(texts), "--kind", "bytes", "--show", "3"],
        "reproduce": [str(climbed)],
        "describe": [str(counted)],
        "recipe": ["ngram"],
    }
    return lambda name: [name, *cases[name]]


JSON_COMMANDS = ["train", "generate", "score", "evaluate", "tokenize", "reproduce", "describe", "recipe"]
QUIET_COMMANDS = ["train", "generate", "score", "evaluate", "tokenize", "reproduce"]


def read_from(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


# -- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_json_is_one_line_with_a_version_in_every_language(
    name: str, language: str, words: Words, ziggurat: Ziggurat
) -> None:
    ended = ziggurat(*words(name), "--json", "--lang", language)
    assert ended.code == 0, ended.err
    assert ended.out.count("\n") == 1
    found = json.loads(ended.out)
    assert next(iter(found)) == "version"
    assert found["version"] == JSON_VERSION
    assert all(re.fullmatch(r"[a-z_]+", key) for key in found)  # keys are never translated


def numbers(value: Any) -> list[float]:
    """All numbers in parsed JSON."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [float(value)] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


@pytest.mark.parametrize("name", ["evaluate", "score", "describe", "reproduce"])
def test_json_of_another_language_has_the_same_numbers(name: str, words: Words, ziggurat: Ziggurat) -> None:
    english, chinese = (json.loads(ziggurat(*words(name), "--json", "--lang", lang).out) for lang in ("en", "zh"))
    for found in (english, chinese):
        found.pop("tokens_per_second", None)
        found.pop("seconds", None)
    assert numbers(english) == numbers(chinese)
    assert english.keys() == chinese.keys()


def test_json_is_json_everywhere_and_never_nan(words: Words, ziggurat: Ziggurat) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    for name in ("evaluate", "describe", "score", "tokenize"):
        json.loads(ziggurat(*words(name), "--json").out, parse_constant=refuse)


def test_chinese_text_stays_readable_in_json(counted: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("generate", counted, "--prompt", "塔楼", "--max-tokens", "1", "--json")
    assert '"塔楼"' in ended.out


# -- who says what where ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUIET_COMMANDS)
def test_quiet_leaves_the_data_and_nothing_else(name: str, words: Words, ziggurat: Ziggurat) -> None:
    arguments = words(name)
    loud = ziggurat(*arguments)
    if name == "train":
        shutil.rmtree(arguments[-1])
    quiet = ziggurat(*arguments, "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    measured = r" *[\d,.]+$" if name in ("evaluate", "tokenize") else r"$^"  # speeds differ from run to run
    assert re.sub(measured, "", quiet.out, flags=re.MULTILINE) == re.sub(measured, "", loud.out, flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["train", "evaluate", "tokenize", "describe"])
def test_the_next_command_is_words_not_data(name: str, words: Words, ziggurat: Ziggurat) -> None:
    ended = ziggurat(*words(name))
    assert ended.err.splitlines()[-1].startswith("next: ziggurat ")
    assert "next:" not in ended.out


@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_nothing_is_coloured_or_moves_where_nobody_looks(name: str, words: Words, ziggurat: Ziggurat) -> None:
    ended = ziggurat(*words(name))
    assert "\x1b" not in ended.out + ended.err
    assert "\r" not in ended.out + ended.err


def test_a_log_of_training_says_its_stages_in_order(words: Words, ziggurat: Ziggurat) -> None:
    err = ziggurat(*words("train")).err
    places = [
        err.index(said)
        for said in ("run folder: ", "reading text …", "training ngram", "writing the bundle …", "measuring", "next: ")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["train", "evaluate", "tokenize", "describe", "reproduce", "score"])
def test_what_is_said_in_chinese_has_no_english_sentence(name: str, words: Words, ziggurat: Ziggurat) -> None:
    ended = ziggurat(*words(name), "--lang", "zh")
    assert ended.code == 0, ended.err
    for line in ended.err.splitlines():
        if re.match(r"order \d: ", line):
            continue  # what the rooms below log is for those who know the method, and not translated
        assert HAN.search(line), line
    if name in ("train", "evaluate", "tokenize", "reproduce"):
        assert HAN.search(ended.out)


@pytest.mark.parametrize("name", ["evaluate", "tokenize"])
def test_chinese_tables_stand_in_columns(name: str, words: Words, ziggurat: Ziggurat) -> None:
    rows = ziggurat(*words(name), "--lang", "zh").out.split("\n\n")[-1].splitlines()
    assert len({width_of(row) for row in rows}) == 1  # the second column is set to the right


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS.functions()])
@pytest.mark.parametrize("columns", ["60", "140"])
def test_help_keeps_to_the_terminals_width(
    name: str, columns: str, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    page = ziggurat(*name.split(), "--help").out
    assert max(map(len, page.splitlines())) <= int(columns)


# -- standard input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_pipe_may_have_any_encoding(
    encoding: str, counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "塔楼登上第七级台阶。老石匠数着每一个字，在黎明。" * 7
    read_from(text.encode(encoding), monkeypatch)
    found = json.loads(ziggurat("score", counted, "--by", "document", "--json").out)
    assert [unit["text"] for units in found["documents"] for unit in units] == [text]


def test_every_reader_takes_a_pipe(counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for arguments in (["score", counted, "-"], ["evaluate", counted, "-"], ["tokenize", "-", "--tokenizer", counted]):
        read_from(TEXT.encode(), monkeypatch)
        ended = ziggurat(*arguments, "--json")
        assert ended.code == 0, ended.err
        found.append(json.loads(ended.out))
    scored, evaluated, tokenized = found
    tokens = sum(unit["tokens"] for unit in scored["documents"][0])
    assert tokens == evaluated["tokens"] == tokenized["tokens"] + 1  # the end of text is predicted too
    assert evaluated["bytes"] == tokenized["bytes"] == len(TEXT)


def test_a_model_is_trained_from_a_pipe(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from(texts.read_bytes(), monkeypatch)
    words = ["--recipe", "ngram", "--tokens.kind", "bytes", "--text.format", "jsonl", "--quiet"]
    ended = ziggurat("train", "-", *words, "--out", tmp_path / "run")
    assert (ended.code, ended.err) == (0, "")
    assert load(tmp_path / "run").manifest.entry("corpus.splits.train.documents") > 20


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "standard input"),
        (b" \n\n", "standard input"),
        (bytes(range(256)) * 40, "binary data, not text"),
    ],
)
@pytest.mark.parametrize("command", ["score", "evaluate"])
def test_a_pipe_without_text_is_said(
    command: str, raw: bytes, said: str, counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from(raw, monkeypatch)
    ended = ziggurat(command, counted, "-")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err


# -- what is written while it is drawn --------------------------------------------------------------------------------


class Pieces(io.StringIO):
    """Standard output that keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return super().write(text)


def test_text_streams_out_token_by_token(counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["generate", counted, "--prompt", "the tower", "--max-tokens", "23", "--seed", "5"]
    whole: Ended = ziggurat(*arguments)
    out = Pieces()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", out)
        assert ziggurat(*arguments).code == 0
    assert "".join(out.pieces) == whole.out
    assert out.pieces[0] == "the tower"
    assert len([piece for piece in out.pieces if piece]) > 10
    found = json.loads(ziggurat(*arguments, "--json").out)
    assert "the tower" + found["continuations"][0]["text"] + "\n" == whole.out
