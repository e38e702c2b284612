"""Time, energy, cost and failures, counted by hand."""

import math

import pytest

from tests.fakes.machines import MACHINE, RATES
from tests.worked.test_plan_memory import ANATOMY, LOAD, work
from ziggurat.core.errors import DamagedError, UnknownNameError, UsageError
from ziggurat.study.planning.budget import Budget, critical_batch_tokens, failures, tokens_of
from ziggurat.study.planning.hardware import Hardware, as_measured, here, named, names
from ziggurat.study.planning.plan import Asked, make, suggested
from ziggurat.study.planning.step import TOUCHES, UPDATE_NUMBERS, from_sheet, measured, weights_moved
from ziggurat.training.rates import Machine, between, of_mapping, on_sheet

OWN = {"memory_gb": 1e-5, "bandwidth_gb": 1e-3, "f32_tflops": 1e-6, "watts": 500.0, "per_node": 8, "link_gb": 1e-3}


def own(devices: int = 1, **changes: float) -> Hardware:
    return named("own", devices=devices, changes={**OWN, **changes})


def test_between_two_sizes_logarithms_are_straight() -> None:
    assert between(((2.0, 5.0), (8.0, 20.0)), 4) == pytest.approx(10)
    assert between(((2.0, 5.0), (8.0, 20.0)), 1) == 5
    assert between(((2.0, 5.0), (8.0, 20.0)), 9) == 20
    # at 32 tokens, half way from 8 to 128: √(1e9 · 2e9) for 16, and twice as much twice as wide
    assert on_sheet(RATES.products, 32, 16) == pytest.approx(math.sqrt(2) * 1e9)
    assert on_sheet(RATES.products, 32, 32) == pytest.approx(2 * math.sqrt(2) * 1e9)


def test_a_step_on_a_data_sheet() -> None:
    # 3 · 2 rows · 2·(3·35 + 55)·3 tokens = 5760 operations at 0.5 of 1e6 a second
    step = from_sheet(work(), own(), reached=0.5)
    assert step.products == pytest.approx(5760 / 0.5e6)
    # activations of 1080 bytes and 264 of logits move less long than that, and so do 160 numbers of matrices, read
    # twice, and of gradients; 160 numbers of 4 bytes are updated
    assert (step.moved, step.update) == (0, pytest.approx(UPDATE_NUMBERS * 4 * 160 / 1e6))
    slow = from_sheet(work(), own(bandwidth_gb=1e-4), reached=0.5, shares=4)
    assert slow.products + slow.moved == pytest.approx((TOUCHES * (1080 + 264) + 3 * 640) / 1e5)
    assert slow.update == pytest.approx(UPDATE_NUMBERS * 4 * 40 / 1e5)


@pytest.mark.parametrize(
    ("precision", "accumulate", "each"),
    [
        ("f32", 1, 8 + 4),
        ("f32", 3, 8 + 8),  # gradients that add up are read too
        ("bf16", 1, 4 + 2 + 4 + 4),  # read once, a copy written, and read twice
        ("bf16", 3, 4 + 2 + 4 + 8),
    ],
)
def test_weights_go_through_memory_for_each_batch(precision: str, accumulate: int, each: int) -> None:
    assert weights_moved(work(precision, accumulate)) == 160 * each


def test_a_step_on_a_machine_that_was_measured() -> None:
    step = measured(work(), MACHINE)
    assert step.logits == pytest.approx(66 * (2e-9 + 3e-9))
    assert step.update == pytest.approx(160 * 7e-9)
    # at 6 tokens matrices are at the end of every curve: 1e9 operations a second
    assert step.products == pytest.approx(6 * 6 * (3 * 35 + 55) / 1e9)
    # embeddings 6·8 and blocks 6·3·48 bytes at a nanosecond each, and five parts without parts
    assert step.moved == pytest.approx((48 + 864) * 1e-9 + 5e-6)
    again = measured(work(), MACHINE, recompute=True)
    assert again.products == pytest.approx(6 * 6 * (4 / 3 * 3 * 35 + 55) / 1e9)
    assert measured(work(accumulate=3), MACHINE).products == pytest.approx(3 * step.products)


@pytest.mark.parametrize(
    ("budget", "tokens"),
    [
        (Budget("tokens", 4321), 4321),
        (Budget("steps", 7), 7 * 13),
        (Budget("minutes", 2), 120 / 0.25 * 13),
        (Budget("epochs", 3), 3 * 1009),
        (Budget("optimal"), 20 * 31),
    ],
)
def test_what_a_budget_reads(budget: Budget, tokens: float) -> None:
    assert tokens_of(budget, step_tokens=13, step_seconds=0.25, parameters=31, corpus_tokens=1009) == tokens


def test_epochs_need_a_text() -> None:
    with pytest.raises(UsageError, match="--text-tokens"):
        tokens_of(Budget("epochs", 1), step_tokens=1, step_seconds=1, parameters=1, corpus_tokens=None)


def test_failures_by_young() -> None:
    # 1000 devices that fail once in 50,000 hours: the whole fails every 50 hours, 180,000 s; √(2·100·180,000) = 6,000 s
    found = failures(useful_seconds=1_740_000, devices=1000, mtbf_hours=50_000, checkpoint_seconds=100)
    assert (found.mean_seconds, found.interval_seconds) == (180_000, 6000)
    # 100/6000 for saving and 6000/360,000 for what is done again: 29 parts of 30 are useful, of 1,800,000 s
    assert found.lost_part == pytest.approx(1 / 60 + 1 / 60)
    assert found.expected == pytest.approx(10)


