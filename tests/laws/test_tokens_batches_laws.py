"""Which ids a training step sees, for texts, windows and batches of all sizes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.types import Vocabulary
from ziggurat.tokens.batches import ParallelStreams, ShuffledWindows, padded

VOCABULARY = Vocabulary(size=10_007, bos=0, eos=0)
SIZES = {"count": st.integers(2, 400), "rows": st.integers(1, 7), "length": st.integers(1, 23)}


def counting(count: int) -> MemoryStream:
    """A stream whose id at each place is the place."""
    return MemoryStream(VOCABULARY, np.arange(count, dtype=np.int32), np.array([0, count]))


@given(**SIZES, seed=st.integers(0, 99))
def test_a_window_is_a_stretch_of_the_text(count: int, rows: int, length: int, seed: int) -> None:
    for layout in (ShuffledWindows, ParallelStreams):
        batches = layout(counting(count), rows=rows, length=length, seed=seed)
        for step in range(5):
            ids = batches.batch(step)
            assert ids.shape == (batches.rows, batches.length + 1)
            if layout is ShuffledWindows:
                np.testing.assert_array_equal(np.diff(ids, axis=1), 1)
            else:  # streams read on from the text's end at its beginning
                assert set(np.diff(ids, axis=1).ravel().tolist()) <= {1, 1 - count}


@given(**SIZES, seed=st.integers(0, 99))
def test_an_epoch_of_windows_predicts_no_id_twice(count: int, rows: int, length: int, seed: int) -> None:
    batches = ShuffledWindows(counting(count), rows=rows, length=length, seed=seed)
    windows = round(batches.steps_per_epoch * batches.rows)
    steps = -(-3 * windows // batches.rows)
    flat = np.concatenate([batches.batch(step) for step in range(steps)])
    for epoch in range(3):
        targets = flat[epoch * windows : (epoch + 1) * windows, 1:].ravel()
        assert len(set(targets.tolist())) == targets.size
        assert count - 1 - targets.size < 2 * batches.length


@given(**SIZES, seed=st.integers(0, 99))
def test_streams_go_on_where_they_ended(count: int, rows: int, length: int, seed: int) -> None:
    batches = ParallelStreams(counting(count), rows=rows, length=length, seed=seed)
    for step in range(1, 2 * int(batches.steps_per_epoch) + 2):
        before, now = batches.batch(step - 1), batches.batch(step)
        if not batches.is_fresh(step):
            np.testing.assert_array_equal(before[:, -1], now[:, 0])


@given(**SIZES, seed=st.integers(0, 99))
def test_rows_of_streams_never_read_the_same_place(count: int, rows: int, length: int, seed: int) -> None:
    batches = ParallelStreams(counting(count), rows=rows, length=length, seed=seed)
    per_epoch = int(batches.steps_per_epoch)
    for epoch in range(2):
        seen = np.concatenate([batches.batch(epoch * per_epoch + step)[:, :-1].ravel() for step in range(per_epoch)])
        assert len(set(seen.tolist())) == seen.size


@pytest.mark.parametrize("layout", [ShuffledWindows, ParallelStreams])
def test_a_step_s_batch_is_a_function_of_seed_and_step(layout: type[ShuffledWindows] | type[ParallelStreams]) -> None:
    one, two = (layout(counting(997), rows=3, length=11, seed=5) for _ in range(2))
    other = layout(counting(997), rows=3, length=11, seed=6)
    steps = [7, 300, 2, 40, 0, 300]
    for step in steps:
        np.testing.assert_array_equal(one.batch(step), two.batch(step))
    assert any((one.batch(step) != other.batch(step)).any() for step in steps)
    backwards = [two.batch(step) for step in reversed(range(60))][::-1]
    for step, batch in enumerate(backwards):
        np.testing.assert_array_equal(one.batch(step), batch)


def test_epochs_differ_in_order_and_in_where_they_are_cut() -> None:
    batches = ShuffledWindows(counting(1000), rows=1, length=10, seed=0)
    windows = round(batches.steps_per_epoch)
    epochs = [[int(batches.batch(epoch * windows + step)[0, 0]) for step in range(windows)] for epoch in range(6)]
    assert all(one != two for one, two in itertools.combinations(epochs, 2))
    assert len({start % 10 for epoch in epochs for start in epoch[:1]}) > 1


@pytest.mark.parametrize("layout", [ShuffledWindows, ParallelStreams])
@pytest.mark.parametrize("count", [0, 1])
def test_a_text_without_anything_to_predict_is_refused(
    layout: type[ShuffledWindows] | type[ParallelStreams], count: int
) -> None:
    with pytest.raises(TooLittleTextError, match=f"{count} tokens are too few to train on"):
        layout(counting(count), rows=2, length=3, seed=0)


def test_padding_by_hand() -> None:
    ids, lengths = padded([np.array([7, 8, 9], np.int32), np.array([], np.int32), np.array([5], np.int32)])
    assert ids.tolist() == [[7, 8, 9], [0, 0, 0], [5, 0, 0]]
    assert lengths.tolist() == [3, 0, 1]
    empty, none = padded([])
    assert (empty.shape, none.shape) == ((0, 0), (0,))
