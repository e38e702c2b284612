"""Records that can't be read: line and reason are named in every format, and nothing is passed over in silence."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.corpora import prepared, read, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import InputError, UnknownNameError, ZigguratError
from ziggurat.text.ledger import read_ledger

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def refusal(path: Path, folder: Path, **options: str) -> str:
    with pytest.raises(ZigguratError) as caught:
        read(path, folder, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.sampled_from(['{"text": "a"}', "", "  ", '{"text": "塔", "n": 1}']), max_size=23),
    broken=st.sampled_from(["{", "]", "nul", '{"text": "a",}', '{"text" "a"}', "NaN", '"a"', "7", '{"text": ["a"]}']),
    after=st.lists(st.just('{"text": "b"}'), max_size=3),
)
def test_the_first_malformed_line_is_named(
    lines: list[str], broken: str, after: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    path = write_lines(folder / "a.jsonl.gz", [*lines, broken, *after])
    assert refusal(path, folder).startswith(f"{path}:{len(lines) + 1}: ")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("9" * 5000, "a number too long or lists too deep"),  # beyond Python's limit of 4,300 digits
        ("[" * 100_000 + "]" * 100_000, "a number too long or lists too deep"),
        ("[1,", "not JSON at column"),
    ],
)
def test_json_that_python_can_not_hold_is_the_line_s_fault(value: str, said: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", ['{"text": "good"}', f'{{"text": "a", "n": {value}}}'])
    assert f"a.jsonl:2: {said}" in refusal(path, tmp_path)


def test_a_null_text_is_an_empty_document_in_the_ledger(tmp_path: Path) -> None:
    rows = [json.dumps({"text": text}) for text in documents(13)]
    rows.insert(0, json.dumps({"text": None, "title": "must not be taken instead"}))
    path = write_lines(tmp_path / "a.jsonl", rows)
    corpus = prepared(tmp_path, path)
    assert list(read_ledger(corpus.ledger)) == [{"reason": "empty", "document": f"{path}:1"}]
    assert len(corpus.train) + len(corpus.dev) + len(corpus.test) == 13


def test_a_text_that_is_given_up_later_is_named_where_it_lacks(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", ['{"review": "x"}', '{"review": "y"}', '{"reviews": "z"}'])
    assert "a.jsonl:3: field 'review' holds no text; name another with text.field" in refusal(path, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('text\nfine\n"open\nand open\n', ": not a table ("),
        ('text\n"a"b\n', "a.csv:2: not a table ("),
        ("id,text\n1,fine\n\n2\n", "row 4 has 1 cells, its text should be in cell 2"),
        ("id,words\n1,fine\n", "unknown column 'text'"),
    ],
)
def test_a_table_that_is_none_says_where(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    options = {"field": "text"} if "words" in content else {}
    assert said in refusal(path, tmp_path, **options)


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("part", [0.4, 0.9])
def test_an_archive_cut_short_is_no_shorter_text(packing: str, part: float, tmp_path: Path) -> None:
    whole = PACK[packing]("\n\n".join(documents(97)).encode())
    path = tmp_path / f"a.txt{packing}"
    path.write_bytes(whole[: int(part * len(whole))])
    message = refusal(path, tmp_path)
    assert "it ends too early" in message
    assert "copy or download the file again" in message


@pytest.mark.parametrize("packing", PACK)
def test_what_stands_behind_an_archive_is_not_lost_in_silence(packing: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.txt{packing}"
    path.write_bytes(PACK[packing](b"seven by") + b"then something else")
    assert "data after 8 bytes of text (" in refusal(path, tmp_path)


@pytest.mark.parametrize("packing", PACK)
def test_a_name_that_claims_compression_must_keep_its_word(packing: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.jsonl{packing}"
    path.write_text('{"text": "plain"}\n')
    assert "the content is not; rename the file" in refusal(path, tmp_path)


def test_a_text_that_begins_like_an_archive_is_text(tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_text("BZhang wrote this.\n")
    assert read(path, tmp_path)[0][1] == "BZhang wrote this.\n"


def test_a_damaged_parquet_table_is_named(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": documents(23), "n": list(range(23))}), path)
    whole = path.read_bytes()
    for data in (whole[:-9], b"text,n\n1,2\n", b""):
        path.write_bytes(data)
        assert "rows.parquet: not a Parquet table, or damaged (" in refusal(path, tmp_path)


def test_a_parquet_table_without_the_column_names_those_it_has(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"title": ["x"], "n": [1]}), path)
    with pytest.raises(UnknownNameError, match="unknown field 'titel'; did you mean 'title'"):
        read(path, tmp_path, field="titel")
    pq.write_table(pa.table({"n": [1], "m": [2]}), path)
    with pytest.raises(InputError, match="no field holds text"):
        read(path, tmp_path)


def test_a_parquet_table_has_to_be_a_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "can't be read from standard input: name the file" in refusal(Path("-"), tmp_path, format="parquet")
