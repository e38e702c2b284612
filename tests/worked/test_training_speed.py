"""Measuring a machine: what is timed, what is made of the seconds, and what a process takes beside its arrays."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from ziggurat.training import speed, taken
from ziggurat.training.memory import peak_bytes, resident_bytes
from ziggurat.training.rates import Machine, of_mapping
from ziggurat.training.taken import Taken

SMALL: dict[str, Any] = {
    "TOKENS": (3, 17),
    "WIDTHS": (5, 19),
    "SEEN": (7, 13),
    "ROWS": (2, 3),
    "CELLS": (5, 11),
    "STEPS": 3,
    "BLOCKS": ((17, 64), (34, 64)),
    "LOGITS": (44, 220),
    "IDS": 11,
    "NUMBERS": 4096,
    "COUNTED_TOKENS": 1031,
    "SECONDS": 0.0,
}


def ticking(step: float) -> Callable[[], float]:
    """A clock that goes on by ``step`` whenever it is read."""
    hours: Iterator[float] = iter(step * number for number in range(1_000_000))
    return lambda: next(hours)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which whatever is measured takes half a second."""
    for name, value in SMALL.items():
        monkeypatch.setattr(speed, name, value)
    monkeypatch.setattr(speed, "taken", lambda: Taken(1009, 1.5))
    return speed.measure(ticking(0.5))


def test_rates_are_what_was_done_by_the_seconds_that_it_took(machine: Machine) -> None:
    rates = machine.f32
    # three products of 3 × 5 by 5 × 5, two operations each: 2·3·3·25 in half a second
    assert rates.products[0] == (3, ((5, 900.0), (19, 2 * 6 * 3 * 361)))
    # 1024 // 13 rows of four heads of 64: three times 2·2·64 operations a pair
    assert rates.attention[1] == (13, 2 * 3 * 4 * 78 * 4 * 64 * 169)
    # four gates of two 5 × 5 matrices for 2 rows and 3 steps
    assert rates.cells[0][1][0] == (5, 2 * 6 * 8 * 25 * 2 * 3)
    assert rates.logit_forward == ((44, 0.5 / 44), (220, 0.5 / 220))
    assert machine.update == 0.5 / 4096
    # 1031 tokens of five orders; steps with and without counts take as long by this clock: a tenth of one is charged
    assert machine.counting == 0.5 / (5 * 1031)
    assert machine.telling == pytest.approx(0.05 / (11 * 1024))
    assert machine.bandwidth == 2 * 3 * 4 * (1 << 24)
    assert (machine.runtime_bytes, machine.slack) == (1009, 1.5)


def test_a_gradient_takes_a_tenth_of_the_forward_pass_at_least(machine: Machine) -> None:
    # forward, and forward with backward, both take half a second by this clock
    found = [count * seconds for count, seconds in machine.f32.logit_backward]
    assert found == pytest.approx([0.05, 0.05])


def test_what_is_measured_can_be_kept(machine: Machine) -> None:
    kept = of_mapping(json.loads(json.dumps(machine.to_mapping())))
    assert kept.of("bf16") == kept.bf16
    assert kept.f32.products == machine.f32.products
    assert kept.slack == machine.slack


def test_measuring_leaves_the_generator_of_torch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL.items():
        monkeypatch.setattr(speed, name, value)
    monkeypatch.setattr(speed, "taken", lambda: Taken(0, 1.0))
    torch.manual_seed(7)
    before = torch.get_rng_state()
    speed.measure(ticking(0.5))
    assert torch.equal(before, torch.get_rng_state())


def test_seconds_are_the_median_of_some_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "SECONDS", 0.0)
    times = iter([0, 5, 10, 12, 20, 29, 30, 31, 40, 47])  # 5, 2, 9, 1, 7
    with speed._counted_by(lambda: next(times)):
        assert speed._seconds(lambda: None) == 5
    assert [time.perf_counter] == speed._CLOCK


@pytest.mark.slow
def test_this_machine_is_measured_for_real(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    found = speed.measure()
    for rates in (found.f32, found.bf16):
        assert all(1e8 < value < 1e15 for _, curve in rates.products for _, value in curve)
        assert all(value > 0 for _, value in rates.moved)
    assert 1 <= found.slack < 4
    assert 1e8 < found.runtime_bytes < 2e9
    assert not caplog.records  # the text that is counted is nobody's: of it there is nothing to say


@pytest.mark.parametrize("half", [False, True])
def test_a_small_training_is_counted(half: bool) -> None:
    small = taken._peak(2, 3, parameters=1000, ids=17, half=half)
    assert small < taken._peak(3, 5, parameters=1000, ids=17, half=half)


def test_a_process_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["[300, 1.25]", "[500, 1.75]"])

    def run(command: list[str], **keys: Any) -> Any:
        assert command[-1] in ("f32", "bf16")
        return subprocess.CompletedProcess(command, 0, next(answers), "")

    monkeypatch.setattr(subprocess, "run", run)
    assert taken.taken() == Taken(500, 1.5)


def test_where_no_process_can_be_started_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **keys: subprocess.CompletedProcess(command, 1, "", ""))
    assert taken.taken() == Taken(0, 1.0)


def test_memory_that_is_resident_is_no_more_than_the_peak() -> None:
    assert 10_000_000 < resident_bytes() <= peak_bytes()
