"""Bytes in every usual encoding become the text that was meant, wherever blocks of bytes are cut."""

import codecs
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.corpora import read
from ziggurat.core.errors import UnknownNameError
from ziggurat.text.decoding import lines, pieces
from ziggurat.text.encodings import binary_kind, checked_name, recognise
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source

ENGLISH = "The café’s façade — naïve, but not ugly — was rebuilt in 1907. " * 40
FRENCH = "L'été dernier, la forêt était très sèche : où étaient passés les élèves de l'école ? Ça, on ne le sait pas. "
CHINESE = "白马寺位于河南省洛阳市，始建于东汉永平十一年，是佛教传入中国后兴建的第一座官办寺院。" * 20
TRADITIONAL = "臺灣的夏天十分炎熱，人們喜歡到海邊游泳，或者在樹蔭下乘涼，晚上則去夜市吃東西。" * 20
RUSSIAN = "Вчера вечером мы долго гуляли по набережной и говорили о книгах, которые читали в детстве. " * 20


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, "utf-8"),
        (ENGLISH, "utf-8-sig"),
        (ENGLISH, "utf-16"),
        (ENGLISH, "utf-16-le"),
        (ENGLISH, "utf-16-be"),
        (ENGLISH, "utf-32"),
        (ENGLISH, "cp1252"),
        (FRENCH * 10, "latin-1"),
        (CHINESE, "utf-8"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (CHINESE + "\n", "utf-16-le"),
        (TRADITIONAL, "big5"),
        (RUSSIAN, "cp1251"),
    ],
)
def test_the_encoding_of_a_file_is_recognised(text: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    assert read(path, tmp_path)[0][1] == text


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "latin-1", "cp1252", "utf-8"])
def test_an_encoding_that_is_named_is_believed(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("été".encode(encoding))
    assert read(path, tmp_path, encoding=encoding)[0][1] == "été"


def test_the_choice_waits_for_the_first_byte_that_is_not_ascii(tmp_path: Path) -> None:
    path = tmp_path / "late.txt"
    text = "nothing but letters here\n" * 20_000 + CHINESE
    path.write_bytes(text.encode("gb18030"))
    with Ledger(tmp_path / "l") as ledger:
        assert "".join(pieces(io.BytesIO(path.read_bytes()), Source("x", path), TextConfig(), ledger)) == text
        assert ledger.observed["encodings"] == {"gb18030": 1}


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (b"", "ascii"),
        (b"plain\n", "ascii"),
        ("é".encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"x", "utf-8-sig"),
        (codecs.BOM_UTF16_LE + b"x\x00", "utf-16"),
        (codecs.BOM_UTF32_LE + b"x\x00\x00\x00", "utf-32"),
        (b"\x00\x01\x02\x03" * 99, None),
        (b"\x01\x02\x03abc" * 99, None),
        (b"%PDF-1.4", None),
    ],
)
def test_what_a_sample_is(sample: bytes, expected: str | None) -> None:
    assert recognise(sample) == expected


def test_a_few_broken_places_among_many_sound_ones_are_still_utf8() -> None:
    # 4 sound characters to a broken one decide
    assert recognise("éééé".encode() + b"\xff") == "utf-8"
    assert recognise(b"caf\xe9 " * 50) != "utf-8"


def test_names_of_encodings_are_python_s() -> None:
    assert checked_name("UTF8") == "utf-8"
    assert checked_name("GBK") == "gbk"
    for none in ("rot13", "base64", "utf-88"):
        with pytest.raises(UnknownNameError, match=none):
            checked_name(none)
    assert binary_kind(b"whatever") == "binary data"


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=97)


def as_stream(data: bytes, size: int) -> io.BufferedReader:
    """A stream that gives at most ``size`` bytes at a time, as a slow pipe does."""

    class Slow(io.RawIOBase):
        place = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            piece = data[self.place : self.place + min(size, len(buffer))]
            buffer[: len(piece)] = piece
            self.place += len(piece)
            return len(piece)

    return io.BufferedReader(Slow())


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, size=st.integers(1, 7), encoding=st.sampled_from(["utf-8", "gb18030", "utf-16-le", "utf-16"]))
def test_blocks_that_cut_characters_lose_none(
    text: str, size: int, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger(tmp_path_factory.mktemp("l") / "l") as ledger:
        options = TextConfig(encoding=encoding)
        stream = as_stream(text.encode(encoding), size)
        assert "".join(pieces(stream, Source("x"), options, ledger)) == text


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=23)))
def test_lines_are_what_ends_in_a_line_feed(rows: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    text = "\n".join(rows)
    with Ledger(tmp_path_factory.mktemp("l") / "l") as ledger:
        stream = as_stream(text.encode(), 5)
        found = list(lines(stream, Source("x"), TextConfig(encoding="utf-8"), ledger))
    assert "".join(found) == text
    assert all(line.endswith("\n") for line in found[:-1])
    assert len(found) == text.count("\n") + bool(rows and rows[-1])


def test_an_endless_line_is_cut_at_spaces_and_not_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "endless.txt"
    path.write_text("word " * 2_000_000)
    with Ledger(tmp_path / "l") as ledger, path.open("rb") as file:
        found = [len(piece) for piece in pieces(file, Source("x", path), TextConfig(), ledger)]
    assert sum(found) == 10_000_000
    assert max(found) < 5_000_000
    assert all(size % 5 == 0 for size in found)
