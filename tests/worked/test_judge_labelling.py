"""Accuracy by hand."""

import pytest

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.judge.labelling import labelling_figures

GOLD = ["a", "a", "b", "a", "b"]


def test_accuracy_majority_and_the_difference_of_two_ways() -> None:
    # uncalibrated: right at 0, 1, 3 → 3/5; calibrated: right at 0, 1, 2, 4 → 4/5; majority a: 3/5
    found = labelling_figures(GOLD, {"uncalibrated": ["a"] * 5, "calibrated": ["a", "a", "b", "b", "b"]}, seed=0)
    assert found["texts"] == 5
    assert found["uncalibrated"]["accuracy"] == pytest.approx(3 / 5)
    assert found["calibrated"]["accuracy"] == pytest.approx(4 / 5)
    assert found["difference"]["accuracy"] == pytest.approx(1 / 5)
    assert found["majority"] == {"label": "a", "accuracy": 3 / 5}


def test_an_interval_holds_its_value_and_stays_within_none_and_all() -> None:
    found = labelling_figures(GOLD, {"only": ["a"] * 5}, seed=0)["only"]
    assert 0 <= found["low"] <= found["accuracy"] <= found["high"] <= 1
    assert found["low"] < found["high"]


def test_all_right_has_no_interval_and_one_way_no_difference() -> None:
    found = labelling_figures(GOLD, {"only": GOLD}, seed=0)
    assert found["only"] == {"accuracy": 1, "low": 1, "high": 1}
    assert "difference" not in found


def test_the_same_draws_serve_both_ways_so_equal_ways_do_not_differ() -> None:
    found = labelling_figures(GOLD, {"one": ["b"] * 5, "other": ["b"] * 5}, seed=3)
    assert found["difference"] == {"accuracy": 0, "low": 0, "high": 0}
    assert found["one"] == found["other"]


def test_the_seed_decides_the_draws() -> None:
    gold = ["a", "b"] * 23
    said = {"only": ["a"] * 31 + ["b"] * 15}
    assert labelling_figures(gold, said, seed=1) == labelling_figures(gold, said, seed=1)


def test_what_can_not_be_compared() -> None:
    with pytest.raises(UsageError, match="4 labels for 5 texts"):
        labelling_figures(GOLD, {"only": ["a"] * 4}, seed=0)
    with pytest.raises(TooLittleTextError):
        labelling_figures([], {"only": []}, seed=0)
