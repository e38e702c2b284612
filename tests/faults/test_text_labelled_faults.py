"""Labelled files that are not: the message names the file and the line and says what to do."""

from pathlib import Path
from typing import NoReturn

import pytest

from ziggurat.core.errors import InputError
from ziggurat.text import labelled
from ziggurat.text.labelled import read_examples, read_labelled

FAULTS = {
    "empty": ("", "empty"),
    "only empty lines": ("\n\n\n", "empty"),
    "one column": ("a text\nanother text\n", ":1: one cell"),
    "a row too short": ("1\tgood\n0\tbad\n1\n", ":3: one cell"),
    "one label": ("1\tgood\n1\tbetter\n", "1 different labels"),
    "no label": ("label\ttext\n1\tgood\n\tbad\n", ":3: no label"),
    "not JSON": ('{"text": "a", "label": 1}\n{"text": \n', ":2: not JSON"),
    "a list": ('{"text": "a", "label": 1}\n[1, 2]\n', ":2: expected a JSON object, found list"),
    "a label missing": ('{"text": "a", "label": 1}\n{"text": "b"}\n', ":2: no text with a label"),
    "a text that is a number": ('{"text": 3, "label": 1}\n', ":1: no text with a label"),
    "a label with half a character": (
        '{"text": "a", "label": "b"}\n{"text": "a", "label": "\\ud800"}\n',
        ":2: the label has half",
    ),
    "a text is named and no label": ("id,text\n1,good\n2,bad\n", ":1: the first line names a text, 'text', but no lab"),
    "a label that is a list": ('{"text": "a", "label": [1]}\n', ":1: no text with a label"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_line_is_named(fault: str, tmp_path: Path) -> None:
    text, message = FAULTS[fault]
    path = tmp_path / "set.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_labelled(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_far_down_that_is_too_short(tmp_path: Path) -> None:
    path = tmp_path / "set.tsv"
    path.write_text("".join(f"{n % 2}\ttext {n}\n" for n in range(90)) + "1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"set\.tsv:91: 1 cells; its text and label need 2"):
        read_labelled(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nfine,1\nsad, sad,0\n", ":3: 3 cells, where the first row has 2: quote the text, or"),
        ("b.csv", "text,label,\nsad, sad,0\nfine,1,\n", ":2: 3 cells, where the first row has 2: quote"),
        ("c.csv", "text;label\nsad; sad;0\n", ":2: 3 cells, where the first row has 2: quote"),
        ("d.csv", "fine,1\nsad, sad,0\n", ":2: 3 cells, where the first row has 2: quote"),
        ("e.csv", "sad, sad,0\nfine,1\n", ":2: 2 cells, where the first row has 3: quote"),
        ("f.tsv", "text\tlabel\nsad\tsad\t0\n", ":2: 3 cells, where the first row has 2: take the tab out of the"),
        ("g.csv", "text,label\n" + "fine,1\n" * 99 + "sad, sad,0\n", ":101: 3 cells, where the first row has 2"),
    ],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_a_row_of_other_cells_than_the_first(
    name: str, content: str, message: str, labelled: bool, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        list(read_examples(tmp_path / name, labelled=labelled))
    assert str(caught.value).startswith(f"{tmp_path / name}{message}")


@pytest.mark.parametrize("sign", [",", "\t", ";"])
def test_lines_that_end_as_they_did_long_ago(sign: str, tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_bytes(f"text{sign}label\rfine{sign}1\rbad{sign}0\r".encode())
    with pytest.raises(InputError) as caught:
        read_labelled(path)
    assert ":1: not a table (a lone carriage return; end lines with LF or CR LF)" in str(caught.value)


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text('1,fine\n0,"two\nlines"\n1,"good\n0,bad\n1,fine\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"set\.csv:4: not a table .*; mend the row that begins here"):
        read_labelled(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_labelled(tmp_path / "nothing.tsv")
    (tmp_path / "a.tsv").write_text("1\tgood\n", encoding="utf-8")
    with pytest.raises(InputError, match="not one file"):
        read_labelled(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "set.tsv"
    path.write_text("1\tgood\n0\tbad\n", encoding="utf-8")

    def refuse(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(labelled, "open_source", refuse)  # root may read everything
    with pytest.raises(InputError, match=r"set\.tsv: may not be read \(Permission denied\)"):
        read_labelled(path)


def test_a_picture_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "set.tsv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    with pytest.raises(InputError, match="not text"):
        read_labelled(path)


def test_a_byte_that_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "set.tsv"
    path.write_bytes("1\tgut\n0\tschön\n".encode() * 40 + b"1\t\xff\xfe\n")
    with pytest.raises(InputError, match=r"set\.tsv:81|not"):
        read_labelled(path)
