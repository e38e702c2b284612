"""Word2Vec's steps against its formulas: by hand, and against a slow implementation with the same draws."""

import math

import numpy as np
import pytest

from tests.fakes import slow_word2vec
from tests.fakes.word2vec_memory import matrices_of, only, work_for
from ziggurat.training.kernels.softmax import train_softmax
from ziggurat.training.kernels.word2vec import END, keep_words, train_bags, train_pairs
from ziggurat.training.word2vec_tables import huffman_questions, sample_questions
from ziggurat.training.word_counts import Counts

SIZE, WIDTH = 17, 23


def counts(*, seed: int = 3) -> Counts:
    """Occurrences of seventeen ids, the first two of them special."""
    found = np.random.default_rng(seed).integers(1, 101, SIZE)
    found[:2] = 0
    return found


def test_one_pair_by_hand() -> None:
    # text "a b", a = 2, b = 3; window 1; the negative sample is always a; learning rate 0.5; vectors of two numbers
    # centre a, neighbour b = (1, 2): target a with u = (0.5, −0.25), label 1; the sample is a itself: no question
    #   u·h = 0.5 − 0.5 = 0; σ = ½; loss −log ½; step 0.5 · (1 − ½) = ¼
    #   b ← (1, 2) + ¼ (0.5, −0.25) = (1.125, 1.9375);  u_a ← (0.5, −0.25) + ¼ (1, 2) = (0.75, 0.25)
    # centre b, neighbour a = (2, 0): target b with u = (0, 0), label 1; sample a with u = (0.75, 0.25), label 0
    #   0 → loss −log ½, step ¼;  1.5 → σ = 0.8175745, loss −log(1 − σ) = 1.7014133, step −0.5 σ = −0.4087872
    #   a ← (2, 0) + ¼ (0, 0) − 0.4087872 (0.75, 0.25) = (1.6934096, −0.1021968)
    #   u_b ← (0.5, 0);  u_a ← (0.75, 0.25) − 0.4087872 (2, 0) = (−0.0675745, 0.25)
    matrices = matrices_of([[0, 0], [0, 0], [2, 0], [1, 2]], [[0, 0], [0, 0], [0.5, -0.25], [0, 0]])
    work = work_for([2, 3], width=2, window=1)
    loss, pairs = train_pairs(2, matrices, only(2, 4), (1, 0, 1), (0, 0), np.float32(0.5), work)
    assert pairs == 2
    assert loss == pytest.approx(2 * math.log(2) + 1.7014133, abs=1e-6)
    np.testing.assert_allclose(matrices.inputs[2:, :2], [[1.6934096, -0.1021968], [1.125, 1.9375]], atol=1e-6)
    np.testing.assert_allclose(matrices.outputs[2:, :2], [[-0.0675745, 0.25], [0.5, 0]], atol=1e-6)
    assert not matrices.inputs[:, 2:].any()


def test_one_bag_by_hand() -> None:
    # text "a b c", a = (1), b = (0), c = (3); targets u_b = (0.5), the others 0; the sample is always id 1; rate 1
    # centre a: its neighbour b is 0: both scores are 0, loss 2 log 2; the steps are of 0 and by 0
    # centre b: mean 2; b: score 1, σ = 0.7310586, loss 0.3132617, step 0.2689414; the sample: loss log 2, step −½
    #   a and c get 0.2689414 · 0.5 − ½ · 0 = 0.1344707 each; u_b ← 0.5 + 0.2689414 · 2 = 1.0378828; u_1 ← −½ · 2
    # centre c: its neighbour b is 0: loss 2 log 2; b ← 0 + ½ · 0 − ½ · (−1) = ½
    matrices = matrices_of([[0], [0], [1], [0], [3]], [[0], [0], [0], [0.5], [0]])
    work = work_for([2, 3, 4], width=1, window=1)
    loss, centres = train_bags(3, matrices, only(1, 5), (1, 0, 1), (0, 0), np.float32(1), work)
    assert centres == 3
    assert loss == pytest.approx(0.3132617 + 5 * math.log(2), abs=1e-6)
    np.testing.assert_allclose(matrices.inputs[2:, 0], [1.1344707, 0.5, 3.1344707], atol=1e-6)
    np.testing.assert_allclose(matrices.outputs[:, 0], [0, -1, 0, 1.0378828, 0], atol=1e-6)


