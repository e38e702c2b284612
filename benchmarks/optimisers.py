"""Rules that change weights: what they cost a step, and what a decoder reaches with each at equal steps and equal time.

::

    python -m benchmarks.optimisers [--quick] [--data DIR] [--seeds 3] [--steps 400] [--threads 1]

*Cost.* Milliseconds of processor time of one change, without gradients: a decoder of 4 layers of width 128 and of 256
by AdamW in torch's three ways and by Muon; four tables of 65,536 rows of 128 numbers, of which 16,384 are read, by
`TableRows`, by torch's SparseAdam and, with a dense gradient, by AdamW.

*Learning.* The decoder of width 128 (4 heads, windows of 64, 12 a step) on characters of tiny Shakespeare, from the
first 85 % of the text; judged on the next 5 %, context carried over, so that the last tenth stays unseen. AdamW has the
best of the rates that were tried for it (docs/experiments.md), Muon the best of its own. AdamW is then given the time
that Muon took, in steps. Training times are the trainers' own.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.entries import Entry
from benchmarks.harness import alternate, data_folder, median_spread, print_table, report
from benchmarks.time_to_loss_steps import cut, train_ours

__all__ = ["DECODER", "RULES", "costs", "main"]

DECODER: dict[str, Any] = {
    "model.layers": 4,
    "model.width": 128,
    "model.heads": 4,
    "model.context": 64,
    "training.minutes": None,
    "training.rows": 12,
    "training.window": 64,
    "training.keep": "last",
    "training.evaluations": 1,
    "training.evaluate_tokens": 60_000,
}
_MUON = {"training.optimiser": "muon", "training.learning_rate": 6e-3}
_CONSTANT = {"training.schedule": "constant"}
_TABLES = {"model.ngram_orders": [2, 3, 4, 5]}
RULES: dict[str, dict[str, Any]] = {
    "AdamW": {"training.optimiser": "adamw", "training.learning_rate": 1.5e-3},
    "Muon": _MUON,
    "Muon, ema": _MUON | {"training.average": "ema"},
    "Muon, tail": _MUON | {"training.average": "tail"},
    "Muon, constant rate": _MUON | _CONSTANT,
    "Muon, constant rate, ema": _MUON | _CONSTANT | {"training.average": "ema"},
    "Muon, tables": _MUON | _TABLES,
    "Muon, tables at half their rate": _MUON | _TABLES | {"training.table_rate": 5.0},
}
"""What is changed in the recipe gpt, by name."""
SAME_TIME = "AdamW, Muon's time"
ROWS, WIDTH, READ = 65_536, 128, 4096
"""Rows of each of four tables, numbers of a row, and rows that a step reads in each."""


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optimisers", description="rules that change weights")
    parser.add_argument("--quick", action="store_true", help="few steps, little text, one seed: it only shows it works")
    parser.add_argument("--data", type=Path, help="folder with input.txt (default: tiny_shakespeare)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(options.threads)
    learnt, _ = cut((data_folder(options.data, "tiny_shakespeare") / "input.txt").read_text(encoding="utf-8"))
    steps, seeds, repeats = (10, 1, 1) if options.quick else (options.steps, options.seeds, 9)
    learnt = learnt[:60_000] if options.quick else learnt
    taken = costs(repeats, table_rows=ROWS // 64 if options.quick else ROWS)
    print_table(["one change of weights", "ms"], [[name, median_spread(one)] for name, one in taken.items()])
    print()
    with tempfile.TemporaryDirectory() as place:
        runs = learning(learnt, Path(place), steps, seeds)
    show(runs)
    muon, adamw = (statistics.median(run["dev_loss"] for run in runs[name]) for name in ("Muon", SAME_TIME))
    report(
        "optimisers",
        adamw / muon,
        ours=muon,
        peer=adamw,
        losses={name: statistics.median(run["dev_loss"] for run in one) for name, one in runs.items()},
        seconds={name: statistics.median(run["seconds"] for run in one) for name, one in runs.items()},
        milliseconds={name: statistics.median(one) for name, one in taken.items()},
    )


def costs(repeats: int, *, table_rows: int) -> dict[str, list[float]]:
    """Return milliseconds of processor time of one change by each rule."""
    import torch

    from ziggurat.core.types import Vocabulary
    from ziggurat.models.decoder import FAMILY, DecoderConfig
    from ziggurat.training.allocator import keep_memory
    from ziggurat.training.optimisers import optimiser, parted
    from ziggurat.training.table_rows import TableRows

    keep_memory()
    changes: dict[str, Callable[[], Any]] = {}
    ways: dict[str, dict[str, bool]] = {
        "fused": {"fused": True},
        "foreach": {"foreach": True},
        "plain": {"foreach": False},
    }
    for width, size in ((128, 65), (256, 4096)):
        network = FAMILY.build(DecoderConfig(layers=4, width=width, heads=4), Vocabulary(size, 0, 0), seed=0).network
        weights = list(network.parameters())
        for weight in weights:
            weight.grad = torch.randn_like(weight)
        name = f"decoder of width {width}"
        for way, chosen in ways.items():
            changes[f"{name}, AdamW {way}"] = torch.optim.AdamW(weights, lr=1e-4, **chosen).step  # type: ignore[arg-type]
        made = optimiser(network, "muon", learning_rate=1e-4, weight_decay=0.1, betas=(0.9, 0.95))
        changes[f"{name}, Muon and AdamW for {len(parted(network, 'muon').rest)} others"] = made.step
    table = torch.nn.Parameter(torch.zeros(4 * table_rows, WIDTH))
    read = torch.randint(table_rows, (4, READ)) + table_rows * torch.arange(4)[:, None]
    gradient = torch.sparse_coo_tensor(
        read.view(1, -1), torch.randn(4 * READ, WIDTH), table.shape, check_invariants=False
    )
    rules = {
        "TableRows": TableRows([table], learning_rate=0.01),
        "SparseAdam": torch.optim.SparseAdam([table], lr=1e-3),
    }
    for name, rule in rules.items():
        changes[f"tables, {name}"] = partial(_with_gradient, table, gradient, rule.step)
    dense = gradient.to_dense()
    changes["tables, AdamW fused"] = partial(
        _with_gradient, table, dense, torch.optim.AdamW([table], lr=1e-3, fused=True).step
    )
    for change in changes.values():
        change()
    return alternate(repeats, **{name: partial(_milliseconds, change) for name, change in changes.items()})


def _with_gradient(weight: Any, gradient: Any, step: Callable[[], Any]) -> None:
    weight.grad = gradient
    step()


def _milliseconds(change: Callable[[], Any]) -> float:
    """Return the processor time of a change, which other programs on the machine do not lengthen much."""
    begun = time.process_time()
    change()
    return 1000 * (time.process_time() - begun)


def learning(learnt: str, place: Path, steps: int, seeds: int) -> dict[str, list[dict[str, Any]]]:
    """Train with each rule for the same steps, from each seed; then AdamW for the time that Muon took."""

    def fit(name: str, settings: dict[str, Any], count: int, seed: int) -> dict[str, Any]:
        entry = Entry(name, "gpt", {**DECODER, **settings, "training.steps": count})
        return train_ours(learnt, place / f"{len(list(place.iterdir()))}", entry.to_json(), seed)

    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in RULES}
    for seed in range(seeds):
        for name, settings in RULES.items():
            runs[name].append(fit(name, settings, steps, seed))
    slower = statistics.median(
        muon["seconds"] / adamw["seconds"] for muon, adamw in zip(runs["Muon"], runs["AdamW"], strict=True)
    )
    longer = max(1, round(steps * slower))
    runs[SAME_TIME] = [fit(SAME_TIME, RULES["AdamW"], longer, seed) for seed in range(seeds)]
    return runs


def show(runs: dict[str, list[dict[str, Any]]]) -> None:
    """Print what came of it."""
    rows = []
    for name, one in runs.items():
        seconds, losses = ([float(run[key]) for run in one] for key in ("seconds", "dev_loss"))
        against = statistics.median(
            loss - float(base["dev_loss"]) for loss, base in zip(losses, runs["AdamW"], strict=True)
        )
        middle = f"{statistics.median(losses):.3f} ({min(losses):.3f} to {max(losses):.3f})"
        rows.append([name, str(one[0]["steps"]), median_spread(seconds), middle, f"{against:+.3f}"])
    print_table(["rule", "steps", "training s", "nats a character", "against AdamW"], rows)


if __name__ == "__main__":
    main(sys.argv[1:])
