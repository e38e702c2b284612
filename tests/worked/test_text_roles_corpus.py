"""Sentences with roles made ready: which split each belongs to, what can be learnt, and what is asked of a model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ziggurat.artefacts.fit import prepare_material
from ziggurat.core.errors import InputError, TooLittleTextError
from ziggurat.text.labelled_corpus import LabelledCorpus, open_labelled, prepare_roles
from ziggurat.text.options import TextConfig
from ziggurat.text.roles import Argument, Predicate, RoleSentence
from ziggurat.tokens.words import WordsConfig
from ziggurat.training.job import silent


def line(tokens: Sequence[str], *predicates: tuple[int, list[list[Any]]]) -> str:
    found = [{"predicate": place, "arguments": arguments} for place, arguments in predicates]
    return json.dumps({"tokens": tokens, "predicates": found}) + "\n"


def sentences(path: Path, first: int, count: int) -> Path:
    """Who barks and who bites, in sentences of two predicates."""
    lines = [
        line([f"dog{number}", "barks", "and", "bites"], (1, [[0, 1, "ARG0"]]), (3, [[0, 1, "ARG0"]]))
        for number in range(first, first + count)
    ]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def prepared(folder: Path, *names: Path | str, **keys: Any) -> LabelledCorpus:
    return prepare_roles([str(name) for name in names], TextConfig(**keys), folder=folder / "out", listener=silent)


def test_a_tenth_each_of_the_sentences_is_held_out_with_all_predicates(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, sentences(tmp_path / "a.jsonl", 0, 29))
    # round(0.1 · 29) = 3 sentences, each read once and once for each of two predicates
    assert [len(split) for split in (corpus.train, corpus.dev, corpus.test)] == [23, 3, 3]
    assert [len(list(split.readings())) for split in (corpus.train, corpus.dev)] == [69, 9]
    assert corpus.names == ("B-ARG0", "B-V", "O")
    assert corpus.of_words
    # of each of 3 sentences O B-V O B-V, B-ARG0 B-V O O and B-ARG0 O O B-V
    assert corpus.facts()["labels"]["dev"] == {"B-ARG0": 6, "B-V": 12, "O": 18}


def test_equal_sentences_stay_together_whatever_their_roles(tmp_path: Path) -> None:
    train, test = sentences(tmp_path / "a.jsonl", 0, 12), tmp_path / "b.jsonl"
    test.write_text(line(["dog3", "barks", "and", "bites"], (1, [])) + line(["no", "verb"]), encoding="utf-8")
    corpus = prepared(tmp_path, f"train={train}", f"test={test}")
    assert [len(split) for split in (corpus.train, corpus.dev, corpus.test)] == [11, 0, 2]
    assert "dog3" not in {one.input[0] for one in corpus.train.entries}


def test_what_is_asked_has_predicates_and_no_roles(tmp_path: Path) -> None:
    path = sentences(tmp_path / "a.jsonl", 7, 1)
    with path.open("a", encoding="utf-8") as file:
        file.write(line(["quiet", "now"]))
    corpus = prepared(tmp_path, f"train={path}")
    first, second = corpus.train.examples()
    words = ("dog7", "barks", "and", "bites")
    assert first.input == RoleSentence(f"{path}:1", words, (Predicate(1, ""), Predicate(3, "")))
    assert first.answer == {1: [(0, 1, "ARG0"), (1, 2, "V")], 3: [(0, 1, "ARG0"), (3, 4, "V")]}
    assert (second.input.predicates, second.answer) == ((), {})
    assert list(corpus.train.texts()) == ["dog7 barks and bites", "quiet now"]


def test_opened_again_it_is_the_same(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, sentences(tmp_path / "a.jsonl", 0, 12))
    again = open_labelled(corpus.folder)
    assert again.train == corpus.train
    assert again.train.entries[0].answer[0] == Predicate(1, "", (Argument(0, 1, "ARG0"),))


def test_what_a_trainer_reads_has_a_mark_for_each_predicate(tmp_path: Path) -> None:
    path = sentences(tmp_path / "a.jsonl", 0, 2)
    with path.open("a", encoding="utf-8") as file:
        file.write(line(["she", "dropped", "by"], (1, [[0, 1, "ARG0"], [1, 3, "V"]])))
    corpus = prepared(tmp_path, f"train={path}")
    material = prepare_material(corpus, "words", WordsConfig(), tmp_path / "material")
    assert material.tags is not None
    assert material.tags.dev is None
    words = material.tags.train
    assert words.documents is not None
    assert words.marks is not None
    assert words.documents.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert words.starts.tolist() == [0, 4, 8, 12, 16, 20, 24, 27, 30]
    marks = [words.marks[a:b].tolist() for a, b in zip(words.starts, words.starts[1:], strict=False)]
    assert marks[:3] == marks[3:6] == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    assert marks[6:] == [[0, 0, 0], [0, 1, 1]]
    names = material.tags.names
    assert [names[place] for place in words.labels[27:30]] == ["B-ARG0", "B-V", "I-V"]
    # each reading of a document has its places and its characters
    assert words.firsts[:4].tolist() == words.firsts[4:8].tolist() == [1, 3, 4, 5]  # dog 0 barks and bites
    np.testing.assert_array_equal(words.characters[12:16], words.characters[20:24])
    assert chr(words.characters[12, 3] - 1) == "1"


def test_the_encoding_that_is_named_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ru.jsonl"
    record = {"tokens": ["Анна", "идёт"], "predicates": [{"predicate": 1, "arguments": [[0, 1, "ARG0"]]}]}
    path.write_bytes((json.dumps(record, ensure_ascii=False) + "\n").encode("koi8-r"))
    folder = tmp_path / "out"
    corpus = prepare_roles([f"train={path}"], TextConfig(encoding="koi8-r"), folder=folder, listener=silent)
    assert corpus.train.entries[0].input == ("Анна", "идёт")


def test_what_can_not_be_learnt_from_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line(["no", "verb"]), encoding="utf-8")
    with pytest.raises(TooLittleTextError, match=r"a\.jsonl: 1 different labels to learn from"):
        prepared(tmp_path, path)
    path.write_text(line(["it", "barks"], (1, [])) + '{"tokens": ["a"]}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:2: the key 'predicates' is missing"):
        prepared(tmp_path, path)
