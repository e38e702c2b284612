"""Text that is measured or scored: what becomes a document, what is passed over, what is refused."""

import io
from pathlib import Path

import pytest

from ziggurat.core.errors import InputError, TooLittleTextError
from ziggurat.core.types import Document
from ziggurat.surface.documents import cut_where_few, read_documents
from ziggurat.text.options import TextConfig


def texts(*names: Path | str) -> list[str]:
    return [document.text for document in read_documents([str(name) for name in names])]


def test_records_and_files_become_documents_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"id": "x", "text": "one"}\n{"id": "y", "text": "塔楼登上"}\n', encoding="utf-8")
    (tmp_path / "a.txt").write_text("three\n", encoding="utf-8")
    found = list(read_documents([str(tmp_path / "b.jsonl"), str(tmp_path / "a.txt")]))
    assert [document.text for document in found] == ["one", "塔楼登上", "three"]
    assert found[0].id.endswith("x")
    assert [document.language for document in found] == ["", "zh", ""]
    assert found[2].source == str(tmp_path / "a.txt")


def test_a_document_that_stands_twice_is_measured_twice(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "same words here"}\n' * 3, encoding="utf-8")
    assert texts(tmp_path / "a.jsonl") == ["same words here"] * 3


def test_text_is_cleaned_like_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfcafe\xcc\x81\r\nlines\r\n")
    assert texts(tmp_path / "a.txt") == ["caf\u00e9\nlines"]


def test_records_without_text_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": " \\n"}\n{"text": "words"}\n', encoding="utf-8")
    assert texts(tmp_path / "a.jsonl") == ["words"]


def test_a_folders_pictures_are_passed_over_but_a_named_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(bytes(range(256)) * 40)
    assert texts(tmp_path) == ["words"]
    with pytest.raises(InputError, match=r"b\.txt: binary data, not text"):
        texts(tmp_path / "b.txt")


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("塔楼 tower\n".encode())))
    assert texts("-") == ["塔楼 tower"]


def test_no_text_at_all_is_said_with_the_names(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises(TooLittleTextError, match=r"a\.txt: no text in it"):
        texts(tmp_path / "a.txt")


def test_documents_come_one_by_one(tmp_path: Path) -> None:
    """A file that is wrong at its end has given its beginning by then: nothing is held as a whole."""
    (tmp_path / "a.jsonl").write_text('{"text": "good"}\n{"text": bad}\n', encoding="utf-8")
    documents = read_documents([str(tmp_path / "a.jsonl")])
    assert next(documents).text == "good"
    with pytest.raises(InputError, match=r"a\.jsonl:2"):
        next(documents)


def test_a_missing_source_is_said_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")
    with pytest.raises(InputError, match="missing"):
        next(read_documents([str(tmp_path / "a.txt"), str(tmp_path / "missing.txt")]))


# -- few documents are cut --------------------------------------------------------------------------------------------

PARAGRAPH = "塔楼登上第七级台阶。" * 5  # 10 characters of 3 bytes, five times: 150 bytes
CONFIG = TextConfig(block_bytes=600, fewest_documents=3)


def book(paragraphs: int, *, name: str = "book") -> Document:
    return Document(name, "\n\n".join([PARAGRAPH] * paragraphs), "shelf", "zh")


def test_one_book_is_cut_at_its_paragraphs() -> None:
    # a paragraph and its empty line have 152 bytes; three of them, 456, end inside a block of 600, four (608) do not.
    # 20 paragraphs have 3038 bytes. Five blocks of three leave 3038 − 5 · 456 = 758 ≤ 900 = 3/2 · 600: one last block
    parts = list(cut_where_few(iter([book(20)]), CONFIG))
    assert [part.text.count(PARAGRAPH) for part in parts] == [3, 3, 3, 3, 3, 5]
    assert "\n\n".join(part.text for part in parts) == book(20).text
    assert [part.id for part in parts] == [f"book#{number}" for number in range(1, 7)]
    assert {(part.source, part.language) for part in parts} == {("shelf", "zh")}


def test_a_short_document_stays_as_it_is() -> None:
    # 5 paragraphs: 5 · 152 − 2 = 758 bytes, not more than 3/2 · 600
    assert list(cut_where_few(iter([book(5)]), CONFIG)) == [book(5)]


@pytest.mark.parametrize(("count", "cut"), [(1, True), (2, True), (3, False), (7, False)])
def test_where_there_are_enough_nothing_is_cut(count: int, cut: bool) -> None:
    books = [book(20, name=str(number)) for number in range(count)]
    found = list(cut_where_few(iter(books), CONFIG))
    assert (found != books) == cut
    assert len(found) == (6 * count if cut else count)


def test_no_documents_are_none() -> None:
    assert list(cut_where_few(iter([]), CONFIG)) == []
