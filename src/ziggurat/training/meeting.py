"""How the processes of a run find each other, also when torchrun has begun them again.

*Idea.* torchrun keeps one store of keys for all its attempts, and in it the addresses of processes that are gone: those
that begin again would call them. So they meet first. Each writes a word of chance, the first process answers it with
the number of the round, and what they tell each other from then on lies under that number.

*Departs.* torch offers ``TORCHELASTIC_RESTART_COUNT`` to tell attempts apart; each node counts its own restarts, so
nodes may differ (pytorch/pytorch#135712).
"""

import datetime as dt
import os
import time
import uuid
from typing import TYPE_CHECKING

from ziggurat.core.errors import ZigguratError

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

__all__ = ["PATIENCE_SECONDS", "meet"]

PATIENCE_SECONDS = 600.0
"""How long processes wait for each other: torchrun starts all at once, but some may load torch over a slow network."""


def meet(store: "Store", rank: int, count: int, *, patience_seconds: float = PATIENCE_SECONDS) -> "Store":
    """Return the part of ``store`` that belongs to this round of ``count`` processes, when all are here.

    Raises:
        ZigguratError: some did not come in time.
    """
    from torch.distributed.distributed_c10d import PrefixStore

    met = _invite if rank == 0 else _answer
    return PrefixStore(f"ziggurat/round/{met(store, rank, count, patience_seconds)}", store)


def _invite(store: "Store", rank: int, count: int, patience_seconds: float) -> int:
    round_number = store.add("ziggurat/rounds", 1)
    until = time.monotonic() + patience_seconds
    missing = set(range(1, count)) - {rank}
    while missing:
        for other in sorted(missing):
            if store.check([_came(round_number, other)]):
                missing.remove(other)
            elif store.check([_here(other)]):
                store.set(_welcome(store.get(_here(other)).decode()), str(round_number))
        if missing and time.monotonic() > until:
            who = ", ".join(map(str, sorted(missing)[:8]))
            raise ZigguratError(f"{len(missing)} of {count} processes did not come in {patience_seconds:g} s: {who}")
        time.sleep(0.01)
    return round_number


def _answer(store: "Store", rank: int, count: int, patience_seconds: float) -> int:
    word = f"{os.getpid()}-{uuid.uuid4().hex}"
    store.set(_here(rank), word)
    try:
        store.wait([_welcome(word)], dt.timedelta(seconds=patience_seconds))
    except RuntimeError as error:
        raise ZigguratError(f"the first of {count} processes did not come in {patience_seconds:g} s") from error
    round_number = int(store.get(_welcome(word)))
    store.set(_came(round_number, rank), "1")
    return round_number


def _here(rank: int) -> str:
    return f"ziggurat/here/{rank}"


def _welcome(word: str) -> str:
    return f"ziggurat/welcome/{word}"


def _came(round_number: int, rank: int) -> str:
    return f"ziggurat/came/{round_number}/{rank}"
