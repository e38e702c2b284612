"""What `ziggurat plan` says before anything is trained, and what it refuses."""

import json
import math
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.machines import MACHINE
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.settings import flag_settings
from ziggurat.core.anatomy import Sizes
from ziggurat.study.planning.memory import STRATEGIES
from ziggurat.surface.anatomy.figures import size
from ziggurat.surface.anatomy.subject import of_recipe
from ziggurat.surface.planning.sheet import duration
from ziggurat.training.footprint import training_footprint

H100 = ("--hardware", "h100-sxm")
NETWORKS = ("gpt", "gpt2", "modern", "bert", "lstm", "article-transformer", "article-lstm")


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """This machine has round numbers, and remembers none; returns how often it was measured."""
    calls: list[int] = []

    def measure() -> object:
        calls.append(1)
        return MACHINE

    monkeypatch.setattr("ziggurat.study.planning.hardware._measure", measure)
    monkeypatch.setattr("ziggurat.study.planning.hardware.cache_folder", lambda: tmp_path / "kernels")
    return calls


def plan(ziggurat: Ziggurat, *words: str | Path) -> dict[str, Any]:
    ended = ziggurat("plan", *words, "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["version"], len(found["plans"])) == (1, 1)
    return dict(found["plans"][0])


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_planned_here_and_elsewhere(name: str, ziggurat: Ziggurat) -> None:
    for where in ((), H100, (*H100, "--devices", "64", "--rows", "3")):
        ended = ziggurat("plan", name, *where, "--steps", "7")
        assert ended.code == 0, ended.err
        for word in ("weights", "gradients", "highest at any moment", "tokens a second", "steps", "largest that fits"):
            assert word in ended.out
        assert f"ziggurat train TEXT… --recipe {name}" in ended.err
        assert ("torchrun --nnodes=8 --nproc-per-node=8 --rdzv-backend=c10d " in ended.err) is ("64" in where)
        assert ("--training.rows 192 --training.spread " in ended.err) is ("64" in where)
        assert ("FSDP" in ended.out) is ("64" in where)


def test_memory_is_that_of_describe(ziggurat: Ziggurat) -> None:
    found = plan(ziggurat, "gpt", "--precision", "f32", "--rows", "3", "--window", "17")
    subject = next(of_recipe(load_recipe("gpt"), Sizes(rows=3, window=17)))
    whole = training_footprint(
        subject.anatomy, subject.vocabulary, subject.training, half=False, trained=subject.trained
    )
    said = whole.to_mapping()
    assert {key: value for key, value in found["memory_bytes"]["one"].items() if key in said} == said
    assert found["batch"] == {"rows": 3, "tokens": 17, "accumulate": 1, "step_tokens": 51}


def test_this_machine_is_measured_once(ziggurat: Ziggurat, measured: list[int]) -> None:
    first, second = (ziggurat("plan", "gpt", "--steps", "1") for _ in range(2))
    assert "measuring this machine, once: some twenty seconds" in first.err
    assert "measuring" not in second.err
    assert first.out == second.out
    assert len(measured) == 1
    assert ziggurat("plan", "gpt", "--measure").code == 0
    assert len(measured) == 2


def test_keys_and_recipes_of_ones_own(ziggurat: Ziggurat, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('family = "decoder"\n[model]\nlayers = 3\nwidth = 20\nheads = 2\n[training]\nsteps = 11\n', "utf-8")
    found = plan(ziggurat, file, *H100, "--training.accumulate", "5", "--tokens.vocab_size", "300")
    assert found["steps"] == pytest.approx(11)
    assert found["batch"]["accumulate"] == 5
    assert plan(ziggurat, file, *H100, "--model.layers", "6")["parameters"] > found["parameters"]


def test_the_text_says_what_an_epoch_is(ziggurat: Ziggurat, texts: Path) -> None:
    found = plan(ziggurat, "gpt", texts, "--tokens.kind", "bytes", "--epochs", "3")
    size = texts.stat().st_size
    # a token of bytes is a byte; a fifth is held out; a record is more than its text
    assert 3 * 0.8 * 0.5 * size < found["tokens"] < 3 * 0.8 * size * 1.01
    assert found["epochs"] == pytest.approx(3)
    assert found["evaluation_seconds"] > 0
    assert plan(ziggurat, "gpt", "--text-tokens", "1009", "--epochs", "3")["tokens"] == 3027
    assert plan(ziggurat, "gpt", "--text-bytes", "4036", "--epochs", "3")["tokens"] == 3027
    assert plan(ziggurat, "gpt", "--text-bytes", "4036", "--bytes-per-token", "2", "--epochs", "1")["tokens"] == 2018


def test_the_optimal_budget_is_twenty_tokens_a_parameter(ziggurat: Ziggurat) -> None:
    found = plan(ziggurat, "gpt", *H100, "--optimal", "--price", "2.5", "--pue", "1.3")
    assert found["tokens"] == 20 * found["parameters"]
    hours = found["seconds"] / 3600
    assert found["cost"] == pytest.approx(2.5 * hours)
    assert found["energy_kwh"] == pytest.approx(0.7 * 1.3 * hours)
    assert found["tokens"] / found["tokens_per_second"] == pytest.approx(found["seconds"])


def test_hardware_of_ones_own(ziggurat: Ziggurat) -> None:
    own = ("--hardware", "own", "--memory", "7", "--bandwidth", "50", "--bf16-tflops", "3")
    found = plan(ziggurat, "gpt", *own)
    assert (found["hardware"]["memory_gb"], found["limit_bytes"]) == (7, pytest.approx(6.3e9))
    assert plan(ziggurat, "gpt", *own, "--devices", "2", "--per-node", "2", "--link", "5")["hardware"]["nodes"] == 1


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (("--devices", "2"), "--network"),
        (("--devices", "2", "--per-node", "2"), "--link"),
        (("--devices", "4", "--per-node", "2"), "--link"),
        (("--devices", "4", "--per-node", "2", "--network", "3"), "--link"),
        (("--devices", "4", "--per-node", "2", "--link", "3"), "--network"),
        (("--devices", "4", "--network", "3"), None),
        (("--devices", "4", "--per-node", "2", "--link", "3", "--network", "3"), None),
    ],
)
def test_what_joins_devices_is_asked_for_where_it_is_missing(
    words: tuple[str, ...], missing: str | None, ziggurat: Ziggurat
) -> None:
    own = ("--hardware", "own", "--memory", "7", "--bandwidth", "50", "--bf16-tflops", "3")
    ended = ziggurat("plan", "gpt", *own, *words)
    said = f"error: {missing}: own does not say; give a number\n"
    assert (ended.code, ended.err if missing else "") == ((2, said) if missing else (0, ""))


