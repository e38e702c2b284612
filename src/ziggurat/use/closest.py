"""The rows of a matrix that lie closest in direction to given vectors: exactly, block by block, nothing copied.

*Idea.* Of a matrix that may be a memory map larger than memory, only the length of each row is kept. A block of rows
times all queries is one matrix product, and only what beats the best so far is looked at again.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ziggurat.core.errors import DamagedError
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["Found", "Rows", "scaled"]

Found: TypeAlias = tuple[IdArray, FloatArray]
"""(N, K) ids by falling score, and their scores; −1 and −∞ where there are fewer than K."""

BLOCK_SCORES = 1 << 22
MOST_ROWS = 1 << 16
FEWEST_ROWS = 1 << 10
QUERIES = 1 << 10
MULTIPLY_EPSILON = np.float32(1e-3)


class Rows:
    """Rows ``first`` to the last of a matrix, searched by the cosine of the angle.

    *Cost.* A search reads each row once for up to 1,024 queries; the first also reads them for their lengths.
    """

    def __init__(self, matrix: FloatArray, first: int = 0, *, block_scores: int = BLOCK_SCORES) -> None:
        """Search ``matrix`` (V, D) from row ``first`` on; ``block_scores`` bounds the scores held at once."""
        self.matrix, self.first = matrix, first
        self._block_scores = block_scores
        self._inverse = np.empty(0, np.float32)

    def inverse_lengths(self, stop: int) -> FloatArray:
        """Return 1 ⁄ ‖row‖ of all rows before ``stop``; 0 for rows of zeros. What was asked before is kept.

        Raises:
            DamagedError: a row holds what is not a finite number.
        """
        known = self._inverse.size
        if stop > known:
            parts = [self._inverse]
            for start in range(known, stop, MOST_ROWS):
                block = self.matrix[start : min(start + MOST_ROWS, stop)]
                lengths = np.sqrt(np.einsum("nd,nd->n", block, block, dtype=np.float32))
                if not np.isfinite(lengths).all():
                    row = start + int(np.isfinite(lengths).argmin())
                    raise DamagedError(f"the vector of id {row} is not of finite numbers; train or import it again")
                parts.append(_inverse(lengths))
            self._inverse = np.concatenate(parts)
        return self._inverse[:stop]

    def unit(self, ids: IdArray) -> FloatArray:
        """Return (…, D): rows scaled to length 1."""
        return scaled(self.matrix[np.asarray(ids)])

    def by_cosine(self, queries: FloatArray, excluded: IdArray, *, count: int, stop: int) -> Found:
        """Return the ``count`` rows before ``stop`` that have the highest cosine with each of ``queries`` (N, D).

        ``excluded`` (N, E) are rows that can't be an answer.
        """

        def score(part: slice, start: int, end: int) -> FloatArray:
            return self._cosines(directions[part], start, end)

        directions = scaled(queries)
        return self._search(score, excluded, count=count, stop=stop)

    def by_product(
        self, vectors: FloatArray, positive: IdArray, negative: IdArray, excluded: IdArray, *, count: int, stop: int
    ) -> Found:
        """Return the ``count`` rows before ``stop`` that have the highest 3CosMul with each question.

        *Maths.* ∏ s(x, p) ⁄ (∏ s(x, n) + ε) with s = (cos + 1) ⁄ 2 and ε = 0.001 (Levy & Goldberg 2014, eq. 4). Without
        negatives nothing is divided.

        ``positive`` (N, P) and ``negative`` (N, Q) say which of ``vectors`` (U, D) a question is made of.
        """

        def score(part: slice, start: int, end: int) -> FloatArray:
            used, places = np.unique(np.concatenate([positive[part], negative[part]], axis=1), return_inverse=True)
            places = places.reshape(-1, positive.shape[1] + negative.shape[1])
            near = self._cosines(directions[used], start, end)
            near += 1
            near /= 2
            top, bottom = (
                [near[places[:, column]] for column in columns]
                for columns in (range(positive.shape[1]), range(positive.shape[1], places.shape[1]))
            )
            found = _product(top) if top else np.ones((places.shape[0], end - start), np.float32)
            return found / (_product(bottom) + MULTIPLY_EPSILON) if bottom else found

        directions = scaled(vectors)
        return self._search(score, excluded, count=count, stop=stop)

    def _cosines(self, directions: FloatArray, start: int, end: int) -> FloatArray:
        inverse = self.inverse_lengths(end)[start:]
        products = directions @ self.matrix[start:end].T
        products *= inverse
        return np.asarray(products, np.float32)

    def _search(
        self, score: Callable[[slice, int, int], FloatArray], excluded: IdArray, *, count: int, stop: int
    ) -> Found:
        """Return the best rows of each question; ``score(part, start, end)`` scores a block for a part of these."""
        total = excluded.shape[0]
        ids = np.full((total, count), -1, np.int32)
        scores = np.full((total, count), -np.inf, np.float32)
        for begin in range(0, total, QUERIES):
            part = slice(begin, min(begin + QUERIES, total))
            rows = max(FEWEST_ROWS, min(MOST_ROWS, self._block_scores // (part.stop - begin)))
            for start in range(self.first, stop, rows):
                end = min(start + rows, stop)
                block = score(part, start, end)
                _strike(block, excluded[part] - start)
                _keep_best(ids[part], scores[part], block, start)
        return ids, scores


def scaled(vectors: FloatArray) -> FloatArray:
    """Return vectors (…, D) at length 1; those of zeros stay so."""
    vectors = np.asarray(vectors, np.float32)
    return np.asarray(vectors * _inverse(np.linalg.norm(vectors, axis=-1))[..., None], np.float32)


def _inverse(lengths: FloatArray) -> FloatArray:
    return np.divide(1, lengths, out=np.zeros(lengths.shape, np.float32), where=lengths > 0)


def _product(factors: list[FloatArray]) -> FloatArray:
    found = factors[0]
    for factor in factors[1:]:
        found = found * factor
    return found


def _strike(block: FloatArray, columns: IdArray) -> None:
    """Let what stands in ``columns`` (N, E) of each row never be the best."""
    row, column = np.nonzero((columns >= 0) & (columns < block.shape[1]))
    block[row, columns[row, column]] = -np.inf


def _keep_best(ids: IdArray, scores: FloatArray, block: FloatArray, start: int) -> None:
    """Merge a block's best into the best so far, in place; of equal ones the smaller id comes first."""
    count = ids.shape[1]
    if not count:
        return
    if count == 1:
        best = block.argmax(axis=1)
        value = np.take_along_axis(block, best[:, None], axis=1)
        better = value > scores
        ids[better] = (best[:, None] + start)[better]
        scores[better] = value[better]
        return
    for row in np.flatnonzero(block.max(axis=1) > scores[:, -1]):
        line = block[row]
        places = np.flatnonzero(line > scores[row, -1])
        if places.size > 4 * count:
            places = places[line[places] >= np.partition(line[places], -count)[-count]]
        values = np.concatenate([scores[row], line[places]])
        order = np.argsort(-values, kind="stable")[:count]
        ids[row] = np.concatenate([ids[row], places + start])[order]
        scores[row] = values[order]
