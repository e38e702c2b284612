"""Translation memories by hand: which units, which languages, what is left out, and what is refused."""

import gzip
import re
from pathlib import Path

import pytest

from ziggurat.core.errors import InputError
from ziggurat.text.pairs import read_pairs, resolve_pairs
from ziggurat.text.tmx import Languages, read_units

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4">\n<header srclang="{}" datatype="plaintext"/>\n<body>\n'
)


def unit(**variants: str) -> str:
    inside = "".join(
        f'<tuv xml:lang="{language.replace("_", "-")}"><seg>{text}</seg></tuv>' for language, text in variants.items()
    )
    return f"<tu>{inside}</tu>\n"


def memory(*units: str, first: str = "de") -> str:
    return HEAD.format(first) + "".join(units) + "</body>\n</tmx>\n"


def read(text: str, languages: Languages | None = None) -> list[tuple[int, str, str]]:
    return list(read_units(text.splitlines(keepends=True), languages, label="m.tmx"))


TWO = memory(unit(en="a tower", de="ein Turm"), unit(en="two towers", de="zwei Türme"))


def test_the_header_says_which_language_is_the_sources() -> None:
    assert read(TWO) == [(5, "ein Turm", "a tower"), (6, "zwei Türme", "two towers")]
    assert read(TWO.replace('srclang="de"', 'srclang="*all*"')) == [
        (5, "a tower", "ein Turm"),
        (6, "two towers", "zwei Türme"),
    ]


def test_languages_that_are_named_are_taken() -> None:
    assert read(TWO, ("en", "de"))[0] == (5, "a tower", "ein Turm")
    three = memory(unit(de="ein Turm", en="a tower", fr="une tour"))
    assert read(three, ("fr", "de")) == [(5, "une tour", "ein Turm")]


def test_a_region_is_a_kind_of_its_language() -> None:
    text = memory(unit(de_AT="ein Turm", EN="a tower"), unit(de_AT="zwei", en_GB="two"), first="de")
    assert read(text) == [(5, "ein Turm", "a tower"), (6, "zwei", "two")]
    assert read(memory(unit(zh_CN="塔", zh_TW="塔楼")), ("zh-TW", "zh-CN")) == [(5, "塔楼", "塔")]


def test_marks_of_layout_are_left_out_and_white_space_is_one_blank() -> None:
    marked = 'ein <bpt i="1">&lt;b&gt;</bpt><hi>großer</hi><ept i="1">&lt;/b&gt;</ept>\n  &quot;Turm&quot;<ph>{1}</ph>'
    assert read(memory(unit(de=marked, en="a &lt; b"))) == [(5, 'ein großer "Turm"', "a < b")]


def test_units_without_both_languages_are_passed_over() -> None:
    text = memory(unit(de="allein"), unit(de="ein Turm", en="a tower"), unit(en="a", fr="b"), "<tu></tu>\n")
    assert [line for line, _, _ in read(text)] == [6]


NAMELESS = '<tu><tuv xml:lang="de"><seg>vier</seg></tuv><tuv><seg>four</seg></tuv></tu>\n'


def test_units_that_lack_a_language_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    one, alone, french = unit(de="eins", en="one"), unit(de="zwei"), unit(de="drei", fr="trois")
    assert read(memory(one, alone, french, NAMELESS)) == [(5, "eins", "one")]
    (said,) = caplog.messages
    assert said == "3 of 4 units lack one of de, en and are left out (first: m.tmx:6)"
    caplog.clear()
    assert read(memory(alone, alone, NAMELESS)) == [(7, "vier", "four")]
    (said,) = caplog.messages
    assert said == '2 of 3 units lack one of de, xml:lang="" and are left out (first: m.tmx:5)'
    caplog.clear()
    assert len(read(memory(one, one))) == 2
    assert not caplog.messages


