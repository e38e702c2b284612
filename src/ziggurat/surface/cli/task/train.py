"""Train a model of a task on labelled files, after a baseline where one is quick, and measure both."""

import os
import shlex
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import InterruptedRunError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.cli.task.evaluate import about
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.artefacts.recipe import Recipe
    from ziggurat.artefacts.runs import Run
    from ziggurat.core.tasks import Task
    from ziggurat.surface.tasks import Outcome

__all__ = ["COMMAND", "TaskTrainOptions", "train"]

BASELINE = "baseline"
"""The folder of the baseline's run in that of the run."""


@dataclass(frozen=True)
class TaskTrainOptions:
    """What is learnt from which files, for how long, and where it goes."""

    recipe: str | None = option(
        None,
        "a recipe's name or a TOML file; unless told, one that suits the files and begins with --start or --vectors",
    )
    start: str | None = option(None, "a bundle whose model is trained on inside the recipe's, with its tokenizer")
    vectors: str | None = option(None, "what embeddings begin with: a bundle of word vectors, or a recipe's name")
    dev: tuple[str, ...] = option((), "file held out to tune on, instead of a tenth of the others")
    test: tuple[str, ...] = option((), "file held out to measure on, instead of a tenth of the others")
    database: str | None = option(None, "SQLite file that questions are about, or its schema (CSV)")
    minutes: float | None = option(None, "budget in minutes of training", low=0)
    seed: int | None = option(None, "seed of everything that is drawn", low=0)
    out: str | None = option(None, "folder of the run; unless told, a new one below runs/")
    resume: str | None = option(None, "folder of a run that was interrupted, to go on with")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TaskTrainOptions)
def train(
    context: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE…]",
            help="Files of labelled examples (texts: CSV, TSV, JSONL; words: columns, CoNLL-U; roles: JSONL; "
            "pairs: news.de,news.en, TSV, TMX). Recipe keys: --model.layers 2",
        ),
    ] = None,
    *,
    task: str,
    options: TaskTrainOptions,
) -> None:
    """Train a model, calibrate it on the dev split, measure it on the test split, beside a baseline where one is quick.

    The baseline's run is the folder baseline in that of the run. Ctrl-C saves a checkpoint; --resume goes on where it
    stopped.
    """
    from ziggurat.artefacts.runs import open_run
    from ziggurat.surface.progress import ProgressDisplay
    from ziggurat.surface.tasks import train_task
    from ziggurat.use.tasks import TASKS

    chosen = TASKS.get(task)
    names, flags = split_settings(files or [], context)
    terminal = Terminal(quiet=options.quiet)
    resumed = options.resume is not None
    folder, recipes = _resumed(options, names, flags) if resumed else _new(chosen, options, names, flags, terminal)
    terminal.say("run folder: {folder}", folder=folder)
    with ExitStack() as held, ProgressDisplay(terminal) as display:
        # the run first: where the text can't be used, the folder inside is gone before that around it
        runs = [held.enter_context(open_run(place, recipe)) for place, recipe in recipes.items()]
        for run in runs:
            _check_task(run, chosen)
        try:
            outcomes = train_task(chosen, runs[::-1], display)
        except (InterruptedRunError, KeyboardInterrupt) as error:
            stopped = str(error).partition(";")[0] or "interrupted"
            command = f"ziggurat task {task} train --resume {shlex.quote(str(folder))}"
            raise InterruptedRunError(f"{stopped}; go on with: {command}") from error
    _report(terminal, outcomes, folder, task, json=options.json)


Places: TypeAlias = "tuple[Path, dict[Path, Recipe | None]]"
"""The run's folder; and by folder the recipes of the run and, inside, of its baseline; None: the one that is there."""


def _resumed(options: TaskTrainOptions, names: list[str], flags: dict[str, str]) -> Places:
    kept = ("recipe", "start", "vectors", "dev", "test", "database", "minutes", "seed", "out")
    others = [name for name in kept if getattr(options, name) not in (None, ())]
    if names or flags or others:
        given = names[0] if names else f"--{next(iter([*flags, *others]))}"
        raise UsageError(f"{given}: a resumed run keeps its own files and recipe; leave it out, or begin a new run")
    folder = Path(str(options.resume))
    return folder, dict.fromkeys([folder, folder / BASELINE] if (folder / BASELINE).is_dir() else [folder])


def _check_task(run: "Run", task: "Task") -> None:
    """Refuse a run that goes on under another task than its own.

    Raises:
        UsageError: what it trains does not learn the task; the message names the command that goes on with it.
    """
    from ziggurat.surface.tasks import learns
    from ziggurat.use.tasks import TASKS

    if not learns(run.recipe, task):
        own = next((f"task {name} " for name in TASKS.names() if learns(run.recipe, TASKS.get(name))), "")
        raise UsageError(
            f"--resume: {run.folder}: a run of recipe {run.recipe.name}, which learns nothing of task {task.name}; "
            f"go on with: ziggurat {own}train --resume {shlex.quote(str(run.folder))}"
        )


def _new(
    task: "Task", options: TaskTrainOptions, names: list[str], flags: dict[str, str], terminal: Terminal
) -> Places:
    from ziggurat.artefacts.beginning import check_vectors
    from ziggurat.artefacts.recipe import load_recipe
    from ziggurat.artefacts.runs import new_folder
    from ziggurat.artefacts.settings import environment_settings, flag_settings
    from ziggurat.surface.api import run_name
    from ziggurat.surface.errors import spoken
    from ziggurat.surface.material import check_sources
    from ziggurat.surface.tasks import learns, suited

    if not names:
        raise UsageError(f"no file was named: ziggurat task {task.name} train FILE…, with files of labelled examples")
    sources = [*names, *(f"dev={name}" for name in options.dev), *(f"test={name}" for name in options.test)]
    if options.database is not None:
        about(task, options.database)
        sources.append(f"database={options.database}")
    seed = {} if options.seed is None else {"seed": str(options.seed)}
    shared = [*environment_settings(os.environ), *flag_settings(seed)]
    name, why = options.recipe, ""
    if not name:
        name, why = suited(task, start=options.start, vectors=options.vectors, files=names)
    own = {"start": options.start, "vectors": options.vectors}
    flags = {**{key: value for key, value in own.items() if value is not None}, **flags}
    wanted = load_recipe(name, [*shared, *flag_settings(flags)])
    if not learns(wanted, task):
        raise UsageError(f"--recipe: recipe {wanted.name} learns nothing of this task; try {', '.join(task.recipes)}")
    if options.minutes is not None:
        wanted = wanted.with_budget("minutes", options.minutes)
    check_sources(wanted, sources)
    check_vectors(wanted)
    if why:
        terminal.say("recipe: {recipe}, since {why}; --recipe names another", recipe=name, why=spoken(why))
    folder = Path(options.out) if options.out else new_folder(Path("runs"), run_name(names, wanted.name))
    found: dict[Path, Recipe | None] = {folder: wanted.with_sources(sources)}
    if task.baseline not in ("", name):
        found[folder / BASELINE] = replace(load_recipe(task.baseline, shared), text=wanted.text, sources=tuple(sources))
    return folder, found


def _report(terminal: Terminal, outcomes: "list[Outcome]", folder: Path, task: str, *, json: bool) -> None:
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
