"""Preparing a corpus: one process beside several, and beside a Ray cluster of this machine; seconds for each stage.

::

    python -m benchmarks.preparation [--quick] [--data DIR] [--workers N] [--repeats R]

Text (read, clean, look for near twins, split), tokens (train a tokenizer, write both splits as its ids) and n-grams
(count those of order 5). The one process is what a user has who asks for no workers: it reads in one thread, and
tokenizes and counts in as many as ``OMP_NUM_THREADS`` and ``RAYON_NUM_THREADS`` allow. On one machine the others can
win little beside it; what they leave must have the same bytes. ``start`` is what it takes until the first task is done.
``--quick`` takes the held-out novels instead of those for training.
"""

import argparse
import hashlib
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import alternate, data_folder, median_spread, print_table, report
from ziggurat.artefacts.fit import prepare_material
from ziggurat.core.compiled import thread_count
from ziggurat.core.processes import LocalProcesses
from ziggurat.core.ray_cluster import RayCluster
from ziggurat.core.workers import HERE, Workers
from ziggurat.text.corpus import prepare
from ziggurat.text.options import TextConfig
from ziggurat.tokens.bpe import BpeConfig
from ziggurat.training.job import silent
from ziggurat.training.ngram_counting import Budget, count_ngrams
from ziggurat.training.ngram_sorting import Shape

__all__ = ["STAGES", "Prepared", "main", "prepared"]

STAGES = ("start", "text", "tokens", "n-grams")
_ORDER = 5
_MEMORY_BYTES = 8 << 30
_VOCABULARY = 8192


@dataclass(frozen=True)
class Prepared:
    """How long each stage took, and a hash of all that it left."""

    seconds: dict[str, float] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preparation", description="one process and many")
    parser.add_argument("--quick", action="store_true", help="the small half of the data, once")
    parser.add_argument("--data", type=Path, help="folder with train* and dev* texts (default: novels)")
    parser.add_argument("--workers", type=int, default=2, help="processes, and processors of the cluster")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    sources = sorted(data_folder(options.data, "novels").glob("dev*" if options.quick else "train*"))
    if not sources:
        raise SystemExit("no dev* or train* text in the data's folder")
    many = options.workers
    sides: dict[str, Any] = {"one process": lambda: prepared(sources, HERE)}
    sides[f"{many} processes"] = lambda: prepared(sources, LocalProcesses(many))
    if importlib.util.find_spec("ray") is not None:
        sides[f"Ray, {many} workers"] = lambda: prepared(sources, RayCluster(cores=many))
    prepared(sources if options.quick else sorted(sources[0].parent.glob("dev*")), HERE)  # kernels are compiled
    results = alternate(1 if options.quick else options.repeats, **sides)
    rows = [
        [name, *(median_spread([one.seconds[stage] for one in found]) for stage in STAGES), _total(found)]
        for name, found in results.items()
    ]
    print_table(["seconds", *STAGES, "all but start"], rows)
    first, *others = [one.hashes for found in results.values() for one in found]
    identical = all(one == first for one in others)
    print(f"\nevery file and every count has the same bytes: {'yes' if identical else 'NO'}")
    totals = {name: statistics.median(map(_sum, found)) for name, found in results.items()}
    facts = {
        name: {stage: [one.seconds[stage] for one in found] for stage in STAGES} for name, found in results.items()
    }
    ours, peer = totals[f"{many} processes"], totals["one process"]
    threads = thread_count()
    report("preparation", peer / ours, ours=ours, peer=peer, identical=identical, threads=threads, seconds=facts)
    if not identical:
        raise SystemExit(1)


def prepared(sources: Sequence[Path], workers: Workers) -> Prepared:
    """Prepare the sources once, in a folder that is removed again."""
    found = Prepared()
    with tempfile.TemporaryDirectory() as place, workers:
        folder = Path(place)
        with _timed(found, "start"):
            list(workers.map(abs, [0]))
        with _timed(found, "text"):
            names = [str(source) for source in sources]
            corpus = prepare(names, TextConfig(), folder=folder / "text", listener=silent, workers=workers)
        with _timed(found, "tokens"):
            config = BpeConfig(vocab_size=_VOCABULARY)
            material = prepare_material(corpus, "bpe", config, folder / "tokens", workers=workers)
        with _timed(found, "n-grams"):
            vocabulary = material.train.vocabulary
            shape = Shape(_ORDER, vocabulary.size, vocabulary.bos, vocabulary.eos)
            budget = Budget(_MEMORY_BYTES, thread_count(), None)
            counts = count_ngrams(material.train.tokens, shape, budget, raw=True, workers=workers)
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                found.hashes[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("starts", "words", "first_child", "counts", "raw"):
            array = np.ascontiguousarray(getattr(counts, name))
            found.hashes[name] = hashlib.sha256(array.tobytes()).hexdigest()
    return found


@contextmanager
def _timed(found: Prepared, stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    found.seconds[stage] = time.perf_counter() - started


def _sum(one: Prepared) -> float:
    return sum(one.seconds[stage] for stage in STAGES[1:])


def _total(found: Sequence[Prepared]) -> str:
    return median_spread(list(map(_sum, found)))


if __name__ == "__main__":
    main(sys.argv[1:])
