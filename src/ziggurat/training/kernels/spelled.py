"""Skip-gram and CBOW whose words are bags: a word's own vector and those of its character n-grams.

*Idea.* A word is asked through the mean of its own vector and the vectors of its n-grams, so that what is learnt of a
word is learnt of its parts too (Bojanowski et al. 2017, section 3.2, with the mean in place of the sum as in the
published program). Skip-gram: the centre's bag is asked for each neighbour in turn. CBOW: the bags of all neighbours
together are asked for the centre.

*Maths.* The whole step of the mean is added to each vector of the bag; see `ziggurat.training.kernels.word2vec`.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.lanes import mean_row, spread_row
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.training.kernels.word2vec import (
    END,
    Matrices,
    Questions,
    Work,
    answer,
    ask,
    neighbours,
)

__all__ = ["Bags", "compose", "train_spelled"]


class Bags(NamedTuple):
    """The rows of the input matrix that each word consists of: its own, then those of its n-grams."""

    starts: npt.NDArray[np.int64]
    """(V + 1,) where each word's rows begin."""
    rows: IdArray


@kernel(borrows=True)
def train_spelled(
    size: int,
    matrices: Matrices,
    words: tuple[Questions, Bags],
    window: tuple[int, int, int, int],
    taken: tuple[int, ...],
    rate: np.float32,
    work: Work,
) -> tuple[float, int]:
    """Train on the first ``size`` kept words; return the summed loss and the number of predictions.

    The arguments are those of `ziggurat.training.kernels.word2vec.train_pairs`, but for ``words``, which has the bags
    too, and the last of ``window``, which is 1 for CBOW.
    """
    questions, bags = words
    loss, predictions = 0.0, 0
    for centre in range(size):
        if work.kept[centre] == END:
            continue
        count = neighbours(size, centre, (window[0], window[1], window[2]), work)
        if count == 0:
            continue
        length = 0
        if window[3]:
            for i in range(count):
                length = _put(work.rows[i], bags, length, work.bag)
        else:
            length = _put(work.kept[centre], bags, 0, work.bag)
        mean_row((matrices[0], work.bag, length), work.hidden)
        for i in range(1 if window[3] else count):
            word = work.kept[centre] if window[3] else work.rows[i]
            asked = ask(word, questions, (len(taken), window[2]), 0, work)
            for at in range(0, asked, len(taken)):
                loss += answer((work.hidden, work.mean, 1), matrices[1], at, taken, rate, work)
            predictions += 1
        spread_row((matrices[0], work.bag, length), work.hidden)
    return loss, predictions


@kernel(inline=True, borrows=True)
def _put(word: int, bags: Bags, length: int, bag: IdArray) -> int:
    """Append a word's rows to the bag of ``length`` rows; return its new length."""
    for place in range(bags.starts[word], bags.starts[word + 1]):
        bag[length] = bags.rows[place]
        length += 1
    return length


@kernel
def compose(inputs: FloatArray, bags: Bags, vectors: FloatArray) -> None:
    """Write to each row of ``vectors`` (V, D) the mean of the word's rows; leave words without rows as they are."""
    for word in range(vectors.shape[0]):
        first, last = bags.starts[word], bags.starts[word + 1]
        for d in range(vectors.shape[1]):
            total = 0.0
            for place in range(first, last):
                total += inputs[bags.rows[place], d]
            if last > first:
                vectors[word, d] = total / (last - first)
