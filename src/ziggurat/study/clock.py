"""A budget in wall-clock seconds, and the record of what it was spent on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Clock"]


class Clock:
    """Counts down a budget while naming what each second went to.

    *Idea.* A study promises to end on time, so every stage asks the clock what is left instead of assuming that the
    stages before it took what was planned.

    *Shapes and units.* Everything is in seconds of wall time.
    """

    def __init__(self, budget_seconds: float, *, now: Callable[[], float] = time.perf_counter) -> None:
        """Start counting; ``now`` is the clock to read."""
        self.budget_seconds = budget_seconds
        self._now = now
        self._started = now()
        self._spent: dict[str, float] = {}

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the start."""
        return self._now() - self._started

    @property
    def remaining_seconds(self) -> float:
        """Seconds left; 0 once the budget is spent."""
        return max(0.0, self.budget_seconds - self.elapsed_seconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge the seconds of a ``with`` block to ``name``; blocks of one name add up."""
        begun = self._now()
        try:
            yield
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + self._now() - begun

    def spent(self) -> dict[str, float]:
        """Return the seconds of each stage in the order in which stages first began."""
        return dict(self._spent)
