"""Rolling windows: every id is predicted once, from as much context as was promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.families import LANGUAGE_FAMILIES, tiny_language_model
from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.windows import document_logprobs, document_scores


class Witness:
    """Counts what it is asked, and answers with how much context each prediction had."""

    def __init__(self, context: int | None) -> None:
        self.context = context
        self.vocabulary = Vocabulary(size=997, bos=0, eos=0)
        self.tokens = 0

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        self.tokens += ids.size
        assert self.context is None or int(lengths.max()) <= self.context + 1
        seen = np.arange(1, ids.shape[1], dtype=np.float32)
        return np.broadcast_to(seen, (len(ids), ids.shape[1] - 1)).copy()


@given(
    lengths=st.lists(st.integers(0, 61), max_size=11),
    context=st.integers(1, 17),
    data=st.data(),
    batch=st.integers(1, 200),
)
def test_each_id_is_predicted_once_with_its_promised_context(
    lengths: list[int], context: int, data: st.DataObject, batch: int
) -> None:
    stride = data.draw(st.integers(1, context))
    model = Witness(context)
    sequences = [np.arange(length, dtype=np.int32) for length in lengths]
    found = document_logprobs(model, sequences, stride=stride, batch_tokens=batch)  # type: ignore[arg-type]
    assert [len(one) for one in found] == [max(0, length - 1) for length in lengths]
    for one in found:
        seen = one.astype(int)
        place = np.arange(1, len(seen) + 1)
        assert (seen >= np.minimum(place, context - stride + 1)).all()
        assert (seen <= np.minimum(place, context)).all()


def test_the_picture_in_the_docstring() -> None:
    # context 8 and stride 4 on 14 ids: 8 predictions from the beginning, then 4 with 5 … 8 ids before them, then 1
    (found,) = document_logprobs(Witness(8), [np.arange(14, dtype=np.int32)], stride=4)  # type: ignore[arg-type]
    assert found.astype(int).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8, 8]


def test_without_a_limit_a_document_is_one_window() -> None:
    (found,) = document_logprobs(Witness(None), [np.arange(500, dtype=np.int32)])  # type: ignore[arg-type]
    assert found.astype(int).tolist() == list(range(1, 500))


@pytest.mark.parametrize("stride", [0, 9, -1])
def test_a_stride_that_does_not_fit_is_refused(stride: int) -> None:
    with pytest.raises(UsageError, match=f"a stride of {stride} does not fit a context of 8: give one from 1 to 8"):
        document_logprobs(Witness(8), [np.arange(20, dtype=np.int32)], stride=stride)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_windows_of_a_text_that_fits_are_the_whole_reading(family: str) -> None:
    model = tiny_language_model(family, seed=1)
    dice = np.random.default_rng(0)
    longest = 7 if model.context is None else min(7, model.context)
    sequences = [np.array([0, *dice.integers(1, 11, int(n)), 0], np.int32) for n in dice.integers(0, longest, 13)]
    for ids, one in zip(sequences, document_logprobs(model, sequences, batch_tokens=20), strict=True):
        whole = model.token_logprobs(ids[None], np.array([ids.size], np.int32))[0]
        np.testing.assert_allclose(one, whole, atol=1e-5)


def test_several_numbers_of_each_id_at_once() -> None:
    def read(ids: IdArray, lengths: IdArray) -> FloatArray:
        del lengths
        return np.stack([ids[:, 1:], ids[:, :-1]]).astype(np.float32)

    sequences = [np.arange(9, dtype=np.int32), np.arange(3, dtype=np.int32)]
    one, two = document_scores(read, sequences, context=4)
    assert one.tolist() == [list(range(1, 9)), list(range(8))]
    assert two.tolist() == [[1, 2], [0, 1]]
