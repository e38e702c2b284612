"""The whole plan: what fits where, how fast it goes, how long the budget takes, what it costs."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ziggurat.core.anatomy import NUMBER_BYTES
from ziggurat.core.errors import UsageError
from ziggurat.study.planning.budget import Budget, Failures, critical_batch_tokens, failures, tokens_of
from ziggurat.study.planning.counts import Counts, Growth, counts_of
from ziggurat.study.planning.hardware import GIGA, Hardware, check_complete
from ziggurat.study.planning.memory import OFFERED, SHARED, STRATEGIES, Held, Strategy, held
from ziggurat.study.planning.step import StepTime, from_sheet, measured
from ziggurat.study.planning.traffic import Traffic, hidden_from_tokens, traffic
from ziggurat.study.planning.work import Work, fused, recomputes
from ziggurat.training.loop.config import APART, QUICK_TOKENS

__all__ = [
    "PAYS",
    "Asked",
    "Outcome",
    "Plan",
    "Suggestions",
    "checkpoint_bytes",
    "largest",
    "make",
    "suggested",
    "ways",
]


@dataclass(frozen=True)
class Asked:
    """What a plan is asked for beside the model and the hardware."""

    budget: Budget
    corpus_tokens: float | None = None
    strategy: Strategy | None = None
    """None: the fastest that fits, of those that our trainer does."""
    recompute: bool | None = None
    """None: where that is faster, or nothing fits without."""
    reached: float = 0.4
    """Part of a data sheet's peak that products reach."""
    usable: float = 0.9
    """Part of the memory that a plan counts on."""
    price: float | None = None
    """Of a device and hour."""
    pue: float = 1.0
    """Power of the building for that of the devices."""
    mtbf_hours: float | None = None
    """Hours between failures of one device."""
    storage_gb: float = 1.0
    """GB a second that a checkpoint is written with, by all devices together."""
    loss: float | None = None
    """Nats a token that are expected at the end."""
    growth: Growth | None = None
    """How many n-grams the text has, where a sample of it was read and counts are made of it."""
    evaluation_tokens: float = 0.0
    """Held-out tokens that are read in the whole run, at most."""
    one_evaluation_tokens: float = 0.0
    """And by one evaluation; one that reads many comes so rarely that it takes little time (the trainer's `Budget`)."""


@dataclass(frozen=True)
class Outcome:
    """One way to spread the training, and whether it fits."""

    strategy: Strategy
    kept: Held
    recomputed: Held | None
    """With blocks computed again; None where the model has none."""
    limit: float
    """Bytes that a plan counts on."""

    @property
    def fits(self) -> bool:
        """Whether it fits without computing again."""
        return self.kept.peak <= self.limit

    @property
    def fits_recomputed(self) -> bool:
        """Whether it fits where blocks are computed again."""
        return self.recomputed is not None and self.recomputed.peak <= self.limit


@dataclass(frozen=True)
class Suggestions:
    """The largest that fit, everything else as it is; 0 where nothing does."""

    rows: int
    window: int
    parameters: int | None = None
    """Of a model of the family, embeddings included; None where the family comes in no sizes."""


