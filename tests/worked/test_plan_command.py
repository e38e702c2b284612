"""The command that a plan ends with: what it passes on, where there is none, and that it trains what was planned."""

import shlex
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.worked.test_plan_memory import work
from ziggurat.artefacts.recipe import Recipe, load_recipe
from ziggurat.artefacts.settings import flag_settings
from ziggurat.study.planning.budget import Budget
from ziggurat.study.planning.hardware import Hardware, named
from ziggurat.study.planning.plan import Asked, make
from ziggurat.surface.planning.command import Order, train_command
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.subjects import Planned, planned

NEAR = {
    "memory_gb": 1e-5,
    "bandwidth_gb": 1e-3,
    "f32_tflops": 1e-6,
    "bf16_tflops": 1e-6,
    "per_node": 8,
    "link_gb": 1e-3,
}
STEPS = Asked(Budget("steps", 1000), reached=0.5, usable=1.0)
MEETING = "--rdzv-backend=c10d --rdzv-endpoint=FIRST:29400"


def own(devices: int = 1, **changes: float) -> Hardware:
    return named("own", devices=devices, changes={**NEAR, "network_gb": 1e-3, **changes})


def command(
    hardware: Hardware | None = None, order: Order | None = None, *, recomputes: bool = False, **asked: Any
) -> str | None:
    one = Planned("tower", work(), None, training=SimpleNamespace(recompute=recomputes))
    plan = make(one.work, hardware or own(), replace(STEPS, **asked))
    return train_command(order or Order("gpt"), [(one, plan)])


# -- processes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("devices", "keys", "said"),
    [
        (1, {}, "ziggurat train TEXT… --recipe gpt"),
        (1, {"recompute": True}, "ziggurat train TEXT… --recipe gpt --training.recompute true"),
        (
            7,
            {},
            # a seventh of the moments is moved in a seventh of the time, and all that is sent is hidden
            "torchrun --nproc-per-node=7 -m ziggurat train TEXT… --recipe gpt --training.rows 14 "
            "--training.spread fsdp --out FOLDER",
        ),
        (
            8,
            {"strategy": "ddp"},
            "torchrun --nproc-per-node=8 -m ziggurat train TEXT… --recipe gpt --training.rows 16 "
            "--training.spread ddp --out FOLDER",
        ),
        (
            16,
            {"strategy": "fsdp"},
            f"torchrun --nnodes=2 --nproc-per-node=8 {MEETING} -m ziggurat train TEXT… --recipe gpt "
            "--training.rows 32 --training.spread fsdp --out FOLDER",
        ),
    ],
)
def test_as_many_processes_as_devices(devices: int, keys: dict[str, Any], said: str) -> None:
    assert command(own(devices), **keys) == said


@pytest.mark.parametrize(
    ("hardware", "keys"),
    [
        (own(9), {}),  # torchrun starts as many processes on each node
        (own(13), {"strategy": "fsdp"}),
        (own(7), {"strategy": "zero1"}),  # our trainer has none of these
        (own(7), {"strategy": "zero2"}),
        (own(memory_gb=3e-6), {"recompute": False}),  # does not fit
    ],
)
def test_where_nothing_trains_as_planned_there_is_no_command(hardware: Hardware, keys: dict[str, Any]) -> None:
    assert command(hardware, **keys) is None


