"""How sentences are read, by hand: once for names, once and for each predicate for roles."""

import json

import pytest

from ziggurat.text.readings import LabelledAnswer, Reading, frozen, plain, readings
from ziggurat.text.roles import Argument, Predicate

WORDS = ("She", "dropped", "by", "and", "left")
DROP = Predicate(1, "drop_by.02", (Argument(0, 1, "ARG0"),), length=2)
LEAVE = Predicate(4, "leave.01", (Argument(0, 1, "ARG0"),))


def test_labels_of_words_are_one_reading() -> None:
    assert readings(["Ada", "sang"], ("B-PER", "O")) == [Reading(("B-PER", "O"), range(0))]


def test_a_predicate_is_a_reading_after_one_that_says_where_they_are() -> None:
    where, drop, leave = readings(WORDS, (DROP, LEAVE))
    assert where == Reading(("O", "B-V", "I-V", "O", "B-V"), range(0))
    assert drop == Reading(("B-ARG0", "B-V", "I-V", "O", "O"), range(1, 3))
    assert leave == Reading(("B-ARG0", "O", "O", "O", "B-V"), range(4, 5))


def test_a_sentence_without_predicates_says_so() -> None:
    assert readings(WORDS, ()) == [Reading(("O",) * 5, range(0))]


def test_of_predicates_on_one_token_the_first_says_how_long_it_is() -> None:
    where, *each = readings(WORDS, (DROP, Predicate(1, "drop.01")))
    assert where.labels == ("O", "B-V", "I-V", "O", "O")
    assert [one.marked for one in each] == [range(1, 3), range(1, 2)]


@pytest.mark.parametrize("answer", ["good", ("B-PER", "O"), (DROP, LEAVE), ()])
def test_what_is_written_is_read_again(answer: LabelledAnswer) -> None:
    assert frozen(json.loads(json.dumps(plain(answer)))) == answer


@pytest.mark.parametrize("found", [[1], [["a"]], [[1, 1, "s", [[0]]]]])
def test_what_is_none_of_these_is_refused(found: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        frozen(found)
