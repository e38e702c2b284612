"""What a mark on the predicate adds to words, by hand, and how marks come from files of words to a batch."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from tests.fakes.jobs import job
from tests.fakes.token_streams import MemoryStream
from tests.fakes.word_batches import marked, rows_of, word_batch
from ziggurat.core.types import IdArray, WordBatch
from ziggurat.models.blocks.predicate_marks import PredicateMarkKeys, PredicateMarks, distinct, mark_parts, marked_ids
from ziggurat.models.blocks.tagging import WordTensors, of_rows, word_tensors
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.word_characters import word_batch as words_of
from ziggurat.training.objectives.tags import TaggedSentences, sentence_batch


def layer() -> PredicateMarks:
    """Words of one number: 1 x + 100 at the word, 10 x at the predicate, and of each place its number in thousands."""
    made = PredicateMarks(PredicateMarkKeys(mark_embedding=1, mark_distance=2), 1)
    with torch.no_grad():
        made.word.weight.fill_(1.0)
        made.word.bias.fill_(100.0)
        made.predicate.weight.fill_(10.0)
        made.embedding.weight.copy_(1000 * torch.arange(6.0)[:, None])
    return made


def tensors(words: list[int], marks: list[list[int]] | None) -> WordTensors:
    wide = max(words)
    zeros = torch.zeros(len(words), wide, dtype=torch.long)
    read = None if marks is None else torch.tensor(marks)
    return WordTensors(zeros, torch.tensor(words) + 2, zeros, torch.tensor(words), zeros[..., None], read)


def test_a_word_sees_itself_its_place_and_the_predicate() -> None:
    x = torch.tensor([[[2.0], [3.0], [5.0], [7.0], [11.0]]])
    # the predicate is words 1 and 2: 10 · (3 + 5) / 2 = 40; distances −1 0 0 1 2 are rows 2 3 3 4 5
    found = layer()(x, torch.tensor([0]), tensors([5], [[0, 1, 1, 0, 0]]))
    assert found[0, :, 0].tolist() == [2142, 3143, 3145, 4147, 5151]


def test_far_words_are_alike_and_without_a_predicate_all_are() -> None:
    x, owner = torch.ones(1, 6, 1), torch.tensor([0, 0])
    # from word 5 distances are −5 −4 −3 −2 −1 0, of which the first four are −2: row 1; 100 + 1 + 10
    found = layer()(x, owner, tensors([6, 6], [[0, 0, 0, 0, 0, 1], [0] * 6]))
    assert found[0, :, 0].tolist() == [1111, 1111, 1111, 1111, 2111, 3111]
    assert found[1, :, 0].tolist() == [101] * 6
    assert layer()(x, owner, tensors([6, 6], None))[:, :, 0].tolist() == [[101] * 6] * 2


def test_what_is_below_zero_is_zero() -> None:
    found = layer()(torch.full((1, 2, 1), -700.0), torch.tensor([0]), tensors([2], [[0, 1]]))
    # 2000 − 700 + 100 − 7000 and 3000 − 700 + 100 − 7000
    assert found[0, :, 0].tolist() == [0, 0]


def test_a_mark_in_the_padding_is_none() -> None:
    found = layer()(torch.ones(1, 3, 1), torch.tensor([0, 0]), tensors([3, 2], [[1, 0, 0], [0, 0, 1]]))
    assert found[1, :, 0].tolist() == [101] * 3


def test_all_ids_of_a_marked_word_are_marked() -> None:
    # words of ids 1 2, 3 (shared by the next), 3, 4 5 6 before the end at 7; in the second row one word, then padding
    firsts, marks = torch.tensor([[1, 3, 3, 4], [1, 9, 9, 9]]), torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]])
    batch = WordTensors(torch.zeros(2, 8, dtype=torch.long), torch.tensor([8, 3]), firsts, torch.tensor([4, 1]), firsts)
    assert marked_ids(batch._replace(marks=marks)).int().tolist() == [
        [0, 1, 1, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
    ]
    last = marked_ids(batch._replace(marks=torch.tensor([[0, 0, 0, 1], [0] * 4])))
    assert last.int().tolist() == [[0, 0, 0, 0, 1, 1, 1, 0], [0] * 8]
    assert not marked_ids(batch).any()


def test_parts_count_every_number() -> None:
    # W 5·3 and b 3, U 5·3, 2·8 + 2 = 18 rows of 3 numbers
    (part,) = mark_parts(PredicateMarkKeys(mark_embedding=3), ("x", 5))
    assert (
        part.parameters
        == 15 + 3 + 15 + 54
        == sum(one.numel() for one in PredicateMarks(PredicateMarkKeys(mark_embedding=3), 5).parameters())
    )
    assert mark_parts(PredicateMarkKeys(), ("x", 5)) == ()


def test_a_sentence_is_read_once_for_all_its_rows() -> None:
    batch = word_tensors(rows_of(word_batch([3, 5, 2]), [1, 0, 1, 1, 2]), torch.device("cpu"))
    found, owner = distinct(batch)
    assert len(found.ids) == 3
    assert owner[0] == owner[2] == owner[3]
    assert len({int(owner[0]), int(owner[1]), int(owner[4])}) == 3
    for name in ("ids", "lengths", "firsts", "words", "characters"):
        torch.testing.assert_close(getattr(found, name)[owner], getattr(batch, name))


def test_sentences_that_differ_in_spelling_or_cuts_alone_are_two() -> None:
    one = word_batch([5])
    capital, cut = (
        dataclasses.replace(one, characters=one.characters + 1),
        dataclasses.replace(one, firsts=one.firsts * 1),
    )
    cut.firsts[0, 3] = cut.firsts[0, 2]
    for other in (capital, cut):
        both = (np.concatenate(pair) for pair in zip(arrays(one), arrays(other), strict=True))
        assert len(distinct(word_tensors(WordBatch(*both), torch.device("cpu")))[0].ids) == 2


def arrays(batch: WordBatch) -> tuple[IdArray, ...]:
    return batch.ids, batch.lengths, batch.firsts, batch.words, batch.characters


def test_a_word_is_hidden_in_all_readings_of_a_document_or_in_none() -> None:
    asked = job("recurrent_tagger", steps=1)
    assert asked.tags is not None
    words = asked.tags.train
    places = np.concatenate([np.arange(a, b) for a, b in itertools.pairwise(words.starts) for _ in range(3)])
    counts = np.repeat(np.diff(words.starts), 3)
    thrice = words._replace(
        starts=np.concatenate([[0], np.cumsum(counts)]),
        labels=words.labels[places],
        firsts=words.firsts[places],
        characters=words.characters[places],
        documents=np.repeat(np.arange(len(words.starts) - 1), 3).astype(np.int32),
    )
    vocabulary = dataclasses.replace(asked.train.vocabulary, unk=13)
    stream = MemoryStream.of([asked.train.document(n)[1:-1].tolist() for n in range(len(words.starts) - 1)], vocabulary)
    asked = dataclasses.replace(asked, train=stream, tags=dataclasses.replace(asked.tags, train=thrice))
    model = asked.family.build(asked.model_config, vocabulary, seed=3)
    found = TaggedSentences(asked, model, tokens=100, unknown=200.0)
    hidden = 0
    for number in range(4):
        batch, _ = found.batch(number)
        assert len(batch.ids) % 3 == 0
        for row in range(0, len(batch.ids), 3):
            np.testing.assert_array_equal(batch.ids[row + 1], batch.ids[row])
            np.testing.assert_array_equal(batch.ids[row + 2], batch.ids[row])
        hidden += int((batch.ids == 13).sum())
        assert (batch.ids != 13).any()
    assert hidden


def test_rows_keep_their_marks_on_every_way() -> None:
    batch = marked(word_batch([3, 2, 5], spare=2, filler=3), [range(1, 3), range(0), range(4, 5)], filler=1)
    some = of_rows(batch, np.array([1, 0]))
    assert some.marks is not None
    assert (some.marks * (np.arange(3) < some.words[:, None])).tolist() == [[0, 0, 0], [0, 1, 1]]
    assert word_tensors(some, torch.device("cpu")).marks is not None
    assert word_tensors(word_batch([3]), torch.device("cpu")).marks is None


def test_words_are_marked_in_a_batch_of_sentences() -> None:
    tokenizer = train_tokenizer(["the cat sat"], "words", None)
    found = words_of(
        tokenizer, [["the", "cat", "sat"], ["the"], ["the", "cat", "sat"]], [range(2, 3), range(0), range(2)]
    )
    assert found.marks is not None
    assert found.marks.tolist() == [[0, 0, 1], [0, 0, 0], [1, 1, 0]]
    assert words_of(tokenizer, [["the"]]).marks is None


@pytest.mark.parametrize("marks", [True, False])
def test_a_document_is_read_several_times_with_other_labels(*, marks: bool) -> None:
    asked = job("recurrent_tagger", steps=1)
    assert asked.tags is not None
    words = asked.tags.train
    first = slice(int(words.starts[3]), int(words.starts[4]))
    count = first.stop - first.start
    twice = words._replace(
        starts=np.array([0, count, 2 * count]),
        labels=np.concatenate([words.labels[first]] * 2),
        firsts=np.concatenate([words.firsts[first]] * 2),
        characters=np.concatenate([words.characters[first]] * 2),
        documents=np.array([3, 3], np.int32),
        marks=np.arange(2 * count, dtype=np.int32) % 2 if marks else None,
    )
    batch, labels = sentence_batch(asked.train, twice, np.array([1, 0]))
    plain, expected = sentence_batch(asked.train, words, np.array([3, 3]))
    np.testing.assert_array_equal(batch.ids, plain.ids)
    np.testing.assert_array_equal(labels, expected)
    if marks:
        found = dataclasses.asdict(batch)["marks"]
        assert found.ravel().tolist() == [*(np.arange(count, 2 * count) % 2), *(np.arange(count) % 2)]
    else:
        assert batch.marks is None
