"""Labels of texts: our recipes, from scratch, beside fastText in the same run.

::

    python -m benchmarks.tasks.classification [--quick] [--set sst2] [--data DIR] [--recipes linear …] [--seeds 3]
                                              [--vectors BUNDLE] [--start BUNDLE] [--minutes M]

Sets: ``sst2`` (film reviews, English; learnt on train, a tenth of which tunes, measured on dev) and ``hotel`` (hotel
reviews, Chinese; a tenth by the hash of the text measures, another tunes). Each recipe that draws anything is trained
from ``--seeds`` seeds. ``--vectors`` is what embeddings begin with, and ``--start`` the encoder of
``encoder-classifier``; each is given to those recipes alone that can begin so. fastText (Joulin et al. 2017), where it
is installed, learns the same texts, as words of the first recipe's tokenizer, twelve times, and of these the one is
measured that is best on what tunes. ``ratio`` is the best mean accuracy over the floor.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import data_folder, median_spread, print_table, report
from benchmarks.tasks.trials import add_options, begun, check_start, figure, mean_spread, trained
from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.runs import open_run
from ziggurat.surface.material import prepared
from ziggurat.text.labelled_corpus import ExampleSet
from ziggurat.tokens.loading import token_texts
from ziggurat.training.job import silent
from ziggurat.use.tasks import TASKS

__all__ = ["SETS", "LabelledData", "main"]

ACCURACY, CALIBRATION = "label_accuracy", "calibration_error"
EPOCHS, RATES, NGRAMS = (5, 25), (0.1, 0.25, 0.5), (1, 2)
"""What is tried of fastText: its defaults, what its guide to classification has, and what lies between."""


@dataclass(frozen=True)
class LabelledData:
    """A set of labelled texts."""

    folder: str
    files: tuple[str, ...]
    floor: float
    goal: float
    started: tuple[float, float]
    """Floor and goal of what begins with an encoder that others trained."""


SETS = {
    "sst2": LabelledData("sst2", ("{}/train.tsv", "test={}/dev.tsv"), 0.83, 0.85, (0.90, 0.92)),
    "hotel": LabelledData("chnsenticorp_hotel", ("{}/all.csv.gz",), 0.90, 0.92, (0.90, 0.92)),
}


def main(arguments: Sequence[str]) -> None:
    """Print a row for each recipe, and the last line of JSON."""
    options = _options(arguments)
    chosen = SETS[options.set]
    folder = data_folder(options.data, chosen.folder)
    sources = [name.format(folder) for name in chosen.files]
    rows: list[list[str]] = []
    told: dict[str, Any] = {}
    read: Bundle | None = None
    names = options.recipes or _recipes(options)
    check_start(names, options)
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            recipe = begun(name, options, minutes=options.minutes)
            outcomes = trained("classification", recipe, sources, Path(scratch), seeds=options.seeds)
            accuracies, errors = ([figure(one, metric) for one, _ in outcomes] for metric in (ACCURACY, CALIBRATION))
            seconds = [each for _, each in outcomes]
            told[name] = {"accuracies": accuracies, "calibration_errors": errors, "seconds": seconds}
            rows.append([name, mean_spread(accuracies), median_spread(errors), median_spread(seconds)])
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
            read = read or outcomes[0][0].bundle
        if read and (peer := _fasttext(read)):
            told["fasttext"] = peer
            rows.append(["fastText", f"{100 * peer['accuracy']:.1f}", "", f"{peer['seconds']:.2f}"])
    print_table([options.set, "accuracy, %", "calibration error", "seconds"], rows)
    best = max(statistics.mean(one["accuracies"]) for one in told.values() if "accuracies" in one)
    floor, goal = chosen.started if options.start else (chosen.floor, chosen.goal)
    met = {"floor": floor, "goal": goal, "floor_met": best >= floor, "goal_met": best >= goal}
    asked = {"set": options.set, "seeds": list(options.seeds), "keys": dict(options.keys)}
    report("tasks.classification", best / floor, **asked, **met, **told)


def _recipes(options: argparse.Namespace) -> list[str]:
    """Return the recipes of the task, and those that an encoder begins where there is one."""
    names = TASKS.get("classification").recipes
    return [name for name in names if options.start or not name.startswith("encoder")]


def _fasttext(bundle: Bundle) -> dict[str, float]:
    """Return what fastText makes of the texts of the run that made ``bundle``; nothing where it is not installed."""
    try:
        import fasttext  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        print("fastText is not installed: no peer in this run", file=sys.stderr)
        return {}
    with open_run(bundle.path.parent) as run:
        corpus = prepared(run, silent)
    words = token_texts(bundle.tokenizer)

    def lines(split: Any) -> list[tuple[str, str]]:
        if not isinstance(split, ExampleSet):
            raise TypeError("no labelled texts")
        ids = bundle.tokenizer.encode_batch(list(split.texts()))
        labels = [one.answer for one in split.entries]
        return [(label, " ".join(words[one] for one in each)) for label, each in zip(labels, ids, strict=True)]

    path = bundle.path.parent / "fasttext.txt"
    path.write_text("".join(f"__label__{label} {text}\n" for label, text in lines(corpus.train)), encoding="utf-8")
    tried = []
    for epochs, rate, ngrams in itertools.product(EPOCHS, RATES, NGRAMS):
        began = time.perf_counter()
        keys = {"epoch": epochs, "lr": rate, "wordNgrams": ngrams, "verbose": 0, "thread": 1}
        try:
            model = fasttext.train_supervised(str(path), **keys)
        except RuntimeError:  # "Encountered NaN": the rate was too high for this text
            continue
        seconds = time.perf_counter() - began
        tried.append((_right(model, lines(corpus.dev)), _right(model, lines(corpus.test)), seconds))
    _, accuracy, seconds = max(tried)
    return {"accuracy": accuracy, "seconds": seconds, "seconds_of_all": sum(one for *_, one in tried)}


def _right(model: Any, held: Sequence[tuple[str, str]]) -> float:
    """Return the part of labels that a model of fastText says rightly."""
    said = model.f.multilinePredict([f"{text}\n" for _, text in held], 1, 0.0, "strict")[0]
    right = [bool(names[0] == f"__label__{label}") for names, (label, _) in zip(said, held, strict=True)]
    return sum(right) / len(held)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks.classification", description="labels of texts")
    parser.add_argument("--set", choices=sorted(SETS), default="sst2")
    parser.add_argument("--recipes", nargs="+", help="unless told, those of the task; encoder-classifier with --start")
    parser.add_argument("--minutes", type=float, help="of training; unless told, as the recipe has it")
    add_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
