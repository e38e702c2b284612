"""How often words stand near each other, counted once in each half of a text, and the matrix that vectors factorise.

*Idea.* Whatever two halves of one text say differently is chance. The halves are made of alternating stretches, so
that both hold the same books; what is left between them is how much a count of this size can be believed.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ziggurat.core.protocols import TokenStream
from ziggurat.training.word_counts import count_words

__all__ = ["count_halves", "document_chunks", "frequent_words", "positive_pmi"]

Matrix = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

STRETCH_TOKENS = 1000
"""Tokens that go to one half before the other gets its turn: longer than a paragraph, far shorter than a book."""
CHUNK_TOKENS = 2_000_000


def frequent_words(stream: TokenStream, most: int) -> npt.NDArray[np.int64]:
    """Return the ids of the ``most`` frequent words of a stream, special ids left out, most frequent first."""
    counts = count_words(stream)
    order = np.argsort(-counts, kind="stable")[:most]
    return order[counts[order] > 0]


def count_halves(stream: TokenStream, words: npt.NDArray[np.int64], *, window: int) -> tuple[Counts, Counts]:
    """Return two (N, N) symmetric matrices: pairs of ``words`` at most ``window`` apart, in each half of the text.

    Pairs do not reach across the end of a document; a pair belongs to the half in which its first word stands.

    *Cost.* About 0.1 s for each million tokens at N = 2000; 16 N² bytes and as much again while counting.
    """
    size = len(words)
    place = np.full(stream.vocabulary.size, -1, np.int64)
    place[words] = np.arange(size)
    halves = np.zeros((2, size * size), np.int64)
    for first, ids, documents in document_chunks(stream):
        found = place[ids]
        half = (first + np.arange(len(ids))) // STRETCH_TOKENS % 2
        for distance in range(1, min(window, len(ids) - 1) + 1):
            left, right = found[:-distance], found[distance:]
            kept = (left >= 0) & (right >= 0) & (documents[:-distance] == documents[distance:])
            pairs, side = (left * size + right)[kept], half[:-distance][kept]
            for number in (0, 1):
                halves[number] += np.bincount(pairs[side == number], minlength=size * size)
    one, other = halves.reshape(2, size, size)
    return one + one.T, other + other.T


def positive_pmi(counts: Counts) -> Matrix:
    """Return the positive pointwise mutual information of a symmetric matrix of pair counts, in nats.

    *Maths.* max(0, log p(i, j) / (p(i) p(j))), and 0 where a pair was never seen (Levy & Goldberg 2014, sections 3.1
    and 3.3: skip-gram with negative sampling factorises this matrix, shifted).
    """
    total = float(counts.sum())
    alone = counts.sum(axis=1, dtype=np.float64)
    seen = counts > 0
    ratio = np.ones(counts.shape)
    np.divide(counts * total, alone[:, None] * alone[None, :], out=ratio, where=seen)
    return np.maximum(np.log(ratio), 0.0)


def document_chunks(stream: TokenStream) -> Iterator[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield runs of whole documents: where the run begins, its ids, and each position's document."""
    starts = stream.starts
    first = 0
    while first < len(starts) - 1:
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + CHUNK_TOKENS, side="right")) - 1)
        begin, end = int(starts[first]), int(starts[last])
        lengths = np.diff(starts[first : last + 1])
        documents = np.repeat(np.arange(first, last), lengths)
        yield begin, np.asarray(stream.tokens[begin:end]).astype(np.int64), documents
        first = last
