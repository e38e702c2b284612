"""Labelled texts made ready: which are kept, which split each belongs to, and which labels can be learnt."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.errors import (
    ArtefactError,
    DamagedError,
    InputError,
    TooLittleTextError,
    UnknownNameError,
    UsageError,
)
from ziggurat.core.types import Example
from ziggurat.text.labelled import read_examples
from ziggurat.text.labelled_corpus import (
    ExampleSet,
    LabelledCorpus,
    LabelledSource,
    open_labelled,
    prepare_labelled,
    resolve_labelled,
)
from ziggurat.text.ledger import read_ledger
from ziggurat.text.options import TextConfig
from ziggurat.training.job import silent

Rows = list[tuple[str, str]]


def table(folder: Path, rows: Rows, name: str = "set.tsv") -> Path:
    path = folder / name
    path.write_text("".join(f"{label}\t{text}\n" for text, label in rows), encoding="utf-8")
    return path


def some(count: int, *, first: int = 0) -> Rows:
    return [
        (f"text number {number} of them", "odd" if number % 2 else "even") for number in range(first, first + count)
    ]


def prepared(folder: Path, *names: Path | str, **keys: Any) -> LabelledCorpus:
    return prepare_labelled([str(name) for name in names], TextConfig(**keys), folder=folder / "out", listener=silent)


def content(split: ExampleSet) -> set[tuple[str, str]]:
    return {(example.input, example.answer) for example in split.examples()}


# -- splits ------------------------------------------------------------------------------------------------------------


def test_a_tenth_each_is_held_out_and_nothing_is_lost(tmp_path: Path) -> None:
    rows = some(97)
    corpus = prepared(tmp_path, table(tmp_path, rows))
    # round(0.1 · 97) = 10
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (77, 10, 10)
    assert content(corpus.train) | content(corpus.dev) | content(corpus.test) == set(rows)
    assert corpus.names == ("even", "odd")
    facts = corpus.facts()
    assert sum(facts["labels"]["train"].values()) == 77
    assert facts["splits"]["test"]["documents"] == 10


def test_the_order_of_lines_decides_nothing(tmp_path: Path) -> None:
    rows = some(41)
    one = prepared(tmp_path / "a", table(tmp_path, rows))
    other = prepared(tmp_path / "b", table(tmp_path, rows[::-1]))
    assert content(one.dev) == content(other.dev)
    assert one.fingerprint == other.fingerprint
    relabelled = prepared(tmp_path / "c", table(tmp_path, [(rows[0][0], "odd"), *rows[1:]]))
    assert relabelled.fingerprint != one.fingerprint


@given(copies=st.lists(st.integers(1, 4), min_size=13, max_size=29))
def test_equal_texts_stay_together(copies: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("copies")
    rows = [(f"text {number}", str(copy % 2)) for number, count in enumerate(copies) for copy in range(count + 1)]
    corpus = prepared(folder, table(folder, rows), dev=0.3, test=0.3)
    texts = [{document.text for document in split} for split in (corpus.train, corpus.dev, corpus.test)]
    assert sum(map(len, texts)) == len(set.union(*texts)) == len(copies)
    assert sum(len(split) for split in (corpus.train, corpus.dev, corpus.test)) == len(rows)


def test_files_of_their_own_are_held_out_whole(tmp_path: Path) -> None:
    train, dev, test = (table(tmp_path, some(20, first=20 * n), f"{n}.tsv") for n in range(3))
    corpus = prepared(tmp_path, train, f"dev={dev}", f"test={test}")
    assert [len(split) for split in (corpus.train, corpus.dev, corpus.test)] == [20, 20, 20]
    assert content(corpus.test) == set(some(20, first=40))
    assert next(iter(corpus.test)).id == f"{test}:1"


def test_what_is_held_out_is_not_learnt_from(tmp_path: Path) -> None:
    train = table(tmp_path, some(30))
    test = table(tmp_path, some(10, first=25), "test.tsv")
    corpus = prepared(tmp_path, f"train={train}", f"test={test}")
    # of texts 0 … 29 the last five stand in the test file, whose ten are 25 … 34
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (25, 0, 10)
    assert not {d.text for d in corpus.train} & {d.text for d in corpus.test}
    entries = [entry for entry in read_ledger(corpus.ledger) if entry["reason"] == "held out too"]
    assert [entry["document"] for entry in entries] == [f"{train}:{line}" for line in range(26, 31)]


def test_few_texts_are_all_learnt_from(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, table(tmp_path, some(9)))
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (9, 0, 0)


def test_a_label_of_the_held_out_text_alone_is_counted_there(tmp_path: Path) -> None:
    dev = table(tmp_path, [("something else", "neither")], "dev.tsv")
    corpus = prepared(tmp_path, table(tmp_path, some(12)), f"dev={dev}")
    assert corpus.names == ("even", "odd")
    assert corpus.facts()["labels"]["dev"] == {"even": 0, "odd": 0, "neither": 1}


def test_texts_without_anything_are_left_out_and_noted(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, table(tmp_path, [*some(5), (" ", "odd")]))
    assert len(corpus.train) == 5
    assert corpus.facts()["removed"]["empty"]["documents"] == 1


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_sources_by_name(tmp_path: Path) -> None:
    path = table(tmp_path, some(3))
    odd = table(tmp_path, some(3), "dev=x.tsv")
    assert resolve_labelled([str(path), f"dev={path}", str(odd)]) == [
        LabelledSource(str(path)),
        LabelledSource(str(path), "dev"),
        LabelledSource(str(odd)),
    ]
    with pytest.raises(UnknownNameError, match="unknown split 'tset'; did you mean 'test'"):
        resolve_labelled([str(path), f"tset={path}"])
    with pytest.raises(InputError, match="no file of labelled examples to learn from"):
        resolve_labelled([f"test={path}"])
    with pytest.raises(InputError, match=r"none\.tsv"):
        resolve_labelled([str(tmp_path / "none.tsv")])


def test_one_label_is_nothing_to_learn(tmp_path: Path) -> None:
    rows = [(text, "same") for text, _ in some(15)]
    with pytest.raises(TooLittleTextError, match=r"set\.tsv: 1 different labels to learn from"):
        prepared(tmp_path, table(tmp_path, rows))
    assert not (tmp_path / "out").exists()


def test_keys_of_documents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"text\.cut: .*; files of labelled texts have no use for it"):
        prepared(tmp_path, table(tmp_path, some(12)), cut="always")


def test_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("mood,note\n" + "".join(f"l{n % 2},text {n}\n" for n in range(40)), encoding="utf-8")
    found = prepared(tmp_path, path, field="note", label_field="mood")
    assert found.names == ("l0", "l1")
    assert {text.partition(" ")[0] for text in found.train.texts()} == {"text"}


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no prepared labelled examples"):
        open_labelled(tmp_path)
    corpus = prepared(tmp_path, table(tmp_path, some(12)))
    path = corpus.folder / "examples.jsonl"
    whole = path.read_text(encoding="utf-8")
    path.write_text("".join(whole.splitlines(keepends=True)[:-1]), encoding="utf-8")
    with pytest.raises(DamagedError, match=r"prepare the labelled examples again \(examples are missing"):
        open_labelled(corpus.folder)
    path.write_text(whole.replace('"answer"', '"anwser"'), encoding="utf-8")
    with pytest.raises(DamagedError, match=r"labelled\.json: damaged"):
        open_labelled(corpus.folder)


# -- examples without labels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("a.txt", "one, two\n\nthree\n", [("one, two", None), ("three", None)]),
        ("a.tsv", "0\ta long text\n1\tanother long text\n", [("a long text", "0"), ("another long text", "1")]),
        ("a.csv", "text,id\nfirst,7\n", [("first", None)]),
        ("a.csv", "only\ncells\n", [("only", None), ("cells", None)]),
        ("a.jsonl", '{"text": "first"}\n{"text": "second", "label": 3}\n', [("first", None), ("second", "3")]),
        ("a", "", []),
    ],
)
def test_texts_to_be_labelled(name: str, written: str, expected: list[tuple[str, str | None]], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(written, encoding="utf-8")
    found = list(read_examples(path, labelled=False))
    assert [(one.input, one.answer) for one in found] == expected
    assert all(isinstance(one, Example) and one.id.startswith(f"{path}:") for one in found)


# -- what is said ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["dev=", "test=", ""])
def test_a_file_without_examples_is_refused_whatever_it_is_for(split: str, tmp_path: Path) -> None:
    empty = tmp_path / "none.tsv"
    empty.write_text("text\tlabel\n", encoding="utf-8")
    with pytest.raises(TooLittleTextError, match=r"none\.tsv: holds no examples; leave it out, or give another file$"):
        prepared(tmp_path, table(tmp_path, some(40)), f"{split}{empty}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("split", ["dev", "test"])
def test_labels_that_only_held_out_texts_have_are_said(
    split: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [(f"a new text number {number}", "strange" if number % 4 else "odd") for number in range(8)]
    more = table(tmp_path, rows, "more.tsv")
    corpus = prepared(tmp_path, table(tmp_path, some(40)), f"{split}={more}")
    assert corpus.names == ("even", "odd")
    assert caplog.messages == [f"{split} has labels that training text lacks, and which can't be learnt: strange (6)"]


def test_of_many_such_labels_some_are_listed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    more = table(tmp_path, [(f"a new text number {number}", f"label {number}") for number in range(7)], "more.tsv")
    prepared(tmp_path, table(tmp_path, some(40)), f"test={more}")
    (said,) = caplog.messages
    assert said.endswith("label 3 (1), label 4 (1) …")
