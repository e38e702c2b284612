"""Error rates by hand: words, Chinese characters, silences, intervals and comparisons."""

import sys

import pytest

from ziggurat.core.errors import MissingExtraError, TooLittleTextError, UsageError
from ziggurat.judge.word_errors import Errors, compare_errors, error_counts, error_rate

jiwer = pytest.importorskip("jiwer", reason="the extra 'speech' is not installed")


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        # he was | not → until | an → this | ill disposed → blows (one word less) | young man
        ("he was not an young man", "he was until this young man", (2, 0, 0, 6)),
        ("a b c", "a c d", (0, 1, 1, 3)),  # b is lost and d too many: two changes, as many as two substitutions
        ("He was, he WAS!", "he was he was", (0, 0, 0, 4)),
        ("one two", "", (0, 2, 0, 2)),
        ("", "one two three", (0, 0, 3, 0)),
        ("", "", (0, 0, 0, 0)),
        ("今天天气好", "今天气很好", (0, 1, 1, 5)),  # one 天 is lost, 很 is too many
        ("买iPhone吧", "买 iphone 了", (1, 0, 0, 3)),
    ],
)
def test_words(said: str, heard: str, expected: tuple[int, int, int, int]) -> None:
    found = error_counts(said, heard)
    assert found.units == expected[3]
    assert found.total == sum(expected[:3])
    assert found.deletions - found.insertions == expected[1] - expected[2]  # ties may be told either way


def test_characters() -> None:
    assert error_counts("a rose", "arose", unit="character") == Errors(0, 0, 0, 5)
    assert error_counts("cat", "cart", unit="character") == Errors(0, 0, 1, 3)


def test_a_rate_is_over_all_words_and_not_a_mean_of_rates() -> None:
    counts = [Errors(1, 0, 0, 2), Errors(0, 1, 2, 8), Errors(0, 0, 0, 10)]  # 4 errors in 20 words
    found = error_rate(counts, seed=0)
    assert found.value == 4 / 20
    assert 0 <= found.low < found.value < found.high <= 0.5
    assert found == error_rate(counts, seed=0)
    assert error_rate([*counts, Errors(0, 0, 5, 0)], seed=0).value == 9 / 20  # heard in a silence


def test_a_rate_of_nothing() -> None:
    with pytest.raises(TooLittleTextError):
        error_rate([], seed=0)
    with pytest.raises(UsageError, match="the transcripts have no words"):
        error_rate([Errors(0, 0, 2, 0)], seed=0)


def test_a_comparison_is_paired() -> None:
    before = [Errors(2, 0, 0, 10) for _ in range(7)]
    after = [Errors(1, 0, 0, 10) for _ in range(7)]
    found = compare_errors(before, after, seed=0)
    assert found.value == pytest.approx(-0.1)
    assert found.high < 0
    # all seven go one way: by chance that happens in 2 of 128 flips of signs
    assert found.p_value == pytest.approx(2 / 128, abs=0.005)
    with pytest.raises(UsageError, match="only on the same recordings"):
        compare_errors(before, after[1:], seed=0)
    with pytest.raises(UsageError, match="only on the same recordings"):
        compare_errors(before, [*after[1:], Errors(0, 0, 0, 11)], seed=0)
    with pytest.raises(TooLittleTextError):
        compare_errors(before[:1], after[:1], seed=0)


def test_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(MissingExtraError, match=r"word error rates .* 'ziggurat\[speech\]'"):
        error_counts("a", "b")
