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
    # text by text the second is right more by 0, 0, 1, −1, 1: signs of three can be flipped in 8 ways, whose sums are
    # 3, 1, 1, 1, −1, −1, −1, −3: all are at least as far from 0 as the 1 that was seen
    assert found["difference"]["value"] == pytest.approx(1 / 5)
    assert found["difference"]["p_value"] == 1
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
    assert found["difference"] == {"value": 0, "low": 0, "high": 0, "p_value": 1, "smallest_detectable": 0}
    assert found["one"] == found["other"]


def test_the_seed_decides_the_draws() -> None:
    gold = ["a", "b"] * 23
    said = {"one": ["a"] * 31 + ["b"] * 15, "other": ["b", "a"] * 11 + ["a", "b"] * 12}
    first, again, other = (labelling_figures(gold, said, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first["difference"] != other["difference"]
    for name in said:
        assert first[name]["accuracy"] == other[name]["accuracy"]


def test_a_difference_is_judged_text_by_text() -> None:
    # 97 texts; the second way is right at 23 where the first is wrong, and wrong at 3 where it is right
    gold = ["a"] * 97
    one = ["b"] * 23 + ["a"] * 74
    other = ["a"] * 23 + ["b"] * 3 + ["a"] * 71
    found = labelling_figures(gold, {"one": one, "other": other}, seed=3)["difference"]
    assert found["value"] == pytest.approx(20 / 97)
    assert found["low"] > 0
    # 26 signs, at most 3 of them minus or at most 3 plus: 2 · (1 + 26 + 325 + 2600) / 2²⁶ = 0.00009; of 10,000 draws
    # that is none or few
    assert found["p_value"] < 0.001
    # the variance of a text's difference is 26/97 − (20/97)² = 0.2255; (1.96 + 0.84) · √(0.2255 / 97) = 0.135
    assert found["smallest_detectable"] == pytest.approx(0.135, rel=0.03)


def test_of_one_text_there_is_no_difference() -> None:
    found = labelling_figures(["a"], {"one": ["a"], "other": ["b"]}, seed=3)
    assert "difference" not in found
    assert found["one"]["accuracy"] == 1


def test_what_can_not_be_compared() -> None:
    with pytest.raises(UsageError, match="4 labels for 5 texts"):
        labelling_figures(GOLD, {"only": ["a"] * 4}, seed=0)
    with pytest.raises(TooLittleTextError):
        labelling_figures([], {"only": []}, seed=0)
