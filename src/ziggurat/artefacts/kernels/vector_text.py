"""Rows of word vectors as lines of text and as records: the loops that make numbers of bytes and bytes of numbers.

*Idea of reading a number.* Its digits make an integer and a power of ten. Where the integer is below 2⁵³ and the power
at most 10²², both are exact in 64 bits and one division rounds correctly (Clinger 1990, "How to read floating point
numbers accurately", the case without error). Elsewhere the quotient is off by a few units in the last of 53 bits; as a
number of 24 bits it is right all the same unless it lies that near to the middle between two of them, and such a row
is marked to be read again by exact arithmetic.

*Idea of writing one.* Six digits, then seven to nine, until reading them gives the number back; trailing zeros go.
Fewer than six digits need no try of their own: where they suffice, the six end with zeros.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import FloatArray

__all__ = ["BAD_NUMBER", "BLANK", "OK", "TOO_MANY", "WIDTH", "read_lines", "read_records", "write_lines"]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Spans: TypeAlias = npt.NDArray[np.int64]
"""(rows, 2): where each row's word begins and ends."""

OK, BLANK, WIDTH, BAD_NUMBER, TOO_MANY = 0, 1, 2, 3, 4
"""What is wrong with a line: nothing; it is blank; too few fields; no finite number; one number more than the width."""

_NEW_LINE, _SPACE = 10, 32
_MINUS, _PLUS, _POINT, _ZERO, _NINE, _SMALL_E = 45, 43, 46, 48, 57, 101
_MOST_DIGITS = 18
_EXACT = 1 << 53
_POWER = 22
_MOST_EXPONENT = 1_000_000
_NEAR = 2.0**-49
"""More than six roundings of 2⁻⁵³ can put a quotient off."""
_LEAST_WRITTEN, _MOST_WRITTEN = 1e-12, 1e15
"""Between these, digits and power of ten are exact; others are left to the caller."""
_LONGEST_NUMBER = 32
_PLAIN_LOW, _PLAIN_HIGH = -5, 16
"""Powers of ten that are written without an exponent."""

FINE, DOUBTFUL, WRONG = 0, 1, 2

_TENS = np.array([float(10**power) for power in range(_POWER + 1)])
_WHOLE_TENS = np.array([10**power for power in range(_MOST_DIGITS + 1)], np.int64)


@kernel
def _number(text: Bytes, start: int, stop: int) -> tuple[float, int]:  # noqa: C901 - one scan
    """Return the number that ``text[start:stop]`` is, and `FINE`, `DOUBTFUL` (read it again) or `WRONG`."""
    place = start
    negative = text[place] == _MINUS
    if negative or text[place] == _PLUS:
        place += 1
    whole = digits = power = seen = 0
    dropped = point = False
    while place < stop:
        letter = int(text[place])
        if _ZERO <= letter <= _NINE:
            seen += 1
            if digits < _MOST_DIGITS:
                whole = whole * 10 + letter - _ZERO
                digits += 1 if whole else 0
                power -= 1 if point else 0
            else:
                dropped |= letter != _ZERO
                power += 0 if point else 1
        elif letter == _POINT and not point:
            point = True
        else:
            break
        place += 1
    if seen == 0:
        return 0.0, WRONG
    if place < stop:
        if text[place] | 32 != _SMALL_E or place + 1 == stop:
            return 0.0, WRONG
        place += 1
        down = text[place] == _MINUS
        if down or text[place] == _PLUS:
            place += 1
        if place == stop:
            return 0.0, WRONG
        exponent = 0
        while place < stop and _ZERO <= text[place] <= _NINE:
            exponent = min(exponent * 10 + int(text[place]) - _ZERO, _MOST_EXPONENT)
            place += 1
        if place < stop:
            return 0.0, WRONG
        power += -exponent if down else exponent
    value = np.float64(whole)
    state = FINE
    if whole and power:
        if abs(power) > 2 * _POWER:
            return 0.0, DOUBTFUL
        near = min(abs(power), _POWER)
        far = abs(power) - near
        value = value * _TENS[near] * _TENS[far] if power > 0 else value / _TENS[near] / _TENS[far]
    if dropped or whole >= _EXACT or abs(power) > _POWER:
        state = FINE if np.float32(value * (1.0 - _NEAR)) == np.float32(value * (1.0 + _NEAR)) else DOUBTFUL
    if not np.isfinite(np.float32(value)):
        return 0.0, WRONG if state == FINE else state
    return -value if negative else value, state


