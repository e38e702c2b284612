"""Text that is read in pieces is the text that was written; and what is held in memory does not grow with it."""

import gzip
import io
import json
import lzma
import random
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ziggurat.text import decoding
from ziggurat.text.cleaning import clean
from ziggurat.text.decoding import lines, pieces
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source
from ziggurat.text.sources import read_records, resolve
from ziggurat.text.spool import Spool

OPTIONS = TextConfig(encoding="utf-8")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.jsonl") as made:
        yield made


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read 11 bytes at a time and keep at most 23 characters of an endless line."""
    monkeypatch.setattr(decoding, "_BLOCK_BYTES", 11)
    monkeypatch.setattr(decoding, "_LONGEST_PIECE", 23)


@pytest.mark.usefixtures("small_blocks")
def test_pieces_cleaned_one_by_one_are_the_text_cleaned_at_once(ledger: Ledger) -> None:
    @settings(max_examples=300, deadline=None)
    @given(st.text(st.sampled_from("ab é塔\n\r\r\n\te\u0301\u0323가\u2028\ufeff"), max_size=97))
    def law(text: str) -> None:
        found = list(pieces(io.BytesIO(b"x" + text.encode()), Source("x"), OPTIONS, ledger))
        assert "".join(found) == "x" + text
        assert "".join(clean(piece, OPTIONS, ledger) for piece in found) == clean("x" + text, OPTIONS, ledger)

    law()


@pytest.mark.usefixtures("small_blocks")
def test_pieces_end_at_line_ends_where_there_are_any(ledger: Ledger) -> None:
    text = "".join(f"line {number}\n" for number in range(97))
    found = list(pieces(io.BytesIO(text.encode()), Source("x"), OPTIONS, ledger))
    assert all(piece.endswith("\n") for piece in found)
    assert max(map(len, found)) < 50


def test_an_accent_is_not_parted_from_its_letter_in_an_endless_line(ledger: Ledger) -> None:
    # longer than the longest piece of 2^22 characters; one letter before it shifts every pair by one
    text = "x" + "e\u0301" * 2_200_000
    found = list(pieces(io.BytesIO(text.encode()), Source("x"), OPTIONS, ledger))
    assert len(found) == 2
    assert "".join(clean(piece, OPTIONS, ledger) for piece in found) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("cut", [pieces, lines])
@pytest.mark.parametrize("size", [262_143, 262_144, 262_145, 524_288])
def test_the_borders_of_blocks_lose_nothing(
    cut: Callable[[BinaryIO, Source, TextConfig, Ledger], Iterator[str]], size: int, ledger: Ledger
) -> None:
    text = ("塔楼\n" * (size // 7 + 1))[: size // 3] + "末"
    assert "".join(cut(io.BytesIO(text.encode()), Source("x"), TextConfig(), ledger)) == text


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.text(st.sampled_from(" \n\t\u3000a塔"), max_size=5), max_size=13))
def test_how_a_text_is_cut_does_not_change_what_the_spool_keeps(
    parts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    kept = []
    for number, pieces_of_it in enumerate((parts, ["".join(parts)], list("".join(parts)))):
        spool = Spool(folder / str(number))
        assert spool.add("name", "source", pieces_of_it) == bool("".join(parts).strip())
        spool.close()
        kept.append((folder / str(number)).read_bytes())
    assert kept == ["".join(parts).strip().encode()] * 3


def most_memory(path: Path, folder: Path) -> int:
    """The most that is held while all records of a file are read, cleaned and spooled."""
    with Ledger(folder / "l") as ledger:
        spool = Spool(folder / "spool")
        tracemalloc.start()
        for record in read_records(resolve([str(path)])[0], TextConfig(), ledger):
            spool.add("", "", (clean(part, TextConfig(), ledger) for part in record.parts))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        spool.close()
    return most


@pytest.mark.parametrize("ending", [".jsonl.gz", ".csv.gz", ".txt.xz", ".jsonl"])
def test_reading_holds_a_part_of_a_file_whatever_its_size(ending: str, tmp_path: Path) -> None:
    packs: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lambda raw: lzma.compress(raw, preset=0)}

    def written(copies: int) -> Path:
        dice = random.Random(copies)  # words of hexadecimal digits: text that packs to no less than half
        rows = [dice.randbytes(500).hex(" ", 3) for _ in range(97 * copies)]
        rows = [json.dumps({"text": row}) for row in rows] if "jsonl" in ending else rows
        path = tmp_path / f"{copies}{ending}"
        path.write_bytes(packs.get(ending[-3:], bytes)("".join(row + "\n" for row in rows).encode()))
        return path

    most_memory(written(1), tmp_path)  # what is imported and compiled once
    small, large = most_memory(written(8), tmp_path), most_memory(written(24), tmp_path)  # 0.8 and 2.4 MB
    assert large < small + 200_000


def test_memory_of_a_spool_is_places_and_names(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    tracemalloc.start()
    for _ in range(10_000):
        spool.add("name", "source", ["a text of a hundred bytes " * 4])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    spool.close()
    # two places of 8 bytes and two references of 8, with room to grow: well under the 100 bytes of a text
    assert held < 60 * 10_000


def test_a_bomb_is_read_in_small_parts(tmp_path: Path) -> None:
    # 40 MB of one line over and over are packed a few hundred times smaller: 4 kB of that, taken at once, are 4 MB
    # at the most; while they are unpacked, the old buffer and its double stand side by side
    path = tmp_path / "bomb.txt.gz"
    path.write_bytes(gzip.compress(b"a line of text\n" * 2_700_000))
    assert path.stat().st_size < 200_000
    assert most_memory(path, tmp_path) < 15_000_000
