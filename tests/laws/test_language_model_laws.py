"""Laws that every language model obeys. Families are found, never listed: a new file in ``models/`` is tested here.

``tiny`` models know 11 ids, and bos = eos = 0. Log-probabilities are compared to 2e-5 nats: the same sums taken in
another order in 32-bit.
"""

import dataclasses
import itertools
import json
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from tests.fakes.families import LANGUAGE_FAMILIES, as_language_model, family_named, with_variants
from ziggurat.core.config import options
from ziggurat.core.protocols import Extends, Family, LanguageModel
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import trainer

VOCABULARY_SIZE = 11
TOLERANCE = 2e-5


@pytest.fixture(params=with_variants(LANGUAGE_FAMILIES))
def family(request: pytest.FixtureRequest) -> Family:
    return family_named(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def model(family: Family) -> LanguageModel:
    return as_language_model(family.tiny(seed=3), family.name)


def random_ids(rows: int, length: int, *, seed: int = 5) -> IdArray:
    ids = np.random.default_rng(seed).integers(0, VOCABULARY_SIZE, size=(rows, length), dtype=np.int32)
    ids[:, 0] = 0
    return ids


def full(ids: IdArray) -> IdArray:
    return np.full(ids.shape[0], ids.shape[1], dtype=np.int32)


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


def spell(model: LanguageModel, ids: IdArray, *, prompt: int) -> FloatArray:
    """Return what `token_logprobs` returns from column ``prompt − 1`` on, but by `begin` and `step`."""
    logprobs, state = model.begin(ids[:, :prompt], np.full(len(ids), prompt, dtype=np.int32))
    columns = []
    for t in range(prompt, ids.shape[1]):
        columns.append(np.take_along_axis(logprobs, ids[:, t : t + 1], axis=1)[:, 0])
        logprobs, state = model.step(state, ids[:, t])
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", LANGUAGE_FAMILIES)
def test_a_family_says_who_it_is(name: str) -> None:
    family = FAMILIES.get(name)
    assert family.name in FAMILIES.names()
    assert FAMILIES.get(family.name) is family
    assert all(trainer(family, name) for name in family.trainers)
    assert dataclasses.is_dataclass(family.config)
    assert all(doc for _, _, doc in options(family.config).values())


def test_it_is_a_language_model(model: LanguageModel) -> None:
    assert isinstance(model, LanguageModel)
    assert (model.vocabulary.size, model.vocabulary.bos, model.vocabulary.eos) == (VOCABULARY_SIZE, 0, 0)
    assert model.context is None or model.context >= 2


def test_results_are_32_bit_and_have_their_shapes(model: LanguageModel) -> None:
    ids = random_ids(3, 7)
    scanned = model.token_logprobs(ids, full(ids))
    begun, state = model.begin(ids, full(ids))
    stepped, _ = model.step(state, ids[:, 1])
    assert {array.dtype for array in (scanned, begun, stepped)} == {np.dtype("float32")}
    assert scanned.shape == (3, 6)
    assert begun.shape == stepped.shape == (3, VOCABULARY_SIZE)
    assert model.score(ids, full(ids)).shape == (3,)


def test_probabilities_sum_to_one(model: LanguageModel) -> None:
    ids = random_ids(5, 13)
    logprobs, state = model.begin(ids[:, :2], np.full(5, 2, dtype=np.int32))
    for t in range(2, ids.shape[1]):
        close(np.exp(logprobs.astype(np.float64)).sum(axis=1), np.ones(5))
        logprobs, state = model.step(state, ids[:, t])


@pytest.mark.parametrize("prompt", [1, 2, 7])
def test_scanning_equals_stepping(model: LanguageModel, prompt: int) -> None:
    ids = random_ids(3, 13)
    close(spell(model, ids, prompt=prompt), model.token_logprobs(ids, full(ids))[:, prompt - 1 :])


def test_a_later_id_changes_nothing_before_it(model: LanguageModel) -> None:
    ids = random_ids(2, 13)
    before = model.token_logprobs(ids, full(ids))
    for t in range(1, 13):
        changed = ids.copy()
        changed[:, t] = (changed[:, t] + 1) % VOCABULARY_SIZE
        close(model.token_logprobs(changed, full(ids))[:, : t - 1], before[:, : t - 1])


def test_an_earlier_id_matters(model: LanguageModel) -> None:
    ids = random_ids(1, 13)
    changed = ids.copy()
    changed[:, 6] = (changed[:, 6] + 1) % VOCABULARY_SIZE
    difference = np.abs(model.token_logprobs(changed, full(ids)) - model.token_logprobs(ids, full(ids)))
    assert difference[0, 6] > 1e-3


def test_a_row_does_not_depend_on_its_neighbours(model: LanguageModel) -> None:
    ids = random_ids(7, 13)
    lengths = np.array([13, 2, 5, 1, 13, 11, 7], dtype=np.int32)
    together = model.token_logprobs(ids, lengths)
    begun, state = model.begin(ids, lengths)
    stepped, _ = model.step(state, ids[:, 1])
    for row in range(7):
        alone = ids[row : row + 1, : lengths[row]]
        close(together[row : row + 1, : lengths[row] - 1], model.token_logprobs(alone, full(alone)))
        logprobs, own_state = model.begin(alone, full(alone))
        close(begun[row : row + 1], logprobs)
        close(stepped[row : row + 1], model.step(own_state, ids[row : row + 1, 1])[0])


def test_rows_of_different_lengths_go_on_from_their_own_ends(model: LanguageModel) -> None:
    ids = random_ids(3, 13)
    lengths = np.array([2, 7, 5], dtype=np.int32)
    expected = model.token_logprobs(ids, full(ids))
    logprobs, state = model.begin(ids, lengths)
    for step in range(5):
        places = lengths + step
        following = ids[np.arange(3), places]
        close(logprobs[np.arange(3), following], expected[np.arange(3), places - 1])
        logprobs, state = model.step(state, following)


@pytest.mark.parametrize("filler", [0, 7])
def test_padding_is_inert(model: LanguageModel, filler: int) -> None:
    ids = random_ids(3, 11)
    lengths = np.array([11, 3, 5], dtype=np.int32)
    padded = np.full((3, 17), filler, dtype=np.int32)
    for row, length in enumerate(lengths):
        padded[row, :length] = ids[row, :length]
    scanned, wide = model.token_logprobs(ids, lengths), model.token_logprobs(padded, lengths)
    close(wide[:, :10], scanned)
    assert not wide[:, 10:].any()
    assert not wide[1, 2:].any()
    close(model.begin(padded, lengths)[0], model.begin(ids, lengths)[0])


@pytest.mark.parametrize("rows", [[2, 0, 1], [1, 1, 0, 2, 2], [2], [0, 1, 2]])
def test_reorder_permutes_repeats_and_drops(model: LanguageModel, rows: list[int]) -> None:
    ids = random_ids(3, 11)
    lengths = np.array([3, 7, 5], dtype=np.int32)
    chosen = np.array(rows, dtype=np.int32)
    following = random_ids(4, len(rows), seed=7)[1:]
    _, state = model.begin(ids, lengths)
    state = model.reorder(state, chosen)
    _, expected_state = model.begin(ids[chosen], lengths[chosen])
    for step in following:
        logprobs, state = model.step(state, step)
        expected, expected_state = model.step(expected_state, step)
        close(logprobs, expected)


def test_a_state_that_was_reordered_is_still_good(model: LanguageModel) -> None:
    ids = random_ids(2, 5)
    _, state = model.begin(ids, full(ids))
    fork = model.reorder(state, np.array([0, 1], dtype=np.int32))
    model.step(fork, np.array([3, 3], dtype=np.int32))
    _, expected_state = model.begin(ids, full(ids))
    following = np.array([5, 7], dtype=np.int32)
    close(model.step(state, following)[0], model.step(expected_state, following)[0])


@pytest.mark.parametrize("shared", [1, 2, 7])
def test_what_was_begun_and_extended_is_as_if_begun_in_one_piece(model: LanguageModel, shared: int) -> None:
    if not isinstance(model, Extends):
        pytest.skip("it reads on one id at a time")
    ids = random_ids(5, 17)
    ids[:, :shared] = ids[0, :shared]
    more = np.array([10, 1, 3, 7, 1], dtype=np.int32)
    _, prefix = model.begin(ids[:1, :shared], np.array([shared], dtype=np.int32))
    for _ in range(2):  # the prefix stays good for others
        state = model.reorder(prefix, np.zeros(5, dtype=np.int32))
        padded = ids[:, shared:].copy()
        logprobs, state = model.extend(state, padded, more)
        expected, expected_state = model.begin(ids, shared + more)
        close(logprobs, expected)
        for following in random_ids(3, 5, seed=11)[1:]:
            logprobs, state = model.step(state, following)
            expected, expected_state = model.step(expected_state, following)
            close(logprobs, expected)


def test_rows_of_different_lengths_extend_from_their_own_ends(model: LanguageModel) -> None:
    if not isinstance(model, Extends):
        pytest.skip("it reads on one id at a time")
    ids = random_ids(3, 13)
    first, more = np.array([2, 7, 5], dtype=np.int32), np.array([5, 1, 3], dtype=np.int32)
    _, state = model.begin(ids, first)
    rest = np.zeros((3, 5), dtype=np.int32)
    for row in range(3):
        rest[row, : more[row]] = ids[row, first[row] : first[row] + more[row]]
    logprobs, state = model.extend(state, rest, more)
    expected, expected_state = model.begin(ids, first + more)
    close(logprobs, expected)
    following = np.array([3, 5, 7], dtype=np.int32)
    close(model.step(state, following)[0], model.step(expected_state, following)[0])


def test_score_is_the_sum_of_token_logprobs(model: LanguageModel) -> None:
    ids = random_ids(3, 13)
    lengths = np.array([13, 1, 7], dtype=np.int32)
    expected = model.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(model.score(ids, lengths), expected, rtol=1e-6)


def test_total_mass_of_all_strings_of_length_two_is_one(model: LanguageModel) -> None:
    pairs = itertools.product(range(VOCABULARY_SIZE), repeat=2)
    ids = np.array([(0, *pair) for pair in pairs], dtype=np.int32)
    close(np.exp(model.score(ids, full(ids))).sum(), 1.0)


def test_no_rows_and_nothing_to_predict_are_fine(model: LanguageModel) -> None:
    alone = np.zeros((3, 1), dtype=np.int32)
    assert model.token_logprobs(alone, full(alone)).shape == (3, 0)
    assert model.token_logprobs(np.zeros((0, 5), dtype=np.int32), np.zeros(0, dtype=np.int32)).shape == (0, 4)


def test_saved_and_restored_it_says_the_same_to_the_bit(family: Family, model: LanguageModel) -> None:
    config, tensors = family.state(family.tiny(seed=3))
    stored = save({name: np.ascontiguousarray(array) for name, array in tensors.items()})
    opened = load(stored)
    for array in opened.values():
        array.flags.writeable = False
    restored = as_language_model(family.restore(json.loads(json.dumps(config)), opened), "restored")
    ids = random_ids(3, 13)
    lengths = np.array([13, 5, 7], dtype=np.int32)
    assert restored.vocabulary == model.vocabulary
    assert restored.context == model.context
    np.testing.assert_array_equal(restored.token_logprobs(ids, lengths), model.token_logprobs(ids, lengths))
    np.testing.assert_array_equal(restored.begin(ids, lengths)[0], model.begin(ids, lengths)[0])


def test_tiny_follows_its_seed(family: Family) -> None:
    ids = random_ids(2, 13)
    first, same, other = (
        as_language_model(family.tiny(seed=seed), family.name).token_logprobs(ids, full(ids)) for seed in (3, 3, 5)
    )
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-2


def test_untrained_it_is_a_distribution_already(family: Family) -> None:
    built = family.build(family.config(), Vocabulary(size=VOCABULARY_SIZE, bos=0, eos=0), seed=1)
    model = as_language_model(built, "built")
    ids = random_ids(2, 3)
    close(np.exp(model.begin(ids, full(ids))[0].astype(np.float64)).sum(axis=1), np.ones(2))
