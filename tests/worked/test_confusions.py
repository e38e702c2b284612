"""What a confusion picture shows, counted by hand and read from the drawing itself."""

import re
from pathlib import Path

import pytest

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.judge.answers import Answer, AnswersReport, answers_report
from ziggurat.surface.cli.places import fonts_at
from ziggurat.surface.confusions import MOST_LABELS, write_confusions
from ziggurat.surface.language import speaking

pytest.importorskip("altair")
PAIRS = [("cat", "cat"), ("cat", "cat"), ("cat", "dog"), ("dog", "dog"), ("owl", "cat")]


def reported(pairs: list[tuple[str, str]]) -> AnswersReport:
    return answers_report([Answer(str(place), *pair) for place, pair in enumerate(pairs)], ["accuracy"])


def written(path: Path) -> list[str]:
    """Every text in a drawing, in its order."""
    return re.findall(r"<text[^>]*>([^<]+)</text>", path.read_text(encoding="utf-8"))


def test_the_drawing_has_the_counts_and_the_labels(tmp_path: Path) -> None:
    place = tmp_path / "seen.svg"
    assert write_confusions(reported(PAIRS), place)
    texts = written(place)
    assert sorted(text for text in texts if text.isdigit()) == ["1", "1", "1", "2"]
    assert [text for text in texts if text in ("cat", "dog", "owl")] == ["cat", "dog", "owl"] * 2
    assert {"said", "right label"} <= set(texts)


def test_what_is_right_has_a_colour_of_its_own_and_parts_are_of_a_row(tmp_path: Path) -> None:
    place = tmp_path / "seen.svg"
    write_confusions(reported(PAIRS), place)
    fields = re.findall(r'aria-label="([^"]*)"[^>]*d="[^"]*" fill="(#\w+)"', place.read_text(encoding="utf-8"))
    colours = {
        (re.findall(r"right label: (\w+)", name)[0], re.findall(r"said: (\w+)", name)[0]): fill for name, fill in fields
    }
    assert set(colours) == {("cat", "cat"), ("cat", "dog"), ("dog", "dog"), ("owl", "cat")}
    right, wrong = colours["cat", "cat"], colours["cat", "dog"]
    assert right != wrong
    assert (colours["dog", "dog"], colours["owl", "cat"]) == (right, wrong)
    parts = [float(part) for part in re.findall(r"part: ([\d.]+)", place.read_text(encoding="utf-8"))]
    assert sorted({round(part, 3) for part in parts}) == [0.333, 0.667, 1.0]


def test_spans_that_were_missed_have_a_column(tmp_path: Path) -> None:
    place = tmp_path / "spans.svg"
    answers = [Answer("1", [(0, 1, "PER")], []), Answer("2", [], [(1, 2, "LOC")])]
    write_confusions(answers_report(answers, ["span_f1"]), place)
    assert written(place).count("–") == 2


def test_the_most_frequent_labels_are_shown(tmp_path: Path) -> None:
    place = tmp_path / "many.svg"
    pairs = [(f"label{number:02}", f"label{number:02}") for number in range(MOST_LABELS + 5)]
    write_confusions(reported([*pairs, ("label44", "label44")]), place)
    texts = set(written(place))
    assert "label44" in texts
    assert len({text for text in texts if text.startswith("label")}) == MOST_LABELS


def test_a_png_is_one_and_chinese_is_spoken(tmp_path: Path) -> None:
    write_confusions(reported(PAIRS), tmp_path / "seen.png")
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG\r\n")
    with speaking("zh"):
        write_confusions(reported(PAIRS), tmp_path / "seen.svg")
    assert {"所判标签", "正确标签"} <= set(written(tmp_path / "seen.svg"))


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown file ending '\.jpg'"):
        write_confusions(reported(PAIRS), tmp_path / "seen.jpg")
    with pytest.raises(UsageError, match="nothing to confuse"):
        write_confusions(answers_report([Answer("1", [], [])], ["span_f1"]), tmp_path / "seen.svg")
    assert not list(tmp_path.iterdir())


def test_fonts_that_are_named_are_there() -> None:
    assert fonts_at(None) is None
    assert fonts_at("") is None
    here = str(Path(__file__).parent)
    assert fonts_at(here) == Path(here)
    with pytest.raises(UsageError, match=r"^--fonts: no/where: no such file or folder$"):
        fonts_at("no/where")
