"""Tasks in order: what is under way, what is raised when, and that an error arrives as what it was."""

import errno
import inspect
from collections.abc import Iterator

import pytest

from tests.fakes.elsewhere import Elsewhere, sent
from ziggurat.core import errors
from ziggurat.core.errors import InputError, MissingExtraError, UnknownNameError, ZigguratError
from ziggurat.core.workers import HERE, Outcome, attempt, in_order


def halved(number: int) -> int:
    if number % 2:
        raise InputError(f"numbers.txt:{number}: odd; double it")
    return number // 2


class Line:
    """Handles are the items; writes down what happens to them."""

    def __init__(self) -> None:
        self.under_way = self.most = 0
        self.dropped: list[int] = []

    def begin(self, item: int) -> int:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return item

    def end(self, item: int) -> int:
        self.under_way -= 1
        return halved(item)

    def over(self, items: Iterator[int], most: int) -> Iterator[int]:
        return in_order(self.begin, self.end, items, most=most, drop=self.dropped.append)


@pytest.mark.parametrize("most", [1, 2, 5, 100])
def test_results_come_in_order_and_few_tasks_are_under_way(most: int) -> None:
    line = Line()
    assert list(line.over(iter(range(0, 26, 2)), most)) == list(range(13))
    assert line.most == min(most, 13)
    assert line.dropped == []


def test_items_are_taken_only_as_they_are_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(0, 200, 2):
            taken.append(item)
            yield item

    results = Line().over(items(), 3)
    assert [next(results), next(results)] == [0, 1]
    assert len(taken) == 4  # two ended, and with the first of them gone three may be under way


def test_what_a_task_raises_comes_in_its_turn_and_the_rest_is_dropped() -> None:
    line = Line()
    results = line.over(iter([4, 6, 7, 8, 10, 12]), 4)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(InputError, match=r"numbers\.txt:7: odd"):
        next(results)
    assert line.dropped == [8, 10, 12]


def test_what_the_items_raise_comes_behind_the_results_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (2, 4, 6)
        raise InputError("the fourth can't be read")

    results = Line().over(items(), 100)
    assert [next(results) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(InputError, match="the fourth"):
        next(results)


def test_an_earlier_bad_item_is_told_of_before_a_later_one() -> None:
    def items() -> Iterator[int]:
        yield 3
        raise InputError("the second can't be read")

    for workers in (HERE, Elsewhere()):
        with pytest.raises(InputError, match=r"numbers\.txt:3"):
            list(workers.map(halved, items()))


def test_who_stops_listening_drops_what_is_under_way() -> None:
    line = Line()
    results = line.over(iter(range(0, 40, 2)), 5)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert line.dropped == [2, 4, 6, 8]


def test_no_items_no_results() -> None:
    assert list(HERE.map(halved, [])) == list(Elsewhere().map(halved, [])) == []


MADE = {
    UnknownNameError: UnknownNameError("format", "jsno", ["json", "csv"], where="text.format"),
    MissingExtraError: MissingExtraError("reading Parquet", "parquet"),
}


@pytest.mark.parametrize(
    "kind", [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, ZigguratError)]
)
def test_every_error_of_ours_arrives_as_what_it_was(kind: type[ZigguratError]) -> None:
    error = MADE.get(kind) or kind("a.txt:3: bad; mend it")
    error.__dict__["noted"] = 17
    arrived = sent(error)
    assert type(arrived) is kind
    assert (str(arrived), arrived.exit_code, vars(arrived)) == (str(error), error.exit_code, vars(error))


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_errors_of_the_system_travel_and_defects_do_not() -> None:
    outcome: Outcome[None] = sent(attempt(full, 1))
    with pytest.raises(OSError, match="No space") as caught:
        outcome.unwrap()
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(ZeroDivisionError):
        attempt(lambda item: 1 // item, 0)
    assert attempt(halved, 8).unwrap() == 4