@pytest.mark.parametrize("bags", [False, True])
@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize(("window", "negatives", "dynamic"), [(5, 5, True), (3, 1, False), (2, 11, True)])
def test_a_stretch_moves_the_weights_as_the_formulas_say(
    bags: bool, tree: bool, window: int, negatives: int, dynamic: bool
) -> None:
    dice = np.random.default_rng(5)
    kept = [int(word) for word in dice.integers(2, SIZE, 61)]
    for place in (7, 8, 29, 60):
        kept[place] = END
    inputs, outputs = (dice.normal(0, 0.5, (SIZE, WIDTH)) for _ in range(2))
    questions = huffman_questions(counts()) if tree else sample_questions(counts(), 0.75)
    matrices = matrices_of(inputs, outputs)
    work = work_for(kept, window=window, seed=97)
    train = train_bags if bags else train_pairs
    taken = (0,) * (4 if tree else 1 + negatives)
    if tree:  # blocks of a path follow one another: one block that holds every path is the formula itself
        taken = (0,) * int(np.diff(questions.starts).max())
    loss, count = train(len(kept), matrices, questions, (window, int(dynamic), negatives), taken, np.float32(0.1), work)
    expected = slow_word2vec.train(
        kept, inputs, outputs, questions,
        window=window, negatives=negatives, rate=0.1, seed=97, dynamic=dynamic, bags=bags,
    )  # fmt: skip
    assert count == expected[1]
    assert loss == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(matrices.inputs[:, :WIDTH], inputs, atol=2e-5)
    np.testing.assert_allclose(matrices.outputs[:, :WIDTH], outputs, atol=2e-5)


def test_at_rate_zero_nothing_moves_and_the_loss_is_measured() -> None:
    dice = np.random.default_rng(5)
    kept = [int(word) for word in dice.integers(2, SIZE, 31)]
    inputs, outputs = (dice.normal(0, 0.5, (SIZE, WIDTH)) for _ in range(2))
    matrices, questions = matrices_of(inputs, outputs), sample_questions(counts(), 0.75)
    before = [matrix.copy() for matrix in matrices]
    loss, _ = train_pairs(31, matrices, questions, (3, 1, 5), (0,) * 6, np.float32(0), work_for(kept, window=3, seed=7))
    expected, _ = slow_word2vec.train(kept, inputs, outputs, questions, window=3, negatives=5, rate=0, seed=7)
    assert loss == pytest.approx(expected, rel=1e-6)
    assert all(np.array_equal(matrix, old) for matrix, old in zip(matrices, before, strict=True))


def test_the_textbooks_loss_by_hand() -> None:
    # text "a b a" with two words; v_a = (1), v_b = (2); u_a = (0), u_b = (1); each word predicts its neighbours:
    #   a → b: p = e¹ / (e⁰ + e¹) = 0.7310586, −log p = 0.3132617, twice
    #   b → a: p = e⁰ / (e⁰ + e²) = 0.1192029, −log p = 2.1269280, twice
    matrices = matrices_of([[0], [0], [1], [2]], [[9], [9], [0], [1]])
    work, words = work_for([2, 3, 2], width=1, window=1), np.array([2, 3], np.int32)
    loss, predictions = train_softmax(3, matrices, words, (1, 0, 0), np.float32(0), work)
    assert predictions == 4
    assert loss == pytest.approx(2 * 0.3132617 + 2 * 2.1269280, abs=1e-6)


