"""Predicted queries judged by hand on a database of four towers."""

import math
from pathlib import Path

import pytest

from tests.fakes.databases import tower_database
from ziggurat.core.errors import InputError, UsageError
from ziggurat.judge.execution import ExecutionLimits, Judged, exact_match, judged_queries, query_figures

ENDLESS = "WITH RECURSIVE n(a) AS ( SELECT 1 UNION ALL SELECT a + 1 FROM n ) SELECT "


@pytest.fixture
def towers(tmp_path: Path) -> Path:
    return tower_database(tmp_path / "towers.sqlite")


def judged(gold: str, predicted: str, database: Path, limits: ExecutionLimits | None = None) -> Judged:
    (found,) = judged_queries([gold], [predicted], database, limits=limits)
    return found


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("SELECT city_name FROM tower", "SELECT city_name FROM tower ORDER BY height"),
        (
            'SELECT T.height FROM tower AS T WHERE T.city_name = "Ur" ;',
            "SELECT MAX( steps ) * 10 FROM tower WHERE height = 30",
        ),
        ("SELECT height FROM tower WHERE height > 25", "SELECT height FROM tower WHERE NOT height <= 25"),
        ("SELECT steps FROM tower WHERE city_name = 'Uruk'", "SELECT NULL"),
        ("SELECT 0.1 + 0.2", "SELECT 0.3"),
        ("SELECT city_name FROM tower ORDER BY height", "SELECT city_name FROM tower ORDER BY height * 2"),
    ],
)
def test_the_same_answer_is_right(towers: Path, gold: str, predicted: str) -> None:
    assert judged(gold, predicted, towers) == Judged("right", exact=False)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("SELECT city_name FROM tower", "SELECT DISTINCT river_name FROM river"),
        ("SELECT river_name FROM river", "SELECT DISTINCT river_name FROM river"),  # as often, too
        ("SELECT DISTINCT river_name FROM river", "SELECT river_name FROM river"),
        ("SELECT city_name FROM tower ORDER BY height", "SELECT city_name FROM tower ORDER BY height DESC"),
        ("SELECT city_name , height FROM tower", "SELECT height , city_name FROM tower"),
        ("SELECT height FROM tower", "SELECT city_name FROM tower"),
        ("SELECT height FROM tower WHERE height = 30", "SELECT '30'"),
        ("SELECT height FROM tower WHERE height > 100", "SELECT 1"),
    ],
)
def test_another_answer_is_wrong(towers: Path, gold: str, predicted: str) -> None:
    assert judged(gold, predicted, towers).outcome == "wrong"


@pytest.mark.parametrize(
    ("predicted", "reason"),
    [
        ("SELECT depth FROM tower", "no such column: depth"),
        ("SELECT height FRM tower", "syntax error"),
        ("", "no query: it returns no rows"),
        ("SELECT 1 ; SELECT 2", "one statement at a time"),
        ("SELECT \0 1", ""),
        ("SELECT '\ud800'", "surrogates not allowed"),
        ("DELETE FROM tower", "not authorized"),
        ("CREATE TEMP TABLE a ( b int )", "not authorized"),
        ("PRAGMA query_only = 0", "not authorized"),
        ("SELECT length( zeroblob( 20000 ) )", "too big"),
        (ENDLESS + "MAX( a ) FROM n", "not done after 0.01 seconds"),
    ],
)
def test_a_query_without_an_answer_is_counted_with_its_reason(towers: Path, predicted: str, reason: str) -> None:
    before = towers.read_bytes()
    limits = ExecutionLimits(seconds=0.01 if predicted.startswith("WITH") else 10.0, value_bytes=10_000)
    found = judged("SELECT 1", predicted, towers, limits)
    assert (found.outcome, found.exact) == ("failed", False)
    assert reason in found.reason
    assert found.reason
    assert towers.read_bytes() == before


def test_no_other_file_is_attached(towers: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    assert "not authorized" in judged("SELECT 1", f"ATTACH '{other}' AS other", towers).reason
    assert not other.exists()


def test_of_an_endless_answer_only_the_beginning_is_read(towers: Path) -> None:
    assert judged("SELECT height FROM tower", ENDLESS + "a FROM n", towers).outcome == "wrong"


@pytest.mark.parametrize(
    ("gold", "reason"), [("SELECT a FROM b", "no such table: b"), (ENDLESS + "a FROM n", "more than 7 rows")]
)
def test_a_gold_query_that_fails_is_told_apart(towers: Path, gold: str, reason: str) -> None:
    found = judged(gold, gold, towers, ExecutionLimits(rows=7))
    assert (found.outcome, found.exact, found.reason) == ("gold failed", True, reason)


def test_one_failure_does_not_touch_the_next(towers: Path) -> None:
    limits = ExecutionLimits(seconds=0.01)
    gold = ["SELECT 1", "SELECT height FROM tower"]
    first, second = judged_queries(gold, [ENDLESS + "MAX( a ) FROM n", gold[1]], towers, limits=limits)
    assert (first.outcome, second.outcome) == ("failed", "right")


def test_exact_match_looks_at_the_writing_only() -> None:
    assert exact_match("SELECT T1.a FROM t AS T1 ;", "select T0.A from T as T0")
    assert not exact_match("SELECT a FROM t WHERE b = 1 AND c = 2", "SELECT a FROM t WHERE c = 2 AND b = 1")


def test_figures_by_hand() -> None:
    found = [
        Judged("right", exact=True),
        Judged("right", exact=False, empty=True),
        Judged("wrong", exact=False),
        Judged("failed", exact=False, reason="no such table: x"),
        Judged("gold failed", exact=True, reason="no such table: y"),
    ]
    # of 5: 2 exact; the answer is known of 4, of which 2 right; of 3 it has a row, of which 1 right
    assert query_figures(found) == {
        "queries": 5,
        "failed": 1,
        "gold_failed": 1,
        "gold_empty": 1,
        "exact": pytest.approx(2 / 5),
        "execution": pytest.approx(2 / 4),
        "execution_not_empty": pytest.approx(1 / 3),
    }
    assert math.isnan(query_figures([])["execution"])


def test_every_query_has_its_own_prediction(towers: Path) -> None:
    with pytest.raises(UsageError, match="1 predicted queries for 2 gold ones"):
        judged_queries(["SELECT 1", "SELECT 2"], ["SELECT 1"], towers)


def test_a_damaged_database_is_no_wrong_query(towers: Path) -> None:
    content = bytearray(towers.read_bytes())
    content[4096:8192] = bytes(4096)  # the page of the first table
    towers.write_bytes(content)
    with pytest.raises(InputError, match=r"towers\.sqlite: (damaged|can't be read now)"):
        judged("SELECT 1", "SELECT height FROM tower", towers)
    with pytest.raises(InputError, match=r"gone\.sqlite: can't be read"):
        judged("SELECT 1", "SELECT 1", towers.with_name("gone.sqlite"))


def test_real_questions_answer_themselves(shared_data: Path) -> None:
    from ziggurat.text.queries import read_queries

    folder = shared_data / "geography"
    if not (folder / "geobase.sqlite").exists():
        pytest.skip("no geography database among the data sets")
    gold = [pair.sql for pair in read_queries(folder / "dev.jsonl")]
    figures = query_figures(judged_queries(gold, gold, folder / "geobase.sqlite"))
    assert (figures["queries"], figures["failed"], figures["exact"], figures["execution"]) == (49, 0, 1.0, 1.0)
    assert figures["gold_failed"] == 1  # it names an alias that it never gave
