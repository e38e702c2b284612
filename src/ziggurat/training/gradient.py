"""The one loop that trains every neural family: batches, gradients, evaluation, checkpoints, budgets.

*Idea.* A step's batch, learning rate and dropout are functions of the seed and of what a checkpoint holds, so a run
that was stopped anywhere ends with the same weights as one that was not. Time enters only where the user gave a budget
in minutes, and there it becomes a number of steps as soon as it can (`ziggurat.training.schedules`).
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Model
from ziggurat.core.seeding import derive
from ziggurat.core.types import TensorMap
from ziggurat.models.blocks.initialisation import fill_from
from ziggurat.models.blocks.lora import LowRankOptions, adapter_of, merge, strip
from ziggurat.models.blocks.network import NetworkState, Neural
from ziggurat.training.allocator import keep_memory
from ziggurat.training.checkpoints import BEST, Checkpoint, read_checkpoint, write_checkpoint
from ziggurat.training.frozen import choose_trained, frozen_names
from ziggurat.training.interruption import stop_requests
from ziggurat.training.job import Fitted, Job
from ziggurat.training.memory import holdings, peak_bytes, reset_peak
from ziggurat.training.objectives.next_token import NextToken
from ziggurat.training.objectives.objective import Objective
from ziggurat.training.optimisers import optimiser
from ziggurat.training.precision import uses_bfloat16
from ziggurat.training.saves import Saves
from ziggurat.training.schedules import Plan, factor, fix_total

__all__ = ["Config", "Objectives", "fit", "run"]

_LOG = logging.getLogger("ziggurat")

Objectives: TypeAlias = Callable[[Job, Any], Objective]
"""What makes a run's objective, from its job and the model that is to be trained."""


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of neural models. Exactly one of minutes, steps, tokens and epochs is the budget."""

    minutes: float | None = option(None, "budget in minutes of training", low=0.0)
    steps: int | None = option(None, "budget in optimiser steps", low=1)
    tokens: int | None = option(None, "budget in predicted tokens", low=1)
    epochs: float | None = option(None, "budget in passes over the training text", low=0.0)
    rows: int = option(16, "sequences in a batch", low=1)
    window: int = option(128, "tokens of each sequence", low=1)
    accumulate: int = option(1, "batches whose gradients are added up before a step", low=1)
    learning_rate: float = option(3e-3, "peak learning rate", low=0.0)
    schedule: Literal["wsd", "cosine", "linear", "constant", "noam"] = option(
        "wsd", "wsd (warm up, hold, decay) and others"
    )
    warmup_steps: int = option(50, "steps in which the learning rate rises to its peak", low=0)
    decay_fraction: float = option(0.3, "last part of the budget in which the rate decays (wsd)", low=0.0, high=1.0)
    decay_steps: int | None = option(None, "the same in steps; to run a budget in minutes again step for step", low=0)
    optimiser: Literal["adamw", "muon"] = option(
        "adamw", "adamw, or muon for the matrices between layers and adamw for the rest"
    )
    weight_decay: float = option(0.1, "pull of matrices towards zero per unit of learning rate", low=0.0)
    beta1: float = option(0.9, "memory of the gradient's mean", low=0.0, high=0.9999)
    beta2: float = option(0.95, "memory of the gradient's square", low=0.0, high=0.99999)
    clip_norm: float = option(1.0, "longest gradient; longer ones are shortened; 0 never", low=0.0)
    precision: Literal["auto", "f32", "bf16"] = option("auto", "numbers of products: bf16 where it pays, or fixed")
    evaluations: int = option(12, "evaluations on dev in a run", low=1)
    evaluate_steps: int | None = option(None, "steps between evaluations, instead", low=1)
    evaluate_tokens: int = option(50_000, "dev tokens of an evaluation while training", low=2)
    patience: int = option(0, "stop after so many evaluations without a better one; 0 never", low=0)
    keep: Literal["best", "last"] = option("best", "which weights become the model: best on dev, or last")
    checkpoint_seconds: float = option(60.0, "seconds between checkpoints", low=0.0)
    checkpoint_steps: int | None = option(None, "steps between checkpoints, besides", low=1)
    frozen: tuple[str, ...] = option(
        (), 'parts of the model that stay as they are: "embed_tokens", "stack.layers.0", "stack.layers.*.mlp"'
    )
    lora_rank: int = option(
        0, "train a change of this rank beside each of lora_on, and nothing else (LoRA); 0: no", low=0
    )
    lora_alpha: float = option(16.0, "the change is scaled by lora_alpha / lora_rank", low=0.0)
    lora_on: tuple[str, ...] = option(("q_proj", "v_proj"), 'projections of the blocks that change; ["all"]: all')
    lora_dropout: float = option(0.0, "part of the input that is dropped on its way to the change", low=0, high=0.95)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        given = [name for name in ("minutes", "steps", "tokens", "epochs") if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)}: give one budget, not {len(given)}")
        if self.minutes is not None and self.schedule in ("cosine", "linear"):
            raise UsageError(f"schedule {self.schedule} needs to know its steps: give steps, or use wsd with minutes")
        if self.lora_rank and self.frozen:
            raise UsageError("frozen: with lora_rank everything stays as it is but the change; leave frozen out")
        for key in ("lora_alpha", "lora_on", "lora_dropout"):
            if not self.lora_rank and getattr(self, key) != type(self).__dataclass_fields__[key].default:
                raise UsageError(
                    f"{key}: there is no change to train without lora_rank; set it too, or leave {key} out"
                )


@dataclass
class _Progress:
    """What changes while a run goes on; a checkpoint holds all of it."""

    step: int = 0
    elapsed_seconds: float = 0.0
    best_loss: float = float("inf")
    best_step: int = 0
    stale: int = 0
    evaluate_steps: int | None = None
    stopped_early: bool = False


def fit(job: Job) -> Fitted:
    """Train a neural language model to predict next tokens, as `run` says.

    Raises:
        TooLittleTextError: the training text is shorter than two tokens.
    """
    config: Config = job.config
    return run(job, lambda job, model: NextToken(job, model, rows=config.rows, window=config.window))


def run(job: Job, objectives: Objectives) -> Fitted:
    """Train a neural model from its first weights, or go on from the newest checkpoint in the job's folder.

    Raises:
        UsageError: no budget is given, or the model is no network.
        InterruptedRunError: the user stopped the run; a checkpoint is saved.
        DiskFullError: a checkpoint could not be written; the one before it is whole.
        DamagedError: the folder's checkpoints are damaged, or belong to another model.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(job.seed, "dropout"))
        return _Run(job, objectives).train()


