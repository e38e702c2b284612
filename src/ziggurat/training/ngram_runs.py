"""Sorted runs of n-grams on disk: what stands between a text larger than memory and its counts."""

import contextlib
import mmap
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import DiskFullError
from ziggurat.core.types import IdArray
from ziggurat.training.kernels import ngram_runs
from ziggurat.training.ngram_sorting import Shape, SortedNgrams

__all__ = ["Runs"]

_BLOCK_BYTES = 16 << 20


class Runs:
    """Runs of records (words and a count), each sorted, in one file without a name."""

    def __init__(self, order: int, folder: Path | None) -> None:
        """Keep the file in ``folder``; None is the system's temporary folder."""
        self.order = order
        self.folder = folder
        self._ends: list[int] = []
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> "Runs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, ordered: SortedNgrams, shape: Shape) -> None:
        """Write the distinct n-grams of one part of the text as a run.

        Raises:
            DiskFullError: no room for it.
        """
        records = self._block()
        state = np.zeros(1, np.int64)
        end = self._ends[-1] if self._ends else 0
        arguments = (ordered.tokens, ordered.positions, ordered.shared, shape.numbers(), state, records)
        while rows := ngram_runs.write_run(*arguments):
            with _room(self.folder):
                self._file.write(records[:rows].data)
            end += records[:rows].size
        self._ends.append(end)

    def merged(self) -> Iterator[tuple[IdArray, npt.NDArray[np.unsignedinteger]]]:
        """Yield all distinct n-grams in sorted order, block by block: records, and words shared with the one before.

        A block is valid until the next one is asked for.
        """
        with _room(self.folder):
            self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        every = np.frombuffer(mapped, np.int32)
        ends = np.array(self._ends, np.int64)
        heap = np.concatenate([[0], ends[:-1]])
        state = np.array([-1, -1], np.int64)
        block = self._block()
        shared: npt.NDArray[np.unsignedinteger] = np.empty(len(block), np.uint8 if self.order < 1 << 8 else np.uint16)
        while rows := ngram_runs.merge_runs(every, ends, heap, state, block, shared):
            yield block[:rows], shared[:rows]
            if hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)  # else all of the file would count as memory in use

    def _block(self) -> IdArray:
        width = self.order + 1
        return np.empty((max(64, _BLOCK_BYTES // (4 * width)), width), np.int32)


@contextlib.contextmanager
def _room(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = folder or tempfile.gettempdir()
        raise DiskFullError(f"{place}: no room for the sorted runs of n-grams ({error.strerror})") from error
