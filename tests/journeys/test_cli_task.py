"""From labelled files to a classifier that is measured, asked and described, in both languages."""

import io
import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

import ziggurat as package
from tests.journeys.conftest import Ziggurat, train
from ziggurat.artefacts.bundle import load
from ziggurat.core.errors import UsageError
from ziggurat.surface.cli import main
from ziggurat.surface.tasks import suited
from ziggurat.use.tasks import TASKS
from ziggurat.use.tasks.classification import Classification

GOOD = ("a warm and generous film", "what a joy to watch", "the best of the year", "clever and moving", "i loved it")
BAD = ("a dull and endless film", "what a bore to watch", "the worst of the year", "silly and loud", "i hated it")


def rows(first: int, count: int) -> list[tuple[str, str]]:
    return [
        (f"{words[number % 5]} , says critic {number}", label)
        for number in range(first, first + count)
        for words, label in ((GOOD, "good"), (BAD, "bad"))
    ]


def table(path: Path, content: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f"{label}\t{text}\n" for text, label in content), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier that was trained, with a test file of its own."""
    folder = tmp_path_factory.mktemp("task")
    train, test = table(folder / "train.tsv", rows(0, 60)), table(folder / "test.tsv", rows(100, 20))
    out = folder / "a run"
    words = ["task", "classification", "train", str(train), "--test", str(test), "--out", str(out), "--quiet", "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        assert main(words) == 0
    return out


def test_training_measures_on_the_file_held_out(run: Path) -> None:
    manifest = load(run).manifest
    found = manifest.metrics["test"]
    assert found["examples"] == 40
    assert found["label_accuracy"] > 0.9
    assert 0 <= found["calibration_error"] <= 1
    assert manifest.metrics["dev"]["temperature"] > 0
    assert manifest.model["labels"] == ["bad", "good"]
    card = (run / "bundle" / "README.md").read_text(encoding="utf-8")
    assert "share of texts labelled rightly (test)" in card
    assert "标签正确的文本比例" in card


def test_what_training_prints(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("measured on test\n")
    assert "linear" in ended.out
    assert "precision" in ended.out
    assert ended.err.splitlines()[-1] == f"next: ziggurat task classification predict {tmp_path / 'run'} FILE…"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluating_says_what_it_is_worth(run: Path, language: str, tmp_path: Path, ziggurat: Ziggurat) -> None:
    wrong = [("a warm and generous film", "bad"), ("neither here nor there", "odd")]
    test = table(tmp_path / "more.tsv", [*rows(200, 20), *wrong])
    ended = ziggurat("task", "classification", "evaluate", run, test, "--lang", language)
    assert ended.code == 0, ended.err
    assert ("The surest errors" in ended.out) == (language == "en")
    assert "a warm and generous film" in ended.out
    assert "odd" in ended.err  # a label that nobody learnt
    picture = tmp_path / "confusions.svg"
    told = ("--json", "--picture", picture, "--lang", language)
    ended = ziggurat("task", "classification", "evaluate", run, test, *told)
    assert all(label in picture.read_text(encoding="utf-8") for label in (">bad<", ">good<", ">odd<"))
    assert str(picture) in ended.err
    found = json.loads(ended.out)
    assert found["examples"] == 42
    assert found["unknown"] == ["odd"]
    assert {error["input"] for error in found["errors"]} >= {"a warm and generous film", "neither here nor there"}
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(40 / 42)


def test_predicting_from_files_and_standard_input(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    (tmp_path / "a.txt").write_text("what a joy\n\nwhat, a bore\n", encoding="utf-8")
    ended = ziggurat("task", "classification", "predict", run, tmp_path / "a.txt")
    assert [line.split("\t")[::2] for line in ended.out.splitlines()] == [
        ["good", "what a joy"],
        ["bad", "what, a bore"],
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"i loved it\n"), encoding="utf-8"))
    (line,) = ziggurat("task", "classification", "predict", run, "--json", "--quiet").out.splitlines()
    found = json.loads(line)
    assert found["answer"] == "good"
    assert found["confidence"] == max(found["probabilities"].values())
    assert sum(found["probabilities"].values()) == pytest.approx(1)


def test_no_text_of_a_plain_file_is_lost(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    for first in ("a warm\tfilm", "hello, text, warm", "{hm} a warm film"):
        (tmp_path / "a.txt").write_text(f"{first}\na bore\n", encoding="utf-8")
        ended = ziggurat("task", "classification", "predict", run, tmp_path / "a.txt")
        assert [line.split("\t")[2] for line in ended.out.splitlines()] == [" ".join(first.split()), "a bore"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_comma_in_a_text_without_quotes_is_an_error(
    run: Path, language: str, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    (tmp_path / "a.csv").write_text("text,label\na joy,good\ndull, endless,bad\n", encoding="utf-8")
    ended = ziggurat("task", "classification", "evaluate", run, tmp_path / "a.csv", "--lang", language)
    assert (ended.code, ended.out) == (2, "")
    assert "a.csv:3" in ended.err
    assert ("quote the text" in ended.err) == (language == "en")
    assert ("请给文本加上引号" in ended.err) == (language == "zh")


def test_columns_are_named_once(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "tweets.csv"
    lines = [f'{number},{label},"{text}"' for number, (text, label) in enumerate(rows(0, 30))]
    path.write_text("id,mood,tweet\n" + "\n".join(lines) + "\n", encoding="utf-8")
    task, out = ("task", "classification"), tmp_path / "run"
    named = ("--text.field", "tweet", "--text.label_field", "mood", "--recipe", "lstm-classifier", "--training.epochs")
    ended = ziggurat(*task, "train", path, "--out", out, *named, "1", "--model.hidden", "8", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["models"][0]["examples"] > 0
    for run in (out, out / "baseline"):
        assert load(run).manifest.model["labels"] == ["bad", "good"]
        assert load(run).manifest.recipe["text"]["label_field"] == "mood"
    ended = ziggurat(*task, "evaluate", out / "baseline", path, "--json")  # which remembers them
    assert json.loads(ended.out)["metrics"]["accuracy"]["value"] > 0.9
    ended = ziggurat(*task, "predict", out / "baseline", path, "--quiet")
    assert ended.out.splitlines()[0].split("\t")[2] == rows(0, 1)[0][0]
    ended = ziggurat(*task, "evaluate", out / "baseline", path, "--text.label_field", "mod")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"error: {path}: unknown column 'mod'; did you mean 'mood'?\n"


def test_bytes_are_read_as_flags_say(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\na café joy,good\n".encode("cp1250") + b"\x81,bad\n")
    for verb in ("evaluate", "predict"):
        told = ("task", "classification", verb, run, path, "--text.encoding", "cp1250")
        ended = ziggurat(*told)
        assert (ended.code, ended.out) == (2, "")
        assert "a.csv:3: byte 27 (0x81) is not cp1250" in ended.err
        assert "--text.undecodable replace" in ended.err
        assert ziggurat(*told, "--text.undecodable", "replace").code == 0
        ended = ziggurat("task", "classification", verb, run, path, "--text.cut", "never")
        assert (ended.code, ended.out) == (2, "")
        assert "unknown option '--text.cut'" in ended.err
    assert "café" in ziggurat(*told, "--text.undecodable", "replace").out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_guessed_of_columns_is_said(run: Path, language: str, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("task", "classification", "evaluate", run, run.parent / "test.tsv", "--lang", language)
    told = {"en": "with the text in cell 2 and the label in cell 1;", "zh": "文本在第 2 个单元格，标签在第 1 个单元格"}
    assert told[language] in ended.err
    (tmp_path / "a.csv").write_text("opinion,label\na joy,good\na bore,bad\n", encoding="utf-8")
    ended = ziggurat("task", "classification", "evaluate", run, tmp_path / "a.csv", "--lang", language)
    assert "'opinion'" in ended.err


def test_the_same_from_python(run: Path) -> None:
    said = package.load(run).classify(["clever and moving", "silly and loud"])
    assert [one.answer for one in said] == ["good", "bad"]
    assert package.load(run).classify([]) == []


def test_it_trains_in_chinese_too(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "评论.csv"
    lines = [
        f"{label},{words}，第{n}号" for n in range(30) for label, words in (("好", "房间很干净"), ("差", "服务太糟糕"))
    ]
    path.write_text("label,review\n" + "\n".join(lines) + "\n", encoding="gb18030")
    ended = ziggurat("task", "classification", "train", path, "--out", tmp_path / "run", "--lang", "zh")
    assert ended.code == 0, ended.err
    assert "宏平均 F1" in ended.out
    ended = ziggurat("task", "classification", "predict", tmp_path / "run", path, "--quiet")
    assert ended.out.splitlines()[0].startswith("好\t")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "no file was named: ziggurat task classification train FILE…"),
        (["train", "none.tsv"], "none.tsv"),
        (["train", "one.tsv"], "one.tsv: 1 different labels to learn from"),
        (["train", "bad.tsv"], "bad.tsv:2: "),
        (["train", "one.tsv", "--recipe", "ngram"], "recipe ngram learns nothing of this task"),
        (["evaluate", "nowhere", "one.tsv"], "nowhere"),
        (["evaluate", "nowhere", "one.tsv", "--picture", "a.jpg"], "--picture: unknown file ending '.jpg'"),
        (["evaluate", "nowhere", "one.tsv", "--fonts", "none"], "--fonts: none: no such file or folder"),
        (["predict", "nowhere", "one.tsv"], "nowhere"),
    ],
)
def test_what_can_not_be_is_an_error_of_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "one.tsv", [("text", "same")] * 3)
    (tmp_path / "bad.tsv").write_text("a text\tx\nno label here\n", encoding="utf-8")
    ended = ziggurat("task", "classification", *words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


def test_a_task_that_is_none(ziggurat: Ziggurat) -> None:
    ended = ziggurat("task", "clasification", "train")
    assert ended.code == 2
    assert ended.err == "error: ziggurat task: unknown task 'clasification'; did you mean 'classification'?\n"


# -- on a trained encoder ----------------------------------------------------------------------------------------------

ENCODER = ["--model.layers", "1", "--model.width", "12", "--model.heads", "3", "--model.context", "32"]


@pytest.fixture(scope="module")
def encoder(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a tiny encoder."""
    folder = tmp_path_factory.mktemp("runs") / "encoder"
    return train(folder, texts, "--recipe", "bert", "--steps", "2", *ENCODER, "--tokens.vocab_size", "300")


