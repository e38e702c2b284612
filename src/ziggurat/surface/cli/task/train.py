"""Train a model of a task on labelled files, after a baseline where one is quick, and measure both."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.artefacts.recipe import Recipe
    from ziggurat.core.tasks import Task
    from ziggurat.surface.tasks import Outcome

__all__ = ["COMMAND", "TaskTrainOptions", "train"]

BASELINE = "baseline"
"""The folder of the baseline's run in that of the run."""


@dataclass(frozen=True)
class TaskTrainOptions:
    """What is learnt from which files, for how long, and where it goes."""

    recipe: str | None = option(None, "a recipe's name or a TOML file; unless told, the first of the task")
    start: str | None = option(None, "a bundle whose model is trained on inside the recipe's, with its tokenizer")
    vectors: str | None = option(None, "what embeddings begin with: a bundle of word vectors, or a recipe's name")
    dev: tuple[str, ...] = option((), "file held out to tune on, instead of a tenth of the others")
    test: tuple[str, ...] = option((), "file held out to measure on, instead of a tenth of the others")
    minutes: float | None = option(None, "budget in minutes of training", low=0)
    seed: int | None = option(None, "seed of everything that is drawn", low=0)
    out: str | None = option(None, "folder of the run; unless told, a new one below runs/")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TaskTrainOptions)
def train(
    context: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE…]",
            help="Files of labelled examples (texts: CSV, TSV, JSONL; words: columns). Recipe keys: --model.layers 2",
        ),
    ] = None,
    *,
    task: str,
    options: TaskTrainOptions,
) -> None:
    """Train a model, calibrate it on the dev split, measure it on the test split, beside a baseline where one is quick.

    The baseline's run is the folder baseline in that of the run. Ctrl-C saves a checkpoint; ziggurat train --resume
    goes on where it stopped.
    """
    from ziggurat.artefacts.runs import new_folder, open_run
    from ziggurat.surface.api import run_name
    from ziggurat.surface.progress import ProgressDisplay
    from ziggurat.surface.tasks import train_task
    from ziggurat.use.tasks import TASKS

    chosen = TASKS.get(task)
    names, flags = split_settings(files or [], context)
    recipes = _recipes(chosen, options, names, flags)
    folder = Path(options.out) if options.out else new_folder(Path("runs"), run_name(names, recipes[-1].name))
    places = [folder] if len(recipes) == 1 else [folder / BASELINE, folder]
    terminal = Terminal(quiet=options.quiet)
    terminal.say("run folder: {folder}", folder=folder)
    with ExitStack() as held, ProgressDisplay(terminal) as display:
        runs = [held.enter_context(open_run(place, recipe)) for place, recipe in zip(places, recipes, strict=True)]
        outcomes = train_task(chosen, runs, display)
    _report(terminal, outcomes, folder, task, json=options.json)


def _recipes(task: "Task", options: TaskTrainOptions, names: list[str], flags: dict[str, str]) -> "list[Recipe]":
    """Return the recipe that is asked for, behind that of the baseline where the task has another."""
    from ziggurat.artefacts.recipe import load_recipe
    from ziggurat.artefacts.settings import environment_settings, flag_settings
    from ziggurat.models.registry import FAMILIES
    from ziggurat.surface.material import check_sources

    if not names:
        raise UsageError(f"no file was named: ziggurat task {task.name} train FILE…, with files of labelled examples")
    sources = [*names, *(f"dev={name}" for name in options.dev), *(f"test={name}" for name in options.test)]
    seed = {} if options.seed is None else {"seed": str(options.seed)}
    shared = [*environment_settings(os.environ), *flag_settings(seed)]
    name = options.recipe or task.recipes[0]
    own = {"start": options.start, "vectors": options.vectors}
    flags = {**{key: value for key, value in own.items() if value is not None}, **flags}
    wanted = load_recipe(name, [*shared, *flag_settings(flags)])
    if not isinstance(FAMILIES.get(wanted.family), task.learns):
        raise UsageError(f"--recipe: recipe {wanted.name} learns no labels; try {', '.join(task.recipes)}")
    if options.minutes is not None:
        wanted = wanted.with_budget("minutes", options.minutes)
    check_sources(wanted, sources)
    found = [wanted] if task.baseline in ("", name) else [load_recipe(task.baseline, shared), wanted]
    return [recipe.with_sources(sources) for recipe in found]


def _report(terminal: Terminal, outcomes: "list[Outcome]", folder: Path, task: str, *, json: bool) -> None:
    import shlex

    if json:
        terminal.write_json({"run": str(folder), "models": [_figures(outcome) for outcome in outcomes]})
        return
    from ziggurat.surface.cli.task.evaluate import details, headline
    from ziggurat.use.tasks import TASKS

    measured = [(outcome.recipe, outcome.report) for outcome in outcomes if outcome.report is not None]
    if measured:
        terminal.write(translate("measured on {split}").format(split=outcomes[-1].measured_on))
        terminal.write(align(headline(measured)))
        terminal.write("")
        details(terminal, TASKS.get(task), measured[-1][1])
    terminal.next(f"ziggurat task {task} predict {shlex.quote(str(folder))} FILE…")


def _figures(outcome: "Outcome") -> dict[str, Any]:
    found: dict[str, Any] = {"recipe": outcome.recipe, "bundle": str(outcome.bundle.path)}
    if outcome.report is not None:
        found |= {"measured_on": outcome.measured_on, **outcome.report.figures()}
    return found


COMMAND = open_to_settings(train)
