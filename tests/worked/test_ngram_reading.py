"""Distributions of several orders at every position: what the n-gram model itself says of the same context."""

import numpy as np
import pytest

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import UsageError
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.models.ngram import FAMILY, NgramConfig, NgramLanguageModel
from ziggurat.models.ngram_reading import LEAST_LOGPROB, NOTHING, NgramReader
from ziggurat.training import count
from ziggurat.training.job import Job

VOCABULARY = Vocabulary(size=13, bos=0, eos=0)
ORDER = 5


def counted(vocabulary: Vocabulary = VOCABULARY, order: int = ORDER) -> NgramLanguageModel:
    dice = np.random.default_rng(3)
    words = [w for w in range(vocabulary.size) if w not in (vocabulary.bos, vocabulary.eos)]
    documents = [
        dice.choice(words, dice.integers(1, 29), p=np.arange(1, len(words) + 1) / sum(range(len(words) + 1))).tolist()
        for _ in range(37)
    ]
    stream = MemoryStream.of(documents, vocabulary)
    model = count.fit(Job(FAMILY, NgramConfig(order=order), count.Config(), stream, None, 0)).model
    assert isinstance(model, NgramLanguageModel)
    return model


@pytest.fixture(scope="module")
def model() -> NgramLanguageModel:
    return counted()


def ids(rows: int, length: int, *, seed: int = 7) -> IdArray:
    return np.random.default_rng(seed).integers(0, 13, (rows, length), dtype=np.int32)


def nothing(rows: int) -> IdArray:
    return np.full((rows, ORDER - 1), NOTHING, np.int32)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_an_order_sees_the_last_words_and_no_more(model: NgramLanguageModel, order: int) -> None:
    text = ids(3, 11)
    read = NgramReader(model.trie, (order,)).read(nothing(3), text)
    assert read.shape == (3, 11, 1, 13)
    for t in range(11):
        seen = text[:, max(0, t + 2 - order) : t + 1] if order > 1 else text[:, :0]
        expected, _ = model.begin(seen, np.full(3, seen.shape[1], np.int32))
        np.testing.assert_array_equal(read[:, t, 0], expected)


def test_orders_stand_side_by_side(model: NgramLanguageModel) -> None:
    together = NgramReader(model.trie, (2, 3, 5)).read(nothing(2), ids(2, 7))
    for number, order in enumerate((2, 3, 5)):
        alone = NgramReader(model.trie, (order,)).read(nothing(2), ids(2, 7))
        np.testing.assert_array_equal(together[:, :, number], alone[:, :, 0])


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
def test_what_stands_before_counts_as_if_it_had_been_read_now(model: NgramLanguageModel, cut: int) -> None:
    text = ids(3, 11)
    reader = NgramReader(model.trie, (3, 5))
    whole = reader.read(nothing(3), text)
    before = np.concatenate([nothing(3), text[:, :cut]], axis=1)[:, cut:]
    np.testing.assert_array_equal(reader.read(before, text[:, cut:]), whole[:, cut:])


@pytest.mark.parametrize("columns", [0, 1, 3, 11])
def test_before_may_be_shorter_or_longer_than_an_ngram(model: NgramLanguageModel, columns: int) -> None:
    reader, text = NgramReader(model.trie, (3, 5)), ids(3, 11)
    before = np.full((3, columns), NOTHING, np.int32)
    np.testing.assert_array_equal(reader.read(before, text), reader.read(nothing(3), text))


def test_threads_change_nothing(model: NgramLanguageModel) -> None:
    one, many = (NgramReader(model.trie, (2, 5), threads=threads).read(nothing(7), ids(7, 5)) for threads in (1, 3))
    np.testing.assert_array_equal(one, many)


def test_what_counts_hold_for_impossible_stays_possible() -> None:
    apart = counted(Vocabulary(size=13, bos=5, eos=3))
    read = NgramReader(apart.trie, (ORDER,)).read(nothing(2), ids(2, 7))
    assert (read[..., 5] == LEAST_LOGPROB).all()  # bos never follows
    assert np.isfinite(read).all()


@pytest.mark.parametrize("orders", [(), (0, 3), (3, ORDER + 1)])
def test_orders_that_are_not_counted_are_refused(model: NgramLanguageModel, orders: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="of an n-gram model that has 1 to 5"):
        NgramReader(model.trie, orders)


def test_ids_of_another_tokenizer_are_refused(model: NgramLanguageModel) -> None:
    reader = NgramReader(model.trie, (3,))
    for wrong in (13, -1):
        with pytest.raises(UsageError, match="wrong tokenizer"):
            reader.read(nothing(1), np.array([[wrong]], np.int32))
    with pytest.raises(UsageError, match="wrong tokenizer"):
        reader.read(np.full((1, 4), 13, np.int32), ids(1, 2))
