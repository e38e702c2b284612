"""Say what a training will take before it begins: memory, time, energy and cost, here or on other hardware."""

import os
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ziggurat.core.errors import UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.terminal import Terminal

if TYPE_CHECKING:
    from ziggurat.study.planning.budget import Budget
    from ziggurat.study.planning.hardware import Hardware

__all__ = ["COMMAND", "plan"]

DEFAULT = "gpt"
FIGURES = {
    "memory": "memory_gb",
    "bandwidth": "bandwidth_gb",
    "bf16_tflops": "bf16_tflops",
    "f32_tflops": "f32_tflops",
    "per_node": "per_node",
    "link": "link_gb",
    "network": "network_gb",
    "watts": "watts",
}
"""Options that stand for figures of a data sheet."""


@with_options(PlanOptions)
def plan(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE] [TEXT…]",
            help="A recipe's name or file (gpt where none is given), and the text. Recipe keys: --model.layers 6",
        ),
    ] = None,
    *,
    options: PlanOptions,
) -> None:
    """Predict memory, speed, time, energy and cost of a training, on this machine or on any other.

    Memory is told for one device, and where there are several for each way to share it among them: DDP, ZeRO-1,
    ZeRO-2 and FSDP. What does not fit is said, and the largest that would. Nothing is trained.
    """
    from ziggurat.artefacts.recipe import load_recipe
    from ziggurat.artefacts.settings import environment_settings, flag_settings
    from ziggurat.study.planning.hardware import HERE
    from ziggurat.surface.planning.command import Order
    from ziggurat.surface.planning.sheet import write_plans
    from ziggurat.surface.planning.subjects import asked_of, is_recipe, planned

    names, flags = split_settings(words or [], context)
    name = names.pop(0) if names and is_recipe(names[0]) else DEFAULT
    _check(options, names)
    recipe = load_recipe(name, [*environment_settings(os.environ), *flag_settings(flags)])
    terminal = Terminal(quiet=options.quiet)
    budget = _budget(options)
    subjects = planned(recipe, options)
    asked = asked_of(recipe, subjects, names, options, budget)
    order = Order(name, tuple(names), flags, options)
    write_plans(terminal, order, list(zip(subjects, asked, strict=True)), _hardware(options, terminal))
    if options.hardware == HERE:
        _warn_of_gpu([one.training for one in subjects], terminal)


def _warn_of_gpu(trainings: list[Any], terminal: Terminal) -> None:
    """Say so where this machine trains on a GPU: what is measured of it is its processor."""
    from ziggurat.study.planning.hardware import names
    from ziggurat.training.loop.machinery import chosen_device

    told = [getattr(one, "device", "cpu") for one in trainings]
    if any(one != "cpu" for one in told) and chosen_device("auto") != "cpu":
        terminal.warn(
            "this plan is of the processor, but torch sees a GPU here, and training takes it: name the GPU by "
            "--hardware NAME ({names} or own), or train by the processor with --training.device cpu",
            names=", ".join(names()),
        )


def _hardware(options: PlanOptions, terminal: Terminal) -> "Hardware":
    from ziggurat.study.planning.hardware import HERE, here, named

    given = {key: getattr(options, flag) for flag, key in FIGURES.items() if getattr(options, flag) is not None}
    if options.hardware != HERE:
        return named(options.hardware, devices=options.devices, changes=given)
    return here(
        devices=options.devices,
        changes=given,
        again=options.measure,
        told=lambda: terminal.say("measuring this machine, once: some twenty seconds"),
    )


def _budget(options: PlanOptions) -> "Budget | None":
    """Return the budget that was asked for; None leaves it to the recipe."""
    from ziggurat.study.planning.budget import Budget

    given = [unit for unit in ("minutes", "steps", "tokens", "epochs") if getattr(options, unit) is not None]
    given += ["optimal"] if options.optimal else []
    if len(given) > 1:
        raise UsageError(f"{' and '.join(f'--{unit}' for unit in given)}: give one budget, not {len(given)}")
    if not given:
        return None
    unit = given[0]
    return Budget(unit, 0.0 if unit == "optimal" else float(getattr(options, unit)))  # type: ignore[arg-type]


def _check(options: PlanOptions, names: list[str]) -> None:
    """Refuse options that do not go together."""
    from ziggurat.study.planning.hardware import HERE

    sizes = [f"--{field.name.replace('_', '-')}" for field in fields(options) if field.name.startswith("text_")
             and getattr(options, field.name) is not None]  # fmt: skip
    if len(sizes) > 1 or (sizes and names):
        raise UsageError(f"{sizes[-1]}: the text's size is given already; leave it out")
    if options.measure and options.hardware != HERE:
        raise UsageError(f"--measure: {options.hardware} is not this machine; leave it out, or choose --hardware here")
    for key, idle, why in _without_effect(options):
        if idle and getattr(options, key) != getattr(PlanOptions(), key):
            raise UsageError(f"--{key.replace('_', '-')}: {why}")


def _without_effect(options: PlanOptions) -> Iterator[tuple[str, bool, str]]:
    """Yield options, whether they would change nothing beside the others, and what to do then."""
    from ziggurat.study.planning.hardware import HERE, Device, named

    here, one = options.hardware == HERE, options.devices == 1
    device = Device(per_node=options.devices) if here else named(options.hardware).device
    per_node = options.per_node or device.per_node
    watts = device.watts if options.watts is None else options.watts
    yield "strategy", one, f"one device shares nothing with others; give --devices, or leave {options.strategy} out"
    for key in ("mfu", "bandwidth"):
        yield key, here, "the rates of this machine are measured; leave it out, or choose other --hardware"
    for key in ("per_node", "link", "network"):
        yield key, one, "one device is joined to no other; give --devices, or leave it out"
    yield "link", per_node == 1, "a node has one device only; give --per-node, or leave it out"
    yield "network", options.devices <= per_node, f"{options.devices} devices are in one node; leave it out"
    yield "pue", not watts, "no power of a device is known; give --watts, or leave it out"
    yield (
        "storage",
        options.mtbf is None,
        "what a checkpoint takes is told beside failures; give --mtbf, or leave it out",
    )
    yield (
        "bytes_per_token",
        options.text_bytes is None,
        "only --text-bytes is divided by it; give that, or leave it out",
    )


COMMAND = open_to_settings(plan)
