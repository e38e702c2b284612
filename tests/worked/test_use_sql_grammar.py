"""Queries that a schema allows and others, by hand; and real ones."""

import pytest

from ziggurat.core.errors import UsageError
from ziggurat.text.databases import Column, Schema, read_schema, stored_values
from ziggurat.text.linking import queried_values
from ziggurat.text.queries import read_queries
from ziggurat.text.sql import pieces
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.use.constraints import Constraint
from ziggurat.use.sql_grammar import SqlNames, sql_grammar, utterance_values

llguidance = pytest.importorskip("llguidance")

SCHEMA = Schema(
    {
        "tower": (Column("tower_name"), Column("height"), Column("year built")),
        "river": (Column("river_name"), Column("city")),
    }
)
VALUES = ("Ur", "it's", 'a "b"', "x/y\\z.*")


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["a"], "bytes")


@pytest.fixture(scope="module")
def towers(tokenizer) -> Constraint:
    return Constraint(tokenizer, sql_grammar(SCHEMA, values=VALUES, numbers=("91", "7.5")))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT height FROM tower",
        "select HEIGHT from Tower where tower_name = 'Ur';",
        "SELECT toweralias0.height , riveralias1.city FROM tower AS toweralias0 , river AS riveralias1 ;",
        "SELECT COUNT( * ) FROM river",
        "SELECT DISTINCT MAX( DISTINCT tower.height ) FROM tower WHERE NOT height <> 91 OR ( height BETWEEN 1 AND 9 )",
        "SELECT `year built` FROM tower WHERE tower.`year built` IS NOT NULL ORDER BY height DESC , tower_name LIMIT 1",
        'SELECT tower_name FROM tower WHERE height > ALL ( SELECT height FROM tower WHERE tower_name LIKE "Ur" )',
        "SELECT city FROM river WHERE river_name IN ( 'Ur' , \"Ur\" ) GROUP BY city HAVING COUNT( 1 ) > 1",
        "SELECT tower_name FROM tower WHERE tower_name = 'it''s' AND tower_name = \"it's\"",
        'SELECT tower_name FROM tower WHERE tower_name = "a ""b""" AND tower_name = \'x/y\\z.*\'',
        "SELECT DERIVED_TABLEalias0.DERIVED_FIELDalias0 FROM ( SELECT SUM( height ) AS DERIVED_FIELDalias0 FROM tower "
        ") AS DERIVED_TABLEalias0",
        "SELECT city FROM river LEFT OUTER JOIN tower ON river.city = tower.tower_name WHERE height * 7.5 < 91 - 1",
        "SELECT city FROM river UNION ALL SELECT tower_name FROM tower",
        "SELECT city FROM river WHERE EXISTS ( SELECT height FROM tower )",
    ],
)
def test_queries_of_the_schema(towers: Constraint, sql: str) -> None:
    assert towers.accepts(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT",
        "SELECT height FROM lake",
        "SELECT depth FROM tower",
        "SELECT tower.city FROM tower",  # a river's column
        "SELECT toweralias0.river_name FROM tower AS toweralias0",
        "SELECT height FROM tower WHERE tower_name = 'Uruk'",
        "SELECT height FROM tower WHERE tower_name = 'it's'",
        "SELECT height FROM tower WHERE tower_name = 'x/y\\z..'",
        "SELECT height FROM tower WHERE height = 92",
        "SELECT height FROM tower AS riveralias0",
        "SELECTheight FROM tower",
        "SELECT ( height FROM tower",
        "DELETE FROM tower",
        "SELECT height FROM tower ; SELECT city FROM river",
    ],
)
def test_queries_of_no_schema(towers: Constraint, sql: str) -> None:
    assert not towers.accepts(sql)


def test_names_may_be_given_another_way(tokenizer) -> None:
    constraint = Constraint(tokenizer, sql_grammar(SCHEMA, names=SqlNames(alias="_", table="sub", field="f")))
    assert constraint.accepts("SELECT sub_1.f_0 FROM ( SELECT COUNT( * ) AS f_0 FROM tower AS tower_0 ) AS sub_1")
    assert not constraint.accepts("SELECT tower_name FROM tower WHERE tower_name = ''")


def test_templates_are_queries_of_names_in_place_of_values(tokenizer) -> None:
    constraint = Constraint(tokenizer, sql_grammar(SCHEMA, values=["city0"], numbers=["number0"]))
    assert constraint.accepts("SELECT city FROM river WHERE city = 'city0' AND river_name > number0")


def test_a_schema_of_nothing_is_refused() -> None:
    for schema in (Schema({}), Schema({"tower": ()})):
        with pytest.raises(UsageError, match="a schema without tables and columns"):
            sql_grammar(schema)


def test_values_of_a_question() -> None:
    values, numbers = utterance_values("before 7.5 from O'Hare", most_words=2)
    assert values[:4] == ["before", "BEFORE", "before 7.5", "BEFORE 7.5"]
    assert {"O'Hare", "O'HARE", "from O'Hare", "from"} <= set(values)
    assert "7.5 from O'Hare" not in values
    assert numbers == ["7.5"]


def numbers_of(pairs) -> set[str]:
    return {piece.text for pair in pairs for piece in pieces(pair.sql) if piece.kind == "number"}


def test_gold_queries_about_geography(tokenizer, shared_data) -> None:
    folder = shared_data / "geography"
    if not (folder / "geobase.sqlite").exists():
        pytest.skip("no geography database among the data sets")
    pairs = list(read_queries(folder / "train.jsonl"))
    schema = read_schema(folder / "geobase.sqlite").merged(read_schema(folder / "schema.csv"))
    values, numbers = stored_values(folder / "geobase.sqlite"), sorted(numbers_of(pairs))
    constraint = Constraint(tokenizer, sql_grammar(schema, values=values, numbers=numbers))
    asked = {pair.sql: pair.utterance for pair in pairs}
    (refused,) = (sql for sql in asked if '"dc"' in sql)  # what is in the question, not in the database
    assert all(constraint.accepts(sql) for sql in sorted(asked)[::7] if sql != refused)
    assert not constraint.accepts(refused)
    more = [*values, *utterance_values(asked[refused])[0]]
    assert Constraint(tokenizer, sql_grammar(schema, values=more, numbers=numbers)).accepts(refused)


def test_gold_queries_about_flights(tokenizer, shared_data) -> None:
    folder = shared_data / "atis"
    if not folder.is_dir():
        pytest.skip("no atis among the data sets")
    pairs = list(read_queries(folder / "train.jsonl.gz"))
    grammar = sql_grammar(
        read_schema(folder / "schema.csv"), values=queried_values(pairs), numbers=sorted(numbers_of(pairs))
    )
    constraint = Constraint(tokenizer, grammar)
    refused = [sql for sql in sorted({pair.sql for pair in pairs})[::97] if not constraint.accepts(sql)]
    assert refused == []
