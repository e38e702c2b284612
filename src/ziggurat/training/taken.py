"""Measures what a training process takes beyond what its arrays add up to: run as a process of its own.

*Idea.* Libraries that were loaded stand in memory before there is a model, and an allocator keeps what was freed in
pieces too small for what comes next. Both are the same for all models, so a small network is trained for a few steps:
what stands there before it is the one, and by how much its peak exceeds its arrays is the other.
"""

import json
import subprocess
import sys
from typing import NamedTuple

__all__ = ["Taken", "taken"]

TOKENS, WIDTH, LAYERS, ROUNDS = 4096, 256, 4, 4


class Taken(NamedTuple):
    """What a process takes."""

    runtime_bytes: int
    """Before there is a model."""
    slack: float
    """Bytes that the peak grows by for each byte that arrays add up to."""


def taken() -> Taken:
    """Return what a training process takes here; where none can be started, nothing and 1."""
    command = [sys.executable, "-W", "ignore", "-m", "ziggurat.training.taken"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    try:
        runtime, slack = json.loads(done.stdout)
    except ValueError:
        return Taken(0, 1.0)
    return Taken(int(runtime), max(1.0, float(slack)))


def measured() -> Taken:
    """Train in this process and return what it takes."""
    import torch

    from ziggurat.training.memory import peak_bytes, reset_peak, resident_bytes

    _peak(64, 32, half=False)  # what is loaded on the way is there from now on
    _peak(64, 32, half=True)
    runtime, found = resident_bytes(), []
    for half in (False, True):
        torch.manual_seed(0)
        reset_peak()
        footprint = _peak(TOKENS, WIDTH, half=half)
        found.append((peak_bytes() - runtime) / footprint)
    return Taken(runtime, sum(found) / len(found))


def _peak(tokens: int, width: int, *, half: bool) -> int:
    """Train a stack of blocks for some steps; return the bytes that its arrays add up to at their height."""
    import torch
    from torch import nn

    from ziggurat.core.anatomy import Anatomy, Load, Part
    from ziggurat.models.blocks.attention import Sight
    from ziggurat.models.blocks.transformer import TransformerConfig, TransformerStack, fill_transformer
    from ziggurat.models.blocks.transformer_parts import stack_parts
    from ziggurat.training.footprint import training_footprint
    from ziggurat.training.optimisers import adamw

    window = min(tokens, 256)
    config = TransformerConfig(layers=LAYERS, width=width, heads=max(1, width // 64), context=window)
    stack = TransformerStack(config)
    fill_transformer(stack, seed=0)
    optimiser = adamw(stack.parameters(), learning_rate=1e-3, weight_decay=0.1, betas=(0.9, 0.95))
    for _ in range(ROUNDS):
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            y = stack(torch.randn(tokens // window, window, width), Sight(stack.turns(slice(0, window))))
        y.float().square().mean().backward()
        nn.utils.clip_grad_norm_(stack.parameters(), 1.0)
        optimiser.step()
    anatomy = Anatomy((Part("stack", "tower", parts=stack_parts(config)),), ())
    return training_footprint(anatomy, 1, Load(tokens // window, window), half=half).peak


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured()))
