"""What benchmarks of tasks share: their options, recipes with what these may begin with, and models from seeds."""

import argparse
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ziggurat.artefacts.origin import origin_of
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.runs import open_run
from ziggurat.artefacts.settings import flag_settings
from ziggurat.core.protocols import StandsOn
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.tasks import Outcome, train_task
from ziggurat.training.job import silent
from ziggurat.use.tasks import TASKS

__all__ = [
    "QUICK_STEPS",
    "add_keys",
    "add_options",
    "begun",
    "check_start",
    "figure",
    "mean_spread",
    "seed_range",
    "trained",
]

QUICK_STEPS = 3


def add_options(parser: argparse.ArgumentParser, *, begins: bool = True) -> None:
    """Add the options that all have; where models may begin with something, those and ``--key``."""
    parser.add_argument("--quick", action="store_true", help="some steps")
    parser.add_argument("--data", type=Path, help="folder with the files of the set")
    parser.add_argument("--seeds", type=seed_range, default="3", help="how many, from 0 on, or FIRST-LAST")
    if begins:
        add_keys(parser)
        parser.add_argument("--vectors", help="bundle of word vectors, with its tokenizer, for recipes that embed")
        parser.add_argument("--start", help="bundle of an encoder, for recipes that stand on one")


def add_keys(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--key``, whose values a parser collects as pairs of a recipe's key and its value."""
    told = "another key of the recipes"
    parser.add_argument(
        "--key", dest="keys", type=_key_value, action="append", default=[], metavar="KEY=VALUE", help=told
    )


def begun(name: str, options: argparse.Namespace, *, minutes: float | None) -> Recipe:
    """Return a recipe with its keys and what it may begin with; with ``minutes`` if given, or ``--quick`` some steps.

    A recipe that is trained by no such budget stays as it is.
    """
    recipe = load_recipe(name)
    given = dict(options.keys)
    if _stands_on(name, options.start):
        given["start"] = options.start
    elif options.vectors and recipe.embeds:
        given["vectors"] = options.vectors
    recipe = load_recipe(name, flag_settings(given))
    if not _takes_steps(recipe):
        return recipe
    if options.quick:
        return recipe.with_budget("steps", QUICK_STEPS)
    return recipe if minutes is None else recipe.with_budget("minutes", minutes)


def check_start(names: Sequence[str], options: argparse.Namespace) -> None:
    """Refuse an encoder to start from that no recipe of these names stands on.

    Raises:
        SystemExit: none does.
    """
    if options.start and not any(_stands_on(name, options.start) for name in names):
        family = origin_of(options.start, where="--start").family
        raise SystemExit(f"--start: {options.start} is of family {family}, on which none of {', '.join(names)} stands")


def trained(
    task: str, recipe: Recipe, sources: Sequence[str], folder: Path, *, seeds: Iterable[int]
) -> list[tuple[Outcome, float]]:
    """Return what comes of each seed, trained below ``folder``, and the seconds from files to figures.

    A recipe that draws nothing is trained once.
    """
    found = []
    for seed in seeds if _takes_steps(recipe) else (recipe.seed,):
        began = time.perf_counter()
        own = recipe.change({"seed": seed}).with_sources(sources)
        with open_run(folder / f"{recipe.name}-{seed}", own) as run:
            (outcome,) = train_task(TASKS.get(task), [run], silent)
        found.append((outcome, time.perf_counter() - began))
        metrics = outcome.report.answers.metrics if outcome.report is not None else ()
        told = ", ".join(f"{name} {interval.value:.4f}" for name, interval in metrics)
        print(f"{recipe.name}, seed {seed}: {told}; {found[-1][1]:.0f} s", file=sys.stderr, flush=True)
    return found


def seed_range(text: str) -> range:
    """Return the seeds that an option names: how many from 0 on, or the first and the last.

    >>> seed_range("3"), seed_range("1-2")
    (range(0, 3), range(1, 3))

    Raises:
        ValueError: it names none.
    """
    first, dash, last = text.partition("-")
    found = range(int(first), int(last) + 1) if dash else range(int(first))
    if not found:
        raise ValueError(f"{text} names no seed")
    return found


def _key_value(text: str) -> tuple[str, str]:
    """Return the two sides of the first equals sign.

    Raises:
        ValueError: there is none.
    """
    key, value = text.split("=", 1)
    return key, value


def figure(outcome: Outcome, name: str) -> float:
    """Return a metric of the split that a model was measured on."""
    return float(outcome.bundle.manifest.metrics[outcome.measured_on][name])


def mean_spread(values: Sequence[float]) -> str:
    """Return the mean of parts of one as percent, with their standard deviation.

    >>> mean_spread([0.5, 0.7])
    '60.0 ± 14.1'
    """
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.1f} ± {100 * spread:.1f}"


def _stands_on(name: str, start: str | None) -> bool:
    """Whether the recipe's model has one of the bundle's family inside."""
    family = FAMILIES.get(load_recipe(name).family)
    return bool(start) and isinstance(family, StandsOn) and family.body == origin_of(str(start), where="--start").family


def _takes_steps(recipe: Recipe) -> bool:
    return any(hasattr(one.training, "steps") for one in (recipe, *recipe.parts))
