"""Between word vectors and files that list a word and its numbers, whatever the file's form.

*What a list may hold.* Files in the wild have words twice, words without a letter, words cut in the middle of a
character (word2vec.c cuts at 100 bytes). They are left out, of a word that stands twice the first is kept, and a
warning says how many and where; numbers that are wrong or missing are errors. In the other direction a word with white
space is left out, because a list knows words by the white space between them.
"""

import gzip
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

import numpy as np

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange.formats import Foreign
from ziggurat.artefacts.interchange.vocabulary import words_tokenizer
from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.core.files import atomic_file
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.word_vectors import FAMILY, WordVectors
from ziggurat.tokens.fast import END, UNKNOWN

__all__ = ["Batch", "Listed", "VectorList", "rows_at_once"]

_LOG = logging.getLogger("ziggurat")

_BATCH_BYTES = 4_000_000
_SPECIAL = {END: 0, UNKNOWN: 1}
_GZIP_LEVEL = 6
_SHOWN = 40
_TWICE, _EMPTY, _BROKEN = "stands there a second time", "has no letter", "is not UTF-8"


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, as they stand there; good until the next batch is asked for."""

    first: int
    """Number of the first row: its line, or the how-manieth word it is, from 1."""
    words: list[bytes]
    rows: FloatArray
    """(words, D)"""
    expected: int = 0
    """Rows of the whole file, where its size bears out what its header says."""


@dataclass(frozen=True)
class Listed:
    """What a bundle gives to a list: words, and where their vectors stand."""

    words: list[bytes]
    ids: IdArray
    vectors: FloatArray

    def parts(self) -> Iterator[tuple[list[bytes], FloatArray]]:
        """Yield words and rows, some megabytes at a time."""
        step = rows_at_once(self.vectors.shape[1])
        for start in range(0, len(self.words), step):
            yield self.words[start : start + step], self.vectors[self.ids[start : start + step]]


class VectorList(ABC):
    """A foreign format that lists words and their vectors; a form says how rows are read and written.

    *Cost.* Reading holds the vectors once and some megabytes of the file; where the file's size doesn't tell how many
    there will be, half as much again while they grow.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]
    """What the format is called in messages."""

    @abstractmethod
    def opens(self, path: Path) -> bool:
        """Return whether the file's first bytes are of this format."""

    @abstractmethod
    def batches(self, path: Path) -> Iterator[Batch]:
        """Yield the rows of a file.

        Raises:
            ArtefactError, InputError: it can't be read, or is not of this format; the message says where.
        """

    @abstractmethod
    def put(self, listed: Listed, file: BinaryIO) -> None:
        """Write a whole file."""

    @abstractmethod
    def place(self, path: Path, number: int) -> str:
        """Return how a message names a row."""

    def write(self, bundle: Bundle, path: Path) -> None:
        """Write a bundle's vectors to ``path``, compressed where its name ends with ``.gz``; read back, all are equal.

        Raises:
            UsageError: the model is none of word vectors, or a vector is not finite.
            DiskFullError: the disk is full; what stood at ``path`` is as it was.
        """
        listed = _listed(bundle, self.title)
        with atomic_file(path) as partial:
            with partial.open("wb") as plain:
                if path.suffix.lower() == ".gz":
                    with gzip.GzipFile("", "wb", _GZIP_LEVEL, plain, mtime=0) as packed:
                        self.put(listed, cast(BinaryIO, packed))
                else:
                    self.put(listed, plain)
            _prove(listed, self.batches(partial), path)

    def read(self, path: Path) -> Foreign:
        """Open a file; the tokenizer of its words cuts text at white space."""
        found = _Collected()
        for batch in self.batches(path):
            found.add(batch)
        found.complain(lambda number: self.place(path, number))
        if len(found.words) == len(_SPECIAL):
            raise InputError(f"{path}: it holds no word that can be used")
        vocabulary = Vocabulary(len(found.words), bos=0, eos=0, unk=1)
        return Foreign(FAMILY.name, WordVectors(found.vectors(), vocabulary), words_tokenizer(found.words))


