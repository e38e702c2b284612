"""Products of a sparse matrix, row by row, with a dense one: what a linear model of many features spends its time on.

A sparse row has its numbers in ``values[starts[row]:starts[row + 1]]``, each in the column of ``columns`` beside it.
"""

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["add_outer", "rows_times"]

Matrix = npt.NDArray[np.float64]
Starts = npt.NDArray[np.int64]


@kernel(fast_math=True, borrows=True)
def rows_times(starts: Starts, columns: IdArray, values: FloatArray, dense: Matrix, product: Matrix) -> None:
    """Add to ``product`` (rows, C) the sparse matrix (rows, N) times ``dense`` (N, C)."""
    for row in range(starts.size - 1):
        for place in range(starts[row], starts[row + 1]):
            column, value = columns[place], values[place]
            for c in range(dense.shape[1]):
                product[row, c] += value * dense[column, c]


@kernel(fast_math=True, borrows=True)
def add_outer(starts: Starts, columns: IdArray, values: FloatArray, dense: Matrix, product: Matrix) -> None:
    """Add to ``product`` (N, C) the transposed sparse matrix (N, rows) times ``dense`` (rows, C)."""
    for row in range(starts.size - 1):
        for place in range(starts[row], starts[row + 1]):
            column, value = columns[place], values[place]
            for c in range(dense.shape[1]):
                product[column, c] += value * dense[row, c]
