"""One run: its parts, and the loop over them."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, TypeAlias

from ziggurat.core.errors import DamagedError, UsageError
from ziggurat.core.protocols import Model
from ziggurat.models.blocks.initialisation import fill_from
from ziggurat.models.blocks.lora import LowRankOptions, adapter_of, merge, strip
from ziggurat.models.blocks.network import Neural
from ziggurat.training.allocator import keep_memory
from ziggurat.training.checkpoints import Checkpoint
from ziggurat.training.frozen import choose_trained
from ziggurat.training.interruption import stop_requests
from ziggurat.training.job import Fitted, Job, Share
from ziggurat.training.loop.choice import Choice
from ziggurat.training.loop.config import Config
from ziggurat.training.loop.held import Held, arrays, tensors
from ziggurat.training.loop.machinery import arrange, chosen_device, restore
from ziggurat.training.loop.progress import Budget, Progress
from ziggurat.training.loop.spreading import InParts, spread, whole
from ziggurat.training.loop.step import Stepper
from ziggurat.training.memory import holdings, peak_bytes, reset_peak
from ziggurat.training.objectives.objective import Objective
from ziggurat.training.saves import Saves
from ziggurat.training.schedules import Plan
from ziggurat.training.torchrun import current, neighbours
from ziggurat.training.utilisation import device_name, utilisation

__all__ = ["Objectives", "Run"]

Objectives: TypeAlias = Callable[[Job, Any], Objective]
"""What makes a run's objective, from its job and the model that is to be trained."""


