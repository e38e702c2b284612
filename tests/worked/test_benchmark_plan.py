"""The benchmark of plans: its cases are recipes that can be trained, and what it measures is what it says."""

import pytest

from benchmarks import plan as benchmark
from tests.fakes.machines import MACHINE
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.subjects import planned


@pytest.mark.parametrize("name", [*benchmark.CASES, "modern"])
def test_every_case_is_planned_in_the_precision_of_its_name(name: str) -> None:
    work = planned(benchmark.settings_of(name), PlanOptions())[0].work
    assert name == "modern" or name.endswith(work.precision)


def test_the_mean_of_two_plans_is_that_of_their_times() -> None:
    fast, slow = (benchmark._plan("bert, f32", machine) for machine in (MACHINE, MACHINE))
    tokens = 32 * 64
    assert benchmark.step_tokens_per_second([fast, slow]) == pytest.approx(tokens / fast.step_seconds)


@pytest.mark.parametrize("name", ["bert, f32", "article-transformer, f32", "lstm, f32"])
def test_a_case_is_trained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, changes = benchmark.CASES[name]
    sizes = {"training.rows": "2", "training.window": "11", "tokens.vocab_size": "300"}
    monkeypatch.setitem(benchmark.CASES, name, (recipe, {**changes, **sizes}))
    clock = iter([100.0, 104.0])
    monkeypatch.setattr(benchmark, "_clock", lambda: next(clock))
    found = benchmark._trained(name, str(benchmark.FIRST + 4))
    assert found["tokens_per_second"] == 4 * 2 * 11 / 4.0
    assert found["peak_bytes"] > 1e7
