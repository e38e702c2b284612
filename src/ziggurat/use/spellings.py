"""Words that are spelled nearly like one that a vocabulary lacks: what was probably meant.

*Idea.* All spellings one edit away are few (some hundred for a word of ten letters) and each is looked up, so the time
does not grow with the vocabulary. Only where none is a word are the most frequent words compared one by one.
"""

import difflib
from collections.abc import Iterable, Iterator

from ziggurat.tokens.word_index import WordIndex

__all__ = ["like_spelled", "one_edit_away"]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 40
"""Characters of a word for which edits are tried; what is longer is hardly a word that was mistyped."""
COMPARED = 20_000
LIKENESS = 0.7


def like_spelled(word: str, index: WordIndex, *, first: int, most: int = 3) -> list[str]:
    """Return up to ``most`` words of ``index`` (ids from ``first`` on) that are spelled like ``word``, likeliest first.

    Words that differ in case only come first, then those one edit away, the more frequent before the rarer; for a
    Chinese word its longest parts that are words. Without any of these, the likest of the 20,000 most frequent.

    *Cost.* A millisecond where an edit hits, else some 50; whatever the size of the vocabulary.
    """
    if not 0 < len(word) <= LONGEST:
        return []
    variants = {word.lower(), word.capitalize(), word.title(), word.upper()} - {word}
    found = _known(variants, index, first)
    if len(found) < most:
        found += [other for other in _known(one_edit_away(word), index, first) if other not in found]
    if not found:
        found = _known(_parts(word), index, first, by_length=True)
    if not found:
        frequent = (index.word(number) for number in range(first, min(len(index), first + COMPARED)))
        found = difflib.get_close_matches(word, frequent, n=most, cutoff=LIKENESS)
    return found[:most]


def one_edit_away(word: str) -> Iterator[str]:
    """Return every spelling that one missing, surplus, wrong or swapped letter makes of ``word``.

    >>> [word in set(one_edit_away("king")) for word in ("kng", "kking", "ring", "knig", "queen")]
    [True, True, True, True, False]
    """
    letters = sorted({*LETTERS, *word})
    for place in range(len(word) + 1):
        head, tail = word[:place], word[place:]
        yield from (head + letter + tail for letter in letters)
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in letters)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


def _parts(word: str) -> Iterator[str]:
    """Return the parts of a word of ideographs, which are often words themselves, two characters or more."""
    if word.isascii() or not all(_is_ideograph(character) for character in word):
        return iter(())
    ends = range(len(word) + 1)
    return (word[start:end] for start in ends for end in ends if 2 <= end - start < len(word))


def _is_ideograph(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or character >= "\U00020000"


def _known(spellings: Iterable[str], index: WordIndex, first: int, *, by_length: bool = False) -> list[str]:
    """Return which spellings are words, the longest first where so told, then the most frequent."""
    ids = {word: number for word in set(spellings) if (number := index.find(word)) is not None and number >= first}
    return sorted(ids, key=lambda word: (-len(word) if by_length else 0, ids[word]))
