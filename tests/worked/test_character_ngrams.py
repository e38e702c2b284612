"""Character n-grams by hand: which there are, what their hashes are, and that others find the same buckets."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.errors import InputError
from ziggurat.tokens.character_ngrams import bucket_ids, spelling_table

LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Spelling:
    shortest_ngram: int = 3
    longest_ngram: int = 6
    spells: bool = True
    buckets: int = 2_000_003


def fnv(ngram: str) -> int:
    """FNV-1a of 32 bits, in which bytes from 0x80 up come as negative numbers: the published program's."""
    state = 2166136261
    for byte in ngram.encode():
        state ^= byte if byte < 0x80 else byte | 0xFFFFFF00
        state = state * 16777619 % 2**32
    return state


def slow(word: str, shortest: int, longest: int, buckets: int) -> list[int]:
    marked = f"<{word}>"
    found = [
        marked[start : start + length]
        for start in range(len(marked))
        for length in range(shortest, longest + 1)
        if start + length <= len(marked) and not (length == 1 and start in (0, len(marked) - 1))
    ]
    return [fnv(ngram) % buckets for ngram in found] if word else []


# Published test vectors of FNV-1a (Noll): "a" is E40C292C, "foobar" is BF9CF968.
# By hand for "a" (61): 811C9DC5 xor 61 = 811C9DA4; times 01000193 = E40C292C modulo 2^32.
def test_the_hash_that_this_test_compares_with_is_fnv_1a() -> None:
    assert fnv("a") == (0x811C9DC5 ^ 0x61) * 0x01000193 % 2**32 == 0xE40C292C
    assert fnv("foobar") == 0xBF9CF968


# <ab> has of 3 characters <ab and ab>, of 4 <ab>; by the first character, then by length: <ab, <ab>, ab>
def test_the_ngrams_of_a_word_stand_in_the_order_of_their_beginnings() -> None:
    assert bucket_ids("ab", 3, 6, LARGEST).tolist() == [fnv(part) % LARGEST for part in ("<ab", "<ab>", "ab>")]
    assert bucket_ids("ab", 3, 3, LARGEST).tolist() == [fnv(part) % LARGEST for part in ("<ab", "ab>")]


# E5 A1 94 is 塔: (811C9DC5 xor FFFFFFE5) · 01000193, and so on; 46A880C5 as gensim 4.4 hashes it
def test_bytes_from_0x80_up_are_negative_numbers() -> None:
    assert fnv("塔") == 0x46A880C5
    assert bucket_ids("塔", 1, 1, LARGEST).tolist() == [0x46A880C5 % LARGEST]


@pytest.mark.parametrize(
    ("word", "shortest", "longest", "buckets"),
    [
        # gensim 4.4: [ft_hash_bytes(n) % 2000003 for n in compute_ngrams_bytes(word, shortest, longest)]
        ("ab", 3, 6, [207681, 620731, 1239209]),
        ("where", 3, 3, [166080, 419609, 1467264, 1525925, 864405]),
        ("塔楼", 1, 4, [1900970, 651309, 122376, 1446357, 1143106, 555289, 1139463, 254342]),
        (
            "naïve",
            2,
            3,
            [1118141, 1804991, 845994, 1585674, 651417, 351420, 297843, 1708852, 794794, 1083668, 454839],
        ),
        ("👍🏽", 1, 6, [56984, 413161, 1995753, 1716956, 1672191, 1101092, 1450525, 188395]),
        ("a", 1, 6, [1006110, 1084063, 1996484, 1614377]),
    ],
)
def test_gensim_finds_the_same_buckets(word: str, shortest: int, longest: int, buckets: list[int]) -> None:
    found = bucket_ids(word, shortest, longest, 2_000_003)
    assert found.dtype == np.int32
    assert found.tolist() == buckets


@pytest.mark.parametrize(("word", "shortest", "longest"), [("", 1, 6), ("a", 4, 6), ("塔楼", 5, 5), ("tower", 3, 0)])
def test_what_is_too_short_or_learnt_whole_has_no_ngrams(word: str, shortest: int, longest: int) -> None:
    assert bucket_ids(word, shortest, longest, 11).shape == (0,)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=13),
    st.integers(1, 7),
    st.integers(0, 7),
    st.sampled_from([1, 13, 2_000_000, 1 << 31]),
)
def test_every_spelling_against_the_definition(word: str, shortest: int, longest: int, buckets: int) -> None:
    assert bucket_ids(word, shortest, longest, buckets).tolist() == slow(word, shortest, longest, buckets)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=11))
def test_a_table_is_its_words_one_after_another(words: list[str]) -> None:
    starts, buckets = spelling_table(words, Spelling())
    assert (starts.dtype, buckets.dtype, len(starts), starts[0]) == (np.int64, np.int32, len(words) + 1, 0)
    for index, word in enumerate(words):
        assert buckets[starts[index] : starts[index + 1]].tolist() == slow(word, 3, 6, 2_000_003)
    assert starts[-1] == len(buckets)


def test_a_table_larger_than_what_is_worked_on_at_once() -> None:
    words = ["", "", *(f"塔{index}" for index in range(65_537))]
    starts, buckets = spelling_table(words, Spelling(longest_ngram=3))
    for index in (0, 1, 2, 65_535, 65_536, 65_538):
        assert buckets[starts[index] : starts[index + 1]].tolist() == slow(words[index], 3, 3, 2_000_003)


def test_words_learnt_whole_have_an_empty_table() -> None:
    starts, buckets = spelling_table(["the", "tower"], Spelling(longest_ngram=0))
    assert (starts.tolist(), buckets.shape) == ([0, 0, 0], (0,))


def test_half_a_surrogate_pair_has_no_spelling() -> None:
    with pytest.raises(InputError, match="lone surrogate at character 1"):
        bucket_ids("a\ud800", 3, 6, 11)
    with pytest.raises(InputError, match="lone surrogate at character 0"):
        spelling_table(["a", "\udfff"], Spelling())