def test_what_does_not_fit_is_warned_of_and_the_largest_named(ziggurat: Ziggurat) -> None:
    ended = ziggurat("plan", "gpt", *H100, "--memory", "0.3", "--recompute", "no")
    assert ended.code == 0
    assert "warning: gpt does not fit" in ended.err
    assert "fits if computed again" in ended.out
    assert "blocks computed again" in ziggurat("plan", "gpt", *H100, "--memory", "0.3").out
    assert "too much" in ziggurat("plan", "gpt", *H100, "--memory", "0.03").out
    best = plan(ziggurat, "gpt", *H100, "--memory", "0.3", "--recompute", "no")["largest"]
    assert 0 < best["rows"] < 16
    again = plan(ziggurat, "gpt", *H100, "--memory", "0.3", "--recompute", "no", "--rows", str(best["rows"]))
    assert again["fits"]
    more = plan(ziggurat, "gpt", *H100, "--memory", "0.3", "--recompute", "no", "--rows", str(best["rows"] + 1))
    assert not more["fits"]


def test_failures_and_the_critical_batch(ziggurat: Ziggurat) -> None:
    words = (*H100, "--devices", "1024", "--optimal", "--mtbf", "50000", "--loss", "4.5", "--rows", "64")
    ended = ziggurat("plan", "gpt", *words)
    assert "save every" in ended.out
    assert "more tokens than the critical batch" in ended.err
    assert plan(ziggurat, "gpt", *words)["failures"]["mean_seconds"] == pytest.approx(3600 * 50000 / 1024)


