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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import data_folder, median_spread, print_table, report
from benchmarks.tasks.trials import QUICK_STEPS, add_options, mean_spread, trained
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.use.tasks import TASKS

__all__ = ["SETS", "QuestionData", "main"]


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
    recipe = load_recipe(options.recipe or TASKS.get("parsing").recipes[0])
    if options.quick or options.epochs:
        recipe = recipe.with_budget(*(("steps", QUICK_STEPS) if options.quick else ("epochs", options.epochs)))
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = trained("parsing", recipe, sources, Path(scratch), seeds=options.seeds)
    seconds = [each for _, each in outcomes]
    reports = [outcome.report.answers.metrics for outcome, _ in outcomes if outcome.report is not None]
    figures = {name: [dict(one)[name].value for one in reports] for name, _ in reports[0]}
    rows = [
        [str(seed), *(f"{100 * values[place]:.1f}" for values in figures.values()), f"{seconds[place]:.0f}"]
        for place, seed in enumerate(options.seeds)
    ]
    rows.append(["mean ± spread", *map(mean_spread, figures.values()), median_spread(seconds)])
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
        seeds=list(options.seeds),
        seconds=seconds,
        **figures,
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.parsing", description="questions to SQL")
    parser.add_argument("--set", choices=sorted(SETS), default="geography")
    parser.add_argument("--recipe", help="a recipe's name or file; unless told, the first of the task")
    parser.add_argument("--epochs", type=float, help="of training, instead of the recipe's")
    add_options(parser, begins=False)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
