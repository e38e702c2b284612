"""What the n-gram counts take that a network stands on: made before the first step, held beside it.

*Idea.* `ziggurat.training.counted` counts the whole text, and for each of F folds what is left without it, in every
process. It does so on the processor, in its memory: where that is what is planned, both are in the plan; of the
processor beside another device nothing is known but how much it has to hold.

*Maths.* T tokens are counted once and F times all but one part of F: T + F·(1 − 1/F)·T = F·T tokens, of each order.
How many different n-grams a text has grows as a power of its length (Heaps 1978, of words). The power falls slowly as
the text grows, so one that a sample tells promises a few too many.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.study.planning.hardware import Hardware
from ziggurat.study.planning.work import Work

__all__ = ["Counts", "Growth", "counts_of", "growth_of"]


@dataclass(frozen=True)
class Growth:
    """How many different n-grams there are in a sample of a text, and in its first half."""

    tokens: int
    """Of the sample."""
    half: tuple[int, ...]
    """N-grams of 2, 3 … words in its first half."""
    whole: tuple[int, ...]
    """And in all of it."""

    def ngrams(self, words: int, tokens: float) -> float:
        """Return how many n-grams of ``words`` a text of ``tokens`` has, if it goes on as the sample does.

        *Maths.* n·(T/S)^β with n in the sample of S tokens and β = log₂(n / n of the half).
        """
        half, whole = self.half[words - 2], self.whole[words - 2]
        return whole * math.pow(tokens / self.tokens, math.log2(whole / half))


def growth_of(ids: Sequence[int], order: int) -> Growth | None:
    """Return how n-grams of up to ``order`` words grow in a sample; None where it is too short to tell."""
    if order < 2 or len(ids) < 4 * order:
        return None
    half = _different(np.asarray(ids[: len(ids) // 2]), order)
    return Growth(len(ids), half, _different(np.asarray(ids), order))


def _different(ids: npt.NDArray[np.integer[Any]], order: int) -> tuple[int, ...]:
    """Return how many n-grams of 2, 3 … words differ, each told by the number of its beginning and its last word."""
    found, numbers, size = [], ids.astype(np.int64), int(ids.max()) + 1
    for words in range(2, order + 1):
        one, numbers = np.unique(numbers[:-1] * size + ids[words - 1 :], return_inverse=True)
        found.append(len(one))
    return tuple(found)


@dataclass(frozen=True)
class Counts:
    """What making and holding counts takes in one process."""

    bytes: float | None
    """Of all of them; None where it is not known how large the text is."""
    at_most: bool
    """Whether these are the most that there can be, since only the size of the text is known."""
    seconds: float | None
    """Of making them; None where that is not known, or how fast the processor is."""
    read_bytes: int
    """That are read from them in a step."""
    here: bool
    """Whether the processor that makes and holds them is what is planned."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of them is in no sum of a plan."""
        beside = not self.here
        out = {"bytes": self.bytes is None, "seconds": self.seconds is None, "reading": beside, "sending": beside}
        return tuple(name for name in out if out[name])

    @property
    def beside_bytes(self) -> float:
        """Bytes of the memory that is planned."""
        return (self.bytes or 0.0) if self.here else 0.0


def counts_of(
    work: Work, hardware: Hardware, corpus_tokens: float | None, growth: Growth | None = None
) -> Counts | None:
    """Return what the counts of a text of ``corpus_tokens`` take; None where the model stands on none."""
    counted, machine, folds = work.anatomy.counted, hardware.machine, work.folds
    if counted is None:
        return None
    read = work.accumulate * work.told_bytes
    if corpus_tokens is None:
        return Counts(None, True, None, read, machine is not None)
    ngrams = None if growth is None else growth.ngrams
    held = counted.bytes_of(corpus_tokens, ngrams=ngrams)
    held += folds * counted.bytes_of(corpus_tokens * (1 - 1 / folds), ngrams=ngrams) if folds else 0.0
    seconds = None if machine is None else max(1, folds) * corpus_tokens * counted.order * machine.counting
    return Counts(held, growth is None, seconds, read, machine is not None)
