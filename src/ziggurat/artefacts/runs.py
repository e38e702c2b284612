"""A run's folder: what a training leaves behind, and what it needs to go on after an interruption.

::

    runs/novels-gpt/
    ├── recipe.toml      complete, with the sources: the run can be repeated from it
    ├── metrics.jsonl    one event a line
    ├── text/ tokens/    the prepared documents and the token stores
    ├── checkpoints/     what a resumed run continues from
    └── bundle/          the result; there once the run has ended

One process works in a folder at a time: it holds a lock that the system takes back when the process ends, however it
ends.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from ziggurat.artefacts import manifest
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.core.files import disk_errors, write_text

__all__ = ["METRICS", "Run", "locked", "new_folder", "open_run", "other_run", "read_metrics"]

RECIPE = "recipe.toml"
METRICS = "metrics.jsonl"
BUNDLE = "bundle"
PREPARED = frozenset({RECIPE, METRICS, "text", "tokens"})
"""What is in the folder of a run before it trains."""


@dataclass(frozen=True)
class Run:
    """A run's folder, locked by this process."""

    folder: Path
    recipe: Recipe

    @property
    def bundle(self) -> Path:
        """Where the result is, or will be."""
        return self.folder / BUNDLE

    @property
    def finished(self) -> bool:
        """Whether the result is there."""
        return (self.bundle / manifest.NAME).is_file()

    @property
    def metrics(self) -> Path:
        """The file of events."""
        return self.folder / METRICS


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the events of a metrics file; a last line that is not whole is left out."""
    if not path.is_file():
        return []
    events = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def new_folder(base: Path, name: str) -> Path:
    """Make a folder for a new run below ``base`` and return it: ``name``, or ``name-2``, ``name-3`` … where taken.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as base:
    ...     new_folder(Path(base), "My text!-gpt").name, new_folder(Path(base), "My text!-gpt").name
    ('My-text-gpt', 'My-text-gpt-2')
    """
    plain = re.sub(r"[^\w.]+", "-", name).strip("-.") or "run"
    with disk_errors(base):
        base.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = base / (plain if number == 1 else f"{plain}-{number}")
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
            else:
                return folder


@contextmanager
def open_run(folder: Path, recipe: Recipe | None = None, *, again: bool = False) -> Iterator[Run]:
    """Lock a run's folder for the ``with`` block: a new one for ``recipe``, or without one the run that is there.

    ``again`` lets a run of the very same recipe that is there go on, as where torchrun starts a command anew.
    A new run is made in a folder where nothing is, and leaves none where its text can't be used.

    Raises:
        ArtefactError: without ``recipe``: there is no run in ``folder``.
        UsageError: with ``recipe``: there is a run in ``folder`` already, or anything else; or another process works
            there.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file, not a folder")
    if recipe is None and not (folder / RECIPE).is_file():
        raise ArtefactError(f"{folder}: no run to go on with ({RECIPE} is missing)")
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        run = Run(folder, _recorded(folder) if recipe is None else _begun(folder, recipe, again=again))
        try:
            yield run
        except InputError:
            if recipe is not None:
                _forget(folder)
            raise


def _recorded(folder: Path) -> Recipe:
    try:
        return load_recipe(str(folder / RECIPE))
    except InputError as error:
        raise ArtefactError(str(error)) from error


def other_run(folder: Path, recipe: Recipe | None) -> Run:
    """Return the run that another process has locked, for one that works with it.

    Raises:
        ArtefactError: without ``recipe``: what is in ``folder`` is no run.
    """
    return Run(folder, _recorded(folder) if recipe is None else recipe)


def _begun(folder: Path, recipe: Recipe, *, again: bool) -> Recipe:
    if again and (folder / RECIPE).is_file() and (folder / RECIPE).read_text(encoding="utf-8") == recipe.to_toml():
        return recipe
    if (folder / RECIPE).exists():
        ended = (folder / BUNDLE / manifest.NAME).is_file()
        advice = "choose another --out" if ended else f"go on with '--resume {folder}' or choose another --out"
        raise UsageError(f"{folder}: holds {'a finished' if ended else 'an unfinished'} run; {advice}")
    if other := min((file.name for file in folder.iterdir() if not file.name.startswith(".")), default=None):
        raise UsageError(
            f"{folder}: holds other files ({other}), and a new run needs an empty folder; choose another --out"
        )
    write_text(folder / RECIPE, recipe.to_toml())
    return recipe


def _forget(folder: Path) -> None:
    """Remove what a run prepared whose text could not be used, and its folder, unless training has left something."""
    with suppress(OSError):
        if {file.name for file in folder.iterdir()} <= PREPARED:
            for name in PREPARED - {RECIPE, METRICS}:
                rmtree(folder / name, ignore_errors=True)
            for name in (METRICS, RECIPE):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system releases it when the process ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"{folder}: another process works in this run; wait for it or choose another --out") from None
    else:
        yield
    finally:
        os.close(handle)
