"""Processes that meet: those of this round only, whatever those before them left in the store."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ziggurat.core.errors import ZigguratError
from ziggurat.training.meeting import meet

torch = pytest.importorskip("torch")


def round_of(store: Any, count: int) -> list[Any]:
    """What each of ``count`` processes finds, as threads of one store."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda rank: meet(store, rank, count, patience_seconds=20), range(count)))


def test_each_round_has_keys_of_its_own() -> None:
    store = torch.distributed.HashStore()
    first = round_of(store, 3)
    first[0].set("address", "of a process that will be gone")
    second = round_of(store, 3)
    assert not second[1].check(["address"])
    second[2].set("address", "here")
    assert {found.get("address") for found in second} == {b"here"}
    assert first[1].get("address") == b"of a process that will be gone"


def test_one_that_came_and_went_is_not_taken_for_the_one_that_comes() -> None:
    store = torch.distributed.HashStore()
    with pytest.raises(ZigguratError, match="the first of 2 processes did not come"):
        meet(store, 1, 2, patience_seconds=0.05)  # it has left its word, and will hear no answer
    with pytest.raises(ZigguratError, match=r"1 of 2 processes did not come in 0\.1 s: 1"):
        meet(store, 0, 2, patience_seconds=0.1)
    first, second = round_of(store, 2)
    first.set("k", "v")
    assert second.get("k") == b"v"
