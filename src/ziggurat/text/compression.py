"""Opening files that may be compressed: gzip, xz, zstandard and bzip2, told by their first bytes."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol, cast

from ziggurat.core.errors import InputError

__all__ = ["SUFFIXES", "decompressed"]

SUFFIXES = {".gz": "gzip", ".xz": "xz", ".zst": "zstandard", ".bz2": "bzip2"}
"""Endings of compressed files' names; what decides is the content."""

_READ_BYTES = 1 << 12
"""Taken at once: little, since it may unpack to a thousand times as much."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _zstandard() -> _Decompressor:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


_KINDS: tuple[tuple[bytes, str, Callable[[], Any]], ...] = (
    (b"\x1f\x8b\x08", "gzip", lambda: zlib.decompressobj(wbits=31)),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMADecompressor),
    (b"\x28\xb5\x2f\xfd", "zstandard", _zstandard),
    *((b"BZh%d" % level, "bzip2", bz2.BZ2Decompressor) for level in range(1, 10)),
)


def decompressed(stream: BinaryIO, label: str) -> io.BufferedReader:
    """Return the plain bytes of ``stream``, decompressed where its first bytes are those of a compressed file.

    Raises:
        InputError: the name ends like a compressed file's and the content is none; or, while reading, the data
            are damaged or end too early. The message names the file and where.
    """
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(Any, stream), 1 << 17)
    head = buffered.peek(8)[:8]
    for magic, kind, make in _KINDS:
        if head.startswith(magic):
            return io.BufferedReader(_Members(buffered, label, kind, make), 1 << 18)
    expected = next((kind for suffix, kind in SUFFIXES.items() if label.lower().endswith(suffix)), None)
    if expected and head:
        raise InputError(f"{label}: the name says {expected}, the content is not; rename the file")
    return buffered


class _Members(io.RawIOBase):
    """The compressed members of one file, one after another, as one stream of plain bytes.

    One loop serves four formats, because their decompressors share three verbs. A member that ends too early is an
    error here; zstandard's own stream reader would take it for the end of the text.
    """

    def __init__(self, stream: BinaryIO, label: str, kind: str, make: Callable[[], _Decompressor]) -> None:
        self._stream, self._label, self._kind, self._make = stream, label, kind, make
        self._member: _Decompressor | None = make()
        self._plain = memoryview(b"")
        self._left = b""
        self._total = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain:
            plain = self._next()
            if plain is None:
                return 0
            self._plain = memoryview(plain)
            self._total += len(plain)
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _next(self) -> bytes | None:
        data = self._left or self._stream.read(_READ_BYTES)
        self._left = b""
        if self._member is None:
            data = data.lstrip(b"\x00") or self._stream.read(_READ_BYTES).lstrip(b"\x00")
            if not data:
                return None
            self._member = self._make()
        if not data:
            raise self._damaged("it ends too early")
        try:
            plain = self._member.decompress(data)
        except _errors() as error:
            raise self._damaged(str(error)) from error
        if self._member.eof:
            self._left = self._member.unused_data
            self._member = None
        return plain

    def _damaged(self, what: str) -> InputError:
        return InputError(
            f"{self._label}: damaged {self._kind} data after {self._total:,} bytes of text ({what}); "
            "copy or download the file again"
        )


def _errors() -> tuple[type[Exception], ...]:
    """Return what the four decompressors raise on damaged data; zstandard is imported only where it was used."""
    import sys

    module = sys.modules.get("zstandard")
    known: tuple[type[Exception], ...] = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
    return (*known, module.ZstdError) if module else known
