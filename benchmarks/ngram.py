"""n-grams against KenLM: from a text file to a model on disk, perplexity, and batches of queries.

::

    python -m benchmarks.ngram [--quick] [--data DIR] [--order 5] [--kenlm-bin DIR]

Both sides read the same tokenised text (words between spaces, one paragraph a line), build modified Kneser–Ney models
of one order without pruning, and are measured as whole processes: wall time, processor time, peak memory. KenLM's
side is ``lmplz`` and then ``build_binary``, in its faster form, from the folder ``--kenlm-bin``; without it only
queries are compared, through the ``kenlm`` package on an ARPA file that we wrote.

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
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness import Measured, alternate, data_folder, folder_bytes, median_spread, print_table, report, run
from benchmarks.ngram_steps import Scorer

__all__ = ["main"]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_QUICK_BOOKS = 8
_QUERY_ROUNDS = 7
_LIMITS = ("1G", "512M")
"""Memory limits under which the model is built again, to be compared byte by byte."""


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ngram", description="n-grams against KenLM")
    parser.add_argument("--quick", action="store_true", help="a few books and one repetition")
    parser.add_argument("--data", type=Path, help="folder with train.jsonl.gz and dev.jsonl.gz (default: novels)")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kenlm-bin", type=Path, help="folder with lmplz, build_binary and query")
    parser.add_argument("--work", type=Path, help="folder for texts and models (default: a temporary one)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        bench = Bench(Path(folder), options.order, options.kenlm_bin)
        bench.prepare(data_folder(options.data, "novels"), books=_QUICK_BOOKS if options.quick else None)
        facts = bench.compare_builds(1 if options.quick else options.repeats)
        facts |= {"memory_limits": {limit: bench.under_limit(limit) for limit in _LIMITS}}
        facts |= bench.compare_perplexities() | bench.compare_queries()
    report("ngram", facts.pop("build_ratio", facts["query_ratio"]), **facts)


class Bench:
    """The texts and models of one run."""

    def __init__(self, folder: Path, order: int, kenlm: Path | None) -> None:
        """Work in ``folder``; ``kenlm`` holds KenLM's programs, where they are there."""
        self.folder, self.order, self.kenlm = folder, order, kenlm
        self.train, self.dev = folder / "train.txt", folder / "dev.txt"
        self.model, self.arpa, self.binary = folder / "model", folder / "model.arpa", folder / "model.kenlm"
        self.lines: list[str] = []

    def prepare(self, data: Path, *, books: int | None) -> None:
        """Write the tokenised texts, and compile the kernels by a run on the smaller one."""
        train, dev = (_tokenise(data / f"{file.stem}.jsonl.gz", file, books) for file in (self.train, self.dev))
        self.lines = self.dev.read_text(encoding="utf-8").splitlines()
        warm = self._build(self.dev, self.folder / "warm")
        print(f"{data}: {train:,} words to learn from, {dev:,} to predict; order {self.order}")
        print(f"first run, on the small text, compiling kernels that were not cached: {warm.seconds:.1f} s\n")

    def compare_builds(self, repeats: int) -> dict[str, Any]:
        """Build models from the training text, ours and theirs in turn."""
        sides: dict[str, Any] = {"ours": partial(self._build, self.train, self.model)}
        if self.kenlm:
            sides["kenlm"] = self._build_kenlm
        built: dict[str, list[Measured]] = alternate(repeats, **sides)
        sizes = {"ours": folder_bytes(self.model), "kenlm": folder_bytes(self.binary) if self.kenlm else 0}
        head = ["text to model", "wall s", "processor s", "peak MB", "on disk MB"]
        columns = ("seconds", "cpu_seconds", "peak_bytes")
        values = {side: {key: [getattr(one, key) for one in runs] for key in columns} for side, runs in built.items()}
        rows = [
            [
                side,
                *(median_spread(values[side][key]) for key in columns[:2]),
                f"{max(values[side]['peak_bytes']) / 1e6:,.0f}",
                f"{sizes[side] / 1e6:,.0f}",
            ]
            for side in built
        ]
        print_table(head, rows)
        print()
        facts: dict[str, Any] = {
            side: {
                **{key: statistics.median(values[side][key]) for key in columns},
                "disk_bytes": sizes[side],
            }
            for side in built
        }
        if self.kenlm:
            facts["build_ratio"] = facts["kenlm"]["seconds"] / facts["ours"]["seconds"]
            facts["peer"] = facts.pop("kenlm")
        return facts

    def under_limit(self, limit: str) -> dict[str, Any]:
        """Build again with a memory limit; say what it took, and whether every byte of the model is the same."""
        folder = self.folder / "limited"
        took = self._build(self.train, folder, memory=limit)
        same = _model_hash(folder) == _model_hash(self.model)
        print(f"with memory = {limit}: {took.seconds:.1f} s, peak {took.peak_bytes / 1e6:,.0f} MB, same bytes: {same}")
        return {"seconds": took.seconds, "peak_bytes": took.peak_bytes, "same_bytes": same}

    def compare_perplexities(self) -> dict[str, Any]:
        """Measure both models on the held-out text."""
        ours = Scorer(self.model, threads=1).perplexities(self.lines)
        rows = [["ours", *_perplexity_row(ours)]]
        facts: dict[str, Any] = {"perplexity": ours[0], "perplexity_known": ours[1], "unknown": ours[2]}
        if self.kenlm:
            query = f"{self.kenlm / 'query'} -v summary {self.binary} < {self.dev}"
            theirs = _parsed_summary(run(["sh", "-c", query]).output)
            rows.append(["kenlm", *_perplexity_row(theirs)])
            facts |= {"peer_perplexity": theirs[0], "peer_perplexity_known": theirs[1]}
            facts["perplexity_difference"] = abs(ours[0] / theirs[0] - 1)
        print()
        print_table(["perplexity", "all", "known words", "unknown", "tokens"], rows)
        return facts

    def compare_queries(self) -> dict[str, Any]:
        """Score the same list of strings, ours and KenLM's Python module in turn."""
        import kenlm

        if not self.kenlm:
            run([sys.executable, "-m", "benchmarks.ngram_steps", "export", self.model, self.arpa])
        peer = kenlm.Model(str(self.binary if self.kenlm else self.arpa))
        lines, one, two = self.lines, Scorer(self.model, threads=1), Scorer(self.model, threads=2)
        sides: dict[str, Callable[[], Sequence[float]]] = {
            "ours_two_threads": lambda: two.nats(lines).tolist(),
            "ours_one_thread": lambda: one.nats(lines).tolist(),
            "kenlm": lambda: [peer.score(line) for line in lines],
        }
        timed = alternate(_QUERY_ROUNDS, **{name: partial(_seconds, side) for name, side in sides.items()})
        count = sum(line.count(" ") + 2 for line in lines)
        rates = {name: [count / seconds / 1e6 for seconds in times] for name, times in timed.items()}
        difference = max(abs(a / math.log(10) - b) for a, b in zip(one.nats(lines), sides["kenlm"](), strict=True))
        print()
        print_table(["queries from strings", "million a second"], [[k, median_spread(v)] for k, v in rates.items()])
        print(f"{count:,} queries; largest difference of a line's log10 probability: {difference:.1e}")
        medians = {name: statistics.median(values) for name, values in rates.items()}
        return {
            "query_ratio": medians["ours_two_threads"] / medians["kenlm"],
            "query_ratio_one_thread": medians["ours_one_thread"] / medians["kenlm"],
            "million_queries_a_second": medians,
        }

    def _build(self, text: Path, folder: Path, *, memory: str = "auto") -> Measured:
        program = [sys.executable, "-m", "benchmarks.ngram_steps"]
        return run([*program, "build", text, folder, str(self.order), memory])

    def _build_kenlm(self) -> Measured:
        """Run lmplz and build_binary one after the other; return their times added up and the higher peak."""
        programs = self.kenlm or Path()
        counting: list[str | Path] = [
            programs / "lmplz",
            "-o",
            str(self.order),
            "-S",
            "4G",
            "-T",
            self.folder / "lmplz",
        ]
        first = run([*counting, "--text", self.train, "--arpa", self.arpa, "--discount_fallback"])
        second = run([programs / "build_binary", "-T", self.folder / "binary", "probing", self.arpa, self.binary])
        peak = max(first.peak_bytes, second.peak_bytes)
        return Measured(first.seconds + second.seconds, first.cpu_seconds + second.cpu_seconds, peak, "")


