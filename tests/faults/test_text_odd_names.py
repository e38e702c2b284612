"""Files and records of any name: every document keeps a name of its own, in one line, and its source."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.core.types import Document
from ziggurat.text.corpus import Corpus
from ziggurat.text.ledger import read_ledger
from ziggurat.text.records import Record, Source
from ziggurat.text.spool import Spool


def everything(corpus: Corpus) -> list[Document]:
    return [document for part in (corpus.train, corpus.dev, corpus.test) for document in part]


def test_file_names_of_any_bytes_are_told_apart(tmp_path: Path) -> None:
    texts = dict(zip([b"\xff", b"\xfe", b"a\tb", b"a\nb", "塔".encode(), b"a b", b"\\xff"], documents(7), strict=True))
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(documents(13, seed=1)):
        (folder / f"{number}.txt").write_text(text)
    for name, text in texts.items():
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(text)
    found = everything(prepared(tmp_path, folder))
    assert len({document.id for document in found}) == 20
    of_text = {document.text: document for document in found}
    for name, expected in {b"\xff": "\\udcff", b"a\tb": "a\\tb", b"a\nb": "a\\nb", "塔".encode(): "塔"}.items():
        document = of_text[texts[name]]
        assert document.id == document.source == f"{folder}/{expected}"


def test_ids_of_records_can_not_break_the_list_of_names(tmp_path: Path) -> None:
    ids = ["a\tb", "a\nb", "\ud800", "\u2028", "塔 楼", "", "same", "same", "same~2", "same", *range(13)]
    texts = documents(len(ids))
    rows = [json.dumps({"id": name, "text": text}) for name, text in zip(ids, texts, strict=True)]
    path = write_lines(tmp_path / "a.jsonl", rows)
    found = everything(prepared(tmp_path, path))
    assert {document.source for document in found} == {str(path)}
    name_of = {document.text: document.id.removeprefix(f"{path}:") for document in found}
    assert [name_of[text] for text in texts[:10]] == [
        *("a\\tb", "a\\nb", "\\ud800", "\\u2028", "塔 楼", ""),
        *("same", "same~3", "same~2", "same~4"),  # the number that is taken is passed over
    ]


def test_the_ledger_holds_odd_names_too(tmp_path: Path) -> None:
    texts = documents(13)
    rows = [{"id": f"{number}", "text": text} for number, text in enumerate(texts)]
    rows += [{"id": "\udfff\n", "text": " "}, {"id": "copy\t", "text": texts[0]}]
    path = write_lines(tmp_path / "a.jsonl", [json.dumps(row) for row in rows])
    entries = list(read_ledger(prepared(tmp_path, path).ledger))
    assert [(entry["reason"], entry["document"]) for entry in entries] == [
        ("empty", f"{path}:\\udfff\\n"),
        ("exact duplicate", f"{path}:copy\\t"),
    ]
    assert entries[1]["kept"] == f"{path}:0"


def test_one_file_named_twice_is_its_own_duplicate(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [json.dumps({"text": text}) for text in documents(17)])
    corpus = prepared(tmp_path, path, path)
    assert corpus.facts()["removed"]["exact duplicate"]["documents"] == 17
    assert len(everything(corpus)) == 17
    (tmp_path / "kept").mkdir()
    kept = everything(prepared(tmp_path / "kept", path, path, duplicates="keep"))
    assert len({document.id for document in kept}) == 34


@given(st.text(max_size=23))
def test_a_name_is_one_line_of_utf8_and_plain_names_are_untouched(name: str) -> None:
    for written in (Source(name).label, Record(name, ()).id):
        assert len(written.splitlines()) <= 1
        assert "\t" not in written
        written.encode()  # raises where UTF-8 has no such character
        if name.isprintable():
            assert written == name
        assert Source(written).label == written


@settings(max_examples=97)
@given(names=st.lists(st.sampled_from(["a", "b", "a~2", "a~3", "b~2", "a~2~2"]), max_size=13))
def test_names_are_unique_and_first_ones_stay(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    spool = Spool(tmp_path_factory.getbasetemp() / "names")
    for name in names:
        spool.add(name, "s", ["text"])
    spool.close()
    assert len(set(spool.names)) == len(names)
    for place, (given_name, kept) in enumerate(zip(names, spool.names, strict=True)):
        assert (kept == given_name) == (given_name not in names[:place])
        assert kept.startswith(given_name)
