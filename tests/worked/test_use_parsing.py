"""Questions turned into queries: what is tried on a database, and that a grammar is kept, whatever the model."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.databases import tower_database
from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.types import Told
from ziggurat.models.recurrent_seq2seq import FAMILY, RecurrentSeq2seqConfig
from ziggurat.text.databases import read_schema
from ziggurat.text.queries import Query
from ziggurat.text.question_links import QuestionLinker
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.words import WordsConfig
from ziggurat.use.constraints import Constraint
from ziggurat.use.parsing import ParsingConfig, QueryParser, first_answered
from ziggurat.use.sql_grammar import sql_grammar
from ziggurat.use.tasks.parsing import TASK

QUESTIONS = ("how high is Babylon", "which towers are above 30", "is the Great Ziggurat in Ur", "Ur or Uruk")
WORDS = (
    "how high is the which towers are above in or city_name tower_name",
    'SELECT DISTINCT COUNT ( MAX ) FROM WHERE AND OR ORDER BY LIMIT 1 = > tower river AS toweralias0 "value0" "value1"',
    "toweralias0.height toweralias0.city_name height city_name river_name number0 , ;",
)
SHORT: dict[str, Any] = {"max_tokens": 30, "beams": 3, "best": 3}


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tower_database(tmp_path_factory.mktemp("parsing") / "towers.sqlite")


def facts(database: Path | None) -> dict[str, Any]:
    return {"questions": {"database": str(database or ""), "values": {}, "texts": ["brick"], "numbers": ["1"]}}


def random_model(seed: int) -> tuple[Any, Any]:
    """A model that knows nothing, and its tokenizer."""
    tokenizer = train_tokenizer(WORDS, "words", WordsConfig(split="whitespace"))
    return FAMILY.build(RecurrentSeq2seqConfig(embedding=8, hidden=12), tokenizer.vocabulary, seed=seed), tokenizer


def test_the_first_that_has_an_answer_is_taken(towers: Path) -> None:
    queries = ["SELECT", "SELECT depth FROM tower", "SELECT height FROM tower WHERE 0", "SELECT 1"]
    assert first_answered(queries, towers) == 2  # no row is an answer too
    assert first_answered(queries[:2], towers) is None
    assert first_answered([], towers) is None


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_nothing_is_written_that_the_grammar_forbids(towers: Path, seed: int) -> None:
    pytest.importorskip("llguidance")
    model, tokenizer = random_model(seed)
    parser = QueryParser(facts(towers), search=ParsingConfig(grammar="always", **SHORT))
    linker = QuestionLinker({"Babylon": "city_name", "Ur": "city_name", "Uruk": "city_name", "Great Ziggurat": "t"})
    for question, told in zip(QUESTIONS, parser.parse(model, tokenizer, QUESTIONS), strict=True):
        linked = linker.linked(question)
        values = [*linked.values.values(), "brick"]
        grammar = sql_grammar(read_schema(towers), values=values, numbers=[*linked.numbers.values(), "1"])
        bytewise = train_tokenizer(WORDS, "bytes")
        written = bytewise.encode(told.answer).ids
        held = Constraint(bytewise, grammar)
        places = held.begin(1)
        for index in written.tolist():  # it may be cut off at the longest that is allowed, but is never another text
            assert held.keep_mask(places)[0, index], told.answer
            held.advance(places, np.array([index], np.int32))
        assert told.answer.database == str(towers)
        assert 0 <= (told.confidence or 0) <= 1


def test_a_model_that_knows_nothing_writes_no_sql_by_itself(towers: Path) -> None:
    model, tokenizer = random_model(3)
    free = QueryParser(facts(towers), search=ParsingConfig(grammar="never", **SHORT))
    assert first_answered([told.answer for told in free.parse(model, tokenizer, QUESTIONS)], towers) is None


def test_without_a_database_nothing_is_tried(tmp_path: Path) -> None:
    model, tokenizer = random_model(3)
    for told in QueryParser(facts(None), search=ParsingConfig(**SHORT)).parse(model, tokenizer, QUESTIONS):
        assert told.answer.database == ""
    with pytest.raises(InputError, match=r"gone\.sqlite: the database of these questions is not there"):
        QueryParser(facts(tmp_path / "gone.sqlite"))


def test_a_schema_alone_holds_queries_to_its_names_where_asked_to(tmp_path: Path) -> None:
    pytest.importorskip("llguidance")
    schema = tmp_path / "schema.csv"
    schema.write_text("Table Name, Field Name\ntower, height\n", encoding="utf-8")
    model, tokenizer = random_model(5)
    free = QueryParser(facts(schema), search=ParsingConfig(**SHORT))
    assert free.database == ""
    assert not any(told.answer.startswith("SELECT ") for told in free.parse(model, tokenizer, QUESTIONS))
    parser = QueryParser(facts(schema), search=ParsingConfig(**{**SHORT, "grammar": "always"}))
    for told in parser.parse(model, tokenizer, QUESTIONS):
        assert told.answer.startswith("SELECT ")
        assert "river" not in told.answer
        assert "city_name" not in told.answer


def test_the_task_says_what_the_database_says(towers: Path) -> None:
    task = TASK.informed(facts(towers))
    assert task.metrics == ("execution_match", "query_match")
    assert TASK.informed(facts(None)).metrics == ("query_match",)
    (told,) = task.decode(*random_model(3), ["how high is Babylon"])
    found = task.found(told)
    assert set(found) in ({"rows"}, {"fault"})
    with pytest.raises(UsageError, match="was not trained on questions"):
        TASK.informed({"documents": 3})
    with pytest.raises(UsageError, match="ziggurat task parsing train"):
        TASK.decode(*random_model(3), ["how high is Babylon"])


def test_what_a_database_says_is_json_whatever_it_holds(tmp_path: Path) -> None:
    place = tmp_path / "odd.sqlite"
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("CREATE TABLE odd (one TEXT, two BLOB, three REAL)")
        connection.execute("INSERT INTO odd VALUES (CAST(x'4de96c' AS TEXT), x'ff00', 9e999)")
        connection.commit()
    found = TASK.found(Told(Query("SELECT one, two, three FROM odd", str(place))))
    assert json.loads(json.dumps(found, allow_nan=False)) == {"rows": [["M\ufffdl", "ff00", "inf"]]}
    "".join(found["rows"][0]).encode()