def test_all_networks_of_a_mixture_are_planned(ziggurat: Ziggurat) -> None:
    ended = ziggurat("plan", "mixture", *H100, "--json")
    assert ended.code == 0
    assert [one["name"] for one in json.loads(ended.out)["plans"]] == ["gpt"]


def test_parts_keep_their_minutes(ziggurat: Ziggurat) -> None:
    minutes = ("--counted-lstm.training.minutes", "6", "--counted-gpt.training.minutes", "2")
    ended = ziggurat("plan", "counted-mixture", *minutes, "--text-tokens", "10007", "--json")
    found = json.loads(ended.out)
    assert {one["name"]: round(one["seconds"]) for one in found["plans"]} == {"counted-lstm": 360, "counted-gpt": 120}
    assert round(found["total"]["seconds"]) == 480
    assert all(one["counts"]["seconds"] > 0 for one in found["plans"])
    sheet = ziggurat("plan", "counted-mixture", *minutes)
    assert sheet.out.count("counts come on top") == 2
    assert "all together, one after another" in sheet.out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_gpu_that_would_train_is_warned_of(
    language: str, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    said = {"en": "this plan is of the processor, but torch sees a GPU here", "zh": "此计划针对处理器"}[language]
    words = ("--steps", "7", "--lang", language)
    ended = ziggurat("plan", "gpt", *words)
    assert said in ended.err
    assert "--hardware NAME (h100-sxm" in ended.err or "--hardware NAME 指明该 GPU（h100-sxm" in ended.err
    assert said in ziggurat("plan", "gpt", *words, "--json").err
    for quiet in (("--training.device", "cpu"), H100):
        assert said not in ziggurat("plan", "gpt", *words, *quiet).err
    mixed = ("--counted-lstm.training.device", "cpu")
    assert said in ziggurat("plan", "counted-mixture", *words, *mixed).err
    assert said not in ziggurat("plan", "counted-mixture", *words, *mixed, "--counted-gpt.training.device", "cpu").err


def test_without_a_gpu_nothing_is_warned_of(ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "GPU" not in ziggurat("plan", "gpt", "--steps", "7").err


def test_in_chinese(ziggurat: Ziggurat) -> None:
    ended = ziggurat("plan", "gpt", *H100, "--devices", "8", "--lang", "zh")
    assert "每个设备的内存" in ended.out
    assert "每秒词元数" in ended.out
    assert "下一步" in ended.err
    assert "NVIDIA H100 SXM 80 GB（H100 与 DGX H100 的厂商数据手册）" in ended.out
    assert "优化器" in ended.out
    here = ziggurat("plan", "gpt", "--lang", "zh")
    assert "本机，1 个线程（本机实测）" in here.out
    assert "约二十秒" in here.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ngram",), "plan is for networks that gradients train"),
        (("skipgram",), "plan is for networks that gradients train"),
        (("gptt",), "unknown recipe 'gptt'; did you mean 'gpt'?"),
        (("gpt", "nowhere.txt"), "nowhere.txt"),
        (("gpt", "--hardware", "h100"), "--hardware: unknown hardware 'h100'; did you mean 'h100-sxm'?"),
        (("gpt", "--devices", "0"), "--devices: must be from 1 to 1000000, got 0"),
        (("gpt", "--mfu", "1.5"), "--mfu: must be from 0.001 to 1, got 1.5"),
        (("gpt", "--steps", "3", "--optimal"), "--steps and --optimal: give one budget, not 2"),
        (("gpt", "--text-tokens", "3", "--text-bytes", "3"), "--text-bytes: the text's size is given already"),
        (("gpt", "--epochs", "3"), "a budget in epochs needs the size of the text"),
        (("gpt", "--devices", "17", *H100), "--devices: 17 devices share the 16 rows of a batch of gpt"),
        (("lstm", "--recompute", "yes", *H100), "--recompute: this model has no blocks to compute again"),
        (("gpt", "--strategy", "fsdp"), "--strategy: one device shares nothing with others"),
        (("gpt", "--mfu", "0.5"), "--mfu: the rates of this machine are measured; leave it out, or choose other"),
        (("gpt", "--bandwidth", "50"), "--bandwidth: the rates of this machine are measured"),
        (("gpt", "--storage", "3", *H100), "--storage: what a checkpoint takes is told beside failures; give --mtbf"),
        (("gpt", "--bytes-per-token", "3", *H100), "--bytes-per-token: only --text-bytes is divided by it"),
        (("gpt", "--bytes-per-token", "3", "--text-tokens", "9", *H100), "--bytes-per-token: only --text-bytes"),
        (("gpt", "--pue", "1.2"), "--pue: no power of a device is known; give --watts"),
        (("gpt", "--pue", "1.2", "--watts", "0", *H100), "--pue: no power of a device is known"),
        (("gpt", "--link", "3", *H100), "--link: one device is joined to no other; give --devices"),
        (("gpt", "--per-node", "3", *H100), "--per-node: one device is joined to no other"),
        (("gpt", "--network", "3", *H100), "--network: one device is joined to no other"),
        (("gpt", "--network", "3", "--devices", "8", *H100), "--network: 8 devices are in one node; leave it out"),
        (("gpt", "--network", "3", "--devices", "8"), "--network: 8 devices are in one node"),
        (("gpt", "--link", "3", "--devices", "8", "--hardware", "own"), "--link: a node has one device only"),
        (("gpt", "--strategy", "fsdpp", "--devices", "2"), "--strategy: unknown value 'fsdpp'; did you mean 'fsdp'?"),
        (("gpt", "--measure", *H100), "--measure: h100-sxm is not this machine"),
        (("gpt", "--model.layer", "3"), "--model.layer"),
        (("gpt", "demo:en"), "demo:en: its size can't be told before it is read; give --text-tokens or --text-bytes"),
        (("gpt", "-"), "standard input: its size can't be told before it is read"),
        (("article-transformer", "a.tsv"), "a.tsv: the size of pairs is not read here; give --text-tokens or"),
        (("gpt", "--window", "999"), "--window: 999 tokens are more than gpt can read at once"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], said: str, ziggurat: Ziggurat) -> None:
    ended = ziggurat("plan", *words)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ("--mfu", "0.5", "--bandwidth", "900", "--pue", "1.2", *H100),
        ("--mtbf", "500", "--storage", "3"),
        ("--pue", "1.2", "--watts", "65"),
        ("--text-bytes", "4000", "--bytes-per-token", "3"),
        ("--devices", "4", "--per-node", "2", "--link", "3", "--network", "2", *H100),
        ("--devices", "9", "--network", "2", "--rows", "3", *H100),
        ("--devices", "4", "--per-node", "2", "--network", "2"),
    ],
)
def test_options_that_do_something_are_taken(words: tuple[str, ...], ziggurat: Ziggurat) -> None:
    """Each changes what is planned."""
    found = plan(ziggurat, "gpt", "--steps", "7", *words)
    for at in range(0, len(words) - (2 if "--hardware" in words else 0), 2):
        without = [*words[:at], *words[at + 2 :]]
        ended = ziggurat("plan", "gpt", "--steps", "7", *without, "--json")
        assert ended.code == 2 or json.loads(ended.out)["plans"][0] != found, words[at]


