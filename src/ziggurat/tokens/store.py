"""Tokenized documents on disk: written once, memory-mapped by whoever trains or measures.

::

    tokens.bin     ids, 16 or 32 bits each: bos d1… bos d2… … eos (where bos ≠ eos: bos d1… eos bos d2… eos)
    starts.bin     where each document's bos stands, and the end; 64 bits each
    bytes.bin      UTF-8 bytes of each document's text; 64 bits each
    ids.txt        each document's id, one a line
    store.json     vocabulary, tokenizer fingerprint, counts, SHA-256 of each file
"""

import functools
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import ArtefactError, DamagedError, InputError, NewerVersionError
from ziggurat.core.files import atomic_folder, sha256, write_text
from ziggurat.core.protocols import Tokenizer
from ziggurat.core.types import Document, IdArray, Vocabulary
from ziggurat.core.workers import HERE, Workers
from ziggurat.tokens.loading import load_tokenizer

__all__ = ["Store", "open_store", "write_store"]

FORMAT = 1
HEADER = "store.json"
FILES = ("tokens.bin", "starts.bin", "bytes.bin", "ids.txt")
BATCH_CHARACTERS = 1 << 22
_LOG = logging.getLogger("ziggurat")


class Store:
    """A `ziggurat.core.protocols.TokenStream` on disk."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        """Map the files of ``path``; `open_store` has checked them."""
        self.path = path
        self.fingerprint: str = header["fingerprint"]
        """The tokenizer's."""
        self._vocabulary = Vocabulary(**header["vocabulary"])
        self._tokens: npt.NDArray[np.integer[Any]] = _mapped(path / "tokens.bin", np.dtype(header["dtype"]))
        self._starts: npt.NDArray[np.int64] = _mapped(path / "starts.bin", np.dtype(np.int64))
        self.document_bytes: npt.NDArray[np.int64] = _mapped(path / "bytes.bin", np.dtype(np.int64))
        """(documents,) UTF-8 bytes of each document's text."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary that the ids belong to."""
        return self._vocabulary

    @property
    def tokens(self) -> npt.NDArray[np.integer[Any]]:
        """(N,) all ids."""
        return self._tokens

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """(documents + 1,) where each document's ``bos`` stands; the last entry closes the last document."""
        return self._starts

    @property
    def ids(self) -> list[str]:
        """Each document's id."""
        return (self.path / "ids.txt").read_bytes().decode().split("\n")[:-1]

    @property
    def size_bytes(self) -> int:
        """UTF-8 bytes of all texts."""
        return int(self.document_bytes.sum())

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._starts) - 1

    def document(self, index: int) -> IdArray:
        """Return one document's ids ``[bos, t1, …, tn, eos]``."""
        shared = int(self._vocabulary.bos == self._vocabulary.eos)
        start, stop = int(self._starts[index]), int(self._starts[index + 1]) + shared
        return np.asarray(self._tokens[start:stop]).astype(np.int32)


def write_store(tokenizer: Tokenizer, documents: Iterable[Document], path: Path, *, workers: Workers = HERE) -> Store:
    """Tokenize ``documents`` into the folder ``path``, replacing a store there; memory does not grow with their number.

    Batches of documents are tasks of the ``workers``; the files have the same bytes whoever they are.

    Raises:
        DiskFullError: the disk is full; what stood at ``path`` is as it was.
        InputError: a document's text can't be tokenized; the message names the document.
    """
    vocabulary = tokenizer.vocabulary
    dtype = np.dtype(np.uint16 if vocabulary.size <= 1 << 16 else np.int32)
    with atomic_folder(path) as folder:
        digests = _write_files(tokenizer, documents, folder, dtype, workers)
        header = {
            "format": FORMAT,
            "vocabulary": asdict(vocabulary),
            "fingerprint": tokenizer.fingerprint,
            "dtype": dtype.name,
            "files": digests,
        }
        write_text(folder / HEADER, json.dumps(header, indent=1))
    return Store(path, header)


