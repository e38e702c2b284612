"""Checkpoints: everything that a run needs to go on as if it had not stopped, in safetensors and JSON.

A checkpoint is one file. It is written beside its place, flushed and renamed; the one before stays until then, and a
second one behind it in case the newest is damaged.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.core.errors import DamagedError, NewerVersionError
from ziggurat.core.files import atomic_file
from ziggurat.core.types import TensorMap

__all__ = ["Checkpoint", "keep_before", "read_checkpoint", "read_newest", "write_checkpoint"]

FORMAT = 1
NEWEST = "last.safetensors"
BEFORE = "previous.safetensors"
BEST = "best.safetensors"
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


def keep_before(folder: Path) -> None:
    """Let the newest checkpoint step back to second place, before a newer one is written."""
    newest = folder / NEWEST
    if newest.is_file():
        link = folder / f".{BEFORE}.link"
        link.unlink(missing_ok=True)
        link.hardlink_to(newest)
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
                return read_checkpoint(path)
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


def _digest(tensors: TensorMap) -> str:
    """Hash names, forms and bytes of arrays; BLAKE2 because it is the fastest that Python always has."""
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        array = tensors[name]
        state.update(f"{name} {array.dtype} {array.shape}".encode())
        state.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return state.hexdigest()
