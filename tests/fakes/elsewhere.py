"""Workers that are no other process and treat everything as if they were: all that goes and comes is pickled."""

from collections.abc import Callable, Iterable, Iterator
from multiprocessing.reduction import ForkingPickler
from types import TracebackType
from typing import Any, Self

from ziggurat.core.workers import Outcome, attempt, in_order


def sent(thing: Any) -> Any:
    """What arrives of it in another process."""
    return ForkingPickler.loads(ForkingPickler.dumps(thing))


class Elsewhere:
    """Does each task at once and gives its result late; remembers how many tasks there were."""

    def __init__(self, count: int = 3) -> None:
        self.count = count
        self.tasks = 0
        self.dropped = 0

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        def begin(item: Any) -> Outcome[Any]:
            self.tasks += 1
            outcome: Outcome[Any] = sent(attempt(sent(function), sent(item)))
            return outcome

        def drop(outcome: Outcome[Any]) -> None:
            self.dropped += 1

        return in_order(begin, Outcome.unwrap, items, most=2 * self.count, drop=drop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
