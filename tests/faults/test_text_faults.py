"""Text that can't be used is refused in a line that names the file, the place and what to do."""

import gzip
import io
import json
import lzma
import os
import sys
from pathlib import Path

import pytest

from tests.fakes.corpora import prepared, read, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import InputError, TooLittleTextError, UnknownNameError, UsageError, ZigguratError
from ziggurat.text.corpus import open_corpus
from ziggurat.text.decoding import BinaryContentError
from ziggurat.text.sources import resolve


def refusal(path: Path, folder: Path, **options: str) -> str:
    with pytest.raises(ZigguratError) as caught:
        read(path, folder, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"text": "good"}\n{"text": bad}\n', "a.jsonl:2: not JSON at column 10"),
        ("a.jsonl", '{"text": "good"}\n\n[1, 2]\n', "a.jsonl:3: expected a JSON object, found list"),
        ("a.jsonl", '{"text": "good"}\n{"text": 7}\n', "a.jsonl:2: field 'text' holds no text"),
        ("a.jsonl", '{"text": "good"}\n{"body": "x"}\n', "a.jsonl:2: field 'text' holds no text"),
        ("a.jsonl", '{"n": 7, "m": [1]}\n', "a.jsonl:1: no field holds text; the fields are n, m"),
        ("a.csv", 'text\n"never closed\n', "a.csv:2: not a table"),
        ("a.csv", "label,text\n1,fine\n2\n", "row 3 has 1 cells, its text should be in cell 2"),
    ],
)
def test_a_bad_record_is_named_by_its_line(name: str, content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert said in refusal(path, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "field", "said"),
    [
        (
            "a.jsonl",
            '{"text": "x", "title": "y"}\n',
            "titel",
            "a.jsonl:1: unknown field 'titel'; did you mean 'title'?",
        ),
        ("a.csv", "label,words\n1,x\n", "word", "unknown column 'word'; did you mean 'words'?"),
    ],
)
def test_a_field_that_is_not_there_names_the_nearest(
    name: str, content: str, field: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert said in refusal(path, tmp_path, field=field)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive or an office document"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG picture"),
        (b"\x7fELF\x02\x01\x01", "a program"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"PAR1\x15\x04", "a Parquet table"),
        (b"{\\rtf1\\ansi", "an RTF document"),
        (b"x" * 257 + b"ustar\x00" + b"0" * 250, "a tar archive"),
        (bytes(range(256)) * 9, "binary data"),
    ],
)
def test_what_is_no_text_is_called_what_it_is(head: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(head + b"rest of it" * 9)
    assert f"file.txt: {words}, not text; convert it to text first or leave it out" in refusal(path, tmp_path)


def test_binary_files_inside_a_folder_are_skipped_and_entered_in_the_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(documents(13)):
        (folder / f"{number}.txt").write_text(text)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (folder / ".hidden").write_bytes(b"\x00\x01" * 99)
    corpus = prepared(tmp_path, folder)
    entries = [json.loads(line) for line in corpus.ledger.read_text().splitlines()]
    assert entries == [{"reason": "binary", "source": str(folder / "picture.png")}]
    with pytest.raises(BinaryContentError):
        prepared(tmp_path, folder / "picture.png")


def test_documents_have_no_labels(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"text\.label_field: documents have no labels"):
        prepared(tmp_path, "demo:en", label_field="mood")
    assert not (tmp_path / "corpus").exists()


def test_a_broken_byte_is_named_by_line_and_place(tmp_path: Path) -> None:
    # line 1 has 8 bytes, line 2 6 × 3 + 1; the bad byte follows 3 + 3 more of line 3: 8 + 19 + 6 = 33
    path = tmp_path / "broken.txt"
    path.write_bytes("a line.\n六个汉字一行\n好的".encode() + b"\xff" + "，还有很多别的字在后面。\n".encode() * 9)
    message = refusal(path, tmp_path)
    assert "broken.txt:3: byte 33 (0xff) is not utf-8" in message
    assert "--text.undecodable replace" in message
    assert read(path, tmp_path, undecodable="replace")[0][1].split("\n")[2].startswith("好的\ufffd，")


def test_a_broken_byte_far_into_a_file_is_named_by_its_line(tmp_path: Path) -> None:
    # a block is 256 kB: the byte stands in the third one, after 9999 lines of 60 bytes
    line = "这一行有二十个字节减去一个，再加几个别的"[:19]
    data = (line + "xy\n").encode()
    assert len(data) == 60
    path = tmp_path / "long.txt"
    path.write_bytes(data * 9999 + b"ok \xc3\x28\n" + data * 3)
    assert "long.txt:10000: byte 599,943 (0xc3) is not utf-8" in refusal(path, tmp_path)


def test_a_cut_character_at_the_end_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.txt"
    path.write_bytes("所有的字都在这里，除了最后一个字的最后一个字节".encode()[:-1])
    assert "cut.txt:1: byte " in refusal(path, tmp_path)


def test_an_encoding_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a")
    assert "unknown encoding 'gb18031'; did you mean 'gb18030'?" in refusal(path, tmp_path, encoding="gb18031")


@pytest.mark.parametrize(("pack", "kind"), [(gzip.compress, "gzip"), (lzma.compress, "xz")])
def test_a_damaged_archive_is_named(pack: object, kind: str, tmp_path: Path) -> None:
    assert callable(pack)
    whole = pack("".join(documents(31)).encode())
    path = tmp_path / f"a.txt.{'gz' if kind == 'gzip' else 'xz'}"
    path.write_bytes(whole[: len(whole) // 2])
    message = refusal(path, tmp_path)
    assert f"damaged {kind} data after " in message
    assert "it ends too early" in message
    path.write_bytes(whole[:40] + b"\x55" * 40 + whole[80:])
    assert f"damaged {kind} data after " in refusal(path, tmp_path)


def test_a_name_that_claims_compression_is_compared_with_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_text("plain text")
    assert "the name says gzip, the content is not; rename the file" in refusal(path, tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothere.txt", "no such file or folder"),
        ("letters.tx", "did you mean"),
        ("*.nothing", "no file matches"),
        ("empty", "the folder holds no files"),
    ],
)
def test_a_missing_source_says_what_is_missing(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=said):
        resolve([str(tmp_path / name)])


def test_no_source_at_all_says_what_can_be_given() -> None:
    with pytest.raises(InputError, match="files, folders, globs, - or demo:en"):
        resolve([])


def test_an_unknown_format_and_an_unknown_demo_name_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a")
    with pytest.raises(UnknownNameError, match=r"text\.format: unknown format 'json'; did you mean 'jsonl'\?"):
        read(path, tmp_path, format="json")
    with pytest.raises(UsageError, match="unknown demo 'fr'; known: en, zh"):
        read("demo:fr", tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no text after cleaning"),
        (" \n\t\n\u3000\n", "no text after cleaning"),
        ("one short line\n", "1 documents with 14 bytes are too little text"),
    ],
)
def test_too_little_text_leaves_no_folder(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "little.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TooLittleTextError, match=said):
        prepared(tmp_path, path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["little.txt"]


def test_nothing_left_to_train_on_is_said(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "few.jsonl", [json.dumps({"text": text}) for text in documents(11)])
    with pytest.raises(TooLittleTextError, match=r"make text\.dev and text\.test smaller"):
        prepared(tmp_path, path, dev=0.5, test=0.5, cut="never")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(InputError, match=r"secret\.txt: may not be read"):
        prepared(tmp_path, path)


@pytest.mark.parametrize("name", ["corpus.json", "documents.npy", "text.utf8"])
def test_a_damaged_corpus_is_refused(name: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [json.dumps({"text": text}) for text in documents(17)])
    corpus = prepared(tmp_path, path)
    file = corpus.folder / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ZigguratError, match="damaged: prepare the text again"):
        open_corpus(corpus.folder)


def test_standard_input_is_read_like_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(gzip.compress("从标准输入来的文本".encode()))

    monkeypatch.setattr(sys, "stdin", Input())
    assert read("-", tmp_path) == [("standard input", "从标准输入来的文本")]
