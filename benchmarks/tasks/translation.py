"""Captions translated: the article's Transformer, sized for 29,000 pairs, in 45 minutes of a processor.

::

    python -m benchmarks.tasks.translation [--quick] [--data DIR] [--direction de-en] [--minutes 45] [--seeds 1]

The data (``multi30k``) are captions of pictures: ``train.de.gz`` and ``train.en.gz``, line by line, and the sentences
of ``test_2016_flickr``. A model is trained by ``ziggurat train``, and the test's sentences go through ``ziggurat
translate``, as a user would have it; a fiftieth of the training pairs is put aside to choose weights on, and neither
the validation set nor the test's targets are looked at. ``--minutes`` are a processor's: training lasts that long by
the number of threads. BLEU and chrF are sacrebleu's, on text as it stands (its own tokenizer, case kept), the interval
the bootstrap's over sentences.
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
from ziggurat.artefacts.bundle import bundle_folder, read_manifest
from ziggurat.judge.answers import Answer, answers_report

__all__ = ["SEARCH", "SETTINGS", "main", "training_command"]

RECIPE = "article-transformer"
SETTINGS: dict[str, Any] = {
    "text.duplicates": "exact",
    "text.dev": 0.02,
    "text.test": 0.0,
    "tokens.vocab_size": 8192,
    "model.width": 256,
    "model.heads": 4,
    "model.feedforward": 768,
    "model.dropout": 0.2,
    "training.average": "tail",
    "training.decay_fraction": 0.5,
    "training.checkpoint_seconds": 600.0,
}
"""Keys of the recipe that are set for this data."""
SEARCH = {"beams": 5, "length-exponent": 1.0}
QUICK: dict[str, Any] = {"tokens.vocab_size": 1024, "model.width": 32, "model.feedforward": 64}
QUICK_MINUTES, QUICK_PAIRS, QUICK_SENTENCES = 0.1, 2000, 40
TEST = "test_2016_flickr"


def main(arguments: Sequence[str]) -> None:
    """Print BLEU and chrF of each seed, and the last line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.translation", description="captions translated")
    parser.add_argument("--quick", action="store_true", help="seconds, on a few pairs: it shows it works")
    parser.add_argument("--data", type=Path, help="folder with train.XX.gz and test_2016_flickr.XX of two languages")
    parser.add_argument("--direction", default="de-en", help="source and target (default: de-en)")
    parser.add_argument("--minutes", type=float, default=45.0, help="of a processor, all threads together")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for runs and translations (default: a temporary one)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another key of the recipe")
    options = parser.parse_args(arguments)
    source, dash, target = options.direction.partition("-")
    if not dash or not source or not target:
        raise SystemExit(f"--direction {options.direction}: give two languages, as de-en")
    data = data_folder(options.data, "multi30k")
    minutes = QUICK_MINUTES if options.quick else options.minutes
    settings = SETTINGS | (QUICK if options.quick else {}) | dict(one.split("=", 1) for one in options.set)
    found = []
    with tempfile.TemporaryDirectory(dir=options.work) as place:
        texts = _texts(data, (source, target), Path(place), quick=options.quick)
        for seed in range(options.seeds):
            command = training_command(
                texts[:2], Path(place) / f"run-{seed}", settings, minutes=minutes / options.threads, seed=seed
            )
            found.append(_measured(command, Path(place) / f"run-{seed}", texts, options.threads))
            print(f"seed {seed}: {found[-1]}", file=sys.stderr, flush=True)
    _print(options.direction, found)
    signatures = found[0].pop("signatures")
    bleu = statistics.median(one["bleu"] for one in found)
    facts = {"direction": options.direction, "minutes": minutes, "threads": options.threads, "settings": settings}
    report("translation", None, ours=bleu, **facts, search=SEARCH, signatures=signatures, seeds=found)


def training_command(
    texts: Sequence[Path], folder: Path, settings: dict[str, Any], *, minutes: float, seed: int
) -> list[str | Path]:
    """Return the command that trains a model on two files of pairs, for so many minutes by the clock."""
    flags = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    pairs = ",".join(map(str, texts))
    own: list[str | Path] = [
        "--recipe",
        RECIPE,
        "--minutes",
        f"{minutes:g}",
        "--seed",
        str(seed),
        "--out",
        folder,
        "--quiet",
    ]
    return [sys.executable, "-m", "ziggurat", "train", pairs, *own, *flags]


def _texts(data: Path, languages: tuple[str, str], place: Path, *, quick: bool) -> list[Path]:
    """Return the files of training sources, training targets, test sources and test targets."""
    found = []
    for split, limit in (("train", QUICK_PAIRS), (TEST, QUICK_SENTENCES)):
        for language in languages:
            paths = [data / f"{split}.{language}{ending}" for ending in (".gz", "")]
            path = next((one for one in paths if one.is_file()), None)
            if path is None:
                raise SystemExit(f"no {split}.{language} in {data}: give a folder with both languages by --data")
            if quick:
                short = place / f"{split}.{language}"
                short.write_text("".join(line + "\n" for line in _lines(path)[:limit]), encoding="utf-8")
                path = short
            found.append(path)
    return found


def _lines(path: Path) -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return content.decode().removesuffix("\n").split("\n")


def _measured(command: list[str | Path], folder: Path, texts: Sequence[Path], threads: int) -> dict[str, Any]:
    """Train and translate in processes of their own, and return what came out."""
    limited: list[str | Path] = ["env", f"OMP_NUM_THREADS={threads}"]
    trained = run([*limited, *command])
    out = folder / "translated.txt"
    search = [word for key, value in SEARCH.items() for word in (f"--{key}", str(value))]
    translate: list[str | Path] = [sys.executable, "-m", "ziggurat", "translate", folder, texts[2], "--out", out]
    translated = run([*limited, *translate, *search, "--quiet"])
    both = zip(_lines(texts[3]), _lines(out), strict=True)
    found = answers_report([Answer(str(n), gold, said) for n, (gold, said) in enumerate(both)], ["bleu", "chrf"])
    bleu, chrf = (interval for _, interval in found.metrics)
    manifest = read_manifest(bundle_folder(folder))
    return {
        "bleu": bleu.value,
        "low": bleu.low,
        "high": bleu.high,
        "chrf": chrf.value,
        "signatures": dict(found.signatures),
        "parameters": manifest.model.get("parameters"),
        "steps": manifest.training["steps"],
        "epochs": manifest.training.get("epochs"),
        "train_minutes": trained.seconds / 60,
        "processor_minutes": (trained.cpu_seconds + translated.cpu_seconds) / 60,
        "translate_seconds": translated.seconds,
        "peak_bytes": trained.peak_bytes,
    }


def _print(direction: str, found: Sequence[dict[str, Any]]) -> None:
    rows = [
        [
            f"{direction}, seed {seed}",
            f"{one['bleu']:.1f} ({one['low']:.1f} to {one['high']:.1f})",
            f"{one['chrf']:.1f}",
            f"{one['processor_minutes']:.1f}",
            f"{one['translate_seconds']:.1f}",
        ]
        for seed, one in enumerate(found)
    ]
    print_table(["article-transformer", "BLEU", "chrF", "processor min", "translating s"], rows)
    print(f"BLEU over seeds: {median_spread([one['bleu'] for one in found])}")
    print(json.dumps(found[0]["signatures"]))


if __name__ == "__main__":
    main(sys.argv[1:])
