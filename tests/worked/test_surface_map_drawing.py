"""What a map's specification says: one scale for both directions, labels on their sides, colours by group."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ziggurat.core.errors import MissingExtraError, UnknownNameError
from ziggurat.surface.map.drawing import HEIGHT, PALETTE, WIDTH, WordMap, converter, specification, write_map

WORDS = ["king", "queen", "man", "woman", "苹果"]


def word_map(**changes: Any) -> WordMap:
    given: dict[str, Any] = {
        "title": "Five words",
        "notes": ["One.", "Two."],
        "words": WORDS,
        "places": np.array([[0.0, 0], [2, 0], [0, 1], [2, 1], [1, 0.5]]),
        "groups": ["king", "king", "man", "man", "man"],
        "seeds": frozenset({"king", "man"}),
        "near": ["a", "b", "c", "d", "e"],
    }
    return WordMap(**{**given, **changes})


def rows(drawn: WordMap, **options: Any) -> dict[str, dict[str, Any]]:
    return {row["word"]: row for row in specification(drawn, **options)["data"]["values"]}


def test_what_draws_and_is_missing_is_asked_for_in_words_that_fit_every_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=r"^drawing a picture needs an optional package: .*\[report\]"):
        converter()


def test_both_directions_have_one_scale_and_up_is_up() -> None:
    # 2 units wide on 1000 − 2 · 14 = 972 pixels: 486 a unit, so 1 unit high is 486 of 720, in the middle
    places = {word: (row["x"], row["y"]) for word, row in rows(word_map()).items()}
    assert places["king"] == (14, 360 - 243)
    assert places["woman"] == (986, 360 + 243)
    assert places["苹果"] == (500, 360)


def test_words_on_one_spot_are_drawn_in_the_middle() -> None:
    same = rows(word_map(places=np.zeros((5, 2))))
    assert {(row["x"], row["y"]) for row in same.values()} == {(WIDTH / 2, HEIGHT / 2)}


def test_labels_of_a_picture_are_those_with_room_each_once() -> None:
    spec = specification(word_map())
    texts = [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]
    shown = []
    for row in spec["data"]["values"]:
        fitting = [
            layer
            for layer in texts
            if layer["transform"][0]["filter"]
            == f"datum.side === {row['side']} && datum.seed === {str(row['seed']).lower()} && datum.zoom <= 1"
        ]
        assert len(fitting) == (row["side"] >= 0)
        shown += [row["word"]] * (row["zoom"] <= 1)
    assert shown == WORDS
    bold = {layer["mark"]["fontWeight"] for layer in texts if "seed === true" in layer["transform"][0]["filter"]}
    assert bold == {"bold"}


def test_colours_are_by_group_in_the_order_of_the_words() -> None:
    colour = specification(word_map())["layer"][0]["encoding"]["color"]
    assert colour["scale"] == {"domain": ["king", "man"], "range": list(PALETTE[:2])}
    plain = specification(word_map(groups=[""] * 5))["layer"][0]["encoding"]["color"]
    assert plain == {"value": PALETTE[0]}


def test_a_picture_says_its_notes_and_a_page_says_them_itself() -> None:
    assert specification(word_map())["title"]["subtitle"] == ["One.", "Two."]
    page = specification(word_map(), interactive=True)
    assert "title" not in page
    names = [p["name"] for p in (*page["params"], *page["layer"][0]["params"])]
    assert names == ["wanted", "frame", "picked"]


def test_every_kind_of_file(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    pytest.importorskip("jinja2")
    texts = {"how": "Zoom & drag.", "search": "Find:", "listing": "All"}
    evil = word_map(words=["<b>&", *WORDS[1:]], seeds=frozenset({"<b>&"}), title="A <title>")
    for ending, beginning in ((".png", b"\x89PNG"), (".svg", b"<svg"), (".html", b"<!doctype html>")):
        write_map(evil, tmp_path / f"map{ending}", texts=texts, lang="en")
        assert (tmp_path / f"map{ending}").read_bytes().startswith(beginning)
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "<title>A &lt;title&gt;</title>" in page
    assert "Zoom &amp; drag." in page
    assert "<b>&" not in page
    assert json.dumps("<b>&")[1:-1].replace("<", "\\u003c") in page
    with pytest.raises(UnknownNameError, match=r"unknown file ending '\.pdf'"):
        write_map(evil, tmp_path / "map.pdf", texts=texts, lang="en")