def open_store(path: Path, *, verify: bool = False) -> Store:
    """Open the store ``path``; ``verify`` hashes every file, else only sizes are compared.

    Raises:
        ArtefactError: there is no store.
        DamagedError: a file is not what the header says; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    header_path = path / HEADER
    if not header_path.is_file():
        raise ArtefactError(f"{path}: no token store ({HEADER} is missing)")
    try:
        header = json.loads(header_path.read_text(encoding="utf-8"))
        if header["format"] > FORMAT:
            raise NewerVersionError(f"{header_path}: written by a newer ziggurat; upgrade to read it")
        for name in FILES:
            file, fact = path / name, header["files"][name]
            if (
                not file.is_file()
                or file.stat().st_size != fact["bytes"]
                or (verify and sha256(file) != fact["sha256"])
            ):
                raise DamagedError(f"{file}: damaged: not what {HEADER} says; tokenize the text again")
        store = Store(path, header)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{header_path}: damaged: tokenize the text again") from error
    shared = int(store.vocabulary.bos == store.vocabulary.eos)
    edges = [] if len(store.starts) == 0 else [int(store.starts[0]), int(store.starts[-1]) + shared]
    inside = edges == [0, len(store.tokens)]
    if not inside or bool((np.diff(store.starts) < 1).any()) or len(store.document_bytes) != len(store):
        raise DamagedError(f"{path / 'starts.bin'}: damaged: documents lie outside the tokens; tokenize the text again")
    return store


class _Writer:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.size, self.hash = file, 0, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.size += len(data)
        self.hash.update(data)


def _write_files(
    tokenizer: Tokenizer, documents: Iterable[Document], folder: Path, dtype: np.dtype[Any], workers: Workers
) -> dict[str, dict[str, Any]]:
    vocabulary = tokenizer.vocabulary
    begin = np.array([vocabulary.bos], dtype=dtype).tobytes()
    end = np.array([vocabulary.eos], dtype=dtype).tobytes()
    shared = vocabulary.bos == vocabulary.eos
    end_of_each = b"" if shared else end
    with ExitStack() as stack:
        files = [stack.enter_context((folder / name).open("wb")) for name in FILES]
        tokens, starts, sizes, ids = writers = [_Writer(file) for file in files]
        encode = partial(_tokenized, _Travelling(tokenizer), dtype, begin, end_of_each)
        for encoded, lengths, text_sizes, names in workers.map(encode, _batches(documents)):
            written = tokens.size // dtype.itemsize
            starts.write((written + np.cumsum(lengths) - lengths).tobytes())
            tokens.write(encoded)
            sizes.write(text_sizes.tobytes())
            ids.write(names)
        starts.write(np.int64(tokens.size // dtype.itemsize).tobytes())
        if shared:
            tokens.write(end)
    _LOG.debug("tokenized into %s: %d bytes of ids", folder, tokens.size)
    return {
        name: {"bytes": writer.size, "sha256": writer.hash.hexdigest()}
        for name, writer in zip(FILES, writers, strict=True)
    }


class _Travelling:
    """A tokenizer that goes to other processes as its JSON, and is opened once in each."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    @functools.cached_property
    def _packed(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        return self.tokenizer.to_json(), tuple(sorted(getattr(self.tokenizer, "roles", {}).items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, self._packed


@functools.lru_cache(maxsize=1)
def _arrived(text: str, roles: tuple[tuple[str, str], ...]) -> _Travelling:
    return _Travelling(load_tokenizer(text, dict(roles)))


def _tokenized(
    travelling: _Travelling, dtype: np.dtype[Any], begin: bytes, end: bytes, batch: list[Document]
) -> tuple[bytes, npt.NDArray[np.int64], npt.NDArray[np.int64], bytes]:
    """Return a batch as the files hold it: ids, how many each document has, bytes of its text, and its id."""
    encoded = _encoded(travelling.tokenizer, batch)
    marks = (len(begin) + len(end)) // dtype.itemsize
    lengths = np.array([one.size + marks for one in encoded], np.int64)
    ids = b"".join(begin + one.astype(dtype).tobytes() + end for one in encoded)
    sizes = np.array([len(document.text.encode()) for document in batch], np.int64)
    names = (document.id.replace("\n", " ").encode(errors="backslashreplace") + b"\n" for document in batch)
    return ids, lengths, sizes, b"".join(names)


def _encoded(tokenizer: Tokenizer, batch: list[Document]) -> list[IdArray]:
    """Return each document's ids; where the tokenizer refuses a text, say whose it is."""
    try:
        return tokenizer.encode_batch([document.text for document in batch])
    except InputError:
        for document in batch:
            try:
                tokenizer.encode(document.text)
            except InputError as error:
                raise InputError(f"{document.id}: {error}") from error
        raise


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    held = 0
    for document in documents:
        batch.append(document)
        held += len(document.text)
        if held >= BATCH_CHARACTERS:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _mapped(path: Path, dtype: np.dtype[Any]) -> Any:
    """Map a file as a vector; an empty file can't be mapped and needs no map."""
    if path.stat().st_size == 0:
        return np.zeros(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")
