"""Lattices drawn at random, and all ways through one."""

from collections.abc import Iterator, Sequence

import numpy as np

from ziggurat.use.lattice import Edge, Lattice


def drawn(seed: int, words: Sequence[str] = ("", "a", "b", "c")) -> Lattice:
    """A lattice of eleven nodes with three words, silences, dead ends and many ways for one sentence."""
    draw = np.random.default_rng(seed)
    inside = draw.choice(list(words), 9).tolist()
    edges = [
        Edge(start, end, -float(draw.integers(1, 1000)))
        for start in range(10)
        for end in range(start + 1, 11)
        if draw.random() < 0.5
    ]
    return Lattice(("", *inside, ""), tuple(edges), 0, 10)


def ways(lattice: Lattice, node: int, said: tuple[str, ...], score: float) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield the words of each way from a node to the last one, and its score with what was said before."""
    if node == lattice.last:
        yield said, score
    for edge in lattice.edges:
        if edge.start == node:
            word = lattice.words[edge.end]
            yield from ways(lattice, edge.end, (*said, word) if word else said, score + edge.acoustic)
