"""One change at a time: what each way to learn with less compute is worth on characters of tiny Shakespeare.

::

    python -m benchmarks.variants [--quick] [--data DIR] [--only muon,bf16] [--seeds 3] [--steps 300] [--threads 2]

A decoder (4 layers of width 128, 4 heads, windows of 64, 16 a step) and an LSTM (384 cells, windows of 64, 32 a step)
are trained for the same steps with one thing changed, alternating. They learn from the first 85 % of the text and are
judged on the next 5 %, context carried over: nobody looks at the last tenth here. Differences are to the row *as it is*
of the same network; times are the trainers' own, evaluation left out of the budget.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.entries import Entry
from benchmarks.harness import alternate, data_folder, median_spread, print_table, report
from benchmarks.time_to_loss_steps import cut, train_ours

__all__ = ["DECODER", "LSTM", "VARIANTS", "main"]

_COMMON = {
    "training.minutes": None,
    "training.window": 64,
    "training.keep": "last",
    "training.evaluations": 1,
    "training.evaluate_tokens": 60_000,
    "training.precision": "f32",
}
DECODER = _COMMON | {
    "model.layers": 4,
    "model.width": 128,
    "model.heads": 4,
    "model.context": 64,
    "training.rows": 16,
    "training.learning_rate": 3e-3,
    "training.optimiser": "adamw",
}
LSTM = _COMMON | {
    "model.layers": 1,
    "model.embedding": 128,
    "model.hidden": 384,
    "model.tied": False,
    "model.dropout_input": 0.0,
    "model.dropout_hidden": 0.0,
    "model.dropout_output": 0.0,
    "training.rows": 32,
}
_MUON = {"training.optimiser": "muon", "training.learning_rate": 6e-3}
_CONSTANT = {"training.schedule": "constant"}
_COUNTS = {"model.order": 8, "model.orders": [3, 5, 8], "model.recall": 0}

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "decoder, as it is": ("gpt", DECODER),
    "decoder, bf16": ("gpt", DECODER | {"training.precision": "bf16"}),
    "decoder, muon 3e-3": ("gpt", DECODER | _MUON | {"training.learning_rate": 3e-3}),
    "decoder, muon 6e-3": ("gpt", DECODER | _MUON),
    "decoder, muon 1.2e-2": ("gpt", DECODER | _MUON | {"training.learning_rate": 1.2e-2}),
    "decoder, muon, squared relu": ("gpt", DECODER | _MUON | {"model.activation": "relu2"}),
    "decoder, muon, no norm of queries": ("gpt", DECODER | _MUON | {"model.query_norm": False}),
    "decoder, muon, half the rows, twice the steps": ("gpt", DECODER | _MUON | {"training.rows": 8}),
    "decoder, muon, windows of 32, twice the rows": (
        "gpt",
        DECODER | _MUON | {"training.window": 32, "training.rows": 32},
    ),
    "decoder, muon, tables of 2 to 5": ("gpt", DECODER | _MUON | {"model.ngram_orders": [2, 3, 4, 5]}),
    "decoder, muon, value embeddings": ("gpt", DECODER | _MUON | {"model.value_embeddings": 2}),
    "decoder, muon, projections from zero": ("gpt", DECODER | _MUON | {"model.zero_projections": True}),
    "decoder, muon, mean of the tail": ("gpt", DECODER | _MUON | {"training.average": "tail"}),
    "decoder, muon, constant rate": ("gpt", DECODER | _MUON | _CONSTANT),
    "decoder, muon, constant rate, mean of all": ("gpt", DECODER | _MUON | _CONSTANT | {"training.average": "ema"}),
    "decoder, muon, on counts": ("counted-gpt", DECODER | _MUON | _COUNTS),
    "LSTM, as it is": ("lstm", LSTM),
    "LSTM, bf16": ("lstm", LSTM | {"training.precision": "bf16"}),
    "LSTM, muon 3e-3": ("lstm", LSTM | {"training.optimiser": "muon"}),
    "LSTM, tables of 2 to 5": ("lstm", LSTM | {"model.ngram_orders": [2, 3, 4, 5]}),
    "LSTM, on counts": ("counted-lstm", LSTM | _COUNTS),
    "LSTM, on counts, recall": ("counted-lstm", LSTM | _COUNTS | {"model.recall": 1000}),
    "LSTM, muon, on counts": ("counted-lstm", LSTM | _MUON | _COUNTS),
    "LSTM, tables of 2 to 5, on counts": ("counted-lstm", LSTM | _COUNTS | {"model.ngram_orders": [2, 3, 4, 5]}),
}
"""A recipe of the package and what is changed in it, by name; what is compared with what stands before the comma."""
TWICE = ("twice the steps",)
QUICK_STEPS, QUICK_CHARACTERS = 10, 60_000


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.variants", description="one change at a time")
    parser.add_argument("--quick", action="store_true", help="few steps, little text, one seed: it only shows it works")
    parser.add_argument("--data", type=Path, help="folder with input.txt (default: tiny_shakespeare)")
    parser.add_argument("--only", help="variants whose names have one of these words in them, commas between")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    learnt, _ = cut((data_folder(options.data, "tiny_shakespeare") / "input.txt").read_text(encoding="utf-8"))
    steps, seeds = options.steps, options.seeds
    if options.quick:
        learnt, steps, seeds = learnt[:QUICK_CHARACTERS], QUICK_STEPS, 1
    words = (options.only or "").split(",")
    chosen = [name for name in VARIANTS if any(word in name for word in (*words, "as it is"))]
    import torch

    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as place:
        sides = {name: _Side(name, learnt, Path(place), steps) for name in chosen}
        taken = alternate(seeds, **{name: partial(side) for name, side in sides.items()})
    show(taken)


class _Side:
    """One variant; each call trains it from the next seed."""

    def __init__(self, name: str, learnt: str, place: Path, steps: int) -> None:
        self.name, self.learnt, self.place = name, learnt, place
        self.steps = steps * (2 if name.endswith(TWICE) else 1)
        self.seed = 0

    def __call__(self) -> dict[str, Any]:
        """Train it and return its facts."""
        recipe, settings = VARIANTS[self.name]
        entry = Entry(self.name, recipe, {**settings, "training.steps": self.steps})
        folder = self.place / f"{len(list(self.place.iterdir()))}"
        facts = train_ours(self.learnt, folder, entry.to_json(), self.seed)
        self.seed += 1
        return facts


def show(taken: dict[str, list[dict[str, Any]]]) -> None:
    """Print what came of it."""
    rows, facts = [], {}
    for name, runs in taken.items():
        losses, seconds = ([float(run[key]) for run in runs] for key in ("dev_loss", "seconds"))
        base = [float(run["dev_loss"]) for run in taken[f"{name.partition(',')[0]}, as it is"]]
        differences = [one - other for one, other in zip(losses, base, strict=True)]
        rows.append([name, median_spread(seconds), f"{statistics.median(losses):.3f}", *_spread(differences)])
        facts[name] = {"seconds": statistics.median(seconds), "loss": statistics.median(losses)}
    print_table(["variant", "training s", "nats a character", "against as it is", "lowest", "highest"], rows)
    report("variants", None, **facts)


def _spread(differences: Sequence[float]) -> list[str]:
    return [f"{value:+.3f}" for value in (statistics.median(differences), min(differences), max(differences))]


if __name__ == "__main__":
    main(sys.argv[1:])
