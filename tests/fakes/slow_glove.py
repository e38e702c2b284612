"""GloVe from its definition: counts by two loops, the loss and one step of AdaGrad in 64 bits."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


def slow_counts(
    documents: Sequence[Sequence[int]], size: int, window: int, *, symmetric: bool, weighted: bool, unknown: int
) -> Matrix:
    """X by definition: each word, and each word up to ``window`` before it."""
    found = np.zeros((size, size))
    for document in documents:
        words = [word for word in document if word != unknown]
        for place, word in enumerate(words):
            for distance in range(1, min(window, place) + 1):
                other, weight = words[place - distance], 1 / distance if weighted else 1.0
                found[word, other] += weight
                if symmetric:
                    found[other, word] += weight
    return found


class SlowGlove:
    """Vectors, biases and AdaGrad sums of both sides; one pair at a time."""

    def __init__(self, words: Matrix, contexts: Matrix, word_biases: Matrix, context_biases: Matrix) -> None:
        """Begin from these; sums are 1."""
        self.words, self.contexts = words.copy(), contexts.copy()
        self.word_biases, self.context_biases = word_biases.copy(), context_biases.copy()
        self.parameters = [self.words, self.contexts, self.word_biases, self.context_biases]
        self.sums = [np.ones_like(array) for array in self.parameters]

    def step(self, i: int, j: int, x: float, *, rate: float, x_max: float, alpha: float) -> float:
        """Make a step for one pair; return f d² before it."""
        product = float(self.words[i] @ self.contexts[j])
        d = product + float(self.word_biases[i]) + float(self.context_biases[j]) - math.log(x)
        f = min(1.0, math.pow(x / x_max, alpha))
        slopes = [f * d * self.contexts[j], f * d * self.words[i], np.float64(f * d), np.float64(f * d)]
        for array, total, place, slope in zip(self.parameters, self.sums, (i, j, i, j), slopes, strict=True):
            total[place] += (rate * slope) ** 2
            array[place] -= rate * slope / np.sqrt(total[place])
        return f * d * d
