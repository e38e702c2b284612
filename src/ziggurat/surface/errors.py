"""What an error or the log says, in the user's language.

*Idea.* Whoever raises an error writes the sentence at once, values and all, and need not know that there are languages.
Here the sentence is recognised by its own words: of the catalogue's sentences that fit, the one was meant by which most
letters are the catalogue's. What stands where the catalogue marks a value as ours is read in its turn; everything else
comes out letter for letter. A sentence without an entry stays English.
"""

import functools
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from ziggurat.surface import language

__all__ = ["spoken"]

LONGEST = 2000
"""Letters of a message that is read; a longer one holds a value that nobody wants searched."""
MOST_PARTS = 12
"""Parts, by ``: `` or ``; ``, of a message that is taken apart."""
FLAG = re.compile(r"--([a-z][a-z0-9-]*)(?=: )")


def spoken(message: str) -> str:
    """Return the finished ``message`` of an error or of the log in the user's language.

    >>> spoken("the disk is full; make room and run the command again")
    'the disk is full; make room and run the command again'
    >>> with language.speaking("zh"):
    ...     print(spoken("the disk is full; make room and run the command again"))
    磁盘已满；请腾出空间后重新运行该命令
    """
    if language.current() != "zh" or len(message) > LONGEST:
        return message
    return _read(message).chinese


@dataclass(frozen=True)
class _Reading:
    """What a message was taken for, and how many of its letters are the catalogue's; none where it is a value."""

    letters: int
    chinese: str


class _Value(str):
    """A value of a sentence: as it is, or by its mark a place, words of ours, or a list of these joined by ``and``."""

    __slots__ = ()

    def __format__(self, mark: str) -> str:
        if mark == "word":
            return _read(str(self), several=True).chinese
        if mark == "list":
            return "、".join(_read(one).chinese for one in self.split(" and "))
        return _named(str(self)) if mark == "place" else str(self)


@dataclass(frozen=True)
class _Sentence:
    """One entry of the catalogue: what stands between its values, and the Chinese."""

    pieces: tuple[str, ...]
    chinese: str

    @functools.cached_property
    def letters(self) -> int:
        """How many letters are its own."""
        return sum(map(_letters, self.pieces))

    @functools.cached_property
    def longest(self) -> str:
        """The piece that most messages lack."""
        return max(self.pieces, key=len)

    @functools.cached_property
    def _ours(self) -> tuple[int, ...]:
        """Which values are words of ours."""
        return tuple(
            int(name) for _, name, mark, _ in string.Formatter().parse(self.chinese) if name and mark == "word"
        )

    @functools.cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """The first values as short as they can be, and as long: a quoted name may hold the sign that ends it."""
        escaped = [re.escape(piece) for piece in self.pieces]
        return re.compile("(.*?)".join(escaped), re.DOTALL), re.compile("(.*)".join(escaped), re.DOTALL)

    def reading(self, message: str) -> _Reading | None:
        """Return what ``message`` says if it is this sentence, by the values of which most is ours."""
        best = None
        for pattern in self._patterns if len(self.pieces) > 2 else self._patterns[:1]:
            found = pattern.fullmatch(message)
            if found is None:
                return None
            values = found.groups()
            letters = self.letters + sum(_read(values[place], several=True).letters for place in self._ours)
            if best is None or letters > best.letters:
                best = _Reading(letters, self.chinese.format(*map(_Value, values)))
        return best


@functools.cache
def _sentences() -> tuple[_Sentence, ...]:
    from ziggurat.surface.chinese.errors import messages

    found = []
    for english, chinese in messages().items():
        pieces = [""]
        for literal, name, _, _ in string.Formatter().parse(english):
            pieces[-1] += literal
            if name is not None:
                pieces.append("")
        found.append(_Sentence(tuple(pieces), chinese))
    return tuple(found)


@functools.lru_cache(maxsize=1 << 10)
def _read(message: str, *, several: bool = False) -> _Reading:
    """Return that reading of ``message`` by which most letters are the catalogue's, those of its values among them.

    Where it may be ``several`` sentences, as a value may, they are parted by ``; ``.
    """
    from ziggurat.surface.chinese.errors import words

    if message in words():
        return _Reading(_letters(message), words()[message])
    whole = (sentence.reading(message) for sentence in _sentences() if sentence.longest in message)
    parted = (*(_list(message) if several else ()), _placed(message), _of_an_option(message))
    known = [reading for reading in (*whole, *parted) if reading is not None]
    return max(known, key=lambda reading: reading.letters, default=_Reading(0, message))


def _placed(message: str) -> _Reading | None:
    """Return the reading of ``place: sentence``."""
    parts = message.split(": ", MOST_PARTS)
    if message.startswith("; "):
        return None  # that a sentence goes on is no place
    for count in range(len(parts) - 1, 0, -1):  # a place may hold the sign: the shortest sentence is the most certain
        found = _read(": ".join(parts[count:]))
        if found.letters:
            return _Reading(found.letters, f"{_named(': '.join(parts[:count]))}：{found.chinese}")
    return None


def _list(message: str) -> Iterator[_Reading]:
    """Yield the reading of ``sentence; sentence``."""
    parts = message.split("; ", MOST_PARTS)
    if len(parts) > 1:
        first, rest = _read(parts[0]), _read("; ".join(parts[1:]), several=True)
        if first.letters and rest.letters:
            yield _Reading(first.letters + rest.letters, f"{first.chinese}；{rest.chinese}")


def _of_an_option(message: str) -> _Reading | None:
    """Return the reading of what the Python API says of a key, where the command line wrote its option instead."""
    flag = FLAG.match(message)
    if flag is None:
        return None
    key = flag[1].replace("-", "_")
    found = _read(key + message[flag.end() :])
    return _Reading(found.letters, found.chinese.replace(key, flag[0], 1)) if found.letters else None


def _named(place: str) -> str:
    """Return a place, which may be one that has no name but ours, with its line, and what parts it from a sentence."""
    from ziggurat.surface.chinese.errors import places

    bare = place.removesuffix(": ")
    name, colon, line = bare.rpartition(":")
    said = places().get(bare) or (places().get(name, name) + colon + line)
    return said if bare == place else f"{said}："


def _letters(text: str) -> int:
    return sum(letter.isalnum() for letter in text)
