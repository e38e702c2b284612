"""How many tokens a text has: by what stands in its files, not by how large they are, and by no more than a sample."""

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.texts import documents
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.errors import InputError, TooLittleTextError, UsageError
from ziggurat.surface.planning import extent
from ziggurat.surface.planning.extent import training_extent
from ziggurat.text.cleaning import clean
from ziggurat.text.decoding import open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source

WHOLE = {"text.dev": 0.0, "text.test": 0.0}
TEXT = "\n".join(documents(400))
"""Of letters that are one byte each: a token of bytes is one of them."""


def size_of(*names: str | Path, **changes: Any) -> float:
    keys = {"tokens.kind": "bytes", **WHOLE, **{key.replace("__", "."): value for key, value in changes.items()}}
    return training_extent(load_recipe("gpt").change(keys), [str(name) for name in names]).tokens


@pytest.fixture(scope="module")
def size(tmp_path_factory: pytest.TempPathFactory) -> float:
    """The tokens of TEXT as a plain file that is read wholly."""
    path = tmp_path_factory.mktemp("plain") / "a.txt"
    path.write_text(TEXT, "utf-8")
    found = size_of(path)
    assert found == pytest.approx(len(TEXT.encode()), rel=0.001)
    return found


# -- what stands in files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "packed"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_compressed_text_has_as_many_tokens(
    suffix: str, packed: Callable[[bytes], bytes], size: float, tmp_path: Path
) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(packed(TEXT.encode()))
    assert path.stat().st_size < 0.5 * size
    assert size_of(path) == pytest.approx(size, rel=0.001)


def test_what_stands_around_a_text_is_not_counted(size: float, tmp_path: Path) -> None:
    records = [json.dumps({"text": line, "where": "x" * 500}) for line in TEXT.split("\n")]
    (tmp_path / "a.jsonl").write_text("\n".join(records), "utf-8")
    (tmp_path / "a.csv").write_text("where,text\n" + "".join(f'{"x" * 500},"{line}"\n' for line in TEXT.split("\n")))
    for name in ("a.jsonl", "a.csv"):
        assert (tmp_path / name).stat().st_size > 1.4 * size
        assert size_of(tmp_path / name) == pytest.approx(size, rel=0.01)


