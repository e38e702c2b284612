"""GloVe's step for each pair of words, block by block.

*Maths.* For word i and context j that occur X_ij times near each other, the model's error is d = w_i·w̃_j + b_i + b̃_j −
log X_ij, its loss f(X_ij) d² (Pennington, Socher & Manning 2014, eq. 8) with the weight f(x) = min(1, (x / x_max)^α)
(eq. 9). The gradient to w_i is f d w̃_j, to b_i it is f d (the factor 2 is part of the learning rate); AdaGrad divides
it by the root of the sum of its squares.

A bias is a component like the others whose partner is a one that never moves (its AdaGrad sum is as good as infinite):
in the last two places of a vector stand b_i and 1, and on the other side 1 and b̃_j.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import FloatArray
from ziggurat.training.kernels.adagrad_rows import adagrad_step, prefetch_row, row_product
from ziggurat.training.kernels.counter import take_number

__all__ = ["Objective", "measure_rows", "train_blocks"]

_AHEAD = 6
_16, _LOW = np.uint32(16), np.uint32(0xFFFF)


class Objective(NamedTuple):
    """What decides a pair's loss and step."""

    rate: np.float32
    """Learning rate."""
    log_most: np.float32
    """log x_max"""
    alpha: np.float32
    limit: np.float32
    """Largest factor of a step: it keeps steps finite whatever the learning rate."""


@kernel(inline=True)
def _weight(log: np.float32, objective: Objective) -> np.float32:
    """Return f(x) for log x."""
    if log < objective.log_most:
        return np.float32(math.exp(objective.alpha * (log - objective.log_most)))
    return np.float32(1.0)


@kernel(inline=True)
def _rows(pair: Any, task: Any) -> tuple[int, int]:
    """Return the rows of a pair; ``task`` is its entries from and to, its first rows, and whether to swap them."""
    one, two = np.int64(pair >> _16), np.int64(pair & _LOW)
    if task[4]:
        one, two = two, one
    return task[2] + one, task[3] + two


@kernel
def train_blocks(
    matrices: tuple[FloatArray, FloatArray],
    pairs: npt.NDArray[np.uint32],
    logs: FloatArray,
    tasks: npt.NDArray[np.int64],
    objective: Objective,
    counter: npt.NDArray[np.int64],
    losses: npt.NDArray[np.float64],
) -> None:
    """Take one block after another until there is none left, and make a step for each of its pairs.

    Args:
        matrices: Rows of words and of contexts, in the form of `adagrad_rows`.
        pairs: See `ziggurat.training.kernels.pair_blocks`.
        logs: log X of each pair.
        tasks: (blocks, 5) a block's entries from and to, its first word and context, and 1 where both are swapped. No
            two blocks may have a row in common where several threads run this.
        objective: What decides a step.
        counter: (1,) the next block; threads share it.
        losses: (blocks,) gets the sum of f d² before each pair's step.
    """
    words, contexts = matrices
    while True:
        number = take_number(counter)
        if number >= tasks.shape[0]:
            break
        task = tasks[number]
        total = 0.0
        for entry in range(task[0], task[1]):
            later, other = _rows(pairs[min(entry + _AHEAD, task[1] - 1)], task)
            prefetch_row(words, later)
            prefetch_row(contexts, other)
            i, j = _rows(pairs[entry], task)
            difference = row_product(words, i, contexts, j) - logs[entry]
            weighted = _weight(logs[entry], objective) * difference
            total += np.float64(weighted) * np.float64(difference)
            factor = min(max(objective.rate * weighted, -objective.limit), objective.limit)
            adagrad_step(words, i, contexts, j, factor)
        losses[number] = total


@kernel
def measure_rows(
    matrices: tuple[FloatArray, FloatArray],
    source: tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    span: tuple[int, int],
    scale: tuple[float, float, bool],
    objective: Objective,
) -> tuple[float, int]:
    """Return the sum of f d² over the entries of some rows of counts, and their number; nothing is changed.

    ``scale`` is how many units are one, what is added to each logarithm before it is weighed and compared with the
    model's, and whether the mirror image of each entry counts too.
    """
    words, contexts = matrices
    columns, units, edges = source
    unit, shift, mirrored = scale
    total, count = 0.0, 0
    for word in range(span[0], span[1]):
        for entry in range(edges[word], edges[word + 1]):
            wanted = math.log(units[entry] / unit) + shift
            weight = np.float64(_weight(np.float32(wanted), objective))
            total += weight * (np.float64(row_product(words, word, contexts, columns[entry])) - wanted) ** 2
            count += 1
            if mirrored and columns[entry] != word:
                total += weight * (np.float64(row_product(words, columns[entry], contexts, word)) - wanted) ** 2
                count += 1
    return total, count