@kernel
def read_lines(  # noqa: C901 - one scan, in one piece
    text: Bytes, span: tuple[int, int], closed: bool, out: FloatArray, spans: Spans, doubtful: npt.NDArray[np.bool_]
) -> tuple[int, int, int, int]:
    """Read lines of a word and D numbers, numbers counted from the right, until there is no whole line or no room.

    Args:
        text: Bytes.
        span: Where to begin and to end.
        closed: Whether the last line ends where the text ends.
        out: (rows, D) room for numbers.
        spans: (rows, 2) room for the places of words.
        doubtful: (rows,) becomes True for a row with a number that must be read again.

    Returns:
        Where the first line begins that was not read, how many were, what is wrong with that line, with which field.
    """
    place, end = span
    width = out.shape[1]
    row = 0
    while place < end and row < len(out):
        stop = place
        while stop < end and text[stop] != _NEW_LINE:
            stop += 1
        if stop == end and not closed:
            break
        after = stop + 1
        while stop > place and text[stop - 1] <= _SPACE:
            stop -= 1
        if stop == place:
            return place, row, BLANK, place
        doubtful[row] = False
        last = stop
        for column in range(width - 1, -1, -1):
            first = last
            while first > place and text[first - 1] > _SPACE:
                first -= 1
            if first == last:
                return place, row, WIDTH, place
            value, state = _number(text, first, last)
            if state == WRONG:
                return place, row, WIDTH if first == place else BAD_NUMBER, first
            doubtful[row] |= state == DOUBTFUL
            out[row, column] = value
            last = first
            while last > place and text[last - 1] <= _SPACE:
                last -= 1
        begin = place
        while begin < last and text[begin] <= _SPACE:
            begin += 1
        if begin == last and text[place] > _SPACE:
            return place, row, WIDTH, place  # all fields are numbers: the word is missing, or one of the numbers
        first = last
        while first > begin and text[first - 1] > _SPACE:
            first -= 1
        if first > begin and _number(text, first, last)[1] != WRONG:
            return place, row, TOO_MANY, first
        spans[row, 0], spans[row, 1] = begin, last
        row += 1
        place = min(after, end)
    return place, row, OK, place


@kernel
def read_records(text: Bytes, span: tuple[int, int], out: npt.NDArray[np.uint8], spans: Spans) -> tuple[int, int]:
    """Read records of a word, a space, and as many bytes as ``out`` (rows, bytes) is wide; line ends before a word go.

    Returns where the first record begins that was not read, for lack of bytes or of room, and how many were.
    """
    place, end = span
    width = out.shape[1]
    row = 0
    while row < len(out):
        begin = place
        while begin < end and text[begin] == _NEW_LINE:
            begin += 1
        stop = begin
        while stop < end and text[stop] != _SPACE:
            stop += 1
        if stop + 1 + width > end:
            break
        spans[row, 0], spans[row, 1] = begin, stop
        out[row] = text[stop + 1 : stop + 1 + width]
        row += 1
        place = stop + 1 + width
    return place, row


@kernel
def _write_digits(out: Bytes, place: int, whole: int, digits: int) -> int:
    """Write ``whole`` with as many digits, zeros in front; return where they end."""
    for position in range(place + digits - 1, place - 1, -1):
        out[position] = _ZERO + whole % 10
        whole //= 10
    return place + digits


@kernel
def _write_decimal(out: Bytes, place: int, whole: int, power: int) -> int:
    """Write ``whole`` · 10 ** ``power``, whose last digit is not zero; return where it ends."""
    digits = 1
    while whole >= _WHOLE_TENS[digits]:
        digits += 1
    leading = digits - 1 + power
    exponent = 0
    if not _PLAIN_LOW <= leading < _PLAIN_HIGH:
        exponent, power = leading, 1 - digits
    if power >= 0:
        place = _write_digits(out, place, whole * _WHOLE_TENS[power], digits + power)
    else:
        unit = _WHOLE_TENS[-power]
        before = max(1, digits + power)
        place = _write_digits(out, place, whole // unit, before)
        out[place] = _POINT
        place = _write_digits(out, place + 1, whole % unit, -power)
    if exponent:
        out[place] = _SMALL_E
        out[place + 1] = _MINUS if exponent < 0 else _PLUS
        place = _write_digits(out, place + 2, abs(exponent), 2)
    return place


@kernel
def _write_number(out: Bytes, place: int, number: np.float32) -> int:
    """Write a number so that reading gives it back; return where it ends, or −1 where it is too small or too large."""
    value = np.float64(abs(number))
    if np.signbit(number):
        out[place] = _MINUS
        place += 1
    if value == 0.0:
        out[place] = _ZERO
        return place + 1
    if not _LEAST_WRITTEN <= value < _MOST_WRITTEN:
        return -1
    leading = int(np.floor(np.log10(value)))
    for digits in range(6, 11):
        power = leading + 1 - digits
        scaled = value * _TENS[-power] if power < 0 else value / _TENS[power]
        whole = int(np.rint(scaled))
        read = whole / _TENS[-power] if power < 0 else whole * _TENS[power]
        if np.float32(read) == np.float32(value):
            while whole % 10 == 0:
                whole //= 10
                power += 1
            return _write_decimal(out, place, whole, power)
    return -1


@kernel
def write_lines(
    rows: FloatArray, letters: Bytes, edges: npt.NDArray[np.int64], first: int, out: Bytes
) -> tuple[int, int]:
    """Write words and numbers as lines until all are written, ``out`` is full, or a number is odd.

    Args:
        rows: (rows, D) the numbers.
        letters: The spellings, one after another.
        edges: (rows + 1,) where each begins.
        first: The row to begin with.
        out: Room for the text.

    Returns:
        How many rows were written, and how many bytes. The next row did not fit, or has a number of a size that only
        exact arithmetic writes.
    """
    place = done = 0
    width = rows.shape[1]
    for row in range(first, len(rows)):
        begin = place
        size = edges[row + 1] - edges[row]
        if place + size + 2 + width * _LONGEST_NUMBER > out.size:
            break
        for letter in range(size):
            out[place + letter] = letters[edges[row] + letter]
        place += size
        odd = False
        for column in range(width):
            out[place] = _SPACE
            place = _write_number(out, place + 1, rows[row, column])
            if place < 0:
                odd = True
                break
        if odd:
            place = begin
            break
        out[place] = _NEW_LINE
        place += 1
        done += 1
    return done, place
