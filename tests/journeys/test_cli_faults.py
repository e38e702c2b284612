"""Whatever is wrong with what a user gave is said in one line, with exit code 2, and leaves nothing behind."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.texts import documents
from tests.journeys.conftest import Ziggurat


def refused(ended: object, said: str) -> None:
    """Hold one command to the manners of a refusal."""
    code, out, err = ended.code, ended.out, ended.err  # type: ignore[attr-defined]
    lines = [line for line in err.splitlines() if line.startswith(("error: ", "错误"))]
    assert code == 2, err
    assert len(lines) == 1, err
    assert said in lines[0]
    assert "Traceback" not in err
    assert out == ""


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 99)


def broken(path: Path) -> None:
    path.write_bytes("一行\n又一行\n".encode() * 9 + b"\xff\xfe\xff" + "再一行\n".encode() * 9)


def empty(path: Path) -> None:
    path.write_text(" \n\n")


def short(path: Path) -> None:
    path.write_text("too short to be split\n")


def records(path: Path) -> None:
    path.write_text('{"text": "good"}\n{"text": bad}\n')


MAKERS: list[tuple[Callable[[Path], None], str, str]] = [
    (binary, "a.txt", "a.txt: binary data, not text; convert it to text first or leave it out"),
    (broken, "a.txt", "a.txt:19: byte "),
    (empty, "a.txt", "a.txt: no text after cleaning"),
    (short, "a.txt", "too little text to train and to measure on: give at least 10 documents"),
    (records, "a.jsonl", "a.jsonl:2: not JSON at column 10"),
]


@pytest.mark.parametrize("command", ["train", "climb"])
@pytest.mark.parametrize(("make", "name", "said"), MAKERS)
def test_text_that_can_t_be_trained_on(
    command: str, make: Callable[[Path], None], name: str, said: str, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    make(tmp_path / name)
    options = ["--recipe", "ngram"] if command == "train" else ["--minutes", "1"]
    ended = ziggurat(command, tmp_path / name, *options, "--out", tmp_path / "run", "--quiet")
    refused(ended, said)
    if command == "train":
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "{tmp}/missing.txt"], "missing.txt: no such file or folder"),
        (["train"], "no text was named: ziggurat train TEXT…"),
        (["train", "{texts}", "--recipe", "gtp"], "unknown recipe 'gtp'; did you mean 'gpt'?"),
        (["train", "{texts}", "--recipe", "ngram", "--minutes", "3"], "is fitted in one pass and takes no budget"),
        (["train", "{texts}", "--minutes", "3", "--steps", "5"], "--minutes and --steps: give one budget, not 2"),
        (["train", "{texts}", "--minutes", "-3"], "--minutes"),
        (["train", "{texts}", "--model.layrs", "3"], "unknown option '--model.layrs'; did you mean '--model.layers'?"),
        (["train", "{texts}", "--resume", "{tmp}"], "a resumed run keeps its own text and recipe"),
        (["train", "--resume", "{tmp}"], "no run to go on with (recipe.toml is missing)"),
        (["climb", "{texts}", "--minuts", "3"], "unknown option '--minuts'; did you mean '--minutes'?"),
        (["climb", "{texts}", "--minutes", "0"], "--minutes"),
        (["climb", "--demo", "fr"], "--demo"),
        (["climb"], "no text was named"),
        (["generate", "{texts}"], "a file, not a bundle; give the folder that holds ziggurat.json"),
        (["generate", "{tmp}"], "not a bundle (ziggurat.json is missing)"),
        (["generate", "{counted}", "--temperature", "-1"], "--temperature: must be at least 0"),
        (["generate", "{counted}", "--top-p", "1.5"], "--top-p: must be from 0.0 to 1.0, got 1.5"),
        (["generate", "{counted}", "--samples", "0"], "--samples: must be at least 1"),
        (["generate", "{counted}", "--max-tokens", "many"], "--max-tokens"),
        (["score", "{counted}", "{tmp}/missing"], "missing: no such file or folder"),
        (["score", "{counted}", "{texts}", "--by", "sentense"], "did you mean 'sentence'?"),
        (["evaluate", "{counted}", "{tmp}/missing"], "missing: no such file or folder"),
        (["evaluate", "{counted}"], "missing argument"),
        (["tokenize", "{texts}", "--kind", "bpee"], "did you mean 'bpe'?"),
        (["recipe", "mixtur"], "unknown recipe 'mixtur'; did you mean 'mixture'?"),
        (["reproduce", "{tmp}/report.html"], "no such report; give a climb's report.html or its folder"),
        (["describe", "{tmp}"], "not a bundle (ziggurat.json is missing)"),
        (["clim"], "unknown command 'clim'; did you mean 'climb'?"),
    ],
)
def test_what_was_asked_for_can_t_be(
    arguments: list[str], said: str, texts: Path, counted: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    places = {"texts": texts, "counted": counted, "tmp": tmp_path}
    words = [word.format(**places) for word in arguments]
    if words[0] in ("train", "climb") and "--resume" not in words:
        words += ["--out", str(tmp_path / "run")]
    refused(ziggurat(*words), said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.safetensors", "model.safetensors: damaged"),
        ("tokenizer.json", "tokenizer.json: damaged"),
        ("config.json", "config.json: damaged"),
        ("ziggurat.json", "ziggurat.json: damaged"),
    ],
)
@pytest.mark.parametrize(
    "command", [["generate", "{bundle}"], ["score", "{bundle}", "{texts}"], ["evaluate", "{bundle}", "{texts}"]]
)
def test_a_damaged_bundle_is_refused_by_the_file_s_name(
    name: str, said: str, command: list[str], counted: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(counted / "bundle", bundle)
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    refused(ziggurat(*(word.format(bundle=bundle, texts=texts) for word in command)), said)


def test_a_bundle_of_a_newer_version_says_upgrade(counted: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(counted / "bundle", bundle)
    manifest = json.loads((bundle / "ziggurat.json").read_text())
    (bundle / "ziggurat.json").write_text(json.dumps(manifest | {"format": 99, "ziggurat": "9.0"}))
    refused(ziggurat("generate", bundle), "written by ziggurat 9.0, newer than this one")


def test_refusals_are_chinese_where_the_user_is(tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("--lang", "zh", "train", tmp_path / "missing.txt")
    assert ended.code == 2
    assert ended.err.startswith("错误")
    assert "missing.txt" in ended.err


def test_a_full_folder_of_text_with_one_bad_file_still_trains(tmp_path: Path, ziggurat: Ziggurat) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(documents(29)):
        (folder / f"{number}.txt").write_text(text)
    binary(folder / "picture.txt")
    ended = ziggurat("train", folder, "--recipe", "ngram", "--out", tmp_path / "run", "--quiet")
    assert ended.code == 0
    ledger = next((tmp_path / "run").rglob("ledger.jsonl")).read_text()
    assert "picture.txt" in ledger