def test_the_critical_batch() -> None:
    assert critical_batch_tokens(1.0) == 2e8
    assert critical_batch_tokens(2.0) == pytest.approx(2e8 / 2 ** (1 / 0.21))


def test_energy_cost_and_time_of_a_plan() -> None:
    asked = Asked(Budget("steps", 1000), reached=0.5, price=3.0, pue=1.2, usable=1.0)
    plan = make(work(), own(), asked)
    step = 5760 / 0.5e6 + UPDATE_NUMBERS * 640 / 1e6
    assert plan.step_seconds == pytest.approx(step)
    assert plan.seconds == pytest.approx(1000 * step)
    assert plan.energy_kwh == pytest.approx(1000 * step / 3600 * 0.5 * 1.2)
    assert plan.cost == pytest.approx(3 * 1000 * step / 3600)
    assert plan.mfu == pytest.approx(5760 / step / 1e6)
    assert plan.tokens == 6000


def test_evaluations_take_a_third_a_token_and_stay_within_minutes() -> None:
    plain = make(work(), own(), Asked(Budget("steps", 10)))
    each, reading = plain.step_seconds / 6, plain.step.computing / 6 / 3  # nothing is updated
    more = make(work(), own(), Asked(Budget("steps", 10), evaluation_tokens=90))
    assert more.seconds - plain.seconds == pytest.approx(90 * reading)
    minute = make(work(), own(), Asked(Budget("minutes", 1), evaluation_tokens=90))
    assert minute.seconds == pytest.approx(60)
    assert minute.tokens == pytest.approx((60 - 90 * reading) / each)


@pytest.mark.parametrize(("one", "read"), [(10_000, 90_000), (10_001, 12_000), (14_000, 14_000)])
def test_long_evaluations_are_as_rare_as_the_trainer_makes_them(one: int, read: int) -> None:
    asked = Asked(Budget("tokens", 60_000), evaluation_tokens=90_000, one_evaluation_tokens=one)
    plan = make(work(), own(), asked)
    assert plan.evaluation_seconds == pytest.approx(read * plan.step.computing / 6 / 3)


def test_the_largest_that_fit() -> None:
    # 10,000 bytes: 1920 of weights and moments, then for each row 3 tokens · (180 + 3·44) bytes = 936
    plan = make(work(), own(), Asked(Budget("steps", 1), usable=1.0, recompute=False))
    assert suggested(plan, None).rows == (10_000 - 1920) // 936 == 8
    assert suggested(plan, None).window == 12  # 4040 bytes a row of 2, 312 a token
    assert suggested(plan, None).parameters is None


def test_a_process_takes_more_than_its_arrays() -> None:
    plan = make(work(), as_measured(MACHINE), Asked(Budget("steps", 1)))
    assert plan.process_bytes == 100_000_000 + 1.25 * plan.chosen.peak
    assert plan.outcomes[0].limit == pytest.approx((0.9e9 - 1e8) / 1.25)


@pytest.mark.parametrize("missing", [{"memory_gb": 0.0}, {"f32_tflops": 0.0}, {"bandwidth_gb": 0.0}])
def test_a_figure_that_is_missing_is_asked_for(missing: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"^--(memory|f32-tflops|bandwidth): own does not say; give a number"):
        make(work(), own(1, **missing), Asked(Budget("steps", 1)))


def test_nodes_wait_for_their_network() -> None:
    near, far = named("h100-sxm", devices=8), named("h100-sxm", devices=9)
    assert (near.nodes, near.link, far.nodes, far.link) == (1, 450e9, 2, 50e9)
    with pytest.raises(UsageError, match="--link"):
        make(work(), own(9, network_gb=1.0, link_gb=0.0), Asked(Budget("steps", 1)))
    with pytest.raises(UsageError, match="--network"):
        make(work(), own(9), Asked(Budget("steps", 1)))


def test_a_data_sheet_by_a_wrong_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'h100-sxm'"):
        named("h100-smx")
    assert all(named(name).device.source for name in names())


def test_a_machine_goes_through_json_and_damage_is_seen(tmp_path, monkeypatch) -> None:
    mapping = MACHINE.to_mapping()
    assert of_mapping(mapping) == MACHINE
    for key, value in (("slack", "much"), ("f32", {}), ("bf16", {**mapping["bf16"], "attention": ((1, 0),)})):
        with pytest.raises(DamagedError, match="no rates of a machine"):
            of_mapping({**mapping, key: value})


def test_a_machine_is_measured_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ziggurat.study.planning.hardware.cache_folder", lambda: tmp_path / "kernels")
    calls: list[int] = []

    def measure() -> Machine:
        calls.append(1)
        return MACHINE

    for again in (False, False, True):
        assert here(measure=measure, again=again, memory=lambda: 0).machine == MACHINE
    assert len(calls) == 2
    file = next(tmp_path.glob("machine-*.json"))
    file.write_text("{", encoding="utf-8")
    assert here(measure=measure, memory=lambda: 0).machine == MACHINE
    assert len(calls) == 3
    # how much memory there is is asked anew, of a machine that is remembered too
    sizes = iter([7 << 30, 3 << 30])
    found = [here(measure=measure, memory=lambda: next(sizes)).memory_bytes for _ in range(2)]
    assert found == [7 << 30, 3 << 30]
    assert len(calls) == 3


def test_the_load_of_the_example() -> None:
    assert (LOAD.rows, LOAD.text, ANATOMY.context) == (2, 3, 13)
