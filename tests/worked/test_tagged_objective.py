"""Training on labels of words: what a batch holds, its loss by the formula, what is hidden and what left out."""

import dataclasses
import itertools
import re
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import TAGS, fit, job
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.models.blocks.tagging import NeuralTagger, word_tensors
from ziggurat.training.job import Job, Tags, Words
from ziggurat.training.objectives.refined import SHARPNESS
from ziggurat.training.objectives.tags import TaggedSentences, sentence_batch

UNKNOWN = Vocabulary(size=14, bos=0, eos=0, unk=13)


def objective(asked: Job | None = None, *, tokens: int = 37, unknown: float = 0.0) -> TaggedSentences:
    asked = job("recurrent_tagger", steps=1) if asked is None else asked
    model = asked.family.build(asked.model_config, asked.train.vocabulary, seed=asked.seed)
    return TaggedSentences(asked, model, tokens=tokens, unknown=unknown)


def made(
    labels: list[list[int]], *, vocabulary: Vocabulary = UNKNOWN, dev: list[list[int]] | None = None, **keys: Any
) -> Job:
    """A job of sentences with these labels; word w of each is the ids w + 1 and 12, and is spelled with one letter."""

    def split(rows: list[list[int]]) -> tuple[MemoryStream, Words]:
        documents = [[one for word in range(len(row)) for one in (word + 1, 12)] for row in rows]
        counts = [len(row) for row in rows]
        flat = [label for row in rows for label in row]
        firsts = [1 + 2 * word for count in counts for word in range(count)]
        words = Words(
            np.append(0, np.cumsum(counts)),
            np.array(flat, np.int32),
            np.array(firsts, np.int32),
            np.array(firsts, np.int32)[:, None] + 97,
        )
        return MemoryStream.of(documents, vocabulary), words

    (train, words), (held, held_words) = split(labels), split(dev or [[0]])
    tags = Tags(TAGS, words, held_words)
    return dataclasses.replace(job("recurrent_tagger", steps=1, **keys), train=train, dev=held, tags=tags)


def test_an_epoch_has_every_sentence_once_with_its_own_labels() -> None:
    found = objective()
    tags = found.job.tags
    assert tags is not None
    seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for number in range(int(found.steps_per_epoch)):
        batch, labels = found.batch(number)
        assert batch.firsts.size <= 37 or len(labels) == 1
        for row, words in enumerate(batch.words):
            spelled = batch.characters[row, :words].ravel().tolist()
            seen.append((tuple(labels[row, :words].tolist()), tuple(spelled)))
    starts = tags.train.starts
    expected = [
        (tuple(tags.train.labels[one:two].tolist()), tuple(tags.train.characters[one:two].ravel().tolist()))
        for one, two in itertools.pairwise(starts)
    ]
    assert sorted(seen) == sorted(expected)
    assert found.tokens_per_batch == round(len(tags.train.labels) / found.steps_per_epoch)


def test_a_batch_is_a_function_of_its_number_and_the_seed() -> None:
    one, two = objective(unknown=3.0), objective(unknown=3.0)
    for number in (5, 0, 5):
        np.testing.assert_array_equal(one.batch(number)[0].ids, two.batch(number)[0].ids)
    other = objective(dataclasses.replace(job("recurrent_tagger", steps=1), seed=8))
    assert not np.array_equal(one.batch(0)[1], other.batch(0)[1])


def test_the_loss_is_the_mean_over_words_of_what_whole_sentences_cost() -> None:
    found = objective(tokens=97)
    found.network.eval()
    batch, labels = found.batch(3)
    assert len(labels) > 1
    loss = found.loss(3)
    assert loss.predicted == batch.words.sum()
    with torch.no_grad():
        words = word_tensors(batch, torch.device("cpu"))
        scores = found.network.crf.log_likelihood(
            found.network.emissions(words), torch.from_numpy(labels.astype(np.int64)), words.words
        )
    assert loss.mean.item() == pytest.approx(-float(scores.sum()) / int(batch.words.sum()), rel=1e-5)


def hidden(found: TaggedSentences, number: int) -> tuple[IdArray, IdArray]:
    """The ids of a batch as they are read, and as they stand."""
    rows = found.kept[found.batches.batch(number)]
    return found.batch(number)[0].ids, sentence_batch(found.job.train, found.words, rows)[0].ids


def test_all_ids_of_a_hidden_word_are_unknown_and_no_others() -> None:
    read, plain = hidden(objective(made([[0, 1, 2]] * 5), unknown=1e9, tokens=9), 0)
    assert plain.tolist() == [[0, 1, 12, 2, 12, 3, 12, 0]] * len(plain)
    assert read.tolist() == [[0, 13, 13, 13, 13, 13, 13, 0]] * len(plain)


def test_rare_words_are_hidden_sooner() -> None:
    # 60 sentences: all have a first word, of id 1; two have a second, of id 2. With a = 2 the probabilities are
    # 2 / 62 and 2 / 4
    found = objective(made([[0]] * 58 + [[0, 1]] * 2), unknown=2.0, tokens=600)
    first, second, times = 0, 0, 40
    for number in range(times):
        read, plain = hidden(found, number)
        first += int((read[:, 1] == 13).sum())
        second += int((read[plain == 2] == 13).sum())
    assert first / (60 * times) == pytest.approx(2 / 62, abs=0.015)
    assert second / (2 * times) == pytest.approx(1 / 2, abs=0.2)


