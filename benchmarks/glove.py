"""GloVe against the reference C programs: from a text file to vectors on disk, and what the vectors are worth.

::

    python -m benchmarks.glove [--quick] [--data DIR] [--glove-bin DIR] [--words 5000000] [--epochs 15] [--seeds 3]

Both sides read the same text (lower-cased words between spaces, one paragraph a line) and make vectors of one width
from one window, minimum count, x_max and number of passes. They are measured as whole processes: wall time, processor
time, peak memory. The reference is ``vocab_count``, ``cooccur``, ``shuffle`` and ``glove`` one after another, from the
folder ``--glove-bin`` (build it with ``-O3 -march=native``); without it only our side is measured. Each seed is one
repetition of everything. Our side runs with the recipe's learning rate, and once a seed with the paper's, untimed.

Kernels are compiled before (once for a machine, kept in the user's cache); starting Python and loading them is timed.
"""

import argparse
import gzip
import itertools
import json
import math
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.glove_steps import read_bundle, read_glove_text
from benchmarks.harness import Measured, alternate, data_folder, median_spread, print_table, report, run
from benchmarks.word_quality import ask, compare, sets_of

__all__ = ["main"]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_QUICK_WORDS, _QUICK_EPOCHS = 1_000_000, 3
_WIDTH, _WINDOW, _MIN_COUNT, _X_MAX = 100, 10, 5, 10.0
_RECIPE = {"learning_rate": 0.2, "decay": "linear"}
_PAPER = {"learning_rate": 0.05, "decay": "none"}


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.glove", description="GloVe against the reference")
    parser.add_argument("--quick", action="store_true", help="a million words, three passes, one seed")
    parser.add_argument(
        "--data", type=Path, help="folder with train.txt.gz or train.jsonl.gz (default: wikifeatured_en)"
    )
    parser.add_argument("--sets", type=Path, help="folder of data sets with word_benchmarks (default: beside the data)")
    parser.add_argument("--glove-bin", type=Path, help="folder with vocab_count, cooccur, shuffle and glove")
    parser.add_argument("--words", type=int, default=5_000_000, help="words of text to take; 0 takes all")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for texts and vectors (default: a temporary one)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.words, options.epochs, options.seeds = _QUICK_WORDS, _QUICK_EPOCHS, 1
    data = data_folder(options.data, "wikifeatured_en")
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        bench = Bench(Path(folder), options)
        bench.prepare(data)
        facts = bench.measure()
        facts |= bench.judge(options.sets or data.parent)
    report("glove", facts.pop("ratio", None), **facts)


