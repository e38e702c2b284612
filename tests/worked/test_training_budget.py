"""How far a run is and how far it goes: every budget, rhythm and forecast counted by hand."""

from types import SimpleNamespace
from typing import Any

import pytest

from ziggurat.core.errors import UsageError
from ziggurat.training.loop.config import Config
from ziggurat.training.loop.progress import Budget, Progress
from ziggurat.training.schedules import FLOOR, Plan

BATCH, EPOCH = 77, 40
"""Predicted tokens of a batch, and batches of a pass over the text."""


def budget(dev_tokens: int = 0, **keys: Any) -> Budget:
    objective: Any = SimpleNamespace(tokens_per_batch=BATCH, steps_per_epoch=EPOCH)
    return Budget(Config(**keys), objective, dev_tokens=dev_tokens)


# -- what was given ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "steps"),
    [
        ({"steps": 13}, 13),
        ({"tokens": 1000}, 12),  # 12 · 77 = 924, and a 13th step would read more than was given
        ({"tokens": 1000, "accumulate": 3}, 4),  # 231 a step
        ({"tokens": 5}, 1),  # less than a step is one
        ({"epochs": 2.5}, 100),
        ({"epochs": 2.5, "accumulate": 5}, 20),
        ({"epochs": 0.001}, 1),
        ({"minutes": 3.0}, None),
    ],
)
def test_a_budget_is_so_many_steps(keys: dict[str, Any], steps: int | None) -> None:
    assert budget(**keys).plan.total_steps == steps


def test_nothing_given_is_refused_with_what_to_give() -> None:
    with pytest.raises(UsageError, match=r"no budget: give one of training\.minutes, steps, tokens or epochs"):
        budget()


