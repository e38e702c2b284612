"""Trains networks that stand on counts: count first, then learn what the counts leave unexplained.

*Idea.* Counts know the text that they were made from by heart. A network that learnt on that same text would believe
them blindly, and be wrong on every other. So the text is cut into folds, and what the network reads of a fold it reads
with counts of all the other folds (cross-fitting, as in stacked generalisation: Wolpert 1992). The finished model
stands on the counts of the whole text, which are a little better than any that the network has seen.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel, thread_count
from ziggurat.core.config import option
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.protocols import TokenStream
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.blocks.counted import CountedNetwork
from ziggurat.models.counting import counted_by, reader_of
from ziggurat.models.ngram_reading import NgramReader
from ziggurat.models.ngram_trie import NgramTrie
from ziggurat.training import gradient
from ziggurat.training.job import Fitted, Job
from ziggurat.training.kneser_ney import smooth
from ziggurat.training.ngram_counting import Budget, count_ngrams
from ziggurat.training.ngram_sorting import Shape
from ziggurat.training.objectives.next_token import NextToken
from ziggurat.training.objectives.objective import Loss
from ziggurat.training.scratch import memory_limit
from ziggurat.training.torchrun import current

__all__ = ["Config", "fit"]


@dataclass(frozen=True)
class Config(gradient.Config):
    """The ``[training]`` keys of networks on counts: those of every neural model, and how is counted."""

    folds: int = option(8, "parts of the text, each read with counts of the others", low=2)
    memory: str = option(
        "auto", "memory that counting may use, like 800M or 4G; what does not fit goes to disk (auto: half of it)"
    )
    threads: int = option(0, "threads that count at once; 0 uses all cores", low=0)


def fit(job: Job) -> Fitted:
    """Count the job's text and train its network on the counts, as `ziggurat.training.gradient.run` says.

    A budget in minutes is for both. Nothing is counted before all keys of the recipe are found to be right.

    Raises:
        TooLittleTextError: the text has fewer tokens than folds.
        UsageError: counting alone takes more than the minutes given.
    """
    counts = _Counts(job)
    fitted = gradient.run(job, lambda job, model: _Residual(job, model, counts), before=counts.make)
    facts = {"ngrams_kept": counts.whole.counts(), "folds": len(counts.folds), "counting_seconds": counts.seconds}
    return dataclasses.replace(fitted, facts={**fitted.facts, **facts})


class _Counts:
    """The n-gram models of a job: of the whole text, and of what is left without each fold; made when told to."""

    whole: NgramTrie
    folds: list[NgramTrie]
    seconds: float
    """What making them took."""

    def __init__(self, job: Job) -> None:
        self.job = job
        config: Config = job.config
        count = job.train.tokens.size
        if count <= config.folds:
            raise TooLittleTextError(f"{count} tokens are too few for {config.folds} folds: give more text")
        self.memory_bytes = memory_limit(config.memory, where="training.memory")
        self.cuts = _cuts(job.train, config.folds)
        self._waiting: list[Callable[[], None]] | None = []

    def then(self, use: Callable[[], None]) -> None:
        """Call ``use`` once they are made, which may be at once."""
        if self._waiting is None:
            use()
        else:
            self._waiting.append(use)

    def make(self) -> float:
        """Count; return the seconds that it took."""
        started = time.perf_counter()
        self._count()
        # several processes count each for itself, and must have the same budget left or they would not end together
        self.seconds = current().told(time.perf_counter() - started)
        tokens = int(self.job.train.tokens.size)
        self.job.listener({"event": "counted", "tokens": tokens, "ngrams": sum(self.whole.counts())})
        waiting, self._waiting = self._waiting or [], None
        for use in waiting:
            use()
        return self.seconds

    def _count(self) -> None:
        job, stream = self.job, self.job.train
        config: Config = job.config
        vocabulary, order = stream.vocabulary, job.model_config.order
        shape = Shape(order, vocabulary.size, vocabulary.bos, vocabulary.eos)
        threads = thread_count(config.threads)
        budget = Budget(self.memory_bytes, threads, job.working_folder())

        def counted(tokens: npt.NDArray[Any]) -> NgramTrie:
            return smooth(
                count_ngrams(tokens, shape, budget, raw=False, workers=job.workers),
                discounts=None,
                prune=(0,) * order,
                threads=threads,
            )[0]

        self.whole = counted(stream.tokens)
        self.folds = [
            counted(np.concatenate([stream.tokens[:start], stream.tokens[stop:]]))
            for start, stop in zip(self.cuts[:-1], self.cuts[1:], strict=True)
        ]

    def fold_of(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """Return the fold that each place in the text belongs to."""
        return np.searchsorted(self.cuts, places, side="right") - 1


class _Residual(NextToken):
    """Next tokens, each read with the counts that have not seen it."""

    def __init__(self, job: Job, model: object, counts: _Counts) -> None:
        config: Config = job.config
        super().__init__(job, model, rows=config.rows, window=config.window)
        if not isinstance(self.network, CountedNetwork):
            raise UsageError(f"a {job.family.name} model does not stand on counts: train it by another trainer")
        self.counts = counts
        counts.then(self._stand)

    def _stand(self) -> None:
        """Let the network stand on the counts of the whole text, and have those of its parts at hand."""
        assert isinstance(self.network, CountedNetwork)  # noqa: S101 - checked in the beginning
        self.own = counted_by(self.network, self.counts.whole)
        self.others = _Folds([reader_of(self.network, fold) for fold in self.counts.folds])

    def loss(self, number: int) -> Loss:
        """Return the mean nats per token of batch ``number``, and how many these are."""
        self.others.of_targets = self.counts.fold_of(self.batches.places(number)[self.rows, 1:])
        with self._unseen():
            return super().loss(number)

    @contextmanager
    def _unseen(self) -> Iterator[None]:
        """Let the network stand on counts of other text than it reads."""
        assert isinstance(self.network, CountedNetwork)  # noqa: S101 - checked in the beginning
        self.network.counts = self.others
        try:
            yield
        finally:
            self.network.counts = self.own


class _Folds:
    """Counts of which each token of a batch has those that have not seen it."""

    def __init__(self, readers: list[NgramReader]) -> None:
        self.readers = readers
        self.of_targets: npt.NDArray[np.intp] = np.zeros((0, 0), np.intp)
        """(B, T) the fold of the token behind each place, which is the one to be predicted."""

    def read(self, before: IdArray, ids: IdArray) -> FloatArray:
        """Return (B, T, K + R, V) (see `ziggurat.models.ngram_reading.Counts`)."""
        one = self.readers[0]
        found = np.empty((*ids.shape, one.channels, one.trie.size), np.float32)
        rows = [slice(row, row + 1) for row in range(len(ids))]
        tasks = [partial(self._fill, before[row], ids[row], self.of_targets[row], found[row]) for row in rows]
        in_parallel(tasks, threads=thread_count())
        return found

    def _fill(self, before: IdArray, ids: IdArray, folds: npt.NDArray[np.intp], found: FloatArray) -> None:
        """Fill a row; one that lies across folds is read with the counts of each, and each place takes from its own."""
        first, *others = np.unique(folds).tolist()
        self.readers[first].fill(before, ids, found)
        for fold in others:
            own = folds == fold
            found[own] = self.readers[fold].read(before, ids)[own]


def _cuts(stream: TokenStream, folds: int) -> npt.NDArray[np.int64]:
    """Return where folds begin, and the end: at beginnings of documents where these are many and near, else anywhere.

    So folds grow by no more than half, however unlike documents are in length, and none is empty.
    """
    even = np.linspace(0, stream.tokens.size, folds + 1).astype(np.int64)
    if len(stream.starts) > 4 * folds:
        starts = np.append(stream.starts, stream.tokens.size)
        next_start = starts[np.searchsorted(starts, even[1:-1])]
        near = next_start - even[1:-1] < stream.tokens.size / folds / 2
        even[1:-1] = np.where(near, next_start, even[1:-1])
    return even
