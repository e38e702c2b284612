"""Writing folders and files so that nothing half-written is ever seen.

*Idea.* Whatever is written stands first beside its place under a hidden name, is flushed to the disk, and is then
renamed. A process killed at any moment leaves the old content or the new, never a part. Leftovers of processes that
were killed are removed by the next writer of the same place.
"""

import ctypes
import errno
import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ziggurat.core.errors import DiskFullError, UsageError

__all__ = ["atomic_file", "atomic_folder", "disk_errors", "sha256", "write_text"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``path`` when the ``with`` block ends; after an error nothing remains.

    An existing folder ``path`` is replaced as a whole.

    Raises:
        DiskFullError: the disk is full; ``path`` is as it was before.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow a link instead of replacing it
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
        owner = os.open(partial, os.O_RDONLY)
        try:
            fcntl.flock(owner, fcntl.LOCK_EX)
            partial.chmod(0o777 & ~_umask())
            yield partial
            for folder, _, names in os.walk(partial):
                for name in names:
                    _flush(Path(folder, name))
                _flush(Path(folder))
            _replace(partial, path)
            _flush(path.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            os.close(owner)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield the name of a file that becomes ``path`` when the ``with`` block ends; after an error nothing remains.

    Raises:
        UsageError: a folder is there.
        DiskFullError: the disk is full; ``path`` is as it was before.
    """
    if path.is_dir():
        raise UsageError(f"{path}: a folder is there; choose another name for the file")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        owner, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        partial = Path(name)
        try:
            fcntl.flock(owner, fcntl.LOCK_EX)
            partial.chmod(0o666 & ~_umask())
            yield partial
            _flush(partial)
            partial.replace(path)
            _flush(path.parent)
        finally:
            partial.unlink(missing_ok=True)
            os.close(owner)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file in one piece."""
    with atomic_file(path) as partial:
        partial.write_bytes(text.encode())


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    *Cost.* About a second per gigabyte.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn "no space left" inside a ``with`` block into `DiskFullError` that names ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise _full(path) from error
        raise
    except DiskFullError as error:
        raise _full(path) from error  # the place that the caller knows, not the hidden one inside it
    except Exception as error:
        # the safetensors library speaks of the system's errors in words only
        if any(f"(os error {number})" in str(error) for number in FULL):
            raise _full(path) from error
        raise


def _full(path: Path) -> DiskFullError:
    return DiskFullError(f"{path}: no space left on the disk; nothing was half written: make room and run again")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(partial: Path, path: Path) -> None:
    """Put ``partial`` where ``path`` is, in one step where the system can exchange two folders."""
    if not path.exists():
        partial.rename(path)
    elif not _exchange(partial, path):
        old = partial.with_suffix(".old")
        path.rename(old)
        partial.rename(path)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders by Linux' ``renameat2``; False where there is no such call."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed writers of ``path`` left: files and folders whose owner no longer holds their lock."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        with suppress(OSError):
            handle = os.open(leftover, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            finally:
                os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
