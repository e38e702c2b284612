"""Whatever the format, encoding and compression: the texts that went into files come out, in their order."""

import bz2
import csv
import gzip
import io
import itertools
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.corpora import prepared, read
from tests.fakes.texts import documents

PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]
LATIN = "Où est l’été ? Là-bas, déjà passé.".replace("’", "'")


def as_jsonl(texts: list[str]) -> str:
    return "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)


def as_jsonl_escaped(texts: list[str]) -> str:
    return "".join(json.dumps({"n": 1, "text": text}) + "\r\n" for text in texts)


def as_csv(texts: list[str]) -> str:
    return as_table(texts, ",")


def as_tsv(texts: list[str]) -> str:
    return as_table(texts, "\t")


def as_table(texts: list[str], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["number", "text"])
    writer.writerows(enumerate(texts))
    return out.getvalue()


def as_plain(texts: list[str]) -> str:
    return "".join(texts)


FORMATS = {".jsonl": as_jsonl, ".ndjson": as_jsonl_escaped, ".csv": as_csv, ".tsv": as_tsv, ".txt": as_plain}
SIGNS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff")
TEXTS = st.lists(st.text(SIGNS | st.sampled_from('\t\n",;{}\\塔é'), min_size=1, max_size=31), min_size=1, max_size=7)


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, packing=st.sampled_from(sorted(PACK)), encoding=st.sampled_from(ENCODINGS))
def test_texts_come_out_as_they_went_in(
    ending: str, texts: list[str], packing: str, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("format")
    path = folder / f"texts{ending}{packing}"
    path.write_bytes(PACK[packing](FORMATS[ending](texts).encode(encoding)))
    expected = ["".join(texts)] if ending == ".txt" else texts
    assert [text for _, text in read(path, folder, encoding=encoding)] == expected


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "latin-1"])
def test_an_encoding_need_not_be_named(ending: str, packing: str, encoding: str, tmp_path: Path) -> None:
    texts = [LATIN] * 40 if encoding == "latin-1" else documents(7, chinese=True)
    path = tmp_path / f"texts{ending}{packing}"
    path.write_bytes(PACK[packing](FORMATS[ending](texts).encode(encoding)))
    found = [text for _, text in read(path, tmp_path)]
    assert found == (["".join(texts)] if ending == ".txt" else texts)


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.binary(max_size=40).map(lambda raw: raw.hex()), min_size=1, max_size=5),
    packing=st.sampled_from(sorted(PACK)),
)
def test_archives_joined_are_texts_joined(
    parts: list[str], packing: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("joined")
    path = folder / "joined.txt"  # told by its content
    path.write_bytes(b"".join(PACK[packing](part.encode()) for part in parts))
    assert "".join(text for _, text in read(path, folder)) == "".join(parts)


@pytest.mark.parametrize("packing", PACK)
def test_an_empty_file_is_an_empty_text_in_every_packing(packing: str, tmp_path: Path) -> None:
    for ending, records in {".txt": [""], ".jsonl": [], ".csv": []}.items():
        path = tmp_path / f"empty{ending}{packing}"
        path.write_bytes(PACK[packing](b""))
        assert [text for _, text in read(path, tmp_path)] == records


@pytest.mark.parametrize("kind", ["jsonl", "csv", "txt", "parquet"])
def test_one_text_is_one_corpus_in_whatever_form(kind: str, tmp_path: Path) -> None:
    texts = documents(31, chinese=True)
    folder = tmp_path / kind
    folder.mkdir()
    if kind == "parquet":
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        pq.write_table(pa.table({"text": texts}), folder / "a.parquet", row_group_size=7)
    elif kind == "txt":
        for number, text in enumerate(texts):
            (folder / f"{number}.txt").write_text(text, encoding="gb18030")
    else:
        content = FORMATS[f".{kind}"](texts)
        (folder / f"a.{kind}.xz").write_bytes(lzma.compress(content.encode("utf-16")))
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.jsonl").write_text(as_jsonl(texts), encoding="utf-8")
    one, other = prepared(folder, folder), prepared(plain, plain)
    assert one.fingerprint == other.fingerprint
    for name in ("train", "dev", "test"):
        sets = ({document.text for document in getattr(corpus, name)} for corpus in (one, other))
        assert len(set(map(frozenset, sets))) == 1


@settings(max_examples=40, deadline=None)
@given(
    blank=st.integers(0, 3),
    header=st.booleans(),
    texts=st.lists(st.sampled_from(["xx", "塔楼"]), min_size=1, max_size=5),
)
def test_blank_rows_say_nothing(
    blank: int, header: bool, texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("blank")
    rows = ["n,text"] * header + [f"1,{text}" for text in texts]
    lines = list(itertools.chain.from_iterable([*[""] * blank, row] for row in rows))
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = read(folder / "a.csv", folder)
    assert [text for _, text in found] == texts
    # a record is named by its row, blank ones and the header counted
    first = 2 if header else 1
    assert [name.rsplit(":", 1)[1] for name, _ in found] == [
        str(row * (blank + 1)) for row in range(first, first + len(texts))
    ]


@pytest.mark.parametrize("encoding", [None, "utf-8"])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_mark_at_the_beginning_is_no_text(ending: str, encoding: str | None, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(FORMATS[ending](["塔", "楼"]).encode("utf-8-sig"))
    options = {"encoding": encoding} if encoding else {}
    assert "".join(text for _, text in read(path, tmp_path, **options)) == "塔楼"
