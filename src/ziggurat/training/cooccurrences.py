"""Which words stand near which, and how often: the co-occurrence counts of a text, in memory or beyond it.

*Maths.* X_ij is the sum, over all places of word i and all places of word j within a window of it, of 1 / d where they
are d words apart (Pennington, Socher & Manning 2014, section 4.2), or of 1 where distance is not to matter. Sums are
kept in whole units, of which 1 is a common multiple of all distances: they are exact, so neither memory nor threads
change them.

Documents end windows. Unknown words are left out before distances are counted, as the reference implementation does:
the words around one become neighbours. Where the window reaches to both sides the matrix is symmetric and only its
upper half is kept.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel
from ziggurat.core.protocols import TokenStream
from ziggurat.core.types import IdArray
from ziggurat.training.cooccurrence_runs import ENTRY_BYTES, Rows, Runs
from ziggurat.training.kernels import cooccurrence as kernels
from ziggurat.training.ngram_counting import Budget
from ziggurat.training.scratch import Scratch

__all__ = ["Cooccurrences", "Window", "count_cooccurrences", "working_bytes"]

Edges: TypeAlias = npt.NDArray[np.int64]
Room: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]
"""Zeros to count a row in."""

_BASE_BYTES = 150 << 20  # of the interpreter and its libraries
_TOKEN_BYTES = 8  # the word, and where it stands
_MOST_UNITS = 720_720  # the least common multiple of 1 to 16
_TASKS = 16  # for each thread
_CHUNK = 1 << 22
_MOST_TOKENS = 1 << 30


@dataclass(frozen=True, slots=True)
class Window:
    """Who is whose neighbour."""

    size: int
    """Words on each side."""
    symmetric: bool = True
    """Both sides count; else the words before alone."""
    weighted: bool = True
    """A neighbour d words away counts 1 / d."""

    def units(self) -> tuple[int, Edges]:
        """Return how many units are 1, and (size + 1,) how many a neighbour at each distance counts.

        Up to a window of 16 they are exact; beyond, 1 / d is rounded to a 720,720th.
        """
        if not self.weighted:
            return 1, np.ones(self.size + 1, np.int64)
        unit = math.lcm(*range(1, min(self.size, 16) + 1))
        unit = unit if self.size <= 16 else _MOST_UNITS
        distances = np.maximum(np.arange(self.size + 1), 1)
        return unit, (2 * unit + distances) // (2 * distances)


@dataclass(frozen=True, slots=True)
class Cooccurrences:
    """Counts by rows, those of word i from ``edges[i]`` to ``edges[i + 1]``, by rising context."""

    contexts: IdArray
    units: Edges
    edges: Edges
    unit: int
    """How many units are 1."""
    symmetric: bool
    """The entries with j < i are those with i and j exchanged and are left out."""
    word_counts: Edges
    """(V,) occurrences of each word; 0 for special ids."""
    on_disk: bool = False

    @property
    def source(self) -> tuple[IdArray, Edges, Edges]:
        """Contexts, units and edges, as kernels take them."""
        return self.contexts, self.units, self.edges


def working_bytes(memory_bytes: int) -> int:
    """Return how much of a memory limit is there for arrays."""
    return max(memory_bytes - _BASE_BYTES, memory_bytes // 4)


def count_cooccurrences(
    stream: TokenStream, window: Window, budget: Budget, check: Callable[[], None] = lambda: None
) -> Cooccurrences:
    """Count the pairs of a text. The result depends on text and window alone.

    Args:
        stream: The text.
        window: Who is whose neighbour.
        budget: Memory, threads, and where working files go; what does not fit into memory goes to disk.
        check: Called between pieces of work; what it raises ends the counting.

    Raises:
        DiskFullError: no room for the working files.

    *Cost.* About 0.15 µs a word of one thread at a window of 10; 12 bytes for each pair of different words and 8 for
    each word of the text.
    """
    allowed = working_bytes(budget.memory_bytes)
    part = max(1 << 12, min(allowed // (2 * (_TOKEN_BYTES + ENTRY_BYTES * window.size)), _MOST_TOKENS))
    text, counts = _kept_words(stream, window.size, budget, on_disk=stream.tokens.size > part)
    counting = _Counting(window, budget.threads, counts.size, check)
    length = text.size - 2 * window.size
    if length <= part:
        contexts, units, sizes = counting.part(text)
        return Cooccurrences(contexts, units, _edges(sizes), counting.unit, window.symmetric, counts)
    with Runs(counts.size, budget.folder) as runs:
        for start in range(0, length, part):
            runs.add(counting.part(np.array(text[start : start + part + 2 * window.size])))
        contexts, units, sizes = runs.merged(counting.merge, allowed)
    return Cooccurrences(contexts, units, _edges(sizes), counting.unit, window.symmetric, counts, on_disk=True)


def _kept_words(stream: TokenStream, margin: int, budget: Budget, *, on_disk: bool) -> tuple[IdArray, Edges]:
    """Return the text's words and marks, with a margin of marks at both ends, and how often each word occurs."""
    vocabulary = stream.vocabulary
    marks = (vocabulary.bos, vocabulary.eos, -1 if vocabulary.unk is None else vocabulary.unk)
    text = Scratch(on_disk=on_disk, folder=budget.folder).empty(stream.tokens.size + 2 * margin, np.int32)
    counts = np.zeros(vocabulary.size, np.int64)
    text[:margin] = -1
    written = margin
    for start in range(0, stream.tokens.size, _CHUNK):
        written += kernels.keep_words(np.asarray(stream.tokens[start : start + _CHUNK]), marks, text[written:])
    text[written : written + margin] = -1
    kernels.tally_words(text[: written + margin], counts)
    return text[: written + margin], counts