def test_an_encoder_is_fine_tuned_beside_the_baseline(
    run: Path, encoder: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    out = tmp_path / "tuned"
    given = ["--start", encoder, "--training.epochs", "none", "--training.steps", "3"]  # which says the recipe
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given, "--json", "--out", out)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert [one["recipe"] for one in found["models"]] == ["linear", "encoder-classifier"]
    inside, whole = load(encoder), load(out)
    assert whole.manifest.tokenizer["fingerprint"] == inside.manifest.tokenizer["fingerprint"]
    assert whole.manifest.training["start"]["from"] == str(encoder / "bundle")
    assert whole.manifest.model["labels"] == ["bad", "good"]
    assert load(out / "baseline").manifest.family == "linear"
    ended = ziggurat("task", "classification", "predict", out, run.parent / "test.tsv", "--quiet")
    assert len(ended.out.splitlines()) == 40


def test_what_is_at_hand_says_the_recipe(run: Path, encoder: Path) -> None:
    task = TASKS.get("classification")
    assert suited(task, start=None, vectors=None) == ("linear", "")
    assert suited(task, start=str(encoder), vectors=None) == ("encoder-classifier", "")
    assert suited(task, start=None, vectors="skipgram") == ("classifier-ensemble", "")
    assert suited(TASKS.get("ner"), start=None, vectors="skipgram") == ("lstm-tagger", "")
    with pytest.raises(UsageError, match="can't be trained on"):
        suited(task, start=str(run), vectors=None)
    with pytest.raises(UsageError, match="--vectors: no recipe of this task has embeddings"):
        suited(Plain(), start=None, vectors="skipgram")


