"""Word2Vec against gensim and word2vec.c: from a text file to vectors on disk, at equal quality.

::

    python -m benchmarks.word_vectors [--quick] [--data DIR] [--architecture skipgram|cbow] [--seeds 3]
                                      [--word2vec FILE] [--chinese] [--sizes]

Both sides read the same file (lower-cased words between spaces, one paragraph a line; Chinese cut by jieba) and are
measured as whole processes: wall time, processor time, peak memory. Every seed is one round of both, in turn. Quality
is asked of the vectors of all seeds, and compared by a test over questions and seeds. ``--word2vec`` names the program
of word2vec.c, which then runs once. ``--sizes`` adds one epoch each at other widths and on one thread.

Kernels are compiled before (once for a machine, kept in the user's cache); starting Python and loading them is timed,
and shown for itself as start-up.
"""

import argparse
import gzip
import itertools
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Measured, alternate, data_folder, median_spread, print_table, report, run
from benchmarks.word_quality import Sets, ask, compare, sets_of

__all__ = ["main"]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_QUICK_PARAGRAPHS = 60_000
_SETTINGS = {
    "width": 100, "window": 5, "negatives": 5, "sample": 1e-3, "min_count": 5, "epochs": 5,
    "learning_rate": 0.025, "final_rate": 1e-4, "threads": 2,
}  # fmt: skip
_SIZES: tuple[dict[str, int], ...] = ({"width": 50}, {"width": 300}, {"threads": 1})


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_vectors", description="Word2Vec against gensim")
    parser.add_argument("--quick", action="store_true", help="a part of the text, one seed, one epoch")
    parser.add_argument("--data", type=Path, help="folder with train.jsonl.gz or train.txt.gz (default: novels)")
    parser.add_argument("--architecture", choices=("skipgram", "cbow"), default="skipgram")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--word2vec", type=Path, help="the program of word2vec.c")
    parser.add_argument("--chinese", action="store_true", help="cut Chinese words, and ask Chinese analogies")
    parser.add_argument("--sizes", action="store_true", help="also other widths, and one thread")
    parser.add_argument("--sets", type=Path, help="folder of data sets with the analogies and word pairs")
    options = parser.parse_args(arguments)
    settings = {**_SETTINGS, "architecture": options.architecture, **({"epochs": 1} if options.quick else {})}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), settings, sets_of(data_folder(options.sets, "."), chinese=options.chinese))
        data = data_folder(options.data, "wiki_zh" if options.chinese else "novels")
        bench.prepare(data, chinese=options.chinese, paragraphs=_QUICK_PARAGRAPHS if options.quick else None)
        facts = bench.start_up() | bench.compare(1 if options.quick else options.seeds, options.word2vec)
        facts |= bench.compare_sizes() if options.sizes else {}
    facts |= {"data": data.name, "architecture": options.architecture}
    report("word_vectors", facts["gensim"]["seconds"] / facts["ours"]["seconds"], **facts)


