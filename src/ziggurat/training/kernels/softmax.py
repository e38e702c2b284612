"""Skip-gram and CBOW with the exact softmax over all words: the formula itself, for small vocabularies.

*Maths.* Skip-gram: −log p(o | c) with p(o | c) = exp(u_o · v_c) / Σ_w exp(u_w · v_c) for each word o in the window of
each centre c (Mikolov et al. 2013b, eqs. 1 and 2). CBOW: the same with the mean of the window's vectors for v_c and the
centre for o. The step of one centre is made at once, over all its neighbours.
"""

import math

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.training.kernels.word2vec import END, Matrices, Work, reach

__all__ = ["train_softmax"]


@kernel
def train_softmax(
    size: int, matrices: Matrices, words: IdArray, window: tuple[int, int, int], rate: np.float32, work: Work
) -> tuple[float, int]:
    """Train on the first ``size`` kept words; return the summed loss and the number of predictions.

    Args:
        size: How many of ``work.kept`` there are.
        matrices: The vectors of words and those of targets.
        words: Ids that are words; special ones are never predicted.
        window: Words on each side, whether fewer are taken at random, and whether this is CBOW.
        rate: Learning rate; 0 measures only.
        work: This thread's memory.
    """
    inputs, outputs = matrices
    kept, rows, hidden = work.kept, work.rows, work.hidden
    steps = np.zeros(words.size, np.float32)
    loss, predictions = 0.0, 0
    for centre in range(size):
        if kept[centre] == END:
            continue
        first, last = reach(kept, size, centre, (window[0], window[1]), work.state)
        count = 0
        for place in range(first, last + 1):
            if place != centre:
                rows[count] = kept[place]
                count += 1
        if count == 0:
            continue
        hidden[0] = 0
        if window[2]:
            for i in range(count):
                hidden[0] += inputs[rows[i]] / np.float32(count)
            work.targets[0] = kept[centre]
            loss += _predict(hidden[0], outputs, words, work.targets[:1], rate, steps, hidden[1])
            for i in range(count):
                inputs[rows[i]] += hidden[1] / np.float32(count)
            predictions += 1
        else:
            hidden[0] = inputs[kept[centre]]
            loss += _predict(hidden[0], outputs, words, rows[:count], rate, steps, hidden[1])
            inputs[kept[centre]] += hidden[1]
            predictions += count
    return loss, predictions


@kernel(fast_math=True)
def _predict(
    source: npt.NDArray[np.float32], outputs: FloatArray, words: IdArray, targets: IdArray, rate: np.float32,
    steps: npt.NDArray[np.float32], change: npt.NDArray[np.float32],
) -> float:  # fmt: skip
    """Predict all targets from one vector: step the outputs, write the source's step to ``change``, return the loss."""
    largest = -np.inf
    for i in range(words.size):
        steps[i] = 0
        for d in range(source.size):
            steps[i] += outputs[words[i], d] * source[d]
        largest = max(largest, float(steps[i]))
    total = 0.0
    for i in range(words.size):
        total += math.exp(steps[i] - largest)
    loss = 0.0
    for target in targets:
        product = 0.0
        for d in range(source.size):
            product += outputs[target, d] * source[d]
        loss += largest + math.log(total) - product
    change[:] = 0
    for i in range(words.size):
        step = np.float32(-rate * targets.size * (math.exp(steps[i] - largest) / total))
        for target in targets:
            if target == words[i]:
                step += rate
        for d in range(source.size):
            change[d] += step * outputs[words[i], d]
            outputs[words[i], d] += step * source[d]
    return loss
