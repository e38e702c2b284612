"""A study of sizes as sentences, page and picture: every number from the study, two languages, no network."""

import dataclasses
import html
import json
import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.fakes.size_studies import choice, row, study
from ziggurat.core.errors import DamagedError, NewerVersionError
from ziggurat.study.size_result import EmbeddingSizes, Verdict
from ziggurat.surface.report import size_charts
from ziggurat.surface.report.size_page import picture, render, score_text, sentences, words

RUN = Path("runs/my study")
EN, ZH = words("en"), words("zh")


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def told(found: EmbeddingSizes, lang: str = "en") -> tuple[str, str]:
    """The recommendation without marks, and the reasons as one text."""
    lead, reasons = sentences(found, words(lang))
    return re.sub("<[^>]+>", "", lead), "\n".join(reasons)


def by(verdict: Verdict, found: EmbeddingSizes) -> EmbeddingSizes:
    return dataclasses.replace(found, chosen=verdict.choice.chosen, verdicts=(verdict,))


def test_both_languages_say_the_same_things() -> None:
    assert EN.keys() == ZH.keys()
    assert {key for key in EN if fields(EN[key]) != fields(ZH[key])} == set()


def test_scores_have_four_figures_that_say_something() -> None:
    assert [score_text(value) for value in (0.34125, 2.0126, -0.5, 0.0, 12.5)] == [
        "0.3412", "2.013", "-0.5000", "0.0000", "12.500"
    ]  # fmt: skip


# -- the sentence -----------------------------------------------------------------------------------------------------


def test_a_smaller_size_that_can_not_be_told_from_the_best() -> None:
    lead, reasons = told(study())
    assert lead == (
        "Choose 50 because its accuracy on analogies (0.3900) can't be told from the best, which is 100's (0.4000), "
        "and it costs less."
    )
    # 0.01 behind, ± 0.02; 6 s against 3, 4.4 MB against 2.2; 25 is 0.09 ± 0.02 behind
    assert "behind the best by 0.0100 (interval -0.0100 to 0.0300, which chance alone could make)" in reasons
    assert "Against 100 it trains 2.0 times as fast and its bundle is 2.0 times smaller." in reasons
    assert "The next smaller size, 25, is behind the best by 0.0900 (interval 0.0700 to 0.1100)." in reasons
    assert "By held-out loss it would be 100; best is 100." in reasons
    assert "31 to 71 numbers" in reasons
    assert "at 53" in reasons
    assert "The choice lies in that range." in reasons


def test_the_best_size_where_all_smaller_ones_are_worse() -> None:
    lead, reasons = told(by(study().verdicts[1], study()))
    best = "Choose 100 because it has the best held-out loss (2.600)"
    assert lead == f"{best} and every smaller size is worse by more than chance."
    assert "next smaller size, 50, is behind the best by 0.0500" in reasons
    assert "largest size that was tried" in reasons
    assert "trains" not in reasons
    assert "The choice lies above that range" in reasons


def test_the_smallest_size_where_it_is_the_best() -> None:
    rows = (row(25, 0.4), row(50, 0.3, behind=0.1), row(100, 0.2, behind=0.2))
    lead, reasons = told(study(rows=rows, chosen=25, best=25))
    assert (
        lead == "Choose 25 because it has the best accuracy on analogies (0.4000) and is the smallest that was tried."
    )
    assert "smallest size that was tried: smaller ones may do as well" in reasons
    assert "The choice lies below that range" in reasons


def test_where_nothing_can_be_told_apart_the_smallest_difference_is_said() -> None:
    rows = (row(25, 0.39, behind=0.01), row(50, 0.395, behind=0.005), row(100, 0.40))
    lead, reasons = told(study(rows=rows, chosen=25))
    assert lead.startswith("Choose 25, the smallest tried, because no size's accuracy on analogies can be told from")
    assert (
        "With 3 seeds and 1,009 questions, a difference to the best of 0.0123 would be found four times out of five."
        in (reasons)
    )


def test_where_theory_has_no_opinion_or_there_is_one_seed() -> None:
    _, reasons = told(study(spectrum=None, seeds=1))
    assert "theory has no opinion" in reasons
    assert "One seed each" in reasons


