"""Rows of counts on disk: what stands between a text larger than memory and its co-occurrences."""

import mmap
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.files import disk_errors
from ziggurat.core.types import IdArray
from ziggurat.training.scratch import Scratch

__all__ = ["ENTRY_BYTES", "Rows", "Runs"]

Numbers: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = tuple[IdArray, Numbers, Numbers]
"""Contexts and units of neighbouring rows, and how many entries each row has."""

ENTRY_BYTES = 12
"""Of a context and its units."""


class Runs:
    """The rows of several parts of a text, part after part, in files without a name."""

    def __init__(self, size: int, folder: Path | None) -> None:
        """Keep the files in ``folder``, None for the system's temporary one; ``size`` is the number of rows."""
        self._size, self._folder = size, folder
        self._place = folder or Path(tempfile.gettempdir())
        self._sizes: list[Numbers] = []
        self._files: list[IO[bytes]] = [tempfile.TemporaryFile(dir=folder) for _ in range(2)]  # noqa: SIM115

    def __enter__(self) -> "Runs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def add(self, rows: Rows) -> None:
        """Write the rows of one part.

        Raises:
            DiskFullError: no room for them.
        """
        with disk_errors(self._place):
            for file, data in zip(self._files, (rows[0].data, rows[1].data), strict=True):
                file.write(data)
                file.flush()
        self._sizes.append(rows[2])

    def merged(
        self, merge: Callable[[tuple[IdArray, Numbers, Numbers], tuple[int, int]], Rows], allowed_bytes: int
    ) -> Rows:
        """Return the sums of all parts' rows, on disk where they need more than half of the memory allowed.

        ``merge`` makes the sums for some rows; it gets contexts, units and (parts, rows + 1) the edges of rows.
        """
        every = np.concatenate([[0], np.cumsum(np.concatenate(self._sizes))])
        edges = np.stack([every[part * self._size :][: self._size + 1] for part in range(len(self._sizes))])
        total = int(every[-1])
        if total == 0:
            return np.empty(0, np.int32), np.empty(0, np.int64), np.zeros(self._size, np.int64)
        maps = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for file in self._files]
        source = (np.frombuffer(maps[0], np.int32), np.frombuffer(maps[1], np.int64), edges)
        scratch = Scratch(on_disk=total * ENTRY_BYTES > allowed_bytes // 2, folder=self._folder)
        contexts, units = scratch.empty(total, np.int32), scratch.empty(total, np.int64)
        sizes, written = np.zeros(self._size, np.int64), 0
        costs = np.diff(edges, axis=1).sum(axis=0)
        for start, stop in _stretches(costs, allowed_bytes // (8 * ENTRY_BYTES)):
            some, counts, sizes[start:stop] = merge(source, (start, stop))
            contexts[written : written + some.size] = some
            units[written : written + some.size] = counts
            written += some.size
            scratch.release()
            if hasattr(mmap, "MADV_DONTNEED"):
                for mapped in maps:
                    mapped.madvise(mmap.MADV_DONTNEED)  # else all of the files would count as memory in use
        return contexts[:written], units[:written], sizes


def _stretches(costs: Numbers, most: int) -> Iterator[tuple[int, int]]:
    """Cut rows into neighbouring stretches that cost at most so much, or are one row."""
    total = np.concatenate([[0], np.cumsum(costs)])
    start = 0
    while start < costs.size:
        stop = max(start + 1, int(np.searchsorted(total, total[start] + most, "right")) - 1)
        yield start, stop
        start = stop
