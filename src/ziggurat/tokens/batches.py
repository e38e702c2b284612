"""Which ids a training step sees: a function of seed and step alone, so that a resumed run sees the same.

Axes: **B** rows, **T** time. Every batch is (B, T + 1): the first T columns are read, the last T predicted.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.protocols import TokenStream
from ziggurat.core.seeding import generator
from ziggurat.core.types import IdArray, Vocabulary

__all__ = [
    "LengthBatches",
    "PairBatches",
    "ParallelStreams",
    "ShuffledWindows",
    "TextBatches",
    "alike",
    "padded",
    "shortened",
    "whole_rows",
]

LENGTH_GROUPS = 8
"""Groups of lengths from one power of two to the next: rows of a batch differ in length by about an eighth."""
SHUFFLED = 2.0
"""Ids by which what is beside a length may stand out of order: rows change their company from epoch to epoch."""


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
        return np.asarray(self._tokens[self.places(step)]).astype(np.int64)

    def places(self, step: int) -> npt.NDArray[np.int64]:
        """Return (B, T + 1): where in the stream the ids of training step ``step`` stand."""
        epoch, place = divmod(step, self._per_epoch)
        shift = int(generator(self._seed, "streams", epoch).integers(0, len(self._tokens) - 1)) if epoch else 0
        starts = shift + np.arange(self.rows) * self._stride + place * self.length
        return np.asarray((starts[:, None] + np.arange(self.length + 1)) % len(self._tokens))

    def is_fresh(self, step: int) -> bool:
        """Return whether the rows jump at ``step``, so that a carried state is no longer theirs."""
        return step % self._per_epoch == 0


class LengthBatches:
    """Rows of a data set, those of like length together, so that little of a batch is padding.

    *Idea.* Rows are sorted by length, in groups inside which their order is drawn anew for each epoch, and cut into
    batches of about equally many tokens (Vaswani et al. 2017, section 5.1); the order of the batches is drawn too. Cuts
    depend on lengths alone, so an epoch always has the same number of batches.
    """

    def __init__(
        self,
        lengths: npt.NDArray[np.integer[Any]],
        *,
        tokens: int,
        seed: int,
        name: str,
        beside: npt.NDArray[np.integer[Any]] | None = None,
    ) -> None:
        """Cut rows of ``lengths`` into batches of at most ``tokens``, padding included, and of at least one row.

        ``name`` sets what is drawn apart from what others draw of ``seed``. There must be a row. Rows of one length are
        in the order of what is ``beside`` it, where they have something, each counted as up to `SHUFFLED` more.
        """
        self._beside = np.zeros(len(lengths)) if beside is None else beside.astype(np.float64)
        self._seed, self._name = seed, name
        self._group = _length_groups(lengths.astype(np.int64))
        self._cuts = _cuts(np.sort(self._group), tokens)
        self._epoch = -1
        self._order = self._turns = np.zeros(0, np.int64)

    @property
    def per_epoch(self) -> int:
        """Batches in which every row is seen once."""
        return len(self._cuts) - 1

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the rows of training step ``step`` (0, 1, …)."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            draw = generator(self._seed, self._name, epoch)
            chance = draw.permutation(len(self._group))
            self._order = np.lexsort((chance, self._beside + SHUFFLED * chance / len(chance), self._group))
            self._turns = draw.permutation(self.per_epoch)
            self._epoch = epoch
        turn = int(self._turns[place])
        return self._order[self._cuts[turn] : self._cuts[turn + 1]]


class PairBatches:
    """Pairs of a source and a target, those of like length together (`LengthBatches` of their longer side first).

    *Cost.* 32 bytes of memory a pair.
    """

    def __init__(self, sources: TokenStream, targets: TokenStream, *, tokens: int, longest: int | None, seed: int):
        """Lay pairs out in batches of at most ``tokens`` ids a side, padding included, and of at least one pair.

        Pairs of which a side is longer than ``longest`` ids are left out: see `left_out`.

        Raises:
            TooLittleTextError: no pair is left.
        """
        self._sources, self._targets = sources, targets
        shared = int(targets.vocabulary.bos == targets.vocabulary.eos)
        # what is read: a source without its bos, a target without its last id
        sides = [np.diff(stream.starts) + shared - 1 for stream in (sources, targets)]
        reads = np.maximum(*sides)
        kept = np.arange(len(reads)) if longest is None else np.flatnonzero(reads <= longest)
        self.left_out = len(reads) - len(kept)
        """Pairs that are too long."""
        if not len(kept):
            raise TooLittleTextError(
                f"none of {len(reads)} pairs fits a context of {longest} tokens: give shorter ones, or a larger context"
            )
        self._kept = kept
        # the sign says which side is the longer: pairs of like difference are alike in both
        difference = (sides[0] - sides[1])[kept]
        self._batches = LengthBatches(reads[kept], tokens=tokens, seed=seed, name="pairs", beside=difference)
        predicted = np.diff(targets.starts)[kept] + shared - 1
        self.tokens_per_batch = max(1, round(int(predicted.sum()) / self._batches.per_epoch))
        """Predicted ids of a batch, on average."""

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every pair is seen once."""
        return float(self._batches.per_epoch)

    def batch(self, step: int) -> tuple[list[IdArray], list[IdArray]]:
        """Return the sources ``[s1, …, eos]`` and the targets ``[bos, t1, …, eos]`` of training step ``step``."""
        pairs = self._kept[self._batches.batch(step)].tolist()
        return [self._sources.document(p)[1:] for p in pairs], [self._targets.document(p) for p in pairs]


