"""What is planned: which models of a recipe, with which rows and precision, for how much text, and by which budget."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.machines import MACHINE, RATES
from tests.worked.test_plan_memory import work
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.study.planning.budget import Budget, checkpoint_interval, failures
from ziggurat.study.planning.hardware import Device, Hardware, as_measured, check_complete, named, names
from ziggurat.study.planning.memory import held
from ziggurat.study.planning.plan import Asked, checkpoint_bytes, make, ways
from ziggurat.study.planning.work import kept_inputs
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.subjects import asked_of, is_recipe, planned
from ziggurat.training import precision
from ziggurat.training.rates import between, on_sheet

ELSEWHERE = PlanOptions(hardware="h100-sxm")


def asked(wanted: Any, text: list[str], options: PlanOptions, budget: Budget | None) -> Asked:
    """What is asked for of the one model of a recipe."""
    (found,) = asked_of(wanted, planned(wanted, options), text, options, budget)
    return found


def recipe(name: str = "gpt", **changes: Any) -> Any:
    return load_recipe(name).change({key.replace("__", "."): value for key, value in changes.items()})


# -- words -------------------------------------------------------------------------------------------------------------


def test_the_first_word_is_a_recipe_or_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_recipe("gpt")
    assert is_recipe("mine.toml")
    assert not is_recipe("novel.txt")
    Path("gpt").mkdir()
    assert not is_recipe("gpt")  # a folder of that name is text
    with pytest.raises(UnknownNameError, match="did you mean 'lstm'"):
        is_recipe("lstmm")
    Path("lstmm").write_text("a text")
    assert not is_recipe("lstmm")


# -- models ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "devices", "own", "each"),
    [
        (16, 1, None, 16),
        (16, 4, None, 4),
        (17, 4, None, 5),  # 4.25: the fullest device has 5
        (16, 16, None, 1),
        (16, 4, 7, 7),  # rows are those of a device where they are said
        (3, 64, 7, 7),
    ],
)
def test_devices_share_the_rows(rows: int, devices: int, own: int | None, each: int) -> None:
    (found,) = planned(
        recipe(training__rows=rows), PlanOptions(hardware="h100-sxm", devices=devices, rows=own, window=13)
    )
    assert (found.work.load.rows, found.work.load.text) == (each, 13)


def test_more_devices_than_rows_are_refused() -> None:
    with pytest.raises(UsageError, match="--devices: 17 devices share the 16 rows of a batch of gpt"):
        planned(recipe(training__rows=16), PlanOptions(devices=17))


@pytest.mark.parametrize(
    ("told", "options", "has", "expected"),
    [
        ("f32", ELSEWHERE, True, "f32"),
        ("auto", ELSEWHERE, False, "bf16"),  # what data sheets are about multiplies 16-bit numbers
        ("auto", PlanOptions(), False, "f32"),
        ("auto", PlanOptions(), True, "bf16"),
        ("bf16", PlanOptions(), False, "bf16"),
        ("bf16", PlanOptions(precision="f32"), True, "f32"),
        ("f32", PlanOptions(precision="bf16"), False, "bf16"),
    ],
)
def test_the_precision_is_that_in_which_it_would_train(
    told: str, options: PlanOptions, has: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: has)
    monkeypatch.setattr(precision, "PAYS_FROM_PARAMETERS", 1)
    assert planned(recipe(training__precision=told), options)[0].work.precision == expected


def test_batches_of_a_step_and_what_is_trained_are_the_recipe_s() -> None:
    (found,) = planned(recipe(training__accumulate=3, training__lora_rank=2), ELSEWHERE)
    assert found.work.accumulate == 3
    assert found.work.trained is not None
    assert 0 < found.work.trained_numbers < 0.1 * found.work.anatomy.parameters
    (whole,) = planned(recipe(), ELSEWHERE)
    assert whole.work.trained_numbers == whole.work.anatomy.parameters


def test_what_is_counted_is_not_planned() -> None:
    with pytest.raises(UsageError, match="ngram: a model of family ngram is counted or fitted in passes"):
        planned(recipe("ngram"), ELSEWHERE)


def test_the_same_work_comes_in_other_sizes() -> None:
    (found,) = planned(recipe(training__lora_rank=2), PlanOptions(hardware="h100-sxm", window=101))
    assert found.sized is not None
    small, large = found.sized(10_000), found.sized(10_000_000)
    assert small.anatomy.parameters < 0.1 * large.anatomy.parameters
    assert small.load == large.load == found.work.load
    assert small.anatomy.context is not None
    assert small.anatomy.context >= 101  # or it could not read what it is to read
    assert small.trained is None


# -- what is asked for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["minutes", "steps", "tokens", "epochs"])
def test_the_budget_is_the_recipe_s_where_none_is_given(unit: str) -> None:
    wanted = load_recipe("gpt").with_budget(unit, 3)
    options = PlanOptions(text_tokens=1009)
    assert asked(wanted, [], options, None).budget == Budget(unit, 3.0)  # type: ignore[arg-type]
    given = Budget("steps", 7.0)
    assert asked(wanted, [], options, given).budget == given


def test_no_budget_at_all_is_refused() -> None:
    nothing = recipe(training__minutes=None)
    with pytest.raises(UsageError, match="no budget: give one of --minutes, --steps, --tokens, --epochs or --optimal"):
        asked(nothing, [], PlanOptions(), None)


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        (PlanOptions(), None),
        (PlanOptions(text_tokens=1009.0), 1009),
        (PlanOptions(text_bytes=1000.0), 250),
        (PlanOptions(text_bytes=1000.0, bytes_per_token=2.5), 400),
    ],
)
def test_the_size_of_the_text_as_it_is_told(options: PlanOptions, tokens: float | None) -> None:
    assert asked(recipe(), [], options, Budget("steps", 1)).corpus_tokens == tokens


def test_evaluations_are_read_only_of_a_text() -> None:
    wanted = recipe(training__evaluations=3, training__evaluate_tokens=700)
    assert asked(wanted, [], PlanOptions(), Budget("steps", 1)).evaluation_tokens == 0


@pytest.mark.parametrize("letters", [1_000, 1_000_000])
def test_an_evaluation_reads_no_more_than_there_is(letters: int, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("the tower " * (letters // 10))
    wanted = recipe(training__evaluations=3, training__evaluate_tokens=700)
    found = asked(wanted, [str(tmp_path / "text.txt")], PlanOptions(), Budget("steps", 1))
    assert found.corpus_tokens is not None
    # a tenth is held out to tune on and a tenth to measure on; eight are learnt
    assert found.one_evaluation_tokens == pytest.approx(min(700, found.corpus_tokens / 8))
    assert found.evaluation_tokens == pytest.approx(3 * found.one_evaluation_tokens)


@pytest.mark.parametrize(
    ("spread", "options", "expected"),
    [
        ("auto", PlanOptions(devices=2), None),
        ("fsdp", PlanOptions(devices=2), "fsdp"),
        ("fsdp", PlanOptions(devices=1), None),
        ("fsdp", PlanOptions(devices=2, strategy="zero1"), "zero1"),
    ],
)
def test_how_it_is_spread(spread: str, options: PlanOptions, expected: str | None) -> None:
    assert asked(recipe(training__spread=spread), [], options, Budget("steps", 1)).strategy == expected


@pytest.mark.parametrize(
    ("recomputes", "told", "expected"),
    [(False, None, None), (True, None, True), (True, "no", False), (False, "yes", True)],
)
def test_whether_blocks_are_computed_again(recomputes: bool, told: Any, expected: bool | None) -> None:
    wanted = recipe(training__recompute=recomputes)
    assert asked(wanted, [], PlanOptions(recompute=told), Budget("steps", 1)).recompute is expected


# -- hardware ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("devices", "per_node", "nodes", "link"),
    [
        (1, 8, 1, float("inf")),
        (8, 8, 1, 450e9),
        (9, 8, 2, 50e9),  # one device in the last node, and one way out of it
        (16, 8, 2, 400e9),
        (18, 8, 3, 100e9),
        (36, 12, 3, 450e9),  # twelve adapters carry more than a device can send
        (2, 1, 2, 50e9),  # nothing joins devices inside a node of one
    ],
)
def test_a_node_sends_by_all_its_adapters(devices: int, per_node: int, nodes: int, link: float) -> None:
    device = Device(per_node=per_node, link_gb=450.0, network_gb=50.0)
    found = Hardware("made", device, devices)
    assert (found.nodes, found.link) == (nodes, link)


@pytest.mark.parametrize("name", names())
def test_every_data_sheet_is_whole(name: str) -> None:
    found = named(name, devices=10_000)
    for told in ("f32", "bf16"):
        check_complete(found, told)
    device = found.device
    assert device.bf16_tflops > device.f32_tflops
    assert device.link_gb >= device.network_gb > 0
    assert device.watts > 0
    assert device.title != name


def test_numbers_of_one_s_own_take_the_place_of_a_sheet_s() -> None:
    found = named("l4", changes={"memory_gb": 7.0})
    assert found.device == dataclasses.replace(named("l4").device, memory_gb=7.0)


def test_processes_on_one_machine_share_its_memory() -> None:
    one, three = as_measured(MACHINE), as_measured(MACHINE, devices=3, cores=3)
    assert three.memory_bytes == pytest.approx(one.memory_bytes / 3)
    assert (three.nodes, three.link) == (1, pytest.approx(1e10 / 4 / 3))
    # the fastest product anywhere on the sheet
    assert one.peak("f32") == pytest.approx(8e9)
    with_own = as_measured(MACHINE, changes={"memory_gb": 2.0})
    assert with_own.memory_bytes == 2e9


def test_beyond_what_was_measured_the_last_figure_holds() -> None:
    assert on_sheet(RATES.products, 1, 1) == 1e9
    assert on_sheet(RATES.products, 1e9, 1e9) == 8e9
    assert between(((5.0, 3.0),), 1.0) == between(((5.0, 3.0),), 99.0) == 3.0


# -- laws of memory, time and failures ---------------------------------------------------------------------------------


def test_a_checkpoint_holds_weights_and_two_moments() -> None:
    assert checkpoint_bytes(work()) == 3 * 4 * 160


def test_the_interval_loses_least() -> None:
    saving, mean = 7.0, 10_007.0

    def lost(interval: float) -> float:
        return saving / interval + interval / (2 * mean)

    best = checkpoint_interval(saving, mean)
    assert all(lost(best) < lost(best * other) for other in (0.5, 0.9, 1.1, 2.0))
    found = failures(useful_seconds=1.0, devices=1, mtbf_hours=mean / 3600, checkpoint_seconds=saving)
    assert found.lost_part == pytest.approx(lost(best))


def test_a_run_that_never_ends_is_refused() -> None:
    # a failure every 36 s: a checkpoint may take nearly 18
    near = failures(useful_seconds=7.0, devices=1000, mtbf_hours=10.0, checkpoint_seconds=17.99)
    assert 0.999 < near.lost_part < 1
    assert near.expected == pytest.approx(7 / (1 - near.lost_part) / 36)
    with pytest.raises(UsageError, match=r"--mtbf: a failure comes every 36 s, a checkpoint takes 18 s: .* --storage"):
        failures(useful_seconds=7.0, devices=1000, mtbf_hours=10.0, checkpoint_seconds=18.0)
    assert failures(useful_seconds=1.0, devices=3, mtbf_hours=1.0, checkpoint_seconds=0.0).lost_part == 0


def test_failures_make_a_run_longer_by_what_is_lost() -> None:
    own = {"memory_gb": 1.0, "bandwidth_gb": 1e-3, "f32_tflops": 1e-6}
    hardware = named("own", changes=own)
    calm = make(work(), hardware, Asked(Budget("steps", 1000)))
    stormy = make(work(), hardware, Asked(Budget("steps", 1000), mtbf_hours=0.01, storage_gb=1e-6))
    assert stormy.failures is not None
    assert stormy.failures.checkpoint_seconds == pytest.approx(1920 / 1000)
    assert stormy.seconds == pytest.approx(calm.seconds / (1 - stormy.failures.lost_part))
    assert stormy.tokens == calm.tokens


def test_what_is_faster_is_chosen_and_what_fits_before_that() -> None:
    figures = {"bandwidth_gb": 1e-3, "f32_tflops": 1e-6, "per_node": 7, "link_gb": 1.0}
    asked = Asked(Budget("steps", 1), usable=1.0)
    room = {outcome.strategy: outcome.kept.peak for outcome in ways(work(), named("l4", devices=7), usable=1.0)}
    assert room["fsdp"] < room["ddp"]
    tight = make(work(), named("own", devices=7, changes={**figures, "memory_gb": room["fsdp"] / 1e9}), asked)
    assert (tight.strategy, tight.fits) == ("fsdp", True)
    none = make(work(), named("own", devices=7, changes={**figures, "memory_gb": 1e-9}), asked)
    assert (none.strategy, none.recompute, none.fits) == ("fsdp", True, False)


def test_kept_inputs_are_less_than_what_is_kept_of_blocks() -> None:
    plain, again = held(work(), "ddp", 3), held(work(), "ddp", 3, recompute=True)
    block = 3 * 48 * 6
    kept = again.footprint.activations + block - plain.footprint.activations
    assert kept == kept_inputs(work().anatomy, work().load) == 360


# -- recipes of several parts ------------------------------------------------------------------------------------------


def test_each_part_has_its_own_budget_and_its_own_ways() -> None:
    mixed = load_recipe("counted-mixture").change(
        {
            "counted-gpt.training.optimiser": "adamw",
            "counted-lstm.training.minutes": 6,
            "counted-gpt.training.minutes": 2,
            "counted-gpt.training.recompute": True,
            "counted-lstm.training.spread": "ddp",
            "counted-gpt.training.spread": "fsdp",
        }
    )
    options = PlanOptions(hardware="h100-sxm", devices=2)
    subjects = planned(mixed, options)
    found = dict(zip([one.name for one in subjects], asked_of(mixed, subjects, [], options, None), strict=True))
    lstm, gpt = found["counted-lstm"], found["counted-gpt"]
    assert (lstm.budget, gpt.budget) == (Budget("minutes", 6.0), Budget("minutes", 2.0))
    assert (lstm.recompute, gpt.recompute) == (None, True)
    assert (lstm.strategy, gpt.strategy) == ("ddp", "fsdp")
    given = Budget("steps", 7.0)
    assert [one.budget for one in asked_of(mixed, subjects, [], options, given)] == [given, given]


def test_each_part_evaluates_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("the tower of the town " * 5000)
    mixed = load_recipe("counted-mixture").change(
        {
            "counted-gpt.training.optimiser": "adamw",
            "counted-lstm.training.evaluations": 3,
            "counted-lstm.training.evaluate_tokens": 70,
            "counted-gpt.training.evaluations": 5,
            "counted-gpt.training.evaluate_tokens": 110,
        }
    )
    subjects = planned(mixed, ELSEWHERE)
    found = asked_of(mixed, subjects, [str(tmp_path / "text.txt")], ELSEWHERE, None)
    assert [one.evaluation_tokens for one in found] == [3 * 70, 5 * 110]
    assert len({one.corpus_tokens for one in found}) == 1