def test_the_textbooks_step_by_hand() -> None:
    # the same words, text "b a": centre b first, at rate 1, v_b = (2), target a: p = (0.1192029, 0.8807971)
    #   steps of u: (1 − 0.1192029, −0.8807971) · v_b = (1.7615942, −1.7615942); u ← (1.7615942, −0.7615942)
    #   step of v_b: 0.8807971 · (u_a − u_b) = 0.8807971 · (0 − 1); v_b ← 1.1192029
    # then centre a with v_a = (1), target b: scores (1.7615942, −0.7615942), p_b = 1 / (1 + e^2.5231883) = 0.0742485
    #   −log p_b = 2.6003377; u ← (1.7615942 − 0.9257515, −0.7615942 + 0.9257515)
    #   v_a ← 1 + 0.9257515 · (−0.7615942 − 1.7615942)
    matrices = matrices_of([[0], [0], [1], [2]], [[9], [9], [0], [1]])
    work, words = work_for([3, 2], width=1, window=1), np.array([2, 3], np.int32)
    loss, _ = train_softmax(2, matrices, words, (1, 0, 0), np.float32(1), work)
    assert loss == pytest.approx(2.1269280 + 2.6003377, abs=1e-5)
    np.testing.assert_allclose(matrices.outputs[:, 0], [9, 9, 0.8358427, 0.1641573], atol=1e-5)
    np.testing.assert_allclose(matrices.inputs[2:, 0], [1 - 0.9257515 * 2.5231883, 1.1192029], atol=1e-5)


def test_cbow_with_the_exact_softmax_divides_its_step() -> None:
    # text "a b c", v_a = (1), v_c = (3): mean 2; u = (0, 1, 0) for a, b, c, target b at rate 1 and scores (0, 2, 0):
    # p = (1, e², 1) / (2 + e²) = (0.1065070, 0.7869860, 0.1065070); step of the mean: (1 − 0.7869860) · u_b = 0.2130140
    # half of it goes to each
    # centre a predicts from v_b = 0: log 3, target a: u ← 0 (steps of 0), v_b ← (1 − ⅓) · 0 + (−⅓) · 1 = −⅓
    # centre b: loss −log 0.7869860 = 0.2395448; v_a ← 1 + 0.1065070, v_c ← 3 + 0.1065070
    matrices = matrices_of([[0], [0], [1], [0], [3]], [[0], [0], [0], [1], [0]])
    work, words = work_for([2, 3, 4], width=1, window=1), np.array([2, 3, 4], np.int32)
    assert train_softmax(1, matrices, words, (1, 0, 1), np.float32(1), work) == (0.0, 0)  # a word alone
    loss, predictions = train_softmax(3, matrices, words, (1, 0, 1), np.float32(0), work)
    assert predictions == 3
    assert loss == pytest.approx(2 * math.log(3) + 0.2395448, abs=1e-6)  # at rate 0 c predicts from v_b = 0 too
    train_softmax(2, matrices, words, (1, 0, 1), np.float32(1), work)  # centres a, then b with only a beside it
    assert matrices.inputs[3, 0] == pytest.approx(-1 / 3, abs=1e-6)


def test_words_are_kept_as_their_chances_say() -> None:
    # 0 ends a text, 1 is unknown; 2 always stays, 3 never does; two ends in a row are one
    chances = np.array([0, 0, 2**32 - 1, 0], np.uint32)
    tokens = np.array([0, 2, 3, 2, 0, 0, 1, 3, 0, 2, 1, 2, 0], np.int32)
    work = work_for([0] * 13)
    words, kept = keep_words(tokens, chances, (0, 0, 1), work)
    assert words == 6
    assert work.kept[:kept].tolist() == [2, 2, END, 2, 2, END]


def test_the_chance_is_met_over_many_words() -> None:
    # a chance of ¼ over 40,000 words: the standard deviation is √(40000 · ¼ · ¾) = 87
    chances = np.array([0, 0, 2**30], np.uint32)
    work = work_for([0] * 40_000, seed=11)
    _, kept = keep_words(np.full(40_000, 2, np.int32), chances, (0, 0, 1), work)
    assert abs(kept - 10_000) < 400
