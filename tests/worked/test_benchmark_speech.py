"""What the speech benchmark leaves out of its training text, and how its weights are tuned."""

import numpy as np
import pytest

from benchmarks.tasks.speech import left_one_out, read_aloud
from benchmarks.tasks.speech_text import RUN, Search, spoken_lines
from ziggurat.core.types import Document
from ziggurat.use.rescoring import Hypothesis

SAID = ("he was not an ill disposed young man at all", "might even have")


def test_a_novel_is_read_aloud_a_sentence_a_line() -> None:
    text = "“Mr. Dashwood was ill-disposed!” he said.\n\n--Dr. Ann's\nhouse?"
    found = spoken_lines(Document("one", text))
    assert found == Document("one", "mister dashwood was ill disposed\nhe said\ndoctor ann's house\n")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        # eight words in a row, over the end of a line
        ("x\nhe was not an ill\ndisposed young man\n", False),
        ("she was not an ill disposed young man at\n", False),
        ("he was not an ill disposed young gentleman\n", True),
        # a reference that is shorter than that, whole
        ("it might even have been\n", False),
        ("it might even haven\n", True),
        ("\n", True),
    ],
)
def test_the_book_itself_is_left_out(text: str, kept: bool) -> None:
    assert RUN == 8
    found = Search(SAID)
    assert [one.id for one in found.kept([Document("a", text), Document("b", "young man\n")])] == ["a"] * kept + ["b"]
    assert list(found.left_out) == [] if kept else ["a"]
    assert found.documents == 2


def test_the_longest_run_that_stays_is_told() -> None:
    found = Search(SAID)
    texts = ["an ill man was\n", "what an ill disposed\nyoung thing\n", "not an ill\n"]
    assert len(list(found.kept(Document(text, text) for text in texts))) == 3
    assert found.longest == "an ill disposed young"
    assert found.words == 4 + 6 + 3


def test_weights_for_a_recording_are_those_of_the_others() -> None:
    # the sound prefers the wrong one by 7; a bonus of 10 or 20 for two words turns it. Where one word is right, a bonus
    # of 0 or less is wanted; the third list is to be ranked by what the first two want, and so on
    two = [Hypothesis("one", 0.0), Hypothesis("one two", -7.0)]
    lists, logprobs = [two, two, two], [np.zeros(2)] * 3
    texts, weights = left_one_out(lists, logprobs, [[1, 0], [1, 0], [0, 1]])
    assert texts[2] == "one two"
    assert weights[2]["bonus"] == 20.0
    # each of the first two sees one of each kind
    assert weights[0] == weights[1]
    assert left_one_out([two, two, []], [*logprobs[:2], np.zeros(0)], [[1, 0], [1, 0], []])[0] == [
        "one two",
        "one two",
        "",
    ]


def test_abbreviations_count_as_they_are_read() -> None:
    heard = [
        Hypothesis("mr dashwood", -1.0, -2.0),
        Hypothesis("mister dashwood", -3.0, -4.0),
        Hypothesis("mrs or dr drum", -5.0),
        Hypothesis("", -6.0),
    ]
    # the second says what the first does, and comes later
    assert read_aloud(heard) == [
        Hypothesis("mister dashwood", -1.0, -2.0),
        Hypothesis("missus or doctor drum", -5.0),
        Hypothesis("", -6.0),
    ]
    assert read_aloud([]) == []
