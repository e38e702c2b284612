"""Laws that every encoder obeys. Families are found, never listed: a new file in ``models/`` is tested here.

``tiny`` models know 11 ids, and bos = eos = 0.
"""

import json
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from tests.fakes.families import ENCODER_FAMILIES
from ziggurat.core.protocols import Encoder, Family, StaticEncoder
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import trainer

VOCABULARY_SIZE = 11


@pytest.fixture(params=ENCODER_FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES.get(request.param)


@pytest.fixture
def model(family: Family) -> Encoder:
    return tiny(family)


def tiny(family: Family, *, seed: int = 3) -> Encoder:
    made = family.tiny(seed=seed)
    assert isinstance(made, Encoder)
    return made


def random_ids(rows: int, length: int, *, seed: int = 5) -> IdArray:
    ids = np.random.default_rng(seed).integers(0, VOCABULARY_SIZE, size=(rows, length), dtype=np.int32)
    ids[:, 0] = 0
    return ids


def lengths_of(*lengths: int) -> IdArray:
    return np.array(lengths, np.int32)


def restored(family: Family, model: Encoder) -> Encoder:
    """The model as it comes back from its two files, with arrays that nobody may change."""
    config, tensors = family.state(model)
    opened = load(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}))
    for array in opened.values():
        array.flags.writeable = False
    found = family.restore(json.loads(json.dumps(config)), opened)
    assert isinstance(found, Encoder)
    return found


def test_there_are_encoders() -> None:
    assert ENCODER_FAMILIES


def test_its_trainers_exist_and_each_has_keys_of_its_own(family: Family) -> None:
    configs = [trainer(family, name).Config for name in family.trainers]
    assert len(set(configs)) == len(family.trainers) > 0
    assert trainer(family) is trainer(family, family.trainers[0])


def test_vectors_are_32_bit_and_have_their_shape(model: Encoder) -> None:
    found = model.encode(random_ids(3, 7), lengths_of(7, 7, 7))
    assert found.shape == (3, 7, model.width)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (model.vocabulary.size, model.vocabulary.bos, model.vocabulary.eos) == (VOCABULARY_SIZE, 0, 0)


@pytest.mark.parametrize("filler", [0, 7, 10])
def test_at_and_beyond_its_length_a_row_is_zeros_whatever_stands_there(model: Encoder, filler: int) -> None:
    ids, lengths = random_ids(5, 11), lengths_of(11, 3, 1, 0, 7)
    padded = np.full((5, 13), filler, np.int32)
    for row, length in enumerate(lengths):
        padded[row, :length] = ids[row, :length]
    found = model.encode(padded, lengths)
    for row, length in enumerate(lengths):
        assert not found[row, length:].any()
        assert found[row, 1:length].any() == (length > 1)
        np.testing.assert_allclose(found[row, :length], model.encode(ids, lengths)[row, :length], atol=2e-5)


def test_a_row_does_not_depend_on_its_neighbours(model: Encoder) -> None:
    ids, lengths = random_ids(5, 11), lengths_of(11, 3, 5, 1, 7)
    together = model.encode(ids, lengths)
    for row, length in enumerate(lengths):
        alone = model.encode(ids[row : row + 1, :length], lengths[row : row + 1])
        np.testing.assert_allclose(together[row, :length], alone[0], atol=2e-5)
    order = [3, 0, 4, 4]
    np.testing.assert_allclose(model.encode(ids[order], lengths[order]), together[order], atol=2e-5)


def test_no_rows_and_no_ids_are_fine(model: Encoder) -> None:
    assert model.encode(np.zeros((0, 5), np.int32), lengths_of()).shape == (0, 5, model.width)
    assert model.encode(np.zeros((3, 0), np.int32), lengths_of(0, 0, 0)).shape == (3, 0, model.width)


def test_what_it_gives_belongs_to_the_caller(model: Encoder) -> None:
    ids, lengths = random_ids(2, 5), lengths_of(5, 3)
    first = model.encode(ids, lengths)
    expected = first.copy()
    first[:] = 97
    np.testing.assert_array_equal(model.encode(ids, lengths), expected)


