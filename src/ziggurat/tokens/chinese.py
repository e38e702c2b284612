"""Chinese words: spaces put between them, so that whoever reads words between spaces reads Chinese too.

*Idea.* Chinese writes no spaces. The package ``rjieba`` cuts runs of Han characters by a dictionary, and what the
dictionary lacks by a hidden Markov model. Its dictionary is written in simplified characters and cuts a traditional
text at 81 % of the right places; so each traditional character is looked up as its simplified one (package ``opencc``,
one for one, so places stay) and what comes back is the text as it was written: 99.9 %, by the measurement in
``docs/decisions/0014-chinese-words-and-phrases.md``.

Latin letters, digits and signs are left alone: "T恤" is cut before 恤, and English words stay whole.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import MissingExtraError

__all__ = [
    "PACKAGES",
    "aligned",
    "characters",
    "has_han",
    "installed",
    "require",
    "share",
    "spaced",
    "versions",
    "word_spans",
]

PACKAGES = ("rjieba", "opencc")
"""What cutting needs, by the name of its distribution."""

_HAN = re.compile(
    "([\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9"
    "\U00016fe2-\U00016ff1\U00020000-\U000323af]+)"
)
_LAST = 0x323AF


def installed() -> bool:
    """Return whether the packages are there."""
    return len(versions()) == len(PACKAGES)


def versions() -> dict[str, str]:
    """Return the version of each package that is there: another version may cut otherwise."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def require() -> None:
    """Do nothing where Chinese can be cut.

    Raises:
        MissingExtraError: a package is missing.
    """
    if not installed():
        raise MissingExtraError("cutting Chinese text into words (split = unicode takes its characters)", "zh")


def spaced(text: str) -> str:
    """Return ``text`` with a space between two words of Han characters that touch.

    *Cost.* About 4 million characters a second.

    Raises:
        MissingExtraError: a package is missing.
    """
    return "".join(_parts(text))


def aligned(text: str) -> tuple[str, npt.NDArray[np.int64]]:
    """Return ``spaced(text)``, and for each of its characters and its end where in ``text`` that is.

    *Shapes.* (characters + 1,); a space that was added has the place of the character behind it.
    """
    parts = _parts(text)
    parts[::2] = ["." * len(part) for part in parts[::2]]  # spaces that were there before are none of ours
    added = np.array([*("".join(parts)), "."]) == " "
    places = np.arange(len(added)) - np.cumsum(added) + added
    parts[::2] = _HAN.split(text)[::2]
    return "".join(parts), places


def has_han(text: str) -> bool:
    """Return whether there are Han characters in ``text``."""
    return not text.isascii() and _HAN.search(text) is not None


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word of Han characters begins and ends in ``text``.

    Raises:
        MissingExtraError: a package is missing.
    """
    place = 0
    for number, part in enumerate(_parts(text)):
        if number % 2:
            for word in part.split(" "):
                yield place, place + len(word)
                place += len(word)
        else:
            place += len(part)


def share(words: Iterable[tuple[str, int]]) -> float:
    """Return which part of the letters is Han, of words and how often each is there."""
    han = letters = 0
    for word, count in words:
        own = sum(map(len, _HAN.findall(word))) if not word.isascii() else 0
        han += count * own
        letters += count * max(own, sum(map(str.isalpha, word)))
    return han / max(1, letters)


def characters(word: str) -> Iterable[str]:
    """Return the characters of a word of Han; any other is one piece."""
    return word if _HAN.fullmatch(word) else (word,)


def _parts(text: str) -> list[str]:
    """Return what lies between runs of Han characters and, in every other place, the runs with their spaces."""
    parts = _HAN.split(text)
    if len(parts) > 1:
        parts[1::2] = _cut_runs(parts[1::2])
    return parts


def _cut_runs(runs: Sequence[str]) -> list[str]:
    cutter, simple = _tools()
    lines = "\n".join(runs)
    simplified = simple[np.frombuffer(lines.encode("utf-32-le"), np.uint32)].tobytes().decode("utf-32-le")
    words = cutter.cut(simplified)
    if simplified != lines:
        edges = itertools.accumulate(map(len, words), initial=0)
        words = [lines[start:stop] for start, stop in itertools.pairwise(edges)]
    return " ".join(words).split(" \n ")


@functools.cache
def _tools() -> tuple[Any, npt.NDArray[np.uint32]]:
    """Return the cutter, and for each character up to the last of Han its simplified one."""
    require()
    import opencc
    import rjieba

    simple = np.arange(_LAST + 1, dtype=np.uint32)
    letters = [chr(code) for code in range(0x3400, _LAST + 1) if _HAN.match(chr(code))]
    for letter, other in zip(letters, opencc.OpenCC("t2s").convert("\n".join(letters)).split("\n"), strict=True):
        if len(other) == 1:
            simple[ord(letter)] = ord(other)
    return rjieba.Jieba(), simple
