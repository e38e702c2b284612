"""Means of weights, against the sums that they are; and what a run keeps of them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.fakes.jobs import EACH_KIND, Recorder, fit, job, same_weights, weights
from tests.fakes.processes import together
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.training import averaging
from ziggurat.training.averaging import EVERY, Average
from ziggurat.training.checkpoints import BEST, read_checkpoint
from ziggurat.training.gradient import Config
from ziggurat.training.schedules import Plan

PLAN = Plan("wsd", 2, 100, 30)


class Weights:
    """Some numbers, and a count that no mean can be of."""

    def __init__(self) -> None:
        self.held = {"a": torch.zeros(3, 2), "b": torch.zeros(5), "seen": torch.tensor(0)}

    def now(self) -> dict[str, Tensor]:
        return self.held

    def put(self, values: dict[str, Tensor]) -> None:
        assert values.keys() == self.held.keys()
        for name, value in values.items():
            self.held[name].copy_(value)

    def walk(self, average: Average, steps: int, plan: Plan = PLAN) -> Iterator[dict[str, Tensor]]:
        for step in range(1, steps + 1):
            dice = torch.Generator().manual_seed(step)
            self.put({n: torch.randn(v.shape, generator=dice).to(v.dtype) for n, v in self.held.items()})
            average.follow(step, plan)
            if step % EVERY == 0:
                yield {name: value.clone() for name, value in self.held.items()}


def test_the_tail_is_the_plain_mean_of_where_the_rate_falls() -> None:
    held = Weights()
    average = Average("tail", held.now, held.put)
    seen = list(held.walk(average, 100))
    # 30 steps of 100 decay, so those after 70: 80, 90 and 100
    assert average.count == 3
    for name in ("a", "b"):
        torch.testing.assert_close(average.means[name], torch.stack([one[name] for one in seen[7:]]).mean(0))
    assert average.means.keys() == {"a", "b"}


def test_a_tail_has_not_begun_before_the_end_is_known() -> None:
    held = Weights()
    average = Average("tail", held.now, held.put)
    list(held.walk(average, 50, Plan("wsd", 2, None, None)))
    assert not average.ready


def test_the_exponential_mean_by_its_weights() -> None:
    held = Weights()
    average = Average("ema", held.now, held.put)
    seen = list(held.walk(average, 60))
    # shares 9/9, 9/10, 9/11 …, 9/14 of the newest, and of the older ones what is left
    shares = np.array([9 / (9 + n) for n in range(6)])
    each = [shares[n] * np.prod(1 - shares[n + 1 :]) for n in range(6)]
    assert sum(each) == pytest.approx(1)
    wanted = sum(share * one["a"] for share, one in zip(each, seen, strict=True))
    torch.testing.assert_close(average.means["a"], torch.as_tensor(wanted).float())


def test_the_mean_is_shown_and_taken_away_again() -> None:
    held = Weights()
    average = Average("ema", held.now, held.put)
    last = list(held.walk(average, 30))[-1]
    with average.shown():
        assert torch.equal(held.held["a"], average.means["a"])
        assert torch.equal(held.held["seen"], last["seen"])
    assert torch.equal(held.held["a"], last["a"])
    with pytest.raises(KeyError), average.shown():
        raise KeyError
    assert torch.equal(held.held["a"], last["a"])
    average.keep()
    assert torch.equal(held.held["b"], average.means["b"])


def test_no_mean_is_made_where_none_is_wanted() -> None:
    held = Weights()
    average = Average("none", held.now, held.put)
    list(held.walk(average, 30))
    assert not average.ready


# -- in a run ----------------------------------------------------------------------------------------------------------

WILD: dict[str, Any] = {"steps": 60, "rows": 5, "learning_rate": 0.03, "schedule": "constant", "evaluate_steps": 20}
"""A rate at which weights wander, so that their mean is better."""


@pytest.mark.parametrize(
    ("family", "how"), [*(pytest.param(*one.values, "ema", marks=one.marks) for one in EACH_KIND), ("decoder", "tail")]
)
def test_a_mean_is_kept_where_it_is_better(family: str, how: str, tmp_path: Path) -> None:
    recorder = Recorder()
    fitted = fit(job(family, tmp_path, listener=recorder, average=how, **WILD))
    plain = fit(job(family, **WILD))
    assert fitted.facts["dev_loss"] <= plain.facts["dev_loss"]
    events = recorder.of("eval")
    assert "averaged" in events[-1]
    if how == "tail":  # begins with the last 30 % of 60 steps
        assert [("averaged" in event) for event in events] == [False, False, True]
    best = min(events, key=lambda event: float(event["loss"]))
    if best.get("averaged"):
        assert fitted.facts["dev_loss"] < plain.facts["dev_loss"]
    assert fitted.facts["dev_loss"] == best["loss"]
    kept = read_checkpoint(tmp_path / BEST).tensors
    for name, value in weights(fitted).items():
        np.testing.assert_array_equal(kept[name], value, err_msg=name)


@pytest.mark.parametrize("how", ["ema", "tail"])
def test_where_weights_wander_their_mean_is_better(how: str) -> None:
    # of three seeds: in one run of some processors, whose sums round otherwise, the last weights happen to lie well
    runs = [
        [dataclasses.replace(job("decoder", average=one, **WILD), seed=seed) for seed in (0, 1, 2)]
        for one in ("none", how)
    ]
    plain, mean = (np.mean([fit(run).facts["dev_loss"] for run in some]) for some in runs)
    assert mean < plain - 0.01


def test_training_itself_goes_on_from_the_last_weights() -> None:
    keys = {**WILD, "keep": "last", "schedule": "wsd", "learning_rate": 0.003}
    seen: list[list[float]] = []
    for how in ("none", "ema"):
        recorder = Recorder()
        fit(job("decoder", listener=recorder, average=how, **keys))
        seen.append([float(event["loss"]) for event in recorder.of("step")])
    assert seen[0] == seen[1]


def test_without_held_out_text_the_mean_is_the_model() -> None:
    last, mean = (fit(dataclasses.replace(job("decoder", average=how, **WILD), dev=None)) for how in ("none", "ema"))
    assert not same_weights(last, mean)


@pytest.mark.parametrize("keep", ["best", "last"])
@pytest.mark.parametrize("how", ["ema", "tail"])
def test_a_run_that_was_stopped_ends_with_the_same_mean(how: str, keep: str, tmp_path: Path) -> None:
    keys = {**WILD, "average": how, "checkpoint_steps": 7, "keep": keep}

    def stop(event: Any) -> None:
        if event["event"] == "checkpoint" and event["step"] >= 56:
            raise KeyError

    whole = fit(job("recurrent", tmp_path / "whole", **keys))
    with pytest.raises(KeyError):
        fit(job("recurrent", tmp_path / "stopped", listener=Recorder(stop), **keys))
    again = fit(job("recurrent", tmp_path / "stopped", **keys))
    assert same_weights(whole, again)
    assert whole.facts["dev_loss"] == again.facts["dev_loss"]


@pytest.mark.parametrize("how", ["ddp", pytest.param("fsdp", marks=pytest.mark.slow)])
def test_several_processes_have_the_mean_of_one(how: str) -> None:
    keys = {**WILD, "learning_rate": 0.003, "average": "ema", "rows": 4, "spread": how, "precision": "f32"}
    keys["keep"] = "last"
    alone = weights(fit(job("decoder", **{**keys, "spread": "auto"})))
    for found in together(2, lambda _: {n: v.copy() for n, v in weights(fit(job("decoder", **keys))).items()}):
        same = [np.isclose(value, alone[name], rtol=2e-3, atol=1e-4).ravel() for name, value in found.items()]
        assert np.concatenate(same).mean() > 0.97


def test_a_tail_without_decay_is_refused() -> None:
    with pytest.raises(UsageError, match="average tail is of the steps in which the rate decays, and there are none"):
        from_mapping(Config, {"steps": 3, "average": "tail", "decay_fraction": 0.0}, where="training")


def test_weights_are_looked_at_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    held, looks = Weights(), 0

    def now() -> dict[str, Tensor]:
        nonlocal looks
        looks += 1
        return held.now()

    average = Average("ema", now, held.put)
    list(held.walk(average, 100))
    assert looks == 100 // averaging.EVERY