def test_an_encoding_of_more_bytes_is_no_longer_text(size: float, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-16")
    assert size_of(tmp_path / "a.txt") == pytest.approx(size, rel=0.001)


def test_a_home_folder_is_found(size: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    assert size_of("~/a.txt") == size


def test_a_name_that_is_written_otherwise_is_found(size: float, tmp_path: Path) -> None:
    """A label escapes what a line can't hold; the path is what is opened."""
    path = tmp_path / "a\u2028b.txt"
    path.write_text(TEXT, "utf-8")
    assert size_of(path) == size


def test_files_that_are_no_text_have_none(size: float, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4000)
    (tmp_path / "c.txt").write_bytes(b"")
    assert size_of(tmp_path) == pytest.approx(size, rel=0.001)
    with pytest.raises(InputError, match=r"b\.png"):
        size_of(tmp_path / "b.png")


# -- by a sample -------------------------------------------------------------------------------------------------------


def long_text() -> str:
    """More than a sample takes up, lines apart by numbers so that it does not shrink to nothing."""
    lines = [f"{number * number * 7919 % 1_000_003} {line}" for number, line in enumerate(TEXT.split("\n") * 40)]
    found = "\n".join(lines)
    assert len(found) > 2_000_000
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    text = long_text()
    (folder / "a.txt").write_text(text, "utf-8")
    (folder / "b.txt.gz").write_bytes(gzip.compress(text.encode(), 1))
    records = [json.dumps({"text": line, "where": "xyz" * 17}) for line in text.split("\n")]
    (folder / "c.jsonl").write_text("\n".join(records), "utf-8")
    (folder / "d.jsonl.gz").write_bytes(gzip.compress("\n".join(records).encode(), 1))
    return folder


@pytest.mark.parametrize("name", ["a.txt", "b.txt.gz", "c.jsonl", "d.jsonl.gz"])
def test_a_sample_tells_the_whole(name: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "SAMPLE_CHARACTERS", 300_000)
    taken = seen(monkeypatch)
    assert size_of(files / name) == pytest.approx(len(long_text()), rel=0.04)
    assert 300_000 <= sum(taken) < 1_200_000  # a block more than was asked for, and no more


def test_each_kind_has_a_sample_of_its_own(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "SAMPLE_CHARACTERS", 400_000)
    assert size_of(files) == pytest.approx(4 * len(long_text()), rel=0.04)


def test_files_of_one_kind_are_not_all_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        (tmp_path / f"part.{number:03}").write_text(TEXT[:5000], "utf-8")
    monkeypatch.setattr(extent, "SAMPLE_CHARACTERS", 20_000)
    taken = seen(monkeypatch)
    assert size_of(tmp_path) == pytest.approx(30 * 5000, rel=0.02)
    assert sum(taken) < 30_000
    monkeypatch.setattr(extent, "SAMPLE_CHARACTERS", 1_000_000)
    monkeypatch.setattr(extent, "SAMPLE_FILES", 3)
    taken.clear()
    assert size_of(tmp_path) == pytest.approx(30 * 5000, rel=0.02)
    assert sum(taken) < 16_000


def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the characters that are read from now on, piece by piece."""
    taken: list[int] = []

    def counting(text: str, options: TextConfig, ledger: Ledger) -> str:
        taken.append(len(text))
        return clean(text, options, ledger)

    monkeypatch.setattr(extent, "clean", counting)
    return taken


def test_a_source_tells_how_far_it_was_read(files: Path) -> None:
    opened: list[Any] = []
    with open_source(Source("b.txt.gz", files / "b.txt.gz", watch=opened.append)) as stream:
        (raw,) = opened
        assert raw.tell() == 0
        stream.read(1 << 18)
        assert 0 < raw.tell() < (files / "b.txt.gz").stat().st_size
    assert raw.closed


# -- held out ----------------------------------------------------------------------------------------------------------


def test_what_is_held_out_does_not_train(size: float, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    assert size_of(tmp_path, text__dev=0.1, text__test=0.2) == pytest.approx(0.7 * size)
    # dev and test stop growing: 1,000 bytes each
    limited = size_of(tmp_path, text__dev=0.1, text__test=0.2, text__held_out_bytes=1000)
    assert limited == pytest.approx(size - 2000)


def test_a_token_has_the_bytes_that_it_has(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("塔" * 3000, "utf-8")
    assert size_of(tmp_path, tokens__kind="characters") == pytest.approx(3000, rel=0.01)


# -- what can't be told ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "label"), [("demo:en", "demo:en"), ("-", "standard input"), ("hf://a/b", "hf://a/b")])
def test_a_size_that_can_t_be_told_is_said(name: str, label: str) -> None:
    with pytest.raises(UsageError, match=f"{label}: its size can't be told before it is read; give --text-tokens or"):
        size_of(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="pipe: its size can't be told"):
        size_of(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file(), reason="no files without a size here")
def test_a_file_that_says_no_size_is_not_taken_for_empty() -> None:
    with pytest.raises(UsageError, match="/proc/cpuinfo: its size can't be told"):
        size_of("/proc/cpuinfo")


def test_a_reader_that_does_not_say_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = TEXT.split("\n")
    parquet.write_table(arrow.table({"text": lines}), tmp_path / "a.parquet")
    assert size_of(tmp_path / "a.parquet") == pytest.approx(len(TEXT.encode()), rel=0.01)  # all of it is a sample
    monkeypatch.setattr(extent, "SAMPLE_CHARACTERS", len(TEXT) // 2)
    with pytest.raises(UsageError, match=r"a\.parquet: its size can't be told"):
        size_of(tmp_path / "a.parquet")


@pytest.mark.parametrize("content", ["", " \n \n"])
def test_a_text_without_text_is_said(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(TooLittleTextError, match=r"a\.txt: no text in it"):
        size_of(tmp_path / "a.txt")


def test_a_text_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        size_of(tmp_path / "nowhere.txt")
