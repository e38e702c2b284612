"""Co-occurrences laid out for training: blocks of pairs that share few rows, and an order that never lets threads meet.

*Idea.* Words are cut into groups, frequent words into small ones and rare words into large ones, so that all groups
have about as many pairs. A block holds the pairs of one group of words with one group of contexts: while it is trained,
its rows stay in the processor's cache. A *stratum* is a set of blocks in which no group stands twice, so its blocks
may be trained side by side, by any number of threads, without a lock and with the same result to the last bit
(distributed stochastic gradient descent: Gemulla et al. 2011, section 4). Which strata there are, and in which order
they come, is drawn anew for each epoch; the order of pairs within a block is drawn once.

A symmetric matrix is kept by its upper half: the block below the diagonal is the one above with words and contexts
exchanged. A pair takes eight bytes.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel
from ziggurat.core.seeding import derive, generator
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.training.cooccurrences import Cooccurrences, working_bytes
from ziggurat.training.kernels import pair_blocks as kernels
from ziggurat.training.ngram_counting import Budget
from ziggurat.training.scratch import Scratch

__all__ = ["PairBlocks", "lay_out"]

Numbers: TypeAlias = npt.NDArray[np.int64]

_MOST_GROUPS = 64
_PAIRS_OF_A_GROUP = 20_000
_MOST_ROWS = 1 << 16  # of a group: a row's number there has 16 bits
_PAIR_BYTES = 8
_CHUNK = 1 << 24


@dataclass(frozen=True, slots=True)
class PairBlocks:
    """All pairs of a text's words, block by block."""

    firsts: Numbers
    """(groups + 1,) the first word of each group, and the end."""
    edges: Numbers
    """(groups² + 1,) where each block begins, and the end."""
    pairs: npt.NDArray[np.uint32]
    """Row and column of each pair within its block, sixteen bits each."""
    logs: FloatArray
    """log X of each pair."""
    symmetric: bool
    """Blocks below the diagonal are those above, exchanged."""
    seed: int
    scratch: Scratch

    @property
    def groups(self) -> int:
        """Groups of words; also the strata of an epoch."""
        return int(self.firsts.size - 1)

    @property
    def count(self) -> int:
        """Pairs of an epoch."""
        sizes = np.diff(self.edges).reshape(self.groups, self.groups)
        return int(2 * sizes.sum() - np.trace(sizes) if self.symmetric else sizes.sum())

    def strata(self, epoch: int) -> list[Numbers]:
        """Return the tasks of each stratum of an epoch, in order, as `ziggurat.training.kernels.glove` takes them.

        Large blocks stand first, so that no thread has one left when the others are done.
        """
        dice = generator(self.seed, "strata", epoch)
        words, contexts, order = (dice.permutation(self.groups) for _ in range(3))
        return [self._stratum(words, np.roll(contexts, -shift)) for shift in order.tolist()]

    def _stratum(self, words: Numbers, contexts: Numbers) -> Numbers:
        swapped = (words > contexts) & self.symmetric
        blocks = np.where(swapped, contexts * self.groups + words, words * self.groups + contexts)
        begin, end = self.edges[blocks], self.edges[blocks + 1]
        tasks = np.stack([begin, end, self.firsts[words], self.firsts[contexts], swapped], axis=1)
        return np.ascontiguousarray(tasks[np.argsort(begin - end, kind="stable")])


def lay_out(counts: Cooccurrences, seed: int, budget: Budget) -> PairBlocks:
    """Lay out counts for training, on disk where they do not fit into memory.

    Raises:
        DiskFullError: no room for them.
    """
    size, mirrored = counts.edges.size - 1, counts.symmetric
    firsts = _firsts(counts)
    groups: IdArray = (np.searchsorted(firsts, np.arange(size), "right") - 1).astype(np.int32)
    count = firsts.size - 1
    sizes = np.zeros((count, count), np.int64)
    spans = [(int(firsts[group]), int(firsts[group + 1])) for group in range(count)]
    tasks = [partial(kernels.size_blocks, counts.source, groups, span, mirrored, sizes) for span in spans]
    in_parallel(tasks, threads=budget.threads)  # each writes to its group's row of sizes
    edges = np.concatenate([[0], np.cumsum(sizes)])
    total = int(edges[-1])
    scratch = Scratch(on_disk=total * _PAIR_BYTES > working_bytes(budget.memory_bytes), folder=budget.folder)
    pairs, logs = scratch.empty(total, np.uint32), scratch.empty(total, np.float32)
    cursors, layout = edges[:-1].reshape(count, count).copy(), (groups, firsts, float(counts.unit))
    seeds = np.array([derive(seed, "pairs", block) for block in range(count * count)], np.uint64)

    def fill(group: int) -> None:
        kernels.fill_blocks(counts.source, layout, spans[group], mirrored, cursors, pairs, logs)
        kernels.shuffle_blocks(edges, (group * count, (group + 1) * count), seeds, pairs, logs)

    in_parallel([partial(fill, group) for group in range(count)], threads=budget.threads)
    scratch.release()
    return PairBlocks(firsts, edges, pairs, logs, mirrored, seed, scratch)


def _firsts(counts: Cooccurrences) -> Numbers:
    """Return the first word of each group and the end: groups of about as many pairs, and not too many rows."""
    size = counts.edges.size - 1
    mass = np.diff(counts.edges)
    for start in range(0, counts.contexts.size, _CHUNK):
        mass += np.bincount(counts.contexts[start : start + _CHUNK], minlength=size)
    total = np.cumsum(mass)
    groups = int(min(_MOST_GROUPS, max(1, total[-1] // _PAIRS_OF_A_GROUP)))
    inner = np.searchsorted(total, np.arange(1, groups) * (total[-1] / groups)) + 1
    return np.unique(np.concatenate([[0], inner, np.arange(0, size, _MOST_ROWS), [size]]))