def test_where_nothing_stands_for_the_unknown_nothing_is_hidden() -> None:
    read, plain = hidden(objective(made([[0, 1]] * 5, vocabulary=Vocabulary(14, 0, 0)), unknown=1e9), 0)
    np.testing.assert_array_equal(read, plain)


def placed(asked: Job, places: list[str]) -> Job:
    """The same job, whose documents stand in files."""
    assert asked.tags is not None
    words = asked.tags.train._replace(places=places)
    return dataclasses.replace(asked, tags=dataclasses.replace(asked.tags, train=words))


def test_sentences_whose_labels_break_the_scheme_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    # O I-PER; I-PER; a label that is unknown; no word at all: these can't be learnt from
    asked = made([[0, 2], [1, 2], [2], [0, -1, 0], [], [0, 1]])
    found = objective(asked)
    assert found.kept.tolist() == [1, 5]
    assert "sentence 1: 'I-PER' may not follow 'O' in BIO; 4 of 6 sentences have such faults and" in caplog.text
    objective(placed(asked, [f"a.conll:{place}" for place in (3, 6, 9, 11, 15, 16)]))
    assert "a.conll:4: 'I-PER' may not follow 'O' in BIO; 4 of 6 sentences have such" in caplog.text
    assert "are left out: mend the labels, or set model.scheme to none to learn them as they stand" in caplog.text


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([[1, 0], [2], [0, 2]], r"a\.conll:4: 'I-PER' may not follow the beginning in BIO; 2 of 3 sentences"),
        ([[1, 0], [0, -1]], r"a\.conll:4: no words, or labels that are not to be learnt; 1 of 2 sentences"),
        ([[1], []], r"a\.conll:4: no words, or labels that are not to be learnt; 1 of 2 sentences"),
    ],
)
def test_the_first_fault_is_told_with_its_line(
    rows: list[list[int]], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    objective(placed(made(rows), [f"a.conll:{1 + 3 * place}" for place in range(len(rows))]))
    assert re.search(told, caplog.text)


def test_a_sentence_that_may_not_end_is_told_by_its_last_word(caplog: pytest.LogCaptureFixture) -> None:
    asked = made([[0, 2], [0, 0, 1]])
    assert asked.tags is not None
    names = ("O", "B-PER", "S-PER")
    model = dataclasses.replace(asked.model_config, labels=names, scheme="BIOES")
    told = dataclasses.replace(asked, tags=dataclasses.replace(asked.tags, names=names), model_config=model)
    objective(placed(told, ["a.conll:1", "a.conll:4"]))
    assert "a.conll:6: the labels may not end with 'B-PER' in BIOES; 1 of 2 sentences" in caplog.text


def test_where_no_sentence_is_left_the_first_fault_is_told() -> None:
    with pytest.raises(TooLittleTextError, match=r"'I-PER' may not follow 'O' in BIO; none of 2 sentences can be lea"):
        objective(made([[0, 2], [2]]))


def test_the_held_out_loss_is_of_the_sentences_that_can_be_told() -> None:
    found = objective(made([[0, 1]] * 3, dev=[[0, -1], [1, 2, 0], [2], [0], [1]]))
    tags, dev = found.job.tags, found.job.dev
    assert tags is not None
    assert tags.dev is not None
    assert dev is not None

    def cost(rows: list[int]) -> tuple[float, int]:
        batch, labels = sentence_batch(dev, tags.dev, np.array(rows))  # type: ignore[arg-type]
        with torch.no_grad():
            nats = [-float(each.sum()) for each in found._logprobs(batch, labels, SHARPNESS)]
            (plain,) = found._logprobs(batch, labels)
        assert nats[SHARPNESS.index(1.0)] == -float(plain.sum())
        assert len(set(nats)) == len(SHARPNESS)
        return min(nats), int(batch.words.sum())

    found.network.eval()
    total, words = cost([1, 3, 4])
    assert words == 5
    found.network.train()
    assert found.dev_loss(1000) == pytest.approx(total / words, rel=1e-5)
    assert found.network.training
    found.network.eval()
    # the first of them has three words, which are enough of three, and too few of four; the last comes second
    assert objective(found.job).dev_loss(3) == pytest.approx(cost([1])[0] / 3, rel=1e-5)
    assert objective(found.job).dev_loss(4) == pytest.approx(cost([1, 4])[0] / 4, rel=1e-5)


def test_held_out_text_without_labels_tells_nothing() -> None:
    asked = made([[0, 1]] * 3)
    assert asked.tags is not None
    alone = dataclasses.replace(asked, tags=Tags(TAGS, asked.tags.train, None))
    assert objective(alone).dev_loss(100) is None
    assert objective(dataclasses.replace(asked, dev=None)).dev_loss(100) is None
    assert objective(made([[0, 1]] * 3, dev=[[2]])).dev_loss(100) is None


def test_trained_it_labels_sentences_that_it_has_not_seen() -> None:
    asked = job("recurrent_tagger", steps=120, rows=12, learning_rate=0.01)
    fitted = fit(asked)
    assert isinstance(fitted.model, NeuralTagger)
    assert asked.tags is not None
    assert asked.tags.dev is not None
    assert asked.dev is not None
    batch, labels = sentence_batch(asked.dev, asked.tags.dev, np.arange(5))
    said, sure = fitted.model.tag(batch)
    inside = np.arange(labels.shape[1]) < batch.words[:, None]
    assert (said == labels)[inside].mean() > 0.95
    assert sure[inside].mean() > 0.8
