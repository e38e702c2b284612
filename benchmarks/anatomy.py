"""What `ziggurat describe` says of recipes beside what torch and the operating system measure.

    python -m benchmarks.anatomy [--quick] [--recipes gpt lstm …]

Parameters are the network's; operations are counted by torch on plain products; what training keeps is the sum of all
storages that autograd holds, with those of weights, gradients and moments, and where logits are made in pieces the
largest that the backward pass makes again; the peak is the largest resident memory of a second step in a process of its
own, beyond what stood there before it, the storages of weights and moments added; the cache is the one that a prompt as
long as the context leaves. Nothing that `ziggurat describe` says goes into what is measured.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.anatomy_measures import (
    cache_bytes,
    counted_flops,
    optimiser_bytes,
    piece_bytes,
    saved_bytes,
    storage_bytes,
    weight_bytes,
)
from benchmarks.harness import print_table, report
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.anatomy import Load, Sizes
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.conditioned import TranslatingNetwork
from ziggurat.models.blocks.network import CausalNetwork, reading
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.anatomy.subject import Subject, of_recipe
from ziggurat.training.footprint import training_flops, training_footprint
from ziggurat.training.objectives.next_token import next_token
from ziggurat.training.objectives.objective import cross_entropy
from ziggurat.training.optimisers import adamw

__all__ = ["main"]

RECIPES = ("gpt", "gpt2", "modern", "lstm", "article-lstm", "bert", "article-transformer")
QUICK = ("gpt", "lstm", "bert", "article-transformer")
CALM = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
"""Settings by which freed memory goes back to the system at once, so that the largest resident memory says what was
in use."""


def main() -> None:
    """Print the table and the last line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer recipes, and f32 only")
    parser.add_argument("--recipes", nargs="+", help="recipes to measure")
    parser.add_argument("--peak", nargs=2, metavar=("RECIPE", "PRECISION"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peak:
        print(_peak(chosen.peak[0], half=chosen.peak[1] == "bf16"))
        return
    rows, worst = [], 1.0
    for name in chosen.recipes or (QUICK if chosen.quick else RECIPES):
        for what, said, measured in _compared(name, ("f32",) if chosen.quick else ("f32", "bf16")):
            rows.append((name, what, f"{said:,}", f"{measured:,}", f"{said / measured:.4f}"))
            worst = max(worst, said / measured, measured / said)
    print_table(("recipe", "what", "said", "measured", "said / measured"), rows)
    facts = {f"{name} {what}": float(ratio) for name, what, _, _, ratio in rows}
    report("anatomy", worst, **facts)


def _compared(name: str, precisions: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return what is said of a recipe and what is measured."""
    subject, model = _built(name)
    network = model.network
    anatomy, load = subject.anatomy, subject.training
    step = _step(network, load)
    found = [
        ("parameters", anatomy.parameters, network.parameter_count),
        ("operations of reading a batch", load.rows * anatomy.reading_flops(load), counted_flops(step)),
        (
            "operations of a training step",
            training_flops(anatomy, subject.vocabulary, load),
            counted_flops(step, backward=True),
        ),
    ]
    state = sum(optimiser_bytes(network, step)) + weight_bytes(network)
    for precision in precisions:
        half = precision == "bf16"
        said = training_footprint(anatomy, subject.vocabulary, load, half=half)
        kept = saved_bytes(network, step, half=half) + piece_bytes(step, half=half)
        found.append((f"memory of a training step, {precision}", said.total, state + kept))
        found.append((f"its peak, {precision}", said.peak, _peak_elsewhere(name, precision)))
    if anatomy.generates:
        written = replace(subject.generation, rows=3)
        said_bytes = anatomy.generation_bytes(written)
        found.append(("memory of generation", said_bytes, weight_bytes(network) + _cached(model, written)))
    return found


def _cached(model: Any, written: Load) -> int:
    """Return the bytes that a model remembers of texts of zeros, each beside a source of zeros where it translates."""
    network = model.network
    if isinstance(network, TranslatingNetwork):
        source = np.zeros((written.rows, written.source), np.int32)
        network = model.condition(source, np.full(written.rows, written.source, np.int32)).network
    with reading(network):
        ids = torch.zeros(written.rows, written.text, dtype=torch.long)
        _, held = network.hidden(ids, network.initial_state(written.rows))
    return cache_bytes(held)


def _built(name: str) -> tuple[Subject, Any]:
    """Return what is described, and the model that it becomes, its network in training.

    Raises:
        SystemExit: its model has no size before it is trained, or is several.
    """
    recipe = load_recipe(name)
    subject = next(of_recipe(recipe, Sizes()), None)
    if subject is None or not subject.trains or recipe.parts:
        raise SystemExit(
            f"--recipes: {name}: there is no network to measure; give recipes such as {', '.join(RECIPES)}"
        )
    family: Any = FAMILIES.get(recipe.family)
    vocabulary = Vocabulary(size=subject.vocabulary, bos=0, eos=0, mask=subject.vocabulary - 1)
    model = family.build(recipe.model, vocabulary, seed=0)
    model.network.train()
    return subject, model


def _step(network: Any, load: Load) -> Callable[[], torch.Tensor]:
    """Return what makes the loss of one random batch: next tokens, those of a target, or hidden ones."""
    size = network.vocabulary.size
    if isinstance(network, CausalNetwork):
        ids = torch.randint(0, size, (load.rows, load.text + 1))
        state = network.initial_state if network.carries_state else lambda _: None
        return lambda: next_token(network, ids, state(load.rows))[0]
    if isinstance(network, TranslatingNetwork):
        target = torch.randint(0, size, (load.rows, load.text + 1))
        source, lengths = torch.randint(0, size, (load.rows, load.source)), torch.full((load.rows,), load.source)
        inside = torch.ones(load.rows, load.text, dtype=torch.bool)

        def translating() -> torch.Tensor:
            hidden = network.hidden(target[:, :-1], network.source(source, lengths))
            return cross_entropy(network, hidden[inside], target[:, 1:][inside], smoothing=0.1)

        return translating
    read = torch.randint(0, size, (load.rows, load.text))
    asked = torch.zeros(read.shape, dtype=torch.bool)
    asked[:, : load.tokens("picked")] = True
    return lambda: cross_entropy(network, network.hidden(read)[asked], read[asked])


def _peak_elsewhere(name: str, precision: str) -> int:
    """Return `_peak` of a process of its own."""
    command = [sys.executable, "-m", "benchmarks.anatomy", "--peak", name, precision]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **CALM})
    return int(done.stdout)


def _peak(name: str, *, half: bool) -> int:
    """Return the bytes in use at the height of a training step: weights, moments, and what the step adds to them."""
    subject, model = _built(name)
    network = model.network
    step = _step(network, subject.training)
    optimiser = adamw(network.parameters(), learning_rate=1e-4, weight_decay=0.1, betas=(0.9, 0.95))
    before = highest = 0
    for _ in range(2):
        optimiser.zero_grad(set_to_none=True)
        before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the largest so far
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = step()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        del loss
        highest = _resident("VmHWM")
    moments = [moment for state in optimiser.state.values() for moment in state.values() if moment.dim()]
    return highest - before + weight_bytes(network) + sum(map(storage_bytes, moments))


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
