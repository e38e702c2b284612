"""CoNLL-U by hand: words, ranges, empty nodes, features; what is refused; what is written and what stays."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.tagging import always, always_these, in_batches_of_three, numbering, written
from ziggurat.core.errors import InputError, UnknownNameError, UsageError
from ziggurat.text.options import TextConfig
from ziggurat.text.universal import Layer, Multiword, UniversalSentence, Word, read_universal, set_labels

# French: "au" is the words à and le; the ellipsis has an empty node; features, enhanced edges and a note
FRENCH = """\
# sent_id = fr-1
# text = Il va au marché et elle au parc
1\tIl\til\tPRON\tPRP\tGender=Masc|Number=Sing\t2\tnsubj\t2:nsubj\t_
2\tva\taller\tVERB\tVBZ\tMood=Ind|Number=Sing\t0\troot\t0:root\t_
3-4\tau\t_\t_\t_\t_\t_\t_\t_\tNote=two  blanks
3\tà\tà\tADP\tIN\t_\t5\tcase\t5:case\t_
4\tle\tle\tDET\tDT\tDefinite=Def\t5\tdet\t5:det\t_
5\tmarché\tmarché\tNOUN\tNN\t_\t2\tobl\t2:obl\t_
6\tet\tet\tCCONJ\tCC\t_\t7\tcc\t7.1:cc\t_
7\telle\telle\tPRON\tPRP\t_\t2\tconj\t7.1:nsubj\t_
7.1\tva\taller\tVERB\tVBZ\t_\t_\t_\t2:conj\tCopyOf=2
8-9\tau\t_\t_\t_\t_\t_\t_\t_\t_
8\tà\tà\tADP\tIN\t_\t10\tcase\t10:case\t_
9\tle\tle\tDET\tDT\t_\t10\tdet\t10:det\t_
10\tparc\tparc\tNOUN\tNN\t_\t7\torphan\t7.1:obl\tSpaceAfter=No
"""
FRENCH_FORMS = ("Il", "va", "à", "le", "marché", "et", "elle", "à", "le", "parc")
FRENCH_UPOS = ("PRON", "VERB", "ADP", "DET", "NOUN", "CCONJ", "PRON", "ADP", "DET", "NOUN")

CHINESE = """\
# newpar
1\t我\t_\tPRON\tPRP\tPerson=1\t2\tnsubj\t_\tSpaceAfter=No
2\t读\t_\tVERB\tVV\t_\t0\troot\t_\tSpaceAfter=No
3\t书\t_\tNOUN\tNN\t_\t2\tobj\t_\tSpaceAfter=No
"""
ROW = "1\ta\ta\tNOUN\tNN\t_\t0\troot\t_\t_\n"


def row(number: object, form: str = "a", features: str = "_") -> str:
    return f"{number}\t{form}\t_\tNOUN\tNN\t{features}\t_\t_\t_\t_\n"


def changed(path: Path, **keys: Any) -> str:
    return b"".join(set_labels(path, keys.pop("label", numbering), **keys)).decode()


def test_words_ranges_and_empty_nodes(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", FRENCH + "\n" + CHINESE)
    french, chinese = read_universal(path)
    assert (french.id, french.line, french.name) == (f"{path}:3", 3, "fr-1")
    assert tuple(word.form for word in french.words) == FRENCH_FORMS
    assert french.words[0] == Word("Il", "PRON", "PRP", (("Gender", "Masc"), ("Number", "Sing")))
    assert french.words[2] == Word("à", "ADP", "IN")
    assert french.multiwords == (Multiword(2, 4, "au"), Multiword(7, 9, "au"))
    assert (chinese.id, chinese.name, len(chinese.words)) == (f"{path}:18", "", 3)


def test_one_label_a_word(tmp_path: Path) -> None:
    french, chinese = read_universal(written(tmp_path / "a.conllu", FRENCH + "\n" + CHINESE))
    tagged = french.tagged()
    assert (tagged.id, tagged.line, tagged.tokens, tagged.labels) == (french.id, 3, FRENCH_FORMS, FRENCH_UPOS)
    assert chinese.tagged("upos").labels == ("PRON", "VERB", "NOUN")
    assert chinese.tagged("xpos").labels == ("PRP", "VV", "NN")
    assert chinese.tagged("features").labels == ("Person=1", "_", "_")
    assert french.tagged("features").labels[0] == "Gender=Masc|Number=Sing"
    assert chinese.tagged(None).labels == ()


def test_a_layer_that_is_not_there(tmp_path: Path) -> None:
    text = row(1) + row(2).replace("NOUN\tNN", "_\t_")
    (sentence,) = read_universal(written(tmp_path / "a.conllu", text))
    for layer in ("upos", "xpos"):
        with pytest.raises(InputError, match=rf"a\.conllu:1: word 2 has no {layer} \('_'\); mend the line"):
            sentence.tagged(layer)
    unknown: Any = "uposs"
    with pytest.raises(UnknownNameError, match="unknown layer 'uposs'; did you mean 'upos'"):
        sentence.tagged(unknown)


def test_a_sentence_is_written_again_with_other_labels(tmp_path: Path) -> None:
    french, chinese = read_universal(written(tmp_path / "a.conllu", FRENCH + "\n" + CHINESE))
    assert french.written(FRENCH_UPOS) == FRENCH + "\n"
    assert chinese.written(["PRON", "VERB", "NOUN"]) == CHINESE + "\n"  # ended, though the file does not say so
    told = [f"T{place}" for place in range(10)]
    (again,) = read_universal(written(tmp_path / "b.conllu", french.written(told)))
    assert [word.upos for word in again.words] == told
    assert again.multiwords == french.multiwords
    back = again.written(FRENCH_UPOS)
    assert back == FRENCH + "\n"
    xpos = chinese.written(["A", "B", "C"], "xpos").splitlines()
    assert [line.split("\t")[3:5] for line in xpos[1:4]] == [["PRON", "A"], ["VERB", "B"], ["NOUN", "C"]]
    with pytest.raises(ValueError, match="shorter"):
        chinese.written(["A", "B"])


@pytest.mark.parametrize(
    "content",
    [
        CHINESE.replace("\n", "\r\n"),
        "\ufeff" + CHINESE,
        "\n\n" + CHINESE + "\n\n\n",
        CHINESE.rstrip("\n"),
        gzip.compress(CHINESE.encode(), mtime=0),
        CHINESE.encode("utf-16"),
        CHINESE.replace("# newpar", "#newpar\n# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC"),
    ],
)
def test_every_form_of_file(content: str | bytes, tmp_path: Path) -> None:
    (sentence,) = read_universal(written(tmp_path / "a.conllu", content))
    assert [(word.form, word.upos) for word in sentence.words] == [("我", "PRON"), ("读", "VERB"), ("书", "NOUN")]


def test_forms_that_hold_blanks_or_signs(tmp_path: Path) -> None:
    forms = ["10 000", "a  b", "_", "#", "\u3000", "\u2028", "\u00a0x", "="]
    text = "".join(row(number, form) for number, form in enumerate(forms, start=1))
    (sentence,) = read_universal(written(tmp_path / "a.conllu", text))
    assert [word.form for word in sentence.words] == forms
    assert {word.upos for word in sentence.words} == {"NOUN"}  # two blanks are no tab


def test_an_empty_node_before_the_first_word(tmp_path: Path) -> None:
    (sentence,) = read_universal(written(tmp_path / "a.conllu", row("0.1") + row(1, "b") + row("1.1") + row("1.2")))
    assert [word.form for word in sentence.words] == ["b"]


def test_one_sentence_at_a_time(tmp_path: Path) -> None:
    sentences = read_universal(written(tmp_path / "a.conllu", (ROW + "\n") * 7 + "broken\n"))
    assert [next(sentences).line for _ in range(7)] == [1, 3, 5, 7, 9, 11, 13]
    with pytest.raises(InputError, match=r"a\.conllu:15: 1 columns"):
        next(sentences)


ERRORS = [
    ("", r": no sentence; a line of CoNLL-U is 10 cells parted by tabs"),
    ("\n\n \n", r": no sentence"),
    (ROW + "2\tb\tb\tNOUN\n", r":2: 4 columns; a line of CoNLL-U is 10 cells parted by tabs: mend it"),
    (ROW.replace("\t", "  "), r":1: 1 columns"),
    ("# sent_id = 1\n\n" + ROW, r":1: comments without a word are a sentence of 0 tokens; remove them"),
    (ROW + "\n# the end\n", r":3: comments without a word are a sentence of 0 tokens"),
    (ROW + "# inside\n" + row(2), r":2: a comment inside a sentence; put it before the first word"),
    (row(1, ""), r":1: column 2 is empty or has a blank; mend it \('_' stands for nothing\)"),
    (row(1).replace("NOUN", ""), r":1: column 4 is empty"),
    (row(1).replace("NN", "N  N"), r":1: column 5 is empty or has a blank"),
    (row("1 "), r":1: column 1 is empty or has a blank"),
    (row(1) + row("x"), r":2: not CoNLL-U \(.*'x' is not a valid ID.*\); mend the line"),
    (row(1) + row("3-2"), r":2: not CoNLL-U"),
    (row(1) + row(2).replace("_\t_\t_\t_\n", "two\t_\t_\t_\n"), r":2: not CoNLL-U \(.*'head'.*two.*\)"),
    (row("_"), r":1: '_' where word 1 is to follow; number words 1, 2, 3 … without a gap"),
    (row(2), r":1: '2' where word 1 is to follow"),
    (row(1) + row(1), r":2: '1' where word 2 is to follow"),
    (row(1) + row(3), r":2: '3' where word 2 is to follow"),
    (row(0) + row(1), r":1: '0' where word 1 is to follow"),
    (row(1) + row("3-4"), r":2: '3-4' where word 2 is to follow"),
    (row("1-2") + row(1) + row("2-3") + row(2) + row(3), r":3: '2-3' where word 2 is to follow"),
    (row("1-2") + row("1-2") + row(1) + row(2), r":2: '1-2' where word 1 is to follow"),
    (row(1) + row("2.1"), r":2: '2.1' where word 2 is to follow"),
    ("\n" + row(1) + row("2-4") + row(2) + row(3), r":2: a range ends at word 4, the sentence at word 3"),
    (row("1-1"), r":1: a sentence of 0 words"),
    (row("0.1"), r":1: a sentence of 0 words; remove it or give it words"),
    (row(1, features="Number"), r":1: 'Number' is no list of features; each is Name=Value"),
    (row(1, features="A=b=c"), r":1: 'A=b=c' is no list of features"),
    (row(1, features="A=b|A=c"), r":1: 'A=b\|A=c' is no list of features; .* stands once"),
    (row(1, features="A="), r":1: 'A=' is no list of features"),
    (row(1, features="=b"), r":1: '=b' is no list of features"),
]


@pytest.mark.parametrize(("content", "message"), ERRORS)
def test_what_is_wrong_is_said_with_file_and_line(content: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", content)
    with pytest.raises(InputError, match=r"a\.conllu" + message):
        list(read_universal(path))
    with pytest.raises(InputError, match=r"a\.conllu" + message):
        changed(path)


def test_only_the_layer_s_cells_are_changed(tmp_path: Path) -> None:
    text = "\n" + FRENCH + "\n\n" + CHINESE.replace("\n", "\r\n") + "\n \n"
    path = written(tmp_path / "a.conllu", text)
    after = changed(path, label=in_batches_of_three).split("\n")
    before = text.split("\n")
    assert len(after) == len(before)
    different = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    words = [number for number, line in enumerate(before) if line.partition("\t")[0].isdecimal()]
    assert different == words
    for place, number in enumerate(words):
        old, new = before[number].split("\t"), after[number].split("\t")
        assert new == [*old[:3], f"T{place if place < 10 else place - 10}", *old[4:]]


@pytest.mark.parametrize(("layer", "label", "column"), [("xpos", "NN+P", 4), ("features", "A=b|C=d", 5)])
def test_every_layer_has_its_column(layer: Layer, label: str, column: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", CHINESE)
    lines = changed(path, label=always(label), layer=layer).splitlines()
    assert [line.split("\t")[column] for line in lines[1:]] == [label] * 3
    again = written(tmp_path / "b.conllu", "\n".join(lines))
    assert [sentence.tagged(layer).labels for sentence in read_universal(again)] == [(label,) * 3]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "gb18030"])
def test_in_the_file_s_own_encoding(encoding: str, tmp_path: Path) -> None:
    # U+0909 and U+0900 U+0009: bytes of a tab that are none
    text = CHINESE.replace("书", "\u0909\u0900" if encoding.startswith("utf") else "書")
    path = written(tmp_path / "a.conllu", text.encode(encoding))
    pieces = set_labels(path, always("X"), options=TextConfig(encoding=encoding))
    assert b"".join(pieces) == text.replace("PRON", "X").replace("VERB", "X").replace("NOUN", "X").encode(encoding)


@pytest.mark.parametrize("label", ["", "a b", "a\tb", "a\nb", "\u3000", "\ud800"])
def test_labels_that_can_t_stand_in_a_cell(label: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", CHINESE)
    with pytest.raises(
        InputError, match=r"a\.conllu:2: the label .* can't stand in CoNLL-U: it is empty or has a blank"
    ):
        changed(path, label=always(label))


def test_features_that_are_none(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", CHINESE)
    with pytest.raises(InputError, match=r"a\.conllu:2: 'plural' is no list of features"):
        changed(path, label=always("plural"), layer="features")
    assert changed(path, label=always("_"), layer="features") == CHINESE.replace("Person=1", "_")


def test_as_many_labels_as_words_and_a_known_layer(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conllu", CHINESE)
    with pytest.raises(UsageError, match=r"a\.conllu:2: 2 labels for 3 tokens"):
        changed(path, label=lambda sentences: [["A", "B"]] if next(sentences) else [])
    with pytest.raises(UnknownNameError, match="unknown layer 'xpso'; did you mean 'xpos'"):
        changed(path, layer="xpso")


FORMS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1).filter(lambda s: s.strip(" "))
TAGS = st.text("ABCxyz-$.=|", min_size=1)
FEATURES = st.dictionaries(st.text("ABc", min_size=1), st.text("xY,2", min_size=1), max_size=3)
WORDS = st.builds(Word, FORMS, TAGS, TAGS, FEATURES.map(lambda found: tuple(found.items())))


def lines(words: list[Word]) -> str:
    """CoNLL-U as it is written elsewhere."""
    return "".join(
        f"{n}\t{w.form}\t{w.form}\t{w.upos}\t{w.xpos}\t{w.label('features')}\t_\t_\t_\t_\n"
        for n, w in enumerate(words, start=1)
    )


@given(st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1, max_size=3))
def test_what_was_written_is_read_and_given_back(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[Word]]
) -> None:
    path = written(tmp_path_factory.mktemp("universal") / "a.conllu", "\n".join(map(lines, sentences)))
    options = TextConfig(encoding="utf-8")
    found = list(read_universal(path, options))
    assert [list(sentence.words) for sentence in found] == sentences
    layers: tuple[Layer, ...] = ("upos", "xpos", "features")
    for layer in layers:
        known = always_these([sentence.tagged(layer).labels for sentence in found])
        same = b"".join(set_labels(path, known, layer=layer, options=options))
        assert same == path.read_bytes()


def test_a_sentence_by_hand() -> None:
    sentence = UniversalSentence("here", (Word("a", "X"), Word("b", "Y")))
    assert sentence.tagged().labels == ("X", "Y")
    with pytest.raises(InputError, match="here: word 1 has no xpos"):
        sentence.tagged("xpos")
