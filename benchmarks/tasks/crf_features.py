"""What a CRF without a network is told of each word: the features that taggers had before they learnt their own.

They are the usual ones (Ratnaparkhi 1996 for a word, its beginnings and ends, and the words around it; Collins 2002 for
its shape), and pairs of neighbours, which taggers of Chinese read where words are single characters.
"""

from collections.abc import Sequence

__all__ = ["sentence_features", "shape"]

AROUND = (-2, -1, 1, 2)
AFFIXES = (1, 2, 3, 4)


def shape(word: str) -> str:
    """Return a word with its letters as X and x, its digits as 0, and signs as they are, runs of them as one.

    >>> shape("McDonald's"), shape("B-52"), shape("王")
    ("XxXx'x", 'X-0', 'x')
    """
    marks = ["X" if sign.isupper() else "x" if sign.isalpha() else "0" if sign.isdigit() else sign for sign in word]
    return "".join(mark for place, mark in enumerate(marks) if place == 0 or mark != marks[place - 1])


def sentence_features(words: Sequence[str]) -> list[list[str]]:
    """Return the features of each word: itself, its ends, its shape, and the words, shapes and pairs around it."""
    lower, shapes = [word.lower() for word in words], [shape(word) for word in words]
    return [_features(lower, shapes, place) for place in range(len(words))]


def _features(lower: Sequence[str], shapes: Sequence[str], place: int) -> list[str]:
    word = lower[place]
    found = ["bias", f"word={word}", f"shape={shapes[place]}"]
    found += [f"begins={word[:size]}" for size in AFFIXES if len(word) > size]
    found += [f"ends={word[-size:]}" for size in AFFIXES if len(word) > size]
    for away in AROUND:
        there = place + away
        if not 0 <= there < len(lower):
            found.append(f"{away}:edge")
            continue
        found += [f"{away}:word={lower[there]}", f"{away}:shape={shapes[there]}"]
    for first in (-2, -1, 0, 1):
        if 0 <= place + first < len(lower) - 1:
            found.append(f"{first}:pair={lower[place + first]} {lower[place + first + 1]}")
    return found