class Run:
    """One run's parts, and the loop over them."""

    def __init__(self, job: Job, objectives: Objectives) -> None:
        """Make a model and what trains it; nothing is read from the job's folder yet.

        Raises:
            UsageError: no budget is given, or the model is no network.
        """
        self.job = job
        self.config: Config = job.config
        model = _first_model(job)
        if not isinstance(model, Neural):
            raise UsageError(f"a {job.family.name} model is no network and can't be trained by gradients")
        self.model = model
        self.network = model.network.train()
        if (first := job.first_vectors) is not None:
            fill_from(self.network.token_embedding, first.vectors, first.found_mask)
        self._choose_what_is_trained()
        self.processes = current()
        device = chosen_device(self.config.device, self.processes.device)
        arrange(self.network, device=device, recompute=self.config.recompute, compiled=self.config.compiled)
        self.objectives = objectives
        shared = replace(job, share=Share(self.processes.rank, self.processes.count))
        self.objective = objectives(shared, model)
        shared_how = spread(self.config.spread, self.network, self.processes)
        self.stepper = Stepper(self.config, self.network, self.objective, shared_how)
        dev_tokens = 0 if job.dev is None else len(job.dev.tokens)
        self.budget = Budget(self.config, self.objective, dev_tokens=dev_tokens)
        self.held = Held(self.network, self.stepper)
        self.choice = Choice(job, self.objective, self.held)
        self.saves = Saves(job, {} if job.start is None else {"start": job.start.arrays})
        self._saved_at = 0.0

    def _choose_what_is_trained(self) -> None:
        """Freeze what is to stay as it is, and put changes beside what LoRA is to change."""
        config, network = self.config, self.network
        options = LowRankOptions(config.lora_rank, config.lora_alpha, config.lora_dropout)
        choose_trained(network, frozen=config.frozen, options=options, on=config.lora_on, seed=self.job.seed)
        if self.job.first_vectors is not None and config.keep_vectors:
            network.token_embedding.requires_grad = False
        self.holdings = holdings(network, config.optimiser)

    def train(self) -> Fitted:
        """Go on from the newest checkpoint, or begin; return the model.

        Raises:
            UsageError: the budget was spent before the first step, or the loss grew beyond all numbers.
            InterruptedRunError: the user stopped the run; a checkpoint is saved.
            DiskFullError: a checkpoint could not be written; the one before it is whole.
            DamagedError: the folder's checkpoints are damaged, belong to another model, or processes see unlike ones.
        """
        keep_memory()
        reset_peak()
        resumed = self._resume()
        budget, progress, tell = self.budget, self.budget.progress, self.job.listener
        if not resumed and progress.spent_seconds and budget.done():
            raise UsageError(
                f"{progress.spent_seconds / 60:.1f} of {self.config.minutes:g} minutes were gone before a step: "
                "counting the text took them; give more minutes, or fewer training.folds"
            )
        forecast = {**asdict(self.holdings), **budget.forecast()}
        tell({"event": "resume" if resumed else "start", "step": progress.step, **forecast})
        begun = time.perf_counter() - progress.elapsed_seconds
        self._saved_at = progress.elapsed_seconds
        with stop_requests() as stop_requested, neighbours():
            while not budget.done():
                loss, norm = self.stepper.make(progress.step, budget.learning_rate)
                progress.step += 1
                self._check_numbers(loss, norm)
                progress.elapsed_seconds, stopping = self._agreed(time.perf_counter() - begun, stop_requested())
                budget.fix()
                self.held.average.follow(progress.step, budget.plan)
                if progress.step % 10 == 0 or budget.done():
                    tell({"event": "step", "step": progress.step, "loss": loss, "gradient_norm": norm, **budget.pace()})
                if self.job.dev is not None and budget.evaluation_due():
                    self.choice.evaluate(progress)
                    progress.elapsed_seconds = self.processes.told(time.perf_counter() - begun)
                if stopping or (self.processes.count == 1 and stop_requested()):
                    self._save()
                    raise self.saves.interruption(f"stopped at step {progress.step}")
                if self.job.folder is not None and budget.checkpoint_due(self._saved_at):
                    self._save()
        return self._finish()

    def _check_numbers(self, loss: float, norm: float) -> None:
        """End a run that diverged, before a checkpoint of it is kept; all processes have the same numbers.

        A gradient too long to be told is shortened to nothing, and the run goes on; of one that is no number it can't.
        """
        if not math.isfinite(loss) or math.isnan(norm):
            raise UsageError(
                f"training.learning_rate: the loss grew beyond all numbers at step {self.budget.progress.step}; "
                f"lower it (now {self.config.learning_rate:g})"
            )

    def _agreed(self, seconds: float, stopping: bool) -> tuple[float, bool]:
        """Return the first process's time and whether any wishes to stop, so that all do the same."""
        if self.processes.count == 1:
            return seconds, stopping
        first, wishes = self.processes.summed(0.0 if self.processes.rank else seconds, float(stopping))
        return first, wishes > 0

    def _save(self) -> None:
        progress = self.budget.progress
        alike, rows = self.held.give()
        self.saves.save(
            arrays(alike),
            {**self.budget.held(), "averaged": self.held.average.count},
            step=progress.step,
            seconds=progress.elapsed_seconds,
            rows=arrays(rows),
        )
        self._saved_at = progress.elapsed_seconds

    def _resume(self) -> bool:
        """Go on from the newest checkpoint; return whether there was one. All processes must find the same."""
        found = self.saves.resume(self._restore)
        step = self.budget.progress.step if found else -1
        first = int(self.processes.told(step))
        if self.processes.summed(float(step != first))[0]:
            raise DamagedError(
                f"{self.job.folder}: processes found different checkpoints; do all see the same disk? "
                "Put the run's folder where all see it"
            )
        return found

    def _restore(self, checkpoint: Checkpoint) -> None:
        self.held.take(tensors(checkpoint.tensors))
        self.budget.progress = Progress(**checkpoint.facts["progress"])
        self.budget.plan = Plan(**checkpoint.facts["plan"])
        self.held.average.count = checkpoint.facts.get("averaged", 0)
        self.choice.resume(self.budget.progress)

    def _finish(self) -> Fitted:
        budget, progress = self.budget, self.budget.progress
        self.choice.put_back()
        most_bytes, used = peak_bytes(), self._utilisation()
        if isinstance(self.stepper.spread, InParts):
            self._put_together()
        restore(self.network)
        self.network.sparse_tables(False)
        adapter = adapter_of(self.network)
        merge(self.network, keep=False)
        strip(self.network)
        self.network.requires_grad_(requires_grad=True).eval()
        held: dict[str, Any] = {name: value for name, value in asdict(self.holdings).items() if name != "parameters"}
        if self.processes.count > 1:
            held.update(processes=self.processes.count, spread=self.stepper.spread.name)
        facts: dict[str, Any] = {
            "steps": progress.step,
            "decay_steps": budget.plan.decay_steps,
            "evaluate_steps": progress.evaluate_steps,
            "tokens": budget.tokens_seen,
            "epochs": progress.step / budget.steps_per_epoch,
            "seconds": progress.elapsed_seconds,
            "precision": "bf16" if self.stepper.half else "f32",
            "stopped_early": progress.stopped_early,
            **held,
            "peak_bytes": most_bytes,
            **used,
        }
        if progress.best_step:
            best = self.config.keep == "best"
            facts.update(best_step=progress.best_step, kept_step=progress.best_step if best else progress.step)
            facts.update(dev_loss=progress.best_loss if best else progress.last_loss)
        end = {"step": progress.step, "seconds": progress.elapsed_seconds, "peak_bytes": most_bytes, **used}
        self.job.listener({"event": "end", **end})
        return Fitted(self.model, facts, adapter)

    def _utilisation(self) -> dict[str, float]:
        """Return what the run made of its machine; nothing where only a part of the model was trained."""
        progress, held = self.budget.progress, self.holdings
        if held.trainable < held.parameters:
            return {}
        return utilisation(
            self.job,
            self.network.vocabulary,
            steps=progress.step,
            seconds=max(progress.stepping_seconds, 1e-9),
            device=device_name(self.network.device),
            processes=self.processes.count,
        )

    def _put_together(self) -> None:
        """Let the model be a whole one, its weights having been in parts."""
        weights = {name: whole(value).cpu() for name, value in self.network.state_dict().items()}
        model = _first_model(self.job)
        assert isinstance(model, Neural)  # noqa: S101 - the one before was, and is of the same family
        self.model, self.network = model, model.network
        self._choose_what_is_trained()
        self.objectives(self.job, model)  # what an objective hangs on a model, it has again
        self.network.load_state_dict(weights)


def _first_model(job: Job) -> Model:
    """Return the model before its first step: drawn by chance, or with the weights of the one that it starts from."""
    if job.start is None:
        return job.family.build(job.model_config, job.train.vocabulary, seed=job.seed)
    start = job.start.open()
    model = job.family.build(job.model_config, start.vocabulary, seed=job.seed)
    if not isinstance(start, Neural) or not isinstance(model, Neural):
        raise UsageError(f"start: a {job.family.name} model is no network and can't be trained on by gradients")
    model.network.begin_with(start.network)
    return model
