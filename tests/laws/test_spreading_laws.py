"""What is true of every family that several processes train together; nobody lists families here but the slow test."""

import dataclasses
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.jobs import CUT_BY_LENGTH, EACH_KIND, GRADIENT_FAMILIES, Recorder, fit, job, weights
from tests.fakes.processes import together
from ziggurat.core.errors import DamagedError, InterruptedRunError, UsageError
from ziggurat.training.job import Fitted, Job
from ziggurat.training.torchrun import Processes

HOW = ["ddp", "fsdp"]
READING_ROWS = [name for name in GRADIENT_FAMILIES if name not in CUT_BY_LENGTH]


def asked(family: str, folder: Path | None = None, **keys: Any) -> Job:
    """A job without dropout, of which each process would draw its own."""
    found = job(family, folder, **{"rows": 6, "steps": 20, "evaluations": 4, "precision": "f32", **keys})
    config = found.model_config
    still = {field.name: 0.0 for field in dataclasses.fields(config) if "drop" in field.name}
    return dataclasses.replace(found, model_config=dataclasses.replace(config, **still))


def told(wanted: Job) -> tuple[dict[str, list[float]], dict[str, Any], dict[str, Any]]:
    """The losses of a run, its weights and its facts."""
    recorder = Recorder()
    fitted = fit(dataclasses.replace(wanted, listener=recorder))
    losses = {kind: [float(event["loss"]) for event in recorder.of(kind)] for kind in ("step", "eval")}
    return losses, {name: value.copy() for name, value in weights(fitted).items()}, dict(fitted.facts)


def like(one: dict[str, list[float]], two: dict[str, list[float]], tolerance: float) -> None:
    for kind in ("step", "eval"):
        assert one[kind]
        np.testing.assert_allclose(one[kind], two[kind], rtol=tolerance, err_msg=kind)


# fsdp of every family takes a minute; below, a decoder and an LSTM go through it in every run
@pytest.mark.parametrize("how", ["ddp", pytest.param("fsdp", marks=pytest.mark.slow)])
@pytest.mark.parametrize("family", EACH_KIND)
def test_two_processes_learn_as_one_does(family: str, how: str) -> None:
    wanted = asked(family, accumulate=2, spread=how)
    losses, alone, facts = told(wanted)
    both = together(2, lambda _: told(wanted))
    for other, found, said in both:
        like(losses, other, 1e-5)
        assert found.keys() == alone.keys()
        same = [np.isclose(value, alone[name], rtol=2e-3, atol=1e-4).ravel() for name, value in found.items()]
        # Adam steps by signs where a gradient is next to 0
        assert np.concatenate(same).mean() > 0.97
        assert (said["processes"], said["spread"]) == (2, how)
        assert (said["tokens"], said["steps"]) == (facts["tokens"], facts["steps"])
    np.testing.assert_equal(both[0][1], both[1][1])


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("family", ["decoder", "recurrent"])
def test_two_processes_have_the_curve_of_one_over_200_steps(family: str, how: str) -> None:
    # at a larger rate the rounding of any other order of sums grows: one process whose rows come in two batches then
    # drifts by 1.5e-4 too, the very same as two processes (`benchmarks.spread`)
    wanted = asked(family, steps=200, spread=how, learning_rate=0.001)
    losses, _, _ = told(wanted)
    for other, _, _ in together(2, lambda _: told(wanted)):
        assert len(other["step"]) == 20
        like(losses, other, 1e-4)


@pytest.mark.parametrize(
    ("how", "keys"),
    [
        ("ddp", {"optimiser": "muon"}),
        ("ddp", {"frozen": ["stack.layers.0"]}),
        ("fsdp", {"optimiser": "muon"}),
        ("fsdp", {"lora_rank": 2}),
    ],
    ids=str,
)
def test_other_ways_to_train_are_shared_too(how: str, keys: dict[str, Any]) -> None:
    wanted = asked("decoder", spread=how, steps=10, **keys)
    losses, alone, _ = told(wanted)
    ((other, found, _), _) = together(2, lambda _: told(wanted))
    like(losses, other, 1e-3 if "optimiser" in keys else 1e-5)  # Muon's step is made in bfloat16
    assert found.keys() == alone.keys()


def with_tables(wanted: Job) -> Job:
    keys = {"ngram_orders": (2, 3), "ngram_rows": 101}
    return dataclasses.replace(wanted, model_config=dataclasses.replace(wanted.model_config, **keys))


