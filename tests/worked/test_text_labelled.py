"""Labelled texts in every form that people have them in."""

import gzip
import json
from pathlib import Path

import pytest

from ziggurat.core.errors import InputError
from ziggurat.text.labelled import LabelledSet, read_examples, read_labelled
from ziggurat.text.options import TextConfig


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


EXPECTED = LabelledSet("set", ("a good day", "a bad night"), ("1", "0"))

FORMS = {
    "text, then label": ("set.tsv", "a good day\t1\na bad night\t0\n"),
    "label, then text": ("set.tsv", "1\ta good day\n0\ta bad night\n"),
    "commas": ("set.csv", "1,a good day\n0,a bad night\n"),
    "quotes": ("set.csv", '1,"a good day"\n0,"a bad night"\n'),
    "names": ("set.csv", "label,text\n1,a good day\n0,a bad night\n"),
    "names in another order": ("set.tsv", "id\tReview\tLabel\n7\ta good day\t1\n8\ta bad night\t0\n"),
    "lines without anything": ("set.tsv", "a good day\t1\n\na bad night\t0\n\n"),
    "no end of line": ("set.tsv", "a good day\t1\na bad night\t0"),
    "JSON": ("set.jsonl", '{"text": "a good day", "label": 1}\n{"text": "a bad night", "label": 0}\n'),
    "Chinese names": ("set.csv", "文本,标签\na good day,1\na bad night,0\n"),
    "semicolons": ("set.csv", "text;label\na good day;1\na bad night;0\n"),
    "semicolons without names": ("set.csv", "a good day;1\na bad night;0\n"),
    "columns that a spreadsheet added": ("set.csv", "text,label,,\na good day,1,,\na bad night,0,,,\n"),
    "columns added and no names": ("set.csv", "1,a good day,\n0,a bad night,,\n"),
    "columns that nobody reads left out": ("set.csv", "text,label,note\na good day,1,sunny\na bad night,0\n"),
    "a name for the label alone": ("set.csv", "opinion,label\na good day,1\na bad night,0\n"),
    "JSON in Chinese": ("set.jsonl", '{"评论": "a good day", "标签": 1}\n{"评论": "a bad night", "标签": 0}\n'),
    "JSON in capitals": ("set.jsonl", '{"Text": "a good day", "LABEL": 1}\n{"Text": "a bad night", "LABEL": 0}\n'),
    "JSON with other names": (
        "set.jsonl",
        '{"class": "1", "review": "a good day"}\n{"class": "0", "review": "a bad night"}\n',
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_alike(form: str, tmp_path: Path) -> None:
    name, text = FORMS[form]
    assert read_labelled(written(tmp_path, name, text)) == EXPECTED


def test_the_first_of_two_labels_is_taken(tmp_path: Path) -> None:
    # TREC: coarse label, fine label, question
    path = written(tmp_path, "trec.tsv", "HUM\tHUM:ind\tWho wrote it ?\nLOC\tLOC:city\tWhere does it stand ?\n")
    assert read_labelled(path).labels == ("HUM", "LOC")


def test_a_line_may_hold_commas_and_quotes_where_tabs_part_it(tmp_path: Path) -> None:
    path = written(tmp_path, "set.tsv", "he said \"no, never\t0\n`` yes '' , he said\t1\n")
    assert read_labelled(path).texts == ('he said "no, never', "`` yes '' , he said")


def test_cells_with_lines_in_them(tmp_path: Path) -> None:
    path = written(tmp_path, "set.csv", 'label,text\n1,"two\nlines"\n0,one\n')
    assert read_labelled(path).texts == ("two\nlines", "one")


def test_a_row_has_the_line_that_it_begins_in(tmp_path: Path) -> None:
    path = written(tmp_path, "set.csv", 'label,text\n1,"two\nlines"\n\n0,one\n')
    assert [one.id for one in read_examples(path)] == [f"{path}:2", f"{path}:5"]


def test_a_first_line_that_recurs_is_no_head(tmp_path: Path) -> None:
    # "text" and "target" are labels here
    path = written(tmp_path, "set.tsv", "a good day\ttext\na bad night\ttarget\nno day\ttext\n")
    assert read_labelled(path).labels == ("text", "target", "text")
    path = written(tmp_path, "first.tsv", "a good day\ttarget\na bad night\tyes\nno day\ttarget\n")
    assert read_labelled(path).labels == ("target", "yes", "target")


@pytest.mark.parametrize(
    ("name", "head", "row"),
    [
        ("piped", "id,text", '1,"a warm\nfilm"'),
        ("piped.txt", "label\ttext", "1\ta warm\\nfilm"),
        ("piped", '"id";"text"', '1;"a warm\nfilm"'),
        ("piped", ",文本", '1,"a warm\nfilm"'),
    ],
)
def test_a_table_of_any_name_is_known_by_its_names(name: str, head: str, row: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, f"{head}\n{row}\n")
    assert [one.input.replace("\\n", "\n") for one in read_examples(path, labelled=False)] == ["a warm\nfilm"]


@pytest.mark.parametrize("ending", ["", ".txt", ".txt.gz", ".csv.txt"])
@pytest.mark.parametrize(
    "first", ["a warm\tfilm", "hello, text, warm", "Text, they said", "text", "{hm} a film", "{}", '{"a film', "[1]"]
)
def test_whatever_else_is_a_text_a_line(first: str, ending: str, tmp_path: Path) -> None:
    content = f"{first}\n\na bore, awful\n".encode()
    path = tmp_path / f"asked{ending}"
    path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    found = list(read_examples(path, labelled=False))
    assert [(one.input, one.answer) for one in found] == [(first, None), ("a bore, awful", None)]
    assert [one.id for one in found] == [f"{path}:1", f"{path}:3"]


@pytest.mark.parametrize("name", ["asked.csv", "asked.TSV", "asked.tab.gz"])
def test_a_name_says_that_it_is_a_table(name: str, tmp_path: Path) -> None:
    content = b'"a film"\ta\n{hm}\tb\n' if ".csv" not in name else b'"a film",a\n{hm},b\n'
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert [one.answer for one in read_examples(path, labelled=False)] == ["a", "b"]


def test_a_file_of_any_name_may_hold_json_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "asked.txt", '\n{"text": "a film"}\n{"text": "a bore"}\n')
    assert [(one.id, one.input) for one in read_examples(path, labelled=False)] == [
        (f"{path}:2", "a film"),
        (f"{path}:3", "a bore"),
    ]


def test_a_text_may_begin_with_a_brace_in_a_table(tmp_path: Path) -> None:
    path = written(tmp_path, "set.tsv", "{hm} a film\tgood\n{a bore\tbad\n")
    assert read_labelled(path).texts == ("{hm} a film", "{a bore")


def test_semicolons_part_cells_only_where_nothing_else_does(tmp_path: Path) -> None:
    path = written(tmp_path, "set.csv", "text,label\nwarm; funny,1\ncold; dull,0\n")
    assert read_labelled(path).texts == ("warm; funny", "cold; dull")
    path = written(tmp_path, "lines.csv", 'text;label\n"two\nlines, or; three";1\none;0\n')
    assert read_labelled(path).texts == ("two\nlines, or; three", "one")
    path = written(tmp_path, "one.csv", "warm; funny\na bore\n")  # of one column, which needs no quotes
    assert [one.input for one in read_examples(path, labelled=False)] == ["warm; funny", "a bore"]


def test_bytes_are_read_as_the_options_say(tmp_path: Path) -> None:
    path = tmp_path / "set.tsv"
    path.write_bytes("a café\t1\na 好\t0\n".encode("gb18030"))
    assert [one.input for one in read_examples(path, TextConfig(encoding="gb18030"))] == ["a café", "a 好"]
    path.write_bytes(b"good\t1\nb\xffd \xe5\xa5\xbd\t0\n")
    with pytest.raises(InputError, match="0xff"):
        list(read_examples(path, TextConfig(encoding="utf-8")))
    found = list(read_examples(path, TextConfig(encoding="utf-8", undecodable="replace")))
    assert [one.input for one in found] == ["good", "b\ufffdd 好"]


def test_compressed_and_chinese(tmp_path: Path) -> None:
    path = tmp_path / "酒店.csv.gz"
    path.write_bytes(gzip.compress("label,review\n1,房间很大\n0,太吵了\n".encode("gb18030")))
    found = read_labelled(path)
    assert (found.name, found.texts, found.classes) == ("酒店", ("房间很大", "太吵了"), ("0", "1"))


def test_a_text_may_be_empty(tmp_path: Path) -> None:
    # people's files have such rows; no word of theirs has a vector, so they tell nothing
    assert read_labelled(written(tmp_path, "set.csv", "label,review\n1,fine\n0,\n")).texts == ("fine", "")


def test_true_and_false_are_labels(tmp_path: Path) -> None:
    path = written(tmp_path, "set.jsonl", '{"text": "a", "label": true}\n{"text": "b", "label": false}\n')
    assert read_labelled(path).labels == ("True", "False")


@pytest.mark.parametrize("name", ["sst2/dev.tsv", "trec/dev.tsv", "banking77/dev.tsv", "chnsenticorp_hotel/all.csv.gz"])
def test_public_sets(name: str, shared_data: Path) -> None:
    found = read_labelled(shared_data / name)
    sizes = {"sst2": (872, 2), "trec": (515, 6), "banking77": (1016, 77), "chnsenticorp_hotel": (7766, 2)}
    assert (len(found.texts), len(found.classes)) == sizes[name.partition("/")[0]]
    lengths = sorted(map(len, found.texts))
    assert lengths[len(lengths) // 2] > 3 * max(map(len, found.classes)) or len(found.classes) > 6


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    texts = [f"number {n} of a few, “so to speak”" for n in range(103)]
    labels = [f"l{n % 3}" for n in range(103)]
    rows = [json.dumps({"text": t, "label": label}) for t, label in zip(texts, labels, strict=True)]
    found = read_labelled(written(tmp_path, "many.jsonl", "\n".join(rows)))
    assert (list(found.texts), list(found.labels)) == (texts, labels)
