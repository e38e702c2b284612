"""Laws of models that predict what follows from a source, beside those of language models, which they obey too.

Families are found, never listed. ``tiny`` models know 11 ids, and bos = eos = 0.
"""

from typing import Any

import numpy as np
import pytest

from tests.fakes.families import CONDITIONAL_FAMILIES, family_named, with_variants
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ConditionalModel, LanguageModel, ReadsPairs
from ziggurat.core.types import IdArray
from ziggurat.models.registry import FAMILIES, predicting
from ziggurat.models.windows import document_logprobs, pair_logprobs

TOLERANCE = 2e-5
SOURCES: list[list[int]] = [[3, 7, 5, 2, 0], [9, 0], [1, 1, 8, 4, 6, 2, 10, 5, 7, 3, 0]]
LENGTHS = np.array([5, 2, 11], dtype=np.int32)

pytestmark = pytest.mark.parametrize("family", with_variants(CONDITIONAL_FAMILIES))


def tiny(family: str) -> ConditionalModel:
    model = family_named(family).tiny(seed=3)
    assert isinstance(model, ConditionalModel)
    return model


def rows_of(sources: list[list[int]], *, filler: int = 0, width: int | None = None) -> IdArray:
    ids = np.full((len(sources), width or max(map(len, sources))), filler, dtype=np.int32)
    for row, source in enumerate(sources):
        ids[row, : len(source)] = source
    return ids


def on_all(family: str, **padding: int) -> LanguageModel:
    return tiny(family).condition(rows_of(SOURCES, **padding), LENGTHS)


def alone(family: str, row: int) -> LanguageModel:
    return tiny(family).condition(rows_of([SOURCES[row]]), LENGTHS[row : row + 1])


def targets(rows: int = 3, length: int = 13) -> IdArray:
    ids = np.random.default_rng(5).integers(0, 11, size=(rows, length), dtype=np.int32)
    ids[:, 0] = 0
    return ids


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


def full(ids: IdArray) -> IdArray:
    return np.full(len(ids), ids.shape[1], dtype=np.int32)


def test_it_says_what_it_learns_from_and_is_no_language_model_itself(family: str) -> None:
    assert isinstance(FAMILIES.get(family.partition(", ")[0]), ReadsPairs)
    model = tiny(family)
    assert not isinstance(model, LanguageModel)
    assert model.vocabulary.size == 11
    assert model.context is None or model.context >= 2
    with pytest.raises(UsageError, match="house: writes what follows from a source, and nothing without one"):
        predicting(model, "house")


def test_another_source_changes_every_distribution(family: str) -> None:
    ids = np.repeat(targets(1), 3, axis=0)
    told = on_all(family).token_logprobs(ids, full(ids))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (np.abs(told[one] - told[other]) > 1e-4).all()


def test_each_id_of_a_source_matters_and_so_does_their_order(family: str) -> None:
    ids = targets(1)
    before = alone(family, 0).token_logprobs(ids, full(ids))
    for changed in ([4, 7, 5, 2, 0], [3, 7, 5, 6, 0], [7, 3, 5, 2, 0], [3, 7, 5, 2]):
        other = tiny(family).condition(rows_of([changed]), np.array([len(changed)], dtype=np.int32))
        assert np.abs(other.token_logprobs(ids, full(ids)) - before).max() > 1e-3


def test_rows_keep_to_their_own_source(family: str) -> None:
    ids, together = targets(), on_all(family)
    scanned = together.token_logprobs(ids, full(ids))
    begun, state = together.begin(ids[:, :2], np.full(3, 2, dtype=np.int32))
    stepped, _ = together.step(state, ids[:, 2])
    for row in range(3):
        own, one = alone(family, row), ids[row : row + 1]
        close(scanned[row : row + 1], own.token_logprobs(one, full(one)))
        logprobs, state = own.begin(one[:, :2], np.array([2], dtype=np.int32))
        close(begun[row : row + 1], logprobs)
        close(stepped[row : row + 1], own.step(state, one[:, 2])[0])


def test_rows_keep_to_their_own_source_whatever_their_lengths(family: str) -> None:
    # rows are read in the order of their lengths; sources must be sorted along
    ids, lengths = targets(length=17), np.array([17, 2, 5], dtype=np.int32)
    scanned = on_all(family).token_logprobs(ids, lengths)
    for row in range(3):
        own = ids[row : row + 1, : lengths[row]]
        close(scanned[row : row + 1, : lengths[row] - 1], alone(family, row).token_logprobs(own, full(own)))


