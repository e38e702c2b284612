"""One task from end to end: models trained, how sure they may be, and what they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass

from ziggurat.artefacts.bundle import Bundle, load, record
from ziggurat.artefacts.origin import origin_of
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.runs import Run
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import StandsOn
from ziggurat.core.tasks import PrefersRecipe, Task, serves
from ziggurat.core.types import Listener
from ziggurat.judge.answers import ANSWER_METRICS
from ziggurat.judge.tasks import TaskReport, judge_task
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.material import prepared
from ziggurat.surface.training import MEASURED_ON, train_run
from ziggurat.text.questions import QUERIES
from ziggurat.training.job import silent

__all__ = ["Outcome", "learns", "suited", "train_task"]

TUNED_ON = "dev"


@dataclass(frozen=True)
class Outcome:
    """A model of a task, and what it is worth."""

    recipe: str
    bundle: Bundle
    measured_on: str
    """``test``, or ``dev`` where nothing is held out for that: what was tuned on flatters."""
    report: TaskReport | None
    """None where nothing is held out at all."""


def learns(recipe: Recipe, task: Task) -> bool:
    """Return whether what a recipe trains can do a task."""
    return serves(task, FAMILIES.get(recipe.family), recipe.model, queries=recipe.text.format == QUERIES)


def suited(task: Task, *, start: str | None, vectors: str | None, files: Sequence[str] = ()) -> tuple[str, str]:
    """Return the name of a task's recipe that can begin with what is at hand, and why it is not the first of these.

    At hand is the bundle ``start``, which the recipe's model goes on from or has inside, or ``vectors`` for its
    embeddings; without either all recipes can. Of these it is the one that the task prefers for ``files``, else the
    first, for which there is no reason to give.

    Raises:
        ArtefactError: there is no whole bundle ``start``.
        UsageError: no recipe of the task begins with that.
    """
    recipes = {name: load_recipe(name) for name in task.recipes}
    if start is not None:
        at_hand = origin_of(start, where="--start").family
        families = {name: FAMILIES.get(one.family) for name, one in recipes.items()}
        found = [
            name for name, one in families.items() if at_hand in (one.name, isinstance(one, StandsOn) and one.body)
        ]
        told = f"--start: {start} is of family {at_hand}, on which no recipe of this task stands"
    elif vectors not in (None, "none"):
        found = [name for name, one in recipes.items() if one.embeds]
        told = "--vectors: no recipe of this task has embeddings that could begin with them"
    else:
        found, told = list(recipes), ""
    if not found:
        raise UsageError(f"{told}; leave it out, or name a recipe of your own by --recipe")
    preferred = task.preferred(files) if isinstance(task, PrefersRecipe) else None
    return preferred if preferred is not None and preferred[0] in found else (found[0], "")


def train_task(task: Task, runs: Sequence[Run], listener: Listener) -> list[Outcome]:
    """Bring the runs to their end, each calibrated on its dev split and measured on its test split.

    Raises:
        InterruptedRunError: the user stopped it; the message says how to go on.
        MissingExtraError: what a metric needs is not installed.
    """
    for name in task.metrics:
        ANSWER_METRICS.get(name)()  # what it needs may not be installed: said now and not after an hour
    return [_outcome(task, run, listener) for run in runs]


def _outcome(task: Task, run: Run, listener: Listener) -> Outcome:
    bundle = train_run(run, listener)
    corpus = prepared(run, silent)
    temperature = None
    if len(corpus.dev):
        temperature = task.tune(bundle.model, bundle.tokenizer, list(task.examples(corpus.dev)))
    if temperature is not None:
        record(bundle.path, {TUNED_ON: {"temperature": temperature}})
        bundle = load(bundle.path, verify=False)
    split, name = (corpus.test, MEASURED_ON) if len(corpus.test) else (corpus.dev, TUNED_ON)
    if not len(split):
        return Outcome(run.recipe.name, bundle, name, None)
    report = judge_task(task, bundle, task.examples(split), seed=run.recipe.seed)
    entries = dict(bundle.manifest.metrics.get(name, {})) | report.entries()
    record(bundle.path, {name: entries})
    return Outcome(run.recipe.name, load(bundle.path, verify=False), name, report)
