"""Which part of what is held out an evaluation reads, where it reads a part: what is sorted tells of all it holds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.jobs import VOCABULARY
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.protocols import TokenStream
from ziggurat.training.held_out import some_documents, spread_order
from ziggurat.training.objectives.labels import LabelledTexts
from ziggurat.training.objectives.targets import _some_pairs


@given(st.integers(0, 400))
def test_every_number_comes_once(count: int) -> None:
    assert sorted(spread_order(count).tolist()) == list(range(count))


@given(st.integers(20, 400), st.floats(0.2, 1.0))
def test_every_beginning_is_spread_evenly(count: int, part: float) -> None:
    taken = np.sort(spread_order(count)[: int(part * count)])
    gaps = np.diff([-1, *taken, count])
    assert gaps.max() <= 3 / part
    assert len(set(np.diff(taken).tolist())) <= 3


@pytest.mark.parametrize("period", [2, 3, 5, 8])
def test_no_period_of_a_file_is_met(period: int) -> None:
    taken = spread_order(800)[:200] % period
    parts = np.bincount(taken, minlength=period) / 200
    assert abs(parts - 1 / period).max() < 0.05


def sorted_stream(documents: int = 40) -> TokenStream:
    """Documents of five tokens; those of the second half hold other ids than those of the first."""
    rows = [[3 if 2 * number < documents else 7] * 5 for number in range(documents)]
    return MemoryStream.of(rows, VOCABULARY)


def test_texts_of_every_label_are_read() -> None:
    made: Any = object.__new__(LabelledTexts)
    made.dev = sorted_stream()
    made.labels = type("Told", (), {"dev": np.repeat([0, 1], 20)})()
    made.batches = type("Cut", (), {"longest": 9})()
    targets = np.concatenate([batch[2] for batch in made._held_out(70)])
    assert len(targets) == 10
    assert np.bincount(targets).tolist() == [5, 5]


def test_documents_and_pairs_of_every_source_are_read() -> None:
    stream = sorted_stream()
    for read in (some_documents(stream, 60), *_some_pairs(stream, stream, 60, None)):
        assert len(read) == 10
        assert sum(3 in document for document in read) == 5
