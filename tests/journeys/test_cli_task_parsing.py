"""From questions with their queries to a parser that is measured by a database and asked, in both languages."""

import io
import json
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.databases import tower_database
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.surface.cli import main

CITIES = ("Babylon", "Ur", "Uruk", "Susa")
FORMS = (
    ("how high is the tower of {}", "SELECT height FROM tower WHERE city_name = '{}' ;"),
    ("which tower stands in {}", "SELECT tower_name FROM tower WHERE city_name = '{}' ;"),
    ("how many steps are there in {}", "SELECT steps FROM tower WHERE city_name = '{}' ;"),
    ("what river flows through {}", "SELECT river_name FROM river WHERE city_name = '{}' ;"),
)
CHINESE_FORMS = (("有多少人", "人口"), ("的人口是多少", "人口"), ("有多大", "面积"), ("的面积", "面积"))
SMALL = (
    *("--model.embedding", "32", "--model.hidden", "48", "--training.epochs", "30", "--training.rows", "4"),
    *("--training.learning_rate", "0.01", "--training.warmup_steps", "5"),
    *(word for name in ("input", "hidden", "output") for word in (f"--model.dropout_{name}", "0.1")),
)
WAYS = ("{}", "{} ?", "tell me , {}", "please : {}", "say {}", "{} now")


