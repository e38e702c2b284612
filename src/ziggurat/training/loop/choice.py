"""Which weights of a run become its model: held-out text is looked at now and then, and the best are kept."""

import logging
from contextlib import nullcontext

import torch

from ziggurat.core.errors import DamagedError
from ziggurat.training.checkpoints import BEST, Checkpoint, read_checkpoint, write_checkpoint
from ziggurat.training.job import Job
from ziggurat.training.loop.config import Config
from ziggurat.training.loop.held import Held, arrays, tensors
from ziggurat.training.loop.progress import Progress
from ziggurat.training.objectives.objective import Objective

__all__ = ["Choice"]

_LOG = logging.getLogger("ziggurat")


class Choice:
    """The best weights so far, in memory and in the run's folder."""

    def __init__(self, job: Job, objective: Objective, held: Held) -> None:
        """Begin without any."""
        self.job = job
        self.config: Config = job.config
        self.objective = objective
        self.held = held
        self.weights: dict[str, torch.Tensor] = {}
        self.averaged = True
        """Whether the mean was better than the weights themselves when last measured; until then it is taken to be."""
        self._measures_nothing = False

    def evaluate(self, progress: Progress) -> None:
        """Measure the held-out text, keep the weights where they are the best, and write down in ``progress``.

        Raises:
            DiskFullError: the best weights could not be written.
        """
        loss = self._measured()
        if loss is None:
            if not self._measures_nothing:
                _LOG.warning("nothing in the held-out text can be predicted: the last weights are kept, not the best")
            self._measures_nothing = True
            return
        self.averaged, of_mean = False, self._measured_of_mean()
        if of_mean is not None and of_mean < loss:
            self.averaged, loss = True, of_mean
        progress.last_loss = loss
        progress.stale += 1
        if loss < progress.best_loss:
            progress.best_loss, progress.best_step, progress.stale = loss, progress.step, 0
            with self.held.average.shown() if self.averaged else nullcontext():
                self._keep(progress)
        if 0 < self.config.patience <= progress.stale:
            progress.stopped_early = True
        self.job.listener(
            {
                "event": "eval",
                "step": progress.step,
                "loss": loss,
                **({} if of_mean is None else {"averaged": self.averaged}),
                "best_loss": progress.best_loss,
                "seconds": progress.elapsed_seconds,
            }
        )

    def _measured(self) -> float | None:
        spread = self.held.stepper.spread
        return spread.measured(lambda: self.objective.dev_loss(self.config.evaluate_tokens))

    def _measured_of_mean(self) -> float | None:
        if not self.held.average.ready:
            return None
        with self.held.average.shown():
            return self._measured()

    def _keep(self, progress: Progress) -> None:
        """Remember the weights as the best."""
        self.weights = {name: value.clone() for name, value in self.held.trained().items()}
        if self.job.folder is not None and self.config.keep == "best":
            best = Checkpoint(arrays(self.weights), {"step": progress.step, "loss": progress.best_loss})
            if self.held.stepper.spread.processes.rank == 0:
                write_checkpoint(self.job.folder / BEST, best)

    def resume(self, progress: Progress) -> None:
        """Read the best weights back, for a run that goes on from ``progress``; without them, choose anew."""
        if not progress.best_step or self.config.keep != "best" or self.job.folder is None:
            return
        try:
            best = read_checkpoint(self.job.folder / BEST)
        except DamagedError:
            _LOG.warning("%s: missing or damaged: the best weights are chosen anew from here", self.job.folder / BEST)
            progress.best_loss, progress.best_step = float("inf"), 0
            return
        if best.facts["step"] > progress.step:
            # written after the checkpoint that the run goes back to; the run will come to it again
            progress.best_loss, progress.best_step = float("inf"), 0
        self.weights = tensors(best.tensors)

    def put_back(self) -> None:
        """Let the network's weights be those that become the model: the best, the last, or the mean of the last."""
        if self.config.keep == "best" and self.weights:
            self.held.put_back(self.weights)
        elif self.averaged and self.held.average.ready:
            self.held.average.keep()
