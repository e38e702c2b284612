"""Laws that every classifier obeys. Families are found, never listed: a new file in ``models/`` is tested here.

``tiny`` models know 11 ids, and bos = eos = 0.
"""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from tests.fakes.families import CLASSIFIER_FAMILIES
from ziggurat.core.config import options
from ziggurat.core.protocols import Classifier, Family, ReadsLabels
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import trainer

VOCABULARY_SIZE = 11
LENGTHS = (11, 3, 5, 2, 7)


@pytest.fixture(params=CLASSIFIER_FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES.get(request.param)


@pytest.fixture
def model(family: Family) -> Classifier:
    return tiny(family)


def tiny(family: Family, *, seed: int = 3) -> Classifier:
    return as_classifier(family.tiny(seed=seed))


def as_classifier(model: Any) -> Classifier:
    assert isinstance(model, Classifier)
    return model


def texts(rows: int, length: int, *, seed: int = 5) -> IdArray:
    """Texts of one length, from their bos to their eos."""
    ids = np.random.default_rng(seed).integers(1, VOCABULARY_SIZE, size=(rows, length), dtype=np.int32)
    ids[:, [0, -1]] = 0
    return ids


def padded(lengths: tuple[int, ...], *, filler: int = 0, width: int = 0) -> tuple[IdArray, IdArray]:
    """Texts of these lengths in rows that are filled up."""
    ids = np.full((len(lengths), width or max(lengths)), filler, np.int32)
    for row, length in enumerate(lengths):
        ids[row, :length] = texts(1, length, seed=row)[0]
    return ids, lengths_of(*lengths)


def lengths_of(*lengths: int) -> IdArray:
    return np.array(lengths, np.int32)


def restored(family: Family, model: Classifier) -> Classifier:
    """The model as it comes back from its two files, with arrays that nobody may change."""
    config, tensors = family.state(model)
    opened = load(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}))
    for array in opened.values():
        array.flags.writeable = False
    return as_classifier(family.restore(json.loads(json.dumps(config)), opened))


def test_there_are_classifiers() -> None:
    assert CLASSIFIER_FAMILIES


def test_its_family_reads_labels_and_has_a_key_for_their_names(family: Family) -> None:
    assert isinstance(family, ReadsLabels)
    kind, default, _ = options(family.config)["labels"]
    assert (kind, default) == (tuple[str, ...], ())


def test_its_trainers_exist_and_each_has_keys_of_its_own(family: Family) -> None:
    configs = [trainer(family, name).Config for name in family.trainers]
    assert len(set(configs)) == len(family.trainers) > 0


def test_it_knows_its_labels_and_its_ids(model: Classifier) -> None:
    assert len(set(model.labels)) == len(model.labels) == 3
    assert (model.vocabulary.size, model.vocabulary.bos, model.vocabulary.eos) == (VOCABULARY_SIZE, 0, 0)
    assert model.context is None or model.context >= max(LENGTHS)


def test_probabilities_sum_to_one(model: Classifier) -> None:
    found = model.label_logprobs(*padded(LENGTHS))
    assert found.shape == (len(LENGTHS), len(model.labels))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.exp(found.astype(np.float64)).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("filler", [0, 7, 10])
def test_padding_is_inert(model: Classifier, filler: int) -> None:
    expected = model.label_logprobs(*padded(LENGTHS))
    found = model.label_logprobs(*padded(LENGTHS, filler=filler, width=13))
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_text_does_not_depend_on_its_neighbours(model: Classifier) -> None:
    ids, lengths = padded(LENGTHS)
    together = model.label_logprobs(ids, lengths)
    for row, length in enumerate(LENGTHS):
        alone = model.label_logprobs(ids[row : row + 1, :length], lengths[row : row + 1])
        np.testing.assert_allclose(alone[0], together[row], atol=2e-5)
    order = [3, 0, 4, 4]
    np.testing.assert_allclose(model.label_logprobs(ids[order], lengths[order]), together[order], atol=2e-5)


def test_a_text_without_words_has_labels_too(model: Classifier) -> None:
    found = model.label_logprobs(np.zeros((1, 2), np.int32), lengths_of(2))
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-5)


def test_no_texts_are_fine(model: Classifier) -> None:
    assert model.label_logprobs(np.zeros((0, 5), np.int32), lengths_of()).shape == (0, len(model.labels))


def test_what_it_gives_belongs_to_the_caller(model: Classifier) -> None:
    ids, lengths = padded(LENGTHS)
    first = model.label_logprobs(ids, lengths)
    expected = first.copy()
    first[:] = 97
    np.testing.assert_array_equal(model.label_logprobs(ids, lengths), expected)


def test_it_leaves_what_it_is_given_as_it_is(model: Classifier) -> None:
    ids, lengths = padded(LENGTHS)
    before = ids.copy(), lengths.copy()
    ids.flags.writeable = lengths.flags.writeable = False
    model.label_logprobs(ids, lengths)
    np.testing.assert_array_equal(ids, before[0])
    np.testing.assert_array_equal(lengths, before[1])


def test_another_word_makes_a_difference(model: Classifier) -> None:
    ids = texts(1, 7)
    changed = ids.copy()
    changed[0, 3] = changed[0, 3] % 10 + 1
    before, after = (model.label_logprobs(each, lengths_of(7)) for each in (ids, changed))
    assert np.abs(before - after).max() > 1e-3


def test_saved_and_restored_it_says_the_same_to_the_bit(family: Family, model: Classifier) -> None:
    ids, lengths = padded(LENGTHS)
    again = restored(family, model)
    assert (again.labels, again.context, again.vocabulary) == (model.labels, model.context, model.vocabulary)
    np.testing.assert_array_equal(again.label_logprobs(ids, lengths), model.label_logprobs(ids, lengths))
    assert family.state(again)[0] == family.state(model)[0]
    assert family.state(again)[1].keys() == family.state(model)[1].keys()


def test_its_labels_stand_in_its_configuration(family: Family, model: Classifier) -> None:
    written = json.dumps(family.state(model)[0])
    assert all(f'"{label}"' in written for label in model.labels)


def test_it_follows_its_seed(family: Family) -> None:
    ids, lengths = padded(LENGTHS)
    first, same, other = (tiny(family, seed=seed).label_logprobs(ids, lengths) for seed in (3, 3, 5))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-3


def test_built_it_tells_labels_before_it_is_trained(family: Family) -> None:
    config = dataclasses.replace(family.config(), labels=("no", "yes", "是"))
    vocabulary = Vocabulary(size=13, bos=2, eos=5, unk=7)
    model = as_classifier(family.build(config, vocabulary, seed=1))
    assert model.labels == ("no", "yes", "是")
    ids = np.array([[2, 3, 4, 7, 12, 5]], np.int32)
    np.testing.assert_allclose(np.exp(model.label_logprobs(ids, lengths_of(6))).sum(axis=1), 1, atol=1e-5)
