"""Real prose: our decoder, LSTM, n-grams and mixture beside nanoGPT's architecture and KenLM, in equal time.

::

    python -m benchmarks.prose [--quick] [--data DIR] [--minutes 5] [--kenlm DIR] [--sizes small,large] [--work DIR]

For each set (``wikifeatured_en`` and ``novels``; ``--data`` names another folder with train and dev texts) one
byte-level BPE is trained on the training text, and everybody reads its ids. Every model has the same minutes on the
same two threads (5: ten of a processor's), one after another, and the same text. Those of ours that tune something put
the last documents of it aside (2 %) for that; all others learn these too. The peers are nanoGPT's architecture, trained
by its optimiser and schedule with the settings of its recipe (`benchmarks.plain_gpt`), in two sizes of which the better
counts, and KenLM without pruning, where ``--kenlm`` names the folder that it was built in.

All are judged by one judge on the same held-out documents; of one longer than 300,000 bytes, on the lines before that.
Bits per byte are the nats of all tokens of a document, its end included, by its bytes. What reads windows is moved on
by half a window (`benchmarks.held_out`). Nothing that was learnt changes while a document is read; but models differ in
how far they see: KenLM five ids, nanoGPT its window, an LSTM its state and, as our networks on counts do within what
they have read, the last thousand ids of the document (`ziggurat.models.recalling`). Intervals are the bootstrap's over
documents.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.entries import Entry, bundle_facts
from benchmarks.harness import data_folder, print_table, report, run
from benchmarks.held_out import BATCH_TOKENS, carried_logprobs
from benchmarks.kenlm_ids import build, program
from benchmarks.plain_gpt import Shape
from benchmarks.prose_steps import Prepared, prepare
from ziggurat.core.types import FloatArray
from ziggurat.judge.evaluate import Evaluation
from ziggurat.judge.significance import compare
from ziggurat.models.windows import document_logprobs

__all__ = ["ENTRIES", "SIZES", "Judged", "evaluation", "main", "result"]

SETS = ("wikifeatured_en", "novels")
LEAD = 0.08
"""By how much the best of ours is to be below the best of the peers."""
ORDER = 6
VOCABULARY, QUICK_VOCABULARY = 4096, 512
LONGEST = 300_000
"""Bytes of a held-out document from its beginning that are judged: a whole novel takes minutes and tells no more."""
QUICK_MINUTES = 0.02
QUICK_BYTES = 120_000
"""Of the training text, and a quarter of it of the held-out text, in a quick run."""

_BEGUN = {"vectors": "cbow", "vectors.training.epochs": 1}
"""Embeddings begin with vectors of one pass over the text: half a minute for what the network would not reach."""
_LSTM = _BEGUN | {
    "model.dropout_input": 0.0,
    "model.dropout_output": 0.0,
    "model.recall": 1000,
    "training.folds": 3,
    "training.optimiser": "muon",
    "training.learning_rate": 6e-3,
}
_DECODER = _BEGUN | {"training.folds": 3, "model.recall": 1000}
_LSTM_MINUTES, _DECODER_MINUTES = 0.88, 0.9
"""What counting and training may take; vectors take the rest."""


def _of(part: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{part}.{key}": value for key, value in settings.items()}


ENTRIES = (
    Entry("decoder", "counted-gpt", _DECODER, {"training.minutes": _DECODER_MINUTES}),
    Entry("lstm", "counted-lstm", _LSTM, {"training.minutes": _LSTM_MINUTES}),
    Entry("ngram", "ngram", {"model.order": ORDER}, dev=False),
    Entry(
        "mixture",
        "counted-mixture",
        {**_of("counted-lstm", _LSTM), **_of("counted-gpt", _DECODER)},
        {"counted-lstm.training.minutes": 0.34, "counted-gpt.training.minutes": 0.2},
    ),
)
"""Our entries: change a recipe, its settings or its part of the minutes here."""

SIZES = {"small": Shape(4, 4, 128, 128), "large": Shape(4, 4, 256, 256)}
"""Sizes of the peer's network: the recipe's for a processor, and one four times as large, with longer windows."""


@dataclass(frozen=True)
class Judged:
    """A model's outcome on one set."""

    name: str
    ours: bool
    evaluation: Evaluation
    seconds: float
    """Of training, as the trainers or the loop say; of counting programs, as whole processes."""
    process_seconds: float
    """Not a number for a part, which has no process of its own."""
    facts: dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prose", description="prose, in equal time")
    parser.add_argument(
        "--quick", action="store_true", help="seconds instead of minutes, on one set: it shows it works"
    )
    parser.add_argument("--data", type=Path, action="append", help="folder of a set, may be repeated (default: both)")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--kenlm", type=Path, help="folder that KenLM was built in")
    parser.add_argument("--only", help=f"which of ours, with commas between: {', '.join(_names())} (default: all)")
    parser.add_argument(
        "--sizes", help=f"sizes of the peer's network, the better counts: {', '.join(SIZES)} (default: all)"
    )
    parser.add_argument("--vocabulary", type=int, help=f"ids of the BPE (default: {VOCABULARY})")
    parser.add_argument("--longest", type=int, default=LONGEST, help="bytes of a held-out document that are judged")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, help="folder for ids and models (default: a temporary one)")
    options = parser.parse_args(arguments)
    entries = [entry for entry in ENTRIES if entry.name in _known(options.only, _names(), "--only")]
    sizes = _known(options.sizes or (next(iter(SIZES)) if options.quick else None), list(SIZES), "--sizes")
    if options.kenlm:
        program(options.kenlm, "lmplz")
    minutes = QUICK_MINUTES if options.quick else options.minutes
    vocabulary = options.vocabulary or (QUICK_VOCABULARY if options.quick else VOCABULARY)
    folders = [data_folder(folder, "") for folder in options.data or ()]
    folders = folders or [data_folder(None, name) for name in SETS[: 1 if options.quick else None]]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=options.work) as place:
        for data in folders:
            limit = QUICK_BYTES if options.quick else None
            texts = prepare(data, Path(place) / data.name, vocabulary=vocabulary, limit=limit, longest=options.longest)
            bench = Bench(Path(place) / data.name, texts, threads=options.threads, seed=options.seed)
            judged = [one for entry in entries for one in bench.ours(entry.within(minutes))]
            judged += [bench.peer(name, minutes) for name in sizes]
            judged += [bench.kenlm(options.kenlm)] if options.kenlm else []
            found[data.name] = result(judged, minutes=minutes, seed=options.seed)
            show(data.name, judged, found[data.name], texts)
    leads = [told["lead"] for told in found.values()]
    report("prose", 1 / (1 - min(leads)), minutes=minutes, seed=options.seed, vocabulary=vocabulary, sets=found)


