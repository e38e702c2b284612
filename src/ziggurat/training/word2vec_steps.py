"""Word2Vec's matrices, and the work on one stretch of text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ziggurat.core.errors import UsageError
from ziggurat.core.lanes import BLOCK, WIDTH, aligned_rows
from ziggurat.core.seeding import derive, uniform_rows
from ziggurat.core.types import FloatArray, IdArray, TensorMap
from ziggurat.training.job import Job
from ziggurat.training.kernels.softmax import train_softmax
from ziggurat.training.kernels.spelled import Bags, compose, train_spelled
from ziggurat.training.kernels.word2vec import Matrices, Work, keep_words, train_bags, train_pairs
from ziggurat.training.word2vec_tables import (
    chances_to_stay,
    huffman_questions,
    sample_questions,
)
from ziggurat.training.word_counts import Counts

__all__ = ["Steps", "Tally"]

_Kernel: TypeAlias = Callable[[int, np.float32, Work], tuple[float, int]]

_PATH_BLOCK = 4
"""Nodes of a path that are asked at once: paths have any length, and what fills a block up is work for nothing."""


@dataclass
class Tally:
    """What was read and predicted."""

    words: int = 0
    nats: float = 0.0
    predictions: int = 0

    @property
    def loss(self) -> float:
        """Mean nats of a prediction."""
        return self.nats / max(1, self.predictions)

    def add(self, other: "Tally") -> None:
        """Add what another tally counted."""
        self.words += other.words
        self.nats += other.nats
        self.predictions += other.predictions

    def numbers(self) -> list[float]:
        """Return the three numbers that make an equal one."""
        return [self.words, self.nats, self.predictions]


class Steps:
    """The matrices of one run, and what is done to them for a stretch of text."""

    def __init__(self, job: Job, counts: Counts) -> None:
        """Draw the first vectors; those of targets begin as zeros, as in word2vec.c.

        Raises:
            UsageError: the exact softmax is asked for together with character n-grams.
        """
        self.job, self.config, self.counts = job, job.config, counts
        self.bags, self.buckets = self._bags()
        rows, width = counts.size + self.buckets.size, job.model_config.width
        self.matrices = Matrices(aligned_rows(rows, width), aligned_rows(counts.size, width))
        first: Any = job.family.build(job.model_config, job.train.vocabulary, seed=job.seed)
        self.matrices.inputs[: counts.size, :width] = first.vectors
        if self.buckets.size:
            self.matrices.inputs[counts.size :, :width] = uniform_rows(self.buckets.size, width, job.seed, "ngrams")
        self.stay = chances_to_stay(counts, self.config.sample)
        self.keep_all = chances_to_stay(counts, 0.0)
        vocabulary = job.train.vocabulary
        self.ends = (vocabulary.bos, vocabulary.eos, -1 if vocabulary.unk is None else vocabulary.unk)
        tree = self.config.objective == "hierarchical"
        self.questions = huffman_questions(counts) if tree else sample_questions(counts, self.config.power)
        self.taken, self.room = self._blocks()
        self._train = self._kernel()

    def work(self, stretch: int) -> Work:
        """Return one thread's memory for stretches of so many tokens."""
        window, block = 2 * self.config.window, len(self.taken)
        longest = int(np.diff(self.bags.starts).max(initial=1))
        return Work(
            state=np.zeros(1, np.uint64),
            kept=np.empty(stretch, np.int32),
            rows=np.empty(window, np.int32),
            bag=np.empty(window * longest, np.int32),
            targets=np.zeros(2 * self.room, np.int32),
            labels=np.zeros(2 * self.room, np.float32),
            products=np.zeros(window * block + 2 * WIDTH, np.float32),
            losses=np.zeros(window * block + 2 * WIDTH, np.float32),
            mean=np.zeros(1, np.int32),
            hidden=aligned_rows(2, self.job.model_config.width),
        )

    def stretch(self, tokens: Any, rate: float, number: int, work: Work) -> Tally:
        """Train on the stretch ``number`` at learning rate ``rate``."""
        return self._go(tokens, rate, derive(self.job.seed, "stretch", number), self.stay, work)

    def measure(self, tokens: Any, number: int, work: Work) -> Tally:
        """Return the loss of a stretch with all its words; its draws depend on nothing but its number."""
        return self._go(tokens, 0.0, derive(0, "measure", number), self.keep_all, work)

    def arrays(self) -> dict[str, FloatArray]:
        """Return what a checkpoint must hold."""
        return self.matrices._asdict()

    def restore(self, arrays: TensorMap) -> None:
        """Go on with the arrays of a checkpoint.

        Raises:
            KeyError, ValueError: they are those of another run.
        """
        for name, own in self.arrays().items():
            if arrays[name].shape != own.shape:
                raise ValueError(f"'{name}' has another shape")
            own[:] = arrays[name]

    def vectors(self) -> FloatArray:
        """Return (V, D) the words' vectors as they are now; with n-grams, the means of their bags."""
        vectors = np.ascontiguousarray(self._narrow(self.matrices.inputs)[: self.counts.size])
        if self.buckets.size:
            compose(self.matrices.inputs, self.bags, vectors)
        return vectors

    def outputs(self) -> FloatArray:
        """Return (V, D) the vectors of targets."""
        return np.ascontiguousarray(self._narrow(self.matrices.outputs))

    def ngrams(self) -> tuple[IdArray, FloatArray] | None:
        """Return the buckets of n-grams that words of the text have, and their vectors; None without n-grams."""
        rows = self._narrow(self.matrices.inputs)[self.counts.size :]
        return (self.buckets, np.ascontiguousarray(rows)) if self.buckets.size else None

    def _narrow(self, matrix: FloatArray) -> FloatArray:
        return matrix[:, : self.job.model_config.width]

    def _go(self, tokens: Any, rate: float, seed: int, chances: Any, work: Work) -> Tally:
        work.state[0] = seed
        words, kept = keep_words(np.ascontiguousarray(tokens, np.int32), chances, self.ends, work)
        nats, predictions = self._train(kept, np.float32(rate), work)
        return Tally(words, nats, predictions)

    def _kernel(self) -> _Kernel:
        """Return the compiled loop for the run's objective, with all that does not change."""
        config, matrices = self.config, self.matrices
        cbow, dynamic = int(config.architecture == "cbow"), int(config.dynamic_window)
        if config.objective == "softmax":
            words = np.flatnonzero(self.counts).astype(np.int32)
            window = (config.window, dynamic, cbow)
            return lambda kept, rate, work: train_softmax(kept, matrices, words, window, rate, work)
        questions, taken = self.questions, self.taken
        if self.buckets.size:
            spelled, reach = (questions, self.bags), (config.window, dynamic, config.negatives, cbow)
            return lambda kept, rate, work: train_spelled(kept, matrices, spelled, reach, taken, rate, work)
        train, window = train_bags if cbow else train_pairs, (config.window, dynamic, config.negatives)
        return lambda kept, rate, work: train(kept, matrices, questions, window, taken, rate, work)

    def _bags(self) -> tuple[Bags, IdArray]:
        """Return the rows that each word consists of, and the buckets whose rows stand behind the words' own."""
        size, spelling = self.counts.size, self.job.spelling
        if spelling is None:
            return Bags(np.zeros(0, np.int64), np.zeros(0, np.int32)), np.zeros(0, np.int32)
        if self.config.objective == "softmax":
            raise UsageError("training.objective: softmax knows whole words only; set model.longest_ngram to 0")
        lengths = np.where(self.counts > 0, np.diff(spelling.starts), 0)
        occurring = np.repeat(self.counts > 0, np.diff(spelling.starts))
        buckets, places = np.unique(spelling.buckets[occurring], return_inverse=True)
        starts = np.concatenate([[0], np.cumsum(np.where(self.counts > 0, lengths + 1, 0))])
        rows = np.empty(starts[-1], np.int32)
        own = np.zeros(rows.size, np.bool_)
        own[starts[:-1][self.counts > 0]] = True
        rows[own], rows[~own] = np.flatnonzero(self.counts), size + places
        return Bags(starts, rows), buckets.astype(np.int32)

    def _blocks(self) -> tuple[tuple[int, ...], int]:
        """Return a tuple as long as questions are put at once, and the room that the questions of a word need."""
        if self.questions.starts.size:
            block, longest = _PATH_BLOCK, int(np.diff(self.questions.starts).max())
        else:
            longest = 1 + self.config.negatives
            block = -(-longest // -(-longest // BLOCK))
        return (0,) * block, -(-longest // block) * block