@dataclass(frozen=True)
class Plan:
    """All of it."""

    work: Work
    hardware: Hardware
    outcomes: tuple[Outcome, ...]
    strategy: Strategy
    recompute: bool
    fits: bool
    step: StepTime
    traffic: Traffic
    tokens: float
    """That the budget reads."""
    seconds: float
    evaluation_seconds: float
    energy_kwh: float
    cost: float | None
    failures: Failures | None
    hidden_from: float
    """Tokens of a batch on one device from which on sending is hidden; infinite where part of it never is."""
    counts: Counts | None
    """Of the counts that the model stands on."""
    asked: Asked

    @property
    def chosen(self) -> Held:
        """Memory of the way that was chosen."""
        outcome = next(one for one in self.outcomes if one.strategy == self.strategy)
        return outcome.recomputed if self.recompute and outcome.recomputed is not None else outcome.kept

    @property
    def process_bytes(self) -> float:
        """The largest resident memory of a process: what arrays add up to, what the allocator adds, and libraries.

        Counts are made before the allocator has anything to keep, so nothing is added to them.
        """
        return self.chosen.peak * _slack(self.hardware) + _runtime(self.hardware) + _beside(self.counts)

    @property
    def counting_seconds(self) -> float:
        """Seconds of making counts before the first step, as far as they are known."""
        return 0.0 if self.counts is None else self.counts.seconds or 0.0

    @property
    def step_seconds(self) -> float:
        """Seconds of a step, what can't be hidden of sending included."""
        return self.step.seconds + self.traffic.exposed

    @property
    def step_tokens(self) -> int:
        """Tokens that all devices read in a step."""
        return self.hardware.devices * self.work.tokens

    @property
    def steps(self) -> float:
        """Steps of the budget."""
        return self.tokens / self.step_tokens

    @property
    def tokens_per_second(self) -> float:
        """Of all devices."""
        return self.step_tokens / self.step_seconds

    @property
    def mfu(self) -> float:
        """Model FLOPs utilisation: the operations that the model asks for, as part of the peak in the time of a step.

        *Maths.* Chowdhery et al. 2022, appendix B: what is computed again does not count.
        """
        return self.work.model_flops / (self.step_seconds * self.hardware.peak(self.work.precision))

    @property
    def critical_batch(self) -> float | None:
        """Tokens of the critical batch, where it is known what loss to expect."""
        return None if self.asked.loss is None else critical_batch_tokens(self.asked.loss)

    def to_mapping(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "hardware": {"name": self.hardware.name, "devices": self.hardware.devices, "nodes": self.hardware.nodes,
                         **vars(self.hardware.device)},
            "parameters": self.work.anatomy.parameters,
            "precision": self.work.precision,
            "batch": {"rows": self.work.load.rows, "tokens": self.work.load.text, "accumulate": self.work.accumulate,
                      "step_tokens": self.step_tokens},
            "memory_bytes": {
                one.strategy: {**_held(one.kept), "fits": one.fits,
                               "recomputed": None if one.recomputed is None else
                               {**_held(one.recomputed), "fits": one.fits_recomputed}}
                for one in self.outcomes
            },
            "limit_bytes": self.outcomes[0].limit,
            "strategy": self.strategy,
            "recompute": self.recompute,
            "fits": self.fits,
            "process_bytes": self.process_bytes,
            "step": {"seconds": self.step_seconds, "model_flops": self.work.model_flops,
                     "done_flops": self.work.done_flops(recompute=self.recompute), **vars(self.step)},
            "traffic": {"bytes": self.traffic.sent, "seconds": self.traffic.seconds, "exposed": self.traffic.exposed,
                        "hidden_from_tokens": self.hidden_from if math.isfinite(self.hidden_from) else None},
            "tokens_per_second": self.tokens_per_second,
            "mfu": self.mfu,
            "tokens": self.tokens,
            "steps": self.steps,
            "epochs": None if not self.asked.corpus_tokens else self.tokens / self.asked.corpus_tokens,
            "seconds": self.seconds,
            "evaluation_seconds": self.evaluation_seconds,
            "counts": None if self.counts is None else {**vars(self.counts), "left_out": self.counts.left_out},
            "energy_kwh": self.energy_kwh or None,
            "cost": self.cost,
            "failures": None if self.failures is None else vars(self.failures),
            "critical_batch_tokens": self.critical_batch,
        }  # fmt: skip


