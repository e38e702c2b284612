"""Predicted labels go into the user's own file, and not one other byte of it changes."""

import gzip
import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.tagging import always, in_batches_of_three, numbering, written
from ziggurat.core.errors import InputError, UsageError
from ziggurat.text.columns import Columns, add_labels, read_columns
from ziggurat.text.options import TextConfig
from ziggurat.text.relabelling import Labeller, write_pieces
from ziggurat.text.tagged import TaggedSentence


def added(path: Path, label: Labeller = numbering, **keys: Any) -> bytes:
    return b"".join(add_labels(path, label, **keys))


BEFORE_AND_AFTER = {
    "tabs": ("a\tO\nb\tB-X\n\nc\tO\n\n", "a\tO\tT0\nb\tB-X\tT1\n\nc\tO\tT0\n\n"),
    "blanks": ("吴 B\n重 E\n\n， O\n", "吴 B T0\n重 E T1\n\n， O T0\n"),
    "tokens alone": ("a\nb\n", "a\tT0\nb\tT1\n"),
    "blanks at ends": ("a O \nb  O\t\n", "a O T0 \nb  O T1\t\n"),
    "a blank after a token alone": ("a \nb\n", "a\tT0 \nb\tT1\n"),
    "CR LF": ("a\tO\r\n\r\nb\tO\r\n", "a\tO\tT0\r\n\r\nb\tO\tT0\r\n"),
    "both ends of lines": ("a\tO\r\nb\tO\n \t \nc\tO\r\n", "a\tO\tT0\r\nb\tO\tT1\n \t \nc\tO\tT0\r\n"),
    "no last end": ("a\tO\nb\tO", "a\tO\tT0\nb\tO\tT1"),
    "a mark of order": ("\ufeffa\tO\n", "\ufeffa\tO\tT0\n"),
    "comments and documents": (
        "# one two\n-DOCSTART- O\n\n# x = 7\na\tO\n\n\n\n# the end\n",
        "# one two\n-DOCSTART- O\n\n# x = 7\na\tO\tT0\n\n\n\n# the end\n",
    ),
    "empty lines before": ("\n\na\tO\n", "\n\na\tO\tT0\n"),
}


@pytest.mark.parametrize("case", BEFORE_AND_AFTER)
@pytest.mark.parametrize("model", [numbering, in_batches_of_three])
def test_a_further_column_and_nothing_else(case: str, model: Labeller, tmp_path: Path) -> None:
    before, after = BEFORE_AND_AFTER[case]
    assert added(written(tmp_path / "a.conll", before), model).decode() == after


@pytest.mark.parametrize("case", BEFORE_AND_AFTER)
def test_the_new_column_is_read_as_the_label(case: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", BEFORE_AND_AFTER[case][1])
    for sentence in read_columns(path):
        assert list(sentence.labels) == [f"T{place}" for place in range(len(sentence.tokens))]


ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_in_the_file_s_own_encoding(encoding: str, tmp_path: Path) -> None:
    text = "caf \tO\r\n\nab\tO\n" if encoding in ("cp037", "latin-1") else "上 海\tO\r\n\n中文\tO\n"
    path = written(tmp_path / "a.conll", text.encode(encoding))
    expected = text.replace("O\r", "O\tT0\r").replace("O\n", "O\tT0\n").encode(encoding)
    assert added(path, options=TextConfig(encoding=encoding)) == expected


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\x00\x00", "utf-32-le"),
        (b"\x00\x00\xfe\xff", "utf-32-be"),
    ],
)
def test_units_of_two_and_four_bytes_are_not_cut(mark: bytes, encoding: str, tmp_path: Path) -> None:
    # U+0A0A and U+0909 hold the bytes of LF and of tab; U+0A00 and U+000A side by side hold them across units
    text = "\u0a0a\u0909\u0a00\tO\n\u0a0a\tO\n\n\u0d0a\tO"
    path = written(tmp_path / "a.conll", mark + text.encode(encoding))
    assert [sentence.tokens for sentence in read_columns(path)] == [("\u0a0a\u0909\u0a00", "\u0a0a"), ("\u0d0a",)]
    after = "\u0a0a\u0909\u0a00\tO\tT0\n\u0a0a\tO\tT1\n\n\u0d0a\tO\tT0"
    assert added(path) == mark + after.encode(encoding)


