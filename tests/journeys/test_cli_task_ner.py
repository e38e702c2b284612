"""From sentences of labelled words to a tagger that is measured and asked, in English and Chinese."""

import json
from pathlib import Path

import pytest

import ziggurat as package
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.surface.cli import main

SMALL = ["--model.hidden", "16", "--training.steps", "40", "--training.learning_rate", "0.02"]


def columns(path: Path, first: int, count: int) -> Path:
    """Who stands behind "mr" is a person; the rest is nobody."""
    people = [f"mr\tO\nAb{number:02}\tB-PER\ngoes\tO\nhome\tO\n" for number in range(first, first + count)]
    nobody = [f"stone{number}\tO\nis\tO\ngrey\tO\n" for number in range(first, first + count)]
    path.write_text("\n".join([*people, *nobody]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger that was trained, with a test file of its own."""
    folder = tmp_path_factory.mktemp("ner")
    train, test = columns(folder / "train.conll", 0, 40), columns(folder / "test.conll", 60, 10)
    words = ["task", "ner", "train", train, "--test", test, *SMALL, "--out", folder / "run", "--quiet", "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        assert main([str(word) for word in words]) == 0
    return folder / "run"


def test_it_finds_names_that_it_never_saw(run: Path) -> None:
    manifest = load(run, verify=True).manifest
    found = manifest.metrics["test"]
    assert found["examples"] == 20
    assert found["span_f1"] > 0.9
    assert "temperature" not in manifest.metrics.get("dev", {})
    assert manifest.model["labels"] == ["B-PER", "O"]
    assert "F1 of whole stretches" in (run / "bundle" / "README.md").read_text(encoding="utf-8")
    assert package.load(run).tag([["mr", "Ab99", "goes", "home"], ["stone7"]]) == [[(1, 2, "PER")], []]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluating_says_spans_in_words(run: Path, language: str, tmp_path: Path, ziggurat: Ziggurat) -> None:
    odd = tmp_path / "odd.conll"
    odd.write_text("mr\tO\nAb98\tB-LOC\ngoes\tO\nhome\tO\n", encoding="utf-8")
    ended = ziggurat("task", "ner", "evaluate", run, run.parent / "test.conll", odd, "--lang", language)
    assert ended.code == 0, ended.err
    assert ("span F1" in ended.out) == (language == "en")
    assert "PER Ab98  LOC Ab98  mr Ab98 goes home" in ended.out
    assert "LOC" in ended.err  # a type that nobody learnt
    found = json.loads(ziggurat("task", "ner", "evaluate", run, odd, "--json").out)
    assert found["unknown"] == ["LOC"]


def test_predicting_writes_columns(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "words.txt"
    path.write_text("mr\nAb99\ngoes\nhome\n\nstone7\nis\ngrey\n", encoding="utf-8")
    ended = ziggurat("task", "ner", "predict", run, path)
    assert ended.code == 0, ended.err
    assert ended.out == "mr\tO\nAb99\tB-PER\ngoes\tO\nhome\tO\n\nstone7\tO\nis\tO\ngrey\tO\n\n"
    assert ended.err.splitlines()[-1] == "2 answers"


def test_chinese_sentences(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "句子.bmes"
    lines = [f"我 O\n叫 O\n{a} B-NAME\n{b} E-NAME\n。 O\n" for a in "王李张刘陈" for b in "明华军平英"]
    path.write_text("\n".join([*lines, *("好 O\n的 O\n。 O\n",) * 5]), encoding="utf-8")
    given = ["--recipe", "lstm-tagger-zh", *SMALL, "--out", tmp_path / "run", "--lang", "zh"]
    ended = ziggurat("task", "ner", "train", path, *given)
    assert ended.code == 0, ended.err
    assert "片段 F1" in ended.out
    assert load(tmp_path / "run").manifest.model["labels"] == ["B-NAME", "E-NAME", "O"]
    assert not (tmp_path / "run" / "baseline").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "no file was named: ziggurat task ner train FILE…"),
        (["train", "bad.conll"], "bad.conll:2: "),
        (["train", "set.conll", "--recipe", "linear"], "recipe linear learns no labels"),
        (["evaluate", "nowhere", "set.conll"], "nowhere"),
    ],
)
def test_what_can_not_be_is_an_error_of_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    monkeypatch.chdir(tmp_path)
    columns(tmp_path / "set.conll", 0, 12)
    (tmp_path / "bad.conll").write_text("one\tO\ntwo\n", encoding="utf-8")
    ended = ziggurat("task", "ner", *words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err.splitlines()[-1]
