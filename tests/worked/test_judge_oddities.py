"""Oddities of texts by hand."""

import pytest

from ziggurat.judge.oddities import Oddities, oddities


def test_each_oddity_is_counted_once_and_only_where_the_right_text_is_not_so() -> None:
    asked = ["ein Hund läuft", "Paris", "ja", "nein nein nein", "eins zwei"]
    gold = ["a dog runs", "Paris", "yes", "no no no", "one two"]
    said = ["Ein Hund läuft!", "Paris", "", "no no no", "one two one two one two"]
    # 3 + 1 + 0 + 3 + 6 words for 3 + 1 + 1 + 3 + 2
    assert oddities(asked, gold, said) == Oddities(length_ratio=13 / 10, empty=1, copied=1, repeated=1)


def test_chinese_is_counted_by_characters() -> None:
    found = oddities(["two dogs"], ["两只狗"], ["两只狗狗狗狗"])
    assert found == Oddities(length_ratio=2.0, empty=0, copied=0, repeated=1)


def test_nothing_is_odd_about_nothing() -> None:
    assert oddities([""], [""], [""]) == Oddities(1.0, 0, 0, 0)
    assert oddities([], [], []).figures() == {"length_ratio": 1.0, "empty": 0, "copied": 0, "repeated": 0}


@pytest.mark.parametrize(
    ("said", "repeated"),
    [
        ("a b a b c", 0),
        ("a b a b a b", 1),
        ("x a b c d a b c d a b c d", 1),
        ("a b c d e a b c d e a b c d e", 0),  # five words are a list
        ("very very good", 0),
    ],
)
def test_three_times_in_a_row_is_a_circle(said: str, repeated: int) -> None:
    assert oddities(["q"], ["g"], [said]).repeated == repeated