def test_devices_share_the_rows_of_a_batch_as_processes_do(ziggurat: Ziggurat) -> None:
    shared = plan(ziggurat, "gpt", *H100, "--devices", "4", "--steps", "1")
    assert (shared["batch"]["rows"], shared["batch"]["step_tokens"]) == (4, 16 * 256)
    uneven = plan(ziggurat, "gpt", *H100, "--devices", "5", "--steps", "1")
    assert uneven["batch"]["rows"] == 4  # the largest share of 16
    each = plan(ziggurat, "gpt", *H100, "--devices", "4", "--rows", "16", "--steps", "1")
    assert each["batch"]["step_tokens"] == 4 * 16 * 256


def test_a_recipe_that_says_how_it_is_spread_is_planned_so(ziggurat: Ziggurat) -> None:
    for spread in ("ddp", "fsdp"):
        found = plan(ziggurat, "gpt", *H100, "--devices", "4", "--training.spread", spread)
        assert found["strategy"] == spread
        assert plan(ziggurat, "gpt", *H100, "--training.spread", spread)["strategy"] == "one"
    asked = plan(ziggurat, "gpt", *H100, "--devices", "4", "--training.spread", "ddp", "--strategy", "zero2")
    assert asked["strategy"] == "zero2"


def test_a_recipe_that_makes_blocks_again_is_planned_so(ziggurat: Ziggurat) -> None:
    assert plan(ziggurat, "gpt", *H100, "--training.recompute", "true")["recompute"]
    assert not plan(ziggurat, "gpt", *H100, "--training.recompute", "true", "--recompute", "no")["recompute"]
    ended = ziggurat("plan", "gpt", *H100, "--recompute", "yes")
    assert ended.err.endswith("next: ziggurat train TEXT… --recipe gpt --training.recompute true\n")


