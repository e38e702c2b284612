"""Which form a file of labelled words has, and that it is read to the last word in it."""

import io
import sys
from pathlib import Path

import pytest

from tests.fakes.tagging import cells, written
from ziggurat.core.errors import InputError
from ziggurat.text.labelled_words import opening, read_labelled_words
from ziggurat.text.options import TextConfig
from ziggurat.text.tagged import Line

UNIVERSAL = """\
# sent_id = 1
1-2\t说的\t_\t_\t_\t_\t_\t_\t_\t_
1\t说\t_\tVERB\t_\t_\t0\troot\t_\t_
2\t的\t_\tPART\t_\t_\t1\tcase\t_\t_

1\tYes\t_\tINTJ\t_\t_\t0\troot\t_\t_
1.1\tgone\t_\tVERB\t_\t_\t_\t_\t_\t_
"""
READ = [("2", ["说", "的"], ["VERB", "PART"], 2), ("6", ["Yes"], ["INTJ"], 6)]
COLUMNS = "#NFL\tO\nin\tO\nRome\tB-LOC\n"


@pytest.mark.parametrize("name", ["a.conllu", "a.txt", "a"])
@pytest.mark.parametrize("before", ["", "\n", "# newdoc\n"])
def test_conll_u_is_known_by_its_first_row(name: str, before: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, before + UNIVERSAL)
    found = cells(path, read_labelled_words(path))
    more = before.count("\n")
    assert found == [(str(int(place) + more), words, labels, line + more) for place, words, labels, line in READ]


def test_columns_stay_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", COLUMNS)
    assert cells(path, read_labelled_words(path)) == [("1", ["#NFL", "in", "Rome"], ["O", "O", "B-LOC"], 1)]
    ten = "1\tb\tc\td\te\tf\tg\th\ti\tO\n"  # of which the seventh is no number
    path = written(tmp_path / "b.conll", ten)
    assert cells(path, read_labelled_words(path)) == [("1", ["1"], ["O"], 1)]


def test_a_file_that_says_it_is_conll_u_is_read_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.conllu:1: 2 columns; a line of CoNLL-U is 10 cells parted by tabs"):
        list(read_labelled_words(written(tmp_path / "a.conllu", "#NFL\tO\nin\tO\n".replace("#", ""))))
    with pytest.raises(InputError, match=r"a\.conllu\.gz: no sentence; a line of CoNLL-U"):
        list(read_labelled_words(written(tmp_path / "a.conllu.gz", b"")))
    with pytest.raises(InputError, match=r"a\.conllu:2: word 2 has no upos \('_'\); mend the line"):
        list(read_labelled_words(written(tmp_path / "a.conllu", UNIVERSAL.replace("PART", "_"))))


def test_the_encoding_is_obeyed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", UNIVERSAL.encode("gb18030"))
    assert cells(path, read_labelled_words(path, TextConfig(encoding="gb18030"))) == READ


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UNIVERSAL.encode())))
    assert [one.labels for one in read_labelled_words("-")] == [("VERB", "PART"), ("INTJ",)]


@pytest.mark.parametrize("content", [UNIVERSAL, COLUMNS, "", "# only\n", "\n\n"])
@pytest.mark.parametrize("name", ["a.conll", "a.conllu"])
def test_no_line_is_lost_by_looking(content: str, name: str) -> None:
    lines = [Line(number, text) for number, text in enumerate(content.splitlines(), start=1)]
    universal, again = opening(iter(lines), name)
    assert list(again) == lines
    assert universal == (content == UNIVERSAL or name == "a.conllu")
