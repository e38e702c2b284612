"""A plan as tables and sentences."""

import math
from collections.abc import Sequence

from ziggurat.study.planning.counts import Counts
from ziggurat.study.planning.hardware import Hardware
from ziggurat.study.planning.plan import Asked, Outcome, Plan, Suggestions, make, suggested
from ziggurat.surface.anatomy.figures import count, operations, size
from ziggurat.surface.anatomy.tables import NAMES
from ziggurat.surface.language import translate
from ziggurat.surface.planning.command import Order, train_command
from ziggurat.surface.planning.subjects import Planned
from ziggurat.surface.terminal import Terminal, align

__all__ = ["duration", "write_plans"]

MEMORY = ("weights", "gradients", "moments", "copies", "activations", "logits")
"""The entries of a footprint that are told one by one."""
SPENT = ("seconds", "energy_kwh", "cost")
"""What is added up of several models."""
WAYS = {"one": "one device", "ddp": "DDP", "zero1": "ZeRO-1", "zero2": "ZeRO-2", "fsdp": "FSDP"}


def write_plans(
    terminal: Terminal, order: Order, subjects: Sequence[tuple[Planned, Asked]], hardware: Hardware
) -> None:
    """Make the plan of each model and write all of them; warn of what does not fit, name what trains the rest."""
    json = order.options.json
    plans = [(one, make(one.work, hardware, asked)) for one, asked in subjects]
    found = [(one, plan, suggested(plan, one.sized)) for one, plan in plans]
    total = _total([plan for _, plan in plans])
    if json:
        content = [{"name": one.name, **plan.to_mapping(), "largest": vars(best)} for one, plan, best in found]
        terminal.write_json({"recipe": order.recipe, "plans": content, "total": dict(zip(SPENT, total, strict=True))})
    for one, plan, best in found:
        if not json:
            terminal.write(_sheet(one.name, plan, best))
        _warn(terminal, one.name, plan, best)
    if len(plans) > 1 and not json:
        terminal.write("\n" + align([(translate("all together, one after another"), ""), *_spent_rows(*total)]))
    command = train_command(order, plans)
    if command and not json:
        terminal.next(command)


def duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> duration(0.0213), duration(42), duration(5400), duration(36 * 3600), duration(90 * 86400)
    ('21.3 ms', '42.0 s', '1.5 h', '36.0 h', '90.0 d')
    """
    for limit, unit, name in ((1, 1e-3, "ms"), (120, 1, "s"), (5400, 60, "min"), (3 * 86400, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{seconds / 86400:,.1f} d"


def _total(plans: Sequence[Plan]) -> tuple[float, float | None, float | None]:
    """Return the `SPENT` of models that are trained one after another."""
    costs = [plan.cost for plan in plans if plan.cost is not None]
    energy = sum(plan.energy_kwh for plan in plans) or None
    return sum(plan.seconds for plan in plans), energy, sum(costs) if costs else None


def _sheet(name: str, plan: Plan, best: Suggestions) -> str:
    hardware, work = plan.hardware, plan.work
    said = translate("{name}: {count} parameters in {precision}, on {devices} × {hardware} ({source})")
    head = said.format(
        name=name,
        count=f"{work.anatomy.parameters:,}",
        precision=work.precision,
        devices=hardware.devices,
        hardware=_title(hardware),
        source=translate(hardware.device.source),
    )
    blocks = [head, align(_memory_rows(plan)), align(_step_rows(plan)), align(_budget_rows(plan))]
    notes = [] if plan.counts is None else _left_out(plan.counts)
    return "\n\n".join([*blocks, align(_largest_rows(best)), *notes])


def _title(hardware: Hardware) -> str:
    if hardware.machine is None:
        return translate(hardware.device.title)
    threads = hardware.machine.threads
    said = translate("this machine, {threads} thread" if threads == 1 else "this machine, {threads} threads")
    return said.format(threads=threads)


def _memory_rows(plan: Plan) -> list[tuple[str, ...]]:
    outcomes = plan.outcomes
    again = [one.recomputed for one in outcomes if one.recomputed is not None]
    rows: list[tuple[str, ...]] = [(translate("memory of a device"), *(translate(WAYS[o.strategy]) for o in outcomes))]
    for key in MEMORY:
        rows.append((translate(NAMES[key]), *(_bytes(getattr(o.kept.footprint, key)) for o in outcomes)))
        if key == "activations" and again:
            rows.append(
                (translate("… where blocks are computed again"), *(_bytes(a.footprint.activations) for a in again))
            )
    if any(one.kept.gathered for one in outcomes):
        rows.append((translate("weights of other devices, in use"), *(_bytes(o.kept.gathered) for o in outcomes)))
    rows.append((translate("highest at any moment"), *(_bytes(o.kept.peak) for o in outcomes)))
    if again:
        rows.append((translate("… where blocks are computed again"), *(_bytes(a.peak) for a in again)))
    if plan.counts is not None and plan.counts.bytes is not None:
        said = translate("counts of n-grams, at most" if plan.counts.at_most else "counts of n-grams, about")
        beside = said if plan.counts.here else translate("{counts}, beside the device").format(counts=said)
        rows.append((beside, *(_bytes(round(plan.counts.bytes)) for _ in outcomes)))
    limit = translate("there is room for {size}").format(size=size(max(0.0, outcomes[0].limit)))
    rows.append((limit, *map(_fitting, outcomes)))
    return rows


def _fitting(one: Outcome) -> str:
    if one.fits:
        return translate("fits")
    return translate("fits if computed again") if one.fits_recomputed else translate("too much")


def _step_rows(plan: Plan) -> list[tuple[str, ...]]:
    work, step, sent = plan.work, plan.step, plan.traffic
    many = translate("a step of {devices} × {accumulate} × {rows} × {tokens} tokens").format(
        devices=plan.hardware.devices, accumulate=work.accumulate, rows=work.load.rows, tokens=f"{work.load.text:,}"
    )
    way = translate(WAYS[plan.strategy])
    if plan.recompute:
        way = translate("{way}, blocks computed again").format(way=way)
    rows: list[tuple[str, ...]] = [
        (many, duration(plan.step_seconds), way),
        (translate("matrix products"), duration(step.products), operations(work.done_flops(recompute=plan.recompute))),
    ]
    apart = (("attention", step.attention), ("log-probabilities of all ids", step.logits),
             ("reading and weighing counts", step.counts))  # fmt: skip
    for said, seconds in apart:
        if seconds:
            rows.append((translate(said), duration(seconds), ""))
    rows.append((translate("number by number, and waiting for memory"), duration(step.moved), ""))
    rows.append((translate("optimiser"), duration(step.update), ""))
    if plan.hardware.devices > 1:
        rows.append((translate("sent by each device"), duration(sent.seconds), size(sent.sent)))
        rows.append((translate("… not hidden behind computing"), duration(sent.exposed), ""))
        if math.isfinite(plan.hidden_from):
            hidden = translate("hidden from {tokens} tokens of a device on").format(tokens=count(plan.hidden_from))
            rows.append(("", "", hidden))
    why = translate("measured") if plan.hardware.machine else translate("assumed, see --mfu")
    if plan.hardware.machine is not None:
        rows.append((translate("largest memory of the process"), "", size(plan.process_bytes)))
    rows.append((translate("tokens a second"), f"{plan.tokens_per_second:,.0f}", ""))
    rows.append((translate("model FLOPs utilisation"), f"{100 * plan.mfu:.1f} %", why))
    return rows


def _budget_rows(plan: Plan) -> list[tuple[str, ...]]:
    asked = plan.asked
    epochs = "" if not asked.corpus_tokens else translate("{epochs} passes over {tokens} tokens").format(
        epochs=f"{plan.tokens / asked.corpus_tokens:,.2f}", tokens=count(asked.corpus_tokens)
    )  # fmt: skip
    each = translate("{number} a parameter").format(number=f"{plan.tokens / plan.work.anatomy.parameters:,.1f}")
    rows: list[tuple[str, ...]] = [
        (translate("tokens that are read"), count(plan.tokens), each),
        (translate("steps"), f"{plan.steps:,.0f}", epochs),
    ]
    time, *rest = _spent_rows(plan.seconds, plan.energy_kwh, plan.cost)
    rows.append((*time, ""))
    for said, seconds in (("… of it for counting", plan.counting_seconds),
                          ("… of it for evaluations", plan.evaluation_seconds)):  # fmt: skip
        if seconds:
            rows.append((translate(said), duration(seconds), ""))
    rows += [(*row, "") for row in rest]
    if (lost := plan.failures) is not None:
        often = translate("one in {time}").format(time=duration(lost.mean_seconds))
        taken = translate("a checkpoint takes {time}").format(time=duration(lost.checkpoint_seconds))
        rows.append((translate("failures"), f"{lost.expected:,.1f}", often))
        rows.append((translate("save every"), duration(lost.interval_seconds), taken))
        rows.append((translate("time lost to both"), f"{100 * lost.lost_part:.1f} %", ""))
    if plan.critical_batch is not None:
        beside = translate("a step has {tokens}").format(tokens=count(plan.step_tokens))
        rows.append((translate("critical batch, tokens"), count(plan.critical_batch), beside))
    return rows


def _spent_rows(seconds: float, energy_kwh: float | None, cost: float | None) -> list[tuple[str, str]]:
    rows = [(translate("time"), duration(seconds))]
    if energy_kwh:
        rows.append((translate("energy"), f"{energy_kwh:,.2f} kWh"))
    if cost is not None:
        rows.append((translate("cost"), f"{cost:,.2f}"))
    return rows


def _left_out(counts: Counts) -> list[str]:
    """Return the lines that say what of counts is not in the plan."""
    lines = []
    if counts.bytes is None:
        lines.append(
            translate(
                "counts come on top: what holding and making them takes follows from the text; name files, or give "
                "--text-tokens"
            )
        )
    if not counts.here:
        said = translate(
            "counts come on top: a processor makes them, reads {size} from them in a step and sends it to the device; "
            "the data sheet says nothing of it"
        )
        lines.append(said.format(size=size(counts.read_bytes)))
    return lines


def _largest_rows(best: Suggestions) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (translate("largest that fits, all else as it is"), ""),
        (translate("rows of a device"), _number(best.rows)),
        (translate("window, in tokens"), _number(best.window)),
    ]
    if best.parameters is not None:
        rows.append((translate("model of this family, in parameters"), _number(best.parameters)))
    return rows


def _warn(terminal: Terminal, name: str, plan: Plan, best: Suggestions) -> None:
    if not plan.fits:
        terminal.warn(
            "{name} does not fit: {needed} of {room}; {remedy}",
            name=name,
            needed=size(plan.chosen.peak),
            room=size(max(0.0, plan.outcomes[0].limit)),
            remedy=_remedy(plan, best),
        )
    if plan.counting_seconds and not plan.tokens:
        terminal.warn(
            "{name}: counting alone takes {time}: give more minutes, or fewer training.folds",
            name=name,
            time=duration(plan.counting_seconds),
        )
    if plan.critical_batch is not None and plan.step_tokens > plan.critical_batch:
        terminal.warn("a step has more tokens than the critical batch: more devices save little time and cost tokens")
    if plan.hardware.devices > 1 and plan.traffic.exposed > plan.step.seconds:
        terminal.warn("devices wait for each other more than they compute: give more rows, or fewer devices")


def _remedy(plan: Plan, best: Suggestions) -> str:
    """Return what would fit in the place of what does not: fewer rows, a shorter window, a smaller model, or sharing.

    Where neither one row nor a window of one token fits, it is what a model takes with no text at all that is told, if
    that is the reason.
    """
    ways = [f"--{key} {number}" for key, number in (("rows", best.rows), ("window", best.window)) if number]
    if ways:
        if best.parameters:
            ways.append(translate("a model of {number} parameters").format(number=f"{best.parameters:,}"))
        return translate("{largest} would fit").format(largest=translate(" or ").join(ways))
    held = plan.chosen
    alone = held.footprint.weights + held.footprint.gradients + held.footprint.moments + held.gathered
    if alone <= plan.outcomes[0].limit:
        remedy = translate("take fewer rows and a shorter window")
    elif plan.strategy == "fsdp":
        remedy = translate("share them among more (--devices)")
    else:
        remedy = translate("share them (--devices, --strategy fsdp)")
    if best.parameters:
        smaller = translate("{remedy}, or take a model of {number} parameters")
        remedy = smaller.format(remedy=remedy, number=f"{best.parameters:,}")
    if alone <= plan.outcomes[0].limit:
        return remedy
    said = translate("weights, gradients and moments alone take {size}: {remedy}")
    return said.format(size=size(alone), remedy=remedy)


def _number(number: int) -> str:
    return f"{number:,}" if number else "–"


def _bytes(number: int) -> str:
    return size(number) if number else "–"