def make(work: Work, hardware: Hardware, asked: Asked) -> Plan:
    """Return the plan of a training.

    Raises:
        UsageError: the hardware lacks a figure, the budget can't be counted, or failures leave nothing of the time.
    """
    check_complete(hardware, work.precision)
    if asked.recompute and not recomputes(work.anatomy):
        raise UsageError("--recompute: this model has no blocks to compute again; leave it out")
    if hardware.machine is None:
        work = replace(work, anatomy=fused(work.anatomy))
    counts = counts_of(work, hardware, asked.corpus_tokens, asked.growth)
    outcomes = ways(work, hardware, usable=asked.usable, beside=_beside(counts))
    strategy, recompute, fits = _choice(work, hardware, outcomes, asked)
    step = _step(work, hardware, strategy, recompute=recompute, reached=asked.reached)
    sent = traffic(work, strategy, hardware, computing=step.computing)
    each = (step.seconds + sent.exposed) / (hardware.devices * work.tokens)
    tokens = tokens_of(
        asked.budget,
        step_tokens=hardware.devices * work.tokens,
        step_seconds=step.seconds + sent.exposed,
        parameters=work.anatomy.parameters,
        corpus_tokens=asked.corpus_tokens,
    )
    evaluating = _evaluating(work, hardware, strategy, asked, tokens)
    no_step = evaluating if counts is None else evaluating + (counts.seconds or 0.0)
    useful = tokens * each + no_step
    if asked.budget.unit == "minutes":  # the budget is for all of it
        useful = 60 * asked.budget.amount * (1 - _lost(work, hardware, asked, useful).lost_part)
        tokens = max(0.0, useful - no_step) / each
        useful = max(useful, no_step)
    lost = _lost(work, hardware, asked, useful)
    seconds = useful / (1 - lost.lost_part)
    hours = seconds / 3600
    return Plan(
        work, hardware, outcomes, strategy, recompute, fits, step, sent,
        tokens=tokens,
        seconds=seconds,
        evaluation_seconds=evaluating,
        energy_kwh=hours * hardware.devices * hardware.device.watts * asked.pue / 1000,
        cost=None if asked.price is None else hours * hardware.devices * asked.price,
        failures=None if asked.mtbf_hours is None else lost,
        hidden_from=hidden_from_tokens(work, strategy, hardware, seconds_per_token=step.computing / work.tokens),
        counts=counts,
        asked=asked,
    )  # fmt: skip


def _evaluating(work: Work, hardware: Hardware, strategy: Strategy, asked: Asked, tokens: float) -> float:
    """Return the seconds of all evaluations: on one device while the others wait, or on each of them all of it.

    What is only read takes a third of what is learnt from, of which nothing is computed again; of what counts say most
    of the time is for reading it.
    """
    step = _step(work, hardware, strategy, recompute=False, reached=asked.reached)
    read, one = asked.evaluation_tokens, asked.one_evaluation_tokens
    if one > QUICK_TOKENS:
        read = min(read, max(one, tokens / APART))
    return read * (step.counts + (step.computing - step.counts) / 3) / work.tokens


def _lost(work: Work, hardware: Hardware, asked: Asked, useful_seconds: float) -> Failures:
    return failures(
        useful_seconds=useful_seconds,
        devices=hardware.devices,
        mtbf_hours=math.inf if asked.mtbf_hours is None else asked.mtbf_hours,
        checkpoint_seconds=checkpoint_bytes(work) / (GIGA * asked.storage_gb),
    )


def ways(work: Work, hardware: Hardware, *, usable: float, beside: float = 0.0) -> tuple[Outcome, ...]:
    """Return every way to spread a training over the devices, and what each holds where ``beside`` bytes are taken."""
    strategies: tuple[Strategy, ...] = ("one",) if hardware.devices == 1 else STRATEGIES
    limit = (usable * hardware.memory_bytes - _runtime(hardware) - beside) / _slack(hardware)
    can = recomputes(work.anatomy)
    return tuple(
        Outcome(
            one,
            held(work, one, hardware.devices),
            held(work, one, hardware.devices, recompute=True) if can else None,
            limit,
        )
        for one in strategies
    )