class TextBatches:
    """Whole documents, those of like length together, each with its number.

    *Idea.* As `PairBatches`, with equally many documents in a batch in place of equally many tokens: what is predicted
    is one thing of each. The last batch of the longest may have fewer.

    *Cost.* 16 bytes of memory a document.
    """

    def __init__(self, stream: TokenStream, *, rows: int, longest: int, seed: int) -> None:
        """Lay documents out in batches of ``rows``; those of more than ``longest`` ids are `shortened`.

        Raises:
            TooLittleTextError: there is no document.
        """
        self._stream, self._seed, self.rows, self.longest = stream, seed, rows, longest
        lengths = np.diff(stream.starts) + int(stream.vocabulary.bos == stream.vocabulary.eos)
        if not len(lengths):
            raise TooLittleTextError("the training split has no text: give more")
        self.cut = int((lengths > longest).sum())
        """Documents that are longer than is read."""
        read = np.minimum(lengths, longest)
        self._group = _length_groups(read)
        self._batches = -(-len(read) // rows)
        self.tokens_per_batch = max(1, round(int(read.sum()) / self._batches))
        """Ids that are read in a batch, on average and without padding."""
        self._epoch = -1
        self._order = self._turns = np.zeros(0, np.int64)

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every document is seen once."""
        return float(self._batches)

    def batch(self, step: int) -> tuple[list[IdArray], npt.NDArray[np.int64]]:
        """Return the documents ``[bos, t1, …, tn, eos]`` of training step ``step``, and their numbers in the stream."""
        epoch, place = divmod(step, self._batches)
        if epoch != self._epoch:
            draw = generator(self._seed, "texts", epoch)
            self._order = np.lexsort((draw.permutation(len(self._group)), self._group))
            self._turns = draw.permutation(self._batches)
            self._epoch = epoch
        first = int(self._turns[place]) * self.rows
        chosen = self._order[first : first + self.rows]
        return [shortened(self._stream.document(number), self.longest) for number in chosen.tolist()], chosen


def shortened(sequence: IdArray, longest: int) -> IdArray:
    """Return a document's ids, of a longer one its first ``longest`` − 1 and its end.

    >>> shortened(np.array([0, 3, 5, 7, 11, 1]), 4).tolist()
    [0, 3, 5, 1]
    """
    if len(sequence) <= longest:
        return sequence
    return np.concatenate([sequence[: longest - 1], sequence[-1:]])


def padded(sequences: Sequence[IdArray]) -> tuple[IdArray, IdArray]:
    """Return (B, T) ids padded with 0 at the right, and (B,) lengths."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int32)
    ids = np.zeros((len(sequences), int(lengths.max(initial=0))), dtype=np.int32)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
    return ids, lengths


def whole_rows(texts: Sequence[IdArray], vocabulary: Vocabulary, longest: int | None) -> list[IdArray]:
    """Return each text's ids as ``[bos, t1, …, tn, eos]``, cut so that none has more than ``longest`` ids."""
    rows = [np.concatenate([[vocabulary.bos], ids, [vocabulary.eos]]).astype(np.int32) for ids in texts]
    return rows if longest is None else [shortened(row, longest) for row in rows]


def alike(lengths: Sequence[int], most: int) -> Iterator[npt.NDArray[np.intp]]:
    """Group the places of sequences of like length, shortest first, so that a group has at most ``most`` padded ids."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        if stop < len(order) and (stop + 1 - start) * lengths[order[stop]] <= most:
            continue
        yield order[start:stop]
        start = stop


def _enough(stream: TokenStream) -> int:
    count = len(stream.tokens)
    if count < 2:
        raise TooLittleTextError(f"{count} tokens are too few to train on: give more text")
    return count


def _length_groups(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the longest length of the group that each length belongs to."""
    lengths = np.maximum(lengths, 1)
    width = np.maximum(1, 2 ** np.floor(np.log2(lengths)).astype(np.int64) // LENGTH_GROUPS)
    return np.asarray(-(-lengths // width) * width)


def _cuts(longest: npt.NDArray[np.int64], tokens: int) -> npt.NDArray[np.int64]:
    """Return where sorted pairs are cut, so that rows × the longest of them stay within ``tokens``."""
    cuts = [0]
    while cuts[-1] < len(longest):
        start = cuts[-1]
        some = longest[start : start + max(1, tokens // int(longest[start]))]
        sizes = some * np.arange(1, len(some) + 1)  # grows, since pairs are sorted
        cuts.append(start + max(1, int(np.searchsorted(sizes, tokens, side="right"))))
    return np.array(cuts)
