"""Every number on the report's page is the climb's, in its table, its sentences and its pictures, in both languages."""

import dataclasses
import functools
import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.climbs import climb, entrant
from ziggurat.study.result import Climb, Comparison, Yardstick
from ziggurat.surface.report import charts
from ziggurat.surface.report.page import render, sentences, words

RUN = Path("runs/demo climb")
VOID = {"meta", "br", "hr", "img", "link", "input"}
LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


class Page(HTMLParser):
    """Tables, headings, code and whether every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.marked: list[str] = []
        self.headings: list[str] = []
        self.code: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
            self.marked.append(str(dict(attrs).get("class", "")))
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "h2":
            self.headings.append("")
        if tag == "pre":
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        tag = self.open[-1] if self.open else ""
        if tag in ("td", "th"):
            self.tables[-1][-1][-1] += data
        if tag == "h2":
            self.headings[-1] += data
        if tag == "pre":
            self.code[-1] += data


@functools.cache
def whole(lang: str) -> str:
    """The page with its pictures, drawn once."""
    return render(climb(), lang=lang, run=RUN)


def plain(found: Climb, lang: str = "en") -> str:
    """The page without the pictures, which take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vl_convert.vegalite_to_svg", lambda spec: "<svg></svg>")
        return render(found, lang=lang, run=RUN)


def page_of(found: Climb, lang: str = "en") -> Page:
    return Page(plain(found, lang))


# -- the page ---------------------------------------------------------------------------------------------------------


@LANGUAGES
def test_every_element_is_closed_in_order(lang: str) -> None:
    page = Page(whole(lang))
    assert page.open == []
    assert len(page.headings) == len({*page.headings}) == 8


@LANGUAGES
def test_nothing_is_loaded_from_anywhere(lang: str) -> None:
    text = whole(lang)
    assert [link for link in Page(text).links if not link.startswith("#")] == []
    outside = re.findall(r"https?://[^\s\"'<]+", text)
    assert {url for url in outside if not url.startswith("http://www.w3.org/")} == set()  # SVG's names of itself
    assert "<script src" not in text
    assert "<link" not in text


@LANGUAGES
def test_the_ranking_is_the_climbs_row_by_row(lang: str) -> None:
    head, *rows = page_of(climb(), lang).tables[0]
    assert len(head) == 9
    # entrants of 13, 3 and 10 MB; against the best: 2.0 − 1.5, 2.5 − 1.5, 3.0 − 1.5
    shared = ["43.0", "3,250,000", "13.0 MB", "61.0 s", "17,000"]
    assert rows[0] == ["mixture", "1.500", "1.470 – 1.540", "", *shared]
    assert [row[:4] for row in rows[1:]] == [
        ["gpt", "2.000", "1.970 – 2.040", "+0.500"],
        ["ngram", "2.500", "2.470 – 2.540", "+1.000"],
        ["xz -9e", "3.000", "", "+1.500"],
    ]
    assert [row[5:7] for row in rows[1:3]] == [["750,000", "3.0 MB"], ["2,500,000", "10.0 MB"]]


def test_the_recommended_row_is_marked_and_the_compressors_are_apart() -> None:
    assert page_of(climb()).marked[1:5] == ["best", "", "", "yard"]


def test_a_compressor_that_wins_stands_first_and_is_admitted() -> None:
    found = dataclasses.replace(climb(), yardsticks=(Yardstick("xz -9e", 1.2), Yardstick("zlib", 3.0)))
    _, *rows = page_of(found).tables[0]
    assert [row[0] for row in rows] == ["xz -9e", "mixture", "gpt", "ngram", "zlib"]
    assert [row[3] for row in rows] == ["-0.300", "", "+0.500", "+1.000", "+1.500"]
    _, reasons = sentences(found, words("en"))
    # 1.5 / 1.2 = 1.25: a quarter more; against zlib's 3.0: half
    assert any("25 % more bits than xz -9e" in reason for reason in reasons)
    assert any("50 % fewer bits than zlib" in reason for reason in reasons)


