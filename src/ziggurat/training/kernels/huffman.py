"""The Huffman tree over words: frequent words get short paths (Huffman 1952)."""

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import IdArray

__all__ = ["join_nodes", "write_paths"]

Numbers = npt.NDArray[np.int64]


@kernel
def join_nodes(counts: Numbers, parents: IdArray, turns: npt.NDArray[np.uint8]) -> None:
    """Join the two rarest nodes again and again, until one is left.

    Args:
        counts: (N,) occurrences of the leaves, ascending.
        parents: (2 N − 1,) written: the parent of each node; leaves first, then inner nodes as they are made.
        turns: (2 N − 1,) written: 1 for the second child.
    """
    size = counts.size
    weights = np.empty(2 * size - 1, np.int64)
    for leaf in range(size):
        weights[leaf] = counts[leaf]
    leaf, inner = 0, size  # both queues are ascending, so the rarest node is at the head of one of them
    for made in range(size, 2 * size - 1):
        total = 0
        for turn in range(2):
            if leaf < size and (inner >= made or weights[leaf] <= weights[inner]):
                taken = leaf
                leaf += 1
            else:
                taken = inner
                inner += 1
            parents[taken] = made
            turns[taken] = turn
            total += weights[taken]
        weights[made] = total
    parents[2 * size - 2] = -1


@kernel
def write_paths(
    parents: IdArray, turns: npt.NDArray[np.uint8], starts: Numbers, nodes: IdArray, codes: npt.NDArray[np.uint8]
) -> None:
    """Write each leaf's way down from the root: inner nodes, numbered from the root as 0, and turns.

    Called with empty ``nodes`` it only writes ``starts`` (N + 1,); see `join_nodes` for the rest.
    """
    size = (parents.size + 1) // 2
    for leaf in range(size):
        length, node = 0, leaf
        while parents[node] >= 0:
            length += 1
            if nodes.size:
                place = starts[leaf + 1] - length
                codes[place] = turns[node]
                nodes[place] = 2 * size - 2 - parents[node]
            node = parents[node]
        if not nodes.size:
            starts[leaf + 1] = starts[leaf] + length
