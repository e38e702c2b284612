"""Semantic roles: argument F1 with predicates given and found, of our recipes from scratch or with own vectors.

::

    python -m benchmarks.tasks.roles [--quick] [--data DIR] [--minutes 10] [--vectors BUNDLE]
    python -m benchmarks.tasks.roles --recipes encoder-roles --start BUNDLE [--key training.epochs=5]

Data: PropBank on the English Web Treebank; learnt on train, a tenth of whose sentences tunes, measured on dev. Each
recipe is trained from ``--seeds`` seeds. F1 is strict (predicate, role and both ends) and micro over all arguments; a
predicate itself never counts. ``ratio`` is the best mean F1 with predicates given over the floor.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import data_folder, median_spread, print_table, report
from benchmarks.tasks.trials import add_options, begun, check_start, figure, mean_spread, trained

__all__ = ["main"]

FOLDER = "propbank_ewt"
FILES = ("{}/train.jsonl.gz", "test={}/dev.jsonl.gz")
FLOOR, GOAL = 0.65, 0.75
FLOOR_STARTED, GOAL_STARTED = 0.78, 0.84
"""The same where an encoder is begun with."""
GIVEN, FOUND = "argument_f1", "argument_f1_found"


def main(arguments: Sequence[str]) -> None:
    """Print a row for each recipe, and the last line of JSON."""
    options = _options(arguments)
    folder = data_folder(options.data, FOLDER)
    sources = [name.format(folder) for name in FILES]
    rows: list[list[str]] = []
    told: dict[str, Any] = {}
    best = 0.0
    names = options.recipes
    check_start(names, options)
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            recipe = begun(name, options, minutes=options.minutes)
            found = trained("roles", recipe, sources, Path(scratch), seeds=options.seeds)
            given, alone = ([figure(outcome, metric) for outcome, _ in found] for metric in (GIVEN, FOUND))
            minutes = [seconds / 60 for _, seconds in found]
            steps = [outcome.bundle.manifest.training["steps"] for outcome, _ in found]
            told[name] = {GIVEN: given, FOUND: alone, "minutes": minutes, "steps": steps}
            best = max(best, statistics.mean(given))
            rows.append([name, mean_spread(given), mean_spread(alone), median_spread(minutes)])
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    print_table([FOLDER, "F1 given, %", "F1 found, %", "minutes"], rows)
    floor, goal = (FLOOR_STARTED, GOAL_STARTED) if options.start else (FLOOR, GOAL)
    met = {"floor": floor, "goal": goal, "floor_met": best >= floor, "goal_met": best >= goal}
    begins = {"vectors": options.vectors or "", "start": options.start or "", "keys": dict(options.keys)}
    report("tasks.roles", best / floor, seeds=list(options.seeds), **begins, **met, **told)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.roles", description="semantic roles")
    parser.add_argument("--recipes", nargs="+", default=["lstm-roles"])
    parser.add_argument("--minutes", type=float, help="of training; unless told, the recipe's own budget")
    add_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