def test_bytes_that_no_encoding_gives_back_are_kept(tmp_path: Path) -> None:
    # 0xFF is no UTF-8: read as U+FFFD, written as it was
    path = written(tmp_path / "a.conll", b"a\xff\tO\nb\tO\n")
    options = TextConfig(encoding="utf-8", undecodable="replace")
    assert [s.tokens for s in read_columns(path, options=options)] == [("a\ufffd", "b")]
    assert added(path, options=options) == b"a\xff\tO\tT0\nb\tO\tT1\n"


def test_a_compressed_file_comes_out_plain(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll.gz", gzip.compress(b"a\tO\n"))
    assert added(path) == b"a\tO\tT0\n"
    with pytest.raises(UsageError, match=r"b\.gz: written plain, not compressed; choose a name without \.gz"):
        write_pieces(tmp_path / "b.gz", add_labels(path, numbering))


def test_a_file_may_be_written_over_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a\tO\n" * 30011)
    write_pieces(path, add_labels(path, always("B-X")))
    assert path.read_bytes() == b"a\tO\tB-X\n" * 30011


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a\tO\n\nb\n")
    with pytest.raises(InputError, match=r"a\.conll:3: 1 columns"):
        write_pieces(path, add_labels(path, numbering))
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.conll", b"a\tO\n\nb\n")]


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n\nb\n")))
    assert b"".join(add_labels("-", numbering)) == b"a\tT0\n\nb\tT0\n"


def test_as_much_waits_as_the_model_takes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a\tO\n\n" * 11)
    taken: list[int] = []

    def watched(sentences: Iterator[TaggedSentence]) -> Iterator[Sequence[str]]:
        def noted() -> Iterator[TaggedSentence]:
            for sentence in sentences:
                taken.append(sentence.line)
                yield sentence

        return in_batches_of_three(noted())

    pieces = add_labels(path, watched)
    # the first sentence's lines are its token's and, with the second's, the empty one between
    assert list(itertools.islice(pieces, 3)) == [b"a\tO\tT0\n", b"\n", b"a\tO\tT0\n"]
    assert taken == [1, 3, 5]


def test_labels_may_come_from_elsewhere(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a\nb\n\nc\n")
    assert added(path, lambda sentences: [("X", "Y"), ("Z",)]) == b"a\tX\nb\tY\n\nc\tZ\n"


def test_the_label_s_column_may_be_read_and_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a\tB-X\nb\tO\n")
    same = added(path, lambda sentences: (one.labels for one in sentences), columns=Columns())
    assert same == b"a\tB-X\tB-X\nb\tO\tO\n"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda sentences: ([] for _ in sentences), r"a\.conll:1: 0 labels for 2 tokens"),
        (
            lambda sentences: [["O", "O"]] if next(sentences) else [],
            r"a\.conll:4: no labels; each sentence gets its own",
        ),
        (
            lambda sentences: [["O", "O"]] if list(sentences) else [],
            r"a\.conll:4: no labels; each sentence gets its own",
        ),
        (lambda sentences: [], r"a\.conll:1: no labels; each sentence gets its own"),
        (lambda sentences: [*numbering(sentences), ["O"]], "more labels than sentences"),
        (lambda sentences: [["O"]], r"a\.conll:1: 1 labels for 2 tokens"),
        (lambda sentences: [["O", "O"], ["O"], ["O"]], "more labels than sentences; each sentence gets its own"),
    ],
)
def test_as_many_labels_as_tokens(model: Labeller, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a\tO\nb\tO\n\nc\tO\n\n# the end\n")
    with pytest.raises(UsageError, match=message):
        added(path, model)


@pytest.mark.parametrize("label", ["", " ", "\t", "B\tX", "B\nX", "\udc00"])
def test_labels_that_can_t_stand_in_a_column(label: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "# x y z\na\tO\n")
    with pytest.raises(InputError, match=r"a\.conll:2: the label .* can't stand in a column; give another"):
        added(path, always(label))


def test_a_label_with_a_blank_stands_between_tabs_only(tmp_path: Path) -> None:
    assert added(written(tmp_path / "a.conll", "a\tO\n"), always("proper name")) == b"a\tO\tproper name\n"
    with pytest.raises(InputError, match="can't stand in a column"):
        added(written(tmp_path / "b.conll", "a O\n"), always("proper name"))


def test_labels_in_another_script(tmp_path: Path) -> None:
    assert added(written(tmp_path / "a.conll", "a\tO\n"), always("B-人名")) == "a\tO\tB-人名\n".encode()
    path = written(tmp_path / "b.conll", "重庆\tO\n".encode("gb18030"))
    assert added(path, always("B-地"), options=TextConfig(encoding="gb18030")) == "重庆\tO\tB-地\n".encode("gb18030")
    path = written(tmp_path / "c.conll", "café\tO\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"the label 'B-人名' can't be written in the file's encoding, \S+; convert"):
        added(path, always("B-人名"), options=TextConfig(encoding="latin-1"))


def test_an_encoding_that_shows_late_is_not_mixed_with_another(tmp_path: Path) -> None:
    # 300 kB of ASCII, for which labels were written in UTF-8, and then a word in Latin-1
    path = written(tmp_path / "a.conll", b"a\tO\n\n" * 60013 + "un café très cher\tO\n".encode("latin-1"))
    with pytest.raises(InputError, match="the label 'B-人名' can't be written in the file's encoding"):
        write_pieces(tmp_path / "b.conll", add_labels(path, always("B-人名")))
    assert not (tmp_path / "b.conll").exists()
    assert added(path, always("B-X")).count(b"\tB-X\n") == 60014


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.conll", "a\tO\n")

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ziggurat.text.relabelling.open_source", refuse)
    with pytest.raises(InputError, match=r"a\.conll: may not be read \(Permission denied\)"):
        added(path)


PIECES = st.sampled_from(["a\tO", "北 京\tB-X", "#\tO", "# c d", "", "\t", " ", "-DOCSTART- x", "\u3000\tO"])


@given(st.lists(st.tuples(PIECES, st.sampled_from(["\n", "\r\n"]))), st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_without_its_new_column_the_file_is_the_old_one(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[str, str]], encoding: str
) -> None:
    # comments inside a sentence are errors: an empty line goes before each
    text = "x\tO\n" + "".join(("\n" if one == "# c d" else "") + one + end for one, end in pieces)
    path = written(tmp_path_factory.mktemp("columns") / "a.conll", text.encode(encoding))
    options = TextConfig(encoding=encoding)
    after = added(path, always("NEW"), options=options)
    assert after.decode(encoding).replace("\tNEW", "") == text
    assert after.decode(encoding).count("\tNEW") == sum(len(s.tokens) for s in read_columns(path, options=options))


@pytest.mark.parametrize("name", ["wnut17/dev.conll", "resume_zh/dev.bmes"])
def test_public_sets_are_given_back(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / name
    between = b" " if name.endswith("bmes") else b"\t"
    after = added(path, in_batches_of_three)
    again = written(tmp_path / "b.conll", after)
    lines = [line.rpartition(between)[0] if between in line.strip() else line for line in after.split(b"\n")]
    assert b"\n".join(lines) == path.read_bytes()
    assert [s.labels for s in read_columns(again, Columns(label=-2))] == [s.labels for s in read_columns(path)]
