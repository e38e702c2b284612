"""Kill −9 at random moments: a training run always resumes, and ends with the weights of a run that nobody touched.

::

    python -m benchmarks.kill9 [--quick] [--data DIR]

A small decoder is trained by the command line in a process of its own, which is killed at a moment drawn at random and
resumed by the command that the manual names, twenty times over (``--quick``: three). Then it is left to finish. Each
resumed process must say a step that is at most one checkpoint interval behind the last one that its metrics show.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import data_folder, print_table, report

__all__ = ["main"]

_INTERVAL = 5
"""Steps between checkpoints."""
_TRAINING = (
    *("--recipe", "gpt", "--tokens.kind", "bytes", "--model.layers", "2", "--model.width", "64", "--model.heads", "4"),
    *("--model.context", "64", "--training.window", "64", "--training.checkpoint_steps", str(_INTERVAL)),
    *("--training.evaluate_steps", "20", "--training.evaluate_tokens", "2000"),
)


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill9", description="runs that are killed and resumed")
    parser.add_argument("--quick", action="store_true", help="three kills instead of twenty")
    parser.add_argument("--data", type=Path, help="folder with input.txt (default: tiny_shakespeare)")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    options = parser.parse_args(arguments)
    text = data_folder(options.data, "tiny_shakespeare") / "input.txt"
    kills = 3 if options.quick else 20
    steps = 60 * kills
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        seconds = _whole(text, folder / "whole", steps)
        print(f"an untouched run of {steps} steps took {seconds:.1f} s\n")
        rows = _killed(text, folder / "killed", steps, kills=kills, pause=seconds / kills, seed=options.seed)
        print_table(["kill", "after s", "steps done", "resumed at", "lost"], rows)
        identical = _weights(folder / "whole") == _weights(folder / "killed")
        metrics = _steps(folder / "killed") == _steps(folder / "whole")
    lost = max(int(row[4]) for row in rows if row[4] != "-")
    print(f"\nsame weights, bit for bit: {identical}; same steps in metrics.jsonl: {metrics}")
    facts = {"kills": len(rows), "resumed": len(rows), "most_steps_lost": lost, "interval": _INTERVAL}
    report("kill9", None, identical=identical, same_metrics=metrics, **facts)
    if not identical or lost > _INTERVAL:
        raise SystemExit(1)


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "ziggurat", "train", *map(str, words), "--quiet"]


def _whole(text: Path, folder: Path, steps: int) -> float:
    started = time.perf_counter()
    subprocess.run(
        _command(text, *_TRAINING, "--steps", str(steps), "--out", folder), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def _killed(text: Path, folder: Path, steps: int, *, kills: int, pause: float, seed: int) -> list[list[str]]:
    """Begin, kill and resume until it has been killed ``kills`` times; then let it end. Return a row for each kill."""
    dice = np.random.default_rng(seed)
    rows: list[list[str]] = []
    command = _command(text, *_TRAINING, "--steps", str(steps), "--out", folder)
    while True:
        before, known = _last_step(folder), len(_resumptions(folder))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        if not (folder / "recipe.toml").exists():  # a run that has not begun can't be resumed
            while not (folder / "recipe.toml").exists():
                time.sleep(0.01)
        wait = dice.uniform(0.1, 4 + pause) if len(rows) < kills else None
        try:
            code = process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            code = None
        resumed = _resumptions(folder)
        if rows and len(resumed) > known:  # else it was killed before it had read its checkpoint
            rows[-1][3:] = [str(resumed[-1]), str(max(0, before - resumed[-1]))]
        if code is not None:
            if code:
                raise SystemExit(f"a resumed run failed with exit code {code}")
            break
        rows.append([str(len(rows) + 1), f"{wait:.2f}", str(_last_step(folder)), "-", "-"])
        command = _command("--resume", folder)
    return rows


def _events(folder: Path) -> list[dict[str, object]]:
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # the line that was being written
            continue
    return found


def _last_step(folder: Path) -> int:
    return max((int(str(event["step"])) for event in _events(folder) if "step" in event), default=0)


def _resumptions(folder: Path) -> list[int]:
    return [int(str(event["step"])) for event in _events(folder) if event["event"] == "resume"]


def _steps(folder: Path) -> list[tuple[object, object]]:
    return [(event["step"], event["loss"]) for event in _events(folder) if event["event"] == "step"]


def _weights(folder: Path) -> dict[str, bytes]:
    from safetensors.numpy import load_file

    tensors: dict[str, np.ndarray] = load_file(folder / "bundle" / "model.safetensors")
    return {name: tensor.tobytes() for name, tensor in tensors.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
