"""Laws that everything obeys that labels words. Families are found, never listed: a new file in ``models/`` is tested.

``tiny`` models know 11 ids, and bos = eos = 0.
"""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from tests.fakes.families import TAGGER_FAMILIES, family_named
from tests.fakes.word_batches import marked, rows_of, word_batch
from ziggurat.core.protocols import ReadsMarks, ReadsTags, Tagger
from ziggurat.core.schemes import misfit, scheme_of
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import trainer

SIZES = (7, 1, 13, 3, 0, 5)


@pytest.fixture(params=TAGGER_FAMILIES)
def family(request: pytest.FixtureRequest) -> Any:
    return family_named(request.param)


@pytest.fixture
def model(family: Any) -> Tagger:
    return tiny(family)


def tiny(family: Any, *, seed: int = 3) -> Tagger:
    made = family.tiny(seed=seed)
    assert isinstance(made, Tagger)
    return made


def test_there_are_taggers() -> None:
    assert TAGGER_FAMILIES


def test_those_and_no_others_learn_from_labels_of_words(family: Any) -> None:
    assert all(callable(trainer(family, name).fit) for name in family.trainers)
    assert isinstance(family, ReadsTags)
    others = [name for name in FAMILIES.names() if name not in TAGGER_FAMILIES]
    assert not [name for name in others if isinstance(FAMILIES.get(name), ReadsTags)]


def test_every_word_has_a_label_and_its_probability(model: Tagger) -> None:
    batch = word_batch(SIZES)
    labels, confidence = model.tag(batch)
    assert labels.shape == confidence.shape == (6, 13)
    assert (labels.dtype, confidence.dtype) == (np.int32, np.float32)
    inside = np.arange(13) < np.array(SIZES)[:, None]
    assert ((labels >= 0) == inside).all()
    assert labels.max() < len(model.labels)
    assert (labels[~inside] == -1).all()
    assert not confidence[~inside].any()
    assert (confidence[inside] > 0).all()
    assert confidence.max() <= 1
    assert len(np.unique(labels[inside])) > 1


def test_what_may_not_stand_by_the_scheme_is_never_said(model: Tagger) -> None:
    scheme = scheme_of(model.labels)
    assert scheme is not None
    for seed in range(7):
        labels, _ = model.tag(word_batch([11] * 13, seed=seed))
        for row in labels:
            assert misfit([model.labels[label] for label in row], scheme) is None


@pytest.mark.parametrize("filler", [0, 7, 101])
def test_padding_is_inert(model: Tagger, filler: int) -> None:
    labels, confidence = model.tag(word_batch(SIZES))
    more, sure = model.tag(word_batch(SIZES, spare=3, filler=filler))
    np.testing.assert_array_equal(more[:, :13], labels)
    assert (more[:, 13:] == -1).all()
    np.testing.assert_allclose(sure[:, :13], confidence, atol=2e-5)


def test_a_row_does_not_depend_on_its_neighbours(model: Tagger) -> None:
    batch = word_batch(SIZES)
    labels, confidence = model.tag(batch)
    for row, words in enumerate(SIZES):
        said, sure = model.tag(rows_of(batch, [row]))
        np.testing.assert_array_equal(said[0, :words], labels[row, :words])
        np.testing.assert_allclose(sure[0, :words], confidence[row, :words], atol=2e-5)
    order = [3, 0, 4, 4, 2]
    said, sure = model.tag(rows_of(batch, order))
    np.testing.assert_array_equal(said, labels[order])
    np.testing.assert_allclose(sure, confidence[order], atol=2e-5)


def test_no_rows_and_no_words_are_fine(model: Tagger) -> None:
    assert model.tag(word_batch([]))[0].shape == (0, 0)
    labels, confidence = model.tag(word_batch([0, 0], spare=2))
    assert (labels == -1).all()
    assert labels.shape == confidence.shape == (2, 2)


def test_words_may_share_an_id_or_have_none(model: Tagger) -> None:
    batch = word_batch([5])
    batch.firsts[0] = [1, 1, 1, batch.lengths[0] - 1, batch.lengths[0] - 1]  # the last two are where eos stands
    labels, _ = model.tag(batch)
    assert (labels >= 0).all()


def test_the_word_the_one_before_and_the_one_behind_count(model: Tagger) -> None:
    batch = word_batch([7])
    for word in (0, 3, 6):
        changed = word_batch([7])
        place = batch.firsts[0, word]
        changed.ids[0, place] = changed.ids[0, place] % 10 + 1
        difference = np.abs(model.tag(changed)[1] - model.tag(batch)[1])
        assert difference[0, 3] > 1e-6


