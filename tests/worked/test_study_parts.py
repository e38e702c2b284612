"""Studies piece by piece: how large, which tokenizer, and numbers made again."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import InputError
from ziggurat.study.probing import GAIN, MARGIN, probe
from ziggurat.study.reproduce import Check, read_climb
from ziggurat.study.sizing import (
    LEAST,
    MOST,
    dropout_for,
    epochs_for,
    folds_for,
    learning_for,
    measured_flops,
    parameters_for,
)
from ziggurat.text.corpus import Corpus


def test_parameters_by_hand() -> None:
    # 100 s at 1e11 of which training reaches 0.3: 3e12 operations; √(3e12 / 72) = 204 124
    assert parameters_for(seconds=100, flops=1e11, training_tokens=10**9) == 204_124
    # a text of 150 000 tokens carries no more than that many
    assert parameters_for(seconds=100, flops=1e11, training_tokens=150_000) == 150_000
    assert parameters_for(seconds=1e-6, flops=1e11, training_tokens=10**9) == LEAST
    assert parameters_for(seconds=1e12, flops=1e14, training_tokens=10**12) == MOST


def test_four_times_the_time_carries_twice_the_parameters() -> None:
    one, two = (parameters_for(seconds=s, flops=1e12, training_tokens=10**9) for s in (60, 240))
    assert two / one == pytest.approx(2, rel=1e-4)


def test_epochs_by_hand() -> None:
    # 3e12 operations of 6 · 150 000 each: 3.33 M tokens, which are 22.2 times 150 000
    found = epochs_for(150_000, seconds=100, flops=1e11, training_tokens=150_000)
    assert found == pytest.approx(3e12 / 9e5 / 150_000)
    assert epochs_for(100_000, seconds=1, flops=1e11, training_tokens=0) > 0  # no text is read, not divided by


def test_a_network_that_the_text_does_not_limit_reads_twelve_tokens_a_parameter() -> None:
    keys: Any = {"seconds": 600, "flops": 1e11, "training_tokens": 10**9}
    parameters = parameters_for(**keys)
    assert epochs_for(parameters, **keys) * 10**9 == pytest.approx(12 * parameters, rel=1e-4)


@pytest.mark.parametrize(
    ("given", "epochs", "expected"),
    [
        (0.1, 0.5, 0.0),
        (0.1, 3, 0.0),
        (0.1, 6, 0.05),  # half-way, in doublings, from 3 to 12
        (0.1, 12, 0.1),  # as the recipe says
        (0.1, 48, 0.3),  # two doublings beyond
        (0.0, 12, 0.0),
        (0.0, 24, 0.1),
        (0.1, 10_000, 0.5),  # no more than a half
        (0.7, 10_000, 0.7),  # but where the recipe asks for it
        (0.7, 3, 0.0),
    ],
)
def test_dropout_by_hand(given: float, epochs: float, expected: float) -> None:
    assert dropout_for(given, epochs=epochs) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("given", "epochs", "expected"),
    [
        (("muon", 0.006), 4.0, ("muon", 0.006)),
        (("muon", 0.006), 4.1, ("adamw", 0.003)),
        (("adamw", 0.004), 100.0, ("adamw", 0.004)),
    ],
)
def test_muon_is_for_what_is_read_a_few_times(
    given: tuple[str, float], epochs: float, expected: tuple[str, float]
) -> None:
    assert learning_for(*given, epochs=epochs) == expected


@pytest.mark.parametrize(
    ("tokens", "count_seconds", "seconds", "expected"),
    [
        (5_000_000, 1, 22.5, 8),  # 8 folds and the whole: 9 s of 22.5 are 0.4
        (5_000_001, 1, 22.5, 4),
        (1_000_000, 1, 22.4, 4),  # 5 s
        (1_000_000, 1, 12.4, 2),  # 3 s of 12.4; 5 would be too many
        (1_000_000, 1, 7.4, None),  # 3 s are more than 0.4 of it
        (10**9, 0, 0, 4),  # what takes no time can be done in none
    ],
)
def test_folds_by_hand(tokens: int, count_seconds: float, seconds: float, expected: int | None) -> None:
    assert folds_for(tokens, count_seconds=count_seconds, seconds=seconds) == expected


def test_this_machine_multiplies() -> None:
    assert 1e9 < measured_flops() < 1e15


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("probing")
    records = [json.dumps({"text": text}) for text in documents(149)]
    return prepared(folder, write_lines(folder / "a.jsonl", records))


def test_the_tokenizer_that_needs_fewest_bits_is_chosen(corpus: Corpus) -> None:
    chosen = probe(corpus)
    tried = chosen.probes
    assert [p.dev_bits_per_byte for p in tried] == sorted(p.dev_bits_per_byte for p in tried)
    assert {"bytes", "characters", "bpe"} <= {p.kind for p in tried}
    first_orders = [p for p in tried if p.kind != chosen.kind or p.order <= chosen.order]
    best = min(p.dev_bits_per_byte for p in first_orders)
    mine = [p for p in tried if p.kind == chosen.kind and p.order == chosen.order]
    assert min(p.dev_bits_per_byte for p in mine) <= best + MARGIN + GAIN
    assert all(p.seconds > 0 and math.isfinite(p.dev_bits_per_byte) for p in tried)
    sizes = sorted({p.vocabulary for p in tried if p.kind == "bpe"})
    assert sizes[0] <= 512


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("report.html", "<html></html>", "not the report of a climb"), ("missing", None, "no such report")],
)
def test_what_is_no_report_is_said(name: str, content: str | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=said):
        read_climb(tmp_path / name)


@pytest.mark.parametrize(
    ("after", "holds"), [(2.0, True), (2.0009, True), (1.9991, True), (2.0011, False), (1.9, False)]
)
def test_a_figure_holds_within_its_tolerance(after: float, holds: bool) -> None:
    assert Check("gpt", 2.0, after).holds is holds
