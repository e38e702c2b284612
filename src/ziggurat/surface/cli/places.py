"""Files and folders that options name, looked at before a command works for what goes there."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ziggurat.core.errors import UnknownNameError, UsageError

__all__ = ["fonts_at", "new_place", "pictures_at"]

SHOWN = 60
"""Letters of a name that can't be one."""


def fonts_at(place: str | None) -> Path | None:
    """Return the font file, or folder of fonts, that ``--fonts`` names, if it names one.

    Raises:
        UsageError: there is none.
    """
    if not place:
        return None
    if not Path(place).exists():
        raise UsageError(f"--fonts: {place}: no such file or folder")
    return Path(place)


def new_place(name: str, *, where: str = "--out") -> Path:
    """Return the place of a file or folder that a command will write, before it works for it; nothing is there yet.

    Raises:
        UsageError: something is there, or nothing can be written there.
    """
    path = Path(name)
    with _named(name, where):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path}: exists already; choose another {where}")
        _check_folder(path, where)
    return path


def pictures_at(names: Iterable[str], endings: Sequence[str], *, where: str) -> list[Path]:
    """Return the places of pictures that a command will draw, before it works for them; those of before are replaced.

    Raises:
        UnknownNameError: a name ends with none of ``endings``.
        UsageError: nothing can be written there.
    """
    paths = [Path(name) for name in names]
    for path in paths:
        if path.suffix.lower() not in endings:
            raise UnknownNameError("file ending", path.suffix or path.name, endings, where=where)
        with _named(str(path), where):
            if path.is_dir():
                raise UsageError(f"{path}: a folder is there; choose another {where}")
            _check_folder(path, where)
    return paths


@contextmanager
def _named(name: str, where: str) -> Iterator[None]:
    """Refuse a name that no file can have."""
    if not name:
        raise UsageError(f"{where}: name a file")
    try:
        yield
    except OSError as error:  # such as a name that is too long
        raise UsageError(f"{where}: {name[:SHOWN]}: {error.strerror}") from error


def _check_folder(path: Path, where: str) -> None:
    """Refuse a file where no folder for it is nor could be made."""
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir():
        raise UsageError(f"{path}: {nearest} is a file and no folder; choose another {where}")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{path}: nothing may be written in {nearest}; choose another {where}")
