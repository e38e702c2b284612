"""Which ids a training step sees: a function of seed and step alone, so that a resumed run sees the same.

Axes: **B** rows, **T** time. Every batch is (B, T + 1): the first T columns are read, the last T predicted.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.protocols import TokenStream
from ziggurat.core.seeding import generator
from ziggurat.core.types import IdArray

__all__ = ["ParallelStreams", "ShuffledWindows", "padded"]


class ShuffledWindows:
    """Windows of T + 1 ids in random order; an epoch sees no stretch of the text twice.

    *Idea.* An epoch cuts the stream into windows that overlap by the one id that is both target and next context, from
    an offset of its own, and shuffles them; so cuts fall elsewhere each time, and so do the fewer than 2 T ids before
    the first window and after the last that this epoch leaves out.
    """

    def __init__(self, stream: TokenStream, *, rows: int, length: int, seed: int) -> None:
        """Cut ``stream`` into windows of ``length`` + 1 ids, ``rows`` a batch.

        Raises:
            TooLittleTextError: the stream is shorter than one window of 2 ids.
        """
        self.tokens = stream.tokens
        self._count = _enough(stream) - 1
        self.length = min(length, self._count)
        self.rows = rows
        self._seed = seed
        self._per_epoch = max(1, self._count // self.length - 1) if self._count > self.length else 1
        self._epoch = -1
        self._order: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every window is seen once."""
        return self._per_epoch / self.rows

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Return (B, T + 1) ids of training step ``step`` (0, 1, …)."""
        return np.asarray(self.tokens[self.places(step)]).astype(np.int64)

    def places(self, step: int) -> npt.NDArray[np.int64]:
        """Return (B, T + 1): where in the stream the ids of training step ``step`` stand."""
        starts = [self._start(number) for number in range(step * self.rows, (step + 1) * self.rows)]
        return np.array(starts, dtype=np.int64)[:, None] + np.arange(self.length + 1)

    def _start(self, number: int) -> int:
        epoch, place = divmod(number, self._per_epoch)
        if epoch != self._epoch:
            draw = generator(self._seed, "windows", epoch)
            room = self._count - self._per_epoch * self.length
            self._order = draw.permutation(self._per_epoch) * self.length + draw.integers(0, room + 1)
            self._epoch = epoch
        return int(self._order[place])


class ParallelStreams:
    """B places in the text read side by side, each batch going on where the last one ended.

    *Idea.* Truncated backpropagation through time: row b reads its own B-th of the text, and the state after one
    window begins the next (Mikolov et al. 2010, section 2).
    """

    def __init__(self, stream: TokenStream, *, rows: int, length: int, seed: int) -> None:
        """Lay ``stream`` out in ``rows`` rows and read windows of ``length`` ids.

        Raises:
            TooLittleTextError: the stream is shorter than one window of 2 ids.
        """
        self._tokens = stream.tokens
        count = _enough(stream)
        self.rows = min(rows, count - 1)
        self._stride = (count - 1) // self.rows
        self.length = min(length, self._stride)
        self._seed = seed
        self._per_epoch = self._stride // self.length

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every place is read once."""
        return float(self._per_epoch)

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Return (B, T + 1) ids of training step ``step``; the rows begin elsewhere in every epoch."""
        epoch, place = divmod(step, self._per_epoch)
        shift = int(generator(self._seed, "streams", epoch).integers(0, len(self._tokens) - 1)) if epoch else 0
        starts = shift + np.arange(self.rows) * self._stride + place * self.length
        index = (starts[:, None] + np.arange(self.length + 1)) % len(self._tokens)
        return np.asarray(self._tokens[index]).astype(np.int64)

    def is_fresh(self, step: int) -> bool:
        """Return whether the rows jump at ``step``, so that a carried state is no longer theirs."""
        return step % self._per_epoch == 0


def padded(sequences: Sequence[IdArray]) -> tuple[IdArray, IdArray]:
    """Return (B, T) ids padded with 0 at the right, and (B,) lengths."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int32)
    ids = np.zeros((len(sequences), int(lengths.max(initial=0))), dtype=np.int32)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
    return ids, lengths


def _enough(stream: TokenStream) -> int:
    count = len(stream.tokens)
    if count < 2:
        raise TooLittleTextError(f"{count} tokens are too few to train on: give more text")
    return count
