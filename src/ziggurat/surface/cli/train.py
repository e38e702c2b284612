"""Train one model on your text, by a recipe, within a budget."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import ArtefactError, InputError, InterruptedRunError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.first_use import first_use
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.artefacts.bundle import Bundle
    from ziggurat.artefacts.recipe import Recipe
    from ziggurat.artefacts.runs import Run
    from ziggurat.training.torchrun import Processes

__all__ = ["COMMAND", "TrainOptions", "train"]

DEFAULT = "gpt"


@dataclass(frozen=True)
class TrainOptions:
    """What is trained, for how long, and where it goes; the recipe's own keys are given as ``--model.layers 6``."""

    recipe: str | None = option(
        None, "a recipe's name (ziggurat recipe lists them; gpt where none is given), a TOML file, or a run to repeat"
    )
    minutes: float | None = option(None, "budget in minutes of training, of each part where a recipe has some", low=0)
    steps: int | None = option(None, "budget in optimiser steps", low=1)
    epochs: float | None = option(None, "budget in passes over the text", low=0)
    seed: int | None = option(None, "seed of everything that is drawn", low=0)
    start: str | None = option(None, "a bundle whose model is trained on, with its tokenizer, instead of a new one")
    vectors: str | None = option(None, "what embeddings begin with: a bundle of word vectors, or a recipe's name")
    out: str | None = option(None, "folder of the run; unless told, a new one below runs/")
    resume: str | None = option(None, "folder of a run that was interrupted, to go on with")
    workers: str | None = option(
        None, "who prepares the text: a number of processes, ray, or a Ray cluster's address like ray://host:10001"
    )
    tensorboard: bool = option(False, "write TensorBoard events beside metrics.jsonl")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TrainOptions)
def train(
    context: typer.Context,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT…]", help="Files, folders, globs; - is standard input. Recipe keys: --model.layers 6"
        ),
    ] = None,
    *,
    options: TrainOptions,
) -> None:
    """Train a model: prepare the text, train a tokenizer and the model on the training split, measure it on the rest.

    Ctrl-C saves a checkpoint; --resume goes on where it stopped and ends with the same weights.

    Pairs are lines of SOURCE<TAB>TARGET, JSON lines with the keys source and target, or two files of which line n of
    one belongs to line n of the other, with a comma between their names: news.de,news.en.
    """
    from ziggurat.surface.progress import ProgressDisplay
    from ziggurat.surface.training import train_run
    from ziggurat.surface.workers import named_workers
    from ziggurat.training.torchrun import joined

    names, flags = split_settings(texts or [], context)
    workers = named_workers(options.workers)
    with joined() as processes, ExitStack() as held:
        with processes.first_alone():
            run = _opened(options, names, flags, held, processes)
        if processes.rank:
            _follow(run)
            return
        terminal = Terminal(quiet=options.quiet)
        terminal.say("run folder: {folder}", folder=run.folder)
        with ProgressDisplay(terminal) as display:
            bundle = train_run(run, _listener(display, run, tensorboard=options.tensorboard), workers)
        _report(terminal, run, bundle, json=options.json)


def _opened(
    options: TrainOptions, names: list[str], flags: dict[str, str], held: ExitStack, processes: "Processes"
) -> "Run":
    """Return the run, locked by the first process until ``held`` ends."""
    from ziggurat.artefacts.runs import open_run, other_run
    from ziggurat.training.torchrun import begun_by_torchrun

    again = processes.count > 1 or begun_by_torchrun()
    if again and not (options.out or options.resume):
        raise UsageError(
            "with torchrun the run's folder must be named, so that all processes find it, also those that are started "
            "again: --out FOLDER, on a disk that all of them see"
        )
    folder, recipe = _resumed(options, names, flags) if options.resume else _new(options, names, flags)
    return other_run(folder, recipe) if processes.rank else held.enter_context(open_run(folder, recipe, again=again))


