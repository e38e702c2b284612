"""Questions turned into SQL: our recipe, from scratch.

::

    python -m benchmarks.tasks.parsing [--quick] [--set geography] [--data DIR] [--seeds 3] [--epochs N]

Sets: ``geography`` (GeoQuery with its database, question split: learnt on train, measured on test by what the database
says to the query), ``atis`` and ``advising`` (learnt on train, measured on dev by how the query is written; of the
database only the schema is known). Nothing of what measures is seen before: training takes a fixed number of epochs.
``ratio`` is the mean of the set's figure over its floor.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import data_folder, median_spread, print_table, report
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.runs import open_run
from ziggurat.judge.tasks import TaskReport
from ziggurat.surface.tasks import train_task
from ziggurat.training.job import silent
from ziggurat.use.tasks import TASKS

__all__ = ["SETS", "QuestionData", "main"]

QUICK_STEPS = 3


@dataclass(frozen=True)
class QuestionData:
    """A set of questions with their queries."""

    folder: str
    files: tuple[str, ...]
    figure: str
    """The metric that floor and goal are of."""
    floor: float
    goal: float


SETS = {
    "geography": QuestionData(
        "geography",
        ("{}/train.jsonl", "dev={}/dev.jsonl", "test={}/test.jsonl", "database={}/geobase.sqlite"),
        "execution_match",
        0.65,
        0.80,
    ),
    "atis": QuestionData(
        "atis", ("{}/train.jsonl.gz", "test={}/dev.jsonl", "database={}/schema.csv"), "query_match", 0.50, 0.60
    ),
    "advising": QuestionData(
        "advising_sql", ("{}/train.jsonl.gz", "test={}/dev.jsonl", "database={}/schema.csv"), "query_match", 0.50, 0.60
    ),
}


def main(arguments: Sequence[str]) -> None:
    """Print a row for each seed, and the last line of JSON."""
    options = _options(arguments)
    chosen = SETS[options.set]
    folder = data_folder(options.data, chosen.folder)
    sources = [name.format(folder) for name in chosen.files]
    rows: list[list[str]] = []
    figures: dict[str, list[float]] = {}
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(options.seeds):
            began = time.perf_counter()
            found = _measured(options, sources, seed, Path(scratch) / str(seed))
            seconds.append(time.perf_counter() - began)
            for name, interval in found.answers.metrics:
                figures.setdefault(name, []).append(interval.value)
            rows.append([str(seed), *(f"{100 * values[-1]:.1f}" for values in figures.values()), f"{seconds[-1]:.0f}"])
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    rows.append(["mean ± spread", *map(_mean_spread, figures.values()), median_spread(seconds)])
    print_table([options.set, *(f"{name}, %" for name in figures), "seconds"], rows)
    mean = statistics.mean(figures[chosen.figure])
    report(
        "tasks.parsing",
        mean / chosen.floor,
        set=options.set,
        figure=chosen.figure,
        floor=chosen.floor,
        goal=chosen.goal,
        floor_met=mean >= chosen.floor,
        goal_met=mean >= chosen.goal,
        seconds=seconds,
        **figures,
    )


def _measured(options: argparse.Namespace, sources: list[str], seed: int, folder: Path) -> TaskReport:
    """Return what comes of a seed."""
    task = TASKS.get("parsing")
    recipe = load_recipe(options.recipe or task.recipes[0]).change({"seed": seed})
    budget = ("steps", QUICK_STEPS) if options.quick else ("epochs", options.epochs)
    recipe = recipe.with_budget(*budget) if options.quick or options.epochs else recipe
    with open_run(folder, recipe.with_sources(sources)) as run:
        (outcome,) = train_task(task, [run], silent)
    if outcome.report is None:
        raise RuntimeError("nothing was held out")
    return outcome.report


def _mean_spread(values: Sequence[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.1f} ± {100 * spread:.1f}"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.parsing", description="questions to SQL")
    parser.add_argument("--quick", action="store_true", help="some steps")
    parser.add_argument("--set", choices=sorted(SETS), default="geography")
    parser.add_argument("--data", type=Path, help="folder with the files of the set")
    parser.add_argument("--recipe", help="a recipe's name or file; unless told, the first of the task")
    parser.add_argument("--epochs", type=float, help="of training, instead of the recipe's")
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
