"""GloVe: vectors whose products are the logarithms of co-occurrence counts, by weighted least squares.

*Maths.* J = Σ_ij f(X_ij) (w_i·w̃_j + b_i + b̃_j − log X_ij)² over all pairs with X_ij > 0 (Pennington, Socher & Manning
2014, eq. 8), f(x) = min(1, (x / x_max)^α) (eq. 9), one step of AdaGrad a pair. A word's vector is w + w̃ (section 4.2).

*Departs.* As in the reference program the AdaGrad sums begin at 1 and add squares of rate times gradient. Where that
program trains one shuffled list of pairs on threads that overwrite each other's steps, here pairs come in blocks whose
rows stay in cache and that never meet (`ziggurat.training.pair_blocks`): the result is the same to the last bit with
any number of threads. Steps are clipped as a whole, at a size that no sound learning rate reaches, so that no rate
leads to infinite or undefined numbers.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel, thread_count
from ziggurat.core.config import option, to_mapping
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.types import FloatArray
from ziggurat.models.word_vectors import WordVectors
from ziggurat.training.checkpoints import Checkpoint
from ziggurat.training.cooccurrences import Cooccurrences, Window, count_cooccurrences
from ziggurat.training.glove_matrices import Matrices
from ziggurat.training.interruption import stop_requests
from ziggurat.training.job import Fitted, Job
from ziggurat.training.kernels import glove as kernels
from ziggurat.training.ngram_counting import Budget
from ziggurat.training.pair_blocks import PairBlocks, lay_out
from ziggurat.training.saves import Saves
from ziggurat.training.scratch import memory_limit

__all__ = ["Config", "fit"]

_LARGEST_FACTOR = 10.0
_REPORT_SECONDS = 0.5
_FREE = ("threads", "memory", "checkpoint_seconds", "combine", "keep_outputs")
"""Keys that a run may go on with changed."""


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of GloVe."""

    window: int = option(10, "words on each side that count as near", low=1, high=1000)
    symmetric: bool = option(True, "both sides count; false: the words before alone")
    distance_weighting: bool = option(True, "a word d words away counts 1/d; false: 1")
    x_max: float = option(100.0, "count from which pairs weigh fully; 10 suits a few million words", low=1e-3)
    alpha: float = option(0.75, "exponent of the weight of rarer pairs", low=0.0, high=10.0)
    epochs: int = option(15, "passes over all pairs; the paper makes 50 below width 300, else 100", low=1)
    learning_rate: float = option(0.05, "learning rate before AdaGrad lowers it", low=0.0)
    decay: Literal["none", "linear"] = option("none", "linear: the learning rate also falls to 0 over the run")
    combine: Literal["sum", "word"] = option("sum", "a word's vector: sum of its two, or the one as a word alone")
    keep_outputs: bool = option(False, "keep the vectors of words as contexts too")
    memory: str = option("auto", "memory that counting may use, like 800M; the rest goes to disk (auto: half of it)")
    threads: int = option(0, "threads; 0 uses all cores; any number gives the same vectors", low=0)
    checkpoint_seconds: float = option(60.0, "seconds between checkpoints", low=0.0)


def fit(job: Job) -> Fitted:
    """Count co-occurrences and train vectors on them, or go on from the newest checkpoint in the job's folder.

    Counts are not part of a checkpoint: they are made again, and come out the same.

    *Cost.* Some 25 million pairs a second and thread at width 100. Memory for four numbers a component and word.

    Raises:
        TooLittleTextError: no two words stand near each other.
        UsageError: `Config.memory` is not a size, or the model is to have character n-grams.
        InterruptedRunError: the user stopped the run; a checkpoint is saved.
        DiskFullError: working files or a checkpoint could not be written; the checkpoint before it is whole.
        DamagedError: the folder's checkpoints are damaged, or belong to another model or text.
    """
    with stop_requests() as stop_requested:
        return _Run(job, stop_requested).train()


@dataclass
class _Progress:
    """What changes while a run goes on; with the matrices it is what a checkpoint holds."""

    stratum: int = 0
    """Strata done, of all epochs."""
    total: int = 0
    pairs: int = 0
    """Pairs of this epoch that are done."""
    loss: float = 0.0
    """Σ f d² over them."""
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    """Σ f d² of each epoch that is done."""


