"""Word2Vec from gensim's vocabulary: the same counts, chances and tables, and steps from its first vectors."""

from typing import Any

import numpy as np
import pytest

from tests.fakes import slow_word2vec
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.lanes import aligned_rows
from ziggurat.core.types import Vocabulary
from ziggurat.training.kernels.word2vec import END, Matrices, Work, train_bags, train_pairs
from ziggurat.training.word2vec_tables import chances_to_stay, count_words, huffman_questions, sample_questions

gensim = pytest.importorskip("gensim.models")

WIDTH, SAMPLE = 29, 1e-2


def texts() -> list[list[str]]:
    """Two hundred short texts, English and Chinese words among them, some far more frequent than others."""
    dice = np.random.default_rng(11)
    words = np.array(["the", "of", "塔", "语言", *(f"w{number}" for number in range(61))])
    chances = 1 / np.arange(1, words.size + 1)
    return [[str(word) for word in dice.choice(words, 23, p=chances / chances.sum())] for _ in range(211)]


@pytest.fixture(scope="module")
def theirs() -> Any:
    model = gensim.Word2Vec(vector_size=WIDTH, min_count=19, sample=SAMPLE, sg=1, hs=1, negative=5, workers=1, seed=3)
    model.build_vocab(texts())
    return model


@pytest.fixture(scope="module")
def stream(theirs: Any) -> MemoryStream:
    """The texts in ids: gensim's order behind our two special ids; a word that it leaves out is unknown."""
    ids = {word: number + 2 for number, word in enumerate(theirs.wv.index_to_key)}
    vocabulary = Vocabulary(len(ids) + 2, bos=0, eos=0, unk=1)
    return MemoryStream.of([[ids.get(word, 1) for word in text] for text in texts()], vocabulary)


def test_words_are_counted_alike(theirs: Any, stream: MemoryStream) -> None:
    expected = [theirs.wv.get_vecattr(word, "count") for word in theirs.wv.index_to_key]
    assert count_words(stream)[2:].tolist() == expected
    assert sorted(expected, reverse=True) == expected
    assert "塔" in theirs.wv.index_to_key
    assert (stream.tokens == 1).any()


def test_frequent_words_stay_with_the_same_chance(theirs: Any, stream: MemoryStream) -> None:
    expected = [theirs.wv.get_vecattr(word, "sample_int") for word in theirs.wv.index_to_key]
    found = chances_to_stay(count_words(stream), SAMPLE)[2:].astype(np.int64)
    assert np.abs(found - np.array(expected, np.int64)).max() <= 2**10  # theirs are rounded on the way
    assert 0 < (found < 2**32 - 1).sum() < found.size


def test_negatives_are_drawn_with_the_same_chances(theirs: Any, stream: MemoryStream) -> None:
    expected = np.diff(theirs.cum_table.astype(np.float64), prepend=0.0) / theirs.cum_table[-1]
    questions = sample_questions(count_words(stream), 0.75)
    cells = questions.chances / 2**32 / questions.chances.size
    np.add.at(cells, questions.others, (1 - questions.chances / 2**32) / questions.chances.size)
    np.testing.assert_allclose(cells[2:], expected, atol=1e-8)
    assert cells[:2].tolist() == [0, 0]


def test_paths_through_the_tree_are_as_long(theirs: Any, stream: MemoryStream) -> None:
    counts = count_words(stream)
    ours = np.diff(huffman_questions(counts).starts)[2:]
    other = np.array([len(theirs.wv.get_vecattr(word, "code")) for word in theirs.wv.index_to_key])
    # codes of equal counts may be dealt out otherwise; the whole text is as long in both
    assert (ours * counts[2:]).sum() == (other * counts[2:]).sum()


@pytest.mark.parametrize("bags", [False, True])
def test_an_epoch_from_their_first_vectors_moves_as_the_formulas_say(
    theirs: Any, stream: MemoryStream, bags: bool
) -> None:
    kept = [END if token == 0 else int(token) for token in stream.tokens[1:] if token != 1]
    size = stream.vocabulary.size
    inputs, outputs = np.zeros((size, WIDTH)), np.zeros((size, WIDTH))
    inputs[2:] = theirs.wv.vectors
    matrices = Matrices(aligned_rows(size, WIDTH), aligned_rows(size, WIDTH))
    matrices.inputs[:, :WIDTH] = inputs
    questions = sample_questions(count_words(stream), 0.75)
    work = Work(
        state=np.array([5], np.uint64),
        kept=np.array(kept, np.int32),
        rows=np.zeros(10, np.int32),
        bag=np.zeros(10, np.int32),
        targets=np.zeros(12, np.int32),
        labels=np.zeros(12, np.float32),
        products=np.zeros(10 * 6 + 32, np.float32),
        losses=np.zeros(10 * 6 + 32, np.float32),
        mean=np.zeros(1, np.int32),
        hidden=aligned_rows(2, WIDTH),
    )
    train = train_bags if bags else train_pairs
    loss, count = train(len(kept), matrices, questions, (5, 1, 5), (0,) * 6, np.float32(0.025), work)
    expected = slow_word2vec.train(
        kept, inputs, outputs, questions, window=5, negatives=5, rate=0.025, seed=5, bags=bags
    )
    assert count == expected[1]
    assert loss == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(matrices.inputs[:, :WIDTH], inputs, atol=3e-5)
    np.testing.assert_allclose(matrices.outputs[:, :WIDTH], outputs, atol=3e-5)
    assert np.abs(inputs[2:] - theirs.wv.vectors).max() > 1e-3
