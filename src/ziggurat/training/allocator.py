"""Memory that is used again instead of being given back to the system at every step.

*Idea.* The C library hands large blocks back to the system when they are freed, and gets them anew at the next step;
the system then clears each page as it is touched, which can take a quarter of a step. Told to keep what it has, it
reuses it.
"""

import ctypes
import sys
from contextlib import suppress

__all__ = ["keep_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of mallopt(3), in bytes."""
_NEVER = (1 << 31) - 1
_LARGEST = (1 << 30, 32 << 20)
"""Blocks below so many bytes are kept; before glibc 2.35 no more than the second could be asked for."""


def keep_memory() -> bool:
    """Let this process keep what it frees, where the C library is glibc; return whether it does.

    *Cost.* The process holds its peak until it ends.
    """
    if not sys.platform.startswith("linux"):
        return False
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.gnu_get_libc_version  # noqa: B018 - other C libraries have no such name
        kept = any(library.mallopt(_MMAP_THRESHOLD, size) for size in _LARGEST)
        return bool(library.mallopt(_TRIM_THRESHOLD, _NEVER)) and kept
    return False
