"""Sentences of labelled words made ready: which are kept, which split each belongs to, and what can be learnt."""

from pathlib import Path
from typing import Any

import pytest

from ziggurat.core.errors import ArtefactError, DamagedError, InputError, TooLittleTextError, UsageError
from ziggurat.text.labelled_corpus import LabelledCorpus, open_labelled, prepare_tagged
from ziggurat.text.ledger import read_ledger
from ziggurat.text.options import TextConfig
from ziggurat.training.job import silent


def columns(folder: Path, first: int, count: int, name: str = "set.conll") -> Path:
    """Sentences of three words, of which the second is a name."""
    path = folder / name
    lines = [f"see\tO\nAda{number}\tB-PER\nnow\tO\n" for number in range(first, first + count)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def prepared(folder: Path, *names: Path | str, **keys: Any) -> LabelledCorpus:
    return prepare_tagged([str(name) for name in names], TextConfig(**keys), folder=folder / "out", listener=silent)


def test_a_tenth_each_is_held_out(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, columns(tmp_path, 0, 29))
    # round(0.1 · 29) = 3
    assert [len(split) for split in (corpus.train, corpus.dev, corpus.test)] == [23, 3, 3]
    assert corpus.names == ("B-PER", "O")
    names = {one.input[1] for split in (corpus.train, corpus.dev, corpus.test) for one in split.entries}
    assert len(names) == 29
    assert corpus.facts()["splits"]["dev"]["documents"] == 3


def test_texts_and_spans_of_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "zh.bmes"
    path.write_text("吴 B-NAME\n重 M-NAME\n阳 E-NAME\n在 O\n家 S-LOC\n\n好 O\n", encoding="utf-8")
    corpus = prepared(tmp_path, f"train={path}")
    assert list(corpus.train.texts()) == ["吴重阳在家", "好"]
    first, second = corpus.train.examples()
    assert (first.id, first.input) == (f"{path}:1", ("吴", "重", "阳", "在", "家"))
    assert first.answer == [(0, 3, "NAME"), (4, 5, "LOC")]
    assert second.answer == []
    assert list(corpus.train.sides) == [""]


def test_what_is_held_out_is_not_learnt_from(tmp_path: Path) -> None:
    train, test = columns(tmp_path, 0, 20), columns(tmp_path, 17, 5, "test.conll")
    corpus = prepared(tmp_path, f"train={train}", f"test={test}")
    # of names 0 … 19 the last three stand in the test file too
    assert [len(split) for split in (corpus.train, corpus.dev, corpus.test)] == [17, 0, 5]
    entries = [entry["document"] for entry in read_ledger(corpus.ledger)]
    # four lines a sentence, an empty one between: sentence n begins at 4 n + 1
    assert entries == [f"{train}:{4 * number + 1}" for number in (17, 18, 19)]


def test_order_decides_nothing_and_labels_do(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    whole = columns(tmp_path / "a", 0, 12)
    lines = whole.read_text(encoding="utf-8").split("\n\n")
    other = tmp_path / "b" / "set.conll"
    other.write_text("\n\n".join(line.strip() for line in reversed(lines)) + "\n", encoding="utf-8")
    changed = tmp_path / "c" / "set.conll"
    changed.write_text(whole.read_text(encoding="utf-8").replace("Ada3\tB-PER", "Ada3\tB-LOC"), encoding="utf-8")
    first, second, third = (prepared(path.parent, path) for path in (whole, other, changed))
    assert first.fingerprint == second.fingerprint != third.fingerprint
    assert {one.input for one in first.dev.entries} == {one.input for one in second.dev.entries}


def test_what_can_not_be_learnt_from_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plain.conll"
    path.write_text("one O\ntwo O\n", encoding="utf-8")
    with pytest.raises(TooLittleTextError, match=r"plain\.conll: 1 different labels to learn from"):
        prepared(tmp_path, path)
    path.write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"plain\.conll:1: "):
        prepared(tmp_path, path)
    with pytest.raises(UsageError, match=r"text\.field: names a column of a table; files of labelled words have"):
        prepared(tmp_path, columns(tmp_path, 0, 12), field="words")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "label", "scheme", "message"),
    [
        ("Ada7\tB-PER", "X-PER", "auto", r"'X-PER' is none of BIO, as most labels are \(O, B-TYPE, I-TYPE\); mend it"),
        ("Ada7\tB-PER", "b-PER", "auto", "'b-PER' is none of BIO, as most"),
        ("Ada7\tB-PER", "o", "auto", "'o' is none of BIO, as most"),
        ("Ada7\tB-PER", "M-PER", "BIOES", r"'M-PER' is none of .* BIOES \(O, B-TYPE, I-TYPE, E-TYPE, S-TYPE\);"),
        ("Ada7\tB-PER", "M-PER", "IOB1", r"'M-PER' is none of model.scheme IOB1 \(O, B-TYPE, I-TYPE\)"),
        ("Ada7\tB-PER", "I-PER", "BMES", r"'I-PER' is none of model.scheme BMES \(O, B-TYPE, M-TYPE, E-TYPE, S-TYPE\)"),
    ],
)
def test_a_label_that_is_none_of_the_scheme_is_named(
    line: str, label: str, scheme: Any, message: str, tmp_path: Path
) -> None:
    path = columns(tmp_path, 0, 20)
    path.write_text(path.read_text(encoding="utf-8").replace(line, f"Ada7\t{label}"), encoding="utf-8")
    # four lines a sentence: the one of Ada7 begins at 29, and she stands on the next
    with pytest.raises(InputError, match=rf"set\.conll:30: the label {message}"):
        prepare_tagged([str(path)], TextConfig(), folder=tmp_path / "out", listener=silent, scheme=scheme)
    assert not (tmp_path / "out").exists()
    corpus = prepare_tagged([str(path)], TextConfig(), folder=tmp_path / "out", listener=silent, scheme="none")
    assert len(corpus.train)


def test_the_encoding_that_is_named_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ru.conll"
    path.write_bytes("\n".join(f"Анна{n}\tB-PER\nидёт\tO\n" for n in range(12)).encode("koi8-r"))
    corpus = prepared(tmp_path, f"train={path}", encoding="koi8-r")
    assert corpus.train.entries[0].input == ("Анна0", "идёт")


def test_plain_labels_are_labels(tmp_path: Path) -> None:
    path = tmp_path / "pos.conll"
    path.write_text("a DET\ndog NOUN\nbarks VERB\n", encoding="utf-8")
    corpus = prepared(tmp_path, f"train={path}")
    assert corpus.names == ("DET", "NOUN", "VERB")
    assert next(iter(corpus.train.examples())).answer == [(0, 1, "DET"), (1, 2, "NOUN"), (2, 3, "VERB")]


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no prepared labelled examples"):
        open_labelled(tmp_path)
    corpus = prepared(tmp_path, columns(tmp_path, 0, 12))
    path = corpus.folder / "examples.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    with pytest.raises(DamagedError, match="examples are missing"):
        open_labelled(corpus.folder)
