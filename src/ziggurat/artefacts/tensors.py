"""Named arrays on disk: safetensors files, read as memory maps after their header has been checked.

*Idea.* A safetensors file is 8 bytes of length, a JSON header, then the arrays one after another. Reading believes
nothing: header size, array extents and their order are checked against the file's real size before anything is
allocated. The arrays are then views into a read-only memory map, so a model of gigabytes opens in milliseconds and
several processes share one copy.
"""

import json
import math
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import ArtefactError, DamagedError
from ziggurat.core.files import atomic_file
from ziggurat.core.types import TensorMap

__all__ = ["check_finite", "read_tensors", "write_tensors"]

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_MOST_NAMES = 8
LONGEST_HEADER_BYTES = 100_000_000
MOST_ELEMENTS = 1 << 48  # dimensions beside a 0 count too: NumPy refuses what could not be indexed


def write_tensors(path: Path, tensors: TensorMap) -> None:
    """Write arrays to a safetensors file, in one piece.

    Raises:
        DiskFullError: the disk is full; nothing is left at ``path``.
    """
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in tensors.items()}
    with atomic_file(path) as partial:
        save_file(arrays, partial, metadata={"format": "pt"})  # the word without which transformers refuses a file


def read_tensors(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """Return a safetensors file's arrays as read-only views into a memory map.

    Shapes and units: as written; bfloat16, which NumPy does not know, becomes float32 (a copy).

    Raises:
        DamagedError: header and file disagree; the message names the file.
        ArtefactError: there is no such file, or an array's type can't be read.
    """
    header, start = _header(path)
    if path.stat().st_size == start:
        return {name: np.empty(entry["shape"], DTYPES[entry["dtype"]]) for name, entry in header.items()}
    with path.open("rb") as file:
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return {name: _view(buffer, start, entry) for name, entry in header.items()}


def check_finite(tensors: TensorMap, where: Path) -> None:
    """Check that all numbers of somebody else's arrays are finite: one that is not spoils every answer of a model.

    Raises:
        DamagedError: some are not; the message names the file or folder ``where``, and the arrays.
    """
    bad = [name for name, array in tensors.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
    if bad:
        more = f" and {len(bad) - _MOST_NAMES} more" if len(bad) > _MOST_NAMES else ""
        names = ", ".join(f"'{name}'" for name in bad[:_MOST_NAMES])
        raise DamagedError(f"{where}: damaged: numbers that are not finite (NaN or infinite) in {names}{more}")


def _view(buffer: mmap.mmap, start: int, entry: Mapping[str, Any]) -> npt.NDArray[np.generic]:
    dtype = np.dtype(DTYPES[entry["dtype"]])
    count = math.prod(entry["shape"])
    array: npt.NDArray[Any] = np.frombuffer(buffer, dtype, count, start + entry["data_offsets"][0] if count else 0)
    array = array.reshape(entry["shape"])
    if entry["dtype"] == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array if array.flags.aligned else array.copy()  # compiled kernels read aligned arrays only


def _header(path: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """Return the checked header and the position of the first array's first byte."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, LONGEST_HEADER_BYTES):
                raise DamagedError(f"{path}: damaged: the header claims {length} bytes, the file has {size}")
            raw = file.read(length)
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error
    try:
        header = json.loads(raw, object_pairs_hook=_without_twins)
        header.pop("__metadata__", None)
        entries = {str(name): dict(entry) for name, entry in header.items()}
        _check_extents(path, entries, size - 8 - length)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged: its header is not that of a safetensors file") from error
    return entries, 8 + length


def _check_extents(path: Path, entries: Mapping[str, Mapping[str, Any]], size: int) -> None:
    """Check that the arrays lie one after another and fill the file exactly, as the format's definition asks."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: tuple(item[1]["data_offsets"])):
        if entry["dtype"] not in DTYPES:
            raise ArtefactError(f"{path}: array '{name}' has the type {entry['dtype']}, which can't be read here")
        first, last = entry["data_offsets"]
        numbers = (first, last, *entry["shape"])
        possible = all(type(number) is int and number >= 0 for number in numbers)
        if not possible or math.prod(filter(None, entry["shape"])) > MOST_ELEMENTS:
            raise DamagedError(f"{path}: damaged: array '{name}' has an impossible shape or place")
        extent = math.prod(entry["shape"]) * np.dtype(DTYPES[entry["dtype"]]).itemsize
        if first != end or last - first != extent:
            raise DamagedError(f"{path}: damaged: array '{name}' does not stand where the header says")
        end = last
    if end != size:
        raise DamagedError(f"{path}: damaged: {end} bytes of arrays announced, {size} found")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
