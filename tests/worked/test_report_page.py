"""The report: one page that opens offline, in two languages, with every number from the climb."""

import json
import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.fakes.climbs import climb
from ziggurat.study.result import Climb
from ziggurat.surface.report.page import render, sentences, size, words

RUN = Path("runs/demo")


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_say_the_same_things() -> None:
    en, zh = words("en"), words("zh")
    assert en.keys() == zh.keys()
    assert {key for key in en if fields(en[key]) != fields(zh[key])} == set()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_whole_and_needs_no_network(lang: str) -> None:
    page = render(climb(), lang=lang, run=RUN)
    assert f'<html lang="{lang}">' in page
    assert page.count("<svg") == 3
    loads = re.findall(r'(?:src|href)="(?!#)[^"]*"|@import|url\(', page)
    assert [found for found in loads if "xlink" not in found] == []


def test_html_in_a_sample_stays_text() -> None:
    page = render(climb(title="<b>bold</b>"), lang="en", run=RUN)
    assert "&lt;high&gt;" in page
    assert "<b>bold</b>" not in page.split("<script")[0]


class Script(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.inside, self.text = False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script" and ("id", "climb") in attrs

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""


def test_the_numbers_can_be_read_back_from_the_page() -> None:
    before = climb(title="</script>")
    parser = Script()
    parser.feed(render(before, lang="en", run=RUN))
    assert Climb.from_json(parser.text, where="report.html") == before
    assert json.loads(parser.text)["title"] == "</script>"


def test_the_recommendation_names_rival_and_margin() -> None:
    lead, reasons = sentences(climb(), words("en"))
    assert "mixture" in lead
    # gpt 2.0 − mixture 1.5 = 0.5 bits per byte; 0.5 / 2.0 = 25 %
    assert "gpt" in reasons[0]
    assert "0.500 bits per byte (25.0 %; p < 0.001)" in reasons[0]
    # xz 3.0 against 1.5: 50 % fewer
    assert "50 % fewer bits than xz -9e" in reasons[1]
    # gpt's 3 MB against the mixture's 13 MB
    assert "4.3 times smaller" in reasons[2]


def test_a_tie_says_what_it_would_take() -> None:
    _, reasons = sentences(climb(distinguishable=False), words("en"))
    assert "can't be told apart from gpt" in reasons[0]
    assert "0.070" in reasons[0]
    assert "1.7 times" in reasons[0]


def test_sizes_read_as_people_write_them() -> None:
    assert [size(n) for n in (7, 1300, 2_600_000, 5.1e9)] == ["7 B", "1.3 kB", "2.6 MB", "5.1 GB"]
