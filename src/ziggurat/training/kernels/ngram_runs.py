"""Sorted runs of n-grams for text that is larger than memory: writing one from a sorted part, merging many.

A *record* is ``order`` words, −1 beyond an n-gram's end, and the number of times it occurred.
"""

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import IdArray

__all__ = ["merge_runs", "write_run"]

_MOST = (1 << 31) - 1


@kernel
def write_run(
    tokens: IdArray,
    positions: IdArray,
    shared: npt.NDArray[np.integer],
    shape: tuple[int, int, int],
    state: npt.NDArray[np.int64],
    records: IdArray,
) -> int:
    """Write the records of sorted entries from ``state[0]`` on until all are done or ``records`` is full.

    ``state[0]`` moves on. Returns how many records were written.
    """
    order, bos, eos = shape
    written = 0
    entry = state[0]
    while entry < positions.size and written < records.shape[0]:
        start = positions[entry]
        ended = False
        for offset in range(order):
            word = -1
            if not ended and start + offset < tokens.size:
                word = int(tokens[start + offset])
                if offset > 0 and word == bos and bos != eos:
                    word = -1
            records[written, offset] = word
            ended = ended or word < 0 or (word == eos and (offset > 0 or bos != eos))
        first = entry
        entry += 1
        while entry < positions.size and shared[entry] == order:
            entry += 1
        records[written, order] = entry - first
        written += 1
    state[0] = entry
    return written


@kernel(inline=True)
def _before(records: IdArray, one: int, two: int, order: int) -> bool:
    """Whether the record that begins at ``one`` stands before the one at ``two``."""
    for offset in range(order):
        if records[one + offset] != records[two + offset]:
            return bool(records[one + offset] < records[two + offset])
    return False


@kernel
def _sink(heap: npt.NDArray[np.int64], size: int, place: int, records: IdArray, order: int) -> None:
    """Restore the order of a heap of record addresses whose entry at ``place`` may have become too large."""
    address = heap[place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _before(records, heap[child + 1], heap[child], order):
            child += 1
        if not _before(records, heap[child], address, order):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = address


@kernel
def merge_runs(
    records: IdArray,
    ends: npt.NDArray[np.int64],
    heap: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
    merged: IdArray,
    shared: npt.NDArray[np.integer],
) -> int:
    """Merge sorted runs into ``merged`` until it is full or all is done; equal records become one.

    Args:
        records: All runs one after another, flat.
        ends: Where each run ends.
        heap: One address for each run; at the first call where the runs begin.
        state: How many runs are not yet exhausted (−1 at the first call), and the address of the last record taken.
        merged: (rows, order + 1) the next records, sorted; rows are distinct, also from those of earlier calls.
        shared: (rows,) how many words each shares with the one before.

    Returns:
        How many rows were written; 0 at the end.
    """
    order = merged.shape[1] - 1
    written = 0
    if state[0] < 0:
        state[0] = heap.size
        for place in range(heap.size // 2 - 1, -1, -1):
            _sink(heap, heap.size, place, records, order)
    while state[0] > 0:
        address = heap[0]
        equal = 0
        if state[1] >= 0:
            while equal < order and records[address + equal] == records[state[1] + equal]:
                equal += 1
        if equal == order:
            merged[written - 1, order] = min(np.int64(merged[written - 1, order]) + records[address + order], _MOST)
        elif written == merged.shape[0]:
            break
        else:
            merged[written] = records[address : address + order + 1]
            shared[written] = equal
            written += 1
        state[1] = address
        run = np.searchsorted(ends, address, "right")
        heap[0] = address + order + 1
        if heap[0] == ends[run]:
            state[0] -= 1
            heap[0] = heap[state[0]]
        _sink(heap, state[0], 0, records, order)
    return written
