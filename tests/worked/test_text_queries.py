"""Questions with their queries by hand: what is read, what is written, what is refused."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.tagging import written
from ziggurat.core.errors import InputError, UsageError
from ziggurat.text.queries import QueryKeys, QueryPair, read_queries, read_utterances, write_queries

BIG = {
    "utterance": "how big is texas",
    "sql": 'SELECT S.AREA FROM STATE AS S WHERE S.STATE_NAME = "texas" ;',
    "template": 'SELECT S.AREA FROM STATE AS S WHERE S.STATE_NAME = "state_name0" ;',
    "variables": {"state_name0": "texas"},
    "source": "passed over",
}
CHINESE = {"utterance": "得克萨斯州有多大", "sql": "SELECT 面积 FROM 州 WHERE 名 = '得克萨斯'"}


def rows(*records: Any) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def test_pairs_are_read_with_where_they_stand(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", rows(BIG) + "\n" + rows(CHINESE))
    big, chinese = read_queries(path)
    assert (big.id, big.line, big.utterance, big.sql) == (f"{path}:1", 1, BIG["utterance"], BIG["sql"])
    assert (big.template, dict(big.variables)) == (BIG["template"], {"state_name0": "texas"})
    assert (chinese.id, chinese.template, dict(chinese.variables)) == (f"{path}:3", "", {})
    assert chinese.utterance == "得克萨斯州有多大"


def test_a_compressed_file_reads_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.jsonl", rows(BIG, CHINESE))
    packed = written(tmp_path / "a.jsonl.gz", gzip.compress(rows(BIG, CHINESE).encode()))
    assert [pair.sql for pair in read_queries(packed)] == [pair.sql for pair in read_queries(plain)]


def test_other_names_of_keys(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", rows({"question": "how many", "query": "SELECT 1", "utterance": 3}))
    (pair,) = read_queries(path, keys=QueryKeys(utterance="question", sql="query"))
    assert (pair.utterance, pair.sql) == ("how many", "SELECT 1")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    source = written(tmp_path / "a.jsonl", rows(BIG, CHINESE))
    pairs = list(read_queries(source))
    for keys in (None, QueryKeys("q", "s", "t", "v")):
        write_queries(tmp_path / "b.jsonl", pairs, keys=keys)
        again = list(read_queries(tmp_path / "b.jsonl", keys=keys))
        for one, other in zip(pairs, again, strict=True):
            assert (one.utterance, one.sql, one.template) == (other.utterance, other.sql, other.template)
            assert dict(one.variables) == dict(other.variables)
    assert "得克萨斯" in (tmp_path / "b.jsonl").read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "a.jsonl: no question with its query; each line is {"),
        ("\n\n", "a.jsonl: no question with its query"),
        (rows(BIG) + "{", "a.jsonl:2: not JSON"),
        (rows([1]), "a.jsonl:1: expected a JSON object, found list"),
        (rows({"utterance": "how big"}), "a.jsonl:1: the key 'sql' is missing"),
        (
            rows({"utterences": "how big", "sql": "SELECT"}),
            "the key 'utterance' is missing; did you mean 'utterences'?",
        ),
        (rows({"utterance": "how big", "sql": 3}), "a.jsonl:1: the key 'sql' holds 3, no text"),
        (rows({"utterance": " ", "sql": "SELECT"}), "the key 'utterance' holds \" \", no text"),
        (rows({**BIG, "variables": [1]}), "a.jsonl:1: the key 'variables' holds [1]; it is an object of texts"),
        (rows({**BIG, "variables": {"a": 1}}), "the key 'variables' holds {\"a\": 1}"),
        (rows({**BIG, "template": 0}), "the key 'template' holds 0, no text"),
    ],
)
def test_what_is_refused_names_file_and_line(tmp_path: Path, content: str, fault: str) -> None:
    path = written(tmp_path / "a.jsonl", content)
    with pytest.raises(InputError) as caught:
        list(read_queries(path))
    assert fault in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl"):
        list(read_queries(tmp_path / "gone.jsonl"))


def test_what_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a:1: half a character"):
        write_queries(tmp_path / "b.jsonl", [QueryPair("a:1", "\ud800", "SELECT 1")])
    assert not (tmp_path / "b.jsonl").exists()
    with pytest.raises(UsageError, match="choose a name without"):
        write_queries(tmp_path / "b.jsonl.gz", [QueryPair("a:1", "one", "SELECT 1")])


def test_questions_without_queries_stand_on_lines_or_in_json(tmp_path: Path) -> None:
    file = tmp_path / "asked.txt"
    file.write_text('how high is Ur\n\n  {"utterance": "and Uruk", "sql": ""}\n乌尔有多高\n', encoding="utf-8")
    assert list(read_utterances(file)) == [
        (f"{file}:1", "how high is Ur"),
        (f"{file}:3", "and Uruk"),
        (f"{file}:4", "乌尔有多高"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [('{"utterance": 3}', "holds 3"), ('{"question": "a"}', "is missing"), ('{"utterance"', "not JSON")],
)
def test_a_question_that_is_none_is_named(line: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_text(f"how high\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"asked\.jsonl:2.*{said}"):
        list(read_utterances(file))


def test_half_a_character_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_text('{"utterance": "how big", "sql": "SELECT 1"}\n{"utterance": "how \\ud800", "sql": "SELECT 1"}\n')
    with pytest.raises(InputError, match=r"asked\.jsonl:2: the key 'utterance' holds"):
        list(read_queries(path))
