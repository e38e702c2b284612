"""A GGUF file's contents: metadata by key, and arrays whose places were checked before any of them is read.

*Departs.* The gguf package has a reader, which believes what a file says of itself: a damaged count makes it loop for
hours. So headers are read here, each size compared with the file's length first; what the package knows of number types
(sizes of blocks, how blocks become numbers) is taken from it.
"""

import math
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.core.errors import ArtefactError, DamagedError, MissingExtraError
from ziggurat.core.types import FloatArray

__all__ = ["MAGIC", "ArrayInfo", "GgufFile", "open_gguf", "package"]

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_DIMENSIONS = 4
MOST_NUMBERS = 1 << 44

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Types of metadata by their number, as `struct` calls them."""
_STRING, _ARRAY = 8, 9
_LEAST_STRING_BYTES = 8
_ENTRY_BYTES = 8 + 4 + 1
_INFO_BYTES = 8 + 4 + 8 + 4 + 8


def package() -> Any:
    """Return the gguf package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import gguf
    except ImportError as error:
        raise MissingExtraError("GGUF", "formats") from error
    return gguf


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """Where an array stands and how its numbers are written."""

    shape: tuple[int, ...]
    """As NumPy says it, the innermost axis last."""
    kind: int
    """Its number type, one of ``gguf.GGMLQuantizationType``."""
    start: int
    stop: int


@dataclass(frozen=True)
class GgufFile:
    """An open file."""

    path: Path
    metadata: Mapping[str, Any]
    """Numbers, truth values, strings and lists of these."""
    arrays: Mapping[str, ArrayInfo]
    data: mmap.mmap

    def numbers(self, name: str) -> FloatArray:
        """Return an array in 32-bit: a view of the file where it stands so, else a copy.

        Raises:
            ArtefactError: the gguf package has no way to read its number type.
            DamagedError: a number is not finite.
        """
        gguf, info = package(), self.arrays[name]
        kind = gguf.GGMLQuantizationType(info.kind)
        raw = np.frombuffer(self.data, np.uint8, info.stop - info.start, info.start)
        if kind == gguf.GGMLQuantizationType.F32:
            plain = raw.view("<f4")
        elif kind == gguf.GGMLQuantizationType.F16:
            plain = raw.view("<f2").astype(np.float32)
        else:
            rows = max(1, math.prod(info.shape[:-1]))
            try:
                with np.errstate(all="ignore"):
                    plain = gguf.quants.dequantize(raw.reshape(rows, -1), kind)
            except NotImplementedError as error:
                raise ArtefactError(
                    f"{self.path}: the array '{name}' has numbers of the type {kind.name}, which can't be read here"
                ) from error
        if not np.isfinite(plain).all():
            raise DamagedError(f"{self.path}: damaged: the array '{name}' has a number that is not finite")
        return plain.reshape(info.shape).astype(np.float32, copy=False)


def open_gguf(path: Path) -> GgufFile:
    """Read a file's metadata and where its arrays stand; nothing is allocated for what the file has no room for.

    *Cost.* Lists of the metadata become Python's, which takes up to eight times their bytes in the file.

    Raises:
        ArtefactError: it can't be read, is no GGUF file, or uses a number type that the gguf package does not know.
        DamagedError: it was cut off or is damaged; the message says at which byte.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ArtefactError(f"{path}: not a GGUF file")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error
    walker = _Walker(path, data, size, len(MAGIC))
    version = walker.number("I")
    if version not in VERSIONS:
        swapped = int.from_bytes(struct.pack("<I", version), "big") in VERSIONS
        why = "written on a big-endian machine" if swapped else f"of version {version}"
        raise ArtefactError(f"{path}: a GGUF file {why}; versions 2 and 3, little-endian, can be read")
    arrays, entries = walker.count(_INFO_BYTES), walker.count(_ENTRY_BYTES)
    metadata: dict[str, Any] = {}
    for _ in range(entries):
        key = walker.text()
        if key in metadata:
            raise walker.fault(f"the key '{key}' stands twice")
        metadata[key] = walker.value(walker.number("I"))
    infos = [walker.info() for _ in range(arrays)]
    return GgufFile(path, metadata, dict(_placed(walker, metadata, infos)), data)


def _placed(
    walker: "_Walker", metadata: Mapping[str, Any], infos: list[tuple[str, tuple[int, ...], int, int]]
) -> Iterator[tuple[str, ArrayInfo]]:
    """Yield where arrays stand, after checking that each lies within the file, behind the one before."""
    gguf = package()
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= 1 << 20 or alignment & (alignment - 1):
        raise walker.fault("general.alignment is no power of two")
    base = -(-walker.place // alignment) * alignment
    seen: set[str] = set()
    end = base
    for name, shape, kind, offset in sorted(infos, key=lambda info: info[3]):
        if kind not in {one.value for one in gguf.GGMLQuantizationType}:
            raise ArtefactError(f"{walker.path}: the array '{name}' has the number type {kind}, which is not known")
        block, block_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)]
        start, size = base + offset, math.prod(shape) // block * block_bytes
        if name in seen or shape[-1] % block or offset % alignment or start < end or start + size > walker.size:
            raise walker.fault(f"the array '{name}' does not stand where the header says, or the file was cut off")
        seen.add(name)
        end = start + size
        yield name, ArrayInfo(shape, kind, start, end)


@dataclass
class _Walker:
    """Where reading stands in a header."""

    path: Path
    data: mmap.mmap
    size: int
    place: int

    def fault(self, what: str) -> DamagedError:
        return DamagedError(f"{self.path}: damaged: at byte {self.place:,}: {what}")

    def take(self, size: int) -> bytes:
        if size > self.size - self.place:
            raise self.fault(f"{size:,} bytes are announced, {self.size - self.place:,} are there")
        self.place += size
        return self.data[self.place - size : self.place]

    def number(self, letter: str) -> Any:
        return struct.unpack(f"<{letter}", self.take(struct.calcsize(letter)))[0]

    def count(self, least_bytes: int) -> int:
        """Return a number of things that take at least so many bytes each."""
        found = int(self.number("Q"))
        if found * least_bytes > self.size - self.place:
            raise self.fault(f"{found:,} entries are announced, more than the file has room for")
        return found

    def text(self) -> str:
        try:
            return self.take(self.number("Q")).decode()
        except UnicodeDecodeError as error:
            raise self.fault("a text is not UTF-8") from error

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind != _ARRAY:
            raise self.fault(f"a value has the type {kind}, which there is not")
        inner = self.number("I")
        if inner == _STRING:
            return [self.text() for _ in range(self.count(_LEAST_STRING_BYTES))]
        if inner not in _SCALARS:
            raise self.fault(f"a list has entries of the type {inner}, which is none of numbers and texts")
        letter = _SCALARS[inner]
        count = self.count(struct.calcsize(letter))
        plain = np.frombuffer(self.take(count * struct.calcsize(letter)), "u1" if letter == "?" else f"<{letter}")
        return (plain != 0 if letter == "?" else plain).tolist()

    def info(self) -> tuple[str, tuple[int, ...], int, int]:
        """Return an array's name, shape, number type and offset."""
        name, dimensions = self.text(), self.number("I")
        if not 0 < dimensions <= MOST_DIMENSIONS:
            raise self.fault(f"the array '{name}' has {dimensions} dimensions")
        shape = tuple(int(self.number("Q")) for _ in range(dimensions))[::-1]
        if not all(shape) or math.prod(shape) > MOST_NUMBERS:
            raise self.fault(f"the array '{name}' has an impossible shape")
        return name, shape, self.number("I"), self.number("Q")