def rows_at_once(width: int) -> int:
    """Return how many rows of ``width`` numbers are held at once."""
    return max(1, _BATCH_BYTES // (4 * width))


@dataclass
class _LeftOut:
    """Words of one fault that were left out."""

    first: int
    word: str
    count: int = 0


@dataclass
class _Collected:
    """Words and vectors as batches bring them, behind the two special ids."""

    words: list[str] = field(default_factory=lambda: list(_SPECIAL))
    known: set[str] = field(default_factory=set)
    left_out: dict[str, _LeftOut] = field(default_factory=dict)
    grown: FloatArray = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def add(self, batch: Batch) -> None:
        """Take over what can be used of a batch."""
        self._make_room(max(len(self.words) + len(batch.words), batch.expected + len(_SPECIAL)), batch.rows.shape[1])
        count = len(self.words)
        kept = []
        for number, spelling in enumerate(batch.words):
            word = self._usable(spelling, batch.first + number)
            if word in _SPECIAL:
                self.grown[_SPECIAL[word]] = batch.rows[number]
            elif word is not None:
                kept.append(number)
                self.words.append(word)
        rows = batch.rows if len(kept) == len(batch.rows) else batch.rows[kept]
        self.grown[count : count + len(kept)] = rows

    def vectors(self) -> FloatArray:
        """Return the matrix, without spare room."""
        self.grown.resize((len(self.words), self.grown.shape[1]), refcheck=False)
        return self.grown

    def complain(self, place: Callable[[int], str]) -> None:
        """Warn once for each fault of words."""
        for fault, left in self.left_out.items():
            more = f", as are {left.count - 1:,} more" if left.count > 1 else ""
            _LOG.warning("%s: the word '%s' %s: left out%s", place(left.first), left.word[:_SHOWN], fault, more)

    def _usable(self, spelling: bytes, number: int) -> str | None:
        """Return the word that can be entered, None where it can't."""
        try:
            word, fault = spelling.decode(), ""
        except UnicodeDecodeError:
            word, fault = spelling.decode(errors="replace"), _BROKEN
        if not fault and word not in self.known:
            if word:
                self.known.add(word)
                return word
            fault = _EMPTY
        self.left_out.setdefault(fault or _TWICE, _LeftOut(number, word)).count += 1
        return None

    def _make_room(self, rows: int, width: int) -> None:
        """Let the matrix grow by half where it is full."""
        if self.grown.shape[1] != width:
            self.grown = np.zeros((rows, width), np.float32)
        elif rows > len(self.grown):
            self.grown.resize((max(rows, len(self.grown) * 3 // 2), width), refcheck=False)


def _listed(bundle: Bundle, title: str) -> Listed:
    """Return what can be listed of a bundle: words by their ids, then special ids that have a vector."""
    model = bundle.model
    if not isinstance(model, WordVectors):
        raise UsageError(
            f"{bundle.path}: a model of family '{bundle.manifest.family}'; {title} holds word vectors only"
        )
    if model.ngrams is not None:
        _LOG.warning("%s: vectors of character n-grams stay behind: %s has no place for them", bundle.path, title)
    vocabulary = model.vocabulary
    special = set(vocabulary.special)
    last = [number for number in sorted(special, reverse=True) if model.vectors[number].any()]
    words: list[bytes] = []
    ids: list[int] = []
    spaced: list[str] = []
    for number in [*(number for number in range(vocabulary.size) if number not in special), *last]:
        word = bundle.words.word(number)
        spelling = word.encode()
        if spelling and min(spelling) > ord(" "):
            words.append(spelling)
            ids.append(number)
        else:
            spaced.append(word)
    if spaced:
        more = f", as are {len(spaced) - 1:,} more" if len(spaced) > 1 else ""
        _LOG.warning("%s: the word %r has white space: left out%s", bundle.path, spaced[0][:_SHOWN], more)
    if not words:
        raise UsageError(f"{bundle.path}: it has no word that {title} can hold")
    listed = Listed(words, np.array(ids, np.int32), model.vectors)
    for part, rows in listed.parts():
        if (bad := np.flatnonzero(~np.isfinite(rows).all(axis=1))).size:
            word = part[int(bad[0])].decode()
            raise UsageError(f"{bundle.path}: the vector of '{word}' is not finite: train it again, more slowly")
    return listed


def _prove(listed: Listed, batches: Iterator[Batch], path: Path) -> None:
    """Compare what was read back with what was to be written, bit by bit."""
    done = 0
    for batch in batches:
        expected = listed.vectors[listed.ids[done : done + len(batch.words)]]
        words = listed.words[done : done + len(batch.words)]
        read = np.ascontiguousarray(batch.rows)
        if words != batch.words or not np.array_equal(expected.view(np.uint32), read.view(np.uint32)):
            raise ArtefactError(f"{path}: read back, words {done:,} to {done + len(words):,} differ: not kept")
        done += len(words)
    if done != len(listed.words):
        raise ArtefactError(f"{path}: read back, {done:,} of {len(listed.words):,} words are there: not kept")
