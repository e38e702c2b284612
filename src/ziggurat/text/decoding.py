"""Bytes to text, in pieces that end at line ends, with errors that name byte and line."""

import codecs
import io
import sys
import unicodedata
from collections.abc import Iterator
from typing import BinaryIO

from ziggurat.core.errors import InputError
from ziggurat.text.compression import decompressed
from ziggurat.text.encodings import binary_kind, checked_name, recognise
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source

__all__ = ["LONE_RETURN", "BinaryContentError", "lines", "open_source", "pieces", "refuse_lone_return"]

LONE_RETURN = "a lone carriage return; end lines with LF or CR LF"
"""What is wrong with a line in which one stands."""

_BLOCK_BYTES = 1 << 18
_LONGEST_PIECE = 1 << 22
_LONGEST_LINE = 1 << 30


class BinaryContentError(InputError):
    """The content is not text; in a folder such a file is skipped, by name it is an error."""


def open_source(source: Source) -> io.BufferedReader:
    """Open a file or standard input and return its bytes, decompressed."""
    raw: BinaryIO
    if source.content is not None:
        raw = io.BytesIO(source.content)
    else:
        raw = source.path.open("rb") if source.path else sys.stdin.buffer
    if source.watch is not None:
        source.watch(raw)
    try:
        return decompressed(raw, source.label)
    except InputError:
        if source.path:
            raw.close()
        raise


def pieces(stream: BinaryIO, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[str]:
    """Yield the text in pieces of about 256 kB that end at line ends (or, in endless lines, at spaces).

    Raises:
        BinaryContentError: it is no text.
        InputError: bytes that don't fit the encoding; the message names the byte and the line.
    """
    kept = ""
    for text in _decoded(stream, source, options, ledger):
        kept += text
        if len(kept) < _BLOCK_BYTES:
            continue
        end = kept.rfind("\n") + 1
        if not end and len(kept) > _LONGEST_PIECE:
            end = max(kept.rfind("\r", 0, -1), kept.rfind(" ", 0, -1), 0) + 1
            end = end if end > 1 else len(kept) - 1
            while end > 1 and unicodedata.combining(kept[end]):  # an accent stays with its letter
                end -= 1
        if end:
            yield kept[:end]
            kept = kept[end:]
    if kept:
        yield kept


def lines(stream: BinaryIO, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[str]:
    """Yield the text's lines with their ends; a line is what ends in LF, CR LF or the end of the file.

    Raises:
        BinaryContentError, InputError: as `pieces`; or a line is longer than 1 GiB.
    """
    kept: list[str] = []
    kept_size = count = 0
    for text in _decoded(stream, source, options, ledger):
        whole = text.split("\n")
        kept.append(whole[0])
        kept_size += len(whole[0])
        if kept_size > _LONGEST_LINE:
            raise InputError(f"{source.label}:{count + 1}: the line is longer than 1 GiB; is the format right?")
        if len(whole) == 1:
            continue
        yield "".join(kept) + "\n"
        for line in whole[1:-1]:
            yield line + "\n"
        count += len(whole) - 1
        kept = [whole[-1]]
        kept_size = len(whole[-1])
    if kept_size:
        yield "".join(kept)


def refuse_lone_return(line: str, where: str) -> None:
    """Refuse a line with a carriage return that no LF follows: to some programs a line ends there, to ours none.

    Raises:
        InputError: there is one; the message names the place, ``where``.
    """
    if "\r" in line.removesuffix("\r\n"):
        raise InputError(f"{where}: {LONE_RETURN}")


def _decoded(stream: BinaryIO, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[str]:
    """Yield decoded text block by block.

    While all bytes are ASCII, which nearly every encoding contains, the choice of an encoding waits for the first
    byte that is not.
    """
    block = stream.read(_BLOCK_BYTES)
    _refuse_binary(block, source, options)
    name = checked_name(options.encoding) if options.encoding else recognise(block) or "latin-1"
    if name == "utf-8" and block.startswith(codecs.BOM_UTF8):  # named so by the user; the mark is no text
        name = "utf-8-sig"
    decoder: _Decoder | None = None
    ascii_bytes = ascii_lines = 0
    while block:
        if decoder is None and name == "ascii" and not block.isascii() and not options.encoding:
            block += stream.read(_BLOCK_BYTES)
            name = recognise(block) or "latin-1"
        if decoder is None and not (name == "ascii" and block.isascii()):
            decoder = _Decoder(name, source.label, options.undecodable, ascii_bytes, ascii_lines)
        if decoder is None:
            ascii_bytes += len(block)
            ascii_lines += block.count(b"\n")
            yield block.decode("ascii")
        else:
            yield decoder.feed(block, ledger)
        block = stream.read(_BLOCK_BYTES)
    if decoder is not None:
        yield decoder.feed(b"", ledger)
    ledger.observe("encodings", name)


def _refuse_binary(head: bytes, source: Source, options: TextConfig) -> None:
    if options.encoding is None and recognise(head) is None:
        kind = binary_kind(head)
        raise BinaryContentError(f"{source.label}: {kind}, not text; convert it to text first or leave it out")


class _Decoder:
    """An incremental decoder that knows at which byte and line of the file it stands."""

    def __init__(self, name: str, label: str, undecodable: str, bytes_before: int, lines_before: int) -> None:
        self._name, self._label = name, label
        self._replace = undecodable == "replace"
        self._decoder = codecs.getincrementaldecoder(name)("replace" if self._replace else "strict")
        self._bytes, self._lines = bytes_before, lines_before

    def feed(self, block: bytes, ledger: Ledger) -> str:
        """Return the text of ``block``; an empty block ends the file."""
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise self._located(error, block) from error
        self._bytes += len(block)
        self._lines += text.count("\n")
        if self._replace and "\ufffd" in text:
            ledger.observe("changed characters", "undecodable, now U+FFFD", text.count("\ufffd"))
        return text

    def _located(self, error: UnicodeDecodeError, block: bytes) -> InputError:
        # What the decoder held back from the block before stands at the front of error.object.
        held_back = max(0, len(error.object) - len(block))
        mark = 3 if self._name == "utf-8-sig" and not self._bytes and block.startswith(codecs.BOM_UTF8) else 0
        byte = self._bytes - held_back + mark + error.start
        before = error.object[: error.start].decode(self._name, "ignore")
        line = self._lines + before.count("\n") + 1
        value = error.object[error.start : error.start + 1].hex()
        return InputError(
            f"{self._label}:{line}: byte {byte:,} (0x{value}) is not {self._name} ({error.reason}); "
            "tell the file's encoding by --text.encoding, or mend it, or give --text.undecodable replace"
        )
