"""The lines of an ARPA file: written from a trie, read into numbers and words, some tens of millions of them."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import FloatArray

__all__ = ["read_lines", "write_lines"]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Numbers: TypeAlias = npt.NDArray[np.integer]

_NEW_LINE, _SPACE, _TAB, _RETURN = 10, 32, 9, 13
_MINUS, _PLUS, _POINT, _ZERO, _NINE, _BACKSLASH = 45, 43, 46, 48, 57, 92
_DECIMALS = 7
_SCALE = 10**_DECIMALS
_LOG10_E = 0.4342944819032518
_LEAST = -99.0
"""What ARPA files write for the logarithm of zero."""

OK, BAD_NUMBER, POSITIVE, BAD_FIELDS = 0, 1, 2, 3


@kernel
def _write_number(out: Bytes, place: int, value: float) -> int:
    """Write a number with up to seven decimals; return where it ends."""
    scaled = round(abs(value) * _SCALE)
    if value < 0.0 and scaled > 0:
        out[place] = _MINUS
        place += 1
    whole, part = scaled // _SCALE, scaled % _SCALE
    divisor = 1
    while whole // divisor >= 10:
        divisor *= 10
    while divisor > 0:
        out[place] = _ZERO + whole // divisor % 10
        place += 1
        divisor //= 10
    if part:
        out[place] = _POINT
        place += 1
        divisor = _SCALE // 10
        while part:
            out[place] = _ZERO + part // divisor
            part %= divisor
            divisor //= 10
            place += 1
    return place


@kernel
def write_lines(
    trie: tuple[Numbers, Numbers, FloatArray, FloatArray],
    path: npt.NDArray[np.int64],
    end: int,
    names: tuple[Bytes, npt.NDArray[np.int64]],
    marks: tuple[int, int, int],
    out: Bytes,
) -> int:
    """Write a line for each node from ``path[-1]`` to ``end``, or until ``out`` is full; return the bytes written.

    Args:
        trie: ``(words, first_child, logprobs, backoffs)``.
        path: The node to begin with, and before it those of its beginnings, shortest first; moves on.
        end: The node after the last one of this order.
        names: Letters of all names, and where each begins: the vocabulary's, then the one for ``bos`` before other
            words, then the one for ``eos`` after them.
        marks: ``(bos, eos, longest)``: the longest name in bytes.
        out: Room for the text.
    """
    words, first_child, logprobs, backoffs = trie
    letters, edges = names
    bos, eos, longest = marks
    order = path.size
    size = edges.size - 3
    place = 0
    while path[order - 1] < end and place + order * (longest + 1) + 48 <= out.size:
        node = path[order - 1]
        for level in range(order - 2, -1, -1):
            while first_child[path[level] + 1] <= path[level + 1]:
                path[level] += 1
        value = max(np.float64(logprobs[node]) * _LOG10_E, _LEAST)
        place = _write_number(out, place, min(value, 0.0))
        for level in range(order):
            name = int(words[path[level]])
            if level == 0 and order > 1 and name == bos:
                name = size
            elif name == eos and (level > 0 or order == 1):
                name = size + 1
            out[place] = _TAB if level == 0 else _SPACE
            place += 1
            for letter in range(edges[name], edges[name + 1]):
                out[place] = letters[letter]
                place += 1
        if node < backoffs.size:
            out[place] = _TAB
            value = max(np.float64(backoffs[node]) * _LOG10_E, _LEAST)
            place = _write_number(out, place + 1, value)
        out[place] = _NEW_LINE
        place += 1
        path[order - 1] += 1
    return place


@kernel(inline=True)
def _digits(text: Bytes, place: int, stop: int) -> tuple[float, int]:
    """Return the whole number that begins at ``place`` and where it ends."""
    value = 0.0
    while place < stop and _ZERO <= text[place] <= _NINE:
        value = value * 10.0 + (text[place] - _ZERO)
        place += 1
    return value, place


@kernel
def _number(text: Bytes, start: int, stop: int) -> float:
    """Return the number that ``text[start:stop]`` is, NaN where it is none; ``-inf`` is one."""
    negative = start < stop and text[start] == _MINUS
    place = start + 1 if negative or (start < stop and text[start] == _PLUS) else start
    if stop - place >= 3 and text[place] | 32 == 105 and text[place + 1] | 32 == 110 and text[place + 2] | 32 == 102:
        return -np.inf if negative else np.inf
    first = place
    value, place = _digits(text, first, stop)
    digits = place - first
    if place < stop and text[place] == _POINT:
        part, end = _digits(text, place + 1, stop)
        digits += end - place - 1
        value += part / 10.0 ** (end - place - 1)
        place = end
    if digits and place + 1 < stop and text[place] | 32 == 101:
        down = text[place + 1] == _MINUS
        begin = place + 2 if down or text[place + 1] == _PLUS else place + 1
        exponent, place = _digits(text, begin, stop)
        value = value * 10.0 ** (-exponent if down else exponent) if place > begin else np.nan
    if place < stop or digits == 0:
        return np.nan
    return -value if negative else value


@kernel
def read_lines(  # noqa: C901 - one scan, in one piece
    text: Bytes, place: int, order: int, highest: bool, numbers: tuple[FloatArray, FloatArray], names: Bytes
) -> tuple[int, int, int, int]:
    """Read lines of n-grams until a line that is blank or begins with a backslash, or until there is no more room.

    Writes natural logarithms to ``numbers`` (log-probability, back-off) and the words, one line for each n-gram with a
    space between words, to ``names``, which has room for the longest line.

    Returns:
        Where the first line begins that was not read, how many were, how many bytes of names were written, and what is
        wrong with that line: `OK`, `BAD_NUMBER`, `POSITIVE` or `BAD_FIELDS`.
    """
    logprobs, backoffs = numbers
    row = written = 0
    while place < text.size and row < logprobs.size:
        stop = place
        while stop < text.size and text[stop] != _NEW_LINE:
            stop += 1
        after = stop + 1
        while stop > place and text[stop - 1] <= _SPACE:
            stop -= 1
        start = place
        while start < stop and text[start] <= _SPACE:
            start += 1
        if start == stop or text[start] == _BACKSLASH or written + stop - start > names.size:
            break
        fields, begin = 0, start
        value = weight = 0.0
        while begin < stop:
            end = begin
            while end < stop and text[end] > _SPACE:
                end += 1
            if fields == 0:
                value = _number(text, begin, end)
            elif fields <= order:
                for letter in range(begin, end):
                    names[written] = text[letter]
                    written += 1
                names[written] = _SPACE if fields < order else _NEW_LINE
                written += 1
            elif fields == order + 1 and not highest:
                weight = _number(text, begin, end)
            fields += 1
            begin = end
            while begin < stop and text[begin] <= _SPACE:
                begin += 1
        if fields < order + 1 or fields > order + (1 if highest else 2):
            return place, row, written, BAD_FIELDS
        if np.isnan(value) or np.isnan(weight) or weight == np.inf:
            return place, row, written, BAD_NUMBER
        if value > 0.0:
            return place, row, written, POSITIVE
        logprobs[row] = value / _LOG10_E if value > _LEAST else -np.inf
        backoffs[row] = weight / _LOG10_E if weight > _LEAST else -np.inf
        row += 1
        place = after
    return place, row, written, OK
