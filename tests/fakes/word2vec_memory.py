"""What Word2Vec's kernels are given: one thread's memory, matrices with given numbers, samples that are known."""

from typing import Any

import numpy as np

from ziggurat.core.lanes import aligned_rows
from ziggurat.training.kernels.word2vec import Matrices, Questions, Work
from ziggurat.training.word2vec_tables import sample_questions


def work_for(kept: list[int], *, width: int = 23, window: int = 5, seed: int = 0, longest: int = 1) -> Work:
    """Memory of one thread with these words kept; a word consists of up to ``longest`` rows."""
    room = 2 * window * 12 + 64
    return Work(
        state=np.array([seed], np.uint64),
        kept=np.array(kept, np.int32),
        rows=np.zeros(2 * window, np.int32),
        bag=np.zeros(2 * window * longest, np.int32),
        targets=np.zeros(128, np.int32),
        labels=np.zeros(128, np.float32),
        products=np.zeros(room, np.float32),
        losses=np.zeros(room, np.float32),
        mean=np.zeros(1, np.int32),
        hidden=aligned_rows(2, width),
    )


def matrices_of(inputs: Any, outputs: Any) -> Matrices:
    """Aligned matrices with this content."""
    made = []
    for content in (inputs, outputs):
        numbers = np.asarray(content, np.float32)
        matrix = aligned_rows(*numbers.shape)
        matrix[:, : numbers.shape[1]] = numbers
        made.append(matrix)
    return Matrices(*made)


def only(word: int, size: int) -> Questions:
    """Negative samples that are always the same word."""
    weights = np.zeros(size, np.int64)
    weights[word] = 1
    return sample_questions(weights, 1.0)