@pytest.mark.parametrize(
    ("text", "languages", "said"),
    [
        (memory(), None, "m.tmx: a translation memory without units"),
        (memory(), ("de", "en"), "m.tmx: a translation memory without units"),
        (memory(unit(de="a"), unit(de="b")), None, "m.tmx: no unit is in two languages; there are de: give"),
        (memory("<tu></tu>"), None, "m.tmx: no unit is in two languages; there are none: give"),
        (
            memory(unit(de="a", fr="b"), unit(en="c", fr="d")),
            ("de", "en"),
            "m.tmx: no unit is in both de and en; there are de, en, fr: name two that are",
        ),
    ],
)
def test_a_memory_without_a_pair_is_refused(text: str, languages: Languages | None, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read(text, languages)


def test_of_two_variants_the_first_is_taken() -> None:
    twice = '<tu><tuv xml:lang="de"><seg>eins</seg></tuv><tuv xml:lang="en"><seg>one</seg></tuv>'
    twice += '<tuv xml:lang="en"><seg>a</seg></tuv></tu>'
    assert read(memory(twice)) == [(5, "eins", "one")]


def typed(*units: str) -> str:
    return memory(*units).replace("\n<tmx", '<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx', 1)


def test_entities_of_html_are_known_where_a_document_type_is_named() -> None:
    marked = "Ein&nbsp;Hund, f&uuml;nf &amp; <ph>&odd;</ph>&hellip;"
    text = typed("<note>&odd;</note>\n", unit(de=marked, en="A&#160;dog &lt;"))
    assert read(text) == [(6, "Ein Hund, fünf & …", "A dog <")]


def test_an_entity_that_nobody_knows_is_named() -> None:
    with pytest.raises(InputError, match=r"m\.tmx:6: nobody says what &odd; is; write the characters"):
        read(typed(unit(de="ein", en="one"), unit(de="Ein &odd;", en="A")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO.replace("</tu>", "", 1), r"m\.tmx:7: not well-formed XML \(mismatched tag\)"),
        (TWO.replace("</tmx>", ""), r"m\.tmx:9: not well-formed XML \(no element found\)"),
        ("<html></html>", r"m\.tmx:1: no translation memory: its outermost element is <html>"),
        ("", r"m\.tmx:1: not well-formed XML \(no element found\)"),
        (
            memory(unit(de="a", en="b", fr="c")),
            r"m\.tmx:5: a unit in de, en, fr: name source and target, as m\.tmx:de:fr",
        ),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_memory_is_a_file_of_pairs(tmp_path: Path, encoding: str) -> None:
    content = TWO.replace("UTF-8", encoding.upper()).encode(encoding)
    (tmp_path / "m.tmx").write_bytes(content)
    (tmp_path / "m.tmx.gz").write_bytes(gzip.compress(content))
    for name in ("m.tmx", "m.tmx.gz", "m.tmx:de:en"):
        found = list(read_pairs([f"{tmp_path}/{name}"]))
        assert [(pair.source, pair.target) for pair in found] == [("ein Turm", "a tower"), ("zwei Türme", "two towers")]
    (pair, _) = read_pairs([f"{tmp_path}/m.tmx:en:de"])
    assert (pair.id, pair.source) == (f"{tmp_path}/m.tmx:5", "a tower")


def test_languages_belong_to_memories(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("a\tb\n", encoding="utf-8")
    with pytest.raises(InputError, match="no such file"):
        resolve_pairs([f"{tmp_path}/m.tsv:de:en"])


HEADED = '<?xml version="1.0" encoding="{}"?>\n<tmx version="1.4"><header srclang="cs"/><body>{}</body></tmx>'
UNIT = unit(cs="Příliš žluťoučký kůň", en="Too yellow a horse")


@pytest.mark.parametrize("encoding", ["iso-8859-2", "windows-1250", "utf-8"])
def test_a_memory_is_read_as_it_says_it_is_written(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "horse.tmx"
    path.write_bytes(HEADED.format(encoding, UNIT).encode(encoding))
    assert [(one.source, one.target) for one in read_pairs([str(path)])] == [
        ("Příliš žluťoučký kůň", "Too yellow a horse")
    ]


def test_an_encoding_that_does_not_exist_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "horse.tmx"
    path.write_text(HEADED.format("klingon", UNIT), encoding="utf-8")
    with pytest.raises(InputError, match=r"horse\.tmx:1: the file says that it is in unknown encoding 'klingon'"):
        list(read_pairs([str(path)]))


def test_languages_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = tmp_path / "horse.tmx"
    path.write_text(HEADED.format("utf-8", UNIT), encoding="utf-8")
    with pytest.raises(InputError, match="nothing in it is in language 'fr'; there are cs, en"):
        list(read_pairs([f"{path}:fr:en"]))
