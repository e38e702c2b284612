"""Pairs of words counted by hand, in two halves, and their mutual information."""

import math

import numpy as np
import pytest

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.types import Vocabulary
from ziggurat.study import cooccurrence
from ziggurat.study.cooccurrence import count_halves, frequent_words, positive_pmi

WORDS = Vocabulary(size=7, bos=0, eos=0, unk=1)


def test_words_come_by_frequency_without_special_ids() -> None:
    stream = MemoryStream.of([[5, 5, 5, 1, 1, 1, 1, 3], [3, 2]], WORDS)
    # 5 three times, 3 twice, 2 once; 1 is <unk>, 0 the end, 4 and 6 never stand there
    assert frequent_words(stream, 10).tolist() == [5, 3, 2]
    assert frequent_words(stream, 2).tolist() == [5, 3]


def test_equally_frequent_words_keep_their_order() -> None:
    assert frequent_words(MemoryStream.of([[6, 2, 4, 3]], WORDS), 10).tolist() == [2, 3, 4, 6]


def test_pairs_within_the_window_by_hand() -> None:
    # 2 3 4 2 with a window of two: 23, 24, 34, 32, 42: 2–3 twice, 2–4 twice, 3–4 once
    stream = MemoryStream.of([[2, 3, 4, 2]], WORDS)
    one, other = count_halves(stream, np.array([2, 3, 4]), window=2)
    assert one.tolist() == [[0, 2, 2], [2, 0, 1], [2, 1, 0]]
    assert other.sum() == 0  # four tokens are far less than one stretch


def test_a_word_beside_itself_counts_for_both() -> None:
    one, _ = count_halves(MemoryStream.of([[2, 2]], WORDS), np.array([2]), window=5)
    assert one.tolist() == [[2]]


def test_words_that_are_not_asked_for_keep_their_places() -> None:
    # 2 <unk> 3: the distance is two, so a window of one does not reach
    stream = MemoryStream.of([[2, 1, 3]], WORDS)
    near, far = (count_halves(stream, np.array([2, 3]), window=window)[0].sum() for window in (1, 2))
    assert (near, far) == (0, 2)


def test_documents_do_not_touch() -> None:
    stream = MemoryStream.of([[2], [3], [4, 5]], WORDS)
    one, other = count_halves(stream, np.array([2, 3, 4, 5]), window=5)
    assert (one + other)[2, 3] == 1
    assert (one + other).sum() == 2


def test_stretches_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooccurrence, "STRETCH_TOKENS", 3)
    # positions 0 … 8: end 2 3 | 2 3 2 | 3 2 3; a pair belongs to the half of its first word
    stream = MemoryStream.of([[2, 3, 2, 3, 2, 3, 2, 3]], WORDS)
    one, other = count_halves(stream, np.array([2, 3]), window=1)
    # first words at 1, 2, 6, 7 stand in the first half, those at 3, 4, 5 in the second
    assert (one[0, 1], other[0, 1]) == (4, 3)


def test_counting_in_chunks_is_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(0)
    documents = [dice.integers(1, 7, dice.integers(1, 40)).tolist() for _ in range(53)]
    stream = MemoryStream.of(documents, WORDS)
    words = frequent_words(stream, 5)
    whole = count_halves(stream, words, window=3)
    monkeypatch.setattr(cooccurrence, "CHUNK_TOKENS", 101)
    parts = count_halves(stream, frequent_words(stream, 5), window=3)
    assert all(np.array_equal(one, other) for one, other in zip(whole, parts, strict=True))
    # and as one would count by hand
    place = {int(word): number for number, word in enumerate(words)}
    expected = np.zeros((5, 5), np.int64)
    for ids in documents:
        for i, left in enumerate(ids):
            for right in ids[i + 1 : i + 4]:
                if left in place and right in place:
                    expected[place[left], place[right]] += 1
                    expected[place[right], place[left]] += 1
    assert np.array_equal(whole[0] + whole[1], expected)


def test_mutual_information_by_hand() -> None:
    # all pairs 8; words alone 4, 3, 1. (0, 1): 2 · 8 / (4 · 3) = 4/3; (0, 0) 2 · 8 / 16 = 1; (1, 2): 1 · 8 / 3
    counts = np.array([[2, 2, 0], [2, 0, 1], [0, 1, 0]])
    expected = np.array([[0, math.log(4 / 3), 0], [math.log(4 / 3), 0, math.log(8 / 3)], [0, math.log(8 / 3), 0]])
    assert positive_pmi(counts) == pytest.approx(expected)


def test_pairs_rarer_than_chance_have_none() -> None:
    # (0, 0): 4 · 16 / (9 · 9) < 1
    counts = np.array([[4, 5], [5, 2]])
    assert positive_pmi(counts)[0, 0] == 0
    assert positive_pmi(np.zeros((2, 2), np.int64)).tolist() == [[0, 0], [0, 0]]
