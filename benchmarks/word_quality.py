"""Quality of word vectors by published sets, and whether one recipe's fall significantly below another's.

::

    python -m benchmarks.word_quality VECTORS… [--against VECTORS…] [--chinese] [--data DIR]

VECTORS are files that hold (V, D) rows by falling frequency, ``NAME.npy``, each beside its ``NAME.txt`` with a word a
line. Several on one side are models of one recipe with different seeds: they are averaged, and how they differ widens
the interval. Benchmarks import `ask` and `compare` instead.

English: Google's analogies among the 30,000 most frequent words, WordSim-353, SimLex-999. Chinese: CA8 (semantic) and
CA-translated. Definitions are gensim's; see `ziggurat.judge.intrinsic`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import data_folder, print_table, report
from ziggurat.judge.intrinsic.judging import Asking, Judged, compare_judged, figures, judge_rows
from ziggurat.judge.intrinsic.word_sets import AnalogySet, SimilaritySet, read_analogies, read_similarity

__all__ = ["ask", "compare", "main", "sets_of"]

Sets = tuple[list[AnalogySet], list[SimilaritySet]]


def sets_of(folder: Path, *, chinese: bool = False) -> Sets:
    """Read the published sets of a language from the folder of data sets."""
    if chinese:
        return [
            read_analogies(folder / "embedding_eval_zh" / f"{n}.txt") for n in ("CA8_semantic", "CA_translated")
        ], []
    words = folder / "word_benchmarks"
    pairs = [read_similarity(words / name) for name in ("wordsim353.tsv", "simlex999.txt")]
    return [read_analogies(words / "questions-words.txt")], pairs


def ask(words: Sequence[str], rows: npt.NDArray[np.float32], sets: Sets) -> tuple[Judged, dict[str, dict[str, Any]]]:
    """Return a model's answers, which `compare` needs, and its figures by set."""
    judged = judge_rows(words, rows, sets, Asking())
    return judged, figures(judged, Asking())


def compare(ours: Sequence[Judged], theirs: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """Return by set the totals of two recipes, their difference with its 95 % interval, and whether ours is below."""
    found = {}
    for name, rows in compare_judged(ours, theirs, Asking()).items():
        total = rows[-1]
        found[name] = {
            "ours": total.ours,
            "theirs": total.theirs,
            "difference": total.difference,
            "low": total.low,
            "high": total.high,
            "p_value": total.p_value,
            "significantly_below": total.below,
        }
    return found


def main(arguments: Sequence[str]) -> None:
    """Print the quality of vectors, and the comparison where there are others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_quality", description="quality of word vectors")
    parser.add_argument("vectors", nargs="+", type=Path)
    parser.add_argument("--against", nargs="+", type=Path, default=[])
    parser.add_argument("--chinese", action="store_true", help="ask Chinese analogies")
    parser.add_argument("--data", type=Path, help="folder of data sets")
    options = parser.parse_args(arguments)
    sets = sets_of(data_folder(options.data, "."), chinese=options.chinese)
    sides: list[list[Judged]] = []
    table = []
    for side in (options.vectors, options.against):
        sides.append([])
        for path in side:
            words = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
            judged, found = ask(words, np.load(path, mmap_mode="r", allow_pickle=False), sets)
            sides[-1].append(judged)
            table += [[path.name, name, *_shown(quantities)] for name, quantities in found.items()]
    print_table(["vectors", "set", "value", "95 % interval", "asked", "unknown"], table)
    compared = compare(*sides) if options.against else {}
    for name, row in compared.items():
        verdict = "significantly below" if row["significantly_below"] else "not significantly below"
        print(f"{name}: {row['difference']:+.4f} ({row['low']:+.4f} – {row['high']:+.4f}), {verdict}")
    report("word_quality", None, compared=compared)


def _shown(found: dict[str, Any]) -> list[str]:
    value = found["accuracy"] if "accuracy" in found else found["spearman"]
    asked, skipped = ("questions", "questions_skipped") if "questions" in found else ("pairs", "pairs_skipped")
    bounds = "–" if found["low"] is None else f"{found['low']:.4f} – {found['high']:.4f}"
    return ["–" if value is None else f"{value:.4f}", bounds, f"{found[asked]:,}", f"{found[skipped]:,}"]


if __name__ == "__main__":
    main(sys.argv[1:])
