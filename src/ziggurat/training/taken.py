"""Measures what a training process takes beyond what its arrays add up to: run as a process of its own.

*Idea.* Libraries that were loaded stand in memory before there is a model, and an allocator keeps what was freed in
pieces too small for what comes next. Both are the same for all models, so a small network is trained for a few steps:
what stands there before it is the one, and by how much its peak exceeds its arrays is the other.
"""

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any, NamedTuple

__all__ = ["Taken", "measured", "taken"]

PARAMETERS, IDS, ROWS, WINDOW, ROUNDS = 1_500_000, 4096, 8, 256, 4
PROGRAM = """
import json, sys
from ziggurat.training.taken import measured
print(json.dumps(measured(half=sys.argv[1] == "bf16")))
"""


class Taken(NamedTuple):
    """What a process takes."""

    runtime_bytes: int
    """Before there is a model."""
    slack: float
    """Bytes that the peak grows by for each byte that arrays add up to."""


def taken() -> Taken:
    """Return what a training process takes here; where none can be started, nothing and 1.

    *Cost.* Two processes of some four seconds, one for each precision; what they say of the allocator is averaged.
    """
    found = []
    for precision in ("f32", "bf16"):
        command = [sys.executable, "-W", "ignore", "-c", PROGRAM, precision]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
        with suppress(ValueError):
            found.append(json.loads(done.stdout))
    if not found:
        return Taken(0, 1.0)
    return Taken(max(int(one[0]) for one in found), max(1.0, sum(float(one[1]) for one in found) / len(found)))


def measured(*, half: bool) -> Taken:
    """Train in this process and return what it takes."""
    from ziggurat.training.allocator import keep_memory
    from ziggurat.training.memory import peak_bytes, reset_peak, resident_bytes

    keep_memory()  # as the trainer does
    _peak(1, 2, parameters=1000, ids=16, half=half)  # what is loaded on the way is there from now on
    runtime = resident_bytes()
    reset_peak()
    footprint = _peak(ROWS, WINDOW, parameters=PARAMETERS, ids=IDS, half=half)
    return Taken(runtime, (peak_bytes() - runtime) / footprint)


def _peak(rows: int, window: int, *, parameters: int, ids: int, half: bool) -> int:
    """Train a small model for some steps; return the bytes that its arrays add up to at their height.

    It is one of the first family that comes in any size and learns next tokens by gradients: which does not matter.
    """
    import torch

    from ziggurat.core.anatomy import Load
    from ziggurat.core.types import Vocabulary
    from ziggurat.models.registry import FAMILIES
    from ziggurat.training.footprint import training_footprint
    from ziggurat.training.objectives.next_token import next_token
    from ziggurat.training.optimisers import adamw

    families: list[Any] = [FAMILIES.get(name) for name in FAMILIES.names()]
    family = next(one for one in families if _fits(one))
    config, vocabulary = family.sized(parameters), Vocabulary(size=ids, bos=0, eos=0)
    network = family.build(config, vocabulary, seed=0).network.train()
    optimiser = adamw(network.parameters(), learning_rate=1e-3, weight_decay=0.1, betas=(0.9, 0.95))
    for _ in range(ROUNDS):
        optimiser.zero_grad(set_to_none=True)
        state = network.initial_state(rows) if network.carries_state else None
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss, _ = next_token(network, torch.randint(0, ids, (rows, window + 1)), state)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return training_footprint(family.anatomy(config, vocabulary), ids, Load(rows, window), half=half).peak


def _fits(family: Any) -> bool:
    from ziggurat.core.protocols import Dissects, Sizable

    return "gradient" in family.trainers and isinstance(family, Sizable) and isinstance(family, Dissects)
