"""Bytes that don't fit the encoding: the message names the byte, the line and the way out, wherever they stand."""

import codecs
import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.corpora import prepared, read
from tests.fakes.texts import documents
from ziggurat.core.errors import InputError

SOUND = "好的字"


def refusal(path: Path, folder: Path, **options: str) -> str:
    with pytest.raises(InputError) as caught:
        read(path, folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def placed(message: str) -> tuple[int, int, str]:
    """Line, byte and value of the broken place that a message names."""
    found = re.search(r":(\d+): byte ([\d,]+) \((0x..)\)", message)
    assert found, message
    return int(found[1]), int(found[2].replace(",", "")), found[3]


@pytest.mark.parametrize(
    ("data", "encoding", "place"),
    [
        # "ab\n" is 3 bytes, each é 2: 3 + 9 · 2 = 21
        (b"ab\n" + "é".encode() * 9 + b"\xff", None, (2, 21, "0xff")),
        # the same behind a mark of 3 bytes
        (codecs.BOM_UTF8 + b"ab\n" + "é".encode() * 9 + b"\xff", None, (2, 24, "0xff")),
        (codecs.BOM_UTF8 + b"ab\n" + "é".encode() * 9 + b"\xff", "utf-8", (2, 24, "0xff")),
        # a mark of 2 and five characters of 2 bytes; then a low surrogate without its high one
        ("ab\ncd".encode("utf-16") + b"\x00\xdcx\x00", None, (2, 12, "0x00")),
        ("ab\n\ncd".encode("utf-16-be") + b"\xdc\x00\x00x", "utf-16-be", (3, 12, "0xdc")),
        # GB18030 writes these in 2 bytes each: 4 + 1 + 4
        ("一二\n三四".encode("gb18030") + b"\xff\xff", "gb18030", (2, 9, "0xff")),
        # what is in UTF-8 was named something else: 塔 is e5 a1 94, and e5a1 is a sign, but 94 with \n is none
        ("ok\n塔\n".encode(), "gb18030", (2, 5, "0x94")),
        ("ab\ncafé".encode(), "ascii", (2, 6, "0xc3")),
        (b"caf\xe9\nna\xefve\n", "utf-8", (1, 3, "0xe9")),
        ("naïve\n".encode("cp1252") + b"\x81", "cp1252", (2, 6, "0x81")),
        (b"\xff\xfe\x00\xd8", None, (1, 2, "0x00")),  # the file ends inside a pair
    ],
)
def test_the_broken_byte_by_hand(
    data: bytes, encoding: str | None, place: tuple[int, int, str], tmp_path: Path
) -> None:
    path = tmp_path / "broken.txt"
    path.write_bytes(data)
    options = {"encoding": encoding} if encoding else {}
    message = refusal(path, tmp_path, **options)
    assert placed(message) == place
    assert message.startswith(f"{path}:")
    assert "--text.encoding" in message
    assert "--text.undecodable replace" in message


WIDE = {
    "gb18030": "这家酒店的房间很干净，服务也很好，下次还会来。早餐的品种不多，味道一般。\n" * 3,
    "big5": "這家飯店的房間很乾淨，服務也很好，下次還會來。早餐的種類不多，味道普通。\n" * 3,
    "shift_jis": "このホテルの部屋はとてもきれいで、サービスも良かったです。また来たいと思います。\n" * 3,
}


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("line", ["\n", " "])
def test_a_few_broken_bytes_make_no_chinese_or_japanese_into_latin(encoding: str, line: str, tmp_path: Path) -> None:
    # the bad byte stands behind the first sentence, whose signs have two bytes each
    text = WIDE[encoding].replace("\n", line)
    first = len(text.split(line)[0].encode(encoding))
    data = bytearray(text.encode(encoding))
    data[first:first] = b"\xff"
    path = tmp_path / "broken.txt"
    path.write_bytes(data)
    message = refusal(path, tmp_path)
    assert f"is not {encoding}" in message
    assert placed(message) == (1, first, "0xff")
    assert read(path, tmp_path, undecodable="replace")[0][1].replace("\ufffd", "") == text


def test_bytes_that_are_no_encoding_s_are_still_latin(tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(bytes(range(0xA0, 0x100)) + b" \x81\n")
    assert read(path, tmp_path)[0][1].startswith("\xa0¡¢£")


@settings(max_examples=60, deadline=None)
@given(
    before=st.lists(st.sampled_from(["好", "é", "a", "\n", "\r\n", "𝄞"]), max_size=31).map("".join),
    mark=st.booleans(),
    packed=st.booleans(),
)
def test_the_place_is_that_of_the_file_without_its_compression(
    before: str, mark: bool, packed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    head = (codecs.BOM_UTF8 if mark else b"") + before.encode()
    folder = tmp_path_factory.mktemp("place")
    path = folder / "text.txt"
    # behind enough sound characters it is UTF-8 without doubt
    data = head + b"\xc0" + (SOUND * 19).encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    assert placed(refusal(path, folder)) == (before.count("\n") + 1, len(head), "0xc0")


@pytest.mark.parametrize("distance", [0, 1, 2, 3])
def test_a_character_on_the_border_of_two_blocks_keeps_its_place(distance: int, tmp_path: Path) -> None:
    # blocks are 262,144 bytes; the first half of a broken character stands ``distance`` bytes before the border
    line = b"x" * 63 + b"\n"
    start = 262_144 - distance
    head = ((SOUND * 9).encode() + b"\n" + line * 4200)[: start - 1] + b"\n"
    path = tmp_path / "border.txt"
    path.write_bytes(head + "好".encode()[:2] + b"\n" + line)
    assert placed(refusal(path, tmp_path)) == (head.count(b"\n") + 1, start, "0xe5")


def test_replaced_bytes_are_counted_in_the_facts(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(documents(13, chinese=True)):
        (folder / f"{number}.txt").write_bytes(text.encode() + b"\xff" * (number % 3))
    corpus = prepared(tmp_path, folder, undecodable="replace")
    # numbers 1, 4, 7, 10 have one broken byte and 2, 5, 8, 11 have two: 4 + 8
    assert corpus.facts()["observed"]["changed characters"]["undecodable, now U+FFFD"] == 12


def test_a_broken_file_leaves_the_corpus_of_before(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(documents(13)):
        (folder / f"{number}.txt").write_text(text)
    before = prepared(tmp_path, folder)
    (folder / "z.txt").write_bytes((SOUND * 9).encode() + b"\xff")
    with pytest.raises(InputError, match=r"z\.txt:1: byte 81 "):
        prepared(tmp_path, folder)
    assert [d.text for d in before.train]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corpus", "texts"]


def test_a_wrong_encoding_that_fits_every_byte_is_believed(tmp_path: Path) -> None:
    # Latin-1 gives every byte a meaning: no error is possible, the user has said so
    path = tmp_path / "a.txt"
    path.write_bytes("é".encode())
    assert read(path, tmp_path, encoding="latin-1")[0][1] == "Ã©"
