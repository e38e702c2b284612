"""What a database says to queries, and what it is not asked."""

from pathlib import Path

import pytest

from tests.fakes.databases import tower_database
from ziggurat.text.query_answers import ExecutionLimits, QueryFailedError, answer, asking, compared, fault, said_faults

ENDLESS = "WITH RECURSIVE n(a) AS ( SELECT 1 UNION ALL SELECT a + 1 FROM n ) SELECT count(*) FROM n"


@pytest.fixture
def towers(tmp_path: Path) -> Path:
    return tower_database(tmp_path / "towers.sqlite")


def test_rows_are_those_of_the_database_up_to_as_many_as_are_asked_for(towers: Path) -> None:
    query = "SELECT city_name, steps FROM tower ORDER BY height"
    with asking(towers) as connection:
        every = answer(query, connection)
        assert every == [("Uruk", None), ("Susa", 5.0), ("Ur", 3.0), ("Babylon", 7.0)]
        assert answer(query, connection, rows=2) == every[:2]
        assert answer(query, connection, ExecutionLimits(rows=3)) == every[:3]
        with pytest.raises(QueryFailedError, match="more than 3 rows"):
            answer(query, connection, ExecutionLimits(rows=3), fails_beyond=True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT depth FROM tower", "no such column"),
        ("SELECT", "incomplete input"),
        ("", "no query"),
        ("DELETE FROM tower", "not authorized"),
        ("PRAGMA table_info(tower)", "not authorized"),
        ("SELECT 1; SELECT 2", "one statement"),
        (ENDLESS, "not done after 0.1 seconds"),
    ],
)
def test_a_query_that_has_no_answer_says_why(towers: Path, query: str, said: str) -> None:
    limits = ExecutionLimits(seconds=0.1)
    with asking(towers, limits) as connection:
        with pytest.raises(QueryFailedError, match=said):
            answer(query, connection, limits)
        assert answer("SELECT count(*) FROM tower", connection, limits) == [(4,)]


def test_what_is_wrong_with_a_query_shows_before_it_runs(towers: Path) -> None:
    with asking(towers, ExecutionLimits(seconds=0.1)) as connection:
        for query, said in (
            ("SELECT count(*) FROM tower ;", ""),
            (ENDLESS, ""),
            ("SELEC x", 'near "SELEC": syntax error'),
            ("SELECT a FROM lake", "no such table: lake"),
            ("SELECT depth FROM tower", "no such column: depth"),
            ("DROP TABLE tower", "no query: it does more than read (not authorized)"),
            ("SELECT 1; DROP TABLE tower", "You can only execute one statement at a time."),
        ):
            assert fault(query, connection) == said
        assert answer("SELECT count(*) FROM tower", connection) == [(4,)]


def test_each_fault_is_said_where_it_stands_first() -> None:
    assert said_faults([]) == ""
    assert said_faults([("a:1", "x"), ("a:2", "y"), ("a:3", "x")]) == "a:1: x; a:2: y"
    assert said_faults(("", str(number)) for number in range(4)) == "0; 1; 2; …"


def test_numbers_with_a_fraction_are_compared_to_twelve_digits() -> None:
    assert compared((0.1 + 0.2, 3, "a", None, b"x")) == (0.3, 3, "a", None, b"x")