def _follow(run: "Run") -> None:
    """Train with the first process, which says all that is to be said."""
    from ziggurat.surface.training import train_run
    from ziggurat.training.job import silent

    try:
        train_run(run, silent)
    except (ArtefactError, InputError, InterruptedRunError, UsageError) as error:
        raise SystemExit(error.exit_code) from error


def _new(options: TrainOptions, names: list[str], flags: dict[str, str]) -> tuple[Path, "Recipe"]:
    from ziggurat.artefacts.beginning import check_vectors
    from ziggurat.artefacts.recipe import load_recipe, start_recipe
    from ziggurat.artefacts.runs import new_folder
    from ziggurat.artefacts.settings import environment_settings, flag_settings
    from ziggurat.surface.api import run_name
    from ziggurat.surface.material import check_sources

    given = {"seed": options.seed, "start": options.start, "vectors": options.vectors}
    flags = {**{key: str(value) for key, value in given.items() if value is not None}, **flags}
    settings = [*environment_settings(os.environ), *flag_settings(flags)]
    recipe = start_recipe(settings) if options.recipe is None else load_recipe(options.recipe, settings)
    recipe = _within_budget(recipe or load_recipe(DEFAULT, settings), options)
    names = names or list(recipe.sources)
    if not names:
        raise UsageError("no text was named: ziggurat train TEXT…, with files, folders, globs or - for standard input")
    check_sources(recipe, names)  # a path that is missing is said before a folder is made
    check_vectors(recipe)
    folder = Path(options.out) if options.out else new_folder(Path("runs"), run_name(names, recipe.name))
    return folder, recipe.with_sources(names)


def _within_budget(recipe: "Recipe", options: TrainOptions) -> "Recipe":
    units = [unit for unit in ("minutes", "steps", "epochs") if getattr(options, unit) is not None]
    if len(units) > 1:
        raise UsageError(f"{' and '.join(f'--{unit}' for unit in units)}: give one budget, not {len(units)}")
    return recipe.with_budget(units[0], getattr(options, units[0])) if units else recipe


def _resumed(options: TrainOptions, names: list[str], flags: dict[str, str]) -> tuple[Path, None]:
    kept = ("recipe", "minutes", "steps", "epochs", "seed", "start", "vectors", "out")
    others = [name for name in kept if getattr(options, name) is not None]
    if names or flags or others:
        given = names[0] if names else f"--{next(iter([*flags, *others]))}"
        raise UsageError(f"{given}: a resumed run keeps its own text and recipe; leave it out, or begin a new run")
    return Path(str(options.resume)), None


def _listener(display: Any, run: "Run", *, tensorboard: bool) -> Any:
    from ziggurat.training import events

    return events.several([display, events.tensorboard(run.folder / "tensorboard")]) if tensorboard else display


def _report(terminal: Terminal, run: "Run", bundle: "Bundle", *, json: bool) -> None:
    measured = bundle.manifest.metrics.get("test", {})
    if json:
        facts = {"family": bundle.manifest.family, "training": bundle.manifest.training, "metrics": measured}
        terminal.write_json({"run": str(run.folder), "bundle": str(bundle.path), **facts})
        return
    rows = [("bundle", str(bundle.path)), ("family", bundle.manifest.family)]
    if "bits_per_byte" in measured:
        interval = f"[{measured['low']:.3f}, {measured['high']:.3f}]"
        rows.append(("bits per byte", f"{measured['bits_per_byte']:.3f} {interval}"))
    if "masked_accuracy" in measured:
        interval = f"[{measured['low']:.3f}, {measured['high']:.3f}]"
        rows.append(("masked accuracy", f"{measured['masked_accuracy']:.3f} {interval}"))
        rows.append(("most frequent token of the training text", f"{measured['baseline_accuracy']:.3f}"))
    terminal.write(align(((translate(name), value) for name, value in rows), numbers=False))
    terminal.next(first_use(bundle.manifest, run.folder))


COMMAND = open_to_settings(train)
