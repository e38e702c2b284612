"""Reads words that stand between white space, a line at a time, straight from bytes to numbers.

*Idea.* One pass over the bytes finds each word's end and packs its letters into an integer. Up to eight bytes that
integer is the word, so one comparison with the table's slot is exact; a longer word is found by a hash and its bytes
are compared. Two words never share a number.

*Names.* A ``table`` is ``(letters, edges, keys, numbers)``: ``letters`` holds the bytes of all words one after another,
word i at ``edges[i]:edges[i + 1]``; slot s of the open-addressing table holds the word ``numbers[s] - 1`` with the key
``keys[s]``, or none where ``numbers[s]`` is 0. The number of slots is a power of two.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import IdArray

__all__ = ["FIRST_WORD", "LINE_END", "UNKNOWN", "Table", "read_words"]

Edges: TypeAlias = npt.NDArray[np.int64]
Table: TypeAlias = tuple[npt.NDArray[np.uint8], Edges, Edges, IdArray]

LINE_END = 0
UNKNOWN = 1
FIRST_WORD = 2

_NEW_LINE = 10
_SPACE = 32
_SHORT = 8  # bytes of a word that is its own key
_FACTOR = 0x2545F4914F6CDD1D
_FOLDED = 1  # last byte of a longer word's key: no word ends with it


@kernel
def read_words(  # noqa: C901 - in one piece: see below
    text: npt.NDArray[np.uint8], span: tuple[int, int], table: Table, count: int, learn: bool, codes: IdArray
) -> tuple[int, int, int]:
    """Write a code for each word and line's end of ``text[span]``: `LINE_END`, `UNKNOWN`, `FIRST_WORD` + number.

    Returns where it stopped, how many codes it wrote, and how many words the table has, ``count`` of them before.
    With ``learn`` each new word is entered; it stops before one for which the table has no room: then call again with
    a larger table. ``codes`` has room for one code per byte.

    *Why in one piece.* Numba counts references to arrays handed on, even inlined: that would cost more than the search.
    """
    letters, edges, keys, numbers = table
    mask = keys.size - 1
    place, stop = span
    written = 0
    while place < stop:
        if text[place] <= _SPACE:
            if text[place] == _NEW_LINE:
                codes[written] = LINE_END
                written += 1
            place += 1
            continue
        end = place
        key = folded = 0
        while end < stop and text[end] > _SPACE:
            if end > place and (end - place) & (_SHORT - 1) == 0:
                folded = (folded ^ key) * _FACTOR
                folded ^= (folded >> 32) & 0xFFFFFFFF
                key = 0
            key = (key << 8) | text[end]
            end += 1
        size = end - place
        if size > _SHORT:
            key = (((folded ^ key) * _FACTOR) & ~0xFF) | _FOLDED
        mixed = key * _FACTOR
        slot = (mixed ^ ((mixed >> 32) & 0xFFFFFFFF)) & mask
        while numbers[slot] != 0:
            if keys[slot] == key:
                start = edges[numbers[slot] - 1]
                equal = _SHORT if size <= _SHORT else 0
                if equal or edges[numbers[slot]] - start == size:
                    while equal < size and letters[start + equal] == text[place + equal]:
                        equal += 1
                    if equal >= size:
                        break
            slot = (slot + 1) & mask
        number = numbers[slot]
        if number == 0 and learn:
            begin = edges[count]
            if 2 * (count + 1) > keys.size or count + 2 > edges.size or begin + size > letters.size:
                break
            for letter in range(size):
                letters[begin + letter] = text[place + letter]
            count += 1
            edges[count] = begin + size
            keys[slot] = key
            numbers[slot] = number = count
        codes[written] = number + FIRST_WORD - 1  # which for an absent word, number 0, is UNKNOWN
        place, written = end, written + 1
    return place, written, count
