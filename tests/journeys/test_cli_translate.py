"""Files translated line by line by the command line."""

import io
import json
import sys
from pathlib import Path

import pytest

from tests.journeys.conftest import Ziggurat, train

LETTERS = "abcdefghijkl"
RECIPE = ["--recipe", "article-transformer", "--tokens.kind", "characters", "--model.decoder_layers", "1"]
TINY = ["--model.layers", "1", "--model.width", "12", "--model.heads", "2", "--model.feedforward", "none"]
SHORT = ["--model.context", "24", "--steps", "7"]


@pytest.fixture(scope="module")
def reversing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run on strings and the same backwards, hardly trained."""
    folder = tmp_path_factory.mktemp("pairs")
    words = [one + two + three + one for one in LETTERS for two in LETTERS for three in LETTERS]
    (folder / "pairs.tsv").write_text("".join(f"{word}\t{word[::-1]}\n" for word in words), encoding="utf-8")
    return train(folder / "run", folder / "pairs.tsv", *RECIPE, *TINY, *SHORT)


def test_each_line_has_its_target_in_order_and_empty_lines_stay(
    reversing: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.txt").write_text("abc\n\n  \r\nfgh", encoding="utf-8")
    (tmp_path / "two.txt").write_text("\nkl\n", encoding="utf-8")
    ended = ziggurat("translate", reversing, tmp_path / "one.txt", tmp_path / "two.txt", "--beams", "3")
    assert ended.code == 0, ended.err
    lines = ended.out.split("\n")
    assert len(lines) == 7  # six, and what stands behind the last end
    assert [bool(line) for line in lines[1:3]] == [False, False]
    assert lines[4] == ""
    assert "3 lines translated" in ended.err
    for place, source in ((0, "abc"), (3, "fgh"), (5, "kl")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source.encode())))
        assert ziggurat("translate", reversing, "-", "--beams", "3", "--quiet").out == lines[place] + "\n"


def test_one_beam_is_what_generate_writes_greedily(reversing: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "a.txt").write_text("abcd\n", encoding="utf-8")
    greedy = ziggurat("generate", reversing, "--prompt", "abcd", "--temperature", "0", "--max-tokens", "9", "--json")
    found = ziggurat("translate", reversing, tmp_path / "a.txt", "--beams", "1", "--max-tokens", "9")
    assert found.out.rstrip("\n") == json.loads(greedy.out)["continuations"][0]["text"].strip()


def test_a_file_is_written_whole_or_not_at_all(
    reversing: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ziggurat.surface.cli.translate.LINES", 2)
    (tmp_path / "a.txt").write_text("ab\ncd\nef\n\ngh\n", encoding="utf-8")
    printed = ziggurat("translate", reversing, tmp_path / "a.txt")
    ended = ziggurat("translate", reversing, tmp_path / "a.txt", "--out", tmp_path / "out.txt")
    assert (ended.code, ended.out) == (0, "")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == printed.out
    (tmp_path / "b.txt").write_text("ab\ncd\nef\n" + "abcdef" * 10 + "\n", encoding="utf-8")
    ended = ziggurat("translate", reversing, tmp_path / "b.txt", "--out", tmp_path / "none.txt")
    assert ended.code == 2
    assert f"{tmp_path / 'b.txt'}:4: 61 tokens are more than the model can read at once" in ended.err
    assert not (tmp_path / "none.txt").exists()


def test_targets_that_reach_the_limit_are_counted(reversing: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "a.txt").write_text("abc\ndef\n", encoding="utf-8")
    ended = ziggurat("translate", reversing, tmp_path / "a.txt", "--max-tokens", "1", "--beams", "1", "--quiet")
    assert ended.code == 0
    assert all(len(line) <= 1 for line in ended.out.splitlines())
    in_chinese = ziggurat("translate", reversing, tmp_path / "a.txt", "--max-tokens", "1", "--lang", "zh")
    assert "已翻译 2 行" in in_chinese.err


def test_targets_far_off_in_length_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    from ziggurat.surface.cli.translate import _Told, _warn
    from ziggurat.surface.terminal import Terminal

    told = _Told()
    told.ratios.extend([1.0, 1.1, 0.9, 1.0, 0.1, 3.5, 4.0])
    told.cut = 2
    _warn(Terminal(quiet=True), told)
    said = capsys.readouterr().err
    assert "2 targets reached the limit" in said
    assert "1 targets are less than a third as long as is usual here, and 2 more than three times" in said
    _warn(Terminal(), _Told())
    assert capsys.readouterr().err == ""


def test_what_is_refused(reversing: Path, counted: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "a.txt").write_text("abc\n", encoding="utf-8")
    ended = ziggurat("translate", counted, tmp_path / "a.txt")
    assert ended.code == 2
    assert "translates nothing" in ended.err
    assert ziggurat("translate", reversing, tmp_path / "a.txt", "--beams", "0").code == 2
    assert ziggurat("translate", reversing, tmp_path / "missing.txt").code == 2


def test_what_is_there_already_is_never_written_over(reversing: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    source, other = tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_text("abc\n", encoding="utf-8")
    other.write_text("kept\n", encoding="utf-8")
    for place in (source, other, tmp_path):
        ended = ziggurat("translate", reversing, source, "--out", place)
        assert (ended.code, ended.out) == (2, "")
        assert f"{place}: exists already; choose another --out" in ended.err
    assert source.read_text(encoding="utf-8") == "abc\n"
    assert other.read_text(encoding="utf-8") == "kept\n"