def test_another_id_has_another_vector(model: Encoder) -> None:
    ids = random_ids(1, 7)
    changed = ids.copy()
    changed[0, 3] = (changed[0, 3] + 1) % VOCABULARY_SIZE
    before, after = (model.encode(each, lengths_of(7)) for each in (ids, changed))
    assert np.abs(before[0, 3] - after[0, 3]).max() > 1e-3


def test_saved_and_restored_it_says_the_same_to_the_bit(family: Family, model: Encoder) -> None:
    ids, lengths = random_ids(3, 11), lengths_of(11, 5, 7)
    again = restored(family, model)
    assert (again.width, again.vocabulary) == (model.width, model.vocabulary)
    np.testing.assert_array_equal(again.encode(ids, lengths), model.encode(ids, lengths))
    assert family.state(again)[0] == family.state(model)[0]
    assert family.state(again)[1].keys() == family.state(model)[1].keys()


def test_it_follows_its_seed(family: Family) -> None:
    ids, lengths = random_ids(2, 7), lengths_of(7, 7)
    first, same, other = (tiny(family, seed=seed).encode(ids, lengths) for seed in (3, 3, 5))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-3


def test_built_it_encodes_before_it_is_trained(family: Family) -> None:
    vocabulary = Vocabulary(size=13, bos=2, eos=5, unk=7)
    model, same, other = (family.build(family.config(), vocabulary, seed=seed) for seed in (1, 1, 2))
    ids = np.arange(13, dtype=np.int32)[None]
    vectors = [as_encoder(each).encode(ids, lengths_of(13)) for each in (model, same, other)]
    assert np.isfinite(vectors[0]).all()
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def as_encoder(model: Any) -> Encoder:
    assert isinstance(model, Encoder)
    return model


# -- encoders to which an id means the same everywhere ----------------------------------------------------------------


@pytest.fixture
def static(model: Encoder) -> StaticEncoder:
    if not isinstance(model, StaticEncoder):
        pytest.skip("its vectors follow the context")
    return model


def test_an_id_has_one_vector_wherever_it_stands(static: StaticEncoder) -> None:
    ids = random_ids(3, 7)
    np.testing.assert_array_equal(static.encode(ids, lengths_of(7, 7, 7)), static.vectors[ids])


def test_what_is_no_word_has_zeros(static: StaticEncoder, family: Family) -> None:
    assert not static.vectors[list(static.vocabulary.special)].any()
    built: Any = family.build(family.config(), Vocabulary(size=13, bos=2, eos=5, unk=7), seed=1)
    assert np.flatnonzero(~built.vectors.any(axis=1)).tolist() == [2, 5, 7]


def test_what_it_spells_is_the_same_after_saving(static: StaticEncoder, family: Family) -> None:
    config = static.config
    assert config.spells
    every = [np.array([bucket], np.int32) for bucket in range(config.buckets)]
    again = restored(family, static)
    assert isinstance(again, StaticEncoder)
    pairs: list[tuple[FloatArray | None, FloatArray | None]] = [(static.spelled(b), again.spelled(b)) for b in every]
    assert any(one is not None for one, _ in pairs)
    for one, other in pairs:
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.shape == (static.width,)
            assert one.dtype == np.float32
            np.testing.assert_array_equal(one, other)


def test_a_spelling_is_the_mean_of_its_parts_in_any_order(static: StaticEncoder) -> None:
    buckets = np.array([1, 5, 7], np.int32)
    parts = [static.spelled(buckets[place : place + 1]) for place in range(3)]
    whole, turned = static.spelled(buckets), static.spelled(buckets[::-1])
    assert whole is not None
    assert turned is not None
    known = [part for part in parts if part is not None]
    np.testing.assert_allclose(whole, np.mean(known, axis=0), atol=1e-6)
    np.testing.assert_allclose(turned, whole, atol=1e-6)
