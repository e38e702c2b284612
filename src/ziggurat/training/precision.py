"""Whether products are made in bfloat16."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ziggurat.models.blocks.network import Network

__all__ = ["has_bfloat16", "multiplies_bfloat16", "trains_in_bfloat16", "uses_bfloat16"]

PAYS_FROM_PARAMETERS = 200_000
"""Below this size, turning numbers into bfloat16 and back costs about what the faster products save."""


def uses_bfloat16(precision: str, network: "Network") -> bool:
    """Return whether ``network`` trains in bfloat16: as told, or for ``auto`` where processor and size make it pay.

    A rule and not a measurement, so that a resumed run decides as the first one did. On a GPU ``auto`` is bfloat16
    wherever it has it.
    """
    if precision == "auto" and network.device.type == "cuda":
        return multiplies_bfloat16("cuda")
    return trains_in_bfloat16(precision, network.parameter_count)


def multiplies_bfloat16(device: str) -> bool:
    """Return whether a ``cpu`` or ``cuda`` device multiplies bfloat16 in hardware."""
    if device == "cpu":
        return has_bfloat16()
    import torch

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def trains_in_bfloat16(precision: str, parameters: int) -> bool:
    """Return `uses_bfloat16` of a network with so many parameters, before there is one."""
    if precision != "auto":
        return precision == "bf16"
    return has_bfloat16() and parameters >= PAYS_FROM_PARAMETERS


@functools.cache
def has_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX; False where unknown)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
