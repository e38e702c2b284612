"""What holds of every plan, whatever family, size and hardware."""

from typing import Any

import pytest

from tests.fakes.jobs import GRADIENT_FAMILIES
from tests.fakes.machines import MACHINE
from ziggurat.core.anatomy import Anatomy
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.study.planning.budget import Budget
from ziggurat.study.planning.hardware import as_measured, named, names
from ziggurat.study.planning.memory import OFFERED, SHARED, STRATEGIES, Strategy, held
from ziggurat.study.planning.plan import PAYS, Asked, largest, make, suggested
from ziggurat.study.planning.step import measured
from ziggurat.study.planning.traffic import sent_bytes
from ziggurat.study.planning.work import Work, fused, recomputes

SIZES = (10_000, 100_000, 1_000_000)
ASKED = Asked(Budget("tokens", 1e6))


def anatomy_of(family: str, parameters: int = 100_000) -> Anatomy:
    chosen: Any = FAMILIES.get(family)
    found: Anatomy = chosen.anatomy(chosen.sized(parameters), Vocabulary(size=257, bos=0, eos=0))
    return found


def work_of(family: str, parameters: int = 100_000, *, rows: int = 3, text: int = 17, precision: str = "f32") -> Work:
    anatomy = anatomy_of(family, parameters)
    return Work(anatomy, 257, anatomy.drawn_for(text, rows=rows), precision)  # type: ignore[arg-type]


@pytest.fixture(params=GRADIENT_FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_more_devices_never_hold_more_and_ddp_never_less(family: str, precision: str) -> None:
    work = work_of(family, precision=precision)
    for strategy in STRATEGIES:
        peaks = [held(work, strategy, devices).footprint.total for devices in (2, 3, 5, 7, 64, 1024)]
        assert peaks == sorted(peaks, reverse=True)
        assert (len(set(peaks)) == 1) is (not SHARED[strategy])


def test_each_stage_shares_out_more(family: str) -> None:
    work = work_of(family)
    totals = [held(work, strategy, 7).footprint.total for strategy in STRATEGIES]
    assert totals == sorted(totals, reverse=True)
    assert len(set(totals)) == len(totals)


def test_one_device_shares_with_nobody(family: str) -> None:
    work = work_of(family)
    assert len({held(work, strategy, 1) for strategy in STRATEGIES}) == 1
    assert all(sent_bytes(work, strategy, 1) == 0 for strategy in STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_a_device_sends_grows_towards_a_bound(family: str, strategy: Strategy) -> None:
    work = work_of(family)
    sent = [sent_bytes(work, strategy, devices) for devices in (2, 3, 5, 1024)]
    assert sent == sorted(sent)
    most = 3 if strategy == "fsdp" else 2
    assert sent[-1] < most * 4 * work.anatomy.parameters
    assert sent[-1] == pytest.approx(1023 / 1024 * most * 4 * work.anatomy.parameters)


def test_larger_models_take_more_of_everything(family: str) -> None:
    plans = [make(work_of(family, size), as_measured(MACHINE), ASKED) for size in SIZES]
    for figure in ("step_seconds", "process_bytes", "seconds"):
        found = [getattr(plan, figure) for plan in plans]
        assert found == sorted(found)
        assert found[0] < found[-1]


@pytest.mark.parametrize("name", names())
def test_longer_and_more_rows_take_longer_on_every_hardware(family: str, name: str) -> None:
    steps = [make(work_of(family, rows=rows), named(name), ASKED).step_seconds for rows in (1, 2, 5, 11)]
    assert steps == sorted(steps)
    assert 0 < make(work_of(family), named(name), ASKED).mfu < 1


def test_recomputing_takes_time_for_memory(family: str) -> None:
    work = work_of(family, 1_000_000)
    if not recomputes(work.anatomy):
        assert held(work, "one", 1, recompute=True) == held(work, "one", 1)
        return
    assert held(work, "one", 1, recompute=True).footprint.activations < held(work, "one", 1).footprint.activations
    assert measured(work, MACHINE, recompute=True).seconds > measured(work, MACHINE).seconds
    assert work.done_flops(recompute=True) > work.done_flops(recompute=False) >= work.model_flops


def test_two_batches_of_a_step_take_twice_the_time_but_for_the_update(family: str) -> None:
    work = work_of(family)
    once, twice = (measured(Work(**{**vars(work), "accumulate": many}), MACHINE) for many in (1, 2))
    assert twice.seconds - twice.update == pytest.approx(2 * (once.seconds - once.update))
    assert twice.update == once.update


def test_what_is_suggested_fits_and_one_more_does_not(family: str) -> None:
    asked = Asked(Budget("steps", 1), usable=1.0, recompute=False)
    hardware = named("own", changes={"memory_gb": 0.05, "bandwidth_gb": 1.0, "f32_tflops": 0.1})
    plan = make(work_of(family), hardware, asked)
    found = suggested(plan, lambda size: work_of(family, size))
    limit = plan.outcomes[0].limit

    def peak(rows: int) -> int:
        return held(work_of(family, rows=rows), "one", 1).peak

    assert found.rows > 3
    assert peak(found.rows) <= limit < peak(found.rows + 1)
    assert found.parameters is not None
    assert plan.work.anatomy.parameters < found.parameters


def test_nothing_fits_in_nothing(family: str) -> None:
    hardware = named("own", changes={"memory_gb": 1e-6, "bandwidth_gb": 1.0, "f32_tflops": 0.1})
    plan = make(work_of(family), hardware, ASKED)
    assert not plan.fits
    assert vars(suggested(plan, lambda size: work_of(family, size))) == {"rows": 0, "window": 0, "parameters": 0}


def test_a_fused_attention_keeps_no_pairs(family: str) -> None:
    anatomy = fused(anatomy_of(family))
    assert all(part.saved.pairs_from_formula == 0 for part, _ in anatomy.whole.walk())
    assert anatomy.parameters == anatomy_of(family).parameters


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 63, 64, 65, 1009])
def test_the_largest_is_found(number: int) -> None:
    assert largest(lambda one: one <= number) == number
    # and never more than was asked for
    assert largest(lambda one: True, most=max(1, number)) == max(1, number)


def test_no_way_that_is_offered_and_fits_is_much_faster_than_the_one_chosen(family: str) -> None:
    hardware = named("own", devices=7, changes={"memory_gb": 1.0, "bandwidth_gb": 9.0, "f32_tflops": 0.1,
                                                "per_node": 7, "link_gb": 1e-3})  # fmt: skip
    work = work_of(family)
    free = make(work, hardware, ASKED)
    for strategy in STRATEGIES:
        forced = make(work, hardware, Asked(Budget("tokens", 1e6), strategy=strategy))
        assert (forced.strategy, forced.fits) == (strategy, True)
        if strategy in OFFERED:
            assert free.step_seconds <= PAYS * forced.step_seconds
    assert free.strategy in OFFERED
