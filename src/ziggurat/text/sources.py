"""What the user named → sources: files, folders, globs, standard input, schemes."""

import codecs
import difflib
import glob
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from ziggurat.core.errors import InputError, UnknownNameError
from ziggurat.text.compression import decompressed
from ziggurat.text.decoding import open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import READERS, Reader, Record, Source

__all__ = ["read_records", "resolve"]

_OPENING_BYTES = 1 << 12


def resolve(names: Sequence[str]) -> list[Source]:
    """Return the sources behind ``names``, in order, folders and globs spread out and sorted.

    Raises:
        InputError: a path does not exist, or a glob matches nothing; the message names the nearest.
    """
    if not names:
        raise InputError("no text was named: give files, folders, globs, - or demo:en")
    found: list[Source] = []
    for name in names:
        scheme = next((s for s in _schemes() if name.startswith((f"{s}://", f"{s}:"))), None)
        if name == "-":
            found.append(Source("standard input"))
        elif scheme is not None:
            rest = name.removeprefix(f"{scheme}:").removeprefix("//")
            found.append(Source(name, name=rest, reader=_schemes()[scheme]))
        else:
            found.extend(_files(name))
    return found


def read_records(source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:
    """Yield the records of one source, by the reader that its scheme, the user or its name decides."""
    return _reader(source, options).read(source, options, ledger)


def _files(name: str) -> Iterator[Source]:
    try:
        path = Path(name).expanduser()
        path.exists()
    except (OSError, RuntimeError) as error:  # a name too long; a home of nobody
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{name[:100]}: can't be the name of a file or folder ({said})") from error
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p.relative_to(path)))
        if not inside:
            raise InputError(f"{name}: the folder holds no files")
        yield from (Source(str(p), p, explicit=False) for p in inside)
    elif path.exists():
        yield Source(name, path)
    else:
        matched = sorted(Path(p) for p in glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns too
        matched = [p for p in matched if p.is_file()]
        if not matched:
            raise InputError(f"{name}: {_missing(path)}")
        yield from (Source(str(p), p, explicit=False) for p in matched)


def _missing(path: Path) -> str:
    if glob.has_magic(str(path)):
        return "no file matches"
    neighbours = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, neighbours, n=1)
    return f"no such file or folder{f'; did you mean {path.parent / close[0]}?' if close else ''}"


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _schemes() -> dict[str, str]:
    return {READERS.get(name).scheme: name for name in READERS.names() if READERS.get(name).scheme}


def _reader(source: Source, options: TextConfig) -> Reader:
    if source.reader:
        return READERS.get(source.reader)
    if options.format != "auto":
        formats = [name for name in READERS.names() if not READERS.get(name).scheme]
        if options.format not in formats:
            raise UnknownNameError("format", options.format, formats, where="text.format")
        return READERS.get(options.format)
    readers = [READERS.get(name) for name in READERS.names()]
    named = next((reader for reader in readers if source.ending in reader.suffixes), None)
    if named is not None:
        return named
    opening = _opening(source)
    return next((reader for reader in readers if opening.startswith(reader.openings)), READERS.get("plain"))


def _opening(source: Source) -> bytes:
    """Return the first bytes of a text, decompressed, and leave them to be read; none where that can't be done."""
    try:
        if source.path is None and source.content is None:
            stream = decompressed(
                io.BytesIO(cast(io.BufferedReader, sys.stdin.buffer).peek(_OPENING_BYTES)), source.label
            )
        elif source.content is not None or (source.path and source.path.is_file()):  # a pipe could not be read again
            stream = open_source(source)
        else:
            return b""
        with stream:
            return stream.read(_OPENING_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    except (InputError, OSError, AttributeError):  # whoever reads it will say what is wrong; not every input can peek
        return b""
