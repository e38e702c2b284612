"""Captions translated: a Transformer sized for 29,000 pairs, in 45 minutes of a processor.

::

    python -m benchmarks.tasks.translation [--quick] [--data DIR] [--direction de-en] [--minutes 45] [--seeds 1]

The data (``multi30k``) are captions of pictures: ``train.de.gz`` and ``train.en.gz``, line by line, ``val`` to choose
weights on, and ``test_2016_flickr``, which is looked at once, by the trained model. One ``ziggurat task translation
train`` does it all, as a user would have it. ``--minutes`` are a processor's, from files to figures: training lasts
that long by the number of threads, less what preparing and measuring take. BLEU and chrF are sacrebleu's, on text as it
stands (its own tokenizer, case kept), with the bootstrap's interval over sentences. ``ratio`` is BLEU over the floor.
"""

import argparse
import gzip
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import data_folder, median_spread, print_table, report, run
from benchmarks.tasks.trials import add_keys, seed_range
from ziggurat.artefacts.bundle import bundle_folder, read_manifest

__all__ = ["FLOORS", "GOALS", "main", "training_command"]

RECIPE = "small-transformer"
FLOORS, GOALS = {"de-en": 32.0, "en-de": 30.0}, {"de-en": 40.0, "en-de": 39.0}
SPARE_MINUTES = 2.0
"""Of a processor, for all that is no training."""
QUICK = {"tokens.vocab_size": "1024", "model.width": "32", "model.feedforward": "64"}
QUICK_MINUTES, QUICK_PAIRS, QUICK_SENTENCES = 0.1, 2000, 40
SPLITS = ("train", "val", "test_2016_flickr")


def main(arguments: Sequence[str]) -> None:
    """Print BLEU and chrF of each seed, and the last line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.translation", description="captions translated")
    parser.add_argument("--quick", action="store_true", help="seconds, on a few pairs: it shows it works")
    parser.add_argument("--data", type=Path, help="folder with train, val and test_2016_flickr of two languages")
    parser.add_argument("--direction", default="de-en", help="source and target (default: de-en)")
    parser.add_argument("--minutes", type=float, default=45.0, help="of a processor, all threads together")
    parser.add_argument(
        "--steps", type=int, help="instead, for a machine that is busy: the minutes are told all the same"
    )
    parser.add_argument("--seeds", type=seed_range, default="1", help="how many, from 0 on, or FIRST-LAST")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--recipe", default=RECIPE)
    parser.add_argument("--work", type=Path, help="folder for runs (default: a temporary one)")
    add_keys(parser)
    options = parser.parse_args(arguments)
    source, dash, target = options.direction.partition("-")
    if not dash or not source or not target:
        raise SystemExit(f"--direction {options.direction}: give two languages, as de-en")
    data = data_folder(options.data, "multi30k")
    minutes = QUICK_MINUTES if options.quick else (options.minutes - SPARE_MINUTES) / options.threads
    budget = ("minutes", f"{minutes:g}") if options.steps is None else ("steps", str(options.steps))
    settings = (QUICK if options.quick else {}) | dict(options.keys)
    found = []
    with tempfile.TemporaryDirectory(dir=options.work) as place:
        files = _files(data, (source, target), Path(place), quick=options.quick)
        for seed in options.seeds:
            folder = Path(place) / f"run-{seed}"
            command = training_command(files, folder, settings, recipe=options.recipe, budget=budget, seed=seed)
            found.append({"seed": seed, **_measured(command, folder, options.threads)})
            print(f"seed {seed}: {found[-1]}", file=sys.stderr, flush=True)
    _print(options.recipe, options.direction, found)
    bleu = statistics.median(one["bleu"] for one in found)
    floor, goal = FLOORS.get(options.direction), GOALS.get(options.direction)
    met = {} if floor is None or goal is None else {"floor_met": bleu >= floor, "goal_met": bleu >= goal}
    facts = {"direction": options.direction, "recipe": options.recipe, "settings": settings, "seeds": found}
    report("translation", None if floor is None else bleu / floor, ours=bleu, floor=floor, goal=goal, **met, **facts)


def training_command(
    files: Sequence[str], folder: Path, settings: dict[str, str], *, recipe: str, budget: tuple[str, str], seed: int
) -> list[str | Path]:
    """Return the command that trains on the first pair of files, chooses on the second and measures on the third."""
    train, dev, test = files
    budgeted = {f"training.{budget[0]}": budget[1], **settings}
    flags = [word for key, value in budgeted.items() for word in (f"--{key}", value)]
    held_out = ["--dev", dev, "--test", test]
    own: list[str | Path] = ["--recipe", recipe, "--seed", str(seed), "--out", folder]
    verb = [sys.executable, "-m", "ziggurat", "task", "translation", "train"]
    return [*verb, train, *held_out, *own, "--quiet", "--json", *flags]


def _files(data: Path, languages: tuple[str, str], place: Path, *, quick: bool) -> list[str]:
    """Return the names of the two files of each split, with a comma between them."""
    found = []
    for split in SPLITS:
        sides = []
        for language in languages:
            paths = [data / f"{split}.{language}{ending}" for ending in (".gz", "")]
            path = next((one for one in paths if one.is_file()), None)
            if path is None:
                raise SystemExit(f"no {split}.{language} in {data}: give a folder with both languages by --data")
            if quick:
                short, limit = place / f"{split}.{language}", QUICK_PAIRS if split == "train" else QUICK_SENTENCES
                short.write_text("".join(line + "\n" for line in _lines(path)[:limit]), encoding="utf-8")
                path = short
            sides.append(str(path))
        found.append(",".join(sides))
    return found


def _lines(path: Path) -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return content.decode().removesuffix("\n").split("\n")


def _measured(command: list[str | Path], folder: Path, threads: int) -> dict[str, Any]:
    """Train and measure in a process of its own, and return what came out."""
    trained = run(["env", f"OMP_NUM_THREADS={threads}", *command])
    (told,) = json.loads(trained.output)["models"]
    manifest = read_manifest(bundle_folder(folder))
    bleu, chrf = told["metrics"]["bleu"], told["metrics"]["chrf"]
    return {
        "bleu": bleu["value"],
        "low": bleu["low"],
        "high": bleu["high"],
        "chrf": chrf["value"],
        "signatures": told["signatures"],
        "sentences": told["examples"],
        "oddities": told["oddities"],
        "parameters": manifest.model.get("parameters"),
        "steps": manifest.training["steps"],
        "epochs": manifest.training.get("epochs"),
        "minutes": trained.seconds / 60,
        "processor_minutes": trained.cpu_seconds / 60,
        "peak_bytes": trained.peak_bytes,
    }


def _print(recipe: str, direction: str, found: Sequence[dict[str, Any]]) -> None:
    rows = [
        [
            f"{direction}, seed {one['seed']}",
            f"{one['bleu']:.1f} ({one['low']:.1f} to {one['high']:.1f})",
            f"{one['chrf']:.1f}",
            f"{one['steps']:,}",
            f"{one['processor_minutes']:.1f}",
        ]
        for one in found
    ]
    print_table([recipe, "BLEU", "chrF", "steps", "processor min"], rows)
    print(f"BLEU over seeds: {median_spread([one['bleu'] for one in found])}")
    for signature in found[0]["signatures"].values():
        print(signature)


if __name__ == "__main__":
    main(sys.argv[1:])
