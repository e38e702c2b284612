"""Text as it is spoken, and transcripts read from files."""

from pathlib import Path

import pytest

from ziggurat.core.errors import InputError
from ziggurat.text.spoken import read_transcripts, spoken, spoken_units


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", []),
        (" -- … !", []),
        ("Had he married, a _more_ amiable woman?", ["had", "he", "married", "a", "more", "amiable", "woman"]),
        ("‘I don’t,’ said he", ["i", "don't", "said", "he"]),
        ("o'clock 'em sisters'", ["o'clock", "em", "sisters"]),
        ("cold-hearted", ["cold", "hearted"]),
        ("éTé 10,000", ["été", "10", "000"]),
        ("今天是2024年，OK吗？", ["今", "天", "是", "2024", "年", "ok", "吗"]),
    ],
)
def test_units(text: str, units: list[str]) -> None:
    assert spoken_units(text) == units
    assert spoken(text) == " ".join(units)
    assert spoken(spoken(text)) == spoken(text)


def test_transcripts_of_both_forms_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "transcription"
    path.write_text("\ufeffb\the was\n\n<s> he was not </s> (a)\nother words (c d)\n今\t今天\n", encoding="utf-8")
    assert read_transcripts(path, ["a", "b", "c d", "今"]) == ["he was not", "he was", "other words", "今天"]
    assert read_transcripts(path, []) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tone\na\ttwo\n", r"transcription:2: a second transcript of 'a'; keep one"),
        ("just words\n", r"transcription:1: expected NAME<TAB>text, or <s> text </s> \(NAME\)"),
        ("austin\tone\n", r"transcription: no transcript of 'austen'; did you mean 'austin'\?"),
        ("", r"transcription: no transcript of 'austen'"),
    ],
)
def test_transcripts_that_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "transcription"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_transcripts(path, ["austen"])


def test_transcripts_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: can't be read \(No such file or directory\)"):
        read_transcripts(tmp_path / "none", ["a"])
    (tmp_path / "latin").write_bytes(b"a\t\xe9t\xe9\n")
    with pytest.raises(InputError, match=r"latin: can't be read \(it is not UTF-8\)"):
        read_transcripts(tmp_path / "latin", ["a"])
