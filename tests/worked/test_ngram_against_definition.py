"""The n-gram model against the definition of modified Kneser–Ney, on random texts of many shapes."""

import dataclasses

import numpy as np
import pytest

from tests.fakes.slow_kneser_ney import SlowKneserNey
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.types import Event, Vocabulary
from ziggurat.models.ngram import FAMILY, NgramConfig, NgramLanguageModel
from ziggurat.training import count
from ziggurat.training.job import Job

TOGETHER = Vocabulary(size=13, bos=0, eos=0)
APART = Vocabulary(size=13, bos=5, eos=3)


def random_documents(seed: int, vocabulary: Vocabulary, *, documents: int, length: int) -> list[list[int]]:
    """Documents of words with falling frequency, some empty; one id of the vocabulary never occurs."""
    random = np.random.default_rng(seed)
    words = [w for w in range(vocabulary.size - 1) if w not in (vocabulary.bos, vocabulary.eos)]
    chances = 1 / np.arange(1, len(words) + 1)
    return [
        random.choice(words, random.integers(0, length), p=chances / chances.sum()).tolist() for _ in range(documents)
    ]


def fitted(stream: MemoryStream, **settings) -> NgramLanguageModel:
    """The model of a stream; settings of the family and of the trainer together."""
    trainer = {key: settings.pop(key) for key in ("memory", "threads") if key in settings}
    fit = count.fit(Job(FAMILY, NgramConfig(**settings), count.Config(**trainer), stream, None, 0))
    assert isinstance(fit.model, NgramLanguageModel)
    return fit.model


def slow(documents: list[list[int]], vocabulary: Vocabulary, **settings) -> SlowKneserNey:
    """The same model by definition."""
    predictable = vocabulary.size - (vocabulary.bos != vocabulary.eos)
    sentences = [[str(word) for word in document] for document in documents]
    return SlowKneserNey(sentences, settings.pop("order"), predictable, **settings)


CASES = [
    pytest.param(TOGETHER, {"order": 1}, id="unigrams"),
    pytest.param(TOGETHER, {"order": 2}, id="bigrams"),
    pytest.param(TOGETHER, {"order": 3}, id="trigrams"),
    pytest.param(TOGETHER, {"order": 7}, id="order 7"),
    pytest.param(APART, {"order": 1}, id="unigrams, bos is not eos"),
    pytest.param(APART, {"order": 4}, id="order 4, bos is not eos"),
    pytest.param(TOGETHER, {"order": 3, "discounts": (0.3, 0.7, 1.1)}, id="given discounts"),
    pytest.param(TOGETHER, {"order": 3, "prune": (0, 1)}, id="pruned from bigrams on"),
    pytest.param(TOGETHER, {"order": 4, "prune": (0, 0, 1, 3)}, id="pruned more at the top"),
    pytest.param(TOGETHER, {"order": 2, "prune": (2, 5)}, id="pruned unigrams"),
    pytest.param(APART, {"order": 5, "prune": (0, 2)}, id="pruned, bos is not eos"),
    pytest.param(TOGETHER, {"order": 1, "prune": (3,)}, id="pruned unigrams alone"),
]


@pytest.mark.parametrize(("vocabulary", "settings"), CASES)
def test_every_probability_is_the_defined_one(vocabulary, settings):
    documents = random_documents(7, vocabulary, documents=83, length=19)
    model, reference = (
        fitted(MemoryStream.of(documents, vocabulary), **settings),
        slow(documents, vocabulary, **settings),
    )
    unseen = random_documents(11, vocabulary, documents=17, length=23)
    unseen.append([vocabulary.size - 1, 7, vocabulary.size - 1])  # an id that never occurred
    for document in [*documents[:5], *unseen]:
        row = np.array([[vocabulary.bos, *document, vocabulary.eos]], np.int32)
        got = model.token_logprobs(row, np.array([row.size], np.int32))[0]
        np.testing.assert_allclose(got, reference.logprobs([str(word) for word in document]), rtol=0, atol=3e-6)


