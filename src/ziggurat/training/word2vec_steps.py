"""Word2Vec's matrices, and the work on one stretch of text."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ziggurat.core.lanes import BLOCK, aligned_rows
from ziggurat.core.seeding import derive
from ziggurat.core.types import FloatArray, TensorMap
from ziggurat.training.job import Job
from ziggurat.training.kernels import softmax, word2vec
from ziggurat.training.kernels.word2vec import Matrices, Work
from ziggurat.training.word2vec_tables import (
    Counts,
    chances_to_stay,
    huffman_questions,
    sample_questions,
)

__all__ = ["Steps", "Tally"]

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
        """Draw the first vectors; those of targets begin as zeros, as in word2vec.c."""
        config, width, size = job.config, job.model_config.width, counts.size
        self.job, self.config = job, config
        first: Any = job.family.build(job.model_config, job.train.vocabulary, seed=job.seed)
        self.matrices = Matrices(aligned_rows(size, width), aligned_rows(size, width))
        self.matrices.inputs[:, :width] = first.vectors
        self.stay = chances_to_stay(counts, config.sample)
        self.keep_all = chances_to_stay(counts, 0.0)
        vocabulary = job.train.vocabulary
        self.ends = (vocabulary.bos, vocabulary.eos, -1 if vocabulary.unk is None else vocabulary.unk)
        self.words = np.setdiff1d(np.arange(size, dtype=np.int32), vocabulary.special)
        tree = config.objective == "hierarchical"
        self.questions = huffman_questions(counts) if tree else sample_questions(counts, config.power)
        self.taken, self.room = self._blocks()
        self._train = self._kernel()

    def work(self, stretch: int) -> Work:
        """Return one thread's memory for stretches of so many tokens."""
        rows, block = 2 * self.config.window, len(self.taken)
        return Work(
            state=np.zeros(1, np.uint64),
            kept=np.empty(stretch, np.int32),
            rows=np.empty(rows, np.int32),
            targets=np.zeros(2 * self.room, np.int32),
            labels=np.zeros(2 * self.room, np.float32),
            products=np.zeros(rows * block + 2 * 16, np.float32),
            losses=np.zeros(rows * block + 2 * 16, np.float32),
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

    def _go(self, tokens: Any, rate: float, seed: int, chances: Any, work: Work) -> Tally:
        work.state[0] = seed
        words, kept = word2vec.keep_words(np.ascontiguousarray(tokens, np.int32), chances, self.ends, work)
        nats, predictions = self._train(kept, np.float32(rate), work)
        return Tally(words, nats, predictions)

    def _kernel(self) -> Any:
        config = self.config
        cbow = config.architecture == "cbow"
        if config.objective == "softmax":
            window = (config.window, int(config.dynamic_window), int(cbow))

            def train(kept: int, rate: np.float32, work: Work) -> tuple[float, int]:
                return softmax.train_softmax(kept, self.matrices, self.words, window, rate, work)

            return train
        kernel = word2vec.train_bags if cbow else word2vec.train_pairs
        window = (config.window, int(config.dynamic_window), config.negatives)

        def ask(kept: int, rate: np.float32, work: Work) -> tuple[float, int]:
            return kernel(kept, self.matrices, self.questions, window, self.taken, rate, work)

        return ask

    def _blocks(self) -> tuple[tuple[int, ...], int]:
        """Return a tuple as long as questions are put at once, and the room that the questions of a word need."""
        if self.questions.starts.size:
            block, longest = _PATH_BLOCK, int(np.diff(self.questions.starts).max())
        else:
            longest = 1 + self.config.negatives
            block = -(-longest // -(-longest // BLOCK))
        return (0,) * block, -(-longest // block) * block
