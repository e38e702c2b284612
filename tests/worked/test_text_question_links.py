"""Questions and queries with names in place of values, by hand, and back again."""

import pytest

from ziggurat.text.question_links import Constants, QuestionLinker

VALUES = {
    "Ur": "city_name",
    "Uruk": "city_name",
    "Babylon": "city_name",
    "great ziggurat": "tower_name",
    "great": "river_name",
    "new ur": "city_name",
    "euphrates": "river_name",
    "O'Hara": "city_name_or_river_name",
}
LINKER = QuestionLinker(VALUES)


@pytest.mark.parametrize(
    ("utterance", "source"),
    [
        ("How high is Babylon?", 'how high is city_name "value0" ?'),
        ("Babylon or Uruk", 'city_name "value0" or city_name "value1"'),
        ("Babylon and babylon", 'city_name "value0" and city_name "value0"'),
        ("towers above 30 in Babylon", 'towers above number0 in city_name "value0"'),
        ("O'Hara", 'city_name river_name "value0"'),
        ("what is it", "what is it"),
        ('is "value0" high', 'is " value0 " high'),
        ("它有多高？", "它有多高 ？"),
        ("", ""),
    ],
)
def test_a_question_as_it_is_read(utterance: str, source: str) -> None:
    assert LINKER.linked(utterance).source == source


def test_a_value_inside_another_has_a_name_behind_it() -> None:
    linked = LINKER.linked("how high is the Great Ziggurat", "SELECT height FROM tower WHERE river_name = 'great'")
    assert linked.source == 'how high is the tower_name "value0" river_name "value1" ziggurat'
    assert linked.target == 'SELECT height FROM tower WHERE river_name = "value1"'
    assert linked.values == {"value0": "great ziggurat", "value1": "great"}


def test_the_inner_value_may_stand_at_the_end() -> None:
    assert LINKER.linked("new babylon ur").source == 'new city_name "value0" ur'  # "ur" keeps its case: Ur, not ur
    assert LINKER.linked("New Ur").source == 'city_name "value0" new city_name "value1"'


@pytest.mark.parametrize(
    ("sql", "target"),
    [
        ("SELECT a FROM b ;", "SELECT a FROM b"),
        ("SELECT MAX(T.a)FROM b AS T", "SELECT MAX ( T.a ) FROM b AS T"),
        ("SELECT a FROM b WHERE c='Babylon'", 'SELECT a FROM b WHERE c = "value0"'),
        ("SELECT a FROM b WHERE c > 30 AND d = 31", "SELECT a FROM b WHERE c > number0 AND d = 31"),
        ("SELECT a FROM b WHERE c = 'Nippur'", "SELECT a FROM b WHERE c = 'Nippur'"),
        ("SELECT T . a FROM b", "SELECT T.a FROM b"),
        ("", ""),
    ],
)
def test_a_query_as_it_is_written(sql: str, target: str) -> None:
    assert LINKER.linked("what of Babylon above 30", sql).target == target


@pytest.mark.parametrize(
    ("target", "sql"),
    [
        ('SELECT a FROM b WHERE c = "value0"', "SELECT a FROM b WHERE c = 'O''Hara'"),
        ("SELECT a FROM b WHERE c = 'value0'", "SELECT a FROM b WHERE c = 'O''Hara'"),
        ("SELECT a LIMIT number0", "SELECT a LIMIT 7"),
        ('SELECT "value5" , number5', 'SELECT "value5" , number5'),  # they stand for nothing here
        ("SELECT value0", "SELECT value0"),  # a column of that name
        ('SELECT "value0', "SELECT 'O''Hara'"),
    ],
)
def test_values_come_back(target: str, sql: str) -> None:
    assert LINKER.linked("O'Hara 7").restored(target) == sql


def test_constants_are_what_no_question_names() -> None:
    linked = [
        LINKER.linked("high towers in Babylon", "SELECT a FROM b WHERE c > 50 AND d = 'Babylon' AND e = 'brick'"),
        LINKER.linked("towers above 20", "SELECT a FROM b WHERE c > 20 LIMIT 1"),
        LINKER.linked("again", "SELECT a FROM b WHERE c > 50"),
    ]
    assert Constants.of(linked) == Constants(("brick",), ("1", "50"))
