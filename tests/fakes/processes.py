"""Several processes that work together in a test: forks of this one, over gloo, without torchrun's start."""

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from typing import Any

from ziggurat.training.torchrun import Processes, joined

__all__ = ["together"]


def together(count: int, work: Callable[[Processes], Any], *, seconds: float = 120) -> list[Any]:
    """Call ``work(processes)`` in each of ``count`` processes; return what each returned, or the error it raised."""
    context = multiprocessing.get_context("fork")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pipes = [context.Pipe(duplex=False) for _ in range(count)]
    children = [
        context.Process(target=_one, args=(rank, count, port, work, pipes[rank][1]), daemon=True)
        for rank in range(count)
    ]
    for child in children:
        child.start()
    found = [reader.recv() if reader.poll(seconds) else TimeoutError("no answer") for reader, _ in pipes]
    for child in children:
        child.join(10)
        child.kill()
    return found


def _one(rank: int, count: int, port: int, work: Callable[[Processes], Any], answer: Any) -> None:
    here = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({key: str(value) for key, value in here.items()})
    try:
        with joined() as processes:
            found = work(processes)
    except BaseException as error:
        traceback.print_exc()
        found = error
    answer.send(found)