def _tokenise(source: Path, target: Path, books: int | None) -> int:
    """Write a collection's lower-cased words, one paragraph a line; return their number."""
    words = 0
    with gzip.open(source, "rt", encoding="utf-8") as texts, target.open("w", encoding="utf-8") as out:
        for text in itertools.islice(texts, books):
            for paragraph in json.loads(text)["text"].lower().split("\n"):
                if found := _WORD.findall(paragraph):
                    words += len(found)
                    out.write(" ".join(found) + "\n")
    return words


def _model_hash(folder: Path) -> str:
    manifest = json.loads((folder / "ziggurat.json").read_text(encoding="utf-8"))
    return str(manifest["files"]["model.safetensors"]["sha256"])


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _parsed_summary(text: str) -> tuple[float, float, int, int]:
    """Read what KenLM's ``query -v summary`` prints."""
    found = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    perplexities = (float(found[f"Perplexity {which} OOVs"]) for which in ("including", "excluding"))
    return (*perplexities, int(found["OOVs"]), int(found["Tokens"]))  # type: ignore[return-value]


def _perplexity_row(values: tuple[float, float, int, int]) -> list[str]:
    return [f"{values[0]:.4f}", f"{values[1]:.4f}", f"{values[2]:,}", f"{values[3]:,}"]


if __name__ == "__main__":
    main(sys.argv[1:])
