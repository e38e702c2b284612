"""What must not matter to a judgement of word vectors: the order of lines, the scale of scores, turned vectors."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.word_vector_bundles import GOLDEN, golden_vectors
from ziggurat.judge.intrinsic.analogies import Method, answer_analogies
from ziggurat.judge.intrinsic.lexicon import Lexicon
from ziggurat.judge.intrinsic.scores import analogy_scores, similarity_interval
from ziggurat.judge.intrinsic.similarity import answer_similarity
from ziggurat.judge.intrinsic.word_sets import AnalogySet, SimilaritySet, read_analogies, read_similarity

VECTORS = golden_vectors()
MATRIX = np.array(list(VECTORS.values()), np.float32)
ANALOGIES, PAIRS = read_analogies(GOLDEN / "analogies.txt"), read_similarity(GOLDEN / "similarity.tsv")

seeds = st.integers(0, 1 << 30)


def lexicon(matrix: npt.NDArray[np.float32] = MATRIX, *, fold: bool = True) -> Lexicon:
    return Lexicon(list(VECTORS), matrix, fold=fold)


def shuffled_analogies(seed: int) -> tuple[AnalogySet, npt.NDArray[np.int64]]:
    order = np.random.default_rng(seed).permutation(len(ANALOGIES.questions))
    names = tuple(dict.fromkeys(ANALOGIES.sections[ANALOGIES.section[row]] for row in order))
    section = tuple(names.index(ANALOGIES.sections[ANALOGIES.section[row]]) for row in order)
    return AnalogySet(ANALOGIES.name, names, section, tuple(ANALOGIES.questions[row] for row in order)), order


@settings(max_examples=15, deadline=None)
@given(seed=seeds, method=st.sampled_from(["add", "multiply"]), fold=st.booleans())
def test_the_order_of_questions(seed: int, method: Method, *, fold: bool) -> None:
    questions, order = shuffled_analogies(seed)
    plain, other = (answer_analogies(lexicon(fold=fold), one, method=method) for one in (ANALOGIES, questions))
    assert other.right.tolist() == plain.right[order].tolist()
    assert other.asked.tolist() == plain.asked[order].tolist()
    figures = [{s.name: (s.right, s.asked, s.skipped) for s in analogy_scores(one)} for one in (plain, other)]
    assert figures[0] == figures[1]


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_the_order_of_pairs(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(PAIRS.pairs))
    other = SimilaritySet("s", tuple(PAIRS.pairs[row] for row in order), tuple(PAIRS.scores[row] for row in order))
    plain, turned = answer_similarity(lexicon(), PAIRS), answer_similarity(lexicon(), other)
    assert turned.correlation == pytest.approx(plain.correlation, abs=1e-12)
    assert turned.correlation_of_all == pytest.approx(plain.correlation_of_all, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.01, 900), shift=st.floats(-50, 50), power=st.sampled_from([1, 3]))
def test_the_scale_of_scores(scale: float, shift: float, power: int) -> None:
    scores = tuple(scale * score**power + shift for score in PAIRS.scores)
    plain = answer_similarity(lexicon(), PAIRS)
    other = answer_similarity(lexicon(), SimilaritySet(PAIRS.name, PAIRS.pairs, scores))
    assert other.correlation == plain.correlation
    assert similarity_interval(other) == similarity_interval(plain)
    upside_down = SimilaritySet(PAIRS.name, PAIRS.pairs, tuple(-score for score in scores))
    assert plain.correlation is not None
    assert answer_similarity(lexicon(), upside_down).correlation == pytest.approx(-plain.correlation, abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_pairs_either_way_round(seed: int) -> None:
    flips = np.random.default_rng(seed).integers(0, 2, len(PAIRS.pairs)).astype(bool)
    pairs = tuple((b, a) if flip else (a, b) for (a, b), flip in zip(PAIRS.pairs, flips, strict=True))
    other = answer_similarity(lexicon(), SimilaritySet(PAIRS.name, pairs, PAIRS.scores))
    assert other.cosines.tolist() == pytest.approx(answer_similarity(lexicon(), PAIRS).cosines.tolist(), abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_vectors_turned_together_and_stretched_one_by_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.standard_normal((MATRIX.shape[1],) * 2))
    stretched = MATRIX @ turn * np.exp(draw.uniform(-3, 3, (len(MATRIX), 1)))
    plain, other = (answer_analogies(lexicon(m), ANALOGIES) for m in (MATRIX, stretched.astype(np.float32)))
    assert (plain.right != other.right).sum() <= 1  # a near tie may fall the other way in 32 bits
    one, two = (answer_similarity(lexicon(m), PAIRS).cosines for m in (MATRIX, stretched.astype(np.float32)))
    assert np.allclose(one, two, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(rare=st.integers(1, 40), method=st.sampled_from(["add", "multiply"]))
def test_words_beyond_the_restriction(rare: int, method: Method) -> None:
    words, restrict = list(VECTORS), len(VECTORS) - rare
    cut = Lexicon(words[:restrict], MATRIX[:restrict])
    whole = Lexicon([*words[:restrict], *(f"{word}!" for word in words[restrict:])], MATRIX, restrict=restrict)
    one, other = (answer_analogies(lexicon, ANALOGIES, method=method) for lexicon in (cut, whole))
    assert (one.right.tolist(), one.asked.tolist()) == (other.right.tolist(), other.asked.tolist())


def test_chance_itself_answers_one_question_in_as_many_as_there_are_words() -> None:
    # random vectors of 211 words: 1 in 208 by chance, of 600 questions about 3; more than 15 would be a leak
    draw = np.random.default_rng(0)
    words = [f"w{number}" for number in range(211)]
    rows = draw.permuted(np.tile(np.arange(211), (600, 1)), axis=1)[:, :4]
    questions = AnalogySet("noise", ("all",), (0,) * 600, tuple(tuple(words[i] for i in row) for row in rows))
    matrix = draw.standard_normal((211, 17)).astype(np.float32)
    for method in ("add", "multiply"):
        assert answer_analogies(Lexicon(words, matrix), questions, method=method).right.sum() <= 15
