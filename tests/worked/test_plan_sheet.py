"""A plan in words: which lines a sheet has, what stands in them, in both languages, and what trains as planned."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.machines import MACHINE
from tests.worked.test_plan_memory import ANATOMY, work
from ziggurat.core.anatomy import Anatomy, Load, Saved
from ziggurat.study.planning.budget import Budget
from ziggurat.study.planning.hardware import Hardware, as_measured, named
from ziggurat.study.planning.plan import Asked, Plan, make, suggested
from ziggurat.study.planning.work import Work
from ziggurat.surface.chinese.planning import SENTENCES
from ziggurat.surface.language import speaking
from ziggurat.surface.planning import sheet
from ziggurat.surface.planning.command import Order
from ziggurat.surface.planning.options import PlanOptions
from ziggurat.surface.planning.sheet import duration, write_plans
from ziggurat.surface.planning.subjects import Planned
from ziggurat.surface.terminal import Terminal

OWN = {"memory_gb": 1e-5, "bandwidth_gb": 1e-3, "f32_tflops": 1e-6, "bf16_tflops": 1e-6, "watts": 500.0}
NEAR = {**OWN, "per_node": 8, "link_gb": 1e-3}
STEPS = Asked(Budget("steps", 1000), reached=0.5, usable=1.0)


def own(devices: int = 1, **changes: float) -> Hardware:
    return named("own", devices=devices, changes={**NEAR, **changes})


def rows(hardware: Hardware, asked: Asked = STEPS, wanted: Work | None = None) -> dict[str, str]:
    """What a sheet says, by the words before it; tables have two spaces between columns at least."""
    plan = make(wanted or work(), hardware, asked)
    text = sheet._sheet("tower", plan, suggested(plan, None))
    found = {}
    for line in text.splitlines():
        said, _, rest = line.partition("  ")
        found[said] = " | ".join(cell.strip() for cell in rest.split("  ") if cell.strip())
    return found


def written(
    capsys: pytest.CaptureFixture[str], hardware: Hardware, asked: Asked = STEPS, *, json: bool = False, **keys: Any
) -> tuple[str, str]:
    wanted = keys.pop("wanted", work())
    order = Order("gpt", options=PlanOptions(json=json))
    write_plans(Terminal(), order, [(Planned("tower", wanted, keys.pop("sized", None)), asked)], hardware)
    out, err = capsys.readouterr()
    return out, err


# -- times -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 ms"),
        (0.99949, "999.5 ms"),
        (1.0, "1.0 s"),
        (119.9, "119.9 s"),
        (120.0, "2.0 min"),
        (5399.0, "90.0 min"),
        (5400.0, "1.5 h"),
        (3 * 86400 - 3600, "71.0 h"),
        (3 * 86400, "3.0 d"),
        (400_000 * 86400, "400,000.0 d"),
    ],
)
def test_times_are_said_in_units_that_people_use(seconds: float, said: str) -> None:
    assert duration(seconds) == said


# -- what stands in the sheet ------------------------------------------------------------------------------------------


def test_one_device_by_hand() -> None:
    found = rows(own())
    # counted in test_plan_memory: 160 numbers, 1080 bytes of activations, 264 of log-probabilities
    assert found["memory of a device"] == "one device"
    assert (found["weights"], found["gradients"], found["the optimiser's moments"]) == ("640 B", "640 B", "1.28 kB")
    assert (found["activations kept for the backward pass"], found["log-probabilities of all ids"]) == (
        "1.08 kB",
        "264 B",
    )
    assert found["16-bit copies of matrices"] == "–"
    assert found["highest at any moment"] == "3.79 kB"
    assert found["there is room for 10.0 kB"] == "fits"
    # 5760 operations at half of 1e6 a second, and 7 · 4 · 160 bytes at 1e6 a second
    assert found["matrix products"].startswith("11.5 ms")
    assert found["optimiser"] == "4.5 ms"
    assert found["a step of 1 × 1 × 2 × 3 tokens"] == "16.0 ms | one device"
    assert found["tokens that are read"].endswith("37.5 a parameter")  # 6000 / 160
    assert found["steps"] == "1,000"
    assert found["time"] == "16.0 s"
    assert "sent by each device" not in found
    assert "weights of other devices, in use" not in found


def test_several_devices_stand_side_by_side() -> None:
    found = rows(own(7), replace(STEPS, strategy="ddp"))
    assert found["memory of a device"] == "DDP | ZeRO-1 | ZeRO-2 | FSDP"
    assert found["weights"] == "640 B | 640 B | 640 B | 92 B"
    assert found["gradients"] == "640 B | 640 B | 92 B | 92 B"
    assert found["the optimiser's moments"] == "1.28 kB | 183 B | 183 B | 183 B"
    assert found["weights of other devices, in use"] == "– | – | – | 720 B"
    assert found["a step of 7 × 1 × 2 × 3 tokens"].endswith("| DDP")
    # 2 · 6/7 · 640 bytes over a link of a million bytes a second, behind the backward pass
    assert found["sent by each device"] == "1.1 ms | 1.10 kB"
    assert found["… not hidden behind computing"] == "1.1 ms"


def test_what_is_asked_for_is_said_and_what_is_not_is_left_out() -> None:
    plain = rows(own(watts=0.0))
    left_out = ("energy", "cost", "failures", "save every", "critical batch, tokens", "… of it for evaluations")
    assert not set(left_out) & set(plain)
    full = Asked(
        Budget("steps", 1000), corpus_tokens=500, price=3600.0, mtbf_hours=1.0, loss=1.0, evaluation_tokens=90,
        reached=0.5, usable=1.0,
    )  # fmt: skip
    found = rows(own(), full)
    assert set(left_out) <= set(found)
    assert found["steps"] == "1,000 | 12.00 passes over 500 tokens"
    assert found["failures"].endswith("one in 60.0 min")
    assert found["critical batch, tokens"].endswith("a step has 6")


def test_a_machine_that_was_measured_says_so() -> None:
    found = rows(as_measured(MACHINE), Asked(Budget("steps", 1)))
    assert found["model FLOPs utilisation"].endswith("measured")
    assert found["largest memory of the process"] == "100 MB"
    assert "tower: 160 parameters in f32, on 1 × this machine, 1 thread (measured here)" in found
    assert rows(own())["model FLOPs utilisation"].endswith("assumed, see --mfu")


@pytest.mark.parametrize(
    ("memory_bytes", "said"), [(3792, "fits"), (3791, "fits if computed again"), (3287, "too much")]
)
def test_whether_it_fits_is_said_of_each(memory_bytes: float, said: str) -> None:
    # 3792 bytes with all that is kept, and 3288 with blocks computed again (test_plan_memory)
    found = rows(own(memory_gb=memory_bytes / 1e9), replace(STEPS, recompute=False))
    (limit,) = [words for words in found if words.startswith("there is room for")]
    assert found[limit] == said


def test_the_way_says_that_blocks_are_computed_again() -> None:
    found = rows(own(), replace(STEPS, recompute=True))
    assert found["a step of 1 × 1 × 2 × 3 tokens"].endswith("one device, blocks computed again")


# -- in both languages -------------------------------------------------------------------------------------------------


def test_nothing_in_a_chinese_sheet_is_english(capsys: pytest.CaptureFixture[str]) -> None:
    full = Asked(
        Budget("steps", 1000), corpus_tokens=500, price=3.0, mtbf_hours=1.0, loss=1.0, evaluation_tokens=90,
        reached=0.5, recompute=True,
    )  # fmt: skip
    english, _ = written(capsys, own(7), full)
    with speaking("zh"):
        chinese, _ = written(capsys, own(7), full)
    assert len(english.splitlines()) == len(chinese.splitlines())
    names = {"DDP", "ZeRO", "FSDP", "FLOP", "FLOPs", "kWh", "MFU", "B", "kB", "ms", "s", "min", "h"}
    names |= {"tower", "f32", "k", "GFLOP", "MFLOP", "kFLOP", "mfu", "d", "M"}
    for line in chinese.splitlines():
        words = {word.strip("0123456789.,:()（）×–%-") for word in line.split() if word.isascii()}
        assert {word for word in words if word.isalpha()} <= names, line


def test_figures_are_the_same_in_both(capsys: pytest.CaptureFixture[str]) -> None:
    def figures(text: str) -> list[str]:
        return sorted(word for line in text.splitlines() for word in line.split() if word[0].isdigit())

    english, _ = written(capsys, own(7))
    with speaking("zh"):
        chinese, _ = written(capsys, own(7))
    units = ("B", "kB", "ms", "s", "kWh")
    assert [word for word in figures(english) if word not in units][:7]
    for said in ("640", "183", "720"):
        assert figures(english).count(said) == figures(chinese).count(said) > 0


def test_places_in_a_sentence_have_the_same_names_in_both() -> None:
    for english, chinese in SENTENCES.items():
        names = re.compile(r"{(\w+)}")
        assert set(names.findall(english)) == set(names.findall(chinese)), english


# -- what is warned of, and what comes next ----------------------------------------------------------------------------


def sized(parameters: int) -> Work:
    """The work with a layer of its own size in the place of all."""
    part = replace(ANATOMY.towers[0].parts[0], parameters=parameters, saved=Saved(f32=1))
    return replace(work(), anatomy=Anatomy((replace(ANATOMY.towers[0], parts=(part,)),), ANATOMY.symbols))


@pytest.mark.parametrize(
    ("bytes_of_memory", "devices", "keys", "said"),
    [
        # 1920 bytes of weights and moments, 936 for a row of three tokens, 624 for a token of both rows
        (3000, 1, {}, "3.79 kB of 3.00 kB; --rows 1 or --window 1 would fit"),
        (2900, 1, {}, "3.79 kB of 2.90 kB; --rows 1 or --window 1 would fit"),
        (2560, 1, {}, "3.79 kB of 2.56 kB; --window 1 would fit"),
        (2559, 1, {}, "2.56 kB; weights, gradients and moments alone take 2.56 kB: "
         "share them (--devices, --strategy fsdp)"),
        (500, 7, {"strategy": "ddp"}, "alone take 2.56 kB: share them (--devices, --strategy fsdp)"),
        (500, 7, {"strategy": "fsdp"}, "alone take 1.09 kB: share them among more (--devices)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_warned_of_with_what_would(
    bytes_of_memory: int, devices: int, keys: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hardware = own(devices, memory_gb=bytes_of_memory / 1e9)
    _, err = written(capsys, hardware, replace(STEPS, recompute=False, **keys))
    assert err.startswith("warning: tower does not fit: ")
    assert err.endswith(f"{said}\n")
    assert " 0" not in err
    with speaking("zh"):
        _, err = written(capsys, hardware, replace(STEPS, recompute=False, **keys))
    words = err
    for word in ("--devices", "--strategy fsdp", "tower", "--rows", "--window"):
        words = words.replace(word, "")
    assert not set("".join(words.split())) & set("acdefghijlmnopqrstuvwxyz")  # all but kB


def test_options_are_named_as_they_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers in them have no commas, and what they say fits."""
    many = work().with_load(Load(rows=9000, text=3))
    hardware, none = own(memory_gb=5e-3), replace(STEPS, recompute=False)
    _, err = written(capsys, hardware, none, wanted=many)
    rows, window = re.findall(r"--rows (\d+) or --window (\d+) would fit", err)[0]
    assert int(rows) > 1000
    for load in (Load(rows=int(rows), text=3), Load(rows=9000, text=int(window))):
        assert make(work().with_load(load), hardware, none).fits
    assert not make(work().with_load(Load(rows=int(rows) + 1, text=3)), hardware, none).fits


