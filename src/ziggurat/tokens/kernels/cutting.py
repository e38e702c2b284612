"""Cuts text into words at the speed of reading: UTF-8 in, the same words with one space behind each out.

*Idea.* One pass decodes each character, looks up what class it belongs to, and learns from a table what that class does
to the word being written: it goes on, another begins, none is. What is written is read by
`ziggurat.tokens.kernels.whitespace`.

*Form.* A byte 0xFF, which no UTF-8 has, ends a document; it is written as a line's end. A control character below the
space would read as white space, so it is written as the half surrogate U+DC00 + its number, which no text has either;
U+DFFF, as a word of its own, says that a sign was left out here.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel

__all__ = ["CLASSES", "DOCUMENT_END", "FOLDS", "STATES", "Classes", "cut_words", "moves"]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Classes: TypeAlias = tuple[Bytes, npt.NDArray[np.int32], npt.NDArray[np.int32]]
"""The class of each character; what it folds to; and rows (count, characters) of what folds to more than one."""

CLASSES = ("unasked", "space", "letter", "mark", "han", "han digit", "digit", "sign", "apostrophe", "inside")
"""Letters and marks are none of Han; an apostrophe is "inside" where it stands in a word and a letter follows."""

STATES = ("none", "word", "inner", "run", "digits", "single", "left out")
"""What is being written: nothing, letters and marks, letters behind an apostrophe, Han, digits, one sign, no sign."""

DOCUMENT_END = 0xFF
FOLDS = 0x110000
"""A folded character from here up is a row of what folds to more than one character."""

_UNASKED, _LETTER, _APOSTROPHE, _INSIDE = (
    CLASSES.index(name) for name in ("unasked", "letter", "apostrophe", "inside")
)
_NONE, _WORD, _INNER, _LEFT_OUT = (STATES.index(name) for name in ("none", "word", "inner", "left out"))
_BEGINS = 16


def moves(*, han_runs: bool, signs: bool, breaks: bool) -> Bytes:
    """Return (states, classes) the state that a character of a class leads to, plus 16 where a new word begins.

    Han characters that touch are one word where ``han_runs``; signs are words where ``signs``, else they are written as
    U+DFFF where ``breaks``.
    """
    state, kind = STATES.index, CLASSES.index
    begin = dict.fromkeys(("letter", "mark"), "word") | dict.fromkeys(("han", "han digit"), "run") | {"digit": "digits"}
    begin |= dict.fromkeys(("sign", "apostrophe"), "single" if signs else "left out" if breaks else "none")
    table = np.zeros((len(STATES), len(CLASSES)), np.uint8)
    for name, new in begin.items():
        table[:, kind(name)] = state(new) | (_BEGINS if new != "none" else 0)
    table[[state("word"), state("inner")], kind("letter")] = state("word"), state("inner")
    table[state("word"), kind("mark")] = state("word")
    table[[state("word"), state("inner")], kind("inside")] = state("inner")
    table[state("digits"), [kind("digit"), kind("han digit")]] = state("digits")
    if han_runs:
        table[state("run"), [kind("han"), kind("han digit")]] = state("run")
    return table


@kernel(inline=True)
def _decoded(first: int, second: int, third: int, fourth: int) -> tuple[int, int]:
    """Return the character that begins with these bytes, and how many of them it has; a document's end is a space."""
    if first < 0x80:
        return first, 1
    if first < 0xE0:
        return (first & 0x1F) << 6 | (second & 0x3F), 2
    if first < 0xF0:
        return (first & 0x0F) << 12 | (second & 0x3F) << 6 | (third & 0x3F), 3
    if first < DOCUMENT_END:
        return (first & 0x07) << 18 | (second & 0x3F) << 12 | (third & 0x3F) << 6 | (fourth & 0x3F), 4
    return 0x20, 1


@kernel(inline=True)
def _encoded(character: int) -> tuple[int, int]:
    """Return the bytes of a character, the first of them lowest, and how many they are."""
    if 0x20 <= character < 0x80:
        return character, 1
    if character < 0x20:
        character += 0xDC00
    last = 0x80 | (character & 0x3F)
    if character < 0x800:
        return 0xC0 | (character >> 6) | last << 8, 2
    third = 0x80 | (character >> 6 & 0x3F)
    if character < 0x10000:
        return 0xE0 | (character >> 12) | third << 8 | last << 16, 3
    return 0xF0 | (character >> 18) | (0x80 | (character >> 12 & 0x3F)) << 8 | third << 16 | last << 24, 4


@kernel
def cut_words(  # noqa: C901 - in one piece, because numba counts references to arrays handed on
    text: Bytes, span: tuple[int, int], known: Classes, moves: Bytes, out: Bytes
) -> tuple[int, int, int]:
    """Write the words of ``text[span]``, documents that end inside it, to ``out``.

    ``text`` goes on for three bytes behind the span, and ``out`` has room for four bytes a byte and eight more. Returns
    where it stopped, how many bytes it wrote, and the character whose class it must be told before it can go on from
    there, or -1 where all is done.
    """
    classes, folds, longer = known
    place, stop = span
    written = state = 0
    safe_place, safe_written = place, 0  # where a word may begin, to go on from
    while place < stop:
        first = int(text[place])
        source, size = _decoded(first, int(text[place + 1]), int(text[place + 2]), int(text[place + 3]))
        if classes[source] == _UNASKED:
            return safe_place, safe_written, source
        folded = int(folds[source])
        for step in range(1 if folded < FOLDS else longer[folded - FOLDS, 0]):
            character = folded if folded < FOLDS else int(longer[folded - FOLDS, 1 + step])
            kind = classes[character]
            if kind == _UNASKED:
                return safe_place, safe_written, character
            if kind == _APOSTROPHE and _WORD <= state <= _INNER:
                at = place + size
                following, _ = _decoded(int(text[at]), int(text[at + 1]), int(text[at + 2]), int(text[at + 3]))
                if classes[following] == _UNASKED:
                    return safe_place, safe_written, following
                following = int(folds[following])
                following = following if following < FOLDS else int(longer[following - FOLDS, 1])
                if classes[following] == _UNASKED:
                    return safe_place, safe_written, following
                kind = _INSIDE if classes[following] == _LETTER else kind
            move = moves[state, kind]
            if state != _NONE and (move & _BEGINS or move == _NONE):
                out[written] = 0x20
                written += 1
            if move & _BEGINS:
                safe_place, safe_written = place, written
            state = move & (_BEGINS - 1)
            if state == _NONE:
                continue
            packed, width = _encoded(0xDFFF if state == _LEFT_OUT else character)
            out[written] = packed & 0xFF
            if width > 1:
                out[written + 1], out[written + 2], out[written + 3] = packed >> 8, packed >> 16, packed >> 24
            written += width
        place += size
        while state == _WORD and text[place] < 0x80 and classes[text[place]] == _LETTER:  # as most of English goes
            out[written] = folds[text[place]]
            written += 1
            place += 1
        if first == DOCUMENT_END:
            out[written] = 0x0A
            written += 1
            safe_place, safe_written = place, written
    return place, written, -1
