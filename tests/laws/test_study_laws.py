"""What holds for every climb's data, budget, size and figure."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import climbs
from ziggurat.core.errors import DamagedError
from ziggurat.study.clock import Clock
from ziggurat.study.reproduce import TOLERANCE, Check, read_climb
from ziggurat.study.result import Climb, Comparison, Neighbourhood, Probe, Sample, Yardstick
from ziggurat.study.sizing import LEAST, MOST, parameters_for

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=17)
NUMBER = st.floats(0, 1e9)
CURVE = st.lists(st.tuples(NUMBER, NUMBER), max_size=3).map(tuple)
ENTRANTS = st.builds(
    dataclasses.replace,
    st.just(climbs.entrant("gpt", 2.0, size_bytes=4000)),
    name=TEXT,
    nats=st.lists(NUMBER, max_size=5).map(tuple),
    curve=CURVE,
    samples=st.lists(st.builds(Sample, TEXT, TEXT), max_size=2).map(tuple),
    token_perplexity=st.one_of(NUMBER, st.just(math.inf)),
)
NEAR = st.lists(st.tuples(TEXT, NUMBER), max_size=3).map(tuple)
SPACES = st.builds(
    dataclasses.replace,
    st.just(climbs.word_space()),
    dev_loss=st.none() | NUMBER,
    neighbourhoods=st.lists(st.builds(Neighbourhood, TEXT, st.integers(0, 99), NEAR), max_size=2).map(tuple),
    places=st.just(()) | st.just(climbs.word_space().places),
)
CLIMBS = st.builds(
    dataclasses.replace,
    st.just(climbs.climb()),
    title=TEXT,
    sources=st.lists(TEXT, max_size=3).map(tuple),
    command=TEXT,
    spent=st.dictionaries(TEXT, NUMBER, max_size=3),
    probes=st.lists(st.builds(Probe, TEXT, st.integers(2, 99), NUMBER, st.integers(1, 9), NUMBER, NUMBER)).map(tuple),
    entrants=st.lists(ENTRANTS, max_size=3).map(tuple),
    comparisons=st.lists(
        st.builds(Comparison, TEXT, TEXT, NUMBER, NUMBER, NUMBER, NUMBER, st.booleans(), NUMBER, st.just(math.inf)),
        max_size=2,
    ).map(tuple),
    yardsticks=st.lists(st.builds(Yardstick, TEXT, NUMBER), max_size=2).map(tuple),
    word_space=st.none() | SPACES,
    trial=st.none() | st.just(climbs.TOO_SHORT) | st.builds(dataclasses.replace, st.just(climbs.TOO_SHORT), plain=TEXT),
)


@settings(max_examples=50)
@given(CLIMBS)
def test_a_climb_survives_json(climb: Climb) -> None:
    again = Climb.from_json(climb.to_json(), where="x")
    assert again == climb
    assert again.to_json() == climb.to_json()


@settings(max_examples=50)
@given(CLIMBS)
def test_a_climb_survives_its_report(tmp_path_factory: pytest.TempPathFactory, climb: Climb) -> None:
    page = tmp_path_factory.mktemp("page") / "report.html"
    data = climb.to_json().replace("</", "<\\/")  # as the page writes it
    page.write_bytes(f'<html><script type="application/json" id="climb">{data}</script><p>x</p></html>'.encode())
    assert read_climb(page) == (climb, page.parent)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Climb)])
def test_no_part_of_a_climb_may_be_missing(field: str) -> None:
    raw = json.loads(climbs.climb().to_json())
    del raw[field]
    with pytest.raises(DamagedError, match=r"climb\.json: not the data of a climb"):
        Climb.from_json(json.dumps(raw), where="climb.json")


@pytest.mark.parametrize("field", ["entrants", "comparisons", "probes", "yardsticks"])
@pytest.mark.parametrize("wrong", [7, [7], [[]], [{}], [{"name": "x", "more": 1}], None])
def test_no_list_of_a_climb_may_hold_something_else(field: str, wrong: Any) -> None:
    raw = json.loads(climbs.climb().to_json())
    raw[field] = wrong
    with pytest.raises(DamagedError):
        Climb.from_json(json.dumps(raw), where="climb.json")


def test_text_that_looks_like_html_comes_back_from_a_real_page(tmp_path: Path) -> None:
    from ziggurat.surface.report.page import render

    sample = Sample("&quot;Tower&quot; &amp; &lt;b&gt;", " </script><script>alert(1)</script> & \u2028")
    before = climbs.climb(title="A &amp; B")
    before = dataclasses.replace(
        before, entrants=tuple(dataclasses.replace(one, samples=(sample,)) for one in before.entrants)
    )
    (tmp_path / "report.html").write_text(render(before, lang="en", run=tmp_path), encoding="utf-8")
    assert read_climb(tmp_path / "report.html") == (before, tmp_path)


def test_a_climb_is_found_by_folder_and_by_file(tmp_path: Path) -> None:
    climb = climbs.climb()
    (tmp_path / "climb.json").write_text(climb.to_json(), encoding="utf-8")
    assert read_climb(tmp_path) == read_climb(tmp_path / "climb.json") == (climb, tmp_path)


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.floats(1e6, 1e15), st.integers(1, 10**12))
def test_more_time_never_means_a_smaller_network(a: float, b: float, flops: float, tokens: int) -> None:
    less, more = (parameters_for(seconds=s, flops=flops, training_tokens=tokens) for s in sorted((a, b)))
    assert LEAST <= less <= more <= MOST


@given(st.floats(0.001, 1e6), st.floats(1e6, 1e15), st.integers(1, 10**12), st.integers(1, 10**12))
def test_more_text_never_means_a_smaller_network(seconds: float, flops: float, a: int, b: int) -> None:
    less, more = (parameters_for(seconds=seconds, flops=flops, training_tokens=n) for n in sorted((a, b)))
    assert less <= more
    assert less <= max(LEAST, min(a, b))


@given(st.floats(1, 1e5), st.floats(1e9, 1e14), st.integers(1, 9))
def test_only_the_product_of_time_and_speed_counts(seconds: float, flops: float, times: int) -> None:
    slow = parameters_for(seconds=seconds * times, flops=flops, training_tokens=10**12)
    fast = parameters_for(seconds=seconds, flops=flops * times, training_tokens=10**12)
    assert slow == pytest.approx(fast, abs=1)


@given(st.floats(0, 1e4), st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1e3)), max_size=11))
def test_a_clock_accounts_for_every_second(budget: float, stages: list[tuple[str, float]]) -> None:
    seconds = 0.0
    clock = Clock(budget, now=lambda: seconds)
    for name, length in stages:
        with clock.stage(name):
            seconds += length
        seconds += 1.0  # between stages: elapsed, but nobody's
    spent = sum(length for _, length in stages)
    assert sum(clock.spent().values()) == pytest.approx(spent)
    assert clock.elapsed_seconds == pytest.approx(spent + len(stages))
    assert clock.remaining_seconds == pytest.approx(max(0.0, budget - spent - len(stages)), abs=1e-6)
    assert list(clock.spent()) == list(dict.fromkeys(name for name, _ in stages))


def test_a_stage_within_a_stage_is_charged_to_both() -> None:
    # outer: 2 + 3 + 5 = 10, inner: 3
    seconds = 0.0
    clock = Clock(60, now=lambda: seconds)
    with clock.stage("outer"):
        seconds += 2
        with clock.stage("inner"):
            seconds += 3
        seconds += 5
    assert clock.spent() == {"inner": 3, "outer": 10}


@given(st.floats(0.5, 8), st.floats(-0.01, 0.01))
def test_a_check_is_symmetric_in_before_and_after(before: float, change: float) -> None:
    after = before + change
    assert Check("x", before, after).holds == Check("x", after, before).holds
    if abs(abs(change) - TOLERANCE) > 1e-9:
        assert Check("x", before, after).holds == (abs(change) < TOLERANCE)


@pytest.mark.parametrize("after", [math.nan, math.inf])
def test_a_figure_that_is_no_number_does_not_hold(after: float) -> None:
    assert not Check("x", 2.0, after).holds