def test_where_neither_alone_is_enough_both_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    large = work().with_load(Load(rows=50, text=13))
    _, err = written(capsys, own(memory_gb=2.56e-6), replace(STEPS, recompute=False), wanted=large)
    assert err.endswith("of 2.56 kB; take fewer rows and a shorter window\n")


def test_a_smaller_model_is_a_way_too(capsys: pytest.CaptureFixture[str]) -> None:
    none = replace(STEPS, recompute=False)
    _, err = written(capsys, own(memory_gb=3e-6), none, sized=lambda number: sized(max(1, number // 1000)))
    assert "--rows 1 or --window 1 or a model of 1" in err
    _, err = written(capsys, own(memory_gb=1e-6), none, sized=lambda number: sized(max(1, number // 1000)))
    assert "share them (--devices, --strategy fsdp), or take a model of " in err
    out, err = written(capsys, own(memory_gb=1e-9), none, sized=sized)
    assert "model of" not in err
    assert [line.split()[-1] for line in out.rstrip().splitlines()[-3:]] == ["–", "–", "–"]


def test_what_fits_is_not_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = written(capsys, own(), STEPS)
    assert "warning" not in err
    assert err == "next: ziggurat train TEXT… --recipe gpt\n"


def test_there_is_no_next_for_what_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = written(capsys, own(memory_gb=3e-6), replace(STEPS, recompute=False))
    assert "next" not in err


@pytest.mark.parametrize(
    ("hardware", "said"),
    [
        (named("h100-sxm"), "NVIDIA H100 SXM 80 GB（H100 与 DGX H100 的厂商数据手册）"),
        (own(), "你给的数字（给定）"),
        (as_measured(MACHINE), "本机，1 个线程（本机实测）"),
        (as_measured(replace(MACHINE, threads=3)), "本机，3 个线程（本机实测）"),
    ],
)
def test_the_hardware_is_named_in_chinese(hardware: Hardware, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with speaking("zh"):
        out, _ = written(capsys, hardware)
    assert out.startswith(f"tower：160 个参数，f32，1 × {said}\n")


def test_large_batches_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    # at a loss of e^5.05 the critical batch has e^-4.9 tokens
    _, err = written(capsys, own(), replace(STEPS, loss=100.0))
    assert "a step has more tokens than the critical batch" in err
    _, err = written(capsys, own(), replace(STEPS, loss=1.0))
    assert "critical" not in err


def test_waiting_for_each_other_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    _, err = written(capsys, own(7, link_gb=1e-5))  # 110 ms of sending for 16 ms of computing
    assert "devices wait for each other more than they compute" in err
    _, err = written(capsys, own(7))
    assert "wait for each other" not in err


def test_json_holds_what_the_sheet_says_and_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = written(capsys, own(7), replace(STEPS, strategy="ddp"), json=True)
    assert err == ""
    content = json.loads(out)
    (found,) = content["plans"]
    assert (content["recipe"], found["name"]) == ("gpt", "tower")
    assert list(found["memory_bytes"]) == ["ddp", "zero1", "zero2", "fsdp"]
    assert found["memory_bytes"]["fsdp"]["gathered"] == 720
    assert found["memory_bytes"]["ddp"]["weights"] == 640
    assert found["batch"] == {"rows": 2, "tokens": 3, "accumulate": 1, "step_tokens": 42}
    assert found["parameters"] == ANATOMY.parameters
    assert found["traffic"]["bytes"] == pytest.approx(2 * 6 / 7 * 640)
    assert found["largest"] == {"rows": 8, "window": 12, "parameters": None}
    assert (found["epochs"], found["cost"], found["failures"]) == (None, None, None)


def test_warnings_come_with_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = written(capsys, own(memory_gb=3e-6), replace(STEPS, recompute=False), json=True)
    assert json.loads(out)["plans"][0]["fits"] is False
    assert err.count("\n") == 1


def test_a_plan_of_several_models_has_a_sheet_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    longer = work().with_load(Load(rows=5, text=11))
    subjects = [(Planned("first", work(), None), STEPS), (Planned("second", longer, None), STEPS)]
    write_plans(Terminal(), Order("mixture"), subjects, own(memory_gb=1.0))
    out, err = capsys.readouterr()
    assert (out.count("memory of a device"), err.count("next:")) == (2, 1)
    assert out.index("first: 160 parameters") < out.index("second: 160 parameters")
    assert "a step of 1 × 1 × 5 × 11 tokens" in out


@pytest.mark.parametrize("json_too", [False, True])
def test_several_models_are_added_up(json_too: bool, capsys: pytest.CaptureFixture[str]) -> None:
    asked = (replace(STEPS, price=3600.0), Asked(Budget("steps", 3000), reached=0.5, usable=1.0, price=3600.0))
    subjects = [(Planned("first", work(), None), asked[0]), (Planned("second", work(), None), asked[1])]
    for language in ("en", "zh"):
        with speaking(language):
            write_plans(Terminal(), Order("mixture", options=PlanOptions(json=json_too)), subjects, own())
        out, _ = capsys.readouterr()
        if json_too:
            found = json.loads(out)
            assert [one["seconds"] for one in found["plans"]] == pytest.approx([16.0, 48.0])
            assert found["total"]["seconds"] == pytest.approx(64.0)
            assert found["total"]["cost"] == pytest.approx(64.0)
            assert found["total"]["energy_kwh"] == pytest.approx(sum(one["energy_kwh"] for one in found["plans"]))
            continue
        # 16 s and 48 s, at 1 a second
        last = out[out.rindex({"en": "all together", "zh": "依次训练，合计"}[language]) :].split()
        assert {"64.0", "64.00"} <= set(last)
        assert "kWh" in last


def test_one_model_has_no_total(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = written(capsys, own())
    assert "all together" not in out


def made(hardware: Hardware, asked: Asked = STEPS) -> Plan:
    return make(work(), hardware, asked)


def test_sending_that_nothing_hides_is_part_of_the_step() -> None:
    near, far = made(own(7)), made(own(7, link_gb=1e-5))
    assert near.step_seconds == near.step.seconds
    assert far.traffic.exposed > 0
    assert far.step_seconds == pytest.approx(far.step.seconds + far.traffic.exposed)
    assert far.seconds == pytest.approx(1000 * far.step_seconds)
