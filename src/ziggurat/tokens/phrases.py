"""Phrases: words that stand together far more often than by chance become one word, as ``new_york``.

*Idea.* Two neighbours are joined when they are seen together much oftener than their own frequencies explain; a second
pass over the joined text finds phrases of up to four words, and so on (Mikolov et al. 2013b, section 4).

*Maths.* score(a, b) = N · (count(ab) − δ) / (count(a) · count(b)), and a pair whose score is above the threshold is a
phrase (Mikolov et al. 2013b, eq. 6). δ, the discount, keeps pairs of rare words out; N is the number of words of the
pass. Joining goes from left to right, and a word is part of one phrase only.

*Departs.* Equation 6 has no N; the program published with it multiplies by N, which makes the score a ratio to chance
that means the same for a text of any length. So does this; the usual threshold of 100 is that program's.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel, thread_count
from ziggurat.core.types import IdArray

__all__ = ["JOINT", "Joiner", "Made", "Pass", "PhraseRules", "count_words", "find_phrases", "join_few"]

Counts: TypeAlias = npt.NDArray[np.int64]
Pass: TypeAlias = list[tuple[str, str]]
"""The pairs that one pass joins."""

Made: TypeAlias = tuple[int, list[Any]]
"""The number of a word, and the parts that it is made of."""

JOINT = "_"
MOST_SLOTS = 1 << 24
"""Pairs that are counted at once, over all threads: 268 MB."""

_HASHES = 1 << 63
_CHUNK = 1 << 22


@dataclass(frozen=True)
class PhraseRules:
    """What makes a phrase."""

    passes: int
    threshold: float
    discount: int


class Joiner:
    """Joins the pairs of one pass in streams of word numbers."""

    def __init__(self, pairs: Sequence[tuple[int, int]], joined: Sequence[int], words: int) -> None:
        """Make one word ``joined[i]`` of the two of ``pairs[i]``; all numbers are below ``words``."""
        from ziggurat.tokens.kernels.phrases import enter_pairs

        both = np.array(pairs, np.int64).reshape(-1, 2)
        self._begins = np.zeros(words, np.bool_)
        self._begins[both[:, 0]] = True
        slots = 1 << max(4, int(2 * len(both)).bit_length())
        self._keys, self._values = np.zeros(slots, np.int64), np.zeros(slots, np.int32)
        enter_pairs(both[:, 0] << 32 | both[:, 1], np.array(joined, np.int32), self._keys, self._values)

    def join(self, stream: IdArray) -> IdArray:
        """Return the beginning of ``stream``, which now holds it with its pairs joined."""
        from ziggurat.tokens.kernels.phrases import join_pairs

        return stream[: join_pairs(stream, self._begins, self._keys, self._values, stream)]


def join_few(words: Sequence[Made], pairs: dict[tuple[int, int], int]) -> list[Made]:
    """Return ``words``, each a number and what it is made of, with ``pairs`` as one word each, like `Joiner.join`."""
    found: list[Made] = []
    place = 0
    while place < len(words):
        number, parts = words[place]
        together = pairs.get((number, words[place + 1][0])) if place + 1 < len(words) else None
        if together is not None:
            place += 1
            number, parts = together, [*parts, *words[place][1]]
        found.append((number, parts))
        place += 1
    return found


def find_phrases(
    stream: IdArray, names: list[str], may: Sequence[bool], rules: PhraseRules
) -> tuple[list[Pass], IdArray]:
    """Return the pairs of each pass, best first, and the stream with all of them joined (in place).

    Args:
        stream: Word numbers from 1 up; 0 parts what stands before from what stands behind.
        names: What each number stands for; those of the phrases are added.
        may: Whether a word of that number may be part of a phrase.
        rules: What makes a phrase.

    *Cost.* Seconds per hundred million words and pass. Memory does not grow with the text beyond its words: where the
    pairs are too many to be counted at once, the stream is read again for the rest.
    """
    allowed = np.array(may, np.bool_)
    numbers = {name: number for number, name in enumerate(names)}
    passes: list[Pass] = []
    for _ in range(rules.passes):
        counts = count_words(stream, len(names))
        found = _best_pairs(stream, counts, allowed, names, rules)
        if not found:
            break
        joined = []
        for first, second in found:
            name = f"{names[first]}{JOINT}{names[second]}"
            number = numbers.setdefault(name, len(names))
            if number == len(names):
                names.append(name)
            joined.append(number)
        allowed = np.append(allowed, np.ones(len(names) - len(allowed), np.bool_))
        passes.append([(names[first], names[second]) for first, second in found])
        stream = Joiner(found, joined, len(names)).join(stream)
    return passes, stream


def count_words(stream: IdArray, size: int) -> Counts:
    """Return (size,) how often each number stands in the stream; what parts is not counted."""
    counts = np.zeros(size, np.int64)
    for start in range(0, stream.size, _CHUNK):
        counts += np.bincount(stream[start : start + _CHUNK], minlength=size)
    counts[0] = 0
    return counts


def _best_pairs(
    stream: IdArray, counts: Counts, allowed: npt.NDArray[np.bool_], names: Sequence[str], rules: PhraseRules
) -> list[tuple[int, int]]:
    """Return the pairs whose score is above the threshold, by falling score and then by spelling."""
    total = float(counts.sum())
    # count(ab) is at most the smaller count, so the score is below N over the larger: too frequent words are in none
    eligible = allowed & (counts > rules.discount) & (counts * rules.threshold < total)
    pairs, together = _counted(stream, eligible, counts, rules.discount)
    first, second = pairs >> 32, pairs & 0xFFFFFFFF
    scores = (together - rules.discount) * total / (counts[first] * counts[second].astype(np.float64))
    good = np.flatnonzero(scores > rules.threshold)
    found = zip(scores[good].tolist(), first[good].tolist(), second[good].tolist(), strict=True)
    return [(a, b) for _, a, b in sorted(found, key=lambda one: (-one[0], names[one[1]], names[one[2]]))]


def _counted(stream: IdArray, eligible: npt.NDArray[np.bool_], counts: Counts, discount: int) -> tuple[Counts, Counts]:
    """Return the pairs of eligible words seen more than ``discount`` times, and how often."""
    threads = thread_count()
    most = max(1 << 10, 2 * int(counts[eligible].sum()))
    slots = 1 << (min(most, MOST_SLOTS) // threads).bit_length() - 1
    edges = [_HASHES // threads * part for part in range(threads)] + [_HASHES - 1]
    tasks = [
        functools.partial(_counted_between, stream, eligible, (low, high), slots, discount)
        for low, high in itertools.pairwise(edges)
    ]
    parts = [part for found in in_parallel(tasks, threads=threads) for part in found]
    pairs, together = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    return pairs, together


def _counted_between(
    stream: IdArray, eligible: npt.NDArray[np.bool_], span: tuple[int, int], slots: int, discount: int
) -> list[tuple[Counts, Counts]]:
    from ziggurat.tokens.kernels.phrases import count_pairs

    keys, counts = np.zeros(slots, np.int64), np.zeros(slots, np.int64)
    low, high = span
    found = []
    while low < high:
        stopped = count_pairs(stream, eligible, (low, high), keys, counts)
        often = np.flatnonzero((keys != 0) & (counts > discount))
        found.append((keys[often], counts[often]))
        low = stopped
    return found
