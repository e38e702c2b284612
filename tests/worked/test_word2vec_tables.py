"""What Word2Vec knows of the words before it begins, and the draws and functions its loops are made of."""

import itertools
import math

import numpy as np
import pytest

from tests.fakes.slow_word2vec import Dice
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.compiled import kernel
from ziggurat.core.types import Vocabulary
from ziggurat.training.kernels import dice
from ziggurat.training.kernels.logistic import logistic_steps
from ziggurat.training.word2vec_tables import chances_to_stay, huffman_questions, sample_questions
from ziggurat.training.word_counts import count_words

WHOLE = 2**32


def test_words_are_counted_and_special_ids_are_none() -> None:
    stream = MemoryStream.of([[2, 3, 2, 1], [3, 2]], Vocabulary(5, bos=0, eos=0, unk=1))
    assert count_words(stream).tolist() == [0, 0, 3, 2, 0]


def test_frequent_words_are_left_out_as_word2vec_does() -> None:
    # f = 90/100: t / f = 0.01 / 0.9 = 0.0111; √ = 0.1054; together 0.1165
    # f = 9/100: 0.1111 and 0.3333: 0.4444;  f = 1/100: 1 + 1 = 2, so it always stays; no word: no matter
    found = chances_to_stay(np.array([0, 90, 9, 1]), 0.01) / WHOLE
    assert found.tolist() == pytest.approx([1, 0.116520, 0.444444, 1], abs=1e-6)
    assert (chances_to_stay(np.array([5, 0, 7]), 0.0) == WHOLE - 1).all()


@pytest.mark.parametrize("power", [0.75, 1.0, 0.0, -1.0])
def test_negative_samples_follow_the_power_of_counts(power: float) -> None:
    counts = np.array([0, 0, 81, 16, 1, 0, 256])
    questions = sample_questions(counts, power)
    # the chance of a word: its own part of its own cell, and what other cells leave to it
    found = questions.chances / WHOLE / counts.size
    np.add.at(found, questions.others, (1 - questions.chances / WHOLE) / counts.size)
    weights = np.where(counts > 0, np.maximum(counts, 1).astype(float) ** power, 0)
    np.testing.assert_allclose(found, weights / weights.sum(), atol=1e-8)


def test_the_tree_of_five_words_by_hand() -> None:
    # counts 15, 7, 6, 6, 5: (5, 6) → 11, (6, 7) → 13, (11, 13) → 24, (15, 24) → 39: lengths 1, 3, 3, 3, 3
    # the root is node 0; its second child is the node of 24 (node 1), whose children are 11 (node 3) and 13 (node 2)
    questions = huffman_questions(np.array([0, 15, 7, 6, 6, 5]))
    lengths = np.diff(questions.starts)
    assert lengths.tolist() == [0, 1, 3, 3, 3, 3]
    paths = {
        word: list(
            zip(
                questions.nodes[questions.starts[word] : questions.starts[word + 1]].tolist(),
                questions.codes[questions.starts[word] : questions.starts[word + 1]].tolist(),
                strict=True,
            )
        )
        for word in range(1, 6)
    }
    assert paths[1] == [(0, 0)]
    assert paths[5] == [(0, 1), (1, 0), (3, 0)]
    assert all(path[:1] == [(0, 1)] for word, path in paths.items() if word > 1)
    assert len({tuple(path) for path in paths.values()}) == 5


@pytest.mark.parametrize("seed", range(3))
def test_no_code_is_another_ones_beginning_and_the_mean_length_is_near_the_entropy(seed: int) -> None:
    counts = np.random.default_rng(seed).zipf(1.5, 211).astype(np.int64)
    counts[[3, 5]] = 0
    questions = huffman_questions(counts)
    codes = [
        "".join(map(str, questions.codes[start:stop]))
        for start, stop in zip(questions.starts[:-1], questions.starts[1:], strict=True)
    ]
    used = sorted(code for code, count in zip(codes, counts, strict=True) if count)
    assert codes[3] == codes[5] == ""
    assert len(used) == 209
    assert not any(after.startswith(before) for before, after in itertools.pairwise(used))
    shares = counts[counts > 0] / counts.sum()
    entropy = -(shares * np.log2(shares)).sum()
    mean = (np.diff(questions.starts) * counts).sum() / counts.sum()
    assert entropy <= mean < entropy + 1
    assert questions.nodes.max() == 207  # one inner node less than words


@kernel
def bits_of(state: dice.State, out: np.ndarray) -> None:
    for place in range(out.size):
        out[place] = dice.next_bits(state)


def test_the_generator_is_splitmix64() -> None:
    state, out = np.array([1234567], np.uint64), np.zeros(5, np.uint64)
    bits_of(state, out)
    # the first numbers of SplitMix64 from 1234567, as published with its reference program
    assert out[:3].tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    slow = Dice(1234567)
    assert out.tolist() == [slow.bits() for _ in range(5)]


@kernel
def steps_of(products: np.ndarray, rate: float, losses: np.ndarray) -> None:
    logistic_steps(products, products.size, np.float32(rate), losses)


def test_the_logistic_function_and_its_loss_are_right_to_the_last_digits() -> None:
    x = np.linspace(-29, 29, 4000)  # a multiple of sixteen less a few: what fills up is nobody's
    products, losses = np.zeros(4000, np.float32), np.zeros(4000, np.float32)
    products[:] = x
    steps_of(products, 0.5, losses)
    rounded = x.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(products, -0.5 / (1 + np.exp(-rounded)), atol=1e-7)
    np.testing.assert_allclose(losses, np.logaddexp(0, rounded), rtol=2e-7, atol=1e-6)


def test_beyond_its_range_the_logistic_function_stays_at_its_ends() -> None:
    products = np.array([-1e30, -100, 100, 1e30, *[0] * 12], np.float32)
    losses = np.zeros(16, np.float32)
    steps_of(products, 1.0, losses)
    assert products[:4].tolist() == pytest.approx([0, 0, -1, -1], abs=1e-7)  # a last bit, by processor
    assert losses[:4].tolist() == pytest.approx([0, 0, 30, 30], abs=1e-5)
    assert losses[4] == pytest.approx(math.log(2), abs=1e-6)