class Bench:
    """The text and vectors of one run."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        """Work in ``folder``."""
        self.folder, self.options, self.programs = folder, options, options.glove_bin
        self.text = folder / "train.txt"
        self.steps: dict[str, list[float]] = {}

    def prepare(self, data: Path) -> None:
        """Write the text, and compile the kernels by a run on its beginning."""
        words = _write_text(data, self.text, self.options.words)
        small = self.folder / "small.txt"
        with self.text.open(encoding="utf-8") as lines:
            small.write_text("".join(itertools.islice(lines, 2000)), encoding="utf-8")
        warm = self._ours(0, small, "warm", _RECIPE)
        print(f"{data}: {words:,} words; width {_WIDTH}, window {_WINDOW}, {self.options.epochs} passes")
        print(f"first run, on a small text, compiling kernels that were not cached: {warm.seconds:.1f} s\n")

    def measure(self) -> dict[str, Any]:
        """Make vectors, ours and theirs in turn, with one seed after another."""
        seeds = {"ours": itertools.count(), "reference": itertools.count(1)}
        sides: dict[str, Any] = {"ours": lambda: self._ours(next(seeds["ours"]), self.text, "ours", _RECIPE)}
        if self.programs:
            sides["reference"] = lambda: self._reference(next(seeds["reference"]))
        measured: dict[str, list[Measured]] = alternate(self.options.seeds, **sides)
        rows: list[list[str]] = []
        facts: dict[str, Any] = {}
        for side, runs in measured.items():
            seconds, processor = [one.seconds for one in runs], [one.cpu_seconds for one in runs]
            peak = max(one.peak_bytes for one in runs)
            rows.append([side, median_spread(seconds), median_spread(processor), f"{peak / 1e6:,.0f}"])
            facts[side] = {
                "seconds": statistics.median(seconds),
                "cpu_seconds": statistics.median(processor),
                "peak_bytes": peak,
            }
        print_table(["text to vectors", "wall s", "processor s", "peak MB"], rows)
        own = [json.loads(one.output.splitlines()[-1]) for one in measured["ours"]]
        for name in ("counting_seconds", "seconds"):
            self.steps[f"ours: {name}"] = [facts[name] for facts in own]
        print()
        print_table(["of which", "wall s"], [[name, median_spread(values)] for name, values in self.steps.items()])
        facts |= {"pairs": own[0]["pairs"], "steps": {k: statistics.median(v) for k, v in self.steps.items()}}
        if self.programs:
            facts["peer"] = facts.pop("reference")
            facts["ratio"] = facts["peer"]["seconds"] / facts["ours"]["seconds"]
            facts["ratio_cpu"] = facts["peer"]["cpu_seconds"] / facts["ours"]["cpu_seconds"]
        return facts

    def judge(self, folder: Path) -> dict[str, Any]:
        """Ask both sides' vectors of all seeds what words are like which."""
        sets, seeds = sets_of(folder), range(self.options.seeds)
        for seed in seeds:
            self._ours(seed, self.text, "paper", _PAPER)
        models = {name: [read_bundle(self.folder / f"{name}{seed}") for seed in seeds] for name in ("ours", "paper")}
        if self.programs:
            models["reference"] = [read_glove_text(self.folder / f"reference{seed + 1}.txt") for seed in seeds]
        asked = {name: [ask(words, rows, sets) for words, rows in several] for name, several in models.items()}
        rows: list[list[str]] = []
        facts: dict[str, Any] = {}
        for name, several in asked.items():
            values = {which: [_value(found[which]) for _, found in several] for which in several[0][1]}
            rows.append([name, *(_spread(value) for value in values.values())])
            facts[name] = {which: statistics.mean(value) for which, value in values.items()}
        print()
        print_table(["mean of seeds (lowest to highest)", *facts["ours"]], rows)
        compared = {}
        for name in ("ours", "paper") if self.programs else ():
            against = compare([judged for judged, _ in asked[name]], [judged for judged, _ in asked["reference"]])
            compared[name] = against
            for which, row in against.items():
                verdict = "significantly below" if row["significantly_below"] else "not significantly below"
                print(f"{name}, {which}: {row['difference']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f}), {verdict}")
        return {"quality": facts, "compared": compared}

    def _ours(self, seed: int, text: Path, name: str, rates: dict[str, Any]) -> Measured:
        training = {
            "window": _WINDOW,
            "x_max": _X_MAX,
            "epochs": self.options.epochs,
            "threads": self.options.threads,
            **rates,
        }
        settings = {"width": _WIDTH, "min_count": _MIN_COUNT, "seed": seed, "training": training}
        program = [sys.executable, "-m", "benchmarks.glove_steps"]
        return run([*program, text, self.folder / f"{name}{seed}", json.dumps(settings)])

    def _reference(self, seed: int) -> Measured:
        """Run the four programs; return their times added up and the highest peak."""
        at = self.folder
        vocabulary, counts, shuffled = at / "vocabulary.txt", at / "counts.bin", at / "shuffled.bin"
        quiet, memory = "-verbose 0", "-memory 4"
        commands = {
            "vocab_count": f"-min-count {_MIN_COUNT} {quiet} < {self.text} > {vocabulary}",
            "cooccur": f"{memory} -vocab-file {vocabulary} {quiet} -window-size {_WINDOW} "
            f"-overflow-file {at / 'overflow'} < {self.text} > {counts}",
            "shuffle": f"{memory} {quiet} -seed {seed} -temp-file {at / 'shuffle'} < {counts} > {shuffled}",
            "glove": f"-save-file {at / f'reference{seed}'} -threads {self.options.threads} -input-file {shuffled} "
            f"-x-max {_X_MAX} -iter {self.options.epochs} -vector-size {_WIDTH} -binary 0 -vocab-file {vocabulary} "
            f"{quiet} -seed {seed}",
        }
        done = {name: run(["sh", "-c", f"{self.programs / name} {line}"]) for name, line in commands.items()}
        for name, one in done.items():
            self.steps.setdefault(f"reference: {name}", []).append(one.seconds)
        every = list(done.values())
        seconds, processor = (sum(getattr(one, key) for one in every) for key in ("seconds", "cpu_seconds"))
        return Measured(seconds, processor, max(one.peak_bytes for one in every), "")


def _write_text(data: Path, target: Path, most: int) -> int:
    """Write about ``most`` lower-cased words of a collection, one paragraph a line; return their number."""
    words = 0
    with target.open("w", encoding="utf-8") as out:
        for paragraph in _paragraphs(data):
            if found := _WORD.findall(paragraph.lower()):
                words += len(found)
                out.write(" ".join(found) + "\n")
            if most and words >= most:
                break
    return words


def _paragraphs(data: Path) -> Iterator[str]:
    plain = data / "train.txt.gz"
    with gzip.open(plain if plain.is_file() else data / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from [line] if plain.is_file() else json.loads(line)["text"].split("\n")


def _value(found: dict[str, Any]) -> float:
    """Return a set's accuracy or correlation; not a number where none of its words is known."""
    value = found["accuracy"] if "accuracy" in found else found["spearman"]
    return math.nan if value is None else float(value)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})"


if __name__ == "__main__":
    main(sys.argv[1:])
