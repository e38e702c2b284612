"""Words ⇄ ids in a file: its bytes by hand, and what a dictionary would say of random words."""

import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from ziggurat.core.errors import InputError
from ziggurat.tokens.word_index import WordIndex, open_index, write_index


def test_the_file_of_two_words_byte_by_byte(tmp_path: Path) -> None:
    # Two words need four home slots (at least twice as many as words), and one place more, which stays empty.
    # The home of a word is the two highest bits of crc32(word) · 0x9E3779B1 modulo 2³²:
    #   crc32("a")  = 0xE8B7BE43, and · 0x9E3779B1 ≡ 0xFA5D3753, whose highest two bits are 3
    #   crc32("塔") = 0x101611AC, and · 0x9E3779B1 ≡ 0x819083EC, whose highest two bits are 2
    words = ["a", "塔"]
    table = [(0, 0), (0, 0), (0x101611AC, 2), (0xE8B7BE43, 1), (0, 0)]
    # header: 2 words, 4 slots, 5 places, 1 + 3 bytes of spellings; edges 0, 1, 4
    expected = struct.pack("<8s4Q", b"ZIGWORD1", 2, 4, 5, 4) + struct.pack("<3Q", 0, 1, 4)
    expected += b"".join(struct.pack("<2I", *entry) for entry in table) + "a塔".encode()
    write_index(tmp_path / "words.index", words)
    assert (tmp_path / "words.index").read_bytes() == expected


def test_a_word_without_room_at_home_stands_behind_it(tmp_path: Path) -> None:
    # "plumless" and "buckeroo" have one CRC-32, 0x4DDB0C25, so one home, and only the spelling tells them apart
    assert zlib.crc32(b"plumless") == zlib.crc32(b"buckeroo") == 0x4DDB0C25
    for words in (["plumless", "buckeroo"], ["buckeroo", "x", "plumless"], ["buckeroo"]):
        index = WordIndex.of(words)
        index.check()
        assert [index.find("plumless"), index.find("buckeroo")] == [
            words.index(word) if word in words else None for word in ("plumless", "buckeroo")
        ]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 1009])
def test_it_answers_as_a_dictionary_does(count: int, tmp_path: Path) -> None:
    dice = random.Random(count)
    words: dict[str, int] = {}
    while len(words) < count:
        words.setdefault("".join(dice.choices("ab塔é \u3000\u00a0😀\t", k=dice.randrange(0, 9))), len(words))
    write_index(tmp_path / "i", words)
    for index in (open_index(tmp_path / "i"), WordIndex.of(words)):
        index.check()
        assert len(index) == count
        assert list(index.words()) == list(words)
        assert [index.find(word) for word in words] == list(range(count))
        assert all(word in index for word in words)
        for _ in range(211):
            other = "".join(dice.choices("ab塔c", k=dice.randrange(0, 7)))
            assert index.find(other) == words.get(other)
        assert "\ud800" not in index
        assert 3 not in index
        assert index.find_all([*words, "nowhere"]).tolist() == [*range(count), -1]
        assert index.find_all([]).dtype == np.int32


def test_the_words_are_a_sequence() -> None:
    words = WordIndex.of(iter(["the", "", "of"])).words()
    assert (len(words), words[0], words[1], words[-1], words[1:], words[::-2]) == (
        3, "the", "", "of", ["", "of"], ["of", "the"],
    )  # fmt: skip
    assert "of" in words
    assert "off" not in words
    assert words.index("of") == 2
    assert WordIndex.of(["a"]).word(np.int64(0)) == "a"  # type: ignore[arg-type]
    for number in (3, -4):
        with pytest.raises(IndexError):
            words[number]
    with pytest.raises(IndexError, match="no id -1 in an index of 3 words"):
        WordIndex.of(["a", "b", "c"]).word(-1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a", "b", "塔", "b"], "words 1 and 3 of the index are both 'b'"),
        (["buckeroo", "plumless", "buckeroo"], "words 0 and 2 of the index are both 'buckeroo'"),
        (["a", "\ud800"], r"word 1 of the index, '\\ud800', has half of a character"),
    ],
)
def test_what_can_t_be_an_index_is_refused_by_its_word(words: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        write_index(tmp_path / "i", words)
    assert not list(tmp_path.iterdir())
