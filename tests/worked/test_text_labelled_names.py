"""Columns and fields that hold texts and labels: named by the user, remembered, usual, or guessed and said."""

import logging
from pathlib import Path

import pytest

from ziggurat.core.errors import InputError, UnknownNameError
from ziggurat.text.labelled import read_examples
from ziggurat.text.labelled_names import Naming, names_of
from ziggurat.text.options import TextConfig

NAMED = TextConfig(field="tweet", label_field="polarity")
EXPECTED = [("a good day", "1"), ("a bad night", "0")]

FORMS = {
    "commas": ("set.csv", "tweet,polarity\na good day,1\na bad night,0\n"),
    "tabs and more columns": ("set.tsv", "id\tpolarity\ttweet\n7\t1\ta good day\n8\t0\ta bad night\n"),
    "other letters": ("set.csv", " Tweet ,POLARITY\na good day,1\na bad night,0\n"),
    "usual names elsewhere": ("set.csv", "text,label,tweet,polarity\nx,y,a good day,1\nx,z,a bad night,0\n"),
    "JSON": ("set.jsonl", '{"tweet": "a good day", "polarity": 1}\n{"polarity": "0", "tweet": "a bad night"}\n'),
    "any name": ("set", "tweet,polarity\na good day,1\na bad night,0\n"),
}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def said(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("labelled", [True, False])
def test_what_the_user_names_is_read(
    form: str, labelled: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, *FORMS[form])
    with caplog.at_level(logging.INFO, "ziggurat"):
        found = read_examples(path, NAMED, labelled=labelled)
        assert [(one.input, one.answer) for one in found] == EXPECTED
    assert said(caplog) == ""


@pytest.mark.parametrize("form", ["commas", "tabs and more columns", "JSON", "any name"])
def test_what_was_learnt_from_is_read_without_being_named(form: str, tmp_path: Path) -> None:
    path = written(tmp_path, *FORMS[form])
    found = read_examples(path, learnt=("tweet", "polarity"), labelled=False)
    assert [(one.input, one.answer) for one in found] == EXPECTED


def test_what_was_learnt_from_need_not_be_there(tmp_path: Path) -> None:
    path = written(tmp_path, "set.csv", "text,label\na good day,1\na bad night,0\n")
    assert [(one.input, one.answer) for one in read_examples(path, learnt=("tweet", "polarity"))] == EXPECTED
    path = written(tmp_path, "set.txt", "a good day\na bad night\n")
    found = read_examples(path, learnt=("tweet", None), labelled=False)
    assert [one.input for one in found] == ["a good day", "a bad night"]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("id,note,lab\n1,a,b\n", TextConfig(field="tweet"), "set.csv: unknown column 'tweet'; known: id, lab, note"),
        ("id,note,lab\n1,a,b\n", TextConfig(label_field="lap"), "set.csv: unknown column 'lap'; did you mean 'lab'?"),
        ('{"note": "a", "x": 1}\n', TextConfig(field="tweet"), "set.csv:1: unknown field 'tweet'; known: note, x"),
    ],
)
def test_a_name_that_is_none_is_answered_with_those_there_are(
    content: str, options: TextConfig, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        list(read_examples(written(tmp_path, "set.csv", content), options))
    assert str(caught.value) == f"{tmp_path}/{message}"


def test_a_plain_text_has_no_column_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown column 'tweet'"):
        list(read_examples(written(tmp_path, "a.txt", "a film\na bore\n"), TextConfig(field="tweet"), labelled=False))


def test_one_name_is_enough(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, "set.csv", "id,note,lab\n1,a good day,1\n2,a bad night,0\n")
    with caplog.at_level(logging.INFO, "ziggurat"):
        assert [(one.input, one.answer) for one in read_examples(path, TextConfig(label_field="lab"))] == EXPECTED
    assert said(caplog) == f"{path}: column 'note' is read as the text; tell another by --text.field"
    with pytest.raises(InputError, match=r"names a text, 'note', but no label; .* by --text.label_field"):
        list(read_examples(path, TextConfig(field="note")))


def test_a_name_stands_for_itself_where_its_column_repeats_it(tmp_path: Path) -> None:
    # the label column's name is a label too, which without being named would make the first row an example
    path = written(tmp_path, "set.csv", "note,odd\na good day,odd\na bad night,even\n")
    found = list(read_examples(path, TextConfig(field="note", label_field="odd")))
    assert [one.answer for one in found] == ["odd", "even"]


@pytest.mark.parametrize(
    ("content", "labelled", "told"),
    [
        ("tweet,polarity\na day,1\n", True, ", with the text in cell 1 and the label in cell 2; name"),
        ("1,a day\n0,a night\n", True, ", with the text in cell 2 and the label in cell 1; name"),
        ("1,a day\n0,a night\n", False, "so the first row is an example; name"),
        ("text,label\na day,1\n", True, ""),
        ("id,text\n1,a day\n", False, ""),
    ],
)
def test_what_is_guessed_is_said(
    content: str, labelled: bool, told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path, "set.csv", content)
    with caplog.at_level(logging.INFO, "ziggurat"):
        assert list(read_examples(path, TextConfig(), labelled=labelled))
    assert bool(said(caplog)) == bool(told)
    assert told in said(caplog)
    assert all(one.startswith(f"{path}: no column has a name that is known") for one in said(caplog).splitlines())
    caplog.clear()
    with caplog.at_level(logging.INFO, "ziggurat"):
        assert list(read_examples(path, labelled=labelled))  # who can't name columns is not told to
    assert said(caplog) == ""


def test_json_without_known_fields_names_those_it_has(tmp_path: Path) -> None:
    path = written(tmp_path, "set.jsonl", '{"tweet": "a", "polarity": 1}\n')
    with pytest.raises(
        InputError, match=r"set.jsonl:1: no text with a label \(fields: tweet, polarity\); .*--text.field"
    ):
        list(read_examples(path))
    path = written(tmp_path, "set.json", '[{"text": "a", "label": 1}]\n')
    with pytest.raises(InputError, match=r"set.json:1: a list; write its objects a line each"):
        list(read_examples(path))


def test_numbers_are_labels_in_json(tmp_path: Path) -> None:
    path = written(tmp_path, "set.jsonl", '{"text": "a", "label": 1.5}\n{"text": "b", "label": 2}\n')
    assert [one.answer for one in read_examples(path)] == ["1.5", "2"]


def test_a_label_that_nobody_asked_for_may_be_anything(tmp_path: Path) -> None:
    path = written(tmp_path, "set.jsonl", '{"text": "a", "label": [1]}\n{"text": "b", "label": null}\n')
    assert [(one.input, one.answer) for one in read_examples(path, labelled=False)] == [("a", None), ("b", None)]


def test_names_are_found_in_their_order() -> None:
    # "b" is likelier than "a", whatever comes first; as it is written is nearer than in other letters
    naming = Naming(("b", "a"))
    assert naming.place(["a", "b"]) == 1
    assert naming.place(["x", " A "]) == 1
    assert naming.place(["B", "b"]) == 1
    assert naming.place(["x"]) is None
    assert not names_of(TextConfig()).given
    assert names_of(TextConfig(label_field="x")).given
    assert names_of(TextConfig(), ("tweet", None)).text.place(["text", "tweet"]) == 1
