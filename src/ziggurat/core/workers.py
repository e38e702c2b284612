"""Whoever does many small tasks: this process, other processes of this machine, or other machines.

*Idea.* A room cuts its work into tasks, each a plain function of one item, and asks `Workers` for the results in the
order of the items. It does not know who does them, and what it makes of the results does not depend on it: one way of
the data, whoever walks it. Functions and items must survive pickling: functions of modules, or a
`functools.partial` of one.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from ziggurat.core.errors import ZigguratError

__all__ = ["HERE", "Here", "Outcome", "Workers", "attempt", "in_order"]

T = TypeVar("T")
R = TypeVar("R")
H = TypeVar("H")


class Workers(Protocol):
    """Does tasks, several at once; used as a context, at whose end nothing of it goes on."""

    @property
    def count(self) -> int:
        """How many tasks are done at once; 1 where there is nobody but the caller."""
        ...

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of each item, in their order; only a few are under way at once.

        What a task raises is raised here in its turn; so is what ``items`` raise, behind the results before it.
        """
        ...

    def __enter__(self) -> Self:
        """Begin; whatever is slow to start may wait for the first task."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: stop what was started."""
        ...


class Here:
    """This process alone: each task is done when its result is asked for, and nothing is copied.

    >>> list(Here().map(abs, [-2, 3]))
    [2, 3]
    """

    count = 1

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of each item."""
        return map(function, items)

    def __enter__(self) -> Self:
        """Begin nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End nothing."""


HERE: Workers = Here()
"""The workers of whoever names none."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What became of a task on its way back: its result, or what it raised on purpose."""

    result: R | None
    error: Exception | None = None

    def unwrap(self) -> R:
        """Return the result, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]


def attempt(function: Callable[[T], R], item: T) -> Outcome[R]:
    """Do a task where it is done, so that an error of ours, of the system or of memory travels as a value.

    *Idea.* Other machinery would wrap it: the caller shall get the same error, with the same message, as from `Here`.
    """
    try:
        return Outcome(function(item))
    except (ZigguratError, OSError, MemoryError) as error:
        return Outcome(None, error.with_traceback(None))


def in_order(
    begin: Callable[[T], H],
    end: Callable[[H], R],
    items: Iterable[T],
    *,
    most: int,
    drop: Callable[[H], Any],
) -> Iterator[R]:
    """Begin a task for each item, at most ``most`` before the first of them has ended; yield their ends in order.

    Where ``items`` raise, what was begun is yielded first. Where the caller stops, what was begun is dropped.

    >>> list(in_order(lambda item: item, lambda handle: handle + 1, [1, 2, 3], most=2, drop=print))
    [2, 3, 4]
    """
    stream, waiting = iter(items), deque[H]()
    more, late = True, None
    try:
        while more or waiting:
            if more and len(waiting) < most:
                try:
                    item = next(stream)
                except StopIteration:
                    more = False
                except Exception as error:
                    more, late = False, error
                else:
                    waiting.append(begin(item))
                continue
            yield end(waiting.popleft())
        if late is not None:
            raise late
    finally:
        for handle in waiting:
            drop(handle)
