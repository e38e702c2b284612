"""A damaged index of words is refused by its name, never believed and never a crash."""

import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from ziggurat.core.errors import ArtefactError, DamagedError
from ziggurat.tokens.word_index import open_index, write_index

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "塔", "学而"]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    write_index(tmp_path / "words.index", WORDS)
    return tmp_path / "words.index"


def test_every_length_but_the_right_one_is_refused(whole: Path) -> None:
    content = whole.read_bytes()
    for size in range(len(content)):
        whole.write_bytes(content[:size])
        with pytest.raises(DamagedError, match=r"words\.index: damaged"):
            open_index(whole)
    whole.write_bytes(content + b"\0")
    with pytest.raises(DamagedError, match=r"words\.index: damaged"):
        open_index(whole)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("claim", [0, 3, 10**12, 2**63, 2**64 - 1])
def test_a_header_is_compared_with_the_file_before_anything_is_allocated(whole: Path, place: int, claim: int) -> None:
    content = bytearray(whole.read_bytes())
    content[8 + 8 * place : 16 + 8 * place] = struct.pack("<Q", claim)
    whole.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DamagedError, match=r"words\.index: damaged"):
        open_index(whole)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_whichever_bytes_are_wrong_the_error_is_ours(whole: Path) -> None:
    """Damage behind the header is not seen on opening; a look-up then finds another answer or says 'damaged'."""
    content = whole.read_bytes()
    dice = random.Random(7)
    for _ in range(311):
        damaged = bytearray(content)
        for _ in range(dice.choice([1, 3, 40])):
            damaged[dice.randrange(8, len(damaged))] ^= dice.randrange(1, 256)
        whole.write_bytes(damaged)
        with pytest.raises(ArtefactError) as caught:
            use_all(whole)
        assert str(caught.value).startswith(f"{whole}: damaged: ")
        assert "\n" not in str(caught.value)


def use_all(path: Path) -> None:
    index = open_index(path)
    for word in [*WORDS, "twelve", ""]:
        index.find(word)
    for number in range(len(index)):
        index.word(number)
    index.check()


def test_an_index_that_is_not_there_or_no_index(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"gone\.index: can't be read \(No such file"):
        open_index(tmp_path / "gone.index")
    with pytest.raises(ArtefactError, match="can't be read"):
        open_index(tmp_path)
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(DamagedError, match="not an index of words"):
        open_index(tmp_path / "x")
