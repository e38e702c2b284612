"""The models of a climb: how large each may be, how long each trains, and what is said of it afterwards."""

import dataclasses
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.fit import Material, fit
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.runs import METRICS, read_metrics
from ziggurat.core.config import options, to_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.files import write_text
from ziggurat.core.protocols import Sizable, Tokenizer
from ziggurat.core.types import Listener
from ziggurat.judge.evaluate import Evaluation, evaluate
from ziggurat.models.registry import FAMILIES
from ziggurat.study.clock import Clock
from ziggurat.study.result import Entrant, Sample, VectorsTrial
from ziggurat.study.sizing import dropout_for, epochs_for, folds_for, learning_for, measured_flops, parameters_for
from ziggurat.study.steps import in_steps
from ziggurat.text.corpus import Corpus
from ziggurat.text.options import TextConfig
from ziggurat.tokens.loading import TOKENIZERS
from ziggurat.tokens.store import Store

__all__ = ["TOGETHER", "Entry", "Trained", "describe", "train_all", "try_vectors"]

PLAIN, BEGUN = "lstm", "lstm-vectors"
"""Two recipes that differ only in what embeddings begin with. The second makes the steps of the first, however long
they take, so it comes last: no other network shall have less for it.
"""
COUNTS, ON_COUNTS = "ngram", "counted-lstm"
"""A recipe that only counts, and one for a network that stands on such counts."""
SINGLES = (COUNTS, PLAIN, "gpt", ON_COUNTS, BEGUN)
TOGETHER = "mixture"
"""The recipe whose parts are all the others."""
RESERVE_FRACTION = 0.12
"""Part of the budget kept for mixing, scoring, samples and the report."""
BEFORE_NETWORKS = ("text", "tokenizer", "compressors", "words", "train ngram")
"""Stages of a climb that are over when the first network's share is reckoned."""
LEAST_SECONDS = 5.0
TRIAL_SLACK = 0.75
"""Part of the time of the network that it is compared with which must be left for the one that is trained last."""
TRIAL_SECONDS = 45.0
"""Seconds that every network must have before one more is trained only to compare: below, all would be half trained."""


@dataclass(frozen=True)
class Entry:
    """What a climb is asked to do."""

    sources: tuple[str, ...]
    folder: Path
    minutes: float
    title: str
    command: str
    seed: int = 0
    text: TextConfig = field(default_factory=TextConfig)


@dataclass(frozen=True)
class Trained:
    """A recipe and the bundle that came of it."""

    recipe: Recipe
    bundle: Bundle
    seconds: float


def train_all(entry: Entry, material: Material, clock: Clock, *, order: int, listener: Listener) -> list[Trained]:
    """Train the singles, each network with its share of what is left of the budget, then mix them.

    Whether embeddings should begin with vectors is only asked where the budget leaves every network enough.

    Raises:
        UsageError: the budget is too short for anything.
        InterruptedRunError: the user stopped it; the same command goes on.
    """
    flops = measured_flops()
    trained: list[Trained] = []
    waiting = [_recipe(name, entry, material.tokenizer) for name in SINGLES]
    while waiting:
        recipe = waiting[0]
        if not _sizable(recipe):
            plan = _ordered(recipe, order)
        elif recipe.name == BEGUN:
            if _share(waiting, clock) < TRIAL_SLACK * clock.spent()[f"train {PLAIN}"]:
                break  # the networks before it took longer than they should have
            plan = _begun(recipe, next(one for one in trained if one.recipe.name == PLAIN))
        else:
            if recipe.name == PLAIN and _share(waiting, clock) < TRIAL_SECONDS:
                waiting = [one for one in waiting if one.name != BEGUN]
            seconds = _share(waiting, clock)
            if seconds < LEAST_SECONDS:
                raise UsageError(f"{entry.minutes:g} minutes are too short for this text: give more --minutes")
            tokens = len(material.train.tokens)
            folds, counting = _folds(recipe, tokens, seconds, clock)
            if folds is None:
                waiting = waiting[1:]  # counts alone would take what it has; the others have it
                continue
            sized = _sized(recipe, seconds - counting, flops, tokens).with_budget("minutes", seconds / 60)
            plan = _ordered(sized.change({"training.folds": folds}), order) if folds else sized
        trained.append(_train(entry, plan, material, clock, listener))
        waiting = waiting[1:]
    recipe = _recipe(TOGETHER, entry, material.tokenizer)
    families = tuple(one.recipe.family for one in trained)
    recipe = dataclasses.replace(
        recipe,
        parts=tuple(one.recipe for one in trained),
        model=dataclasses.replace(recipe.model, parts=families),
    )
    trained.append(_train(entry, recipe, material, clock, listener, parts=[one.bundle for one in trained]))
    return trained


def try_vectors(trained: Sequence[Trained], clock: Clock) -> VectorsTrial:
    """Return what is to be said of the two entrants that differ only in what their embeddings begin with."""
    by_name = {one.recipe.name: one for one in trained}
    recipe = load_recipe(BEGUN).vectors
    name = recipe.name if isinstance(recipe, Recipe) else recipe
    if BEGUN not in by_name:
        return VectorsTrial(PLAIN, BEGUN, name, found=0, of=0, seconds=0.0, needed_minutes=_trial_minutes(clock))
    facts = by_name[BEGUN].bundle.manifest.training
    begun = facts["vectors"]
    return VectorsTrial(PLAIN, BEGUN, name, found=begun["found"], of=begun["of"], seconds=begun["seconds"])


