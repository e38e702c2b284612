"""What holds of every question to word vectors, whatever the vectors and however large the blocks."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.word_vectors import vectors_of
from ziggurat.use import closest
from ziggurat.use.closest import Rows, scaled
from ziggurat.use.vectors import Method, Vectors

METHODS: list[Method] = ["add", "multiply"]


@st.composite
def asked(draw: st.DrawFn) -> tuple[Vectors, list[str], list[str], int]:
    """Vectors with small whole numbers (ties and zeros among them), a question to them, and how many answers."""
    count, width = draw(st.integers(5, 23)), draw(st.integers(1, 7))
    number = st.integers(-3, 3)
    rows = draw(st.lists(st.lists(number, min_size=width, max_size=width), min_size=count, max_size=count))
    words = [f"w{place}" for place in range(count)]
    chosen = draw(st.lists(st.sampled_from(words), min_size=1, max_size=4, unique=True))
    split = draw(st.integers(0, len(chosen)))
    return vectors_of(dict(zip(words, rows, strict=True))), chosen[:split], chosen[split:], draw(st.integers(1, count))


@given(asked(), st.sampled_from(METHODS))
@settings(deadline=None)
def test_answers_are_sorted_and_never_of_the_question(question: Any, method: Method) -> None:
    vectors, plus, minus, count = question
    found = vectors.nearest(plus, minus, count, method=method)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert not {word for word, _ in found} & {*plus, *minus}
    assert len(found) == min(count, len(vectors) - len({*plus, *minus}))
    assert all(np.isfinite(scores))


@given(asked(), st.integers(1, 30), st.sampled_from(METHODS))
@settings(deadline=None)
def test_a_restriction_is_what_remains_of_all_answers(question: Any, restrict: int, method: Method) -> None:
    vectors, plus, minus, count = question
    allowed = set(vectors.vocabulary_words[:restrict])
    whole = {
        word: score for word, score in vectors.nearest(plus, minus, len(vectors), method=method) if word in allowed
    }
    found = dict(vectors.nearest(plus, minus, count, restrict=restrict, method=method))
    # which of two words that are equally near comes first may follow the rounding: their scores may not
    assert list(found.values()) == pytest.approx(list(whole.values())[:count], abs=1e-6)
    assert list(found.values()) == pytest.approx([whole[word] for word in found], abs=1e-6)


@given(asked(), st.sampled_from(METHODS))
@settings(deadline=None)
def test_many_at_once_are_as_one_by_one(question: Any, method: Method) -> None:
    vectors, plus, minus, count = question
    questions = [(plus, minus), (list(reversed(plus)), minus), (plus, minus)]
    together = vectors.answers(questions, count, method=method)
    alone = vectors.nearest(plus, minus, count, method=method)
    for answers in together:
        assert [score for _, score in answers] == pytest.approx([score for _, score in alone], abs=1e-5)
    ids = [np.array([[vectors.id_of(word) for word in words]], np.int32) for words in (plus, minus)]
    found, scores = vectors.batch(ids[0], ids[1], count=count, method=method)
    assert [float(score) for score in scores[0] if np.isfinite(score)] == pytest.approx(
        [score for _, score in alone], abs=1e-5
    )
    assert int((found[0] >= 0).sum()) == len(alone)


@given(st.integers(0, 10_000), st.integers(1, 11), st.integers(1, 60))
@settings(deadline=None, max_examples=60)
def test_block_by_block_is_the_whole(seed: int, count: int, rows: int) -> None:
    drawn = np.random.default_rng(seed)
    # whole numbers of which each row has length 5 or 13: all sums are exact, so that ties stay ties
    kinds = np.array([[3, 4, 0], [0, 3, 4], [4, 0, 3], [-3, 4, 0], [0, -5, 0], [5, 12, 0], [0, 0, 0]], np.float32)
    matrix = kinds[drawn.integers(len(kinds), size=97)]
    queries = kinds[drawn.integers(6, size=13)]
    excluded = drawn.integers(-1, 97, size=(13, 2)).astype(np.int32)
    cosines = scaled(queries) @ scaled(matrix).T
    for row, columns in enumerate(excluded):
        cosines[row, columns[columns >= 0]] = -np.inf
    cosines[:, :2] = -np.inf  # the first two rows are no words
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closest, "FEWEST_ROWS", 1)
        patch.setattr(closest, "QUERIES", 5)
        ids, scores = Rows(matrix, 2, block_scores=rows).by_cosine(queries, excluded, count=count, stop=97)
    for row in range(13):
        whole = np.sort(cosines[row])[::-1][:count]
        assert scores[row].tolist() == pytest.approx(whole.tolist(), abs=1e-6)
        named = ids[row][ids[row] >= 0]
        assert len({*named.tolist()}) == len(named)
        assert cosines[row, named].tolist() == pytest.approx(scores[row][: len(named)].tolist(), abs=1e-6)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_lengths_do_not_matter(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    matrix = drawn.normal(size=(19, 5))
    stretched = matrix * drawn.uniform(0.1, 9, size=(19, 1))
    one, other = (
        vectors_of({f"w{place}": row.tolist() for place, row in enumerate(rows)}) for rows in (matrix, stretched)
    )
    for method in METHODS:
        here = one.nearest(["w1", "w2"], ["w3"], 5, method=method)
        there = other.nearest(["w1", "w2"], ["w3"], 5, method=method)
        assert [word for word, _ in here] == [word for word, _ in there]
    assert one.similarity("w4", "w5") == pytest.approx(other.similarity("w5", "w4"), abs=1e-6)
    assert one.odd_one_out(["w6", "w7", "w8"]) == other.odd_one_out(["w8", "w6", "w7"])


def test_a_memory_map_is_searched_where_it_lies(tmp_path: Any) -> None:
    drawn = np.random.default_rng(3).normal(size=(1009, 7)).astype(np.float32)
    drawn.tofile(tmp_path / "matrix")
    mapped = np.memmap(tmp_path / "matrix", np.float32, "r", shape=(1009, 7))
    rows = Rows(mapped, 2)
    ids, _ = rows.by_cosine(drawn[[5]], np.array([[5]], np.int32), count=3, stop=1009)
    cosines = scaled(drawn) @ scaled(drawn[5])
    cosines[[0, 1, 5]] = -np.inf
    assert ids[0].tolist() == np.argsort(-cosines)[:3].tolist()
    assert rows.matrix is mapped
    assert not mapped.flags.writeable
    assert rows.inverse_lengths(11).tolist() == pytest.approx((1 / np.linalg.norm(drawn[:11], axis=1)).tolist())
