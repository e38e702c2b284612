"""Large working arrays: in memory while they fit, else in files that nobody sees and that vanish by themselves."""

import contextlib
import mmap
import os
import tempfile
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import DiskFullError, UsageError

__all__ = ["Scratch", "memory_here", "memory_limit", "parse_bytes"]

T = TypeVar("T", bound=np.generic)

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Scratch:
    """Hands out arrays, in memory or on disk as told, and lets go of the memory that the ones on disk occupy."""

    def __init__(self, *, on_disk: bool, folder: Path | None = None) -> None:
        """Keep arrays in memory, or in unnamed files in ``folder`` (where None, the system's temporary folder)."""
        self.on_disk = on_disk
        self.folder = folder
        self._maps: list[mmap.mmap] = []

    def empty(self, size: int, dtype: type[T]) -> npt.NDArray[T]:
        """Return an array of ``size`` numbers of any value (on disk: zeros).

        Raises:
            DiskFullError: no room for it on disk.
        """
        if not self.on_disk or size == 0:
            return np.empty(size, dtype)
        with tempfile.TemporaryFile(dir=self.folder) as file:
            _reserve(file.fileno(), size * np.dtype(dtype).itemsize, self.folder)
            mapped = mmap.mmap(file.fileno(), size * np.dtype(dtype).itemsize)
        self._maps.append(mapped)
        return np.frombuffer(mapped, dtype)

    def zeros(self, size: int, dtype: type[T]) -> npt.NDArray[T]:
        """Return an array of ``size`` zeros."""
        return self.empty(size, dtype) if self.on_disk else np.zeros(size, dtype)

    def release(self) -> None:
        """Give back the memory of all arrays on disk; they keep their content and are read again when needed."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)


def _reserve(descriptor: int, size_bytes: int, folder: Path | None) -> None:
    """Make a file this long, with its disk space, so that writing to it through a map can't fail later."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size_bytes)
        else:
            os.truncate(descriptor, size_bytes)
    except OSError as error:
        place = folder or tempfile.gettempdir()
        raise DiskFullError(f"{place}: no room for {size_bytes:,} bytes of working space ({error.strerror})") from error


def parse_bytes(text: str, *, where: str) -> int:
    """Return the number of bytes that a size like ``800M`` or ``1.5G`` (powers of 1024) stands for.

    >>> parse_bytes("1.5G", where="memory")
    1610612736
    """
    number, unit = text.strip().upper().removesuffix("B"), ""
    if number and number[-1] in _UNITS:
        number, unit = number[:-1], number[-1]
    try:
        size = int(float(number) * _UNITS[unit])
    except ValueError:
        size = 0
    if size <= 0:
        raise UsageError(f"{where}: expected a size like 800M or 1.5G, got '{text}'")
    return size


def memory_limit(text: str, *, where: str) -> int:
    """Return the bytes that ``text`` allows.

    For ``auto`` that is half of what this machine or container has, shared out among the processes that torchrun has
    started here.
    """
    if text != "auto":
        return parse_bytes(text, where=where)
    return (memory_here() or 8 << 30) // 2 // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def memory_here(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Return the bytes of memory that this machine has, or the container that it runs in; 0 where nothing says.

    ``limit`` is the file that a container's limit stands in.
    """
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")] if hasattr(os, "sysconf") else []
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a limit
        sizes.append(int(limit.read_text(encoding="ascii")))
    return min(sizes, default=0)
