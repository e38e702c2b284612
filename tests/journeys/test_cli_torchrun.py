"""Several processes by torchrun: one voice, one run, and a lost worker that nobody has to care for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.journeys.conftest import TINY, Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.runs import read_metrics

TRAINING = [
    *("--recipe", "gpt", "--tokens.vocab_size", "300", *TINY, "--seed", "7"),
    *("--training.rows", "4", "--training.precision", "f32"),
]


def torchrun(*arguments: Any, restarts: int = 0) -> "subprocess.Popen[str]":
    """Start a command in two processes."""
    start = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", f"--max-restarts={restarts}"]
    command = [sys.executable, "-m", *start, "-m", "ziggurat", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def workers(of: int) -> list[int]:
    """The processes that a torchrun has started, by their rank."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            if parent == of:
                variables = dict(v.partition("=")[::2] for v in entry.joinpath("environ").read_text().split("\0"))
                found.append((int(variables["RANK"]), int(entry.name)))
        except (OSError, ValueError, KeyError, IndexError):
            continue
    return [number for _, number in sorted(found)]


def weights(run: Path) -> dict[str, Any]:
    return dict(load_file(load(run, verify=True).path / "model.safetensors"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["ddp", "fsdp"])
def test_a_worker_is_killed_and_the_run_goes_on(how: str, texts: Path, tmp_path: Path) -> None:
    keys = ["train", texts, *TRAINING, "--training.spread", how, "--steps", "400", "--training.checkpoint_steps", "20"]
    whole = torchrun(*keys, "--out", tmp_path / "whole")
    out, err = whole.communicate(timeout=240)
    assert whole.returncode == 0, err
    # one voice
    assert out.count("bits per byte") == 1
    assert err.count("run folder") == 1
    facts = load(tmp_path / "whole").manifest.training
    assert (facts["processes"], facts["spread"]) == (2, how)

    cut = torchrun(*keys, "--out", tmp_path / "cut", restarts=3)
    metrics = tmp_path / "cut" / "metrics.jsonl"
    until = time.monotonic() + 120
    while not any(event["event"] == "checkpoint" for event in read_metrics(metrics)):
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(workers(cut.pid)[1], signal.SIGKILL)
    out, err = cut.communicate(timeout=240)
    assert cut.returncode == 0, err
    resumed = [event for event in read_metrics(metrics) if event["event"] == "resume"]
    assert len(resumed) == 1
    assert int(resumed[0]["step"]) % 20 == 0
    found, expected = weights(tmp_path / "cut"), weights(tmp_path / "whole")
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_wish_to_stop_saves_and_the_same_command_goes_on(texts: Path, tmp_path: Path) -> None:
    keys = ["train", texts, *TRAINING, "--steps", "2000", "--out", tmp_path / "run"]
    first = torchrun(*keys)
    metrics = tmp_path / "run" / "metrics.jsonl"
    until = time.monotonic() + 120
    while not any(event["event"] == "step" for event in read_metrics(metrics)):
        assert time.monotonic() < until
        time.sleep(0.05)
    first.send_signal(signal.SIGTERM)
    _, err = first.communicate(timeout=60)
    assert first.returncode != 0
    assert err.count("go on with:") == 1
    assert f"go on with: torchrun --nproc-per-node=2 -m ziggurat train --resume {tmp_path / 'run'}\n" in err
    assert any(event["event"] == "checkpoint" for event in read_metrics(metrics))
    second = torchrun(*keys)
    until = time.monotonic() + 120
    while not any(event["event"] == "resume" for event in read_metrics(metrics)):
        assert time.monotonic() < until
        time.sleep(0.05)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=60)


def test_the_folder_must_be_named(texts: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat) -> None:
    from contextlib import contextmanager

    from ziggurat.training import torchrun as processes

    class Two(processes.Processes):
        count = 2

    @contextmanager
    def two() -> Any:
        yield Two()

    monkeypatch.setattr(processes, "joined", two)
    ended = ziggurat("train", texts, *TRAINING, "--steps", "1")
    assert ended.code == 2
    assert "--out FOLDER" in ended.err


def test_one_process_that_torchrun_watches_goes_on_too(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
    ended = ziggurat("train", texts, *TRAINING, "--steps", "1")
    assert (ended.code, "--out FOLDER" in ended.err) == (2, True)
    keys = ["train", texts, *TRAINING, "--steps", "3", "--training.checkpoint_steps", "1", "--out", tmp_path / "run"]
    with monkeypatch.context() as patched:
        patched.setattr("ziggurat.surface.training.train_run", interrupted)
        assert ziggurat(*keys).code == 130
    assert ziggurat(*keys).code == 0  # the same command; without torchrun the folder would be refused


def test_a_follower_says_nothing_and_ends_as_the_first(
    texts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ziggurat: Ziggurat,
) -> None:
    from contextlib import contextmanager

    from ziggurat.training import torchrun as processes

    class Second(processes.Processes):
        rank, count = 1, 2

    @contextmanager
    def second() -> Any:
        yield Second()

    monkeypatch.setattr(processes, "joined", second)
    monkeypatch.setattr("ziggurat.surface.training.train_run", interrupted)
    with pytest.raises(SystemExit) as ended:
        ziggurat("train", texts, *TRAINING, "--out", tmp_path / "run")
    told = capsys.readouterr()
    assert (ended.value.code, told.out, told.err) == (130, "", "")


def interrupted(*_: Any) -> None:
    from ziggurat.core.errors import InterruptedRunError

    raise InterruptedRunError("stopped at step 3")
