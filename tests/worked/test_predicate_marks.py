"""What a mark on the predicate adds to words, by hand, and how marks come from files of words to a batch."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.fakes.jobs import job
from tests.fakes.word_batches import marked, word_batch
from ziggurat.models.blocks.predicate_marks import PredicateMarkKeys, PredicateMarks, mark_parts, mark_width
from ziggurat.models.blocks.tagging import WordTensors, of_rows, word_tensors
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.word_characters import word_batch as words_of
from ziggurat.training.objectives.tags import sentence_batch


def layer() -> PredicateMarks:
    """Distances to two words are told apart; the vector of each place is its number."""
    made = PredicateMarks(PredicateMarkKeys(mark_embedding=1, mark_distance=2))
    with torch.no_grad():
        made.embedding.weight.copy_(torch.arange(6.0)[:, None])
    return made


def tensors(words: list[int], marks: list[list[int]] | None) -> WordTensors:
    wide = max(words)
    zeros = torch.zeros(len(words), wide, dtype=torch.long)
    read = None if marks is None else torch.tensor(marks)
    return WordTensors(zeros, torch.tensor(words) + 2, zeros, torch.tensor(words), zeros[..., None], read)


def test_place_and_predicate_stand_beside_the_word() -> None:
    x = torch.tensor([[[2.0], [3.0], [5.0], [7.0], [11.0]]])
    # the predicate is words 1 and 2: its vector (3 + 5) / 2 = 4; distances −1 0 0 1 2 are rows 2 3 3 4 5
    found = layer()(x, tensors([5], [[0, 1, 1, 0, 0]]))
    assert found[0].tolist() == [[2, 2, 4], [3, 3, 4], [5, 3, 4], [7, 4, 4], [11, 5, 4]]


def test_far_words_are_alike_and_without_a_predicate_all_are() -> None:
    x = torch.ones(2, 6, 1)
    # from word 5 distances are −5 −4 −3 −2 −1 0, of which the first four are −2: row 1
    found = layer()(x, tensors([6, 6], [[0, 0, 0, 0, 0, 1], [0] * 6]))
    assert found[0, :, 1].tolist() == [1, 1, 1, 1, 2, 3]
    assert found[1].tolist() == [[1, 0, 0]] * 6
    assert layer()(x, tensors([6, 6], None)).tolist() == [found[1].tolist()] * 2


def test_a_mark_in_the_padding_is_none() -> None:
    found = layer()(torch.ones(2, 3, 1), tensors([3, 2], [[1, 0, 0], [0, 0, 1]]))
    assert found[1].tolist() == [[1, 0, 0]] * 3


def test_widths_and_parts() -> None:
    # 2·5 + 3 numbers; 2·8 + 2 = 18 rows of 3 numbers
    assert mark_width(PredicateMarkKeys(mark_embedding=3), 5) == 13
    assert [part.parameters for part in mark_parts(PredicateMarkKeys(mark_embedding=3))] == [54]
    assert mark_width(PredicateMarkKeys(), 5) == 5
    assert mark_parts(PredicateMarkKeys()) == ()


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
        **{name: np.concatenate([getattr(words, name)[first]] * 2) for name in ("labels", "firsts", "characters")},
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