@LANGUAGES
def test_comparisons_stand_with_their_intervals_and_verdicts(lang: str) -> None:
    w = words(lang)
    table = page_of(climb(distinguishable=False), lang).tables[1]
    told = w["verdict_no"].format(detectable=0.07, factor=1.7)
    assert table[1] == ["mixture – gpt", "0.500", "0.400 – 0.600", "< 0.001", told]
    assert table[2] == ["gpt – ngram", "0.500", "0.300 – 0.700", "< 0.001", w["verdict_yes"]]


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0, "< 0.001"), (0.0009, "< 0.001"), (0.001, "0.001"), (0.0496, "0.050"), (1.0, "1.000")]
)
def test_p_values_are_never_zero(p: float, shown: str) -> None:
    pair = Comparison("mixture", "gpt", 0.5, 0.4, 0.6, p, True, 0.07, 1.7)
    found = dataclasses.replace(climb(), comparisons=(pair,))
    assert page_of(found).tables[1][1][3] == shown


@LANGUAGES
def test_splits_removals_and_probes(lang: str) -> None:
    w, page = words(lang), page_of(climb(), lang)
    splits, removed, probes = page.tables[2:]
    assert splits[1:] == [
        [w["train"], "97", "1.7 MB"],
        [w["dev"], "11", "190.0 kB"],
        [w["test"], "3", "210.0 kB"],
    ]
    assert removed[1:] == [["near duplicate", "5", "31.0 kB"]]
    assert probes[1:] == [["bpe", "2,048", "3.10", "5", "2.530"], ["bytes", "257", "1.00", "8", "2.610"]]
    text = html.unescape(plain(climb(), lang))
    # 97 + 11 + 3 documents; 1.7 + 0.19 + 0.21 MB
    assert w["text_sentence"].format(documents="111", bytes="2.1 MB", sources="demo:en") in text
    assert w["leak"].format(found=0, pairs=29) in text


def test_a_text_from_which_nothing_was_removed_has_no_table_of_it() -> None:
    found = dataclasses.replace(climb(), corpus={**climb().corpus, "removed": {}})
    assert len(page_of(found).tables) == len(page_of(climb()).tables) - 1


def test_commands_are_as_a_shell_wants_them() -> None:
    code = page_of(climb()).code
    assert code == [
        """ziggurat generate 'runs/demo climb/mixture/bundle' --prompt "…\"""",
        "ziggurat reproduce 'runs/demo climb/report.html'",
    ]


@LANGUAGES
def test_samples_stand_by_prompt_with_every_models_text(lang: str) -> None:
    text = plain(climb(), lang)
    for name in ("mixture", "gpt", "ngram"):
        assert f"<h3>{name}</h3><p><b>The tower</b> is &lt;high&gt;, says {name}.</p>" in text


def test_names_that_are_html_stay_names() -> None:
    bold = entrant("<i>gpt</i>", 1.1, size_bytes=7)
    found = dataclasses.replace(climb(), entrants=(bold,), recommended=bold.name, best_single=bold.name, comparisons=())
    text = plain(found)
    assert "<i>" not in text.split("<script")[0]
    assert "<strong>&lt;i&gt;gpt&lt;/i&gt;</strong>" in text


def test_one_model_alone_needs_no_comparison() -> None:
    gpt = climb().entrant("gpt")
    alone = dataclasses.replace(
        climb(), entrants=(gpt,), recommended="gpt", best_single="gpt", comparisons=(), yardsticks=()
    )
    lead, reasons = sentences(alone, words("en"))
    assert "gpt" in lead
    assert reasons == []
    assert words("en")["comparisons"] not in page_of(alone).headings


# -- the pictures -----------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The specifications that are drawn, in the page's order; no time is spent on drawing."""
    specs: list[dict[str, Any]] = []

    def keep(spec: dict[str, Any]) -> str:
        specs.append(spec)
        return "<svg></svg>"

    monkeypatch.setattr("vl_convert.vegalite_to_svg", keep)
    return specs


