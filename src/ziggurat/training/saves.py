"""Where a run keeps its checkpoints, and how it goes on from them: the same for every trainer.

*Idea.* A trainer knows what it must keep and how to take it back; that the newest checkpoint steps back to second place
before, that it belongs to this run, what is told of it, and what a user who stopped the run is told, is said here.
"""

import os
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ziggurat.core.errors import DamagedError, InterruptedRunError
from ziggurat.core.types import TensorMap
from ziggurat.training.checkpoints import (
    NEWEST,
    ROWS,
    Checkpoint,
    keep_before,
    read_newest,
    remove_old_rows,
    write_checkpoint,
    write_rows,
)
from ziggurat.training.job import Job
from ziggurat.training.torchrun import current

__all__ = ["Saves", "resuming"]

_RUN = "run"


class Saves:
    """The checkpoints of one run; without a folder there are none."""

    def __init__(self, job: Job, deciding: Mapping[str, Any] | None = None) -> None:
        """Keep them in the job's folder; ``deciding``, JSON-able, is what a checkpoint must have been made by."""
        self.folder: Path | None = job.folder
        self.listener = job.listener
        self.deciding = dict(deciding or {})

    def save(
        self, tensors: TensorMap, facts: Mapping[str, Any], *, step: int, seconds: float, rows: TensorMap | None = None
    ) -> None:
        """Write a checkpoint and tell of it; ``rows`` are this process's, of several which must all do this together.

        Raises:
            DiskFullError: the disk is full; the checkpoint before is whole.
        """
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        processes = current()
        facts = {**facts, _RUN: self.deciding}
        if rows:
            mark = int(processes.told(time.time_ns() // 1000))
            where = {"mark": mark, "rank": processes.rank, "count": processes.count}
            facts[ROWS] = write_rows(self.folder, rows, **where)
            processes.barrier()
        if processes.rank == 0:
            keep_before(self.folder)
            write_checkpoint(self.folder / NEWEST, Checkpoint(tensors, facts))
            remove_old_rows(self.folder)
        processes.barrier()  # from here on all would go back to it
        self.listener({"event": "checkpoint", "step": step, "seconds": seconds})

    def resume(self, restore: Callable[[Checkpoint], None]) -> bool:
        """Hand the newest checkpoint to ``restore``; return whether there was one.

        Raises:
            DamagedError: the checkpoints are damaged, or of another run; ``restore`` says the latter by a KeyError,
                TypeError, ValueError or RuntimeError.
        """
        checkpoint = None if self.folder is None else read_newest(self.folder)
        if checkpoint is None or self.folder is None:
            return False
        try:
            if checkpoint.facts[_RUN] != self.deciding:
                raise ValueError("made by something else")
            restore(checkpoint)
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise DamagedError(
                f"{self.folder / NEWEST}: a checkpoint of another model or recipe; resume with that run's recipe, or "
                "remove it to begin again"
            ) from error
        return True

    def interruption(self, done: str) -> InterruptedRunError:
        """Return the error that ends a run which the user stopped, once it was saved; ``done`` says how far it is."""
        if self.folder is None:
            return InterruptedRunError(f"{done}; nothing was saved: the run has no folder")
        return InterruptedRunError(f"{done}; go on with: {resuming(self.folder.parent)}")


def resuming(folder: Path) -> str:
    """Return the command that goes on with the run in ``folder``, by as many processes as this machine has now.

    On several machines torchrun needs beside it what it was told of the others.
    """
    count = int(os.environ.get("LOCAL_WORLD_SIZE", current().count)) if current().count > 1 else 1
    before = f"torchrun --nproc-per-node={count} -m " if current().count > 1 else ""
    return f"{before}ziggurat train --resume {shlex.quote(str(folder))}"