def checkpoint_bytes(work: Work) -> int:
    """Return the bytes of a checkpoint: all weights, low-rank changes too, and what the optimiser keeps."""
    return NUMBER_BYTES * (work.all_numbers + work.kept_numbers)


def largest(fits: Callable[[int], bool], *, most: int = 1 << 40) -> int:
    """Return the largest number from 1 to ``most`` that fits, where what fits grows no further; 0 where none does.

    >>> largest(lambda number: number <= 37), largest(lambda number: False)
    (37, 0)
    """
    if not fits(1):
        return 0
    low, high = 1, 2
    while high <= most and fits(high):
        low, high = high, 2 * high
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def suggested(plan: Plan, sized: Callable[[int], Work] | None) -> Suggestions:
    """Return the largest rows, window and model that fit the way that was chosen, everything else as it is."""
    load, limit = plan.work.load, plan.outcomes[0].limit

    def fitting(work: Work) -> bool:
        return held(work, plan.strategy, plan.hardware.devices, recompute=plan.recompute).peak <= limit

    def longer(text: int) -> bool:
        drawn = plan.work.anatomy.drawn_for(text, rows=load.rows)
        return fitting(plan.work.with_load(drawn))

    context = plan.work.anatomy.context or 1 << 30
    found = None
    if sized is not None:
        own = sized
        target = largest(lambda thousands: fitting(own(1000 * thousands)), most=1 << 32)
        found = own(1000 * target).anatomy.parameters if target else 0
    return Suggestions(
        rows=largest(lambda rows: fitting(plan.work.with_load(replace(load, rows=rows)))),
        window=largest(longer, most=context),
        parameters=found,
    )


def _step(work: Work, hardware: Hardware, strategy: Strategy, *, recompute: bool, reached: float) -> StepTime:
    shares = hardware.devices if "moments" in SHARED[strategy] else 1
    if hardware.machine is not None:
        return measured(work, hardware.machine, recompute=recompute, devices=hardware.devices, shares=shares)
    return from_sheet(work, hardware, reached=reached, shares=shares, recompute=recompute)


PAYS = 1.05
"""So much faster must a way be that shares more than one that shares less: delays of its messages are not counted."""


def _choice(work: Work, hardware: Hardware, outcomes: tuple[Outcome, ...], asked: Asked) -> tuple[Strategy, bool, bool]:
    """Return the way that was asked for, else the fastest that fits of those that are offered, and whether it does."""
    open_ones = OFFERED if asked.strategy is None else (asked.strategy,)
    found: list[tuple[float, int, bool]] = []
    for place, one in enumerate(outcomes):
        for again in (False, True) if asked.recompute is None else (asked.recompute,):
            if one.strategy in open_ones and (one.fits_recomputed if again else one.fits):
                step = _step(work, hardware, one.strategy, recompute=again, reached=asked.reached)
                sent = traffic(work, one.strategy, hardware, computing=step.computing)
                found.append((step.seconds + sent.exposed, place, again))
    if found:
        fastest = min(seconds for seconds, _, _ in found)
        _, place, again = next(one for one in found if one[0] <= PAYS * fastest)
        return outcomes[place].strategy, again, True
    last = [one for one in outcomes if one.strategy in open_ones][-1]
    return last.strategy, asked.recompute is not False and last.recomputed is not None, False


def _held(one: Held) -> dict[str, int]:
    return {**one.footprint.to_mapping(), "gathered": one.gathered, "told": one.told, "peak": one.peak}


def _beside(counts: Counts | None) -> float:
    return 0.0 if counts is None else counts.beside_bytes


def _runtime(hardware: Hardware) -> int:
    return hardware.machine.runtime_bytes if hardware.machine is not None else 0


def _slack(hardware: Hardware) -> float:
    return hardware.machine.slack if hardware.machine is not None else 1.0