def rows_of(spec: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The rows of each layer, once each."""
    found: list[list[dict[str, Any]]] = []
    for part in [spec, *spec.get("layer", [])]:
        values = part.get("data", {}).get("values")
        if values is not None and values not in found:
            found.append(values)
    return found


@LANGUAGES
def test_the_ranking_shows_every_model_with_its_interval(lang: str, drawn: list[dict[str, Any]]) -> None:
    render(climb(), lang=lang, run=RUN)
    models, yardsticks = rows_of(drawn[0])
    assert models == [{"name": e.name, "bpb": e.bits_per_byte, "low": e.low, "high": e.high} for e in climb().entrants]
    assert yardsticks == [{"name": "xz -9e", "bpb": 3.0}]
    rule = next(layer for layer in drawn[0]["layer"] if layer["mark"]["type"] == "rule")
    assert (rule["encoding"]["x"]["field"], rule["encoding"]["x2"]["field"]) == ("low", "high")
    assert rule["encoding"]["x"]["title"] == words(lang)["axis_bpb"]
    assert rule["encoding"]["y"]["sort"] == ["mixture", "gpt", "ngram", "xz -9e"]


def test_the_curves_are_those_of_the_trained_and_levels_of_the_others(drawn: list[dict[str, Any]]) -> None:
    render(climb(), lang="en", run=RUN)
    curve, levels = rows_of(drawn[1])
    assert curve == [
        {"name": "gpt", "seconds": 10.0, "bits_per_byte": 3.0},
        {"name": "gpt", "seconds": 60.0, "bits_per_byte": 2.01},
    ]
    # models without a curve stand at their bits per byte on dev: 1.5 + 0.01, 2.5 + 0.01
    assert levels == [{"name": "mixture", "bits_per_byte": 1.51}, {"name": "ngram", "bits_per_byte": 2.51}]


@LANGUAGES
def test_what_the_time_was_spent_on_is_drawn_in_order(lang: str, drawn: list[dict[str, Any]]) -> None:
    render(climb(), lang=lang, run=RUN)
    w = words(lang)
    (bars,) = rows_of(drawn[2])
    assert [row["seconds"] for row in bars] == [3.0, 17.0, 150.0, 11.0]
    assert [row["stage"] for row in bars] == [
        w["stage_text"], w["stage_tokenizer"], w["stage_train"].format(name="gpt"), w["stage_evaluate"]
    ]  # fmt: skip


def test_a_ranking_without_compressors_and_curves_without_levels(drawn: list[dict[str, Any]]) -> None:
    charts.ranking([{"name": "a", "bits_per_byte": 2.0, "low": 1.9, "high": 2.1}], [], axis="x")
    charts.curves([{"name": "a", "seconds": 1.0, "bits_per_byte": 2.0}], [], x_axis="x", y_axis="y")
    assert [len(rows_of(spec)) for spec in drawn] == [1, 1]


def test_long_chinese_labels_get_room(drawn: list[dict[str, Any]]) -> None:
    # 12 pixels a Chinese letter, 7 a Latin one, 260 at most
    for stage in ("塔楼塔楼", "abcdefghij", "塔" * 50):
        charts.spending([{"stage": stage, "seconds": 1.0}], axis="x")
    extents = [str(spec) for spec in drawn]
    assert ["'minExtent': 48" in extents[0], "'minExtent': 70" in extents[1], "'minExtent': 260" in extents[2]] == [
        True
    ] * 3


@LANGUAGES
def test_the_svg_carries_the_figures_as_text(lang: str) -> None:
    text = whole(lang)
    pictures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(pictures) == 3
    for label in ("mixture", "xz -9e", "1.500", "2.000", "2.500", "3.000"):
        assert f">{label}</text>" in pictures[0]
    assert ">150.0</text>" in pictures[2]
    assert words(lang)["axis_seconds"] in pictures[1]
