"""What is planned: the models of a recipe, the text's size, the budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ziggurat.artefacts.recipe import Recipe
from ziggurat.artefacts.recipe import names as recipe_names
from ziggurat.core.anatomy import Sizes
from ziggurat.core.errors import UnknownNameError, UsageError, nearest
from ziggurat.core.protocols import Dissects, ReadsPairs, Sizable
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.study.planning.budget import Budget, check_countable
from ziggurat.study.planning.memory import STRATEGIES, Strategy
from ziggurat.study.planning.plan import Asked
from ziggurat.study.planning.work import Work
from ziggurat.surface.anatomy.subject import of_recipe
from ziggurat.surface.planning.extent import Extent, training_extent
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.training.precision import trains_in_bfloat16

__all__ = ["Planned", "asked_of", "is_recipe", "planned"]


@dataclass(frozen=True)
class Planned:
    """One model of a recipe."""

    name: str
    work: Work
    sized: Callable[[int], Work] | None
    """The same work with a model of so many parameters, where the family comes in any size."""
    section: str = "training"
    """Where the recipe has the keys of its training, as flags name it."""
    training: Any = None
    """Those keys."""

    @property
    def recomputes(self) -> bool:
        """Whether they say that blocks are computed again."""
        return bool(getattr(self.training, "recompute", False))


def is_recipe(word: str) -> bool:
    """Whether a word names a recipe: one that comes along, or a TOML file.

    Raises:
        UnknownNameError: it is nearly a recipe's name, and no file.
    """
    if Path(word).suffix == ".toml" or (word in recipe_names() and not Path(word).is_dir()):
        return True
    if not Path(word).exists() and "did you mean" in nearest(word, recipe_names()):
        raise UnknownNameError("recipe", word, recipe_names())
    return False


def planned(recipe: Recipe, options: PlanOptions) -> list[Planned]:
    """Return the models of a recipe that gradients train.

    Raises:
        UsageError: there are none; or a window is longer than a model can read.
    """
    found = []
    for one in (recipe, *recipe.parts):
        sizes = Sizes(_rows(one, options), options.window)
        for subject in of_recipe(replace(one, parts=()), sizes):
            if not subject.trains:
                continue
            told = options.precision or subject.precision
            half = trains_in_bfloat16(told, subject.anatomy.parameters)
            if told == "auto" and options.hardware != "here":
                half = True  # what data sheets are about multiplies 16-bit numbers
            work = Work(
                subject.anatomy,
                subject.vocabulary,
                subject.training,
                "bf16" if half else "f32",
                int(getattr(one.training, "accumulate", 1)),
                subject.trained,
                int(getattr(one.training, "folds", 0)),
            )
            section = "training" if one is recipe else f"{one.name}.training"
            found.append(Planned(one.name, work, _sized(one, work), section, one.training))
    if not found:
        raise UsageError(
            f"{recipe.name}: a model of family {recipe.family} is counted or fitted in passes over the text and has no "
            "batches; plan is for networks that gradients train: gpt, lstm, bert …"
        )
    return found


def asked_of(
    recipe: Recipe, subjects: Sequence[Planned], names: Sequence[str], options: PlanOptions, budget: Budget | None
) -> list[Asked]:
    """Return what is asked for of each model: the budget that was given or its own, the text's size, and the rest.

    Raises:
        UsageError: there is no budget, or the text's size can't be told.
        InputError: a file can't be read.
    """
    order = max((one.work.anatomy.counted.order for one in subjects if one.work.anatomy.counted), default=0)
    extent = _extent(recipe, names, options, order)
    held_out = 0.0
    if names and extent is not None:
        held_out = extent.tokens * recipe.text.dev / (1 - recipe.text.dev - recipe.text.test)
    return [_asked(one.training, options, budget, extent, held_out) for one in subjects]


def _asked(training: Any, options: PlanOptions, budget: Budget | None, extent: Extent | None, held_out: float) -> Asked:
    """Return what is asked for of one model: what was given, else by the keys of its ``training``."""
    if budget is None:
        units = [unit for unit in ("minutes", "steps", "tokens", "epochs") if getattr(training, unit, None) is not None]
        if not units:
            raise UsageError("no budget: give one of --minutes, --steps, --tokens, --epochs or --optimal")
        budget = Budget(units[0], float(getattr(training, units[0])))  # type: ignore[arg-type]
    corpus_tokens = None if extent is None else extent.tokens
    check_countable(budget, corpus_tokens)
    one_evaluation = min(getattr(training, "evaluate_tokens", 0), held_out)
    return Asked(
        budget,
        corpus_tokens=corpus_tokens,
        growth=None if extent is None else extent.growth,
        strategy=options.strategy or _spread(training, options),
        recompute=_recompute(training, options),
        reached=options.mfu,
        usable=options.usable,
        price=options.price,
        pue=options.pue,
        mtbf_hours=options.mtbf,
        storage_gb=options.storage,
        loss=options.loss,
        evaluation_tokens=getattr(training, "evaluations", 0) * one_evaluation,
        one_evaluation_tokens=one_evaluation,
    )


def _rows(recipe: Recipe, options: PlanOptions) -> int | None:
    """Return the rows of a device: those that were asked for, else its share of a recipe's batch.

    Raises:
        UsageError: there are fewer rows than devices.
    """
    rows = getattr(recipe.training, "rows", None)
    if options.rows is not None or rows is None or options.devices == 1:
        return options.rows
    if rows < options.devices:
        raise UsageError(
            f"--devices: {options.devices} devices share the {rows} rows of a batch of {recipe.name}: give each some "
            "by --rows, or the recipe more by --training.rows"
        )
    return int(-(-rows // options.devices))


def _spread(training: Any, options: PlanOptions) -> Strategy | None:
    """Return how a recipe says that several processes share its training; None where it leaves that open."""
    spread = getattr(training, "spread", "auto")
    return None if options.devices == 1 or spread not in STRATEGIES else spread


def _recompute(training: Any, options: PlanOptions) -> bool | None:
    if options.recompute is not None:
        return options.recompute == "yes"
    return True if getattr(training, "recompute", False) else None


def _extent(recipe: Recipe, names: Sequence[str], options: PlanOptions, order: int) -> Extent | None:
    if options.text_tokens is not None:
        return Extent(options.text_tokens)
    if options.text_bytes is not None:
        return Extent(options.text_bytes / options.bytes_per_token)
    if not names:
        return None
    if isinstance(FAMILIES.get(recipe.family), ReadsPairs):
        raise UsageError(
            f"{names[0]}: the size of pairs is not read here; give --text-tokens or --text-bytes in their place"
        )
    return training_extent(recipe, names, order=order)


def _sized(recipe: Recipe, work: Work) -> Callable[[int], Work] | None:
    family: Any = FAMILIES.get(recipe.family)
    if not isinstance(family, Sizable) or not isinstance(family, Dissects):
        return None
    vocabulary = Vocabulary(size=work.vocabulary, bos=0, eos=0)

    def sized(parameters: int) -> Work:
        config = family.sized(parameters)
        keys = {field.name for field in fields(config)}
        if "context" in keys:
            config = replace(config, context=max(config.context, work.load.text))
        return replace(work, anatomy=family.anatomy(config, vocabulary), trained=None)

    return sized