def test_another_yardstick_that_tells_nothing_apart_says_what_it_could_have_seen() -> None:
    rows = (row(25, 0.39, behind=0.01), row(50, 0.395, behind=0.005), row(100, 0.40))
    blind = Verdict("labels=reviews.tsv", "reviews", "quantity_labels", 40, choice(25, 100, rows))
    _, reasons = told(dataclasses.replace(study(), verdicts=(study().verdicts[0], blind)))
    assert (
        "By accuracy on labels (reviews) no size can be told from the best, which is 100; a difference of 0.0123 would"
        in reasons
    )


def test_cheapness_is_not_told_where_there_is_none() -> None:
    costs = tuple(dataclasses.replace(cost, train_seconds=3.0, bundle_bytes=9) for cost in study().costs)
    assert "trains" not in told(study(costs=costs))[1]


def test_the_sentence_in_chinese() -> None:
    lead, reasons = told(study(), "zh")
    assert lead == "请选 50 维，因为它的类比正确率（0.3900）与最好的 100 维（0.4000）分不出高下，而代价更小。"
    assert "所选维数在此范围内。" in reasons
    assert re.search("[A-Za-z]{4,}", reasons.replace("Shen", "")) is None


# -- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_whole_and_needs_no_network(lang: str) -> None:
    page = render(study(), lang=lang, run=RUN)
    assert f'<html lang="{lang}">' in page
    assert page.count("<svg") == 5  # quality and cost of two yardsticks, and the spectrum
    loads = re.findall(r'(?:src|href)="(?!#)[^"]*"|@import|url\((?!#)', page)
    assert [found for found in loads if "xlink" not in found] == []
    assert words(lang)["rule"] in html.unescape(page)


def test_names_from_files_stay_text() -> None:
    page = render(study(title="<b>bold</b>"), lang="en", run=RUN).split("<script")[0]
    assert "<b>bold</b>" not in page
    assert "<of>" not in page
    assert "q &lt;of&gt; mine" in page


