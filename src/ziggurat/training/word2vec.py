"""Word2Vec: vectors that predict a word's neighbours, trained in one pass after another over the text.

*Idea.* The text is cut into stretches, read in another order in each pass, which made better vectors of novels than
their own order (docs/experiments.md). Threads take them in turn and work on shared matrices without a lock (Hogwild,
Recht et al. 2011): two of them seldom touch the same row at the same moment, and when they do, little is lost. What a
stretch draws depends on its number and the seed alone, so one thread gives the same vectors every time, and a run that
was stopped goes on as if it had not been. Speed does not depend on how long sentences are.

Skip-gram asks each neighbour of a word for the word; CBOW asks the neighbours' mean (Mikolov et al. 2013a; many texts
swap the two names).
"""

import functools
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import thread_count
from ziggurat.core.config import option, to_mapping
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.seeding import generator
from ziggurat.models.word_vectors import WordVectors
from ziggurat.training.checkpoints import Checkpoint
from ziggurat.training.interruption import stop_requests
from ziggurat.training.job import Fitted, Job
from ziggurat.training.saves import Saves
from ziggurat.training.word2vec_steps import Steps, Tally
from ziggurat.training.word_counts import count_words

__all__ = ["Config", "fit"]

_LONGEST_STRETCH, _SHORTEST_STRETCH, _STRETCHES = 10_000, 1_000, 64
_REPORT_SECONDS = 0.5
_PART = 1_000
"""Tokens of held-out text whose loss is told apart, so that one can see how far chance goes."""
_FREE = ("threads", "checkpoint_seconds", "keep_outputs")
"""Keys that may change where a run goes on."""


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of Word2Vec."""

    architecture: Literal["skipgram", "cbow"] = option(
        "skipgram", "skipgram: each neighbour predicts the centre; cbow: the neighbours' mean does"
    )
    objective: Literal["negative", "hierarchical", "softmax"] = option(
        "negative", "negative samples; a Huffman tree; or the exact softmax, for small vocabularies"
    )
    negatives: int = option(5, "words drawn against each centre (negative)", low=1, high=100)
    power: float = option(0.75, "exponent of counts that negatives are drawn by", low=-4.0, high=4.0)
    window: int = option(5, "words on each side of a centre", low=1, high=1000)
    dynamic_window: bool = option(True, "take fewer at random, so that near words count more")
    sample: float = option(1e-3, "frequency above which words are left out more and more often; 0 keeps all", low=0.0)
    epochs: int = option(5, "passes over the text", low=1)
    learning_rate: float = option(0.025, "learning rate at the beginning", low=0.0)
    final_rate: float = option(1e-4, "learning rate at the end; it falls in a straight line", low=0.0)
    threads: int = option(0, "threads; 0 uses all cores, 1 gives the same vectors every time", low=0)
    keep_outputs: bool = option(False, "keep the vectors of words as targets too")
    checkpoint_seconds: float = option(60.0, "seconds between checkpoints", low=0.0)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        if self.keep_outputs and self.objective == "hierarchical":
            raise UsageError("keep_outputs: a tree's targets are its nodes and no words; choose another objective")


def fit(job: Job) -> Fitted:
    """Train word vectors, or go on from the newest checkpoint in the job's folder.

    *Cost.* A million words a second and thread, and more at small widths; memory for two matrices of all words.

    Raises:
        TooLittleTextError: there are no two words to learn from.
        UsageError: keys do not go together, or the learning rate is so high that vectors grow beyond all numbers.
        InterruptedRunError: the user stopped the run; a checkpoint is saved.
        DiskFullError: a checkpoint could not be written; the one before it is whole.
        DamagedError: the folder's checkpoints are damaged, or belong to another model.
    """
    return _Run(job).train()


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, stretches: int) -> npt.NDArray[np.int64]:
    """Return the order in which an epoch reads the stretches."""
    return generator(seed, "order", epoch).permutation(stretches)


class _Run:
    """One run's matrices and how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.config: Config = job.config
        counts = count_words(job.train)
        if (counts > 0).sum() < 2:
            raise TooLittleTextError(
                "fewer than two different words to learn from: give more text or lower tokens.min_count"
            )
        self.steps = Steps(job, counts)
        size = job.train.tokens.size
        self.stretch = min(_LONGEST_STRETCH, max(_SHORTEST_STRETCH, size // _STRETCHES))
        self.per_epoch = -(-size // self.stretch)
        self.total = self.per_epoch * self.config.epochs
        self.next = 0
        self.tallies = [Tally() for _ in range(self.config.epochs)]
        self.seconds = self.saved_at = 0.0
        self.saves = Saves(job, self._identity())
        self.lock = threading.Lock()

    def train(self) -> Fitted:
        resumed = self.saves.resume(self._restore)
        parameters = sum(matrix.size for matrix in self.steps.matrices)
        facts = {"parameters": parameters, "total_steps": self.total}
        self.saved_at = self.seconds
        with stop_requests() as stop_requested:
            self.job.listener({"event": "resume" if resumed else "start", "step": self.next, **facts})
            while self.next < self.total:
                self._work(stop_requested)
                if self.next < self.total:
                    self._save()
                    if stop_requested():
                        raise self.saves.interruption(f"stopped at step {self.next}")
        return self._finish()

    # -- the loop ---------------------------------------------------------------------------------------------------

    def _work(self, stop_requested: Any) -> None:
        """Let threads take stretches until all are done, a stop is asked for, or a checkpoint is due."""
        began = time.perf_counter() - self.seconds
        halt = threading.Event()

        def stopped() -> bool:
            return halt.is_set() or bool(stop_requested())

        threads = thread_count(self.config.threads)
        with ThreadPoolExecutor(threads) as pool:
            running: set[Future[None]] = {pool.submit(self._take, halt, stopped, began) for _ in range(threads)}
            try:
                while running:
                    ended, running = wait(running, timeout=_REPORT_SECONDS)
                    for one in ended:
                        one.result()
                    self.seconds = time.perf_counter() - began
                    self._report()
            finally:
                halt.set()
        self.seconds = time.perf_counter() - began

    def _take(self, halt: threading.Event, stopped: Callable[[], bool], began: float) -> None:
        """Take one stretch after another, and tell all threads to halt when a checkpoint is due."""
        work = self.steps.work(self.stretch)
        while not stopped():
            with self.lock:
                number = self.next
                if number >= self.total:
                    return
                self.next += 1
            epoch, turn = divmod(number, self.per_epoch)
            place = int(_order(self.job.seed, epoch, self.per_epoch)[turn])
            tokens = self.job.train.tokens[place * self.stretch : (place + 1) * self.stretch]
            done = self.steps.stretch(tokens, self._rate(number), number, work)
            if not math.isfinite(done.nats):
                raise self._exploded()
            with self.lock:
                self.tallies[epoch].add(done)
            waited = time.perf_counter() - began - self.saved_at
            if self.job.folder is not None and waited >= self.config.checkpoint_seconds:
                halt.set()

    def _exploded(self) -> UsageError:
        rate = self.config.learning_rate
        return UsageError(f"training.learning_rate: vectors grew beyond all numbers; lower it (now {rate:g})")

    def _rate(self, number: int) -> float:
        """Return the learning rate of a stretch: from the first to the last in a straight line."""
        part = number / self.total
        return float(self.config.learning_rate * (1 - part) + self.config.final_rate * part)

    def _report(self) -> None:
        with self.lock:
            done, words = self.next, sum(tally.words for tally in self.tallies)
            recent = next((tally for tally in reversed(self.tallies) if tally.predictions), Tally())
        speed = done / max(self.seconds, 1e-9)
        self.job.listener(
            {
                "event": "step",
                "step": done,
                "epoch": done / self.per_epoch,
                "epochs": self.config.epochs,
                "loss": recent.loss,
                "per": "pair",
                "learning_rate": self._rate(done),
                "words": words,
                "words_per_second": words / max(self.seconds, 1e-9),
                "seconds": self.seconds,
                "seconds_left": (self.total - done) / max(speed, 1e-9),
            }
        )

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def _identity(self) -> dict[str, Any]:
        """Return what decides the vectors beside their number: a checkpoint must have been made by the same."""
        deciding = {key: value for key, value in to_mapping(self.config).items() if key not in _FREE}
        return {"seed": self.job.seed, "words": int(self.steps.counts.sum()), "training": deciding}

    def _save(self) -> None:
        progress = {
            "next": self.next,
            "total": self.total,
            "seconds": self.seconds,
            "tallies": [tally.numbers() for tally in self.tallies],
        }
        self.saves.save(self.steps.arrays(), {"progress": progress}, step=self.next, seconds=self.seconds)
        self.saved_at = self.seconds

    def _restore(self, checkpoint: Checkpoint) -> None:
        progress = checkpoint.facts["progress"]
        if (progress["total"], len(progress["tallies"])) != (self.total, self.config.epochs):
            raise ValueError("another number of stretches or passes")
        self.steps.restore(checkpoint.tensors)
        self.next, self.seconds = int(progress["next"]), float(progress["seconds"])
        self.tallies = [Tally(*numbers) for numbers in progress["tallies"]]

    def _finish(self) -> Fitted:
        vectors = self.steps.vectors()
        if not np.isfinite(np.einsum("vd,vd->v", vectors, vectors)).all():  # whose lengths no question could ask for
            raise self._exploded()
        words = sum(tally.words for tally in self.tallies)
        facts: dict[str, Any] = {
            "steps": self.next,
            "tokens": words,
            "epochs": self.config.epochs,
            "seconds": self.seconds,
            "words_per_second": words / max(self.seconds, 1e-9),
            "loss": self.tallies[-1].loss,
            "losses": [tally.loss for tally in self.tallies],
            "threads": thread_count(self.config.threads),
        }
        if self.job.dev is not None:
            parts = self._held_out(self.job.dev.tokens)
            held_out = Tally()
            for part in parts:
                held_out.add(part)
            facts |= {"dev_loss": held_out.loss, "dev_pairs": held_out.predictions}
            facts["dev_parts"] = [[round(part.nats, 4), part.predictions] for part in parts if part.predictions]
        self.job.listener({"event": "end", "step": self.next, "seconds": self.seconds})
        outputs = self.steps.outputs() if self.config.keep_outputs else None
        model = WordVectors(
            vectors,
            self.job.train.vocabulary,
            config=self.job.model_config,
            outputs=outputs,
            ngrams=self.steps.ngrams(),
            counts=self.steps.counts,
        )
        return Fitted(model, facts)

    def _held_out(self, tokens: Any) -> list[Tally]:
        """Return the loss on each part of held-out text: every word, draws that are always the same, no change."""
        work, size = self.steps.work(self.stretch), min(self.stretch, _PART)
        starts = enumerate(range(0, tokens.size, size))
        return [self.steps.measure(tokens[start : start + size], number, work) for number, start in starts]
