"""Word lattices: all that a recogniser still thought possible at its end, and the best sentences among it.

*Idea.* One sentence runs through a lattice in hundreds of ways, with a silence here or a word a frame longer there.
What is searched are sentences and not ways, so those that share their words so far are followed together, as the set
of nodes that they may be at: each sentence then comes out once, with the score of its best way.

*Maths.* A* with the exact rest: of a set of nodes with the best score so far, α, and the best score from each on to
the end, β, the priority is max (α + β). So sentences come in the order of their scores. Source: Mohri & Riley 2002,
"An efficient algorithm for the n-best-strings problem" (determinisation as far as the search needs it).
"""

import heapq
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from pathlib import Path

from ziggurat.core.errors import InputError

__all__ = ["Edge", "Lattice", "Sentence", "read_lattice"]

_VARIANT = re.compile(r"\(\d+\)$")
_NOT_WORDS = ("<", "[", "+")
_HEADER = re.compile(r"# -logbase\s+(\S+)")

Front = dict[int, float]
"""Nodes where a sentence may be, with the best score of the way to each."""


@dataclass(frozen=True, slots=True)
class Edge:
    """From the beginning of one node's word to that of the next."""

    start: int
    end: int
    acoustic: float
    """Nats: how well the start's word fits the sound up to where the end's begins."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words of a way through a lattice, with the score of the best such way."""

    words: tuple[str, ...]
    acoustic: float
    """Nats, without any bonus."""


@dataclass(frozen=True)
class Lattice:
    """Nodes by number, and the edges between them.

    Raises:
        InputError: an edge leads to a node that there is not, or back to where it came from.
    """

    words: tuple[str, ...]
    """Each node's word; empty for silences, noises and the ends."""
    edges: tuple[Edge, ...]
    first: int
    last: int

    def __post_init__(self) -> None:
        """Check that all edges lead somewhere, and forward."""
        for number in (self.first, self.last, *(n for edge in self.edges for n in (edge.start, edge.end))):
            if not 0 <= number < len(self.words):
                raise InputError(f"lattice: there is no node {number}; nodes are 0 to {len(self.words) - 1}")
        if len(self._rank) < len(self.words):
            raise InputError("lattice: it leads in a circle; each edge goes from an earlier word to a later one")

    def sentences(self, most: int, *, word_bonus: float = 0.0) -> list[Sentence]:
        """Return the ``most`` best sentences by acoustic score and a bonus for each word; fewer where there are fewer.

        *Cost.* The search follows little else than what it returns; a second for a thousand sentences of twenty words.
        """
        return list(islice(self._in_order(word_bonus), most))

    def acoustic_of(self, words: Sequence[str]) -> float | None:
        """Return the acoustic score of the best way that says ``words``; None where no way does."""
        front = self._closed({self.first: 0.0})
        for word in words:
            front = self._closed(self._continued(front).get(word, {}))
        return front.get(self.last)

    def in_order(self) -> Iterator[int]:
        """Yield the nodes so that each comes after all from which edges lead to it."""
        return iter(self._rank)

    def out(self, node: int) -> Sequence[Edge]:
        """Return the edges that begin at a node."""
        return self._out[node]

    def _in_order(self, word_bonus: float) -> Iterator[Sentence]:
        best = self._rest(word_bonus)
        number = count()  # of two that are equal, the one that was found first
        start = self._closed({self.first: 0.0})
        waiting: list[tuple[float, int, tuple[str, ...], Front | None]] = [(0.0, next(number), (), start)]
        while waiting:
            worth, _, words, front = heapq.heappop(waiting)
            if front is None:
                yield Sentence(words, -worth - word_bonus * len(words))
                continue
            gained = word_bonus * len(words)
            if self.last in front:
                heapq.heappush(waiting, (-front[self.last] - gained, next(number), words, None))
            for word, reached in self._continued(front).items():
                closed = self._closed(reached)
                hope = max(score + best[node] for node, score in closed.items()) + gained + word_bonus
                if hope > -math.inf:
                    heapq.heappush(waiting, (-hope, next(number), (*words, word), closed))

    def _continued(self, front: Front) -> dict[str, Front]:
        """Return, by the word that follows, the nodes that bear it."""
        found: dict[str, Front] = {}
        for node, score in front.items():
            for edge in self._out[node]:
                if word := self.words[edge.end]:
                    _raise(found.setdefault(word, {}), edge.end, score + edge.acoustic)
        return found

    def _closed(self, front: Front) -> Front:
        """Return the nodes of ``front`` and all that are reached from them without a word."""
        closed = dict(front)
        waiting = [(self._rank[node], node) for node in front]
        heapq.heapify(waiting)
        while waiting:
            _, node = heapq.heappop(waiting)
            for edge in self._out[node]:
                if not self.words[edge.end]:
                    if edge.end not in closed:
                        heapq.heappush(waiting, (self._rank[edge.end], edge.end))
                    _raise(closed, edge.end, closed[node] + edge.acoustic)
        return closed

    def _rest(self, word_bonus: float) -> list[float]:
        """Return the best score from each node on to the last, −∞ where no way leads there."""
        best = [-math.inf] * len(self.words)
        best[self.last] = 0.0
        for node in reversed(self._rank):
            for edge in self._out[node]:
                bonus = word_bonus if self.words[edge.end] else 0.0
                best[node] = max(best[node], edge.acoustic + bonus + best[edge.end])
        return best

    @cached_property
    def _out(self) -> list[list[Edge]]:
        out: list[list[Edge]] = [[] for _ in self.words]
        for edge in self.edges:
            out[edge.start].append(edge)
        return out

    @cached_property
    def _rank(self) -> dict[int, int]:
        """Each node's place in an order in which all edges go forward; nodes of a circle have none."""
        entering = [0] * len(self.words)
        for edge in self.edges:
            entering[edge.end] += 1
        order = [node for node, edges in enumerate(entering) if not edges]
        for node in order:  # it grows as it is read
            for edge in self._out[node]:
                entering[edge.end] -= 1
                if not entering[edge.end]:
                    order.append(edge.end)
        return {node: place for place, node in enumerate(order)}


