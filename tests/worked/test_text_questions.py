"""Files of questions on their way to linked pairs: splits, the database, what can't be used."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.databases import tower_database
from ziggurat.core.errors import DamagedError, InputError, TooLittleTextError, UnknownNameError, UsageError
from ziggurat.text.options import TextConfig
from ziggurat.text.questions import QuestionCorpus, linker_of, open_questions, prepare_questions, resolve_questions

CITIES = ("Babylon", "Ur", "Uruk", "Susa")


def questions(path: Path, count: int, *, first: int = 0) -> Path:
    rows = [
        {
            "utterance": f"how high is {CITIES[number % 4]} , tower {number}",
            "sql": f"SELECT height FROM tower WHERE city_name = '{CITIES[number % 4]}' AND steps < 99 ;",  # noqa: S608 - a constant
        }
        for number in range(first, first + count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def prepared(folder: Path, *names: str, **options: Any) -> QuestionCorpus:
    return prepare_questions(
        names, TextConfig(format="queries", **options), folder=folder / "text", listener=lambda event: None
    )


def test_questions_are_split_and_linked(tmp_path: Path) -> None:
    database = tower_database(tmp_path / "towers.sqlite")
    corpus = prepared(tmp_path, str(questions(tmp_path / "q.jsonl", 40)), f"database={database}")
    assert [len(corpus.train), len(corpus.dev), len(corpus.test)] == [32, 4, 4]
    for pair, example in zip(corpus.train, corpus.train.examples(), strict=True):
        number = example.input.rpartition(" ")[2]
        assert pair.source == f'how high is city_name "value0" , tower number{"0" if number else ""}'
        assert pair.target == 'SELECT height FROM tower WHERE city_name = "value0" AND steps < 99'
        assert example.answer.endswith("99 ;")
    facts = corpus.facts()["questions"]
    assert facts == {"database": str(database.resolve()), "values": {}, "names": [], "texts": [], "numbers": ["99"]}
    assert linker_of(corpus.facts()).linked("is Ur high").source == 'is city_name "value0" high'
    both = list(corpus.train.texts())
    assert both[::2] == [pair.source for pair in corpus.train]
    assert [document.text for document in corpus.train.sides[""]] == both[1::2]
    assert [document.text for document in corpus.train.sides["source"]] == both[::2]


def test_queries_that_the_database_refuses_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = tower_database(tmp_path / "towers.sqlite")
    wrong = [("odd", "SELEC x"), ("drop", "DROP TABLE tower")]
    path = questions(tmp_path / "q.jsonl", 40)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"utterance": asked, "sql": sql}) + "\n" for asked, sql in wrong)
    corpus = prepared(tmp_path, str(path), f"database={database}")
    assert sum(map(len, (corpus.train, corpus.dev, corpus.test))) == 42
    (said,) = caplog.messages
    assert said.startswith(
        f'2 of 42 queries fail on this database ({path}:41: near "SELEC": syntax error; {path}:42: no'
    )
    assert {example.answer.place for example in corpus.train.examples()} <= {f"{path}:{line}" for line in range(1, 43)}
    caplog.clear()
    prepared(tmp_path / "schema alone", str(path))
    assert not caplog.messages


def test_without_a_database_known_values_are_those_of_the_queries_learnt_from(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, str(questions(tmp_path / "q.jsonl", 40)))
    facts = corpus.facts()["questions"]
    assert facts["database"] == ""
    assert facts["values"] == dict.fromkeys(facts["values"], "city_name")
    assert set(facts["values"]) == set(CITIES)
    assert linker_of(corpus.facts()).linked("is Susa high").source == 'is city_name "value0" high'


def chinese_questions(path: Path) -> Path:
    rows = [
        {"utterance": f"请问{city}的人口是多少{ending}", "sql": f"SELECT 人口 FROM 城市 WHERE 名称 = '{city}'"}  # noqa: S608 - constants
        for ending in ("", "？", "呢", "啊")
        for city in ("北京", "上海", "广州", "深圳")
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def chinese_database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE 城市 (名称 text, 人口 int)")
        connection.executemany("INSERT INTO 城市 VALUES (?, 7)", [("北京",), ("上海",), ("广州",), ("成都",)])
        connection.commit()
    return path


@pytest.mark.parametrize("asked", ["database", "schema", ""])
def test_chinese_questions_are_linked_and_read_as_characters(asked: str, tmp_path: Path) -> None:
    names = [str(chinese_questions(tmp_path / "问.jsonl"))]
    if asked == "database":
        names.append(f"database={chinese_database(tmp_path / '城.sqlite')}")
    elif asked:
        (tmp_path / "a.csv").write_text("Table Name, Field Name\n城市, 人口\n城市, 名称\n", encoding="utf-8")
        names.append(f"database={tmp_path / 'a.csv'}")
    corpus = prepared(tmp_path, *names)
    for pair, example in zip(corpus.train, corpus.train.examples(), strict=True):
        known = asked != "database" or "深圳" not in example.input
        city, value = ('名称 "value0"', '"value0"') if known else ("深 圳", "'深圳'")
        assert pair.source.startswith(f"请 问 {city} 的 人口 是 多 少")
        assert pair.target == f"SELECT 人口 FROM 城市 WHERE 名称 = {value}"  # noqa: S608 - constants
    facts = corpus.facts()
    assert facts["questions"]["names"] == ([] if asked else ["人口", "名称", "城市"])
    assert linker_of(facts).linked("上海人口").source == '名称 "value0" 人口'


def test_what_was_prepared_before_is_linked_as_it_was(tmp_path: Path) -> None:
    database = str(chinese_database(tmp_path / "城.sqlite"))
    facts = {"questions": {"database": database, "values": {}, "texts": [], "numbers": []}}
    assert linker_of(facts).linked("成都 人口多少").source == '名称 "value0" 人口多少'


def test_a_schema_gives_names_and_no_values(tmp_path: Path) -> None:
    schema = tmp_path / "schema.csv"
    schema.write_text("Table Name, Field Name\ntower, height\ntower, city_name\n", encoding="utf-8")
    facts = prepared(tmp_path, str(questions(tmp_path / "q.jsonl", 40)), f"database={schema}").facts()["questions"]
    assert facts["database"] == str(schema.resolve())
    assert set(facts["values"]) == set(CITIES)


def test_another_database_links_other_values(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, str(questions(tmp_path / "q.jsonl", 40)))
    database = tower_database(tmp_path / "towers.sqlite")
    linked = linker_of(corpus.facts(), str(database)).linked("is the White Temple high")
    assert linked.source == 'is the tower_name "value0" high'


def test_files_of_their_own_are_held_out_and_not_learnt_from(tmp_path: Path) -> None:
    train, test = questions(tmp_path / "train.jsonl", 40), questions(tmp_path / "test.jsonl", 10, first=35)
    corpus = prepared(tmp_path, str(train), f"test={test}", f"dev={questions(tmp_path / 'dev.jsonl', 3, first=90)}")
    assert [len(corpus.train), len(corpus.dev), len(corpus.test)] == [35, 3, 10]
    assert "held out too" in corpus.ledger.read_text(encoding="utf-8")
    again = open_questions(corpus.folder)
    assert list(again.test) == list(corpus.test)
    assert again.fingerprint == corpus.fingerprint


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        ([], InputError, "no file of questions"),
        (["dev=q.jsonl"], InputError, "no file of questions to learn from"),
        (["q.jsonl", "tests=q.jsonl"], UnknownNameError, "test"),
        (["q.jsonl", "database=a.sqlite", "database=b.sqlite"], UsageError, "one database"),
        (["nowhere.jsonl"], InputError, "nowhere"),
    ],
)
def test_names_that_can_t_be(
    names: list[str], error: type[Exception], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    questions(tmp_path / "q.jsonl", 20)
    for database in ("a.sqlite", "b.sqlite"):
        tower_database(tmp_path / database)
    with pytest.raises(error, match=said):
        resolve_questions(names)


def test_what_can_t_be_learnt_from_leaves_no_folder(tmp_path: Path) -> None:
    few = questions(tmp_path / "few.jsonl", 9)
    with pytest.raises(TooLittleTextError, match="9 questions to learn from"):
        prepared(tmp_path, str(few))
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"utterance": "how high", "sql": "SELECT 1"}\n{"utterance": "how"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.jsonl:2: the key 'sql' is missing"):
        prepared(tmp_path, str(broken))
    with pytest.raises(InputError, match=r"few\.jsonl"):
        prepared(tmp_path, str(questions(tmp_path / "q.jsonl", 40)), f"database={few}")
    with pytest.raises(UsageError, match=r"text\.field: .*; files of questions have no use for it"):
        prepared(tmp_path, str(few), field="utterance")
    assert not (tmp_path / "text").exists()


def test_damage_is_said(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, str(questions(tmp_path / "q.jsonl", 40)))
    file = corpus.folder / "questions.jsonl"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    with pytest.raises(DamagedError, match="questions are missing"):
        open_questions(corpus.folder)
