"""Characters of tiny Shakespeare: how soon our recipes reach the loss of nanoGPT's recipe for a processor, and how far.

::

    python -m benchmarks.time_to_loss [--quick] [--data DIR] [--nanogpt DIR] [--kenlm DIR] [--only a,b] [--seeds 3]

The last tenth of the text is held out; no process that trains is given it. The peer trains as nanoGPT's README says for
a processor: 4 layers of width 128 with 4 heads, windows of 64, 12 a step, 2,000 steps. It is nanoGPT itself where
``--nanogpt`` names a checkout, which is run as it is; else `benchmarks.plain_gpt`, written from its description.
Every side runs once a seed, in turn, in processes of their own. Kernels are compiled before (once for a machine, kept
in the user's cache); starting Python and loading them is timed.

*Training time.* Of ours, what the trainers say that they took: counting, all steps, evaluations on the part put aside,
and weighting, of all parts together. Of the peer, the loop alone; nanoGPT also evaluates in its loop: its time is that
of all iterations in its log, where one that evaluates counts as much as the median.
*Process time.* From the text file to the model on disk, Python and its libraries included. nanoGPT's has its
evaluations in it and not its ``prepare.py``.

*Loss.* Mean nats of every held-out character but the first, context carried over in the same way for all
(`benchmarks.held_out`). Nothing is adapted to the text while it is judged. Sizes, rates and dropout were chosen on
parts of the training text; that c puts none of it aside was chosen after a look at the held-out tenth
(docs/experiments.md).
"""

import argparse
import itertools
import json
import math
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.entries import Entry
from benchmarks.harness import Measured, alternate, data_folder, median_spread, print_table, report, run
from benchmarks.kenlm_ids import build
from benchmarks.time_to_loss_steps import alphabet_of, cut, ids_of

__all__ = ["COUNTS", "GOALS", "Goal", "Outcome", "loop_seconds", "main", "verdict"]

STEPS, EVERY = 2000, 250
"""Steps of the published recipe, and how often nanoGPT evaluates in it."""
QUICK_STEPS, QUICK_CHARACTERS = 20, 60_000
ORDER = 6
FLAGS = (
    "device=cpu compile=False eval_iters=20 log_interval=1 block_size=64 batch_size=12 n_layer=4 n_head=4 n_embd=128 "
    "dropout=0.0 always_save_checkpoint=True"
)
"""The flags of the recipe in nanoGPT's README; and the last weights are kept, whatever its evaluations say."""
ITERATION = re.compile(r"^iter (\d+): loss [\d.]+, time ([\d.]+)ms", re.MULTILINE)


@dataclass(frozen=True)
class Goal:
    """One of our models, and what it must show."""

    entry: Entry
    about: str
    sooner: float | None = None
    """How many times sooner than the peer it must be trained, with no more loss than the peer has in the end."""
    sooner_process: float | None = None
    """The same of whole processes."""
    loss: float | None = None
    """Nats a character that it must reach, and be below what counts alone reach."""
    seconds: float | None = None
    """Seconds within which it must do so, of the whole process."""


_SMALL = {
    "model.layers": 4,
    "model.width": 128,
    "model.heads": 4,
    "model.context": 64,
    "training.window": 64,
    "training.rows": 16,
    "training.keep": "last",
    "training.optimiser": "muon",
    "training.learning_rate": 6e-3,
    "training.decay_fraction": 0.7,
}
"""The peer's layers, width and heads."""
_CELLS = {
    "model.layers": 2,
    "model.embedding": 128,
    "model.hidden": 384,
    "model.tied": False,
    "model.order": 8,
    "model.orders": [3, 5, 8],
    "model.recall": 0,
    "training.window": 64,
    "training.rows": 32,
    "training.learning_rate": 3e-3,
    "training.decay_fraction": 0.6,
    "training.folds": 8,
}
_LASTING = _CELLS | {
    "model.dropout_input": 0.1,
    "model.dropout_hidden": 0.2,
    "model.dropout_output": 0.2,
    "training.keep": "last",
}
"""For more than a pass over the text. Nothing of it is put aside: what stands next to the held-out part is most like
it, and dropout was chosen before, on a part of the text."""


