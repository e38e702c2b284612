"""Steps on words that are made of their n-grams: by hand, and against a slow implementation with the same draws."""

import math

import numpy as np
import pytest

from tests.fakes import slow_word2vec
from tests.fakes.word2vec_memory import matrices_of, only, work_for
from ziggurat.training.kernels.spelled import Bags, compose, train_spelled
from ziggurat.training.kernels.word2vec import END, train_bags
from ziggurat.training.word2vec_tables import huffman_questions, sample_questions

WORDS, NGRAMS, WIDTH = 17, 29, 23


def bags_of(rows: list[list[int]]) -> Bags:
    """The bags of each word, one after another."""
    starts = np.concatenate([[0], np.cumsum([len(own) for own in rows])]).astype(np.int64)
    return Bags(starts, np.array([row for own in rows for row in own], np.int32))


def spellings(*, seed: int = 3) -> list[list[int]]:
    """Words of up to five n-grams behind their own row, some twice in a word; the first two ids have no rows."""
    dice = np.random.default_rng(seed)
    drawn = [dice.integers(WORDS, WORDS + NGRAMS, int(dice.integers(0, 6))).tolist() for _ in range(WORDS)]
    return [[], [], *([word, *drawn[word]] for word in range(2, WORDS))]


def test_a_bag_is_asked_for_each_neighbour_by_hand() -> None:
    # text "a b"; a = rows 2 and 4 (an n-gram) = (1), (3): mean 2; b = row 3 = (−1); u_a = (0), u_b = (0.5); rate ½;
    # the negative sample is always a
    # centre a asks for b: b, label 1: score 1, σ = 0.7310586, loss 0.3132617, step ½ (1 − σ) = 0.1344707
    #   a, label 0: score 0, loss log 2, step −¼; the mean gets 0.1344707 · 0.5 − ¼ · 0 = 0.0672353, and so do both rows
    #   u_b ← 0.5 + 0.1344707 · 2 = 0.7689414; u_a ← 0 − ¼ · 2 = −½
    # centre b asks for a: score −1 · −½ = ½, σ = 0.6224593, loss 0.4740770, step 0.1887703; the sample is a itself
    #   row 3 ← −1 + 0.1887703 · (−½) = −1.0943852; u_a ← −½ + 0.1887703 · (−1) = −0.6887703
    matrices = matrices_of([[0], [0], [1], [-1], [3]], [[0], [0], [0], [0.5]])
    words = only(2, 4), bags_of([[], [], [2, 4], [3]])
    work = work_for([2, 3], width=1, window=1, longest=2)
    loss, pairs = train_spelled(2, matrices, words, (1, 0, 1, 0), (0, 0), np.float32(0.5), work)
    assert pairs == 2
    assert loss == pytest.approx(0.3132617 + math.log(2) + 0.4740770, abs=1e-6)
    np.testing.assert_allclose(matrices.inputs[2:, 0], [1.0672353, -1.0943852, 3.0672353], atol=1e-6)
    np.testing.assert_allclose(matrices.outputs[2:, 0], [-0.6887703, 0.7689414], atol=1e-6)