class Bench:
    """The ids of one set and the processes that learn them."""

    def __init__(self, place: Path, texts: Prepared, *, threads: int, seed: int) -> None:
        """Work below ``place``, where `prepare` has left ``texts``."""
        self.place, self.texts, self.threads, self.seed = place, texts, threads, seed
        self.sequences = [texts.held_out.document(index) for index in range(len(texts.held_out))]

    def ours(self, entry: Entry) -> list[Judged]:
        """Fit an entry in a process, and judge what it left: its parts too, which have had less time than it."""
        folder = self.place / "models" / entry.name
        facts, process_seconds = self._step("ours", folder, "--entry", entry.to_json())
        recipe = entry.resolved(self.seed)
        parts = [(f"{part.name}, part", part, folder / "parts" / part.name) for part in recipe.parts]
        judged = [self._ours(name, at, bundle_facts(part, at), float("nan")) for name, part, at in parts]
        return [*judged, self._ours(entry.name, folder, facts, process_seconds)]

    def _ours(self, name: str, folder: Path, facts: dict[str, Any], process_seconds: float) -> Judged:
        from ziggurat.artefacts.bundle import load

        model = load(folder / "bundle").language_model
        told = document_logprobs(model, self.sequences, batch_tokens=BATCH_TOKENS)  # by half a window, as the peer is
        return self._judged(name, told, facts, process_seconds, ours=True)

    def peer(self, size: str, minutes: float) -> Judged:
        """Train the peer's network in a process, and judge it."""
        from benchmarks.plain_gpt import load, reader

        folder = self.place / "models" / f"peer-{size}"
        shape = SIZES[size]
        flags = [f"--{name}={getattr(shape, name)}" for name in ("layers", "heads", "width", "block")]
        facts, process_seconds = self._step("peer", folder, "--seconds", str(60 * minutes), *flags)
        network = load(folder / "peer.safetensors")
        told = carried_logprobs(reader(network), self.sequences, context=network.shape.block)
        return self._judged(f"nanoGPT's, {size}", told, facts, process_seconds, ours=False)

    def kenlm(self, programs: Path) -> Judged:
        """Let KenLM count the same ids, each a word, and judge its model."""
        learnt = self.texts.learnt
        documents = (learnt.document(index)[1:-1] for index in range(len(learnt)))
        model = build(programs, documents, ORDER, self.place / "kenlm")
        told = model.logprobs(self.sequences, whole=True)
        facts = {"seconds": model.seconds, "peak_bytes": model.peak_bytes}
        return self._judged(f"KenLM, order {ORDER}", told, facts, model.seconds, ours=False)

    def _judged(
        self, name: str, told: list[FloatArray], facts: dict[str, Any], process_seconds: float, *, ours: bool
    ) -> Judged:
        found = evaluation(self.texts, told)
        print(f"{name}: {found.bits_per_byte:.4f} bits per byte, {facts['seconds']:.0f} s", file=sys.stderr, flush=True)
        return Judged(name, ours, found, float(facts["seconds"]), process_seconds, facts)

    def _step(self, what: str, folder: Path, *flags: str) -> tuple[dict[str, Any], float]:
        program = ["env", f"OMP_NUM_THREADS={self.threads}", sys.executable, "-m", "benchmarks.prose_steps"]
        took = run([*program, what, self.place, folder, "--seed", str(self.seed), *flags])
        return json.loads(took.output.splitlines()[-1]), took.seconds


