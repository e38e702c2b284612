"""What is kept of a run: lines of JSON that survive a kill, and TensorBoard's files."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.families import MASKED_FAMILIES
from tests.fakes.jobs import CUT_BY_LENGTH, GRADIENT_FAMILIES, Recorder, fit, job
from ziggurat.training import events


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_event_is_a_line_at_once(tmp_path: Path) -> None:
    listen = events.metrics_file(tmp_path / "deep" / "metrics.jsonl")
    listen({"event": "step", "step": 10, "loss": 1.5})
    listen({"event": "stage", "stage": "文"})
    assert lines(tmp_path / "deep" / "metrics.jsonl") == [
        {"event": "step", "step": 10, "loss": 1.5},
        {"event": "stage", "stage": "文"},
    ]


def test_a_resumed_run_reads_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    listen = events.metrics_file(path)
    for step in (10, 20, 30):
        listen({"event": "step", "step": step})
    with path.open("a") as file:
        file.write('{"event": "step", "st')
    listen({"event": "resume", "step": 20})
    listen({"event": "step", "step": 30})
    assert [(line["event"], line["step"]) for line in lines(path)] == [
        ("step", 10),
        ("step", 20),
        ("resume", 20),
        ("step", 30),
    ]


def test_a_run_lost_before_its_first_checkpoint_leaves_no_steps(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    listen = events.metrics_file(path)
    for _ in range(2):
        listen({"event": "stage", "stage": "training"})
        listen({"event": "start", "step": 0})
        for step in (10, 20):
            listen({"event": "step", "step": step})
    told = [(line["event"], line.get("step")) for line in lines(path)]
    before = [("stage", None), ("start", 0)]
    assert told == [*before, *before, ("step", 10), ("step", 20)]


def test_resuming_without_a_file_begins_one(tmp_path: Path) -> None:
    events.metrics_file(tmp_path / "m.jsonl")({"event": "resume", "step": 5})
    assert lines(tmp_path / "m.jsonl") == [{"event": "resume", "step": 5}]


def test_several_listeners_hear_all_in_order() -> None:
    heard: list[tuple[str, Any]] = []
    both = events.several([lambda event: heard.append(("a", event)), lambda event: heard.append(("b", event))])
    both({"event": "end"})
    assert heard == [("a", {"event": "end"}), ("b", {"event": "end"})]


def test_tensorboard_holds_the_numbers(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    listen = events.tensorboard(tmp_path)
    listen({"event": "step", "step": 10, "loss": 1.5, "note": "no number"})
    listen({"event": "step", "step": 20, "loss": 1.25})
    listen({"event": "end", "step": 20, "seconds": 3.0})
    found = EventAccumulator(str(tmp_path)).Reload()
    assert [(point.step, point.value) for point in found.Scalars("step/loss")] == [(10, 1.5), (20, 1.25)]
    assert found.Tags()["scalars"] == ["step/loss", "end/seconds"]


@pytest.mark.parametrize("family", GRADIENT_FAMILIES)
def test_a_run_tells_its_story(family: str, tmp_path: Path) -> None:
    recorder = Recorder()
    fitted = fit(job(family, tmp_path, steps=40, checkpoint_steps=15, evaluations=2, listener=recorder))
    kinds = [event["event"] for event in recorder.events if event["event"] != "counted"]
    assert (kinds[0], kinds[-1]) == ("start", "end")
    assert [event["step"] for event in recorder.of("step")] == [10, 20, 30, 40]
    assert [event["step"] for event in recorder.of("eval")] == [20, 40]
    assert [event["step"] for event in recorder.of("checkpoint")] == [15, 30]
    (start,) = recorder.of("start")
    assert start["total_steps"] == 40
    last = recorder.of("step")[-1]
    assert last["tokens"] == fitted.facts["tokens"]
    if family not in CUT_BY_LENGTH:
        # 3 rows of 11: all are predicted, or of their 9 between begin and end 15 %, which is one
        assert last["tokens"] == 40 * 3 * (1 if family in MASKED_FAMILIES else 11)
    assert last["seconds_left"] == 0
    stepping = float(last["seconds"]) - float(fitted.facts.get("counting_seconds", 0.0))
    assert float(last["tokens_per_second"]) == pytest.approx(float(last["tokens"]) / stepping)
    assert float(last["learning_rate"]) < 3e-3
