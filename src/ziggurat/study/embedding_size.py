"""How large should word vectors be? Train every size on the same text, measure by the user's yardstick, choose one.

::

    runs/novels-embedding-size/
    ├── recipe.toml          what all sizes share
    ├── text/ tokens/        prepared once, used by all
    ├── points/              answers and costs of each size and seed: an interrupted study goes on behind them
    ├── bundle/              the chosen size, first seed; bundles of the others are not kept
    ├── study.json           the result
    └── report.html …png     its pictures
"""

import dataclasses
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.artefacts.bundle import Bundle, read_manifest
from ziggurat.artefacts.fit import Material, fit, prepare_material
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.runs import locked
from ziggurat.core.config import options
from ziggurat.core.errors import ArtefactError, TooLittleTextError, UsageError
from ziggurat.core.files import disk_errors, write_text
from ziggurat.core.types import Listener
from ziggurat.core.version import VERSION
from ziggurat.study.choice import RESAMPLES, choose
from ziggurat.study.pip_loss import ALPHAS, measure_spectrum, opinion
from ziggurat.study.size_result import Cost, EmbeddingSizes, SpectrumFacts, Verdict
from ziggurat.study.yardstick import YARDSTICKS, Measure, open_measure
from ziggurat.text.corpus import Corpus, open_corpus, prepare

__all__ = ["RESULT", "SizeEntry", "study_embedding_size"]

RESULT = "study.json"
WIDTH = "model.width"
BUNDLE = "bundle"
USUAL_WINDOW = 5


@dataclass(frozen=True)
class SizeEntry:
    """What a study of sizes is asked to do."""

    recipe: Recipe
    """With its sources; its own width is not looked at."""
    folder: Path
    sizes: tuple[int, ...]
    tasks: tuple[str, ...]
    """The first decides; others are told beside it."""
    seeds: int
    title: str
    command: str

    def __post_init__(self) -> None:
        """Check what is asked for."""
        if len(self.sizes) < 2 or any(a >= b for a, b in zip(self.sizes, self.sizes[1:], strict=False)):
            raise UsageError(f"--sizes: at least 2 sizes in ascending order, not {','.join(map(str, self.sizes))}")
        if "width" not in options(type(self.recipe.model)):
            raise UsageError(f"--recipe {self.recipe.name}: a {self.recipe.family} model has no width to choose")
        for size in self.sizes:
            try:
                self.recipe.change({WIDTH: size})
            except UsageError as error:
                raise UsageError(f"--sizes: {str(error).partition(': ')[2]}") from error
        if len(set(self.tasks)) < len(self.tasks) or not self.tasks:
            raise UsageError("--task: name each task once, and at least one")


@dataclass(frozen=True, slots=True)
class _Point:
    """One size grown from one seed: what it cost and what it answered."""

    size: int
    seed: int
    seconds: float
    bundle_bytes: int
    parameters: int
    answers: dict[str, list[list[float]]]
    """By task."""


def study_embedding_size(entry: SizeEntry, *, listener: Listener) -> EmbeddingSizes:
    """Run the study, or go on where it stopped, and leave ``study.json`` and the chosen bundle in the entry's folder.

    Raises:
        InputError: a source or a task's file can't be used, or there is too little text.
        UsageError: the folder holds a study of something else, or another process works there.
        InterruptedRunError: the user stopped it; the same command goes on.
    """
    began = time.perf_counter()
    measures = dict(zip(entry.tasks, (open_measure(task) for task in entry.tasks), strict=True))
    if entry.folder.exists() and not entry.folder.is_dir():
        raise UsageError(f"{entry.folder}: a file, not a folder")
    with disk_errors(entry.folder):
        entry.folder.mkdir(parents=True, exist_ok=True)
    with locked(entry.folder):
        spent_before = _open_folder(entry)
        recipe = entry.recipe
        corpus = _corpus(entry, listener)
        material = prepare_material(corpus, recipe.tokenizer, recipe.tokens, entry.folder / "tokens", listener=listener)
        listener({"event": "stage", "stage": "spectrum"})
        spectrum = _spectrum(material, getattr(recipe.training, "window", USUAL_WINDOW))
        asked = {task: measure for task, (_, measure) in measures.items()}
        plan = [(size, seed) for seed in range(recipe.seed, recipe.seed + entry.seeds) for size in entry.sizes]
        points = []
        for number, (size, seed) in enumerate(plan, start=1):
            listener({"event": "size", "size": size, "seed": seed, "number": number, "total": len(plan)})
            points.append(_point(entry, material, size, seed, asked, listener))
            _note_seconds(entry.folder, spent_before + time.perf_counter() - began)
        verdicts = tuple(_verdict(entry, task, name, measure, points) for task, (name, measure) in measures.items())
        chosen = verdicts[0].choice.chosen
        _keep(entry, material, chosen, listener)
        result = EmbeddingSizes(
            title=entry.title,
            sources=recipe.sources,
            command=entry.command,
            recipe=recipe.name,
            seed=recipe.seed,
            seeds=entry.seeds,
            sizes=entry.sizes,
            chosen=chosen,
            bundle=BUNDLE,
            verdicts=verdicts,
            costs=tuple(_cost(size, points) for size in entry.sizes),
            spectrum=spectrum,
            seconds=spent_before + time.perf_counter() - began,
            tokens=len(material.train.tokens),
            vocabulary=material.tokenizer.vocabulary.size,
            machine={"version": VERSION, "python": platform.python_version(), "cores": os.cpu_count() or 1},
        )
        write_text(entry.folder / RESULT, result.to_json())
    return result


# -- the folder -----------------------------------------------------------------------------------------------------


