"""Other processes of this machine as workers."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self, TypeVar

from ziggurat.core.errors import UsageError, ZigguratError
from ziggurat.core.workers import Outcome, attempt, in_order

__all__ = ["SINGLE_THREADED", "LocalProcesses"]

T = TypeVar("T")
R = TypeVar("R")

SINGLE_THREADED = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
"""What tells the libraries in a worker that the other cores belong to other workers."""
_AHEAD = 2
"""Tasks under way for each process: one that is done, one that waits, so that nobody waits for the next."""


class LocalProcesses:
    """Processes that do one task each at a time, started at the first task.

    *Cost.* About a second and 100 MB for each process; items and results are copied through pipes.
    """

    def __init__(self, count: int) -> None:
        """Work with ``count`` processes.

        Raises:
            UsageError: fewer than one.
        """
        if count < 1:
            raise UsageError(f"workers: expected at least one process, got {count}")
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of each item in order.

        Raises:
            ZigguratError: a process was killed, most likely because memory ran out.
        """
        pool = self._started()

        def begin(item: T) -> "Future[Outcome[R]]":
            try:
                return pool.submit(attempt, function, item)
            except BrokenProcessPool as error:
                raise self._killed() from error

        return in_order(begin, self._ended, items, most=_AHEAD * self.count, drop=Future.cancel)

    def __enter__(self) -> Self:
        """Begin; processes start with the first task."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes; tasks under way are waited for, those that wait are dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not `fork`: threads of libraries hold locks that a copy of this process would wait for.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.count, context, _begin_quietly)
        return self._pool

    def _ended(self, future: "Future[Outcome[R]]") -> R:
        try:
            outcome = future.result()
        except BrokenProcessPool as error:
            raise self._killed() from error
        return outcome.unwrap()

    def _killed(self) -> ZigguratError:
        """Return the error that says so; the next tasks have processes of their own."""
        self._pool = None
        return ZigguratError(
            f"one of {self.count} worker processes was killed, most likely for want of memory: give fewer --workers"
        )


def _begin_quietly() -> None:
    """Leave interrupts and words to the process that asked; use one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(SINGLE_THREADED)
    log = logging.getLogger("ziggurat")
    log.addHandler(logging.NullHandler())
    log.propagate = False
