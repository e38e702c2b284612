"""Studies piece by piece: how large, which tokenizer, and numbers made again."""

import json
import math
from pathlib import Path

import pytest

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import InputError
from ziggurat.study.probing import GAIN, MARGIN, probe
from ziggurat.study.reproduce import Check, read_climb
from ziggurat.study.sizing import LEAST, MOST, measured_flops, parameters_for
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
