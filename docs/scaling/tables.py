"""Writes the tables of docs/scaling.md: every number in them is that of `ziggurat plan`.

python docs/scaling/tables.py [--check]
"""

import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from ziggurat.artefacts.recipe import load_recipe
from ziggurat.study.planning.budget import Budget, critical_batch_tokens
from ziggurat.study.planning.hardware import named, names
from ziggurat.study.planning.plan import Asked, Plan, make
from ziggurat.surface.anatomy.figures import count, operations, size
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.sheet import WAYS, duration
from ziggurat.surface.planning.subjects import planned

__all__ = ["TABLES", "main", "renewed"]

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "scaling.md"
MODELS = {"124 M": "124m", "1.3 B": "1.3b", "7 B": "7b", "70 B": "70b"}
DEVICES = (8, 64, 1024)
MTBF_HOURS = 54 * 24 * 16384 / 419
"""Of one GPU: 419 unexpected interruptions in 54 days of 16,384 (Grattafiori et al. 2024, section 3.3.4)."""
STORAGE_GB = 100.0
Rows = Iterator[Sequence[str]]


@cache
def plan_of(model: str, devices: int, hardware: str = "h100-sxm") -> Plan:
    """Return the plan of a compute-optimal run."""
    recipe = load_recipe(str(FOLDER / f"{MODELS[model]}.toml"))
    options = PlanOptions(hardware=hardware, devices=devices, rows=recipe.training.rows)
    work = planned(recipe, options)[0].work
    asked = Asked(Budget("optimal"), mtbf_hours=MTBF_HOURS, storage_gb=STORAGE_GB)
    return make(work, named(hardware, devices=devices), asked)


def compute() -> Rows:
    """Operations for a token."""
    yield "model", "parameters N", "6·N", "counted, a token", "of it attention to pairs", "compute-optimal run"
    for model in MODELS:
        plan = plan_of(model, 1)
        work, numbers = plan.work, plan.work.anatomy.parameters
        pairs = sum(times * 6 * part.pair_products * work.load.text for part, times in work.anatomy.whole.walk())
        each = work.model_flops / work.tokens
        run = f"{each * plan.tokens:.2e} FLOP"
        yield model, f"{numbers:,}", operations(6 * numbers), operations(each), f"{100 * pairs / each:.0f} %", run


def memory() -> Rows:
    """What one device would hold."""
    yield "model", "batch", "weights, gradients, moments, copies", "activations", "… recomputed", "peak", "… recomputed"
    for model in MODELS:
        plan = plan_of(model, 1)
        one, load = plan.outcomes[0], plan.work.load
        again = one.recomputed
        if again is None:
            raise SystemExit(f"{model}: no blocks")
        held = one.kept.footprint
        state = held.weights + held.gradients + held.moments + held.copies
        figures = (state, held.activations, again.footprint.activations, one.kept.peak, again.peak)
        yield model, f"{load.rows} × {load.text:,}", *map(size, figures)


def shared() -> Rows:
    """The peak of a device, by how the training is shared among devices."""
    yield "model", "devices", *(WAYS[one.strategy] for one in plan_of("124 M", 8).outcomes), "FSDP, recomputed"
    for model in MODELS:
        for devices in DEVICES:
            outcomes = plan_of(model, devices).outcomes
            last = outcomes[-1].recomputed
            yield model, f"{devices:,}", *(size(one.kept.peak) for one in outcomes), size(last.peak if last else 0)


def traffic() -> Rows:
    """Computing and sending in a step."""
    yield "model", "devices", "way", "tokens of a step", "computing", "sent", "sending", "waiting", "hidden from", "MFU"
    for model in MODELS:
        for devices in DEVICES:
            plan = plan_of(model, devices)
            way = WAYS[plan.strategy] + ", recomputed" * plan.recompute
            sent, computing = plan.traffic, duration(plan.step.seconds)
            yield (
                model, f"{devices:,}", way if plan.fits else "does not fit", count(plan.step_tokens), computing,
                size(sent.sent), duration(sent.seconds), duration(sent.exposed),
                count(plan.hidden_from) if math.isfinite(plan.hidden_from) else "–",
                f"{100 * plan.mfu:.0f} %",
            )  # fmt: skip


def runs() -> Rows:
    """Time, energy and failures of compute-optimal runs."""
    yield "model", "tokens", "devices", "time", "device hours", "energy", "failures", "save every", "lost"
    for model in MODELS:
        for devices in (1, *DEVICES):
            plan = plan_of(model, devices)
            lost = plan.failures
            if not plan.fits or lost is None:
                continue
            yield (
                model, count(plan.tokens), f"{devices:,}", duration(plan.seconds),
                f"{plan.seconds / 3600 * devices:,.0f}", f"{plan.energy_kwh:,.0f} kWh", f"{lost.expected:,.1f}",
                duration(lost.interval_seconds), f"{100 * lost.lost_part:.2f} %",
            )  # fmt: skip


def devices() -> Rows:
    """What the data sheets say, and the compute-optimal 124 M on one of each."""
    yield "--hardware", "device", "16-bit TFLOP/s", "memory", "its bandwidth", "link", "network", "power", "124 M takes"
    for name in names():
        plan = plan_of("124 M", 1, name)
        one = plan.hardware.device
        yield (
            name, one.title, f"{one.bf16_tflops:g}", f"{one.memory_gb:g} GB", f"{one.bandwidth_gb:g} GB/s",
            f"{one.link_gb:g} GB/s", f"{one.network_gb:g} GB/s", f"{one.watts:g} W", duration(plan.seconds),
        )  # fmt: skip


def batches() -> Rows:
    """The critical batch by the loss that is reached."""
    yield "loss, nats a token", "critical batch, tokens", "rows of 2,048"
    for loss in (4.0, 3.5, 3.0, 2.5, 2.0):
        tokens = critical_batch_tokens(loss)
        yield f"{loss:.1f}", count(tokens), f"{tokens / 2048:,.0f}"


TABLES: dict[str, Callable[[], Rows]] = {
    table.__name__: table for table in (compute, memory, shared, traffic, runs, devices, batches)
}


def renewed(page: str) -> str:
    """Return the page with every table made anew.

    Raises:
        KeyError: the page has a table that there is not.
    """
    return re.sub(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", _table, page, flags=re.DOTALL)


def _table(found: re.Match[str]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in TABLES[found[2]]()]
    lines.insert(1, "|---" * len(next(TABLES[found[2]]())) + "|")
    return "\n".join([found[1], *lines, "", found[3]])


def main() -> None:
    """Write the page, or with ``--check`` say whether it is as it would be written."""
    page = PAGE.read_text(encoding="utf-8")
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(renewed(page), encoding="utf-8")
    elif renewed(page) != page:
        raise SystemExit("docs/scaling.md is out of date: python docs/scaling/tables.py")


if __name__ == "__main__":
    main()