def _open_folder(entry: SizeEntry) -> float:
    """Write what the study is about, or check that the folder's study is about the same; return seconds spent on it."""
    path = entry.folder / "recipe.toml"
    if path.is_file():
        there = load_recipe(str(path))
        ours, theirs = (dataclasses.replace(one, name="", head="").to_mapping() for one in (entry.recipe, there))
        if ours != theirs:
            differing = next(key for key in ours | theirs if ours.get(key) != theirs.get(key))
            raise UsageError(f"{entry.folder}: holds a study with another {differing}; choose another --out")
    else:
        write_text(path, entry.recipe.to_toml())
    with suppress(OSError, ValueError):
        return float((entry.folder / ".seconds").read_text(encoding="utf-8"))
    return 0.0


def _note_seconds(folder: Path, seconds: float) -> None:
    write_text(folder / ".seconds", f"{seconds:.1f}")


def _corpus(entry: SizeEntry, listener: Listener) -> Corpus:
    folder = entry.folder / "text"
    with suppress(ArtefactError):
        return open_corpus(folder)
    listener({"event": "stage", "stage": "text"})
    return prepare(entry.recipe.sources, entry.recipe.text, folder=folder, listener=listener)


# -- one size, one seed ---------------------------------------------------------------------------------------------


def _point(
    entry: SizeEntry, material: Material, size: int, seed: int, measures: Mapping[str, Measure], listener: Listener
) -> _Point:
    """Return what is known of a size and seed; train where nothing is, ask only where tasks were added."""
    recipe = entry.recipe.change({WIDTH: size, "seed": seed})
    keys = {task: _key(material.key, recipe.to_mapping() | {"sources": []}, measures[task].key) for task in measures}
    path = entry.folder / "points" / f"size-{size}-seed-{seed}.json"
    known: dict[str, Any] = {}
    with suppress(OSError, ValueError, KeyError):
        known = json.loads(path.read_text(encoding="utf-8"))
    answers = {
        task: known["answers"][task]["rows"]
        for task in measures
        if known.get("answers", {}).get(task, {}).get("key") == keys[task]
    }
    if len(answers) < len(measures):
        folder = _run_folder(entry, size, seed)
        bundle = fit(recipe, material, folder, listener=listener)
        listener({"event": "stage", "stage": "evaluate"})
        answers |= {task: measure.answers(bundle) for task, measure in measures.items() if task not in answers}
        told = known.get("answers", {}) | {task: {"key": keys[task], "rows": answers[task]} for task in answers}
        known = _facts(bundle) | {"answers": told}
        write_text(path, json.dumps(known))
        if seed != entry.recipe.seed:  # of the first seed any size may yet be the chosen one
            shutil.rmtree(folder)
    return _Point(size, seed, known["seconds"], known["bundle_bytes"], known["parameters"], answers)


def _facts(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "seconds": float(manifest.training["seconds"]),
        "bundle_bytes": int(manifest.size_bytes),
        "parameters": int(manifest.model["parameters"]),
    }


def _run_folder(entry: SizeEntry, size: int, seed: int) -> Path:
    return entry.folder / "points" / f"size-{size}-seed-{seed}"


def _keep(entry: SizeEntry, material: Material, chosen: int, listener: Listener) -> None:
    """Leave the bundle of the chosen size in the folder and remove those of the others."""
    seed = entry.recipe.seed
    recipe = entry.recipe.change({WIDTH: chosen, "seed": seed})
    kept: Mapping[str, Any] = {}
    with suppress(ArtefactError):
        kept = read_manifest(entry.folder / BUNDLE).recipe
    if kept != recipe.to_mapping():
        fit(recipe, material, _run_folder(entry, chosen, seed), listener=listener)  # what is there is only opened
        shutil.rmtree(entry.folder / BUNDLE, ignore_errors=True)
        (_run_folder(entry, chosen, seed) / BUNDLE).rename(entry.folder / BUNDLE)
    for size in entry.sizes:
        shutil.rmtree(_run_folder(entry, size, seed), ignore_errors=True)


# -- what comes of it -----------------------------------------------------------------------------------------------


def _verdict(entry: SizeEntry, task: str, name: str, measure: Measure, points: Sequence[_Point]) -> Verdict:
    yardstick = YARDSTICKS.get(name)
    grid = [[p.answers[task] for p in points if p.size == size] for size in entry.sizes]
    answers = np.array([rows for of_size in grid for rows in of_size], np.float64)
    shape = (len(entry.sizes), entry.seeds)
    figures = measure.figures(answers).reshape(shape)
    draws = measure.resampled(answers, seed=entry.recipe.seed, resamples=RESAMPLES)
    choice = choose(
        entry.sizes,
        figures,
        draws.reshape(*shape, draws.shape[1]),
        higher_is_better=yardstick.higher_is_better,
        seed=entry.recipe.seed,
    )
    return Verdict(task, measure.label, yardstick.quantity, answers.shape[2], choice)


def _cost(size: int, points: Sequence[_Point]) -> Cost:
    own = [point for point in points if point.size == size]
    return Cost(size, min(p.seconds for p in own), own[0].bundle_bytes, own[0].parameters)


def _spectrum(material: Material, window: int) -> SpectrumFacts | None:
    try:
        found = measure_spectrum(material.train, window=window)
        opinions = tuple(opinion(found, alpha) for alpha in ALPHAS)
    except TooLittleTextError:
        return None
    return SpectrumFacts(found.words, found.seen, found.noise, found.edge_ratio, opinions)


def _key(*deciding: Any) -> str:
    return hashlib.sha256(json.dumps(deciding, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