def questions(path: Path, cities: tuple[str, ...], ways: tuple[str, ...] = WAYS) -> Path:
    rows = [
        {"utterance": way.format(asked.format(city)), "sql": sql.format(city)}
        for way in ways
        for asked, sql in FORMS
        for city in cities
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A parser that was trained on three cities, and measured on a fourth."""
    folder = tmp_path_factory.mktemp("task parsing")
    database = tower_database(folder / "towers.sqlite")
    train, test = questions(folder / "train.jsonl", CITIES[:3]), questions(folder / "test.jsonl", CITIES[3:])
    out = folder / "a run"
    words = ["task", "parsing", "train", str(train), "--test", str(test), "--database", str(database), *SMALL]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        assert main([*words, "--out", str(out), "--quiet", "--json"]) == 0
    return out


def test_a_city_that_was_never_learnt_is_copied(run: Path) -> None:
    manifest = load(run).manifest
    found = manifest.metrics["test"]
    assert found["examples"] == 24
    assert found["execution_match"] > 0.9
    assert found["query_match"] > 0.9
    assert manifest.corpus["questions"]["database"] == str((run.parent / "towers.sqlite").resolve())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluating_says_what_it_is_worth(run: Path, language: str, ziggurat: Ziggurat) -> None:
    ended = ziggurat("task", "parsing", "evaluate", run, run.parent / "test.jsonl", "--lang", language)
    assert ended.code == 0, ended.err
    assert ("execution match" in ended.out) == (language == "en")
    assert ("执行匹配" in ended.out) == (language == "zh")
    told = json.loads(ziggurat("task", "parsing", "evaluate", run, run.parent / "test.jsonl", "--json").out)
    assert told["metrics"]["execution_match"]["value"] > 0.9
    assert told["calibration"]["expected_calibration_error"] >= 0


def test_answers_and_what_the_database_says_to_them(
    run: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"how high is the tower of Susa\n\nwhat river ?\n")))
    ended = ziggurat("task", "parsing", "predict", run)
    assert ended.code == 0, ended.err
    first, second = ended.out.splitlines()
    assert first == "SELECT height FROM tower WHERE city_name = 'Susa'"
    assert second.startswith("SELECT ")
    asked = run.parent / "asked.jsonl"
    asked.write_text('{"utterance": "which tower stands in Ur"}\n', encoding="utf-8")
    told = json.loads(ziggurat("task", "parsing", "predict", run, asked, "--json").out)
    assert told["answer"] == "SELECT tower_name FROM tower WHERE city_name = 'Ur'"
    assert told["rows"] == [["Great Ziggurat"]]
    assert 0 < told["confidence"] <= 1


def test_chinese_questions_are_answered(tmp_path: Path, ziggurat: Ziggurat) -> None:
    database = tmp_path / "城.sqlite"
    cities = ("北京", "上海", "广州", "深圳", "成都市", "杭州")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE 城市 (名称 text, 人口 int, 面积 int)")
        connection.executemany("INSERT INTO 城市 VALUES (?, ?, ?)", [(city, len(city), 7) for city in cities])
        connection.commit()
    forms = [(f"{way}{{}}{asked}", column) for way in ("", "请问", "我想知道") for asked, column in CHINESE_FORMS]
    for name, known in (("train", cities[:4]), ("test", cities[4:])):
        rows = [
            {"utterance": asked.format(city), "sql": f"SELECT {column} FROM 城市 WHERE 名称 = '{city}'"}  # noqa: S608 - constants
            for asked, column in forms
            for city in known
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    test = tmp_path / "test.jsonl"
    words = ["train", tmp_path / "train.jsonl", "--dev", test, "--test", test, "--database", database, *SMALL]
    ended = ziggurat("task", "parsing", *words, "--out", tmp_path / "run", "--quiet", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["models"][0]["metrics"]["execution_match"]["value"] > 0.9
    asked = tmp_path / "问.txt"
    asked.write_text("请问成都市有多大\n", encoding="utf-8")
    told = json.loads(ziggurat("task", "parsing", "predict", tmp_path / "run", asked, "--json").out)
    assert told["answer"] == "SELECT 面积 FROM 城市 WHERE 名称 = '成都市'"
    assert told["rows"] == [[7]]


def test_another_database_knows_other_values(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    database = tower_database(tmp_path / "more.sqlite")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO tower VALUES ('Ekur', 'Nippur', 20, 2.0)")
        connection.commit()
    asked = tmp_path / "asked.txt"
    asked.write_text("how high is the tower of Nippur\n", encoding="utf-8")
    told = json.loads(ziggurat("task", "parsing", "predict", run, asked, "--database", database, "--json").out)
    assert told["rows"] == [[20]]


def test_bad_input_is_said_in_one_line(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    train, gone = run.parent / "train.jsonl", tmp_path / "gone.sqlite"
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"utterance": "how high", "sql": "SELECT 1"}\n{"utterance": 3, "sql": "S"}\n', encoding="utf-8")
    table = tmp_path / "mood.tsv"
    table.write_text("good\tfine\nbad\tfoul\n", encoding="utf-8")
    for words, said in (
        (("train", train, "--database", gone), "gone.sqlite"),
        (("train", train, "--database", train), "train.jsonl"),
        (("train", broken), "broken.jsonl:2: the key 'utterance' holds 3"),
        (("train", train, "--recipe", "linear"), "learns nothing of this task"),
        (("train", train, "--recipe", "small-transformer"), "recipe small-transformer learns nothing of this task"),
        (("train", table), "mood.tsv:1: not JSON"),
        (("evaluate", run, broken), "broken.jsonl:2"),
        (("predict", run, broken, "--database", gone), "gone.sqlite: no such file or folder"),
    ):
        out = ("--out", tmp_path / "run") if words[0] == "train" else ()
        ended = ziggurat("task", "parsing", *words, *out)
        assert ended.code == 2, (words, ended.err)
        assert said in ended.err
        assert "Traceback" not in ended.err
        assert not (tmp_path / "run").exists()
    ended = ziggurat("task", "translation", "train", table, "--recipe", "lstm-parser", "--out", tmp_path / "run")
    assert ended.code == 2
    assert "--recipe: recipe lstm-parser learns nothing of this task; try small-transformer" in ended.err
    ended = ziggurat("task", "classification", "train", table, "--database", gone, "--out", tmp_path / "run")
    assert ended.code == 2
    assert "--database: task classification asks no database" in ended.err


def test_a_parser_is_no_translator(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    asked, pairs = tmp_path / "asked.txt", tmp_path / "pairs.tsv"
    asked.write_text("how high is the tower of Ur\n", encoding="utf-8")
    pairs.write_text("how high\tSELECT 1\n", encoding="utf-8")
    task = ("task", "translation")
    for words in ((*task, "predict", run, asked), (*task, "evaluate", run, pairs), ("translate", run, asked)):
        ended = ziggurat(*words)
        assert (ended.code, ended.out) == (2, ""), words
        assert "this model writes queries: ask it with ziggurat task parsing predict" in ended.err


def test_a_run_goes_on_under_its_own_task(run: Path, counted: Path, ziggurat: Ziggurat) -> None:
    for task, folder, recipe, command in (
        ("translation", run, "lstm-parser", "ziggurat task parsing train --resume"),
        ("classification", run, "lstm-parser", "ziggurat task parsing train --resume"),
        ("translation", counted, "ngram", "ziggurat train --resume"),
    ):
        ended = ziggurat("task", task, "train", "--resume", folder)
        assert (ended.code, ended.out) == (2, "")
        assert f"--resume: {folder}: a run of recipe {recipe}, which learns nothing of task {task}" in ended.err
        assert f"go on with: {command} {shlex.quote(str(folder))}" in ended.err
