"""How far a run is, how far it is to go, and at what pace."""

from dataclasses import asdict, dataclass

from ziggurat.core.errors import UsageError
from ziggurat.training.loop.config import APART, QUICK_TOKENS, Config
from ziggurat.training.objectives.objective import Objective
from ziggurat.training.schedules import Plan, factor, fix_total

__all__ = ["Budget", "Progress"]


@dataclass
class Progress:
    """What changes while a run goes on; a checkpoint holds all of it."""

    step: int = 0
    elapsed_seconds: float = 0.0
    spent_seconds: float = 0.0
    """What of these was spent before the first step."""
    best_loss: float = float("inf")
    best_step: int = 0
    last_loss: float = float("inf")
    """Of the newest evaluation."""
    stale: int = 0
    evaluate_steps: int | None = None
    stopped_early: bool = False

    @property
    def stepping_seconds(self) -> float:
        """Seconds since the first step began."""
        return self.elapsed_seconds - self.spent_seconds


class Budget:
    """What a run may still do, from what it was given and what it has done."""

    def __init__(self, config: Config, objective: Objective, *, dev_tokens: int = 0) -> None:
        """Begin with no step made; the held-out text is of ``dev_tokens``.

        Raises:
            UsageError: no budget is given.
        """
        self.config = config
        self.tokens_per_step = objective.tokens_per_batch * config.accumulate
        self.steps_per_epoch = objective.steps_per_epoch / config.accumulate
        self.dev_tokens = dev_tokens
        self.plan = self._plan()
        self.progress = Progress(evaluate_steps=self._evaluate_steps())

    def spend(self, seconds: float) -> None:
        """Take ``seconds`` that went before the first step from the budget."""
        self.progress.spent_seconds += seconds
        self.progress.elapsed_seconds += seconds

    @property
    def seconds(self) -> float:
        """The budget in seconds, where it is one of time."""
        return float("inf") if self.config.minutes is None else 60 * self.config.minutes

    @property
    def tokens_seen(self) -> int:
        """Tokens that were predicted so far."""
        return self.progress.step * self.tokens_per_step

    @property
    def learning_rate(self) -> float:
        """That of the step that comes."""
        return self._rate(self.progress.step)

    def done(self) -> bool:
        """Return whether the run is at its end."""
        total = self.plan.total_steps
        over = total is not None and self.progress.step >= total
        spent = total is None and self.progress.elapsed_seconds >= self.seconds
        return over or spent or self.progress.stopped_early

    def evaluation_due(self) -> bool:
        """Return whether the held-out text is to be looked at now."""
        every = self.progress.evaluate_steps
        return self.done() or (every is not None and self.progress.step % every == 0)

    def checkpoint_due(self, saved_at: float) -> bool:
        """Return whether a checkpoint is to be written now, the last one being of ``saved_at`` seconds."""
        if self.done():
            return False
        every = self.config.checkpoint_steps
        waited = self.progress.elapsed_seconds - saved_at
        return waited >= self.config.checkpoint_seconds or (every is not None and self.progress.step % every == 0)

    def fix(self) -> None:
        """Turn a budget in minutes into steps when decay is to begin, and into an evaluation rhythm before that."""
        progress = self.progress
        elapsed, budget = progress.stepping_seconds, self.seconds - progress.spent_seconds
        if self.plan.total_steps is None:
            if progress.evaluate_steps is None and elapsed >= budget / self.config.evaluations:
                progress.evaluate_steps = self._apart(progress.step)
            if elapsed >= budget * (1 - self.config.decay_fraction):
                self.plan = fix_total(self.plan, step=progress.step, elapsed_seconds=elapsed, budget_seconds=budget)

    def forecast(self) -> dict[str, float | int]:
        """Return what is known before the first step, for the event that tells of it."""
        total = self.plan.total_steps
        return {
            **({} if total is None else {"total_steps": total}),
            **({} if self.config.minutes is None else {"budget_seconds": self.seconds}),
        }

    def pace(self) -> dict[str, float | int]:
        """Return speed and what is left, for the event that tells of a step."""
        progress, total = self.progress, self.plan.total_steps
        stepping = max(progress.stepping_seconds, 1e-9)
        speed = progress.step / stepping
        left = self.seconds - progress.elapsed_seconds if total is None else (total - progress.step) / speed
        return {
            "learning_rate": self._rate(progress.step - 1),
            "tokens": self.tokens_seen,
            "tokens_per_second": self.tokens_seen / stepping,
            "seconds": progress.elapsed_seconds,
            "seconds_left": max(0.0, left),
        }

    def held(self) -> dict[str, object]:
        """Return what a checkpoint keeps, JSON-able."""
        return {"progress": asdict(self.progress), "plan": asdict(self.plan)}

    def _rate(self, step: int) -> float:
        return self.config.learning_rate * factor(self.plan, step)

    def _plan(self) -> Plan:
        config = self.config
        total = config.steps
        if config.tokens is not None:
            total = max(1, config.tokens // self.tokens_per_step)
        elif config.epochs is not None:
            total = max(1, round(config.epochs * self.steps_per_epoch))
        elif total is None and config.minutes is None:
            raise UsageError("no budget: give one of training.minutes, steps, tokens or epochs")
        decay = config.decay_steps
        if decay is None and total is not None:
            decay = round(config.decay_fraction * total)
        # a budget in minutes warms up before it knows its total: its repetition, which has decay_steps, does so too
        known = total if config.decay_steps is None else None
        warmup = config.warmup_steps if known is None else min(config.warmup_steps, known // 5)
        return Plan(config.schedule, warmup, total, decay)

    def _evaluate_steps(self) -> int | None:
        if self.config.evaluate_steps is not None or self.plan.total_steps is None:
            return self.config.evaluate_steps
        return self._apart(self.plan.total_steps // self.config.evaluations)

    def _apart(self, steps: int) -> int:
        """Return the steps from one evaluation to the next: ``steps``, or as many as make one worth its time."""
        read = min(self.config.evaluate_tokens, self.dev_tokens)
        return max(1, steps, 0 if read <= QUICK_TOKENS else -(-APART * read // self.tokens_per_step))
