"""Semantic roles: argument F1 with predicates given and found, of our recipes from scratch or with own vectors.

::

    python -m benchmarks.tasks.roles [--quick] [--data DIR] [--minutes 10] [--vectors BUNDLE]
    python -m benchmarks.tasks.roles --recipes encoder-roles --start BUNDLE

Data: PropBank on the English Web Treebank; learnt on train, a tenth of whose sentences tunes, measured on dev. Each
recipe is trained from ``--seeds`` seeds. F1 is strict (predicate, role and both ends) and micro over all arguments; a
predicate itself never counts. ``ratio`` is the best mean F1 with predicates given over the floor.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import data_folder, median_spread, print_table, report
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.runs import open_run
from ziggurat.artefacts.settings import flag_settings
from ziggurat.core.protocols import StandsOn
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.tasks import Outcome, train_task
from ziggurat.training.job import silent
from ziggurat.use.tasks import TASKS

__all__ = ["main"]

FOLDER = "propbank_ewt"
FILES = ("{}/train.jsonl.gz", "test={}/dev.jsonl.gz")
FLOOR, GOAL = 0.65, 0.75
FLOOR_STARTED, GOAL_STARTED = 0.78, 0.84
"""The same where an encoder is begun with."""
QUICK_STEPS = 3
GIVEN, FOUND = "argument_f1", "argument_f1_found"


def main(arguments: Sequence[str]) -> None:
    """Print a row for each recipe, and the last line of JSON."""
    options = _options(arguments)
    folder = data_folder(options.data, FOLDER)
    sources = [name.format(folder) for name in FILES]
    rows: list[list[str]] = []
    told: dict[str, Any] = {}
    best = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.recipes:
            recipe = _chosen(name, options).with_sources(sources)
            found = [_trained(recipe, seed, Path(scratch) / f"{name}-{seed}") for seed in range(options.seeds)]
            given, alone = ([_metric(outcome, metric) for outcome, _ in found] for metric in (GIVEN, FOUND))
            minutes = [seconds / 60 for _, seconds in found]
            steps = [outcome.bundle.manifest.training["steps"] for outcome, _ in found]
            told[name] = {GIVEN: given, FOUND: alone, "minutes": minutes, "steps": steps}
            best = max(best, statistics.mean(given))
            rows.append([name, _mean_spread(given), _mean_spread(alone), median_spread(minutes)])
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    print_table([FOLDER, "F1 given, %", "F1 found, %", "minutes"], rows)
    floor, goal = (FLOOR_STARTED, GOAL_STARTED) if options.start else (FLOOR, GOAL)
    met = {"floor": floor, "goal": goal, "floor_met": best >= floor, "goal_met": best >= goal}
    report("tasks.roles", best / floor, vectors=options.vectors or "", start=options.start or "", **met, **told)


def _chosen(name: str, options: argparse.Namespace) -> Recipe:
    """Return a recipe with what it may begin with, and the minutes that are given; with ``--quick`` some steps."""
    stands = isinstance(FAMILIES.get(load_recipe(name).family), StandsOn)
    given = {"start": options.start} if stands else {"vectors": options.vectors}
    recipe = load_recipe(name, flag_settings({key: value for key, value in given.items() if value}))
    if options.quick:
        return recipe.with_budget("steps", QUICK_STEPS)
    return recipe if options.minutes is None else recipe.with_budget("minutes", options.minutes)


def _trained(recipe: Recipe, seed: int, folder: Path) -> tuple[Outcome, float]:
    """Return what comes of a seed, and the seconds from files to figures."""
    began = time.perf_counter()
    with open_run(folder, recipe.change({"seed": seed})) as run:
        (outcome,) = train_task(TASKS.get("roles"), [run], silent)
    return outcome, time.perf_counter() - began


def _metric(outcome: Outcome, name: str) -> float:
    return float(outcome.bundle.manifest.metrics[outcome.measured_on][name])


def _mean_spread(values: Sequence[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.1f} ± {100 * spread:.1f}"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.roles", description="semantic roles")
    parser.add_argument("--quick", action="store_true", help="some steps")
    parser.add_argument("--data", type=Path, help="folder with train.jsonl.gz and dev.jsonl.gz")
    parser.add_argument("--recipes", nargs="+", default=["lstm-roles"])
    parser.add_argument("--minutes", type=float, help="of training; unless told, the recipe's own budget")
    parser.add_argument("--start", help="a bundle whose encoder a recipe such as encoder-roles begins with")
    parser.add_argument("--vectors", help="a bundle of word vectors with which embeddings begin")
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
