"""What `ziggurat plan` says of recipes on this machine beside what training them takes.

    python -m benchmarks.plan [--quick] [--recipes gpt lstm …] [--seconds 30]

The machine is measured before each recipe and after it; between, the recipe is trained in a process of its own by the
trainer of its family, on random ids, for ten steps, and then for so many more as the plan says for the
seconds, which count. With ``OMP_NUM_THREADS=1``
seconds are those of the process (`time.process_time`) on both sides, so that others who share the cores are left out;
with more threads they are those of the wall. The peak is the largest resident memory of the process. Nothing that was
trained goes into what is predicted: the figures of the machine know no recipe.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import print_table, report
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.settings import flag_settings
from ziggurat.core.protocols import ReadsPairs
from ziggurat.core.types import Event, IdArray, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.study.planning.budget import Budget
from ziggurat.study.planning.hardware import as_measured
from ziggurat.study.planning.plan import Asked, Plan, make
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.subjects import planned
from ziggurat.training.job import Job, trainer
from ziggurat.training.rates import Machine, of_mapping

__all__ = ["CASES", "main", "settings_of"]

CASES: dict[str, tuple[str, dict[str, str]]] = {
    "gpt, f32": ("gpt", {"training.precision": "f32"}),
    "gpt, bf16": ("gpt", {"training.precision": "bf16"}),
    "gpt2, f32": ("gpt2", {"training.precision": "f32"}),
    "modern, bf16": ("modern", {"training.precision": "bf16"}),
    "bert, f32": ("bert", {"training.precision": "f32"}),
    "lstm, f32": ("lstm", {"training.precision": "f32"}),
    "article-transformer, f32": ("article-transformer", {"training.precision": "f32"}),
    "counted-gpt, bf16": ("counted-gpt", {"training.precision": "bf16"}),
    "counted-lstm, f32": ("counted-lstm", {"training.precision": "f32"}),
    "gpt of 8 layers of 512, bf16": (
        "gpt",
        {"model.layers": "8", "model.width": "512", "model.heads": "8", "training.rows": "8",
         "training.precision": "bf16"},
    ),
}  # fmt: skip
"""Recipes and what is changed of them."""
TOKENS = 300_000
"""Random ids that are trained on, and counted where the network stands on counts."""
FIRST = 10
"""Steps before the clock is looked at first: rooms are made and kernels chosen in them."""
QUICK = ("gpt, bf16", "bert, f32", "lstm, f32")


@dataclass(frozen=True)
class Stream:
    """Random ids, in documents of equal length."""

    vocabulary: Vocabulary
    tokens: IdArray
    starts: npt.NDArray[np.int64]

    def document(self, index: int) -> IdArray:
        """Return one document."""
        return self.tokens[self.starts[index] : self.starts[index + 1]]


def main() -> None:
    """Print the table and the last line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three recipes, three seconds each")
    parser.add_argument("--recipes", nargs="+", help="recipes as they are, instead of those of the table")
    parser.add_argument("--seconds", type=float, default=30.0, help="of training each")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(_measured() if chosen.child[0] == "measure" else _trained(*chosen.child)))
        return
    names = chosen.recipes or (QUICK if chosen.quick else CASES)
    seconds = 3.0 if chosen.quick else chosen.seconds
    rows, facts, worst = [], {}, 1.0
    after = of_mapping(_elsewhere("measure", "now"))
    for name in names:
        before, plan = after, _plan(name, after)
        done = _elsewhere(name, str(FIRST + max(4, round(seconds / plan.step_seconds))))
        after = of_mapping(_elsewhere("measure", "now"))  # others come and go: the mean of before and after is planned
        plans = [_plan(name, machine) for machine in (before, after)]
        speed = step_tokens_per_second(plans)
        for what, said, found in (
            ("tokens/s", speed, done["tokens_per_second"]),
            ("peak, MB", sum(one.process_bytes for one in plans) / 2e6, done["peak_bytes"] / 1e6),
        ):
            rows.append((name, what, f"{said:,.0f}", f"{found:,.0f}", f"{said / found:.3f}"))
            facts[f"{name} {what}"] = said / found
            worst = max(worst, said / found, found / said)
        print(" ".join(rows[-2]), "|", " ".join(rows[-1][1:]), file=sys.stderr, flush=True)
    print_table(("recipe", "what", "planned", "measured", "planned / measured"), rows)
    report("plan", worst, **facts)


def settings_of(name: str) -> Recipe:
    """Return the recipe of a case, or one by its own name."""
    recipe, changes = CASES.get(name, (name, {}))
    return load_recipe(recipe, flag_settings(changes))


def step_tokens_per_second(plans: Sequence[Plan]) -> float:
    """Return the tokens a second of steps whose time is the mean of those of ``plans``."""
    return len(plans) * plans[0].step_tokens / sum(plan.step_seconds for plan in plans)


def _plan(name: str, machine: Machine) -> Plan:
    hardware = as_measured(machine)
    work = planned(settings_of(name), PlanOptions())[0].work
    return make(work, hardware, Asked(Budget("steps", 1.0), corpus_tokens=TOKENS))


def _clock() -> float:
    return time.process_time() if os.environ.get("OMP_NUM_THREADS") == "1" else time.perf_counter()


def _measured() -> dict[str, Any]:
    from ziggurat.training.speed import measure

    return measure(_clock).to_mapping()


def _trained(name: str, steps: str) -> dict[str, float]:
    """Train a recipe on random ids and return its speed and its largest memory."""
    recipe = settings_of(name).with_budget("steps", int(steps))
    if hasattr(recipe.training, "whole_words"):
        recipe = recipe.change({"training.whole_words": False})
    family = FAMILIES.get(recipe.family)
    size = int(recipe.tokens.vocab_size)
    vocabulary = Vocabulary(size=size, bos=0, eos=1, mask=2)
    pairs = isinstance(family, ReadsPairs)
    length = int(recipe.training.window) if pairs else 1000
    dice = np.random.default_rng(0)
    streams = [_stream(dice, vocabulary, length) for _ in range(2 if pairs else 1)]
    marks: dict[str, float] = {}

    def listen(event: Event) -> None:
        if event["event"] == "end" or (event["event"] == "step" and event["step"] == FIRST):
            marks[str(event["event"])] = _clock()

    job = Job(
        family=family,
        model_config=recipe.model,
        config=replace(recipe.training),
        train=streams[0],
        dev=None,
        seed=0,
        listener=listen,
        train_sources=streams[1] if pairs else None,
    )
    fitted = trainer(family, recipe.trainer).fit(job)
    read = (int(steps) - FIRST) * recipe.training.rows * recipe.training.window * recipe.training.accumulate
    return {
        "tokens_per_second": read / (marks["end"] - marks["step"]),
        "peak_bytes": float(fitted.facts["peak_bytes"]),
    }


def _stream(dice: np.random.Generator, vocabulary: Vocabulary, length: int) -> Stream:
    """Return `TOKENS` ids in documents of ``length``, each from its begin to its end."""
    documents = TOKENS // length
    ids = dice.integers(3, vocabulary.size, (documents, length)).astype(np.int32)
    ids[:, 0], ids[:, -1] = vocabulary.bos, vocabulary.eos
    return Stream(vocabulary, ids.ravel(), np.arange(documents + 1, dtype=np.int64) * length)


def _elsewhere(*words: str) -> dict[str, Any]:
    """Return what a process of its own says."""
    command = [sys.executable, "-m", "benchmarks.plan", "--child", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