class Plain(Classification):
    """A task of the baseline alone."""

    recipes: ClassVar[tuple[str, ...]] = ("linear",)


def test_a_pooler_is_the_classifiers_own_to_choose(
    run: Path, encoder: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    given = ["--recipe", "encoder-classifier", "--start", encoder, "--training.epochs", "none", "--training.steps", "1"]
    for wanted in ("true", "false"):
        out = tmp_path / wanted
        keys = ["--model.pooler", wanted, "--model.pool", "first" if wanted == "true" else "mean"]
        ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given, *keys, "--out", out)
        assert ended.code == 0, ended.err
        model: Any = load(out).model
        assert (model.network.body.pooler is not None) == (wanted == "true")


def test_what_comes_with_the_encoder_is_not_set(run: Path, encoder: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    given = ["--recipe", "encoder-classifier", "--start", encoder, "--out", tmp_path / "run"]
    for more, message in (
        (["--model.width", "24"], f"--model.width: comes with start {encoder}, where it is 12; leave it out"),
        (["--tokens.kind", "words"], "--tokens.kind: the tokenizer and embeddings come with start"),
        (["--recipe", "lstm-classifier"], f"start {encoder} is of family encoder, not recurrent_classifier"),
    ):
        ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given, *more)
        assert (ended.code, ended.out) == (2, "")
        assert message in ended.err


