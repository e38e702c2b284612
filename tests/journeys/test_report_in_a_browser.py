"""A climb's report opens in a browser from the disk alone, and shows what the climb found."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ziggurat.study.reproduce import read_climb
from ziggurat.surface.report.page import render, words

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


class Shown(HTMLParser):
    """The text of a page as a person sees it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden, self.text = 0, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        self.text += "" if self.hidden else data


def opened(page: Path, folder: Path, *arguments: str) -> str:
    """What the browser makes of a page without any network."""
    done = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder / 'profile'}",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            *arguments,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_browser_shows_the_climbs_numbers_and_pictures(lang: str, climbed: Path, tmp_path: Path) -> None:
    climb, _ = read_climb(climbed)
    page = tmp_path / "report.html"
    page.write_text(render(climb, lang=lang, run=climbed), encoding="utf-8")
    dom = opened(page, tmp_path, "--dump-dom")
    text = Shown(dom).text
    for entrant in climb.entrants:
        assert f"{entrant.bits_per_byte:.3f}" in text
        assert f"{entrant.low:.3f} – {entrant.high:.3f}" in text
    assert words(lang)["ranking"] in text
    space = climb.word_space
    assert space is not None
    for one in space.neighbourhoods:
        assert one.word in text
        assert all(word in text for word, _ in one.nearest)
    assert words(lang)["vectors"] in text
    assert words(lang)["trial"] in text
    assert len(re.findall(r"<svg", dom)) == (4 if space.places else 3)
    assert "{{" not in text
    assert "{%" not in text


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
def test_a_browser_can_draw_it(climbed: Path, tmp_path: Path) -> None:
    opened(climbed / "report.html", tmp_path, f"--screenshot={tmp_path / 'page.png'}", "--window-size=900,1300")
    picture = (tmp_path / "page.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    # the header's width and height, big-endian, stand at bytes 16 and 20
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (900, 1300)
    assert len(picture) > 30_000  # an empty page of this size has a few thousand bytes