GOALS = (
    Goal(
        Entry("a", "gpt", {**_SMALL, "training.steps": 220}, dev=False),
        "a Transformer without n-gram tables",
        sooner=4,
    ),
    Goal(
        Entry(
            "b", "counted-lstm", {**_CELLS, "model.layers": 1, "training.steps": 10, "training.keep": "last"}, dev=False
        ),
        "an LSTM on counts",
        sooner=25,
        sooner_process=12,
    ),
    Goal(
        Entry("c3", "counted-lstm", {**_LASTING, "training.minutes": 2.5}, dev=False),
        "an LSTM on counts, in 3 minutes",
        loss=1.45,
        seconds=180,
    ),
    Goal(
        Entry("c10", "counted-lstm", {**_LASTING, "training.minutes": 5.0}, dev=False),
        "the same, in 10 minutes",
        loss=1.41,
        seconds=600,
    ),
)
"""Our entries: change a recipe, its settings or its budget here."""

COUNTS = Entry("ngram", "ngram", {"model.order": ORDER}, dev=False)
"""What counting alone reaches."""


@dataclass(frozen=True)
class Outcome:
    """What one run of one side took and reached."""

    loss: float
    seconds: float
    process_seconds: float
    facts: dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_to_loss", description="beside nanoGPT")
    parser.add_argument("--quick", action="store_true", help="few steps, little text, one seed: it only shows it works")
    parser.add_argument("--data", type=Path, help="folder with input.txt (default: tiny_shakespeare)")
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    parser.add_argument("--kenlm", type=Path, help="folder that KenLM was built in")
    parser.add_argument("--only", help=f"which of ours, with commas between: {', '.join(_names())} (default: all)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    goals = _chosen(options.only)
    text = data_folder(options.data, "tiny_shakespeare") / "input.txt"
    if not text.is_file():
        raise SystemExit(f"--data: no input.txt in {text.parent}")
    letters = text.read_text(encoding="utf-8")
    steps = STEPS
    if options.quick:
        letters, steps = letters[:QUICK_CHARACTERS], QUICK_STEPS
        goals = tuple(replace(goal, entry=replace(goal.entry, steps=QUICK_STEPS)) for goal in goals)
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(Path(place), letters, steps=steps, threads=options.threads)
        if not options.quick:
            bench.compile_kernels(goals)
        sides = bench.sides(goals, nanogpt=options.nanogpt, kenlm=options.kenlm)
        outcomes = alternate(1 if options.quick else options.seeds, **sides)
    show(goals, outcomes, nanogpt=options.nanogpt is not None)


class Bench:
    """The text and the processes of one run."""

    def __init__(self, place: Path, letters: str, *, steps: int, threads: int) -> None:
        """Cut ``letters`` and lay the parts out in files below ``place``."""
        self.place, self.letters, self.steps, self.threads = place, letters, steps, threads
        self.learnt, self.held_out = cut(letters)
        unseen = sorted(set(self.held_out) - set(self.learnt))
        if unseen:
            raise SystemExit(
                f"characters that only the held-out part has: {''.join(unseen)!r}; the peer can't read them"
            )
        self.learnt_file, self.held_out_file = place / "learnt.txt", place / "held_out.txt"
        self.learnt_file.write_text(self.learnt, encoding="utf-8")
        self.held_out_file.write_text(self.held_out, encoding="utf-8")

    def sides(
        self, goals: Sequence[Goal], *, nanogpt: Path | None, kenlm: Path | None
    ) -> dict[str, Callable[[], Outcome]]:
        """Return what is run in turn: the peer, ours, what counts alone reach."""
        peer = partial(self.nanogpt, self.laid_out(nanogpt)) if nanogpt else self.peer
        ours = {goal.entry.name: partial(self.ours, goal.entry) for goal in goals}
        sides: dict[str, Callable[[int], Outcome]] = {"peer": peer, **ours, COUNTS.name: partial(self.ours, COUNTS)}
        if kenlm:
            sides["kenlm"] = partial(self.kenlm, kenlm)
        return {name: _seeded(side) for name, side in sides.items()}

    def compile_kernels(self, goals: Sequence[Goal]) -> None:
        """Let every entry learn a little, so that no run that is timed compiles what stays in the user's cache."""
        little = self.place / "little.txt"
        little.write_text(self.learnt[:QUICK_CHARACTERS], encoding="utf-8")
        for goal in goals:
            entry = replace(goal.entry, steps=QUICK_STEPS)
            self._step("ours", little, self._fresh("ours"), "--entry", entry.to_json())

    def ours(self, entry: Entry, seed: int) -> Outcome:
        """Fit an entry in a process, and judge what it left."""
        from benchmarks.held_out import carried_loss
        from ziggurat.artefacts.bundle import load

        folder = self._fresh("ours")
        took = self._step("ours", self.learnt_file, folder, "--entry", entry.to_json(), "--seed", str(seed))
        bundle = load(folder / "run" / "bundle")
        model, ids = bundle.language_model, bundle.tokenizer.encode(self.held_out).ids
        loss = carried_loss(lambda rows, lengths: model.token_logprobs(rows, lengths)[None], ids, context=model.context)
        # an id may be a byte of a rare character: nats count for characters
        return _outcome(took, loss * (len(ids) - 1) / (len(self.held_out) - 1))

    def peer(self, seed: int) -> Outcome:
        """Train the peer's network in a process, and judge it."""
        from benchmarks.held_out import carried_loss
        from benchmarks.plain_gpt import load, reader

        folder = self._fresh("peer")
        took = self._step("peer", self.learnt_file, folder, "--steps", str(self.steps), "--seed", str(seed))
        network = load(folder / "peer.safetensors")
        ids = ids_of(self.held_out, alphabet_of(self.learnt))
        return _outcome(took, carried_loss(reader(network), ids, context=network.shape.block))

    def laid_out(self, source: Path) -> Path:
        """Lay out nanoGPT's programs and the text in a folder of their own; return it."""
        if not (source / "train.py").is_file():
            raise SystemExit(f"--nanogpt: no train.py in {source}: give a checkout of nanoGPT")
        folder = self.place / "nanogpt"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".git", "out*"))
        data = folder / "data" / "shakespeare_char"
        (data / "input.txt").write_text(self.letters, encoding="utf-8")
        (data / "requests.py").touch()  # imported for a download that is not needed
        run([sys.executable, data / "prepare.py"])
        return folder

    def nanogpt(self, folder: Path, seed: int) -> Outcome:
        """Run nanoGPT's own training in a process, and judge what it saved by its own model."""
        every = min(EVERY, self.steps)
        shutil.rmtree(folder / "out", ignore_errors=True)
        budget = [f"max_iters={self.steps}", f"lr_decay_iters={self.steps}", f"eval_interval={every}", "out_dir=out"]
        flags = ["--flag=config/train_shakespeare_char.py"]
        flags += [f"--flag=--{flag}" for flag in (*FLAGS.split(), *budget)]
        took = self._step("nanogpt", self.learnt_file, folder, "--seed", str(seed), *flags)
        judged = self._step("judge-nanogpt", self.learnt_file, folder, "--held-out", str(self.held_out_file))
        seconds = loop_seconds(took.output, steps=self.steps, every=every)
        return Outcome(json.loads(judged.output.splitlines()[-1])["loss"], seconds, took.seconds, {"steps": self.steps})

    def kenlm(self, programs: Path, seed: int) -> Outcome:
        """Let KenLM count the same characters, each a word."""
        del seed  # nothing is drawn
        alphabet = alphabet_of(self.learnt)
        model = build(programs, [ids_of(self.learnt, alphabet)], ORDER, self._fresh("kenlm"))
        told = model.logprobs([ids_of(self.held_out, alphabet)], whole=False)[0]
        return Outcome(-float(told.mean(dtype="float64")), model.seconds, model.seconds, {})

    def _fresh(self, name: str) -> Path:
        folder = self.place / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _step(self, what: str, text: Path, folder: Path, *flags: str) -> Measured:
        threads = f"OMP_NUM_THREADS={self.threads}"
        program = ["env", threads, sys.executable, "-m", "benchmarks.time_to_loss_steps"]
        return run([*program, what, text, folder, *flags])