def test_the_command_that_is_named_trains_as_planned(ziggurat: Ziggurat, texts: Path) -> None:
    """It holds all that the plan was asked for, and every key of it is a key of the recipe."""
    asked = (*H100, "--devices", "8", "--recompute", "yes", "--model.layers", "3", "--tokens", "1e6", "--window", "31")
    said, found = ziggurat("plan", "gpt", texts, *asked).err, plan(ziggurat, "gpt", texts, *asked)
    launch, _, rest = said.partition(f" {shlex.quote(str(texts))} --recipe gpt ")
    assert launch.splitlines()[-1] == "next: torchrun --nproc-per-node=8 -m ziggurat train"
    words = rest.split()
    keys = dict(zip([w[2:] for w in words[::2]], words[1::2], strict=True))
    assert (keys.pop("out"), keys.pop("steps")) == ("FOLDER", str(math.ceil(found["steps"])))
    recipe = load_recipe("gpt", flag_settings(keys))
    training = recipe.training
    assert (training.rows, training.recompute, training.spread) == (16, True, found["strategy"])
    assert (training.window, recipe.model.layers) == (31, 3)


def test_what_can_t_be_trained_so_has_no_command(ziggurat: Ziggurat) -> None:
    nine = ziggurat("plan", "gpt", *H100, "--devices", "9")
    small = ziggurat("plan", "gpt", *H100, "--memory", "0.03")
    zero = ziggurat("plan", "gpt", *H100, "--devices", "8", "--strategy", "zero1")
    for ended in (nine, small, zero):
        assert ended.code == 0
        assert "next" not in ended.err
    assert "weights, gradients and moments alone take 55.4 MB: share them (--devices" in small.err


def test_json_says_what_the_sheet_says(ziggurat: Ziggurat) -> None:
    asked = ("gpt", *H100, "--devices", "8", "--steps", "7", "--mtbf", "50000", "--price", "2")
    ended, found = ziggurat("plan", *asked), plan(ziggurat, *asked)
    said = {line.partition("  ")[0]: line.partition("  ")[2].split("  ") for line in ended.out.splitlines()}
    cells = {name: [cell.strip() for cell in row if cell.strip()] for name, row in said.items()}
    assert cells["optimiser"] == [duration(found["step"]["update"])]
    assert cells["matrix products"][0] == duration(found["step"]["products"])
    assert cells["highest at any moment"] == [size(found["memory_bytes"][way]["peak"]) for way in STRATEGIES]
    assert cells["sent by each device"] == [duration(found["traffic"]["seconds"]), size(found["traffic"]["bytes"])]
    assert cells["tokens a second"] == [f"{found['tokens_per_second']:,.0f}"]
    assert cells["time"] == [duration(found["seconds"])]
    assert cells["energy"] == [f"{found['energy_kwh']:,.2f} kWh"]
    assert cells["cost"] == [f"{found['cost']:,.2f}"]
    assert cells["save every"][0] == duration(found["failures"]["interval_seconds"])
    assert cells["rows of a device"] == [f"{found['largest']['rows']:,}"]
    assert cells["model of this family, in parameters"] == [f"{found['largest']['parameters']:,}"]
    head = f"gpt: {found['parameters']:,} parameters in {found['precision']}, on 8 × {found['hardware']['title']} "
    assert ended.out.startswith(f"{head}({found['hardware']['source']})\n")