class Cells(HTMLParser):
    """The rows of all tables, and what stands in the script of data."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside, self.script = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.inside = tag if tag != "script" or ("id", "study") in attrs else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("td", "th"):
            self.rows[-1][-1] += data
        if self.inside == "script":
            self.script += data


def test_every_number_of_the_tables_is_the_study_s() -> None:
    cells = Cells()
    cells.feed(render(study(), lang="en", run=RUN))
    assert cells.rows[:4] == [
        ["size", "score", "behind the best", "interval", "training", "bundle", "parameters", "verdict"],
        ["25", "0.3100", "0.0900", "0.0700 – 0.1100", "2.0 s", "1.1 MB", "250,000", "significantly worse"],
        ["50", "0.3900", "0.0100", "-0.0100 – 0.0300", "3.0 s", "2.2 MB", "500,000", "chosen"],
        ["100", "0.4000", "", "", "6.0 s", "4.4 MB", "1,000,000", "as good as the best"],
    ]
    assert len(cells.rows) == 8


def test_the_study_can_be_read_back_from_the_page() -> None:
    cells = Cells()
    cells.feed(render(study(title="</script><!--"), lang="en", run=RUN))
    assert EmbeddingSizes.from_json(cells.script, where="page") == study(title="</script><!--")


def test_what_to_type_next_is_quoted() -> None:
    page = render(study(), lang="en", run=RUN)
    assert "ziggurat describe &#39;runs/my study/bundle&#39;" in page


def test_a_page_without_a_spectrum() -> None:
    page = render(study(spectrum=None), lang="en", run=RUN)
    assert page.count("<svg") == 4
    assert "theory has no opinion" in page


# -- the pictures -----------------------------------------------------------------------------------------------------


def values_of(chart: dict[str, object]) -> list[dict[str, object]]:
    """Every datum of a chart, its panels and layers."""
    found: list[dict[str, object]] = []
    for key, value in chart.items():
        if key == "values" and isinstance(value, list):
            found += [item for item in value if isinstance(item, dict)]
        elif isinstance(value, dict):
            found += values_of(value)
        elif isinstance(value, list):
            for item in value:
                found += values_of(item) if isinstance(item, dict) else []
    return found


def drawn(found: EmbeddingSizes, number: int) -> list[dict[str, object]]:
    from ziggurat.surface.report.size_page import _quality

    return values_of(_quality(found.verdicts[number], EN).to_dict())


def test_a_bar_reaches_the_line_of_the_best_where_chance_does() -> None:
    bars = {datum["size"]: datum for datum in drawn(study(), 0) if "low" in datum}
    # more is better: 0.40 − 0.07 to 0.40 − 0.11; 0.40 + 0.01 to 0.40 − 0.03: across the line at 0.40
    assert (bars[25]["low"], bars[25]["high"]) == (pytest.approx(0.33), pytest.approx(0.29))
    assert (bars[50]["low"], bars[50]["high"]) == (pytest.approx(0.41), pytest.approx(0.37))
    assert [bars[size]["state"] for size in (25, 50, 100)] == [EN["worse"], EN["chosen"], EN["alike"]]
    assert bars[100]["low"] == bars[100]["high"] == 0.40


def test_where_less_is_better_bars_lie_above_the_best() -> None:
    bars = {datum["size"]: datum for datum in drawn(study(), 1) if "low" in datum}
    assert (bars[25]["low"], bars[25]["high"]) == (pytest.approx(2.68), pytest.approx(2.72))


def test_every_seed_has_its_dot() -> None:
    dots = [datum for datum in drawn(study(), 0) if set(datum) == {"size", "score"}]
    assert len(dots) == 9
    assert {"size": 25, "score": 0.309} in dots


def test_the_level_of_the_best_is_named_where_no_point_is() -> None:
    level = next(datum for datum in drawn(study(), 0) if str(datum.get("label")).startswith("best"))
    assert (level["label"], level["score"]) == ("best: 100", 0.40)
    assert isinstance(level["size"], float)
    assert level["size"] < 25
    first = (row(25, 0.4), row(50, 0.3, behind=0.1), row(100, 0.2, behind=0.2))
    found = study(rows=first, chosen=25, best=25)
    level = next(datum for datum in drawn(found, 0) if str(datum.get("label")).startswith("best"))
    assert isinstance(level["size"], float)
    assert level["size"] > 100


def test_the_spectrum_marks_the_least_and_the_choice() -> None:
    from ziggurat.surface.report.size_page import _spectrum

    data = values_of(_spectrum(study(), EN).to_dict())
    assert {"low": 31, "high": 71} in data
    assert next(datum for datum in data if datum.get("label") == "53")["loss"] == 0.5
    assert next(datum for datum in data if datum.get("label") == "chosen: 50")["size"] == 50
    assert {str(datum["name"]) for datum in data if "name" in datum} == {"α = 0", "α = ½", "α = 1"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_is_a_png_that_says_what_to_choose(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[str, object] = {}
    drawing = size_charts.png

    def listen(charts: dict[str, object], **facts: object) -> bytes:
        heard.update(facts, names=list(charts))
        return drawing(charts, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(size_charts, "png", listen)
    content = picture(study(), lang=lang)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(content[place : place + 4], "big") for place in (16, 20))
    assert 1000 < width < 3000
    assert 1000 < height < 3500
    w = words(lang)
    assert heard["title"] == told(study(), lang)[0]
    assert heard["names"] == [w["quality"], w["cost"], w["spectrum"]]
    assert len(picture(study(spectrum=None), lang=lang)) < len(content)


# -- at rest ----------------------------------------------------------------------------------------------------------


def test_a_study_comes_back_from_its_file() -> None:
    for found in (study(), study(spectrum=None)):
        back = EmbeddingSizes.from_json(found.to_json(), where="study.json")
        assert back == found
        assert back.cost(50).bundle_bytes == 2_200_000
        assert back.verdicts[0].choice.row(25).worse
    assert study().spectrum is not None


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"format": 1}', '{"format": "x"}', "null", "{"])
def test_what_is_no_study_is_refused(damage: str) -> None:
    with pytest.raises(DamagedError, match=r"study\.json: not the data of a study"):
        EmbeddingSizes.from_json(damage, where="study.json")


def test_a_study_with_a_part_missing_is_refused() -> None:
    for key in json.loads(study().to_json()):
        raw = json.loads(study().to_json())
        if key == "format":
            continue
        del raw[key]
        with pytest.raises(DamagedError):
            EmbeddingSizes.from_json(json.dumps(raw), where="study.json")


def test_a_newer_study_is_refused() -> None:
    raw = json.loads(study().to_json()) | {"format": 2}
    with pytest.raises(NewerVersionError, match="newer ziggurat"):
        EmbeddingSizes.from_json(json.dumps(raw), where="study.json")
