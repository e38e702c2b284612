"""Roles from a tagger whose every label is known: predicates given and found, F1 by hand, what is written."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.protocols import ReadsMarks, Tagger
from ziggurat.core.types import Example, FloatArray, IdArray, Told, Vocabulary, WordBatch
from ziggurat.judge.answers import Answer, answers_report
from ziggurat.models.registry import FAMILIES
from ziggurat.text.roles import Predicate, RoleSentence
from ziggurat.use.tasks.roles import BATCH, TASK

TOKENIZER = eleven_words()


class Neighbours:
    """Words of five characters are predicates; the word before one is its ARG0, all behind it its ARG1.

    It is 0.5 sure of each label; of a predicate itself it says that it belongs to its ARG1.
    """

    labels = ("B-ARG0", "B-ARG1", "I-ARG1", "B-V", "O")
    context = None
    reads_marks = True

    @property
    def vocabulary(self) -> Vocabulary:
        return TOKENIZER.vocabulary

    def tag(self, batch: WordBatch) -> tuple[IdArray, FloatArray]:
        assert batch.marks is not None
        places = np.full(batch.firsts.shape, -1, np.int32)
        for row, count in enumerate(batch.words):
            marked = np.flatnonzero(batch.marks[row, :count])
            if len(marked):
                found = np.full(count, 4)
                found[marked[0]] = 1
                found[marked[0] + 1 :] = 2
                found[max(0, marked[0] - 1) : marked[0]] = 0
            else:
                found = np.where((batch.characters[row, :count] > 0).sum(axis=1) == 5, 3, 4)
            places[row, :count] = found
        return places, np.where(places >= 0, 0.5, 0).astype(np.float32)


def sentence(*words: str, predicates: tuple[int, ...] | None = ()) -> RoleSentence:
    named = tuple(Predicate(one, f"sense.{one}") for one in predicates or ())
    return RoleSentence("a:1", words, named, unsaid=predicates is None)


def test_predicates_given() -> None:
    model = Neighbours()
    assert isinstance(model, Tagger)
    assert isinstance(model, ReadsMarks)
    asked = [
        sentence("one", "two", "four", predicates=(1,)),
        sentence("two", "six", predicates=(0, 1)),
        sentence("two"),
    ]
    first, second, third = TASK.decode(model, TOKENIZER, asked)
    # the tagger goes on from the predicate with I-ARG1, which begins behind it, since it is no part of its own argument
    assert first.answer == {1: [(0, 1, "ARG0"), (1, 2, "V"), (2, 3, "ARG1")]}
    assert second.answer == {0: [(0, 1, "V"), (1, 2, "ARG1")], 1: [(0, 1, "ARG0"), (1, 2, "V")]}
    assert third.answer == {}
    # 0.5³; twice 0.5²; nothing was labelled
    assert [one.confidence for one in (first, second, third)] == [0.125, 0.0625, None]


def test_of_two_predicates_at_one_token_the_longer_is_answered() -> None:
    both = (Predicate(1, "a.01", length=2), Predicate(1, "a.02"))
    for predicates in (both, both[::-1]):
        asked = RoleSentence("a:1", ("one", "two", "four", "six"), predicates)
        (found,) = TASK.decode(Neighbours(), TOKENIZER, [asked])
        assert found.answer == {1: [(0, 1, "ARG0"), (1, 3, "V"), (3, 4, "ARG1")]}
        written = json.loads(TASK.written(Example("a:1", asked), found))["predicates"]
        assert [(one["sense"], one["tags"][1:3]) for one in sorted(written, key=lambda one: one["sense"])] == [
            ("a.01", ["B-V", "I-V"]),
            ("a.02", ["B-V", "O"]),
        ]


def test_predicates_are_found_where_nobody_says_them() -> None:
    asked = [sentence("one", "seven", "four", predicates=None), sentence("one", "two", predicates=None)]
    first, second = TASK.decode(Neighbours(), TOKENIZER, asked)
    assert first.answer == {1: [(0, 1, "ARG0"), (1, 2, "V"), (2, 3, "ARG1")]}
    # three labels to find the predicate, three to say its roles; two that there is none
    assert (first.confidence, second.answer, second.confidence) == (0.5**6, {}, 0.25)
    given = sentence("one", "seven", "four", predicates=(0,))
    assert TASK.unmarked(given) == RoleSentence("a:1", given.tokens, unsaid=True)


def test_f1_by_hand() -> None:
    # "two four seven six": gold says of seven ARG0 two four, ARG1 six; of two nothing
    gold = {2: [(0, 2, "ARG0"), (2, 3, "V"), (3, 4, "ARG1")], 0: [(0, 1, "V")]}
    asked = sentence("two", "four", "seven", "six", predicates=(2, 0))
    given, found = TASK.decode(Neighbours(), TOKENIZER, [asked, TASK.unmarked(asked)])
    # given: seven has ARG0 four (wrong) and ARG1 six (right), two has ARG1 of three words (wrong): 2 · 1 / (2 + 3)
    assert f1(gold, given.answer) == pytest.approx(0.4)
    # found: seven alone: 2 · 1 / (2 + 2); the predicate itself, right both times, never counts
    assert f1(gold, found.answer) == pytest.approx(0.5)


def f1(gold: object, said: object) -> float:
    ((_, interval),) = answers_report([Answer("a", gold, said)], TASK.metrics).metrics
    return interval.value


def test_many_sentences_are_cut_into_batches() -> None:
    asked = [sentence("one", "seven" if number % 3 else "two", predicates=None) for number in range(BATCH + 7)]
    found = TASK.decode(Neighbours(), TOKENIZER, asked)
    assert [bool(one.answer) for one in found] == [bool(number % 3) for number in range(BATCH + 7)]
    assert TASK.decode(Neighbours(), TOKENIZER, []) == []


def test_a_tagger_that_reads_no_predicates_is_refused() -> None:
    for name in ("ngram", "recurrent_tagger"):
        with pytest.raises(UsageError, match="reads no predicates: train one with ziggurat task roles train"):
            TASK.decode(FAMILIES.get(name).tiny(seed=0), TOKENIZER, [sentence("two", predicates=None)])


def test_a_temperature_changes_how_sure_answers_are_and_no_answer() -> None:
    asked = [sentence("two", "seven", "one", predicates=(1,)), sentence("two", predicates=())]
    plain, tempered = (TASK.decode(Neighbours(), TOKENIZER, asked, temperature=one) for one in (1.0, 3.0))
    assert [one.answer for one in tempered] == [one.answer for one in plain]
    assert (plain[0].confidence, plain[1].confidence, tempered[1].confidence) == (0.125, None, None)
    assert tempered[0].confidence == pytest.approx(0.5)
    # all wrong, and 1/8 is too sure: T below 1
    wrong = [Example("a:1", asked[0], {}), Example("a:2", asked[1], {})]
    found = TASK.tune(Neighbours(), TOKENIZER, wrong * 9)
    assert found is not None
    assert found < 1
    assert TASK.tune(Neighbours(), TOKENIZER, wrong[1:]) is None


def test_what_is_shown() -> None:
    asked = sentence("She", "dropped", "by", "and", "left", predicates=(1, 4))
    answer = {1: [(0, 1, "ARG0"), (1, 3, "V"), (3, 5, "ARGM-TMP")], 4: [(4, 5, "V")]}
    assert TASK.shown(asked, answer) == "dropped by: ARG0 She, ARGM-TMP and left; left"
    assert TASK.shown(asked, {}) == ""


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    asked = RoleSentence("a:1", ("She", "dropped", "by", "soon"), (Predicate(1, "drop_by.02"),), name="visit")
    line = TASK.written(Example("a:1", asked), Told({1: [(0, 1, "ARG0"), (1, 3, "V"), (3, 4, "ARGM-TMP")]}))
    path = tmp_path / "out.jsonl"
    path.write_text(line, encoding="utf-8")
    assert json.loads(line)["predicates"][0]["tags"] == ["B-ARG0", "B-V", "I-V", "B-ARGM-TMP"]
    (again,) = TASK.read([str(path)], labelled=True)
    assert again.input.name == "visit"
    assert again.input.predicates == (Predicate(1, "drop_by.02", length=2),)
    assert again.answer == {1: [(0, 1, "ARG0"), (1, 3, "V"), (3, 4, "ARGM-TMP")]}


def test_a_value_of_json_is_a_sentence_or_refused() -> None:
    assert TASK.asked(["it", "barks"], where="inputs[0]") == RoleSentence("inputs[0]", ("it", "barks"), unsaid=True)
    given = TASK.asked({"tokens": ["it", "barks"], "predicates": [{"predicate": 1}]}, where="inputs[1]")
    assert given == RoleSentence("inputs[1]", ("it", "barks"), (Predicate(1, ""),))
    for value, message in (("it barks", "is no sentence"), ([], "0 tokens"), ([7], "entry 0 of 'tokens'")):
        with pytest.raises(InputError, match=rf"inputs\[2\]: .*{message}"):
            TASK.asked(value, where="inputs[2]")


def test_files_are_read_with_roles_and_without(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"tokens": ["it", "barks"], "predicates": [{"predicate": 1}]}\n{"tokens": ["it"]}\n')
    given, unsaid = TASK.read([str(path)], labelled=False)
    assert (given.input.predicates, given.input.unsaid, given.answer) == ((Predicate(1, ""),), False, None)
    assert (unsaid.input.predicates, unsaid.input.unsaid, unsaid.answer) == ((), True, None)
    with pytest.raises(InputError, match=r"a\.jsonl:1: the key 'arguments' is missing"):
        list(TASK.read([str(path)], labelled=True))