@pytest.mark.parametrize("how", HOW)
def test_tables_are_shared_too_and_others_go_on_with_them(how: str, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"spread": how, "steps": 10, "checkpoint_steps": 2, "accumulate": 2}
    losses, alone, _ = told(with_tables(asked("decoder", **keys)))

    def until_four(event: Any) -> None:
        if event["event"] == "checkpoint" and event["step"] == 4:
            raise InterruptedRunError("here")

    def work(_: Processes) -> Any:
        return fit(dataclasses.replace(with_tables(asked("decoder", tmp_path, **keys)), listener=Recorder(until_four)))

    for error in together(2, work):
        assert isinstance(error, InterruptedRunError), error
    last = fit(with_tables(asked("decoder", tmp_path, **keys)))
    ((other, found, _), _) = together(2, lambda _: told(with_tables(asked("decoder", **keys))))
    like(losses, other, 1e-5)
    table = "embed_ngrams.weight"
    assert alone[table].any()
    for values in (found[table], weights(last)[table]):
        assert np.isclose(values, alone[table], rtol=2e-3, atol=1e-4).mean() > 0.97


@pytest.mark.parametrize("how", HOW)
def test_a_run_of_two_goes_on_in_one_and_in_three(how: str, tmp_path: Path) -> None:
    # an LSTM, whose rows each carry a state of their own from batch to batch
    keys: dict[str, Any] = {"steps": 20, "evaluate_steps": 4, "checkpoint_steps": 3, "spread": how}
    losses, alone, _ = told(asked("recurrent", **keys))

    def until(step: int) -> Any:
        def act(event: Any) -> None:
            if event["event"] == "eval" and event["step"] == step:
                os.kill(os.getpid(), signal.SIGTERM)

        def work(processes: Processes) -> Fitted:
            # one process hears the wish to stop, and all stop at the same step
            hears = Recorder(act) if processes.rank == 0 else Recorder()
            return fit(dataclasses.replace(asked("recurrent", tmp_path, **keys), listener=hears))

        return work

    for count, step in ((2, 4), (3, 8), (2, 16)):
        for error in together(count, until(step)):
            assert isinstance(error, InterruptedRunError), error
            assert f"stopped at step {step + 1};" in str(error)
        assert len(list(tmp_path.glob("rows-*"))) <= 2 * 3  # two generations, of three processes at most
        if count == 3:
            with pytest.raises(InterruptedRunError, match="stopped at step 12;"):
                until(12)(Processes())
    recorder = Recorder()
    last = fit(dataclasses.replace(asked("recurrent", tmp_path, **keys), listener=recorder))
    assert [int(event["step"]) for event in recorder.of("resume")] == [17]
    np.testing.assert_allclose([float(e["loss"]) for e in recorder.of("eval")][-1], losses["eval"][-1], rtol=1e-5)
    for name, value in weights(last).items():
        np.testing.assert_allclose(value, alone[name], rtol=2e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("other", ["none", "older"])
def test_processes_that_see_other_disks_do_not_go_on(other: str, tmp_path: Path) -> None:
    # the first has a checkpoint of step 4 in its folder; the other has one of step 2 in its own, or none at all
    for place, until in [("0", 4), ("1", 2)][: 1 if other == "none" else 2]:

        def stop(event: Any, until: int = until) -> None:
            if event["event"] == "checkpoint" and event["step"] == until:
                raise InterruptedRunError("here")

        wanted = asked("decoder", tmp_path / place, checkpoint_steps=2)
        with pytest.raises(InterruptedRunError):
            fit(dataclasses.replace(wanted, listener=Recorder(stop)))

    def work(processes: Processes) -> Fitted:
        return fit(asked("decoder", tmp_path / str(processes.rank), checkpoint_steps=2))

    for rank, error in enumerate(together(2, work)):
        assert isinstance(error, DamagedError), error
        assert f"{tmp_path / str(rank)}: processes found different checkpoints; do all see the same disk?" in str(error)


@pytest.mark.parametrize("family", READING_ROWS)
def test_rows_that_can_not_be_shared_are_refused_by_all(family: str) -> None:
    for error in together(2, lambda _: fit(asked(family, rows=5))):
        assert isinstance(error, UsageError), error
        assert "training.rows: 5 rows of a batch are no multiple of 2 processes; set it to 4" in str(error)
