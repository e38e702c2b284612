"""The processes that train one model together: who is who, sums over all, and what one does before the others.

*Idea.* torchrun starts the same command several times and tells each process its number; what they agree on passes
through the few verbs of `Processes`. One process alone is the same with nothing to pass.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ziggurat.core.errors import UsageError, ZigguratError
from ziggurat.training.meeting import PATIENCE_SECONDS, meet

if TYPE_CHECKING:
    import torch

__all__ = ["Processes", "Together", "begun_by_torchrun", "current", "joined", "neighbours", "started_by_torchrun"]

_GONE = ("gloo", "Gloo", "NCCL", "Connection closed", "Connection reset", "Broken pipe")
"""Words of torch's errors where a process has ended and others wait for it."""
PATIENCE_HOURS = 24
"""How long processes wait for the first one, which may be preparing much text."""
_FAILED = 256
"""Added to an exit code, so that 0 means that all went well."""


class Processes:
    """One process alone; `Together` is several."""

    rank = 0
    """Its number among all processes."""
    count = 1
    """How many there are."""
    device = "cpu"
    """Where it computes."""

    def summed(self, *numbers: float) -> list[float]:
        """Return the sum of each number over all processes."""
        return list(numbers)

    def told(self, number: float) -> float:
        """Return the number that the first process has."""
        return number

    def sum_all(self, tensors: "list[torch.Tensor]") -> None:
        """Put into each tensor its sum over all processes."""

    def gathered(self, tensor: "torch.Tensor") -> "list[torch.Tensor]":
        """Return every process's tensor, all being of one shape."""
        return [tensor]

    def barrier(self) -> None:
        """Wait until all processes are here."""

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first process go through the ``with`` block, and the others after it: they find what it has made.

        Raises:
            SystemExit: the first process failed; the others end with its exit code, and leave the words to it.
        """
        yield


class Together(Processes):
    """Processes that torchrun started, over torch.distributed: gloo, and NCCL where there are GPUs."""

    def __init__(self) -> None:
        """Wait for all processes of the run."""
        import datetime as dt

        import torch
        from torch import distributed
        from torch.distributed.rendezvous import rendezvous

        local = int(os.environ.get("LOCAL_RANK", "0"))
        if torch.cuda.is_available():
            if local >= (there := torch.cuda.device_count()):
                raise UsageError(
                    f"torchrun --nproc-per-node: more processes than the {there} GPUs of this machine; start {there}, "
                    "or train on the processor: CUDA_VISIBLE_DEVICES= torchrun …"
                )
            torch.cuda.set_device(local)
            self.device = f"cuda:{local}"
        patience = dt.timedelta(hours=PATIENCE_HOURS)
        store, rank, count = next(rendezvous("env://", timeout=dt.timedelta(seconds=PATIENCE_SECONDS)))
        store.set_timeout(patience)
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
            store=meet(store, rank, count),
            rank=rank,
            world_size=count,
            timeout=patience,
        )
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()

    def summed(self, *numbers: float) -> list[float]:
        """Return the sum of each number over all processes, in 64-bit."""
        import torch

        total = torch.tensor(numbers, dtype=torch.float64)
        self._reduce(total)
        return [float(number) for number in total]

    def told(self, number: float) -> float:
        """Return the number that the first process has."""
        return self.summed(number if self.rank == 0 else 0.0)[0]

    def sum_all(self, tensors: "list[torch.Tensor]") -> None:
        """Put into each tensor its sum over all processes, in blocks of `BLOCK_BYTES`."""
        import torch

        for block in _blocks(tensors):
            flat = torch.cat([tensor.reshape(-1) for tensor in block])
            self._reduce(flat)
            pieces = torch.split(flat, [tensor.numel() for tensor in block])
            for tensor, piece in zip(block, pieces, strict=True):
                tensor.copy_(piece.view_as(tensor))

    def gathered(self, tensor: "torch.Tensor") -> "list[torch.Tensor]":
        """Return every process's tensor, all being of one shape."""
        import torch
        from torch import distributed

        found = [torch.empty_like(tensor) for _ in range(self.count)]
        with neighbours():
            distributed.all_gather(found, tensor.contiguous())
        return found

    def barrier(self) -> None:
        """Wait until all processes are here."""
        self.summed(0.0)

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first process go through the ``with`` block, and the others after it (see `Processes`)."""
        if self.rank:
            code = int(self.told(0))
            if code:
                raise SystemExit(code - _FAILED)
            yield
            return
        try:
            yield
        except BaseException as error:
            code = 130 if isinstance(error, KeyboardInterrupt) else getattr(error, "exit_code", 1)
            self.told(_FAILED + code)
            raise
        self.told(0)

    def _reduce(self, tensor: "torch.Tensor") -> None:
        from torch import distributed

        with neighbours():
            distributed.all_reduce(tensor)


BLOCK_BYTES = 32 << 20
"""Bytes of gradients that are summed over processes at once."""


def begun_by_torchrun() -> bool:
    """Return whether torchrun watches this process, be it the only one, and may have begun it again."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def started_by_torchrun() -> bool:
    """Return whether this process is one of several that torchrun started.

    Raises:
        UsageError: how many they are is no number.
    """
    count = os.environ.get("WORLD_SIZE", "1")
    if not count.isascii() or not count.isdigit():
        raise UsageError(f"WORLD_SIZE={count}: not a number of processes; unset it, or start by torchrun")
    return int(count) > 1 and "MASTER_ADDR" in os.environ


def current() -> Processes:
    """Return the processes that this one works with: it alone, unless `joined` is under way."""
    return _CURRENT[-1]


@contextmanager
def joined() -> Iterator[Processes]:
    """Work together with the other processes that torchrun started, for the length of a ``with`` block.

    Raises:
        UsageError: torchrun's variables are not whole.
    """
    if not started_by_torchrun():
        yield current()
        return
    from torch import distributed

    try:
        processes = Together()
    except (ValueError, KeyError, distributed.DistNetworkError, distributed.DistStoreError) as error:
        raise UsageError(f"torchrun's variables (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT): {error}") from error
    _CURRENT.append(processes)
    try:
        yield processes
    finally:
        _CURRENT.pop()
        distributed.destroy_process_group()


_CURRENT: list[Processes] = [Processes()]


@contextmanager
def neighbours() -> Iterator[None]:
    """Turn torch's words for a process that is gone into ours.

    Raises:
        ZigguratError: another process of the run is gone.
    """
    try:
        yield
    except RuntimeError as error:
        if not any(word in str(error) for word in _GONE):
            raise
        why = str(error).strip().partition("\n")[0].partition(". This is")[0]
        raise ZigguratError(
            "another process of this run is gone; with torchrun --max-restarts=3 all begin again from the newest "
            f"checkpoint ({why})"
        ) from error


def _blocks(tensors: "list[torch.Tensor]") -> Iterator[list[Any]]:
    """Cut a list into runs of one dtype of at most `BLOCK_BYTES`, one tensor at least."""
    block: list[Any] = []
    size = 0
    for tensor in tensors:
        if block and (size + tensor.nbytes > BLOCK_BYTES or tensor.dtype != block[0].dtype):
            yield block
            block, size = [], 0
        block.append(tensor)
        size += tensor.nbytes
    if block:
        yield block