class _Run:
    """One run's counts, matrices, and how far it is."""

    def __init__(self, job: Job, stop_requested: Any) -> None:
        if job.model_config.spells:
            raise UsageError("model.longest_ngram: GloVe learns words whole; set it to 0, or trainer to word2vec")
        self.job, self.stop_requested = job, stop_requested
        self.config: Config = job.config
        self.threads = thread_count(self.config.threads)
        limit = memory_limit(self.config.memory, where="training.memory")
        self.budget = Budget(limit, self.threads, job.working_folder())
        self.window = Window(self.config.window, self.config.symmetric, self.config.distance_weighting)
        self.blocks = self._count()
        self.matrices = Matrices(job.train.vocabulary, job.model_config.width, seed=job.seed)
        self.progress = _Progress(total=self.blocks.groups * self.config.epochs)
        self.saved_at = self.reported_at = 0.0
        self.saves = Saves(job, self._identity())

    def _count(self) -> PairBlocks:
        job, started = self.job, time.perf_counter()
        job.listener({"event": "stage", "stage": "counting"})
        counts = count_cooccurrences(job.train, self.window, self.budget, self._check)
        if counts.contexts.size == 0:
            raise TooLittleTextError("no two words stand near each other: give more text or lower tokens.min_count")
        blocks = lay_out(counts, job.seed, self.budget)
        self.word_counts, self.mass, self.on_disk = counts.word_counts, _mass(counts), counts.on_disk
        self.counting_seconds = time.perf_counter() - started
        words = int(counts.word_counts.sum())
        facts = {"tokens": words, "pairs": blocks.count, "seconds": self.counting_seconds}
        job.listener({"event": "cooccurrences", **facts})
        job.listener({"event": "stage", "stage": "training"})
        return blocks

    def _check(self) -> None:
        if self.stop_requested():
            raise Saves(self.job).interruption("stopped while counting")

    # -- the loop ---------------------------------------------------------------------------------------------------

    def train(self) -> Fitted:
        resumed = self.saves.resume(self._restore)
        progress = self.progress
        facts = {"parameters": self.matrices.parameters, "total_steps": progress.total}
        self.job.listener({"event": "resume" if resumed else "start", "step": progress.stratum, **facts})
        begun = time.perf_counter() - progress.seconds
        self.saved_at = self.reported_at = progress.seconds
        while progress.stratum < progress.total:
            epoch, place = divmod(progress.stratum, self.blocks.groups)
            for tasks in self.blocks.strata(epoch)[place:]:
                self._train_stratum(tasks)
                progress.seconds = time.perf_counter() - begun
                self._report()
                if self.stop_requested():
                    self._interrupt()
                if self._checkpoint_due():
                    self._save()
        return self._finish()

    def _train_stratum(self, tasks: npt.NDArray[np.int64]) -> None:
        blocks, progress = self.blocks, self.progress
        counter, losses = np.zeros(1, np.int64), np.zeros(len(tasks))
        work = partial(
            kernels.train_blocks,
            self.matrices.pair,
            blocks.pairs,
            blocks.logs,
            tasks,
            self._objective(),
            counter,
            losses,
        )
        in_parallel([work] * min(self.threads, len(tasks)), threads=self.threads)
        progress.stratum += 1
        progress.pairs += int((tasks[:, 1] - tasks[:, 0]).sum())
        progress.loss += float(losses.sum())
        if progress.stratum % blocks.groups == 0:
            progress.losses.append(progress.loss)
            progress.pairs, progress.loss = 0, 0.0

    def _objective(self) -> kernels.Objective:
        """Return what decides the steps of the next stratum."""
        rate = min(self.config.learning_rate, 1e30)
        if self.config.decay == "linear":
            rate *= 1 - self.progress.stratum / self.progress.total
        most, alpha = np.float32(np.log(self.config.x_max)), np.float32(self.config.alpha)
        return kernels.Objective(np.float32(rate), most, alpha, np.float32(_LARGEST_FACTOR))

    def _report(self) -> None:
        """Tell how far the run is, at most every half second and at the end of each epoch."""
        progress, groups = self.progress, self.blocks.groups
        ended = progress.stratum % groups == 0
        if not ended and progress.seconds - self.reported_at < _REPORT_SECONDS:
            return
        self.reported_at = progress.seconds
        pairs = len(progress.losses) * self.blocks.count + progress.pairs
        speed = progress.stratum / max(progress.seconds, 1e-9)
        loss, of = (progress.losses[-1], self.blocks.count) if ended else (progress.loss, progress.pairs)
        self.job.listener(
            {
                "event": "step",
                "step": progress.stratum,
                "epoch": progress.stratum / groups,
                "epochs": self.config.epochs,
                "loss": loss / max(of, 1),
                "total_loss": loss,
                "per": "pair",
                "pairs": pairs,
                "pairs_per_second": pairs / max(progress.seconds, 1e-9),
                "seconds": progress.seconds,
                "seconds_left": (progress.total - progress.stratum) / max(speed, 1e-9),
            }
        )

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def _checkpoint_due(self) -> bool:
        progress = self.progress
        waited = progress.seconds - self.saved_at
        return self.job.folder is not None and 0 < waited >= self.config.checkpoint_seconds

    def _identity(self) -> dict[str, Any]:
        """Return what decides the vectors: a checkpoint must have been made by the same."""
        deciding = {key: value for key, value in to_mapping(self.config).items() if key not in _FREE}
        return {"pairs": self.blocks.count, "mass": self.mass, "seed": self.job.seed, "training": deciding}

    def _save(self) -> None:
        progress = self.progress
        facts = {"progress": asdict(progress)}
        self.saves.save(self.matrices.arrays(), facts, step=progress.stratum, seconds=progress.seconds)
        self.saved_at = progress.seconds

    def _restore(self, checkpoint: Checkpoint) -> None:
        progress = _Progress(**checkpoint.facts["progress"])
        if progress.total != self.progress.total:
            raise ValueError("another number of epochs")
        self.matrices.restore(checkpoint.tensors)
        self.progress = progress

    def _interrupt(self) -> None:
        self._save()
        done = f"stopped after {self.progress.stratum / self.blocks.groups:.2f} of {self.config.epochs} epochs"
        raise self.saves.interruption(done)

    def _finish(self) -> Fitted:
        progress, count = self.progress, self.blocks.count
        facts: dict[str, Any] = {
            "steps": progress.stratum,
            "epochs": self.config.epochs,
            "tokens": int(self.word_counts.sum()),
            "pairs": count,
            "pairs_per_second": count * self.config.epochs / max(progress.seconds, 1e-9),
            "counting_seconds": self.counting_seconds,
            "counted_on_disk": self.on_disk,
            "seconds": progress.seconds,
            "loss": progress.losses[-1] / count,
            "total_loss": progress.losses[-1],
            "losses": [loss / count for loss in progress.losses],
            "threads": self.threads,
        }
        facts |= self._held_out()
        self.job.listener({"event": "end", "step": progress.stratum, "seconds": progress.seconds})
        return Fitted(self._model(), facts)

    def _held_out(self) -> Mapping[str, float | int]:
        """Return the loss on held-out text: its counts, brought to the number of those of the training text."""
        if self.job.dev is None:
            return {}
        counts = count_cooccurrences(self.job.dev, self.window, self.budget)
        if counts.contexts.size == 0:
            return {}
        shift = float(np.log(self.mass / _mass(counts)))
        scale = (float(counts.unit), shift, counts.symmetric)
        span = (0, counts.edges.size - 1)
        total, pairs = kernels.measure_rows(self.matrices.pair, counts.source, span, scale, self._objective())
        return {"dev_loss": total / pairs, "dev_pairs": pairs}

    def _model(self) -> WordVectors:
        words, contexts = self.matrices.vectors()
        vectors: FloatArray = words + contexts if self.config.combine == "sum" else words
        return WordVectors(
            vectors,
            self.job.train.vocabulary,
            config=self.job.model_config,
            outputs=contexts if self.config.keep_outputs else None,
            counts=self.word_counts,
        )


def _mass(counts: Cooccurrences) -> float:
    """Return Σ X over the whole matrix."""
    return float(counts.units.sum()) / counts.unit