class _Run:
    """One run's parts, and the loop over them."""

    def __init__(self, job: Job, objectives: Objectives) -> None:
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
        self.objective = objectives(job, model)
        self.optimiser = optimiser(
            self.network,
            self.config.optimiser,
            learning_rate=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            betas=(self.config.beta1, self.config.beta2),
        )
        self.plan = self._plan()
        self.progress = _Progress(evaluate_steps=self._evaluate_steps())
        self.best: dict[str, torch.Tensor] = {}
        self.half = uses_bfloat16(self.config.precision, self.network)
        self._saved_at = 0.0
        self._measures_nothing = False
        self.saves = Saves(job, {} if job.start is None else {"start": job.start.arrays})

    def _choose_what_is_trained(self) -> None:
        """Freeze what is to stay as it is, and put changes beside what LoRA is to change."""
        config, network = self.config, self.network
        options = LowRankOptions(config.lora_rank, config.lora_alpha, config.lora_dropout)
        choose_trained(network, frozen=config.frozen, options=options, on=config.lora_on, seed=self.job.seed)
        self.frozen = frozen_names(network)
        self.holdings = holdings(network)

    # -- the loop ---------------------------------------------------------------------------------------------------

    def train(self) -> Fitted:
        keep_memory()
        reset_peak()
        resumed = self.saves.resume(self._restore)
        progress, tell = self.progress, self.job.listener
        tell({"event": "resume" if resumed else "start", "step": progress.step, **self._forecast()})
        begun = time.perf_counter() - progress.elapsed_seconds
        self._saved_at = progress.elapsed_seconds
        with stop_requests() as stop_requested:
            while not self._done():
                loss, norm = self._step()
                progress.step += 1
                progress.elapsed_seconds = time.perf_counter() - begun
                self._fix_plan()
                if progress.step % 10 == 0 or self._done():
                    tell({"event": "step", "step": progress.step, "loss": loss, **self._pace(norm)})
                if self._evaluation_due():
                    self._evaluate()
                    progress.elapsed_seconds = time.perf_counter() - begun
                if stop_requested():
                    self._save()
                    raise self.saves.interruption(f"stopped at step {progress.step}")
                if self._checkpoint_due():
                    self._save()
        return self._finish()

    def _step(self) -> tuple[float, float]:
        """Make one optimiser step; return its loss and the gradient's norm before clipping."""
        self.optimiser.set_learning_rate(self.config.learning_rate * factor(self.plan, self.progress.step))
        self.optimiser.zero_grad()
        total, count, unit = 0.0, 0, 1
        for part in range(self.config.accumulate):
            number = self.progress.step * self.config.accumulate + part
            with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
                mean, predicted = self.objective.loss(number)
            # how many tokens the batches predict together is known behind the last: until then the first's is the unit
            unit = unit if part else max(1, predicted)
            (mean * (predicted / unit)).backward()  # type: ignore[no-untyped-call]
            total, count = total + mean.item() * predicted, count + predicted
        loss = total / max(1, count)
        if count > unit:
            for weight in self.network.parameters():
                if weight.grad is not None:
                    weight.grad *= unit / count
        limit = self.config.clip_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), limit)
        self.optimiser.step()
        return loss, norm.item()

    def _done(self) -> bool:
        total = self.plan.total_steps
        over = total is not None and self.progress.step >= total
        spent = total is None and self.progress.elapsed_seconds >= self._budget_seconds
        return over or spent or self.progress.stopped_early

    # -- budgets ----------------------------------------------------------------------------------------------------

    @property
    def _budget_seconds(self) -> float:
        return float("inf") if self.config.minutes is None else 60 * self.config.minutes

    def _plan(self) -> Plan:
        config = self.config
        total = config.steps
        tokens_per_step = self.objective.tokens_per_batch * config.accumulate
        if config.tokens is not None:
            total = max(1, config.tokens // tokens_per_step)
        elif config.epochs is not None:
            total = max(1, round(config.epochs * self.objective.steps_per_epoch / config.accumulate))
        elif total is None and config.minutes is None:
            raise UsageError("no budget: give one of training.minutes, steps, tokens or epochs")
        decay = config.decay_steps
        if decay is None and total is not None:
            decay = round(config.decay_fraction * total)
        # a budget in minutes warms up before it knows its total: its repetition, which has decay_steps, does so too
        known = total if config.decay_steps is None else None
        warmup = config.warmup_steps if known is None else min(config.warmup_steps, known // 5)
        return Plan(config.schedule, warmup, total, decay)

    def _fix_plan(self) -> None:
        """Turn a budget in minutes into steps when decay is to begin, and into an evaluation rhythm before that."""
        progress, budget = self.progress, self._budget_seconds
        if self.plan.total_steps is None:
            if progress.evaluate_steps is None and progress.elapsed_seconds >= budget / self.config.evaluations:
                progress.evaluate_steps = progress.step
            if progress.elapsed_seconds >= budget * (1 - self.config.decay_fraction):
                self.plan = fix_total(
                    self.plan,
                    step=progress.step,
                    elapsed_seconds=progress.elapsed_seconds,
                    budget_seconds=budget,
                )

    def _evaluate_steps(self) -> int | None:
        if self.config.evaluate_steps is not None or self.plan.total_steps is None:
            return self.config.evaluate_steps
        return max(1, self.plan.total_steps // self.config.evaluations)

    def _forecast(self) -> dict[str, float | int]:
        total = self.plan.total_steps
        return {
            **asdict(self.holdings),
            **({} if total is None else {"total_steps": total}),
            **({} if self.config.minutes is None else {"budget_seconds": self._budget_seconds}),
        }

    def _pace(self, norm: float) -> dict[str, float | int]:
        progress, total = self.progress, self.plan.total_steps
        speed = progress.step / max(progress.elapsed_seconds, 1e-9)
        left = self._budget_seconds - progress.elapsed_seconds if total is None else (total - progress.step) / speed
        return {
            "learning_rate": self.config.learning_rate * factor(self.plan, progress.step - 1),
            "gradient_norm": norm,
            "tokens": self._tokens_seen(),
            "tokens_per_second": self._tokens_seen() / max(progress.elapsed_seconds, 1e-9),
            "seconds": progress.elapsed_seconds,
            "seconds_left": max(0.0, left),
        }

    def _tokens_seen(self) -> int:
        return self.progress.step * self.objective.tokens_per_batch * self.config.accumulate

    # -- evaluation -------------------------------------------------------------------------------------------------

    def _evaluation_due(self) -> bool:
        if self.job.dev is None:
            return False
        every = self.progress.evaluate_steps
        return self._done() or (every is not None and self.progress.step % every == 0)

    def _evaluate(self) -> None:
        loss = self.objective.dev_loss(self.config.evaluate_tokens)
        if loss is None:
            if not self._measures_nothing:
                _LOG.warning("nothing in the held-out text can be predicted: the last weights are kept, not the best")
            self._measures_nothing = True
            return
        progress = self.progress
        progress.stale += 1
        if loss < progress.best_loss:
            progress.best_loss, progress.best_step, progress.stale = loss, progress.step, 0
            self.best = {name: value.clone() for name, value in self._trained().items()}
            if self.job.folder is not None and self.config.keep == "best":
                best = Checkpoint(_arrays(self.best), {"step": progress.step, "loss": loss})
                write_checkpoint(self.job.folder / BEST, best)
        if 0 < self.config.patience <= progress.stale:
            progress.stopped_early = True
        self.job.listener(
            {
                "event": "eval",
                "step": progress.step,
                "loss": loss,
                "best_loss": progress.best_loss,
                "seconds": progress.elapsed_seconds,
            }
        )

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def _checkpoint_due(self) -> bool:
        if self.job.folder is None or self._done():
            return False
        every = self.config.checkpoint_steps
        waited = self.progress.elapsed_seconds - self._saved_at
        return waited >= self.config.checkpoint_seconds or (every is not None and self.progress.step % every == 0)

    def _trained(self) -> dict[str, torch.Tensor]:
        """Return what training changes; frozen weights are in no checkpoint."""
        return {name: value for name, value in self.network.state_dict().items() if name not in self.frozen}

    def _take(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take back what `_trained` gave."""
        differing = self.network.state_dict().keys() - self.frozen ^ tensors.keys()
        if differing:
            raise KeyError(f"weights of another model: {', '.join(sorted(differing))}")
        self.network.load_state_dict(tensors, strict=False)

    def _save(self) -> None:
        tensors = {f"model.{name}": value for name, value in self._trained().items()}
        tensors.update({f"optimiser.{name}": value for name, value in self.optimiser.held()})
        tensors.update({f"carried.{place}": value for place, value in _leaves(self.objective.carried)})
        tensors["rng"] = torch.get_rng_state()
        progress = self.progress
        facts = {"progress": asdict(progress), "plan": asdict(self.plan)}
        self.saves.save(_arrays(tensors), facts, step=progress.step, seconds=progress.elapsed_seconds)
        self._saved_at = progress.elapsed_seconds

    def _restore(self, checkpoint: Checkpoint) -> None:
        tensors, facts = _tensors(checkpoint), checkpoint.facts
        self._take(_under("model.", tensors))
        self.optimiser.take(_under("optimiser.", tensors))
        self.progress = _Progress(**facts["progress"])
        self.plan = Plan(**facts["plan"])
        self.objective.carried = _nested(_under("carried.", tensors))
        torch.set_rng_state(tensors["rng"])
        if self.progress.best_step and self.config.keep == "best" and self.job.folder is not None:
            best = read_checkpoint(self.job.folder / BEST)
            if best.facts["step"] > self.progress.step:
                # written after the checkpoint that the run goes back to; the run will come to it again
                self.progress.best_loss, self.progress.best_step = float("inf"), 0
            self.best = _tensors(best)

    def _finish(self) -> Fitted:
        progress = self.progress
        if self.config.keep == "best" and self.best:
            self._take(self.best)
        most_bytes, adapter = peak_bytes(), adapter_of(self.network)
        merge(self.network, keep=False)
        strip(self.network)
        self.network.requires_grad_(requires_grad=True).eval()
        held = {name: value for name, value in asdict(self.holdings).items() if name != "parameters"}
        facts: dict[str, Any] = {
            "steps": progress.step,
            "decay_steps": self.plan.decay_steps,
            "evaluate_steps": progress.evaluate_steps,
            "tokens": self._tokens_seen(),
            "epochs": progress.step * self.config.accumulate / self.objective.steps_per_epoch,
            "seconds": progress.elapsed_seconds,
            "precision": "bf16" if self.half else "f32",
            "stopped_early": progress.stopped_early,
            **held,
            "peak_bytes": most_bytes,
        }
        if progress.best_step:
            kept = progress.best_step if self.config.keep == "best" else progress.step
            facts.update(best_step=progress.best_step, dev_loss=progress.best_loss, kept_step=kept)
        end = {"step": progress.step, "seconds": progress.elapsed_seconds, "peak_bytes": most_bytes}
        self.job.listener({"event": "end", **end})
        return Fitted(self.model, facts, adapter)


def _first_model(job: Job) -> Model:
    """Return the model before its first step: drawn by chance, or with the weights of the one that it starts from."""
    if job.start is None:
        return job.family.build(job.model_config, job.train.vocabulary, seed=job.seed)
    start = job.start.open()
    model = job.family.build(job.model_config, start.vocabulary, seed=job.seed)
    if not isinstance(start, Neural) or not isinstance(model, Neural):
        raise UsageError(f"start: a {job.family.name} model is no network and can't be trained on by gradients")
    model.network.load_state_dict(start.network.state_dict())
    return model


def _arrays(tensors: dict[str, torch.Tensor]) -> TensorMap:
    return {name: value.detach().cpu().numpy() for name, value in tensors.items()}


def _tensors(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.asarray(array)) for name, array in checkpoint.tensors.items()}


def _under(prefix: str, tensors: Any) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _leaves(state: NetworkState, place: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Walk a state of nested tuples; each tensor comes with the path that leads to it, as in ``0.1``."""
    if isinstance(state, torch.Tensor):
        yield place, state
    elif state is not None:
        for index, part in enumerate(state):
            yield from _leaves(part, f"{place}.{index}" if place else str(index))


def _nested(leaves: dict[str, torch.Tensor]) -> NetworkState:
    """Build the nested tuples back that `_leaves` walked; None where there are none."""
    if not leaves:
        return None
    if "" in leaves:
        return leaves[""]
    groups: dict[int, dict[str, torch.Tensor]] = {}
    for place, tensor in leaves.items():
        index, _, rest = place.partition(".")
        groups.setdefault(int(index), {})[rest] = tensor
    return tuple(_nested(groups[index]) for index in sorted(groups))