class Bench:
    """The text and the vectors of one run."""

    def __init__(self, folder: Path, settings: dict[str, Any], sets: Sets) -> None:
        """Work in ``folder``."""
        self.folder, self.settings, self.sets = folder, settings, sets
        self.text, self.words = folder / "text.txt", 0

    def prepare(self, data: Path, *, chinese: bool, paragraphs: int | None) -> None:
        """Write the tokenised text."""
        cut = _cut_chinese if chinese else _cut_english
        with self.text.open("w", encoding="utf-8") as out:
            for paragraph in itertools.islice(_paragraphs(data), paragraphs):
                if found := cut(paragraph):
                    self.words += len(found)
                    out.write(" ".join(found) + "\n")
        shown = ", ".join(f"{key} {value}" for key, value in self.settings.items())
        print(f"{data.name}: {self.words:,} words; {shown}\n")

    def start_up(self) -> dict[str, Any]:
        """Measure a process that learns from next to nothing, after one that compiles what is not cached."""
        small = self.folder / "small.txt"
        small.write_text("one two three four five\n" * 10, encoding="utf-8")
        first = self._run("ours", small, self.folder / "first", seed=0)
        sides = {side: partial(self._run, side, small, self.folder / f"small-{side}", seed=0) for side in _SIDES}
        taken: dict[str, list[Measured]] = alternate(3, **sides)
        seconds = {side: statistics.median(one.seconds for one in runs) for side, runs in taken.items()}
        print(f"start-up, first run: {first.seconds:.2f} s; later: ours {seconds['ours']:.2f} s, ", end="")
        print(f"gensim {seconds['gensim']:.2f} s\n")
        return {"start_up_seconds": seconds["ours"], "gensim_start_up_seconds": seconds["gensim"]}

    def compare(self, seeds: int, word2vec: Path | None) -> dict[str, Any]:
        """Train both sides with each seed, in turn; compare time and quality."""
        taken: dict[str, list[Measured]] = {side: [] for side in _SIDES}
        for seed in range(seeds):
            for side in _SIDES:
                taken[side].append(self._run(side, self.text, self._vectors(side, seed), seed=seed))
        if word2vec is not None:
            taken["word2vec.c"] = [self._word2vec(word2vec)]
        print_table(
            ["text to vectors", "wall s", "processor s", "peak MB", "million words/s"],
            [self._row(side, runs) for side, runs in taken.items()],
        )
        judged: dict[str, list[Any]] = {side: [] for side in taken}
        for side, runs in taken.items():
            for seed in range(len(runs)):
                vectors = self._vectors(side, seed)
                words = vectors.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
                judged[side].append(ask(words, np.load(vectors.with_suffix(".npy")), self.sets)[0])
        compared = compare(judged["ours"], judged["gensim"])
        print()
        print_table(
            ["quality", "ours", "gensim", "difference", "95 % interval", "verdict"],
            [_quality_row(name, row) for name, row in compared.items()],
        )
        facts: dict[str, Any] = {side: _figures(runs) for side, runs in taken.items()}
        if word2vec is not None:
            print()
            peer = compare(judged["ours"], judged["word2vec.c"])
            print_table(["quality", "ours", "word2vec.c"], [[n, *_values(row)] for n, row in peer.items()])
            facts["word2vec_ratio"] = facts["word2vec.c"]["seconds"] / facts["ours"]["seconds"]
        return {**facts, "words": self.words, "quality": compared}

    def compare_sizes(self) -> dict[str, Any]:
        """Train one epoch at other widths and on one thread, ours and gensim's in turn."""
        facts = {}
        rows = []
        for other in _SIZES:
            chosen = {**other, "epochs": 1}
            sides = {
                side: partial(self._run, side, self.text, self._vectors(side, 0), seed=0, **chosen) for side in _SIDES
            }
            taken: dict[str, list[Measured]] = alternate(1, **sides)
            name = ", ".join(f"{key} {value}" for key, value in other.items())
            inside = {side: json.loads(runs[0].output)["training_seconds"] for side, runs in taken.items()}
            facts[name] = {
                "whole_ratio": taken["gensim"][0].seconds / taken["ours"][0].seconds,
                "training_ratio": inside["gensim"] / inside["ours"],
                "ours_seconds": taken["ours"][0].seconds,
                "ours_million_words_a_second": self.words / inside["ours"] / 1e6,
            }
            figures = facts[name]
            rows.append([name, f"{figures['ours_million_words_a_second']:.2f}", f"{figures['training_ratio']:.1f}"])
            rows[-1].append(f"{figures['whole_ratio']:.1f}")
        print()
        print_table(["one epoch", "million words/s in training", "× gensim in training", "× gensim, process"], rows)
        return {"sizes": facts}

    def _run(self, side: str, text: Path, out: Path, *, seed: int, **other: Any) -> Measured:
        settings = json.dumps({**self.settings, "seed": seed, **other})
        return run([sys.executable, "-m", "benchmarks.word_vectors_steps", side, text, out, "--settings", settings])

    def _word2vec(self, program: Path) -> Measured:
        """Run word2vec.c and write its vectors in the form of the others."""
        s, out = self.settings, self._vectors("word2vec.c", 0)
        command: list[str | Path] = [program, "-train", self.text, "-output", out, "-binary", "1"]
        command += ["-cbow", str(int(s["architecture"] == "cbow")), "-size", str(s["width"]), "-iter", str(s["epochs"])]
        command += ["-window", str(s["window"]), "-negative", str(s["negatives"]), "-sample", str(s["sample"])]
        command += ["-min-count", str(s["min_count"]), "-threads", str(s["threads"]), "-alpha", str(s["learning_rate"])]
        taken = run(command)
        content = out.read_bytes()
        head, _, rest = content.partition(b"\n")
        count, width = map(int, head.split())
        words, rows = [], np.empty((count, width), np.float32)
        place = 0
        for number in range(count):
            space = rest.index(b" ", place)
            words.append(rest[place:space].decode().lstrip("\n"))
            place = space + 1 + 4 * width
            rows[number] = np.frombuffer(rest, np.float32, width, space + 1)
        np.save(out.with_suffix(".npy"), rows)
        out.with_suffix(".txt").write_text("\n".join(words), encoding="utf-8")
        return taken

    def _vectors(self, side: str, seed: int) -> Path:
        return self.folder / f"{side.replace('.', '-')}-{seed}"

    def _row(self, side: str, runs: Sequence[Measured]) -> list[str]:
        return [
            side,
            median_spread([one.seconds for one in runs]),
            median_spread([one.cpu_seconds for one in runs]),
            f"{max(one.peak_bytes for one in runs) / 1e6:,.0f}",
            f"{self.words * self.settings['epochs'] / statistics.median(one.seconds for one in runs) / 1e6:.2f}",
        ]


_SIDES = ("ours", "gensim")


def _paragraphs(data: Path) -> Iterator[str]:
    """Yield the paragraphs of a collection's training part."""
    records, plain = data / "train.jsonl.gz", data / "train.txt.gz"
    if records.is_file():
        with gzip.open(records, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield from json.loads(line)["text"].split("\n")
    else:
        with gzip.open(plain, "rt", encoding="utf-8") as lines:
            yield from lines


def _cut_english(paragraph: str) -> list[str]:
    return _WORD.findall(paragraph.lower())


def _cut_chinese(paragraph: str) -> list[str]:
    import rjieba

    return [word for word in rjieba.cut(paragraph.lower(), False) if word.strip() and any(map(str.isalnum, word))]


def _figures(runs: Sequence[Measured]) -> dict[str, float]:
    return {
        "seconds": statistics.median(one.seconds for one in runs),
        "cpu_seconds": statistics.median(one.cpu_seconds for one in runs),
        "peak_bytes": max(one.peak_bytes for one in runs),
    }


def _values(row: dict[str, Any]) -> list[str]:
    return [f"{row['ours']:.4f}", f"{row['theirs']:.4f}"]


def _quality_row(name: str, row: dict[str, Any]) -> list[str]:
    interval = "–" if row["low"] is None else f"{row['low']:+.4f} – {row['high']:+.4f}"
    verdict = "significantly below" if row["significantly_below"] else "not significantly below"
    return [name, *_values(row), f"{row['difference']:+.4f}", interval, verdict]


if __name__ == "__main__":
    main(sys.argv[1:])
