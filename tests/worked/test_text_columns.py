"""CoNLL columns by hand: what a token is and what its label, in every form that people have them in."""

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.tagging import cells, written
from ziggurat.core.errors import InputError, UsageError
from ziggurat.text.columns import Columns, read_columns, write_columns
from ziggurat.text.options import TextConfig
from ziggurat.text.tagged import TaggedSentence

# As in the Résumé corpus: a character a line, a blank, BMES.
RESUME = (
    "吴 B-NAME\n重 M-NAME\n阳 E-NAME\n， O\n中 B-CONT\n国 M-CONT\n国 M-CONT\n籍 E-CONT\n\n# M-TITLE\n员 E-TITLE\n\n"
)
RESUME_READ = [
    (
        "1",
        ["吴", "重", "阳", "，", "中", "国", "国", "籍"],
        ["B-NAME", "M-NAME", "E-NAME", "O", "B-CONT", "M-CONT", "M-CONT", "E-CONT"],
        1,
    ),
    ("10", ["#", "员"], ["M-TITLE", "E-TITLE"], 10),  # a sign of number is a token: the row has its two columns
]

# As in WNUT-17: tabs, BIO, and now and then a tab on the empty line.
WNUT = "Watching\tO\nThe\tB-creative-work\nOffice\tI-creative-work\n\t\n#NFL\tO\nin\tO\nParis\tB-location\n\n"
WNUT_READ = [
    ("1", ["Watching", "The", "Office"], ["O", "B-creative-work", "I-creative-work"], 1),
    ("5", ["#NFL", "in", "Paris"], ["O", "O", "B-location"], 5),
]

# As in CoNLL-2003: four columns, IOB1, and lines that begin a document.
CONLL = (
    "-DOCSTART- -X- -X- O\n\nEU NNP B-NP I-ORG\nrejects VBZ B-VP O\n\n-DOCSTART- -X- -X- O\n\nPeter NNP B-NP I-PER\n"
)
CONLL_READ = [("3", ["EU", "rejects"], ["I-ORG", "O"], 3), ("8", ["Peter"], ["I-PER"], 8)]

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


