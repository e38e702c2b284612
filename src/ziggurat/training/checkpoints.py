"""Checkpoints: everything that a run needs to go on as if it had not stopped, in safetensors and JSON.

A checkpoint is one file. It is written beside its place, flushed and renamed; the one before stays until then, and a
second one behind it in case the newest is damaged. Where several processes train, each writes the rows that it alone
has into a file of its own, and the checkpoint's file, written when all of these stand, names them. Rows are put
together again when it is read, so that any number of processes can go on.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.core.errors import DamagedError, NewerVersionError
from ziggurat.core.files import atomic_file
from ziggurat.core.types import TensorMap

__all__ = [
    "Checkpoint",
    "keep_before",
    "read_checkpoint",
    "read_newest",
    "remove_old_rows",
    "write_checkpoint",
    "write_rows",
]

FORMAT = 1
NEWEST = "last.safetensors"
BEFORE = "previous.safetensors"
BEST = "best.safetensors"
ROWS = "rows"
"""The fact of a checkpoint that names the files of rows."""
_LOG = logging.getLogger("ziggurat")


@dataclass(frozen=True)
class Checkpoint:
    """Arrays by name, and plain facts."""

    tensors: TensorMap
    facts: Mapping[str, Any]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write one checkpoint file in one piece.

    Raises:
        DiskFullError: the disk is full; ``path`` is as it was before.
    """
    from safetensors.numpy import save_file

    tensors = {name: np.ascontiguousarray(array) for name, array in checkpoint.tensors.items()}
    own = {"format": FORMAT, "digest": _digest(tensors)}  # before those of facts that were read from a file
    facts = {**checkpoint.facts, **own}
    with atomic_file(path) as partial:
        save_file(tensors, partial, metadata={"ziggurat": json.dumps(facts)})


def write_rows(folder: Path, tensors: TensorMap, *, mark: int, rank: int, count: int) -> list[str]:
    """Write the rows that process ``rank`` of ``count`` has; return the names of all processes' files.

    ``mark`` is one number for all files of a checkpoint and for no other, so that no file is ever written over.

    Raises:
        DiskFullError: the disk is full.
    """
    names = [f"rows-{mark:x}-{number + 1}-of-{count}.safetensors" for number in range(count)]
    write_checkpoint(folder / names[rank], Checkpoint(tensors, {"mark": mark}))
    return names


def remove_old_rows(folder: Path) -> None:
    """Remove files of rows that neither the newest checkpoint nor the one before names."""
    from safetensors import SafetensorError, safe_open

    named: set[str] = set()
    for name in (NEWEST, BEFORE):
        if (folder / name).is_file():
            try:
                with safe_open(folder / name, framework="np") as file:
                    named.update(json.loads((file.metadata() or {})["ziggurat"]).get(ROWS, ()))
            except (SafetensorError, ValueError, KeyError, OSError):
                return  # what a damaged one names is not known
    for path in folder.glob("rows-*.safetensors"):
        if path.name not in named:
            path.unlink(missing_ok=True)


def keep_before(folder: Path) -> None:
    """Let the newest checkpoint step back to second place, before a newer one is written.

    Raises:
        DiskFullError: the disk has no links between files, and no room for a copy; both checkpoints are as before.
    """
    newest = folder / NEWEST
    if newest.is_file():
        link = folder / f".{BEFORE}.link"
        link.unlink(missing_ok=True)
        try:
            link.hardlink_to(newest)
        except OSError:  # a disk that has no such links, like exFAT
            with atomic_file(folder / BEFORE) as partial:
                shutil.copyfile(newest, partial)
        else:
            link.replace(folder / BEFORE)


def read_newest(folder: Path) -> Checkpoint | None:
    """Return the newest whole checkpoint of ``folder``, None where there is none at all.

    A damaged newest one is passed over with a warning.

    Raises:
        DamagedError: there are checkpoints, and all of them are damaged.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    damage: DamagedError | None = None
    for name in (NEWEST, BEFORE):
        path = folder / name
        if path.is_file():
            try:
                return _with_rows(folder, read_checkpoint(path))
            except DamagedError as error:
                _LOG.warning("%s; going back to the checkpoint before it", error)
                damage = error
    if damage is not None:
        raise damage
    return None


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint file.

    Raises:
        DamagedError: its bytes are not those that were written.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads((file.metadata() or {})["ziggurat"])
            if facts["format"] > FORMAT:
                raise NewerVersionError(f"{path}: written by a newer ziggurat; upgrade to go on with this run")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            digest = facts["digest"]
    except (SafetensorError, ValueError, KeyError, TypeError, OSError) as error:
        raise DamagedError(f"{path}: damaged: remove it to begin again, or put a copy in its place") from error
    if _digest(tensors) != digest:
        raise DamagedError(f"{path}: damaged: remove it to begin again, or put a copy in its place")
    return Checkpoint(tensors, facts)


def _with_rows(folder: Path, checkpoint: Checkpoint) -> Checkpoint:
    """Put the rows of all processes together, where a checkpoint has such.

    Raises:
        DamagedError: a file of rows is missing or damaged.
    """
    names = checkpoint.facts.get(ROWS, ())
    if not names:
        return checkpoint
    parts = [read_checkpoint(folder / name).tensors for name in names]
    try:
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    except (KeyError, ValueError) as error:
        raise DamagedError(f"{folder / names[0]}: its rows are not those of the other processes' files") from error
    return Checkpoint({**checkpoint.tensors, **joined}, checkpoint.facts)


def _digest(tensors: TensorMap) -> str:
    """Hash names, forms and bytes of arrays; BLAKE2 because it is the fastest that Python always has."""
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        array = tensors[name]
        state.update(f"{name} {array.dtype} {array.shape}".encode())
        state.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return state.hexdigest()