# -- stopped, and what is left behind ----------------------------------------------------------------------------------


def test_a_run_that_was_stopped_goes_on_and_is_measured(
    run: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    out = tmp_path / "a run"
    given = ["--recipe", "encoder-classifier", "--start", encoder, "--training.epochs", "none", "--training.steps", "3"]
    with monkeypatch.context() as patch:
        patch.setattr("ziggurat.surface.tasks.judge_task", interrupted)
        ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given, "--out", out)
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.splitlines()[-1].endswith(f"go on with: ziggurat task classification train --resume '{out}'")
    ended = ziggurat("task", "classification", "train", "--resume", out, "--json")
    assert ended.code == 0, ended.err
    assert [one["recipe"] for one in json.loads(ended.out)["models"]] == ["linear", "encoder-classifier"]
    assert load(out).manifest.metrics["test"]["examples"] > 0


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("given", [["x.tsv"], ["--seed", "3"], ["--test", "x.tsv"], ["--training.rows", "3"]])
def test_a_resumed_run_keeps_what_it_has(given: list[str], run: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("task", "classification", "train", "--resume", run, *given)
    assert (ended.code, ended.out) == (2, "")
    assert f"{given[0]}: a resumed run keeps its own files and recipe" in ended.err


def test_files_that_can_t_be_used_leave_no_folder(tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "bad.tsv").write_text("a text\tx\nno label here\n", encoding="utf-8")
    given = ["--recipe", "lstm-classifier", "--out", tmp_path / "run"]
    for _ in range(2):  # the second is no "unfinished run"
        ended = ziggurat("task", "classification", "train", tmp_path / "bad.tsv", *given)
        assert "bad.tsv:2: " in ended.err.splitlines()[-1]
        assert not (tmp_path / "run").exists()


def test_minutes_are_a_budget_of_every_network(run: Path, encoder: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    given = ["--recipe", "encoder-classifier", "--start", encoder, "--minutes", "0.02", "--out", tmp_path / "run"]
    ended = ziggurat("task", "classification", "train", run.parent / "train.tsv", *given, "--quiet")
    assert ended.code == 0, ended.err