def test_the_bags_of_all_neighbours_are_asked_for_the_centre_by_hand() -> None:
    # the same words by CBOW. Centre a has b beside it, mean −1: a, label 1: score 0, loss log 2, step ¼
    #   u_a ← 0 + ¼ · (−1) = −¼; row 3 gets ¼ · 0
    # centre b has a beside it, mean 2: b: score 1, loss 0.3132617, step 0.1344707; a, label 0: score −½, σ = 0.3775407,
    #   loss −log(1 − σ) = 0.4740770, step −0.1887703; the mean gets 0.0672353 + 0.1887703 · ¼ = 0.1144279
    #   u_b ← 0.7689414; u_a ← −¼ − 0.1887703 · 2 = −0.6275407
    matrices = matrices_of([[0], [0], [1], [-1], [3]], [[0], [0], [0], [0.5]])
    words = only(2, 4), bags_of([[], [], [2, 4], [3]])
    work = work_for([2, 3], width=1, window=1, longest=2)
    loss, centres = train_spelled(2, matrices, words, (1, 0, 1, 1), (0, 0), np.float32(0.5), work)
    assert centres == 2
    assert loss == pytest.approx(math.log(2) + 0.3132617 + 0.4740770, abs=1e-6)
    np.testing.assert_allclose(matrices.inputs[2:, 0], [1.1144279, -1, 3.1144279], atol=1e-6)
    np.testing.assert_allclose(matrices.outputs[2:, 0], [-0.6275407, 0.7689414], atol=1e-6)


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize(("window", "negatives", "dynamic"), [(5, 5, True), (3, 1, False), (2, 11, True)])
def test_a_stretch_moves_the_weights_as_the_formulas_say(
    cbow: bool, tree: bool, window: int, negatives: int, dynamic: bool
) -> None:
    dice = np.random.default_rng(5)
    counts = dice.integers(1, 101, WORDS)
    counts[:2] = 0
    kept = [int(word) for word in dice.integers(2, WORDS, 61)]
    for place in (0, 7, 8, 29, 60):
        kept[place] = END
    inputs, outputs = dice.normal(0, 0.5, (WORDS + NGRAMS, WIDTH)), dice.normal(0, 0.5, (WORDS, WIDTH))
    questions, rows = huffman_questions(counts) if tree else sample_questions(counts, 0.75), spellings()
    matrices, work = matrices_of(inputs, outputs), work_for(kept, window=window, seed=97, longest=6)
    taken = (0,) * (int(np.diff(questions.starts).max()) if tree else 1 + negatives)
    reach = (window, int(dynamic), negatives, int(cbow))
    loss, count = train_spelled(61, matrices, (questions, bags_of(rows)), reach, taken, np.float32(0.1), work)
    expected = slow_word2vec.train_spelled(
        kept, inputs, outputs, questions, rows,
        window=window, negatives=negatives, rate=0.1, seed=97, dynamic=dynamic, cbow=cbow,
    )  # fmt: skip
    assert count == expected[1]
    assert loss == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(matrices.inputs[:, :WIDTH], inputs, atol=3e-5)
    np.testing.assert_allclose(matrices.outputs[:, :WIDTH], outputs, atol=3e-5)


def test_words_without_ngrams_learn_by_cbow_as_whole_words_do() -> None:
    # a bag of one row is the row: up to the order of draws, which plays no part where each sample is the same word
    dice = np.random.default_rng(5)
    kept = [int(word) for word in dice.integers(2, WORDS, 41)]
    inputs, outputs = (dice.normal(0, 0.5, (WORDS, WIDTH)) for _ in range(2))
    alone = bags_of([[word] for word in range(WORDS)])
    spelled, whole = matrices_of(inputs, outputs), matrices_of(inputs, outputs)
    rate, questions, works = np.float32(0.1), only(5, WORDS), [work_for(kept, window=3) for _ in range(2)]
    found = train_spelled(41, spelled, (questions, alone), (3, 0, 2, 1), (0, 0, 0), rate, works[0])
    assert found == train_bags(41, whole, questions, (3, 0, 2), (0, 0, 0), rate, works[1])
    assert all(np.array_equal(one, other) for one, other in zip(spelled, whole, strict=True))


def test_at_rate_zero_nothing_moves() -> None:
    dice = np.random.default_rng(5)
    kept = [int(word) for word in dice.integers(2, WORDS, 31)]
    matrices = matrices_of(dice.normal(0, 0.5, (WORDS + NGRAMS, WIDTH)), dice.normal(0, 0.5, (WORDS, WIDTH)))
    before = [matrix.copy() for matrix in matrices]
    words, work = (only(3, WORDS), bags_of(spellings())), work_for(kept, window=3, longest=6)
    loss, _ = train_spelled(31, matrices, words, (3, 0, 2, 0), (0, 0, 0), np.float32(0), work)
    assert loss > 0
    for matrix, old in zip(matrices, before, strict=True):
        np.testing.assert_allclose(matrix, old, atol=1e-7)


def test_a_vector_is_the_mean_of_its_words_rows_by_hand() -> None:
    # word 0 has no rows: it stays; word 1: row 3 alone; word 2: (rows 0, 1, 1) = ((1, 2) + 2 (4, −1)) / 3 = (3, 0)
    inputs = np.array([[1, 2], [4, -1], [9, 9], [5, 7]], np.float32)
    vectors = np.array([[8, 6], [0, 0], [0, 0]], np.float32)
    compose(inputs, bags_of([[], [3], [0, 1, 1]]), vectors)
    assert vectors.tolist() == [[8, 6], [5, 7], [3, 0]]
