"""What `ziggurat plan` says before anything is trained, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.machines import MACHINE
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.settings import flag_settings
from ziggurat.core.anatomy import Sizes
from ziggurat.surface.anatomy.subject import of_recipe
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
        assert ("torchrun --nnodes=8 --nproc-per-node=8 -m" in ended.err) is ("64" in where)
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
    assert "measuring this machine" in first.err
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
    refused = ziggurat("plan", "gpt", *own, "--devices", "2")
    assert (refused.code, refused.err) == (2, "error: --network: own does not say; give a number\n")
    assert plan(ziggurat, "gpt", *own, "--devices", "2", "--per-node", "2", "--link", "5")["hardware"]["nodes"] == 1


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


def test_in_chinese(ziggurat: Ziggurat) -> None:
    ended = ziggurat("plan", "gpt", *H100, "--devices", "8", "--lang", "zh")
    assert "每个设备的内存" in ended.out
    assert "每秒词元数" in ended.out
    assert "下一步" in ended.err


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


def test_the_command_that_is_named_trains_as_planned(ziggurat: Ziggurat) -> None:
    """Every key of it is a key of the recipe."""
    asked = ("plan", "gpt", *H100, "--devices", "8", "--recompute", "yes")
    said, chosen = ziggurat(*asked).err, plan(ziggurat, *asked[1:])["strategy"]
    words = said.split("--recipe gpt ")[1].split()
    recipe = load_recipe("gpt", flag_settings(dict(zip([w[2:] for w in words[::2]], words[1::2], strict=True))))
    assert (recipe.training.rows, recipe.training.recompute, recipe.training.spread) == (16, True, chosen)
