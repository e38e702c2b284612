"""The study's clock, driven by a clock of the test's own."""

import pytest

from ziggurat.study.clock import Clock


class FakeTime:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_budget_counts_down_and_stops_at_zero() -> None:
    time = FakeTime()
    clock = Clock(60.0, now=time)
    time.seconds += 13.0
    assert clock.elapsed_seconds == pytest.approx(13.0)
    assert clock.remaining_seconds == pytest.approx(47.0)
    time.seconds += 53.0
    assert clock.remaining_seconds == 0.0


def test_stages_of_one_name_add_up_in_order_of_first_use() -> None:
    time = FakeTime()
    clock = Clock(60.0, now=time)
    for name, seconds in [("text", 2.0), ("train", 30.0), ("text", 3.0)]:
        with clock.stage(name):
            time.seconds += seconds
    # text: 2 + 3 = 5
    assert list(clock.spent().items()) == [("text", pytest.approx(5.0)), ("train", pytest.approx(30.0))]


def test_a_stage_that_fails_is_charged_all_the_same() -> None:
    time = FakeTime()
    clock = Clock(60.0, now=time)

    def fail() -> None:
        with clock.stage("train"):
            time.seconds += 7.0
            raise RuntimeError("no model")

    with pytest.raises(RuntimeError, match="no model"):
        fail()
    assert clock.spent()["train"] == pytest.approx(7.0)