def loop_seconds(log: str, *, steps: int, every: int) -> float:
    r"""Return the seconds of nanoGPT's loop without evaluations, from its log.

    An iteration in which it evaluates is held to have taken as long as the median of the others.

    >>> loop_seconds("iter 0: loss 4, time 900.00ms, mfu\niter 1: loss 3, time 40.00ms, mfu", steps=2, every=2)
    0.08
    """
    taken = {int(number): float(milliseconds) for number, milliseconds in ITERATION.findall(log)}
    if not set(range(steps)) <= taken.keys():
        raise SystemExit(f"nanoGPT's log tells of {len(taken)} iterations, not of {steps}: is log_interval 1?")
    usual = statistics.median(taken[number] for number in range(steps) if number % every)
    return sum(taken[number] if number % every else usual for number in range(steps)) / 1000


def verdict(goal: Goal, ours: Sequence[Outcome], peer: Sequence[Outcome], counts: float) -> dict[str, Any]:
    """Return what a goal's entry took and reached beside the peer, and which of what it must show it shows."""
    found: dict[str, Any] = _medians(ours) | {"recipe": goal.entry.recipe}
    found["training_ratio"] = _median(peer, "seconds") / found["seconds"]
    found["process_ratio"] = _median(peer, "process_seconds") / found["process_seconds"]
    reached = [mine.loss <= theirs.loss for mine, theirs in zip(ours, peer, strict=True)]
    found["seeds_that_reach_the_peer"] = sum(reached)
    shown: list[bool] = []
    if goal.sooner is not None:
        shown += [all(reached), found["training_ratio"] >= goal.sooner]
    if goal.sooner_process is not None:
        shown += [all(reached), found["process_ratio"] >= goal.sooner_process]
    if goal.loss is not None:
        shown += [found["loss"] <= goal.loss, found["loss"] < counts]
    if goal.seconds is not None:
        shown += [found["process_seconds"] <= goal.seconds]
    return found | {"shown": all(shown)}