@pytest.mark.parametrize("filler", [0, 8])
def test_padding_of_sources_is_inert(family: str, filler: int) -> None:
    ids = targets()
    expected = on_all(family).token_logprobs(ids, full(ids))
    close(on_all(family, filler=filler, width=19).token_logprobs(ids, full(ids)), expected)
    close(on_all(family, filler=filler, width=19).begin(ids, full(ids))[0], on_all(family).begin(ids, full(ids))[0])


@pytest.mark.parametrize("rows", [[2, 0, 1], [1, 1, 0, 2, 2], [2]])
def test_reorder_takes_the_sources_along(family: str, rows: list[int]) -> None:
    ids, chosen = targets(), np.array(rows, dtype=np.int32)
    lengths = np.array([2, 3, 4], dtype=np.int32)
    model = on_all(family)
    state = model.reorder(model.begin(ids, lengths)[1], chosen)
    expected = tiny(family).condition(rows_of([SOURCES[row] for row in rows]), LENGTHS[chosen])
    expected_state = expected.begin(ids[chosen], lengths[chosen])[1]
    for step in np.random.default_rng(7).integers(0, 11, size=(3, len(rows)), dtype=np.int32):
        told, state = model.step(state, step)
        wanted, expected_state = expected.step(expected_state, step)
        close(told, wanted)


def test_a_source_of_one_row_serves_every_row(family: str) -> None:
    ids = targets(5)
    shared = alone(family, 2)
    own = tiny(family).condition(rows_of([SOURCES[2]] * 5), np.full(5, 11, dtype=np.int32))
    close(shared.token_logprobs(ids, full(ids)), own.token_logprobs(ids, full(ids)))
    begun, state = shared.begin(ids[:, :3], np.full(5, 3, dtype=np.int32))
    close(begun, own.begin(ids[:, :3], np.full(5, 3, dtype=np.int32))[0])
    kept = np.array([4, 0], dtype=np.int32)
    state = shared.reorder(state, kept)
    expected = own.begin(ids[:, :4], np.full(5, 4, dtype=np.int32))[0]
    close(shared.step(state, ids[kept, 3])[0], expected[kept])


@pytest.mark.parametrize("rows", [2, 4])
def test_another_number_of_rows_than_of_sources_is_an_error(family: str, rows: int) -> None:
    ids, model = targets(rows), on_all(family)
    with pytest.raises(UsageError, match=f"{rows} rows can't be read beside 3 sources"):
        model.token_logprobs(ids, full(ids))
    with pytest.raises(UsageError, match=f"{rows} rows can't be read beside 3 sources"):
        model.begin(ids, full(ids))


def test_a_source_without_ids_or_beyond_the_context_is_an_error(family: str) -> None:
    model = tiny(family)
    with pytest.raises(UsageError, match="a source without ids"):
        model.condition(np.zeros((2, 3), dtype=np.int32), np.array([3, 0], dtype=np.int32))
    if model.context is not None:
        long = model.context + 1
        model.condition(np.ones((1, long), dtype=np.int32), np.array([long - 1], dtype=np.int32))
        with pytest.raises(UsageError, match=rf"{long} ids are more than the model can read .*{model.context}\)"):
            model.condition(np.ones((1, long), dtype=np.int32), np.array([long], dtype=np.int32))


@pytest.mark.parametrize("batch_tokens", [1, 30, 8192])
def test_pairs_are_scored_as_one_by_one(family: str, batch_tokens: int) -> None:
    sequences = [ids[:length] for ids, length in zip(targets(), (7, 13, 1), strict=True)]
    sources = [np.array(source, dtype=np.int32) for source in SOURCES]
    found = pair_logprobs(tiny(family), sources, sequences, batch_tokens=batch_tokens)
    for row, told in enumerate(found):
        assert told.shape == (len(sequences[row]) - 1,)
        close(told, document_logprobs(alone(family, row), [sequences[row]])[0])


def test_a_target_beyond_the_context_is_read_by_a_window_beside_its_own_source(family: str) -> None:
    model = tiny(family)
    if model.context is None:
        pytest.skip("it reads targets of any length")
    long = np.random.default_rng(3).integers(0, 11, size=model.context * 2 + 7, dtype=np.int32)
    sequences = [long[:3], long, long[: model.context + 2]]
    found = pair_logprobs(model, [np.array(source, dtype=np.int32) for source in SOURCES], sequences)
    for row, told in enumerate(found):
        close(told, document_logprobs(alone(family, row), [sequences[row]])[0])
