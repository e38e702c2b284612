"""Data sets of a hub: what is asked of the library, and what becomes of its rows and its refusals."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.corpora import prepared, read
from tests.fakes.texts import documents
from ziggurat.core.errors import InputError, MissingExtraError, UnknownNameError
from ziggurat.text.ledger import read_ledger


class Library(ModuleType):
    """Stands for ``datasets``: remembers what it was asked, and streams the rows it was given."""

    def __init__(self, rows: list[dict[str, Any]], *, fails_after: int | None = None) -> None:
        super().__init__("datasets")
        self.rows, self.fails_after = rows, fails_after
        self.asked: list[tuple[object, ...]] = []
        self.given = 0

    def load_dataset(self, name: str, configuration: str | None, *, split: str, streaming: bool) -> Iterator[Any]:
        self.asked.append((name, configuration, split, streaming))
        if not self.rows:
            raise FileNotFoundError(f"Dataset '{name}'\ndoesn't exist on the Hub")
        return self._stream()

    def _stream(self) -> Iterator[Any]:
        for row in self.rows:
            if self.given == self.fails_after:
                raise ConnectionError("the line is dead")
            self.given += 1
            yield row


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    def installed(rows: list[dict[str, Any]], **options: Any) -> Library:
        made = Library(rows, **options)
        monkeypatch.setitem(sys.modules, "datasets", made)
        return made

    return installed


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("hf://owner/set", ("owner/set", None)),
        ("hf:owner/set", ("owner/set", None)),
        ("hf://owner/set/part", ("owner/set", "part")),
        ("hf://owner/set/part/of", ("owner/set", "part/of")),
        ("hf://set", ("set", None)),
    ],
)
def test_owner_name_and_configuration_are_told_apart(
    name: str, asked: tuple[str, str | None], library: Any, tmp_path: Path
) -> None:
    made = library([{"text": "a"}])
    assert read(name, tmp_path) == [(f"{name}:1", "a")]
    assert made.asked == [(*asked, "train", True)]


@pytest.mark.parametrize(
    ("rows", "options", "expected"),
    [
        ([{"text": "a", "url": "longer than it"}, {"text": "b", "url": ""}], {}, ["a", "b"]),
        ([{"title": "x", "words": "longer"}, {"title": "longer than words", "words": "y"}], {}, ["longer", "y"]),
        ([{"title": "x", "words": "longer"}], {"field": "title"}, ["x"]),
        ([{"text": None, "url": "no text"}, {"text": "b", "url": ""}], {}, ["", "b"]),  # the first row decides no other
        ([{"id": 7, "content": "第一"}], {}, ["第一"]),
    ],
)
def test_the_field_of_the_first_row_is_that_of_all(
    rows: list[dict[str, Any]], options: dict[str, str], expected: list[str], library: Any, tmp_path: Path
) -> None:
    library(rows)
    assert [text for _, text in read("hf://owner/set", tmp_path, **options)] == expected


def test_rows_without_text_are_entered_in_the_ledger(library: Any, tmp_path: Path) -> None:
    library([{"text": text} for text in [*documents(13), None, " \n"]])
    corpus = prepared(tmp_path, "hf://owner/set")
    assert list(read_ledger(corpus.ledger)) == [
        {"reason": "empty", "document": "hf://owner/set:14"},
        {"reason": "empty", "document": "hf://owner/set:15"},
    ]
    assert {document.source for document in corpus.train} == {"hf://owner/set"}


def test_a_data_set_that_is_not_there_is_named_in_one_line(library: Any, tmp_path: Path) -> None:
    library([])
    with pytest.raises(InputError) as caught:
        read("hf://owner/sett", tmp_path)
    assert str(caught.value) == (
        "hf://owner/sett: the data set can't be read (Dataset 'owner/sett' doesn't exist on the Hub)"
    )


def test_a_line_that_breaks_leaves_no_half_a_corpus(library: Any, tmp_path: Path) -> None:
    made = library([{"text": text} for text in documents(31)], fails_after=23)
    with pytest.raises(InputError, match=r"hf://owner/set: the data set can't be read \(the line is dead\)"):
        prepared(tmp_path, "hf://owner/set")
    assert made.given == 23
    assert list(tmp_path.iterdir()) == []


def test_a_field_that_rows_lack_names_the_nearest(library: Any, tmp_path: Path) -> None:
    library([{"body": "x", "n": 1}])
    with pytest.raises(UnknownNameError, match="unknown field 'bodi'; did you mean 'body'"):
        read("hf://owner/set", tmp_path, field="bodi")


def test_a_data_set_is_streamed(library: Any, tmp_path: Path) -> None:
    from ziggurat.text.ledger import Ledger
    from ziggurat.text.options import TextConfig
    from ziggurat.text.sources import read_records, resolve

    made = library([{"text": str(number)} for number in range(1000)])
    with Ledger(tmp_path / "l") as ledger:
        records = read_records(resolve(["hf://owner/set"])[0], TextConfig(), ledger)
        assert [next(records).parts for _ in range(3)] == [("0",), ("1",), ("2",)]
    assert made.given == 3


@pytest.mark.parametrize(
    ("module", "name", "extra"), [("datasets", "hf://owner/set", "hub"), ("pyarrow", "rows.parquet", "parquet")]
)
def test_a_package_that_is_missing_is_named_by_its_extra(
    module: str, name: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)  # an import of it fails
    with pytest.raises(MissingExtraError, match=rf"pip install 'ziggurat\[{extra}\]'"):
        read(name, tmp_path)
