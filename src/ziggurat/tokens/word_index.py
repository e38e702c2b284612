"""Words ⇄ ids on disk, opened in milliseconds: what word vectors need of a tokenizer, without parsing one.

*Idea.* One file holds the spellings one after another, where each begins, and a table of open addressing that finds a
word by its hash. It is mapped into memory, so opening a million words reads 40 bytes, a look-up touches a few pages,
and several processes share one copy. After a hash has hit, spellings are compared: no word is ever mistaken for
another.

*Layout*, little-endian throughout::

    8 bytes  "ZIGWORD1"
    4 × u64  N words · S home slots, a power of two · P places of the table, P > S − 1 · L bytes of spellings
    u64      N + 1 edges: word i is bytes edges[i] to edges[i + 1] of the spellings
    2 × u32  P places: hash, id + 1; or 0, 0 where the place is empty
    L bytes  spellings in UTF-8

A word with the hash h (CRC-32 of its bytes) stands at its home, the highest log2 S bits of h · 0x9E3779B1 modulo 2³²,
or at a later place with none empty between; places behind the homes take what the last homes have no room for, and
the last place is always empty. Nothing in the header is believed before it has been compared with the file's length.
"""

import itertools
import mmap
import operator
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import ArtefactError, DamagedError, InputError
from ziggurat.core.files import atomic_file
from ziggurat.core.types import IdArray

__all__ = ["WordIndex", "open_index", "write_index"]

Edges: TypeAlias = npt.NDArray[np.uint64]
Table: TypeAlias = npt.NDArray[np.uint32]
"""(P, 2): hash, id + 1."""

_MAGIC = b"ZIGWORD1"
_HEADER = struct.Struct("<8s4Q")
_FACTOR = 0x9E3779B1  # 2³² divided by the golden ratio: neighbouring hashes land far apart (Knuth, TAOCP 3, 6.4)
_HASH_BITS = 32
_MOST_WORDS = (1 << 31) - 1  # ids are 32-bit


class WordIndex:
    """Which id each word has, and which word each id is.

    *Cost.* A look-up takes one to two microseconds.
    """

    def __init__(self, edges: Edges, table: Table, slots: int, letters: memoryview, *, where: str = "") -> None:
        """Look words up in the arrays of an index file; ``where`` names it in errors."""
        self._edges, self._table, self._letters, self._where = edges, table, letters, where
        self._hashes, self._numbers = table[:, 0], table[:, 1]
        self._shift = _HASH_BITS - (slots.bit_length() - 1)
        self._count = edges.size - 1

    @classmethod
    def of(cls, words: Iterable[str]) -> "WordIndex":
        """Return an index of ``words`` in memory: the first has the id 0.

        Raises:
            InputError: a word is listed twice, or can't be written as UTF-8; the message says which.
        """
        edges, table, slots, letters = _arrays(words)
        return cls(edges, table, slots, memoryview(letters))

    def __len__(self) -> int:
        """Return how many words there are."""
        return self._count

    def __contains__(self, word: object) -> bool:
        """Return whether ``word`` has an id."""
        return isinstance(word, str) and self.find(word) is not None

    def find(self, word: str) -> int | None:
        """Return the id of ``word``, None where it has none.

        Raises:
            DamagedError: the file's table contradicts itself.
        """
        spelling = word.encode("utf-8", "surrogatepass")  # what no file holds is merely not found
        wanted = zlib.crc32(spelling)
        hash_at, number_at = self._hashes.item, self._numbers.item
        for place in range(((wanted * _FACTOR) & 0xFFFFFFFF) >> self._shift, self._numbers.size):
            number = number_at(place)
            if not number:
                return None
            if hash_at(place) == wanted and self._spelling(number - 1) == spelling:
                return int(number) - 1
        raise self._damaged("its table has no end")

    def find_all(self, words: Iterable[str]) -> IdArray:
        """Return the ids of many words, −1 for one that has none."""
        found = [self.find(word) for word in words]
        return np.array([-1 if number is None else number for number in found], np.int32)

    def word(self, number: int) -> str:
        """Return the word whose id is ``number``.

        Raises:
            IndexError: there is no such id.
            DamagedError: the file's spellings contradict its header.
        """
        number = operator.index(number)
        if not 0 <= number < self._count:
            raise IndexError(f"no id {number} in an index of {self._count} words")
        return self._decoded(self._spelling(number))

    def words(self) -> Sequence[str]:
        """Return all words by id; each is read when it is asked for."""
        return _Words(self)

    def check(self) -> None:
        """Compare all parts of the file with each other: every word is found under its own id.

        *Cost.* About two seconds for a million words; opening does not do it.

        Raises:
            DamagedError: a part contradicts another.
        """
        edges = self._edges
        if edges[0] != 0 or edges[-1] != self._letters.nbytes or (edges[:-1] > edges[1:]).any():
            raise self._damaged("its spellings do not lie one after another")
        empty = self._numbers == 0
        if empty.size - np.count_nonzero(empty) != self._count or self._hashes[empty].any():
            raise self._damaged(f"its table does not hold {self._count} words")
        for number, word in enumerate(self.words()):
            if self.find(word) != number:
                raise self._damaged(f"id {number} is not found under its spelling")

    def _spelling(self, number: int) -> bytes:
        if number >= self._count:
            raise self._damaged(f"its table names the id {number} of {self._count}")
        start, stop = self._edges.item(number), self._edges.item(number + 1)
        if not start <= stop <= self._letters.nbytes:
            raise self._damaged(f"the spelling of id {number} lies outside the file")
        return bytes(self._letters[start:stop])

    def _decoded(self, spelling: bytes) -> str:
        try:
            return spelling.decode()
        except UnicodeDecodeError:
            raise self._damaged("a spelling is not UTF-8") from None

    def _damaged(self, what: str) -> DamagedError:
        return DamagedError(f"{self._where or 'word index'}: damaged: {what}")


