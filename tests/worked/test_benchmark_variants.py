"""The benchmark of one change at a time: that it changes one thing, compares like with like, and shows what came."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import variants
from benchmarks.entries import Entry
from benchmarks.time_to_loss_steps import cut, put_aside
from benchmarks.variants import DECODER, LSTM, VARIANTS, show

BASES: dict[str, dict[str, Any]] = {"decoder": DECODER, "LSTM": LSTM}
KEYS = {
    "bf16": {"training.precision"},
    "muon": {"training.optimiser", "training.learning_rate"},
    "tables": {"model.ngram_orders"},
    "counts": {"model.order", "model.orders", "model.recall"},
    "relu": {"model.activation"},
    "norm": {"model.query_norm"},
    "half the rows": {"training.rows"},
    "value embeddings": {"model.value_embeddings"},
    "projections": {"model.zero_projections"},
    "mean": {"training.average"},
    "constant rate": {"training.schedule"},
    "windows": {"training.window", "training.rows"},
    "as it is": set(),
}
"""What a word in a variant's name lets it change."""


def base_of(name: str) -> dict[str, Any]:
    return BASES[name.partition(",")[0]]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_changes_what_its_name_says_and_nothing_else(name: str) -> None:
    _, settings = VARIANTS[name]
    base = base_of(name)
    changed = {key for key in {*settings, *base} if settings.get(key, "none") != base.get(key, "none")}
    allowed = set().union(*(keys for word, keys in KEYS.items() if word in name))
    assert changed <= allowed
    assert bool(changed) is not name.endswith("as it is")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_a_recipe_of_ours_with_one_budget(name: str) -> None:
    recipe, settings = VARIANTS[name]
    resolved = Entry(name, recipe, {**settings, "training.steps": 7}).resolved(3)
    training: Any = resolved.training
    assert (training.steps, training.minutes, training.tokens, training.epochs) == (7, None, None, None)
    assert resolved.seed == 3
    assert training.keep == "last"  # nothing is chosen on what it is judged on
    assert ("counted" in resolved.family) is ("counts" in name)
    assert getattr(resolved.model, "dropout_hidden", 0.0) == 0.0


@pytest.mark.parametrize("name", VARIANTS)
def test_each_sees_as_many_tokens_of_a_step_as_what_it_is_compared_with(name: str) -> None:
    _, settings = VARIANTS[name]
    base = base_of(name)
    seen = settings["training.rows"] * settings["training.window"]
    steps = 2 if name.endswith(variants.TWICE) else 1
    assert steps * seen == base["training.rows"] * base["training.window"]


def test_what_is_compared_with_is_always_run() -> None:
    for name in VARIANTS:
        assert f"{name.partition(',')[0]}, as it is" in VARIANTS


def test_nobody_looks_at_the_last_tenth() -> None:
    letters = "".join(chr(97 + number % 26) for number in range(1000))
    learnt, _ = cut(letters)
    learnt_from, judged_on = put_aside(learnt)
    assert (len(learnt_from), len(judged_on)) == (850, 50)
    assert letters.startswith(learnt_from + judged_on)


# -- what is shown -----------------------------------------------------------------------------------------------------


def runs(losses: list[float], seconds: list[float]) -> list[dict[str, Any]]:
    return [{"dev_loss": loss, "seconds": time} for loss, time in zip(losses, seconds, strict=True)]


def test_differences_are_from_seed_to_seed(capsys: pytest.CaptureFixture[str]) -> None:
    show(
        {
            "decoder, as it is": runs([2.0, 3.0, 4.0], [10.0, 11.0, 12.0]),
            "decoder, bf16": runs([1.9, 3.1, 3.5], [5.0, 7.0, 6.0]),
            "LSTM, as it is": runs([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]),
        }
    )
    lines = capsys.readouterr().out.strip().splitlines()
    (bf16,) = [line for line in lines if "bf16" in line and not line.startswith("{")]
    # −0.1, +0.1 and −0.5 of the same seeds; the median is −0.1, which is not 3.1 − 3.0 of the medians
    assert re.findall(r"[+-]\d\.\d{3}", bf16) == ["-0.100", "-0.500", "+0.100"]
    assert "6.00 (5.00 to 7.00)" in bf16
    assert "3.100" in bf16
    same = [line for line in lines if "LSTM" in line and not line.startswith("{")]
    assert "+0.000" in same[0]
    facts = json.loads(lines[-1])
    assert facts["benchmark"] == "variants"
    assert facts["decoder, bf16"] == {"seconds": 6.0, "loss": 3.1}


# -- a run -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int, int]]:
    """Nothing is trained; returns what would be: name, seed, steps and characters."""
    found: list[tuple[str, int, int, int]] = []

    def train(letters: str, folder: Path, entry_json: str, seed: int) -> dict[str, Any]:
        assert not folder.exists()
        folder.mkdir()
        entry = Entry.from_json(entry_json)
        found.append((entry.name, seed, entry.settings["training.steps"], len(letters)))
        return {"dev_loss": 2.0, "seconds": 1.0}

    monkeypatch.setattr(variants, "train_ours", train)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "input.txt").write_text("to be or not to be\n" * 10_000)
    return tmp_path


def test_sides_alternate_and_each_has_every_seed(trained: list[tuple[str, int, int, int]], data: Path) -> None:
    variants.main(["--data", str(data), "--only", "twice", "--seeds", "2", "--steps", "50", "--threads", "1"])
    twice = "decoder, muon, half the rows, twice the steps"
    others = ["decoder, muon, windows of 32, twice the rows"]
    assert {name for name, *_ in trained} == {twice, *others, "decoder, as it is", "LSTM, as it is"}
    half = len(trained) // 2
    assert [name for name, *_ in trained[:half]] == [name for name, *_ in trained[half:]]
    assert [seed for _, seed, *_ in trained] == [0] * half + [1] * half
    assert {steps for name, _, steps, _ in trained if name == twice} == {100}
    assert {steps for name, _, steps, _ in trained if name != twice} == {50}
    assert {count for *_, count in trained} == {171_000}  # nine tenths of 190,000


def test_a_quick_run_is_of_little(trained: list[tuple[str, int, int, int]], data: Path) -> None:
    variants.main(["--quick", "--data", str(data), "--only", "bf16", "--threads", "1"])
    assert [name for name, *_ in trained] == [
        "decoder, as it is",
        "decoder, bf16",
        "LSTM, as it is",
        "LSTM, bf16",
    ]
    assert {(seed, steps, count) for _, seed, steps, count in trained} == {(0, 10, 60_000)}


def test_unless_told_all_are_run(trained: list[tuple[str, int, int, int]], data: Path) -> None:
    variants.main(["--quick", "--data", str(data), "--threads", "1"])
    assert [name for name, *_ in trained] == list(VARIANTS)