def evaluation(texts: Prepared, told: Sequence[FloatArray]) -> Evaluation:
    """Return what a model needed for each held-out document, from the log-probabilities of its tokens."""
    store = texts.held_out
    if [len(one) for one in told] != [len(store.document(index)) - 1 for index in range(len(store))]:
        raise SystemExit("a model did not predict every token of every document")
    nats = tuple(-float(one.sum(dtype=np.float64)) for one in told)
    sizes = tuple(int(size) for size in store.document_bytes)
    tokens = tuple(len(one) for one in told)
    return Evaluation(tuple(store.ids), nats, tokens, sizes, store.fingerprint, texts.lossless, 0.0)


def result(judged: Sequence[Judged], *, minutes: float, seed: int) -> dict[str, Any]:
    """Return every model's bits per byte, and the best of ours that kept to the minutes beside the best peer.

    *Shapes and units.* ``lead`` is the part of the best peer's bits per byte that ours saves; ``low`` and ``high``
    beside it bound the paired difference in bits per byte.
    """
    models = {one.name: _facts(one, minutes, seed) for one in judged}
    in_time = [one for one in judged if one.ours and models[one.name]["within_budget"]]
    best, peer = (
        min(some, key=lambda one: one.evaluation.bits_per_byte or 0.0)
        for some in (in_time or [one for one in judged if one.ours], [one for one in judged if not one.ours])
    )
    ours_bits, peer_bits = models[best.name]["bits_per_byte"], models[peer.name]["bits_per_byte"]
    found = {"models": models, "ours": best.name, "peer": peer.name, "lead": 1 - ours_bits / peer_bits}
    if len(best.evaluation.ids) > 1:
        a, b = best.evaluation, peer.evaluation
        difference = compare(a.nats, b.nats, a.document_bytes, seed=seed)
        found["difference"] = {"value": difference.value, "low": difference.low, "high": difference.high}
    return found | {"shown": found["lead"] >= LEAD}


def show(name: str, judged: Sequence[Judged], found: dict[str, Any], texts: Prepared) -> None:
    """Print the table of one set."""
    print(
        f"{name}: {texts.learnt.size_bytes / 1e6:,.1f} MB to learn, {len(texts.held_out)} documents of "
        f"{texts.held_out.size_bytes / 1e6:,.1f} MB to predict, {texts.learnt.vocabulary.size:,} ids\n"
    )
    rows = []
    for one in judged:
        told = found["models"][one.name]
        tokens = f"{told['tokens'] / 1e6:,.1f}" if "tokens" in told else ""
        interval = f"{told['low']:.3f} to {told['high']:.3f}"
        whole = "" if math.isnan(one.process_seconds) else f"{one.process_seconds:,.0f}"
        rows.append([one.name, f"{one.seconds:,.0f}", whole, tokens])
        rows[-1] += [f"{told['bits_per_byte']:.4f}", interval]
    print_table(["model", "training s", "process s", "million tokens", "bits per byte", "95 %"], rows)
    print(f"{found['ours']} is {100 * found['lead']:.1f} % below {found['peer']}, the best peer\n")


def _facts(one: Judged, minutes: float, seed: int) -> dict[str, Any]:
    interval = one.evaluation.interval(seed=seed)
    kept: dict[str, Any] = {
        key: one.facts[key] for key in ("parameters", "tokens", "steps", "peak_bytes") if key in one.facts
    }
    return {
        "bits_per_byte": interval.value,
        "low": interval.low,
        "high": interval.high,
        "seconds": one.seconds,
        "process_seconds": None if math.isnan(one.process_seconds) else one.process_seconds,
        "within_budget": one.seconds <= 60 * minutes * 1.02,
        **kept,
    }


def _names() -> list[str]:
    return [entry.name for entry in ENTRIES]


def _known(given: str | None, known: list[str], option: str) -> list[str]:
    wanted = given.split(",") if given else known
    if unknown := [name for name in wanted if name not in known]:
        raise SystemExit(f"{option}: {', '.join(unknown)}: not one of {', '.join(known)}")
    return wanted


if __name__ == "__main__":
    main(sys.argv[1:])
