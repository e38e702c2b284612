"""Compiled CPU kernels: loops over tokens and n-grams at the machine's speed, without the interpreter's lock.

*Idea.* A kernel is a plain typed function over NumPy arrays, compiled by numba on first use and kept in the user's
cache folder (``$XDG_CACHE_HOME/ziggurat/kernels``), so that later processes only load it. Kernels hold no lock:
`in_parallel` runs them on ordinary threads, each over its own part of the data.

Kernels live in ``*/kernels/``. A kernel is compiled again when its own file changes (numba sees to that) or a file
whose kernels or instructions end up in it, through however many others (its cache folder is named after their content).
"""

import functools
import hashlib
import inspect
import itertools
import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, overload

__all__ = ["cache_folder", "core_count", "even_ranges", "in_parallel", "kernel", "thread_count"]

P = ParamSpec("P")
R = TypeVar("R")

_LOG = logging.getLogger("ziggurat")


@overload
def kernel(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def kernel(
    *, fast_math: bool = False, inline: bool = False, borrows: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def kernel(function: Any = None, /, *, fast_math: bool = False, inline: bool = False, borrows: bool = False) -> Any:
    """Compile a function of NumPy arrays and numbers on first use; keep the machine code in the user's cache.

    Integer division by zero and reads out of bounds are not checked: a kernel's caller checks sizes. Write loops:
    compiling an array that is assigned to another one, or a sum of one, takes seconds.

    Args:
        function: The function, where the decorator stands without arguments.
        fast_math: Let the compiler reorder floating-point sums; results then differ in the last bits.
        inline: Put the body into each kernel that calls it.
        borrows: Don't count references to arrays, which threads that share them would fight over. Such a kernel
            makes no arrays, and calls only others like it.
    """
    if function is None:
        return functools.partial(kernel, fast_math=fast_math, inline=inline, borrows=borrows)
    import numba
    from numba.core import config

    _announce_compilation()
    chosen, folder = config.CACHE_DIR, _folder_for(function)
    try:
        if not chosen and folder is not None:
            config.CACHE_DIR = str(folder)
        jit = numba.njit(
            nogil=True,
            cache=bool(chosen) or folder is not None,
            fastmath=fast_math,
            error_model="numpy",
            forceinline=inline,
            _nrt=not borrows,
        )
        return _kept_where_there_is_room(jit(function))
    finally:
        config.CACHE_DIR = chosen


@functools.cache
def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, made where it was missing; None where none can be written."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        folder = Path(base) / "ziggurat" / "kernels"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def core_count() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(wanted: int = 0) -> int:
    """Return how many threads to use: ``wanted``, or for 0 all cores that this process may use.

    ``OMP_NUM_THREADS`` limits the number where ``wanted`` is 0, as it does for the libraries below.
    """
    if wanted > 0:
        return wanted
    cores = core_count()
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return max(1, min(cores, int(limit))) if limit.isdecimal() and int(limit) else cores


def in_parallel(tasks: Iterable[Callable[[], R]], *, threads: int) -> list[R]:
    """Run all tasks on up to ``threads`` threads, in order of their start; return their results in that order."""
    waiting = list(tasks)
    if threads <= 1 or len(waiting) <= 1:
        return [task() for task in waiting]
    with ThreadPoolExecutor(min(threads, len(waiting))) as pool:
        return list(pool.map(_call, waiting))


def even_ranges(size: int, parts: int) -> list[tuple[int, int]]:
    """Cut ``range(size)`` into at most ``parts`` neighbouring ranges that differ by at most one; none is empty.

    >>> even_ranges(7, 3)
    [(0, 2), (2, 4), (4, 7)]
    """
    parts = max(1, min(parts, size))
    edges = [size * part // parts for part in range(parts + 1)]
    return [(start, stop) for start, stop in itertools.pairwise(edges) if stop > start]


def _kept_where_there_is_room(compiled: Any) -> Any:
    """Let a kernel run although its machine code can't be kept: on a full disk it is compiled again another time."""
    cache = getattr(compiled, "_cache", None)  # numba has no public way to say this
    if cache is None:  # NUMBA_DISABLE_JIT: it is the function itself
        return compiled
    save = cache.save_overload

    def try_to_save(*what: Any) -> None:
        with suppress(OSError):
            save(*what)

    cache.save_overload = try_to_save
    return compiled


def _folder_for(function: Callable[..., Any]) -> Path | None:
    """Return where a kernel's machine code is kept: a folder of its own for each state of the files that it is made of.

    Its own file is not among them: numba looks at that one itself.
    """
    base = cache_folder()
    called = _sources(function, {function.__module__})
    if base is None or not called:
        return base
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(called):
        digest.update(Path(path).read_bytes())
    return base / digest.hexdigest()


def _sources(function: Callable[..., Any], seen: set[str]) -> set[str]:
    """Return the files of what ``function`` may call, in modules not yet ``seen``, and of what that may call in turn.

    What is called is a kernel, whose ``py_func`` says of which function, or an instruction in the compiler's own
    language, whose ``_defn`` does.
    """
    found: set[str] = set()
    for value in list(function.__globals__.values()):
        source = getattr(value, "py_func", None) or getattr(value, "_defn", None)
        if not inspect.isfunction(source) or source.__module__ in seen:
            continue
        seen.add(source.__module__)
        if (path := inspect.getsourcefile(source)) is not None:
            found.add(path)
        found |= _sources(source, seen)
    return found


def _call(task: Callable[[], R]) -> R:
    return task()


@functools.cache
def _announce_compilation() -> None:
    """Log once per kernel that it is being compiled: the first run on a machine waits for it, and should say so."""
    from numba.core import event

    class Announcer(event.Listener):  # type: ignore[misc]
        depth = 0  # a kernel compiles what it calls: only the outermost is worth a line

        def on_start(self, event: Any) -> None:
            function = event.data["dispatcher"].py_func
            if self.depth == 0 and str(function.__module__).startswith("ziggurat."):
                name = f"{function.__module__}.{function.__name__}"
                _LOG.info("compiling %s (first run on this machine; kept in %s)", name, cache_folder())
            self.depth += 1

        def on_end(self, event: Any) -> None:  # noqa: ARG002
            self.depth -= 1

    event.register("numba:compile", Announcer())
