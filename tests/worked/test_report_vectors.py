"""What the report says of word vectors: the words shown, the map, and whether the LSTM gained by them."""

import dataclasses
import html
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.fakes.climbs import TOO_SHORT, climb, tried, word_space
from ziggurat.study.result import Climb
from ziggurat.surface.report.page import render, words
from ziggurat.surface.report.vectors import trial_sentences, vectors_section

RUN = Path("runs/my tower")


def shown(page: str) -> str:
    """The page's text without its tags and data."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.split('<script type="application/json"', maxsplit=1)[0]))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_number_of_the_vectors_stands_on_the_page(lang: str) -> None:
    text = shown(render(tried(), lang=lang, run=RUN))
    # 0.9375 of the running words are 93.8 %
    for figure in ("1,013", "93.8 %", "123,457", "97", "11", "2.125", "2.375", "7.2", "0.91", "0.87", "0.75"):
        assert figure in text
    for word in ("tower", "ziggurat", "stairs", "语言", "模型"):
        assert word in text


def test_a_word_that_looks_like_html_stays_a_word() -> None:
    page = render(tried(), lang="en", run=RUN).split('<script type="application/json"')[0]
    assert "&lt;b&gt; <i>0.50</i>" in page
    assert "<span><b>" not in page


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_map_is_a_picture_with_every_word_and_what_it_kept(lang: str) -> None:
    found = vectors_section(tried(), words(lang), RUN)
    picture, (meaning, trust) = found["map_svg"], found["map_notes"]
    assert picture.startswith("<svg")
    for place in word_space().places:
        assert f">{place.word}<" in picture
    assert "0.88" in trust  # 0.875 by two digits
    page = shown(render(tried(), lang=lang, run=RUN))
    assert meaning in page
    assert trust in page


def test_without_places_there_is_no_map() -> None:
    flat = dataclasses.replace(tried(), word_space=dataclasses.replace(word_space(), places=(), layout=""))
    assert vectors_section(flat, words("en"), RUN)["map_svg"] == ""
    assert render(flat, lang="en", run=RUN).count("<svg") == 3
    assert render(tried(), lang="en", run=RUN).count("<svg") == 4


def test_words_that_can_t_be_shown_are_counted_all_the_same() -> None:
    bare = dataclasses.replace(tried(), word_space=dataclasses.replace(word_space(), neighbourhoods=(), places=()))
    text = shown(render(bare, lang="en", run=RUN))
    assert "1,013 words" in text
    assert words("en")["vectors_rule"] not in text
    assert "ziggurat vectors nearest" not in text


def test_the_command_is_one_that_a_shell_takes() -> None:
    command = vectors_section(tried(), words("en"), RUN)["vectors_command"]
    assert shlex.split(command) == ["ziggurat", "vectors", "nearest", "runs/my tower/skipgram/bundle", "tower"]


def test_a_climb_without_vectors_has_no_section() -> None:
    page = render(climb(), lang="en", run=RUN)
    assert words("en")["vectors"] not in shown(page)
    assert words("en")["trial"] not in shown(page)


# -- does it pay ------------------------------------------------------------------------------------------------------


def test_a_gain_is_a_gain_with_interval_and_test() -> None:
    answer, compared, reach = trial_sentences(tried(), words("en"))
    # 0.125 − 0.05 and 0.125 + 0.06
    assert answer == (
        "It pays to begin the LSTM with vectors: lstm-vectors needs 0.125 bits per byte fewer than lstm "
        "(95 % interval 0.075 to 0.185; p = 0.003)."
    )
    assert "cbow" in compared
    assert "2.5 s (1,877 of 2,048 tokens have one)" in compared
    assert "seed 0" in reach


def test_a_loss_is_a_loss() -> None:
    answer = trial_sentences(tried(better="lstm"), words("en"))[0]
    assert answer.startswith("It does not pay to begin the LSTM with vectors: lstm-vectors needs 0.125 bits per")


@pytest.mark.parametrize("better", ["lstm", "lstm-vectors"])
def test_what_can_t_be_told_apart_is_not_called_a_gain(better: str) -> None:
    answer = trial_sentences(tried(0.011, 0.4, better=better), words("en"))[0]
    assert answer.startswith(
        f"Whether it pays to begin the LSTM with vectors can't be told: {better} is ahead by 0.011"
    )
    assert answer.endswith("p = 0.400), and this held-out text could only have shown 0.040.")


def test_a_tiny_p_is_not_zero() -> None:
    assert "p < 0.001" in trial_sentences(tried(0.125, 0.0001), words("zh"))[0]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_budget_that_is_too_short_says_which_is_long_enough(lang: str) -> None:
    short = dataclasses.replace(climb(), trial=TOO_SHORT)
    (said,) = trial_sentences(short, words(lang))
    assert "--minutes 4" in said
    assert said in shown(render(short, lang=lang, run=RUN))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_languages_differ_in_words_and_not_in_figures(lang: str) -> None:
    figures = re.findall(r"\d[\d.,]*\d|\d", " ".join(trial_sentences(tried(), words(lang))))
    assert sorted(figures) == sorted(["0.125", "95", "0.075", "0.185", "0.003", "2.5", "1,877", "2,048", "0"])


# -- kept in climb.json -----------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back() -> None:
    before = tried()
    assert Climb.from_json(before.to_json(), where="x") == before


def test_a_climb_of_before_there_were_vectors_is_still_read() -> None:
    raw = json.loads(climb().to_json())
    del raw["word_space"], raw["trial"]
    old = Climb.from_json(json.dumps(raw | {"format": 1}), where="x")
    assert (old.word_space, old.trial, old.format) == (None, None, 1)