def test_what_it_gives_belongs_to_the_caller(model: Tagger) -> None:
    batch = word_batch(SIZES)
    first = model.tag(batch)
    expected = [array.copy() for array in first]
    for array in first:
        array[:] = 97
    for array, again in zip(expected, model.tag(batch), strict=True):
        np.testing.assert_array_equal(array, again)


def test_saved_and_restored_it_says_the_same_to_the_bit(family: Any, model: Tagger) -> None:
    config, tensors = family.state(model)
    opened = load(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}))
    for array in opened.values():
        array.flags.writeable = False
    again = family.restore(json.loads(json.dumps(config)), opened)
    assert (again.labels, again.vocabulary, again.context) == (model.labels, model.vocabulary, model.context)
    for one, other in zip(model.tag(word_batch(SIZES)), again.tag(word_batch(SIZES)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert family.state(again)[0] == config


def test_it_follows_its_seed(family: Any) -> None:
    first, same, other = (tiny(family, seed=seed).tag(word_batch(SIZES))[1] for seed in (3, 3, 5))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-3


def test_built_it_labels_before_it_is_trained(family: Any) -> None:
    vocabulary = Vocabulary(size=13, bos=2, eos=5, unk=7)
    config = family.config(labels=("B", "M", "E", "S"))
    model, same, other = (family.build(config, vocabulary, seed=seed) for seed in (1, 1, 2))
    found = [each.tag(word_batch(SIZES))[1] for each in (model, same, other)]
    assert np.isfinite(found[0]).all()
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


MARKS = (range(2, 4), range(1), range(0), range(2, 3), range(0), range(4, 5))
"""What is marked of sentences of `SIZES` words: two words, the only one, none …"""


def asks_for_marks(config: object) -> bool:
    return isinstance(config, ReadsMarks)


def reading_marks(family: Any, *, seed: int = 3) -> Tagger:
    """A small model of the family that reads marks; skip where its configuration can't ask for it."""
    found = tiny(family)
    config: Any = found.network.config  # type: ignore[attr-defined]
    if not asks_for_marks(config):
        pytest.skip("reads no marks")
    config = config if config.reads_marks else dataclasses.replace(config, mark_embedding=3)
    model = family.build(config, found.vocabulary, seed=seed)
    for name, parameter in model.network.named_parameters():
        fill_normal(parameter, std=0.3, seed=seed, name=name)
    assert model.network.config.reads_marks
    assert isinstance(model, Tagger)
    return model


def test_a_mark_counts_where_it_is_read_and_nowhere_else(family: Any, model: Tagger) -> None:
    plain, asked = word_batch(SIZES), marked(word_batch(SIZES), MARKS)
    reading = reading_marks(family)
    if not model.network.config.reads_marks:  # type: ignore[attr-defined]
        np.testing.assert_array_equal(model.tag(plain)[1], model.tag(asked)[1])
    none = marked(plain, [range(0)] * len(SIZES))
    np.testing.assert_array_equal(reading.tag(none)[1], reading.tag(plain)[1])
    difference = np.abs(reading.tag(asked)[1] - reading.tag(plain)[1]).max(axis=1)
    assert (difference > 1e-5).tolist() == [bool(len(words)) for words in MARKS]


@pytest.mark.parametrize("filler", [0, 1])
def test_with_marks_padding_is_inert_and_rows_are_on_their_own(family: Any, filler: int) -> None:
    reading, batch = reading_marks(family), marked(word_batch(SIZES), MARKS)
    labels, sure = reading.tag(batch)
    more = reading.tag(marked(word_batch(SIZES, spare=3, filler=7), MARKS, filler=filler))
    np.testing.assert_array_equal(more[0][:, :13], labels)
    np.testing.assert_allclose(more[1][:, :13], sure, atol=2e-5)
    order = [3, 0, 2]
    np.testing.assert_allclose(reading.tag(rows_of(batch, order))[1], sure[order], atol=2e-5)


def test_what_reads_marks_is_counted_saved_and_restored(family: Any) -> None:
    reading, batch = reading_marks(family), marked(word_batch(SIZES), MARKS)
    network = reading.network  # type: ignore[attr-defined]
    assert family.anatomy(network.config, reading.vocabulary).parameters == network.parameter_count
    config, tensors = family.state(reading)
    again = family.restore(json.loads(json.dumps(config)), tensors)
    np.testing.assert_array_equal(again.tag(batch)[1], reading.tag(batch)[1])