def read_lattice(path: Path) -> Lattice:
    """Open a lattice in the form of Sphinx, as ``Lattice.write`` of pocketsphinx leaves it.

    Variants of pronunciation (``read(2)``) are one word; silences and noises (``<sil>``, ``[NOISE]``) are none.

    Raises:
        InputError: it can't be read, or is no such lattice; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{path}: can't be read ({what})") from error
    parts = _Parts(path)
    for number, line in enumerate(lines, start=1):
        parts.take(line.strip(), number)
    return parts.lattice()


class _Parts:
    """What has been read of a lattice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unit = math.nan
        self.section = ""
        self.words: dict[int, str] = {}
        self.edges: list[Edge] = []
        self.ends: dict[str, int] = {}

    def take(self, line: str, number: int) -> None:
        base = _HEADER.fullmatch(line)
        fields = line.split()
        try:
            if base:
                self.unit = math.log(float(base[1]))
            elif not fields or line.startswith("#") or self.section == "End":
                return
            elif fields[0] in ("Frames", "Nodes", "BestSegAscr", "Edges", "End"):
                self.section = fields[0]
            elif fields[0] in ("Initial", "Final"):
                self.ends[fields[0]] = int(fields[1])
            elif self.section == "Nodes":
                self.words[int(fields[0])] = _word(fields[1])
            elif self.section == "Edges":
                self.edges.append(Edge(int(fields[0]), int(fields[1]), int(fields[2]) * self.unit))
        except (ValueError, IndexError) as error:
            raise InputError(f"{self.path}:{number}: '{line[:40]}' does not belong in a lattice of Sphinx") from error

    def lattice(self) -> Lattice:
        if self.section != "End" or len(self.ends) < 2 or math.isnan(self.unit):
            raise InputError(f"{self.path}: no whole lattice of Sphinx, with -logbase, Initial, Final and End")
        if sorted(self.words) != list(range(len(self.words))):
            raise InputError(f"{self.path}: its nodes are not numbered from 0 on")
        words = tuple(self.words[number] for number in range(len(self.words)))
        try:
            return Lattice(words, tuple(self.edges), self.ends["Initial"], self.ends["Final"])
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from error


def _word(written: str) -> str:
    return "" if written.startswith(_NOT_WORDS) else _VARIANT.sub("", written)


def _raise(front: Front, node: int, score: float) -> None:
    if score > front.get(node, -math.inf):
        front[node] = score