@pytest.mark.parametrize(
    "two", [{"steps": 3, "minutes": 1.0}, {"tokens": 3, "minutes": 1.0}, {"steps": 3, "tokens": 1}]
)
def test_two_given_are_refused_by_name(two: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{min(two)} and {max(two)}: give one budget, not 2"):
        budget(**two)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_a_way_to_an_end_needs_an_end(schedule: str) -> None:
    with pytest.raises(UsageError, match=f"schedule {schedule} needs to know its steps"):
        budget(minutes=2.0, schedule=schedule)
    assert budget(steps=2, schedule=schedule).plan.shape == schedule


# -- the learning rate -------------------------------------------------------------------------------------------------


def test_a_short_run_warms_up_for_a_fifth_of_it() -> None:
    assert budget(steps=100).plan == Plan("wsd", warmup_steps=20, total_steps=100, decay_steps=30)
    assert budget(steps=1000).plan == Plan("wsd", warmup_steps=50, total_steps=1000, decay_steps=300)
    assert budget(steps=1000, warmup_steps=7).plan.warmup_steps == 7


def test_a_run_that_repeats_one_of_minutes_warms_up_as_that_did() -> None:
    # which did not know its total when it warmed up, and so took all of warmup_steps
    assert budget(minutes=1.0).plan.warmup_steps == 50
    assert budget(steps=100, decay_steps=31).plan == Plan("wsd", warmup_steps=50, total_steps=100, decay_steps=31)


def test_the_rate_by_hand() -> None:
    made = budget(steps=20, warmup_steps=4, learning_rate=0.8, decay_fraction=0.25)
    rates = []
    while not made.done():
        rates.append(made.learning_rate)
        made.progress.step += 1
    # up by quarters; then held; of the last 5 steps each takes a sixth off
    expected = [0.2, 0.4, 0.6, 0.8] + [0.8] * 11 + [0.8 * left / 6 for left in (5, 4, 3, 2, 1)]
    assert rates == pytest.approx(expected)


def test_the_rate_that_is_told_is_that_of_the_step_before() -> None:
    made = budget(steps=20, warmup_steps=4, learning_rate=0.8)
    before = made.learning_rate
    made.progress.step, made.progress.elapsed_seconds = 1, 0.5
    assert made.pace()["learning_rate"] == before == pytest.approx(0.2)


def test_a_rate_never_falls_to_nothing() -> None:
    made = budget(steps=500, decay_fraction=1.0, warmup_steps=0)
    made.progress.step = 499
    assert made.learning_rate == pytest.approx(Config(steps=1).learning_rate * FLOOR)


def test_steps_of_decay_need_a_budget_whose_steps_are_known() -> None:
    with pytest.raises(UsageError, match="decay_steps: the steps of a budget in minutes are not known"):
        budget(minutes=2.0, decay_steps=7)
    with pytest.raises(UsageError, match="new_rate: only adamw has two rates"):
        budget(steps=2, new_rate=3.0, optimiser="muon")


# -- minutes become steps ----------------------------------------------------------------------------------------------


def test_minutes_become_steps_where_decay_begins() -> None:
    made = budget(minutes=2.0, decay_fraction=0.25, evaluations=8)
    made.progress.step, made.progress.elapsed_seconds = 30, 14.0
    made.fix()
    assert (made.plan.total_steps, made.progress.evaluate_steps) == (None, None)
    # an eighth of 120 seconds: from here on every 33 steps
    made.progress.step, made.progress.elapsed_seconds = 33, 15.0
    made.fix()
    assert made.progress.evaluate_steps == 33
    made.progress.step, made.progress.elapsed_seconds = 190, 89.0
    made.fix()
    assert made.plan.total_steps is None
    # three quarters: 30 seconds are left, at 200 steps in 90 seconds that is 66.7
    made.progress.step, made.progress.elapsed_seconds = 200, 90.0
    made.fix()
    assert (made.plan.total_steps, made.plan.decay_steps) == (267, 67)


def test_what_was_fixed_stays() -> None:
    made = budget(minutes=1.0, evaluate_steps=7)
    made.progress.step, made.progress.elapsed_seconds = 100, 50.0
    made.fix()
    fixed = made.plan
    assert fixed.total_steps == 120
    made.progress.step, made.progress.elapsed_seconds = 101, 59.0  # slower than was thought
    made.fix()
    assert made.plan == fixed
    assert made.progress.evaluate_steps == 7


def test_a_run_of_minutes_ends_by_the_clock_only_where_it_has_no_steps() -> None:
    made = budget(minutes=1.0, decay_fraction=0.0)
    made.progress.elapsed_seconds = 59.9
    assert not made.done()
    made.progress.elapsed_seconds = 60.0
    assert made.done()
    made.plan = Plan("wsd", 0, total_steps=5, decay_steps=2)
    assert not made.done()
    made.progress.step = 5
    assert made.done()


def test_steps_do_not_end_by_the_clock() -> None:
    made = budget(steps=3)
    made.progress.elapsed_seconds = 1e9
    assert made.seconds == float("inf")
    assert not made.done()


# -- rhythms -----------------------------------------------------------------------------------------------------------


def test_evaluations_are_spread_over_the_run_and_one_is_at_its_end() -> None:
    made = budget(steps=50, evaluations=4)
    due = []
    while not made.done():
        made.progress.step += 1
        if made.evaluation_due():
            due.append(made.progress.step)
    assert due == [12, 24, 36, 48, 50]
    assert budget(steps=3, evaluations=12).progress.evaluate_steps == 1
    assert budget(steps=50, evaluate_steps=17).progress.evaluate_steps == 17


@pytest.mark.parametrize(
    ("dev_tokens", "keys", "steps"),
    [
        (10_000, {}, 100),  # quick
        (10_001, {}, 650),  # 5 · 10,001 tokens of 77 a step
        (10_001, {"accumulate": 13}, 100),
        (10**9, {"evaluate_tokens": 12_000}, 780),
        (10**9, {"evaluate_steps": 3}, 3),  # what is asked for is done
    ],
)
def test_evaluations_that_take_long_are_rarer(dev_tokens: int, keys: dict[str, Any], steps: int) -> None:
    assert budget(dev_tokens, steps=1000, evaluations=10, **keys).progress.evaluate_steps == steps
    made = budget(dev_tokens, minutes=10.0, evaluations=10, **keys)
    made.progress.step, made.progress.elapsed_seconds = 100, 60.0
    made.fix()
    assert made.progress.evaluate_steps == steps


def test_minutes_have_no_rhythm_before_one_is_measured() -> None:
    made = budget(minutes=5.0)
    made.progress.step = 12
    assert not made.evaluation_due()


def test_who_stops_early_is_done_and_looks_once_more() -> None:
    made = budget(steps=1000)
    made.progress.step, made.progress.stopped_early = 5, True
    assert made.done()
    assert made.evaluation_due()
    assert not made.checkpoint_due(-1e9)


def test_checkpoints_by_the_clock_and_by_steps() -> None:
    made = budget(steps=1000, checkpoint_seconds=30.0)
    made.progress.step, made.progress.elapsed_seconds = 5, 129.0
    assert not made.checkpoint_due(100.0)
    assert made.checkpoint_due(99.0)
    both = budget(steps=1000, checkpoint_seconds=30.0, checkpoint_steps=7)
    both.progress.elapsed_seconds = 1.0
    assert [step for step in range(1, 30) if _due(both, step)] == [7, 14, 21, 28]
    assert not _due(both, 1000)  # the end is no checkpoint: the model is written


def _due(made: Budget, step: int) -> bool:
    made.progress.step = step
    return made.checkpoint_due(0.5)


# -- what is told ------------------------------------------------------------------------------------------------------


def test_the_pace_by_hand() -> None:
    made = budget(steps=100, accumulate=2)
    made.progress.step, made.progress.elapsed_seconds = 25, 5.0
    pace = made.pace()
    assert (pace["tokens"], pace["tokens_per_second"]) == (25 * 154, 25 * 154 / 5)
    assert pace["seconds_left"] == pytest.approx(15.0)  # 75 steps at 5 a second
    late = budget(minutes=1.0)
    late.progress.step, late.progress.elapsed_seconds = 1, 61.0
    assert late.pace()["seconds_left"] == 0
    late.progress.elapsed_seconds = 45.0
    assert late.pace()["seconds_left"] == 15


def test_before_the_first_step_only_what_was_given_is_known() -> None:
    assert budget(steps=9).forecast() == {"total_steps": 9}
    assert budget(minutes=0.5).forecast() == {"budget_seconds": 30.0}


def test_what_is_held_comes_back_as_it_was() -> None:
    made = budget(steps=9, evaluate_steps=2)
    made.progress.step, made.progress.best_loss, made.progress.stale = 4, 1.25, 3
    kept: Any = made.held()
    assert Progress(**kept["progress"]) == made.progress
    assert Plan(**kept["plan"]) == made.plan
    again = budget(steps=1)
    again.progress, again.plan = Progress(**kept["progress"]), Plan(**kept["plan"])
    assert (again.learning_rate, again.done()) == (made.learning_rate, made.done())
