"""Execution match and query match, by hand, on a database of four towers."""

from pathlib import Path

import pytest

from tests.fakes.databases import tower_database
from ziggurat.core.errors import InputError, UsageError
from ziggurat.judge.answers import Answer, answers_report
from ziggurat.judge.metrics.answers.execution_match import ExecutionMatch
from ziggurat.judge.metrics.answers.query_match import QueryMatch
from ziggurat.text.queries import Query

GOLD = (
    "SELECT height FROM tower WHERE city_name = 'Ur' ;",
    "SELECT city_name FROM tower WHERE height > 25",
    "SELECT MAX( height ) FROM tower",
    "SELECT city_name FROM river",
    "SELECT depth FROM tower",
)
SAID = (
    'select HEIGHT from tower where city_name="Ur"',  # written alike: right by both
    "SELECT city_name FROM tower WHERE NOT height <= 25",  # the same answer in other words
    "SELECT MIN( height ) FROM tower",  # another answer
    "SELECT city_name FROM rivers",  # no answer
    "SELECT depth FROM tower",  # written alike, but the gold query has no answer
)


def both(database: Path) -> list[tuple[str, Query]]:
    return [(gold, Query(said, str(database))) for gold, said in zip(GOLD, SAID, strict=True)]


def test_by_hand(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = tower_database(tmp_path / "towers.sqlite")
    executed, written = ExecutionMatch(), QueryMatch()
    for metric in (executed, written):
        metric.update(*zip(*both(database), strict=True))
    assert executed.each().tolist() == [1, 1, 0, 0, 1]  # of the last nothing is known, and nothing said against it
    assert written.each().tolist() == [1, 0, 0, 0, 1]
    assert (executed.value(), written.value()) == (2 / 4, 2 / 5)
    assert "1 of 5 right queries fail on this database (no such column: depth)" in caplog.text


def test_where_a_right_query_fails_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = str(tower_database(tmp_path / "towers.sqlite"))
    wrong = ("SELEC x", "SELECT 1", "SELEC x", "DROP TABLE tower", "SELECT a FROM lake", "SELECT")
    gold = [Query(sql, place=f"q.jsonl:{line}") for line, sql in enumerate(wrong, start=1)]
    metric = ExecutionMatch()
    metric.update(gold, [Query("SELECT 1", database)] * 6)
    assert metric.value() == 1 / 1
    (said,) = caplog.messages
    assert said == (
        '5 of 6 right queries fail on this database (q.jsonl:1: near "SELEC": syntax error; '
        "q.jsonl:4: no query: it does more than read (not authorized); q.jsonl:5: no such table: lake; …): "
        "execution match leaves them out"
    )


def test_where_all_right_queries_fail_there_is_no_figure(tmp_path: Path) -> None:
    database = str(tower_database(tmp_path / "towers.sqlite"))
    with pytest.raises(UsageError, match=r"all right queries fail on this database \(no such table: lake\): name"):
        ExecutionMatch().update(["SELECT a FROM lake"] * 2, [Query("SELECT height FROM tower", database)] * 2)
    with pytest.raises(UsageError, match=r'all right queries fail \(q:7: near "SELEC": syntax error\): mend them'):
        ExecutionMatch().update([Query("SELEC x", place="q:7")], [Query("SELECT height FROM tower", database)])


def test_what_the_main_metric_has_something_against_is_an_error(tmp_path: Path) -> None:
    database = tower_database(tmp_path / "towers.sqlite")
    answers = [Answer(str(number), Query(gold), said, 0.5) for number, (gold, said) in enumerate(both(database))]
    report = answers_report(answers, ("execution_match", "query_match"))
    assert {error.id for error in report.errors} == {"2", "3"}
    assert report.figures()["errors"][0]["predicted"] in SAID


def test_without_a_database_nothing_is_executed(tmp_path: Path) -> None:
    for said in ("SELECT 1", Query("SELECT 1")):
        with pytest.raises(UsageError, match="no database is known"):
            ExecutionMatch().update(["SELECT 1"], [said])
    with pytest.raises(InputError, match=r"gone\.sqlite"):
        ExecutionMatch().update(["SELECT 1"], [Query("SELECT 1", str(tmp_path / "gone.sqlite"))])


def test_a_query_is_its_text() -> None:
    query = Query("SELECT 1", "a.sqlite")
    assert query == "SELECT 1"
    assert (str(query), query.database, Query("SELECT 1").database) == ("SELECT 1", "a.sqlite", "")
    assert (Query("SELECT 1", place="a:1").place, query.place) == ("a:1", "")