# -- what is passed on -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ""),
        ({"rows": 2}, " --training.rows 2"),
        ({"window": 17}, " --training.window 17"),
        ({"precision": "bf16"}, " --training.precision bf16"),
        ({"minutes": 1_000_000.0}, " --minutes 1000000"),
        ({"minutes": 0.25}, " --minutes 0.25"),
        ({"epochs": 3.0}, " --epochs 3"),
        ({"steps": 1_000_000}, " --steps 1000000"),
        ({"tokens": 5995.0}, " --steps 1000"),  # the last of 6 tokens is begun
        ({"optimal": True}, " --steps 1000"),
        ({"text_tokens": 7.0, "mtbf": 3.0, "usable": 0.5, "watts": 3.0}, ""),  # these are of the plan alone
    ],
)
def test_options_become_keys(options: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {"budget": Budget("tokens", 5995.0)} if {"tokens", "optimal"} & set(options) else {}
    found = command(order=Order("gpt", options=PlanOptions(**options)), **asked)
    assert found == f"ziggurat train TEXT… --recipe gpt{said}"


def test_texts_and_flags_are_passed_on_as_a_shell_reads_them() -> None:
    order = Order("my own.toml", ("a b.txt", "c.txt"), {"model.layers": "6", "start": "x y", "vectors": ""})
    found = command(order=order)
    assert found == "ziggurat train 'a b.txt' c.txt --recipe 'my own.toml' --model.layers 6 --start 'x y' --vectors="


def test_what_the_plan_says_goes_before_a_flag() -> None:
    flags = {"training.rows": "99", "training.recompute": "true", "model.layers": "6"}
    found = command(order=Order("gpt", (), flags, PlanOptions(rows=2)), recomputes=True, recompute=False)
    expected = "ziggurat train TEXT… --recipe gpt --training.rows 2 --training.recompute false --model.layers 6"
    assert found == expected
    assert command(recomputes=True, recompute=True) == "ziggurat train TEXT… --recipe gpt"


# -- the round trip ----------------------------------------------------------------------------------------------------


def trained_by(said: str) -> Recipe:
    """The recipe that a command trains."""
    words = shlex.split(said.split("--recipe ")[1])
    recipe, keys = words[0], dict(zip([word[2:] for word in words[1::2]], words[2::2], strict=True))
    keys.pop("out", None)
    budget = {unit: keys.pop(unit) for unit in ("minutes", "steps", "epochs") if unit in keys}
    found = load_recipe(recipe, flag_settings(keys))
    for unit, amount in budget.items():
        found = found.with_budget(unit, float(amount))
    return found


@pytest.mark.parametrize("name", ["gpt", "lstm", "bert", "mixture", "article-transformer"])
@pytest.mark.parametrize("devices", [1, 16])
def test_the_command_plans_as_it_was_planned(name: str, devices: int) -> None:
    """What it trains is the model, the batch and the precision of the plan, for as many steps."""
    flags = {"tokens.vocab_size": "777", "training.minutes": "3"}
    flags = {key: value for key, value in flags.items() if name != "mixture" or key.startswith("tokens")}
    options = PlanOptions(
        hardware="h100-sxm", devices=devices, rows=3, window=19, precision="f32", tokens=1e6, strategy=None
    )
    (one,) = planned(load_recipe(name, flag_settings(flags)), options)
    plan = make(one.work, named("h100-sxm", devices=devices), Asked(Budget("tokens", 1e6), strategy=None))
    found = train_command(Order(name, (), flags, options), [(one, plan)])
    assert found is not None
    recipe = trained_by(found)
    alone = PlanOptions(hardware="h100-sxm", devices=devices)
    if name == "mixture":  # its rows are those of a part
        _, part = recipe.parts
        assert (part.training.rows, part.training.steps) == (3 * devices, -(-(10**6) // (devices * one.work.tokens)))
        assert part.training.window == 19
        return
    (again,) = planned(recipe, alone)
    assert again.work == one.work
    keys = recipe.training
    assert keys.steps == -(-(10**6) // plan.step_tokens)
    assert (keys.minutes, keys.tokens, keys.epochs) == (None, None, None)
    assert keys.spread == ("auto" if devices == 1 else plan.strategy)


def test_each_model_of_several_has_the_steps_of_its_own_tokens() -> None:
    mixed = load_recipe("counted-mixture").change({"counted-gpt.training.optimiser": "adamw"})
    options = PlanOptions(hardware="l4", tokens=100_000)
    asked = Asked(Budget("tokens", 100_000))
    for rows, expected in ((7, (224, 112)), (16, (98, 49)), (32, (49, 25))):
        recipe = mixed.change({"counted-lstm.training.rows": rows, "counted-gpt.training.rows": rows})
        # 100,000 tokens in steps of rows × 64 and rows × 128
        found = [(one, make(one.work, named("l4"), asked)) for one in planned(recipe, options)]
        said = train_command(Order("counted-mixture", options=options), found)
        assert said is not None
        keys = said.split()
        for section, steps in zip(("counted-lstm.training", "counted-gpt.training"), expected, strict=True):
            assert keys[keys.index(f"--{section}.steps") + 1] == str(steps)
            assert f"--{section}.minutes=" in keys
    same = mixed.change({"counted-lstm.training.rows": 32, "counted-gpt.training.rows": 16})
    found = [(one, make(one.work, named("l4"), asked)) for one in planned(same, options)]
    assert str(train_command(Order("counted-mixture", options=options), found)).endswith(" --steps 49")
    changed = same.change({"counted-lstm.training.steps": 7, "counted-lstm.training.minutes": None})
    assert next(one for one in changed.parts if one.name == "counted-lstm").training.minutes is None
