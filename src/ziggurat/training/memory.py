"""What training holds in memory: counted before it begins, measured while it runs.

*Maths.* With P numbers in all weights, T of them trained, AdamW in 32-bit holds 4·P bytes of weights, 4·T of gradients
and 8·T of its two means (Kingma & Ba 2015, algorithm 1); Muon keeps one number in their place for each of a block's
matrices, and a table one for a row. Activations come on top, and follow the batch, and so do the gradients of tables.
"""

import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from ziggurat.training.optimisers import Rule

__all__ = ["MEANS", "Holdings", "holdings", "peak_bytes", "reset_peak", "resident_bytes"]

MEANS = 2
"""Numbers that AdamW keeps for each that it trains: its gradient's mean and mean square."""


@dataclass(frozen=True)
class Holdings:
    """Numbers and bytes that a training holds however large its batches are."""

    parameters: int
    trainable: int
    weights_bytes: int
    gradients_bytes: int
    optimiser_bytes: int


def holdings(network: "nn.Module", rule: "Rule" = "adamw") -> Holdings:
    """Return what will be held for a network whose frozen weights are marked as such, ``rule`` being its optimiser's.

    The gradient of a table is as large as a batch's rows are many, and is none of it.
    """
    from ziggurat.training.optimisers import parted

    weights, parts = list(network.parameters()), parted(network, rule)
    trained = [weight for weight in weights if weight.requires_grad]
    bytes_each = trained[0].element_size() if trained else 0
    whole = sum(weight.nbytes for weight in trained) - sum(table.nbytes for table in parts.tables)
    return Holdings(
        parameters=sum(weight.numel() for weight in weights),
        trainable=sum(weight.numel() for weight in trained),
        weights_bytes=sum(weight.nbytes for weight in weights),
        gradients_bytes=whole,
        optimiser_bytes=bytes_each * parts.moments,
    )


def reset_peak() -> None:
    """Let the system measure this process's peak anew from here, where it can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """Return the most memory that the process had resident: since `reset_peak` on Linux, elsewhere since it began."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident_bytes() -> int:
    """Return the memory that the process has resident now; where the system does not say, the most that it had."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])
    return peak_bytes()
