"""Shingles of UTF-8 text as hashes, and MinHash signatures of them.

A unit is a run of letters and digits (ASCII case folded), or one character of a script that is written without
spaces. A shingle is a row of units.
"""

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel

__all__ = ["jaccard", "shingle_hashes", "signatures"]

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


@kernel
def _mix(value: np.uint64) -> np.uint64:
    """Scatter the bits of a 64-bit number (the finaliser of SplitMix64, Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@kernel
def _kind_of(text: Bytes, place: int) -> int:
    """Return what the character at ``place`` is: 0 a separator, 1 part of a word, 2 a unit of its own.

    Told by the first bytes: from U+2E80 upwards scripts are written without spaces, but for the signs in U+3000–303F
    and the full-width forms; U+2000–2E7F are signs.
    """
    byte = text[place]
    if byte < 0x80:
        letter = 65 <= byte <= 90 or 97 <= byte <= 122
        return 1 if letter or 48 <= byte <= 57 else 0
    if byte < 0xE2:
        return 1
    following = text[place + 1] if place + 1 < len(text) else 0
    if byte == 0xE2:
        return 2 if following >= 0xBA else 0
    if byte == 0xEF or (byte == 0xE3 and following == 0x80):
        return 0
    return 2


@kernel
def _unit_hashes(text: Bytes, start: int, stop: int) -> Hashes:
    """Return the hash of each unit in ``text[start:stop]`` (FNV-1a, ASCII case folded)."""
    units = np.empty(stop - start + 1, dtype=np.uint64)
    count = 0
    inside = False
    value = np.uint64(0)
    place = start
    while place < stop:
        byte = text[place]
        size = 1 if byte < 0x80 else (2 if byte < 0xE0 else (3 if byte < 0xF0 else 4))
        kind = _kind_of(text, place)
        if inside and kind != 1:
            units[count] = value
            count += 1
            inside = False
        if kind > 0:
            value = value if inside else np.uint64(0xCBF29CE484222325)
            for index in range(place, min(place + size, stop)):
                folded = text[index] + 32 if 65 <= text[index] <= 90 else text[index]
                value = (value ^ np.uint64(folded)) * np.uint64(0x100000001B3)
            inside = kind == 1
            if kind == 2:
                units[count] = value
                count += 1
        place += size
    if inside:
        units[count] = value
        count += 1
    return units[:count]


@kernel
def shingle_hashes(text: Bytes, start: int, stop: int, width: int) -> Hashes:
    """Return the hashes of all shingles of ``width`` units in ``text[start:stop]``; one of all units where fewer."""
    units = _unit_hashes(text, start, stop)
    width = max(1, min(width, len(units)))
    total = max(0, len(units) - width + 1)
    hashes = np.empty(total, dtype=np.uint64)
    for first in range(total):
        joined = np.uint64(0)
        for index in range(first, first + width):
            joined = joined * np.uint64(0x9E3779B97F4A7C15) + units[index]
        hashes[first] = _mix(joined)
    return hashes


@kernel
def signatures(
    text: Bytes, starts: Places, stops: Places, width: int, bins: int, seed: np.uint64
) -> npt.NDArray[np.uint32]:
    """Return (documents, bins) MinHash signatures by one permutation.

    *Maths.* Each hash falls into one bin, which keeps its smallest (one permutation hashing, Li, Owen & Zhang 2012);
    an empty bin takes the value of the next full one to its right, marked by the distance (densification by rotation,
    Shrivastava & Li 2014). Two documents agree in a bin with about their Jaccard similarity as probability.
    """
    empty = np.uint32(0xFFFFFFFF)
    result = np.full((len(starts), bins), empty, dtype=np.uint32)
    for document in range(len(starts)):
        row = result[document]
        for value in shingle_hashes(text, starts[document], stops[document], width):
            hashed = _mix(value ^ seed)
            place = np.int64((hashed >> np.uint64(32)) % np.uint64(bins))
            low = np.uint32(hashed & np.uint64(0xFFFFFFFE))
            row[place] = min(row[place], low)
        full = row != empty
        if full.any():
            original = row.copy()
            for slot in range(bins):
                distance = 0
                while not full[(slot + distance) % bins]:
                    distance += 1
                value = np.uint64(original[(slot + distance) % bins])
                if distance:
                    row[slot] = np.uint32(
                        _mix(value + np.uint64(distance) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFE)
                    )
    return result


@kernel
def jaccard(text: Bytes, starts: Places, stops: Places, pairs: Places, width: int) -> npt.NDArray[np.float64]:
    """Return for each row (i, j) of ``pairs`` |A ∩ B| / |A ∪ B| of the two documents' shingle sets.

    Texts without a unit, of signs alone, have nothing that could be alike: 0.
    """
    result = np.empty(len(pairs), dtype=np.float64)
    for number in range(len(pairs)):
        first = pairs[number, 0]
        second = pairs[number, 1]
        a = np.unique(shingle_hashes(text, starts[first], stops[first], width))
        b = np.unique(shingle_hashes(text, starts[second], stops[second], width))
        common, i, j = 0, 0, 0
        while i < len(a) and j < len(b):
            if a[i] == b[j]:
                common += 1
                i += 1
                j += 1
            elif a[i] < b[j]:
                i += 1
            else:
                j += 1
        union = len(a) + len(b) - common
        result[number] = common / union if union else 0.0
    return result