class _Counting:
    """Counts parts of a text, on all threads."""

    def __init__(self, window: Window, threads: int, size: int, check: Callable[[], None]) -> None:
        self.window, self.threads, self.size, self.check = window, threads, size, check
        self.unit, self.weights = window.units()
        self._rooms: list[Room] = []

    def part(self, text: IdArray) -> Rows:
        """Count the pairs of a text; a window of words at both ends only looks on from outside."""
        margin, symmetric = self.window.size, self.window.symmetric
        counts = np.zeros(self.size, np.int64)
        kernels.tally_words(text[margin : text.size - margin], counts)
        edges = _edges(counts)
        places = np.empty(int(edges[-1]), np.int32)
        kernels.list_places(text, margin, edges[:-1].copy(), places)
        most = np.minimum(counts * (2 * margin if symmetric else margin), self.size)
        source = (text, places, edges)

        def count(span: tuple[int, int], room: Room, found: tuple[IdArray, Edges], sizes: Edges) -> int:
            return kernels.count_rows(source, span, self.weights, symmetric, room, found, sizes)

        return self._rows((0, self.size), most, counts, count)

    def merge(self, source: tuple[IdArray, Edges, Edges], span: tuple[int, int]) -> Rows:
        """Add up the rows of the words of ``span`` from several parts."""
        most = np.diff(source[2], axis=1).sum(axis=0)
        return self._rows(span, most, most, partial(kernels.merge_rows, source))

    def _rows(self, span: tuple[int, int], most: Edges, cost: Edges, work: Callable[..., int]) -> Rows:
        """Let ``work`` make the rows of parts of ``span`` that cost about the same, and join them.

        ``most`` is how many entries each row can have.
        """
        start, stop = span
        sizes, total = np.zeros(self.size, np.int64), np.cumsum(cost[start:stop])
        tasks = self.threads * _TASKS
        inner = start + 1 + np.searchsorted(total, np.arange(1, tasks) * (total[-1] / tasks))
        cuts = np.unique(np.concatenate([[start], np.minimum(inner, stop), [stop]])).tolist()

        def make(first: int, last: int) -> tuple[IdArray, Edges]:
            self.check()
            room = int(most[first:last].sum())
            found = np.empty(room, np.int32), np.empty(room, np.int64)  # what is never written takes no memory
            row = self._room()
            entries = work((first, last), row, found, sizes)
            self._rooms.append(row)
            return found[0][:entries].copy(), found[1][:entries].copy()

        made = in_parallel([partial(make, *edge) for edge in itertools.pairwise(cuts)], threads=self.threads)
        return np.concatenate([one for one, _ in made]), np.concatenate([two for _, two in made]), sizes[start:stop]

    def _room(self) -> Room:
        """Return zeros to count a row in; those that a task has left are zeros again."""
        try:
            return self._rooms.pop()
        except IndexError:
            return np.zeros(self.size, np.int64), np.zeros(self.size // kernels.GROUP + 1, np.uint8)


def _edges(sizes: Edges) -> Edges:
    return np.concatenate([[0], np.cumsum(sizes)])
