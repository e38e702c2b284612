"""Where and how a network computes: on which device, what is compiled, what is made again instead of kept."""

import shutil
from typing import Any

import torch

from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.network import Network
from ziggurat.models.blocks.transformer import TransformerBlock, TransformerStack

__all__ = ["arrange", "chosen_device", "restore"]


def chosen_device(wanted: str, default: str = "cpu") -> str:
    """Return where to compute: ``default`` where a process of several has a device of its own, else as told.

    *Raises.* `UsageError` where a GPU is asked for and there is none.
    """
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError("training.device = cuda: torch sees no GPU here; use auto or cpu")
    if wanted == "cpu" or not there:
        return "cpu"
    return default if default != "cpu" else "cuda"


def arrange(network: Network, *, device: str, recompute: bool, compiled: bool) -> None:
    """Move ``network`` to its device and let its blocks compute as asked.

    *Raises.* `UsageError` where it has no Transformer block, or nothing that compiles.
    """
    stacks = [module for module in network.modules() if isinstance(module, TransformerStack)]
    for key, wanted in (("recompute", recompute), ("compiled", compiled)):
        if wanted and not stacks:
            raise UsageError(f"training.{key}: it is for Transformer blocks, and the model has none; leave it out")
    if compiled and device == "cpu" and not (shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")):
        raise UsageError("training.compiled: torch.compile needs a C++ compiler here; install one, or leave it out")
    network.to(device)
    for stack in stacks:
        stack.recomputes = recompute
    if compiled:
        for block in _blocks(network):
            block.compile()


def restore(network: Network) -> None:
    """Let ``network`` compute as one that was never trained: on the processor, nothing compiled or made again."""
    network.to("cpu")
    for module in network.modules():
        if isinstance(module, TransformerStack):
            module.recomputes = False
    for block in _blocks(network):
        block._compiled_call_impl = None  # noqa: SLF001 - torch has no word for taking `compile` back


def _blocks(network: Network) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, TransformerBlock)]
