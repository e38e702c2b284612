"""The two matrices that GloVe learns: a row a word with its vector, its bias, and their AdaGrad sums."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ziggurat.core.lanes import aligned_rows, padded
from ziggurat.core.seeding import generator
from ziggurat.core.types import FloatArray, TensorMap, Vocabulary

__all__ = ["Matrices"]

_NEVER = 1e30  # an AdaGrad sum so large that its component never moves


class Matrices:
    """Words and contexts, each (V, 2 P): D components, two places for the bias, padding; then P AdaGrad sums."""

    def __init__(self, vocabulary: Vocabulary, width: int, *, seed: int) -> None:
        """Draw vectors and biases uniformly from ±1 / (2 D), as the reference program does; sums are 1."""
        self._width, self._padded = width, padded(width + 2)
        self._special = list(vocabulary.special)
        self.words, self.contexts = (aligned_rows(vocabulary.size, 2 * self._padded) for _ in range(2))
        for name, matrix, bias, one in (
            ("words", self.words, width, width + 1),
            ("contexts", self.contexts, width + 1, width),
        ):
            drawn = generator(seed, "glove", name).random((vocabulary.size, width + 1), np.float32)
            drawn = (drawn - np.float32(0.5)) / np.float32(width)
            matrix[:, :width], matrix[:, bias], matrix[:, one] = drawn[:, :width], drawn[:, width], 1
            matrix[:, self._padded :] = 1
            matrix[:, self._padded + one] = _NEVER

    @property
    def pair(self) -> tuple[FloatArray, FloatArray]:
        """Words and contexts, as kernels take them."""
        return self.words, self.contexts

    @property
    def parameters(self) -> int:
        """Numbers that are learnt."""
        return 2 * (self._width + 1) * (len(self.words) - len(self._special))

    def vectors(self) -> tuple[FloatArray, FloatArray]:
        """Return (V, D) the vectors of words and those of contexts, zeros for special ids."""
        found = [matrix[:, : self._width].copy() for matrix in self.pair]
        for vectors in found:
            vectors[self._special] = 0
        return found[0], found[1]

    def arrays(self) -> TensorMap:
        """Return what a checkpoint holds of them."""
        return {"words": self.words, "contexts": self.contexts}

    def restore(self, tensors: Mapping[str, Any]) -> None:
        """Take over what `arrays` gave.

        Raises:
            KeyError: a matrix is missing.
            ValueError: one has another form.
        """
        for name, matrix in self.arrays().items():
            found = tensors[name]
            if found.shape != matrix.shape or found.dtype != matrix.dtype:
                raise ValueError(f"{name} has another form")
            np.copyto(matrix, found)