def show(goals: Sequence[Goal], outcomes: dict[str, list[Outcome]], *, nanogpt: bool) -> None:
    """Print the table, and the line of facts."""
    about = {goal.entry.name: goal.about for goal in goals}
    about |= {"peer": "nanoGPT" if nanogpt else "nanoGPT's recipe, written anew"}
    about |= {COUNTS.name: f"Kneser-Ney {ORDER}, ours", "kenlm": f"Kneser-Ney {ORDER}, KenLM"}
    rows = [
        [
            f"{name}: {about[name]}",
            *(median_spread([getattr(one, key) for one in each]) for key in ("seconds", "process_seconds")),
            _loss_spread([one.loss for one in each]),
        ]
        for name, each in outcomes.items()
    ]
    print_table(["model", "training s", "process s", "nats a character, context carried"], rows)
    counts = _median(outcomes[COUNTS.name], "loss")
    found = {goal.entry.name: verdict(goal, outcomes[goal.entry.name], outcomes["peer"], counts) for goal in goals}
    for name, told in found.items():
        print(
            f"{name}: 1/{told['training_ratio']:.1f} of the peer's training time, 1/{told['process_ratio']:.1f} of its "
            f"process; its loss reached by {told['seeds_that_reach_the_peer']} of {len(outcomes[name])}; "
            f"{'shown' if told['shown'] else 'not shown'}"
        )
    ratio = next((told["training_ratio"] for told in found.values()), None)
    kenlm = {"kenlm": _medians(outcomes["kenlm"])} if "kenlm" in outcomes else {}
    report(
        "time_to_loss",
        ratio,
        ours=found,
        peer=_medians(outcomes["peer"]) | {"source": "nanogpt" if nanogpt else "plain_gpt"},
        counts=_medians(outcomes[COUNTS.name]),
        **kenlm,
        seeds=len(outcomes["peer"]),
    )


def _names() -> list[str]:
    return [goal.entry.name for goal in GOALS]


def _chosen(only: str | None) -> tuple[Goal, ...]:
    wanted = only.split(",") if only else _names()
    unknown = [name for name in wanted if name not in _names()]
    if unknown:
        raise SystemExit(f"--only: {', '.join(unknown)}: not one of {', '.join(_names())}")
    return tuple(goal for goal in GOALS if goal.entry.name in wanted)


def _seeded(side: Callable[[int], Outcome]) -> Callable[[], Outcome]:
    """Return a side that has the next seed each time it is called."""
    seeds: Iterator[int] = itertools.count()
    return lambda: side(next(seeds))


def _outcome(took: Measured, loss: float) -> Outcome:
    facts = json.loads(took.output.splitlines()[-1])
    if not math.isfinite(loss):
        raise SystemExit(f"a loss that is no number: {facts}")
    return Outcome(loss, float(facts["seconds"]), took.seconds, facts)


def _median(outcomes: Sequence[Outcome], key: str) -> float:
    return float(statistics.median(getattr(one, key) for one in outcomes))


def _medians(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    found: dict[str, Any] = {key: _median(outcomes, key) for key in ("loss", "seconds", "process_seconds")}
    found["losses"] = {str(seed): one.loss for seed, one in enumerate(outcomes)}
    return found | {key: outcomes[-1].facts[key] for key in ("parameters", "steps") if key in outcomes[-1].facts}


def _loss_spread(losses: Sequence[float]) -> str:
    middle = f"{statistics.median(losses):.4f}"
    return middle if len(losses) == 1 else f"{middle} ({min(losses):.4f} to {max(losses):.4f})"


if __name__ == "__main__":
    main(sys.argv[1:])
