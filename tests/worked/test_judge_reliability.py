"""Expected calibration error by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.judge.reliability import BINS, reliability


def test_bins_weigh_by_their_answers() -> None:
    # two bins: (0, ½] holds 0.2 wrong, 0.4 right, 0.5 wrong: accuracy 1/3, confidence 1.1/3, gap 0.1/3
    # (½, 1] holds 0.6 wrong, 0.9 right: accuracy 1/2, confidence 3/4, gap 1/4
    # 3/5 · 0.1/3 + 2/5 · 1/4 = 0.02 + 0.1
    found = reliability([0.2, 0.4, 0.5, 0.6, 0.9], [False, True, False, False, True], bins=2)
    assert found.expected_calibration_error == pytest.approx(0.12)
    assert [one.count for one in found.bins] == [3, 2]
    assert [one.accuracy for one in found.bins] == pytest.approx([1 / 3, 1 / 2])
    assert [one.confidence for one in found.bins] == pytest.approx([1.1 / 3, 3 / 4])


def test_borders_belong_to_the_bin_below_and_nothing_to_the_first() -> None:
    found = reliability([m / BINS for m in range(BINS + 1)], [True] * (BINS + 1))
    assert [one.count for one in found.bins] == [2, *[1] * (BINS - 1)]


def test_as_right_as_sure_is_no_error_and_sure_but_wrong_the_worst() -> None:
    assert reliability([0.75] * 4, [True, True, True, False]).expected_calibration_error == pytest.approx(0)
    assert reliability([1.0] * 3, [False] * 3).expected_calibration_error == 1


def test_empty_bins_are_no_figures() -> None:
    found = reliability([0.9, 0.95], [True, False]).figures()
    assert [one["count"] for one in found["bins"]] == [1, 1]
    assert found["expected_calibration_error"] == pytest.approx(0.1 / 2 + 0.95 / 2)


@given(answers=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=31))
def test_every_answer_is_in_one_bin_and_the_error_in_its_range(answers: list[tuple[float, bool]]) -> None:
    found = reliability(*zip(*answers, strict=True))
    assert sum(one.count for one in found.bins) == len(answers)
    assert 0 <= found.expected_calibration_error <= 1
    for one in found.bins:
        assert not one.count or one.low - 1e-12 <= one.confidence <= one.high + 1e-12


def test_what_can_not_be_sorted() -> None:
    with pytest.raises(UsageError, match="2 confidences for 1 answers"):
        reliability([0.1, 0.2], [True])
    with pytest.raises(UsageError, match="outside"):
        reliability([1.5], [True])
    with pytest.raises(UsageError, match="at least 1"):
        reliability([0.5], [True], bins=0)
    with pytest.raises(TooLittleTextError):
        reliability([], [])
