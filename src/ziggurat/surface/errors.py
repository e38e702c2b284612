"""What an error says, in the user's language.

*Idea.* Whoever raises an error writes the sentence at once, values and all, and need not know that there are languages.
Here the sentence is recognised by its own words: of the catalogue's sentences that fit, the one was meant by which most
letters are the catalogue's, and the rest are its values, which may be sentences in their turn. A sentence without an
entry stays English.
"""

import functools
import re
import string
from dataclasses import dataclass

from ziggurat.surface import language

__all__ = ["spoken"]

MANY = 4
"""Letters of a sentence's own: with fewer, as in ``{}: {}``, it only stands around another."""
FLAG = re.compile(r"--([a-z][a-z0-9-]*)(?=: )")


def spoken(message: str) -> str:
    """Return the finished ``message`` of an error in the user's language.

    >>> spoken("the disk is full; make room and run the command again")
    'the disk is full; make room and run the command again'
    >>> with language.speaking("zh"):
    ...     print(spoken("the disk is full; make room and run the command again"))
    磁盘已满；请腾出空间后重新运行该命令
    """
    if language.current() != "zh":
        return message
    try:
        return _read(message).chinese
    except RecursionError:  # hundreds of colons, which are the user's: no sentence of ours is so deep
        return message


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
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("(.*?)".join(map(re.escape, self.pieces)), re.DOTALL)

    def values(self, message: str) -> list[str] | None:
        """Return the values with which the sentence is ``message``; None where it is another."""
        found = self._pattern.fullmatch(message)
        return list(found.groups()) if found else None


class _Value(str):
    """A value, which may be a sentence of its own or, where the entry says so, a word or several joined by ``and``."""

    __slots__ = ()

    def __format__(self, kind: str) -> str:
        if kind == "list":
            return "、".join(format(_Value(one), "word") for one in self.split(" and "))
        if kind != "word" and " " not in self:
            return str(self)  # a name, even where it is spelled as a sentence of one word
        found = _read(str(self), word=kind == "word")
        if found.letters:
            return found.chinese
        return f"{self[:-2]}：" if self.endswith(": ") else str(self)  # the place that stands before a sentence


@dataclass(frozen=True)
class _Reading:
    """What a message was taken for, and how many of its letters are the catalogue's."""

    letters: int
    chinese: str


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


@functools.lru_cache(maxsize=1 << 12)
def _read(message: str, *, word: bool = False) -> _Reading:
    """Return that reading of ``message`` by which most letters are the catalogue's, those of its values among them."""
    from ziggurat.surface.chinese.errors import words

    best = _Reading(0, message)
    if word and message in words():
        best = _Reading(_letters(message), words()[message])
    for sentence in _sentences():
        values = sentence.values(message) if sentence.longest in message else None
        if values is None:
            continue
        # what is inside is shorter, and many sentences cut it alike: without the cache each colon would double the work
        inside = sum(_read(value, word=True).letters for value in values)
        if sentence.letters + inside > best.letters and (sentence.letters >= MANY or inside):
            best = _Reading(sentence.letters + inside, sentence.chinese.format(*map(_Value, values)))
    return best if best.letters else _of_an_option(message)


def _of_an_option(message: str) -> _Reading:
    """Return the reading of what the Python API says of a key, where the command line wrote its option instead."""
    flag = FLAG.match(message)
    if flag is None:
        return _Reading(0, message)
    key = flag[1].replace("-", "_")
    found = _read(key + message[flag.end() :])
    return _Reading(found.letters, found.chinese.replace(key, flag[0], 1)) if found.letters else _Reading(0, message)


def _letters(text: str) -> int:
    return sum(letter.isalnum() for letter in text)