@pytest.mark.parametrize(("vocabulary", "settings"), CASES)
def test_distributions_sum_to_one_and_agree_with_scores(vocabulary, settings):
    documents = random_documents(3, vocabulary, documents=61, length=17)
    model = fitted(MemoryStream.of(documents, vocabulary), **settings)
    row = np.array([[vocabulary.bos, *documents[2], *documents[3], vocabulary.size - 1]], np.int32)
    scores = model.token_logprobs(row, np.array([row.size], np.int32))[0]
    logprobs, state = model.begin(row[:, :1], np.array([1], np.int32))
    for place in range(1, row.size):
        assert np.exp(logprobs.astype(np.float64)).sum() == pytest.approx(1.0, abs=3e-6)
        assert logprobs[0, row[0, place]] == scores[place - 1]
        logprobs, state = model.step(state, row[:, place])


@pytest.mark.parametrize("order", [1, 2, 5])
def test_memory_and_threads_change_nothing(order):
    documents = random_documents(5, TOGETHER, documents=2999, length=31)
    stream = MemoryStream.of(documents, TOGETHER)
    plain = fitted(stream, order=order, prune=(0, 0, 2), threads=1)
    for other in ({"threads": 3}, {"memory": "64K", "threads": 2}, {"memory": "1M", "threads": 1}):
        again = fitted(stream, order=order, prune=(0, 0, 2), **other)
        for name, array in plain.trie.state().items():
            np.testing.assert_array_equal(array, again.trie.state()[name], err_msg=f"{name} with {other}")


def test_facts_say_what_was_counted():
    stream = MemoryStream.of(random_documents(5, TOGETHER, documents=397, length=31), TOGETHER)
    config = NgramConfig(order=3, prune=(0, 0, 1))
    events: list[Event] = []
    job = Job(FAMILY, config, count.Config(memory="64K"), stream, None, 0, listener=events.append)
    fit = count.fit(job)
    assert fit.facts["tokens"] == stream.tokens.size
    assert fit.facts["ngrams_kept"][:2] == fit.facts["ngrams_seen"][:2]
    assert fit.facts["ngrams_kept"][2] < fit.facts["ngrams_seen"][2]
    assert isinstance(fit.model, NgramLanguageModel)
    assert fit.facts["ngrams_kept"] == fit.model.trie.counts()
    assert fit.facts["on_disk"] is True
    assert len(fit.facts["discounts"]) == 3
    assert [event["event"] for event in events] == ["counted", "smoothed"]


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int64])
def test_any_integer_type_of_tokens(dtype):
    documents = random_documents(5, TOGETHER, documents=31, length=31)
    stream = MemoryStream.of(documents, TOGETHER)
    other = dataclasses.replace(stream, tokens=stream.tokens.astype(dtype))
    for name, array in fitted(stream, order=3).trie.state().items():
        np.testing.assert_array_equal(array, fitted(other, order=3).trie.state()[name])


def test_a_vocabulary_beyond_sixteen_bits():
    vocabulary = Vocabulary(size=70_001, bos=70_000, eos=70_000)
    documents = [[66_666, 1, 66_666, 1, 2], [66_666, 1, 3], [], [2, 2, 2, 2]]
    model, reference = fitted(MemoryStream.of(documents, vocabulary), order=3), slow(documents, vocabulary, order=3)
    row = np.array([[70_000, 66_666, 1, 2, 69_999, 70_000]], np.int32)
    got = model.token_logprobs(row, np.array([6], np.int32))[0]
    np.testing.assert_allclose(got, reference.logprobs(["66666", "1", "2", "69999"]), rtol=0, atol=3e-6)


def test_a_text_of_one_repeated_word():
    documents = [[1] * 1009]
    model, reference = fitted(MemoryStream.of(documents, TOGETHER), order=11), slow(documents, TOGETHER, order=11)
    row = np.array([[0, *[1] * 30, 0]], np.int32)
    got = model.token_logprobs(row, np.array([32], np.int32))[0]
    np.testing.assert_allclose(got, reference.logprobs(["1"] * 30), rtol=0, atol=3e-6)
