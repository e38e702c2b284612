"""A prepared text that is damaged, unfinished or of another version is refused or left as it was, never half used."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import ArtefactError, DamagedError, InputError, NewerVersionError, TooLittleTextError
from ziggurat.core.types import Event
from ziggurat.text.corpus import Corpus, open_corpus, prepare
from ziggurat.text.options import TextConfig


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    rows = [json.dumps({"text": text}) for text in documents(23)]
    return prepared(tmp_path, write_lines(tmp_path / "a.jsonl", rows))


def change_header(corpus: Corpus, **values: Any) -> None:
    file = corpus.folder / "corpus.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_a_corpus_opens_as_it_was_prepared(corpus: Corpus) -> None:
    again = open_corpus(corpus.folder)
    assert again.facts() == corpus.facts()
    assert again.fingerprint == corpus.fingerprint
    for name in ("train", "dev", "test"):
        assert list(getattr(again, name)) == list(getattr(corpus, name))
        assert getattr(again, name).size_bytes == getattr(corpus, name).size_bytes


def test_a_corpus_can_be_moved(corpus: Corpus, tmp_path: Path) -> None:
    before = list(corpus.dev)
    shutil.move(corpus.folder, tmp_path / "elsewhere")
    assert list(open_corpus(tmp_path / "elsewhere").dev) == before


def test_a_newer_corpus_says_so(corpus: Corpus) -> None:
    change_header(corpus, format=2)
    with pytest.raises(NewerVersionError, match=r"corpus\.json: written by a newer ziggurat; upgrade"):
        open_corpus(corpus.folder)


@pytest.mark.parametrize("content", ["", "[]", "7", "null", "{}", '{"format": 1}', '{"format": "x"}', "\x00"])
def test_a_header_that_is_none_is_damage(content: str, corpus: Corpus) -> None:
    (corpus.folder / "corpus.json").write_text(content)
    with pytest.raises(DamagedError, match=r"corpus\.json: damaged: prepare the text again"):
        open_corpus(corpus.folder)


@pytest.mark.parametrize("name", ["documents.npy", "text.utf8", "names.txt"])
@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_file_cut_short_or_gone_is_damage(name: str, left: int, corpus: Corpus) -> None:
    file = corpus.folder / name
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(DamagedError, match="prepare the text again"):
        open_corpus(corpus.folder)
    file.unlink()
    with pytest.raises(DamagedError, match="prepare the text again"):
        open_corpus(corpus.folder)


@pytest.mark.parametrize("table", [np.array([{}], dtype=object), np.arange(7), np.zeros((0,), [("stop", "<i8")])])
def test_a_table_of_something_else_is_damage_and_never_unpickled(table: np.ndarray[Any, Any], corpus: Corpus) -> None:
    np.save(corpus.folder / "documents.npy", table, allow_pickle=True)
    with pytest.raises(DamagedError):
        open_corpus(corpus.folder)


def test_a_folder_without_a_corpus_says_what_is_missing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ArtefactError, match=rf"{folder.name}: no prepared text \(corpus\.json is missing\)"):
            open_corpus(folder)


@pytest.mark.parametrize(
    ("second", "error"), [('{"text": broken}', InputError), ('{"text": ""}', TooLittleTextError), ("[]", InputError)]
)
def test_a_corpus_that_can_not_be_replaced_stays(
    second: str, error: type[InputError], corpus: Corpus, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in corpus.folder.iterdir()}
    with pytest.raises(error):
        prepared(tmp_path, write_lines(tmp_path / "b.jsonl", [second]))
    assert {path.name: path.read_bytes() for path in corpus.folder.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl", "corpus"]


def test_a_user_who_stops_it_finds_the_corpus_of_before(corpus: Corpus, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare([str(tmp_path / "a.jsonl")], TextConfig(), folder=corpus.folder, listener=stop)
    assert len(list(open_corpus(corpus.folder).train)) == len(corpus.train)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "corpus"]


def test_a_corpus_is_replaced_as_a_whole(corpus: Corpus, tmp_path: Path) -> None:
    (corpus.folder / "left over").write_text("of an older version")
    rows = [json.dumps({"text": text}) for text in documents(29, seed=1)]
    new = prepared(tmp_path, write_lines(tmp_path / "b.jsonl", rows))
    assert new.folder == corpus.folder
    assert sorted(path.name for path in new.folder.iterdir()) == [
        *("corpus.json", "documents.npy", "ledger.jsonl", "names.txt", "text.utf8")
    ]
    assert sum(part["documents"] for part in new.facts()["splits"].values()) == 29