class _Words(Sequence[str]):
    """The words of an index as a sequence."""

    def __init__(self, index: WordIndex) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self._index.word(number) for number in range(*place.indices(len(self)))]
        number = operator.index(place)
        return self._index.word(number + len(self) if number < 0 else number)

    def __iter__(self) -> Iterator[str]:
        return map(self._index.word, range(len(self)))

    def __contains__(self, word: object) -> bool:
        return word in self._index


def write_index(path: Path, words: Iterable[str]) -> None:
    """Write the index of ``words`` to ``path``, in one piece: the first has the id 0.

    *Cost.* About a second for a million words; the file takes some 33 bytes a word.

    Raises:
        InputError: a word is listed twice, or can't be written as UTF-8; the message says which.
        DiskFullError: the disk is full; what stood at ``path`` is as it was.
    """
    edges, table, slots, letters = _arrays(words)
    with atomic_file(path) as partial, partial.open("wb") as file:
        file.write(_HEADER.pack(_MAGIC, edges.size - 1, slots, len(table), len(letters)))
        file.write(edges.data)
        file.write(table.data)
        file.write(letters)


def open_index(path: Path) -> WordIndex:
    """Open the index file ``path``, mapped into memory.

    *Cost.* Under a millisecond, whatever its size.

    Raises:
        ArtefactError: the file can't be read.
        DamagedError: it is no index, or its header does not fit its length.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
            size = file.seek(0, 2)
            if len(head) < _HEADER.size or not head.startswith(_MAGIC):
                raise DamagedError(f"{path}: damaged: not an index of words")
            _, count, slots, places, length = _HEADER.unpack(head)
            sound = count <= _MOST_WORDS and slots <= 1 << _HASH_BITS and slots & (slots - 1) == 0 < slots <= places
            announced = _HEADER.size + 8 * (count + 1) + 8 * places + length
            if not sound or announced != size:
                raise DamagedError(f"{path}: damaged: its header describes {announced} bytes, the file has {size}")
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error
    edges: Edges = np.frombuffer(content, "<u8", count + 1, _HEADER.size)
    begin = _HEADER.size + edges.nbytes
    table: Table = np.frombuffer(content, "<u4", 2 * places, begin).reshape(places, 2)
    return WordIndex(edges, table, slots, content[begin + table.nbytes :], where=str(path))


def _arrays(words: Iterable[str]) -> tuple[Edges, Table, int, bytes]:
    """Return edges, table, number of home slots, and spellings."""
    spellings = [_encoded(number, word) for number, word in enumerate(words)]
    count = len(spellings)
    if count > _MOST_WORDS:
        raise InputError(f"{count:,} words; an index holds {_MOST_WORDS:,}")
    lengths = np.fromiter(map(len, spellings), np.uint64, count)
    hashes = np.fromiter(map(zlib.crc32, spellings), np.uint32, count)
    edges = np.concatenate([np.zeros(1, np.uint64), np.cumsum(lengths, dtype=np.uint64)]).astype("<u8")
    slots = 2
    while slots < 2 * count:
        slots *= 2
    homes = (hashes * np.uint32(_FACTOR)) >> np.uint32(_HASH_BITS - (slots.bit_length() - 1))
    order = np.lexsort((np.arange(count), hashes, homes))
    _refuse_twins(spellings, hashes, order)
    # in the order of their homes, each word takes its home or the place after its predecessor's
    steps = np.arange(count, dtype=np.int64)
    places = np.maximum.accumulate(homes[order].astype(np.int64) - steps) + steps
    table = np.zeros((max(slots, int(places[-1]) + 1 if count else 0) + 1, 2), "<u4")
    table[places, 0] = hashes[order]
    table[places, 1] = order + 1
    return edges, table, slots, b"".join(spellings)


def _encoded(number: int, word: str) -> bytes:
    try:
        return word.encode()
    except UnicodeEncodeError:
        raise InputError(f"word {number} of the index, {word!a}, has half of a character") from None


def _refuse_twins(spellings: Sequence[bytes], hashes: npt.NDArray[np.uint32], order: npt.NDArray[np.int64]) -> None:
    """Raise where a spelling stands twice: only words of one hash, which stand side by side in ``order``, can."""
    ordered = hashes[order]
    if not order.size:
        return
    groups = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    sizes = np.diff(groups)
    for start, size in zip(itertools.compress(groups, sizes > 1), sizes[sizes > 1], strict=True):
        first: dict[bytes, int] = {}
        for number in order[int(start) : int(start) + int(size)].tolist():
            if (other := first.setdefault(spellings[number], number)) != number:
                word = spellings[number].decode()
                raise InputError(f"words {other} and {number} of the index are both '{word}'")