@pytest.mark.parametrize(
    ("content", "expected"), [(RESUME, RESUME_READ), (WNUT, WNUT_READ), (CONLL, CONLL_READ)], ids=["zh", "en", "four"]
)
def test_what_stands_in_the_files_of_the_field(content: str, expected: object, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", content)
    assert cells(path, read_columns(path)) == expected


@pytest.mark.parametrize(
    "content",
    [
        WNUT.replace("\n", "\r\n"),
        "\ufeff" + WNUT,
        "\n\n\n" + WNUT,
        WNUT + "\n \n\t\n",
        WNUT.rstrip("\n"),
        WNUT.replace("\t\n", "\n"),
        WNUT.replace("\t", "  "),
        WNUT.replace("\t", " ").replace("O\n", "O \t\n"),
        "# a set of tweets\n\n" + WNUT,
        "# id 7\n# text = Watching The Office\n" + WNUT,
        "#begin document (tweets); part 000\n" + WNUT + "#end document\n",
        "-DOCSTART-\n" + WNUT,
        WNUT.replace("\t\n", "-DOCSTART- O\n"),
        WNUT.replace("\t\n", "\n-DOCSTART-\tO\n\n"),
        WNUT.encode("utf-16"),
        b"\xff\xfe\x00\x00" + WNUT.encode("utf-32-le"),
    ],
)
def test_every_form_gives_the_same_sentences(content: str | bytes, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", content)
    assert [row[1:3] for row in cells(path, read_columns(path))] == [row[1:3] for row in WNUT_READ]


@pytest.mark.parametrize("ending", PACK)
def test_compressed_files(ending: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.bmes{ending}", PACK[ending](RESUME.encode()))
    assert cells(path, read_columns(path)) == RESUME_READ


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-16", "utf-16-be"])
def test_encodings_are_recognised_or_named(encoding: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.bmes", RESUME.encode(encoding))
    assert cells(path, read_columns(path, options=TextConfig(encoding=encoding))) == RESUME_READ
    path = written(tmp_path / "b.bmes", (RESUME * 7).encode(encoding))
    assert [s.tokens for s in read_columns(path)][:2] == [tuple(row[1]) for row in RESUME_READ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WNUT.encode())))
    assert [sentence.id for sentence in read_columns("-")] == ["standard input:1", "standard input:5"]


@pytest.mark.parametrize(
    ("columns", "tokens", "labels"),
    [
        (Columns(), ["EU", "rejects"], ["I-ORG", "O"]),
        (Columns(label=1), ["EU", "rejects"], ["NNP", "VBZ"]),
        (Columns(label=-2), ["EU", "rejects"], ["B-NP", "B-VP"]),
        (Columns(token=1, label=0), ["NNP", "VBZ"], ["EU", "rejects"]),
        (Columns(token=-4, label=3), ["EU", "rejects"], ["I-ORG", "O"]),
        (Columns(label=None), ["EU", "rejects"], []),
    ],
)
def test_which_column_is_the_token_and_which_the_label(
    columns: Columns, tokens: list[str], labels: list[str], tmp_path: Path
) -> None:
    path = written(tmp_path / "a.conll", CONLL)
    assert cells(path, read_columns(path, columns))[0] == ("3", tokens, labels, 3)


def test_columns_of_conll_u_can_be_named_and_ten_columns_are_not_always_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", UNIVERSAL)
    assert cells(path, read_columns(path, Columns(token=1, label=3))) == [("2", ["It"], ["PRON"], 2)]
    path = written(tmp_path / "a.conll", "1\tb\tc\td\te\tf\tg\th\ti\tO\n")
    assert cells(path, read_columns(path)) == [("1", ["1"], ["O"], 1)]


def test_tokens_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "# a comment\n#NFL\nin\n\n巴\n黎\n")
    expected: list[Any] = [("2", ["#NFL", "in"], [], 2), ("5", ["巴", "黎"], [], 5)]
    assert cells(path, read_columns(path, Columns(label=None))) == expected


@pytest.mark.parametrize("token", ["\u3000", "\u00a0", "\u200b", "\u2028", "\x85", "#", "##", "# x"])
def test_white_space_and_signs_that_are_tokens(token: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", f"{token}\tO\nb\tB-X\n\n{token}\tO\n")
    assert [sentence.tokens for sentence in read_columns(path)] == [(token, "b"), (token,)]
    if token not in ("#", "# x"):
        path = written(tmp_path / "b.conll", f"a O\n{token} O\n\n{token} O\n")
        assert [sentence.tokens for sentence in read_columns(path)] == [("a", token), (token,)]


def test_a_token_may_hold_blanks_where_tabs_part_the_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", " \tO\nNew York\tB-LOC\n7 000\tO \n")
    assert cells(path, read_columns(path)) == [("1", [" ", "New York", "7 000"], ["O", "B-LOC", "O"], 1)]


def test_an_assignment_is_a_comment_even_with_as_many_words_as_a_row(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a N NP O\n\n# sent_id = 7\nb N NP O\n")
    assert cells(path, read_columns(path)) == [("1", ["a"], ["O"], 1), ("4", ["b"], ["O"], 4)]


def test_one_sentence_at_a_time(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "a\tO\n\n" * 17 + "broken\n")
    sentences = read_columns(path)
    assert [next(sentences).line for _ in range(16)] == list(range(1, 33, 2))  # what is broken is not read yet
    with pytest.raises(InputError, match=r"a\.conll:35: 1 columns"):
        list(sentences)


UNIVERSAL = "# text = It\n1\tIt\tit\tPRON\t_\t_\t0\troot\t_\t_\n"
ERRORS = [
    ("a\tO\nb\n", Columns(), r":2: 1 columns, the first row \(line 1\) has 2, parted by tabs; mend the line"),
    ("\na O\n\nNew York O\n", Columns(), r":4: 3 columns, the first row \(line 2\) has 2, parted by blanks"),
    ("a\tO\n\n#photography O\n", Columns(), r":3: 1 columns, the first row"),  # a hashtag is no comment
    ("a\tO\n# a comment\nb\tO\n", Columns(), r":2: 1 columns, the first row"),  # nor is one inside a sentence
    ("a\tO\n\nb\t\n", Columns(), r":3: no label in column 2; mend the line"),
    ("a\tN\tO\nb\t \tO\n", Columns(label=1), r":2: no label in column 2"),
    ("a\tO\n\tO\n", Columns(), r":2: no token in column 1"),
    ("a O\n O\n", Columns(), r":2: no token in column 1"),
    ("a\nb\n", Columns(), r":1: 1 column, no label; a line is TOKEN<TAB>LABEL"),
    ("a O\n", Columns(label=2), r":1: 2 columns, no column 3; name another"),
    ("a O\n", Columns(token=-3), r":1: 2 columns, no column 3 from the last"),
    (UNIVERSAL, Columns(), r":2: CoNLL-U, whose first column numbers the words; read it by read_universal, or"),
    (UNIVERSAL, Columns(label=None), r":2: CoNLL-U, whose"),
    ("1-2" + UNIVERSAL[13:], Columns(), r":1: CoNLL-U, whose"),
    ("", Columns(), r": no sentence; a line is TOKEN<TAB>LABEL"),
    ("\n \n\t\n-DOCSTART- -X- O\n\n# only a comment\n", Columns(), r": no sentence"),
    ("a\tO\rb\tO\r", Columns(), r":1: a lone carriage return; end lines with LF or CR LF"),
    ("a\tO\n\xff".encode("latin-1"), Columns(), r":2: .*not utf-8|:2: 1 columns"),
    (b"PK\x03\x04\x00\x00", Columns(), r": a ZIP archive or an office document, not text"),
]


@pytest.mark.parametrize(("content", "columns", "message"), ERRORS)
def test_what_is_wrong_is_said_with_file_and_line(
    content: str | bytes, columns: Columns, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.conll", content)
    with pytest.raises(InputError, match=r"a\.conll" + message):
        list(read_columns(path, columns))


def test_one_column_can_t_be_two_things(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", CONLL)
    with pytest.raises(UsageError, match=r"a\.conll:3: column 4 can't hold both token and label; name two columns"):
        list(read_columns(path, Columns(token=-1)))


def test_names_that_are_no_file(tmp_path: Path) -> None:
    written(tmp_path / "train.conll", WNUT)
    names: list[tuple[str | Path, str]] = [
        (tmp_path / "trian.conll", r"no such file or folder; did you mean .*train\.conll"),
        (tmp_path, "not one file; name a file, or -"),
        (tmp_path / "*.conll", "not one file"),
        ("demo:en", "demo:en: not one file"),
    ]
    for name, message in names:
        with pytest.raises(InputError, match=message):
            list(read_columns(name))


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.conll", WNUT)

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ziggurat.text.tagged.open_source", refuse)
    with pytest.raises(InputError, match=r"a\.conll: may not be read \(Permission denied\)"):
        list(read_columns(path))


def test_a_sentence_has_tokens_and_a_label_for_each() -> None:
    with pytest.raises(InputError, match="a:3: a sentence of 0 tokens"):
        TaggedSentence("a:3", ())
    with pytest.raises(InputError, match="a:3: 1 labels for 2 tokens; each has one"):
        TaggedSentence("a:3", ("a", "b"), ("O",))


CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufeff")
TOKENS = st.text(CHARACTERS, min_size=1).filter(lambda text: not text.startswith("-DOCSTART-"))
LABELS = st.text(CHARACTERS, min_size=1).filter(lambda text: text.strip(" ") == text)
PAIRS = st.lists(st.lists(st.tuples(TOKENS, LABELS), min_size=1), min_size=1)
WORDS = TOKENS.filter(lambda text: " " not in text)
UTF8 = TextConfig(encoding="utf-8")


@given(PAIRS)
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, pairs: list[list[tuple[str, str]]]) -> None:
    path = tmp_path_factory.mktemp("columns") / "a.conll"
    sentences = [TaggedSentence("", tuple(t for t, _ in rows), tuple(label for _, label in rows)) for rows in pairs]
    write_columns(path, sentences)
    assert [(s.tokens, s.labels) for s in read_columns(path, options=UTF8)] == [(s.tokens, s.labels) for s in sentences]


@given(st.lists(st.lists(WORDS, min_size=1), min_size=1))
def test_what_was_written_without_labels_is_read(
    tmp_path_factory: pytest.TempPathFactory, words: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("columns") / "a.txt"
    write_columns(path, (TaggedSentence("", tuple(row)) for row in words))
    assert [list(s.tokens) for s in read_columns(path, Columns(label=None), UTF8)] == words


def test_the_written_form(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.conll"
    write_columns(path, [TaggedSentence("", ("吴", "x"), ("S-NAME", "O")), TaggedSentence("", ("y",), ("O",))])
    assert path.read_bytes() == "吴\tS-NAME\nx\tO\n\ny\tO\n\n".encode()


@pytest.mark.parametrize(
    ("token", "label", "message"),
    [
        ("", "O", "token ''"),
        ("a\tb", "O", "token"),
        ("a\nb", "O", "token"),
        ("a\r", "O", "token"),
        ("\ud800", "O", "token"),
        ("-DOCSTART-", "O", "token '-DOCSTART-' can't stand in a column"),
        ("\ufeffa", "O", "a file can't begin with the token"),
        ("New York", "", "token 'New York' can't stand in a column; change it"),
        ("a", " ", "label ' '"),
        ("a", "B-X ", "label 'B-X '"),
        ("a", "B\tX", "label"),
    ],
)
def test_what_would_be_read_otherwise_is_not_written(token: str, label: str, message: str, tmp_path: Path) -> None:
    sentence = TaggedSentence("somewhere:7", (token,), (label,) if label else ())
    with pytest.raises(InputError, match=f"somewhere:7: .*{message}"):
        write_columns(tmp_path / "a.conll", [sentence])
    assert list(tmp_path.iterdir()) == []  # nor is half of a file left


def test_an_empty_label_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the label '' can't stand in a column"):
        write_columns(tmp_path / "a.conll", [TaggedSentence("a:1", ("a", "b"), ("O", ""))])


def test_labels_for_some_sentences_only(tmp_path: Path) -> None:
    sentences = [TaggedSentence("a:1", ("a",), ("O",)), TaggedSentence("a:3", ("b",))]
    with pytest.raises(UsageError, match="a:3: some sentences have labels and some have none"):
        write_columns(tmp_path / "a.conll", sentences)


@pytest.mark.parametrize(
    ("name", "sentences", "tokens", "labels"),
    [  # counted with awk: lines of two columns, runs of them, different second columns
        ("wnut17/dev.conll", 1009, 15733, 13),
        ("wnut17/train.conll", 3394, 62730, 13),
        ("resume_zh/dev.bmes", 463, 13890, 26),
        ("resume_zh/train.bmes", 3821, 124099, 28),
        ("weibo_zh/dev.conll", 270, 14509, 17),
        ("broad_twitter/dev.conll", 1001, 15027, 7),
    ],
)
def test_public_sets(name: str, sentences: int, tokens: int, labels: int, shared_data: Path) -> None:
    found = list(read_columns(shared_data / name))
    assert (len(found), sum(len(s.tokens) for s in found)) == (sentences, tokens)
    assert len({label for s in found for label in s.labels}) == labels
