"""What lies where a command would write stays as it is, and is said before the command works."""

from pathlib import Path

import pytest

from tests.journeys.conftest import Ziggurat


@pytest.mark.parametrize(
    "words",
    [
        ["embed", "nowhere", "{texts}", "--out"],
        ["tokenize", "{texts}", "--out"],
        ["translate", "nowhere", "{texts}", "--out"],
    ],
)
def test_a_file_of_the_user_s_is_not_written_over(
    words: list[str], texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text("of the user")
    ended = ziggurat(*(word.format(texts=texts) for word in words), mine)
    assert (ended.code, ended.err) == (2, f"error: {mine}: exists already; choose another --out\n")
    assert mine.read_text() == "of the user"


@pytest.mark.parametrize(
    "words", [["task", "ner", "evaluate", "nowhere", "{texts}", "--picture"], ["vectors", "map", "nowhere", "--out"]]
)
def test_a_picture_that_can_t_be_written_is_refused_first(
    words: list[str], texts: Path, ziggurat: Ziggurat, tmp_path: Path
) -> None:
    place = tmp_path / "data.tsv" / "c.png"
    place.parent.write_text("a file")
    ended = ziggurat(*(word.format(texts=texts) for word in words), place)
    option = words[-1]
    assert (ended.code, ended.err) == (
        2,
        f"error: {place}: {place.parent} is a file and no folder; choose another {option}\n",
    )
