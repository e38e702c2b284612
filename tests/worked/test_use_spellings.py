"""Which words an unknown spelling was meant for."""

import time

import pytest

from tests.fakes.word_vectors import vectors_of
from ziggurat.tokens.word_index import WordIndex
from ziggurat.use.spellings import like_spelled, one_edit_away
from ziggurat.use.vectors import UnknownWordError

WORDS = [
    "<|endoftext|>",
    "<unk>",
    "the",
    "king",
    "Paris",
    "kings",
    "kind",
    "queen",
    "北京",
    "大学",
    "北京大学",
    "国王",
    "ring",
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("kng", ["king"]),  # a letter is missing
        ("kking", ["king"]),  # one too many
        ("kinf", ["king", "kind"]),  # a wrong one: the more frequent first
        ("kign", ["king"]),  # two are swapped
        ("KING", ["king"]),  # case only
        ("paris", ["Paris"]),
        ("kinggs", ["kings"]),
        ("queeennn", ["queen"]),  # no edit hits: the likest of the frequent words
        ("北京大学生", ["北京大学"]),  # one character too many
        ("在北京大学里", ["北京大学", "北京", "大学"]),  # its longest parts
        ("国王们好", ["国王"]),
        ("xylophone", []),
        ("unk", []),  # what is no word is not proposed, though its spelling is near
        ("k" * 1000, []),
        ("", []),
    ],
)
def test_what_was_meant(word: str, meant: list[str]) -> None:
    assert like_spelled(word, WordIndex.of(WORDS), first=2) == meant


def test_an_edit_is_one_of_four() -> None:
    # of "ab", with the letters a … z: 3 places for one more, 2 for another, 2 for none, 1 exchange
    #   more: 26 × 3 − 2 (aab twice, abb twice) = 76; another: 25 × 2 = 50; none: 2; exchange: ba; and "ab" itself
    assert len({*one_edit_away("ab")}) == 76 + 50 + 2 + 1 + 1


def test_the_message_names_what_was_meant_and_where_it_stood() -> None:
    vectors = vectors_of({"king": [1, 0], "kind": [0, 1]})
    with pytest.raises(UnknownWordError) as raised:
        vectors.vector("kinf", where="standard input:3")
    assert str(raised.value) == "standard input:3: unknown word 'kinf'; did you mean 'king' or 'kind'?"
    assert raised.value.known == ("king", "kind")
    with pytest.raises(KeyError):
        vectors["zzzz"]


def test_the_time_does_not_grow_with_the_vocabulary() -> None:
    index = WordIndex.of(["<|endoftext|>", "<unk>", *(f"word{number}" for number in range(200_000))])
    began = time.perf_counter()
    assert like_spelled("wrod17", index, first=2) == ["word17"]
    assert like_spelled("zzzzzzz", index, first=2) == []
    assert time.perf_counter() - began < 5  # comparing all of them would take a minute