def describe(
    entry: Entry, one: Trained, evaluation: Evaluation, samples: tuple[Sample, ...], corpus: Corpus, dev: Store
) -> Entrant:
    """Return what the report says of a trained model."""
    manifest = one.bundle.manifest
    interval = evaluation.interval(seed=entry.seed)
    to_bits_per_byte = (len(dev.tokens) - 1) / dev.size_bytes / math.log(2)
    events = read_metrics(entry.folder / one.recipe.name / METRICS)
    losses = [(float(e["seconds"]), float(e["loss"]) * to_bits_per_byte) for e in events if e["event"] == "eval"]
    if "dev_loss" in manifest.training:
        dev_figure = float(manifest.training["dev_loss"]) * to_bits_per_byte
    else:
        dev_figure = float(evaluate(one.bundle.language_model, one.bundle.tokenizer, corpus.dev).bits_per_byte or 0.0)
    return Entrant(
        name=one.recipe.name,
        family=one.recipe.family,
        bundle=f"{one.recipe.name}/bundle",
        parameters=int(manifest.model["parameters"]),
        size_bytes=manifest.size_bytes,
        train_seconds=one.seconds,
        steps=int(manifest.training.get("steps", 0)),
        bits_per_byte=interval.value,
        low=interval.low,
        high=interval.high,
        token_perplexity=evaluation.token_perplexity,
        tokens_per_second=evaluation.tokens_per_second,
        nats=evaluation.nats,
        curve=tuple(losses) if len(losses) > 1 else (),
        dev_bits_per_byte=dev_figure,
        samples=samples,
    )


def _train(
    entry: Entry,
    recipe: Recipe,
    material: Material,
    clock: Clock,
    listener: Listener,
    *,
    parts: Sequence[Bundle] = (),
) -> Trained:
    began = time.perf_counter()
    with clock.stage(f"train {recipe.name}"):
        folder = entry.folder / recipe.name
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "recipe.toml", recipe.with_sources(entry.sources).to_toml())
        bundle = fit(recipe, material, folder, listener=listener, parts=parts)
    return Trained(recipe, bundle, time.perf_counter() - began)


def _recipe(name: str, entry: Entry, tokenizer: Tokenizer) -> Recipe:
    """Return a recipe with the climb's seed, text and tokenizer, so that its file alone says how to train it again."""
    kind = TOKENIZERS.get(tokenizer.kind)
    keys = {"vocab_size": tokenizer.vocabulary.size} if "vocab_size" in options(kind.config) else {}
    tokens = kind.config(**keys)
    recipe = load_recipe(name).change({"seed": entry.seed})
    return dataclasses.replace(recipe, text=entry.text, tokenizer=tokenizer.kind, tokens=tokens)


def _ordered(recipe: Recipe, order: int) -> Recipe:
    """Return the recipe with the n-gram order that fits the tokens, where it has an order."""
    return recipe.change({"model.order": order}) if hasattr(recipe.model, "order") else recipe


def _share(waiting: Sequence[Recipe], clock: Clock) -> float:
    """Return the seconds that each network still waiting has of what is left, the reserve apart."""
    left = clock.remaining_seconds - RESERVE_FRACTION * clock.budget_seconds
    return left / max(1, sum(_sizable(one) for one in waiting))


def _trial_minutes(clock: Clock) -> float:
    """Return the budget, in whole minutes, from which on every network has `TRIAL_SECONDS` with one more among them.

    Where this budget should have been enough and was not, a quarter more is.
    """
    networks = sum(_sizable(load_recipe(name)) for name in SINGLES)
    before = sum(seconds for stage, seconds in clock.spent().items() if stage in BEFORE_NETWORKS)
    reckoned = math.ceil((networks * TRIAL_SECONDS + before) / (1 - RESERVE_FRACTION) / 60)
    return reckoned if 60 * reckoned > clock.budget_seconds else math.ceil(1.25 * clock.budget_seconds / 60)


def _sizable(recipe: Recipe) -> bool:
    return isinstance(FAMILIES.get(recipe.family), Sizable)


def _begun(recipe: Recipe, plain: Trained) -> Recipe:
    """Return the recipe with the size and the steps of the one that it is compared with, its vectors repeatable."""
    size = {f"model.{key}": value for key, value in to_mapping(plain.recipe.model).items()}
    return in_steps(recipe.change({**size, "vectors.training.threads": 1}), plain.bundle)


def _folds(recipe: Recipe, tokens: int, seconds: float, clock: Clock) -> tuple[int | None, float]:
    """Return the folds of a network on counts and the seconds that counting takes; 0 of both for any other network.

    No folds at all where its seconds are too few for two.
    """
    if "folds" not in options(type(recipe.training)):
        return 0, 0.0
    once = clock.spent().get(f"train {COUNTS}", 0.0)
    folds = folds_for(tokens, count_seconds=once, seconds=seconds)
    return folds, 0.0 if folds is None else once * (folds + 1)


def _sized(recipe: Recipe, seconds: float, flops: float, training_tokens: int) -> Recipe:
    """Return the recipe with a network that the seconds and the text can carry."""
    parameters = parameters_for(seconds=seconds, flops=flops, training_tokens=training_tokens)
    epochs = epochs_for(parameters, seconds=seconds, flops=flops, training_tokens=training_tokens)
    family: Any = FAMILIES.get(recipe.family)
    sized = to_mapping(family.sized(parameters))
    own = to_mapping(recipe.model)
    for key in own:
        if key == "dropout" or (key.startswith("dropout") and own[key]):
            sized[key] = dropout_for(own[key], epochs=epochs)
        elif key.startswith("dropout"):
            sized[key] = own[key]
    keys = {f"model.{key}": value for key, value in sized.items()}
    training = recipe.training
    optimiser, rate = learning_for(training.optimiser, training.learning_rate, epochs=epochs)
    keys |= {"training.optimiser": optimiser, "training.learning_rate": rate}
    return recipe.change(keys)
