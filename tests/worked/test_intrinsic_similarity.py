"""Rank correlation by hand and against scipy; which pairs are asked, and what becomes of the others."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ziggurat.core.types import FloatArray
from ziggurat.judge.intrinsic.lexicon import Lexicon
from ziggurat.judge.intrinsic.scores import similarity_interval
from ziggurat.judge.intrinsic.similarity import answer_similarity, midranks, spearman
from ziggurat.judge.intrinsic.word_sets import SimilaritySet

VECTORS = {"tiger": [1.0, 0.0], "cat": [0.8, 0.6], "car": [0.0, 1.0], "train": [0.28, -0.96]}


def lexicon(vectors: Mapping[str, Sequence[float]], *, fold: bool = True) -> Lexicon:
    return Lexicon(list(vectors), np.array(list(vectors.values()), np.float32), fold=fold)


def pairs_of(*rows: tuple[str, str, float]) -> SimilaritySet:
    return SimilaritySet("hand", tuple((one, other) for one, other, _ in rows), tuple(score for *_, score in rows))


def array(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_ranks_share_their_mean_where_values_are_equal() -> None:
    # 5 is the first, 7 and 7 are second and third, so 2.5 each; 9 is the fourth
    assert midranks(array(7, 9, 5, 7)).tolist() == [2.5, 4.0, 1.0, 2.5]


def test_spearman_by_hand() -> None:
    # ranks 1 2 3 4 and 2 1 4 3: differences −1 1 −1 1, 1 − 6 · 4 ⁄ (4 · 15) = 0.6
    assert spearman(array(1, 5, 6, 9), array(0.3, 0.1, 0.9, 0.4)) == pytest.approx(0.6)
    # with a tie: ranks 1 2.5 2.5 4 and 1 2 3 4, around their mean 2.5: (2.25 + 0 + 0 + 2.25) ⁄ √(4.5 · 5)
    assert spearman(array(1, 3, 3, 8), array(1, 2, 3, 4)) == pytest.approx(4.5 / np.sqrt(22.5))


def test_what_has_no_order_has_no_correlation() -> None:
    assert spearman(array(1, 1, 1), array(1, 2, 3)) is None
    assert spearman(array(1), array(2)) is None
    assert spearman(array(), array()) is None


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=2, max_size=23))
def test_spearman_is_scipy_s(values: list[tuple[int, int]]) -> None:
    one, other = array(*(a for a, _ in values)), array(*(b for _, b in values))
    found = spearman(one, other)
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-12)


def test_cosines_and_unknown_words_by_hand() -> None:
    # tiger · cat = 0.8, tiger · car = 0, cat · train = 0.224 − 0.576 = −0.352, tiger · train = 0.28; no unicorns here
    rows = [("tiger", "cat", 9.0), ("tiger", "car", 1.0), ("tiger", "unicorn", 8.0), ("cat", "train", 2.0)]
    rows.append(("tiger", "train", 3.0))
    answers = answer_similarity(lexicon(VECTORS), pairs_of(*rows))
    assert answers.asked.tolist() == [True, True, False, True, True]
    assert answers.cosines.tolist() == pytest.approx([0.8, 0, 0, -0.352, 0.28], abs=1e-7)
    # without the unicorn: ranks 4 1 2 3 and 4 2 1 3, so 1 − 6 · 2 ⁄ (4 · 15)
    assert answers.correlation == pytest.approx(0.8)
    # with it at 0, as alike as tiger and car: ranks 5 1 4 2 3 and 5 2.5 2.5 1 4 around 3,
    # (4 + 1 − 0.5 + 2 + 0) ⁄ √(10 · 9.5)
    assert answers.correlation_of_all == pytest.approx(6.5 / np.sqrt(95))


def test_capitals_make_no_difference_unless_asked() -> None:
    pairs = pairs_of(("Tiger", "CAT", 9), ("tiger", "car", 1))
    assert answer_similarity(lexicon(VECTORS), pairs).asked.tolist() == [True, True]
    assert answer_similarity(lexicon(VECTORS, fold=False), pairs).asked.tolist() == [False, True]


def test_a_word_is_wholly_like_itself_and_a_vector_of_zeros_like_nothing() -> None:
    pairs = pairs_of(("tiger", "tiger", 10), ("tiger", "none", 0))
    answers = answer_similarity(lexicon({**VECTORS, "none": [0.0, 0.0]}), pairs)
    assert answers.cosines.tolist() == [1.0, 0.0]


def test_spelled_words_are_asked_once_each_and_counted() -> None:
    seen = []

    def spell(word: str) -> FloatArray | None:
        seen.append(word)
        return np.array([0, 2], np.float32) if word == "cars" else None

    pairs = pairs_of(("cars", "car", 9), ("cars", "tiger", 1), ("cars", "?", 3))
    answers = answer_similarity(lexicon(VECTORS), pairs, spell=spell)
    assert (answers.asked.tolist(), answers.spelled, seen) == ([True, True, False], 1, ["cars", "?"])
    assert answers.cosines.tolist() == [1.0, 0.0, 0.0]


def test_too_few_pairs_have_no_interval() -> None:
    rows = [("tiger", "cat", 9.0), ("tiger", "car", 1.0), ("cat", "train", 2.0), ("tiger", "train", 3.0)]
    assert similarity_interval(answer_similarity(lexicon(VECTORS), pairs_of(*rows))) is None
    found = similarity_interval(answer_similarity(lexicon(VECTORS), pairs_of(*rows, ("cat", "car", 4.0))))
    assert found is not None
    assert -1 <= found.low <= found.value <= found.high <= 1
