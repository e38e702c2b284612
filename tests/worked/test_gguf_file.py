"""Reading a GGUF file: values and numbers that were written by hand, and headers that say what cannot be."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import gguf_files as by_hand
from tests.fakes.gguf_files import ARRAY, F16, F32, Q4_0, Q4_1, Q8_0, STRING, entry, info, whole
from ziggurat.artefacts.interchange.gguf_file import GgufFile, open_gguf
from ziggurat.core.errors import ArtefactError, DamagedError

pytest.importorskip("gguf")


def opened(tmp_path: Path, content: bytes) -> GgufFile:
    file = tmp_path / "by-hand.gguf"
    file.write_bytes(content)
    return open_gguf(file)


def test_every_type_of_value(tmp_path: Path) -> None:
    numbers = dict.fromkeys((0, 1, 2, 3, 4, 5, 10, 11), 7) | {6: 0.375, 12: 1e-300, 7: True}
    entries = [entry(f"n.{kind}", kind, value) for kind, value in numbers.items()]
    entries += [entry("name", STRING, "塔楼"), entry("words", ARRAY, ["a", "", "ü"])]
    entries += [entry("list", ARRAY, [2.5, -1.0], inner=6), entry("none", ARRAY, [], inner=5)]
    found = opened(tmp_path, whole(entries)).metadata
    assert {kind: found[f"n.{kind}"] for kind in numbers} == numbers
    assert (found["name"], found["words"], found["list"], found["none"]) == ("塔楼", ["a", "", "ü"], [2.5, -1.0], [])


@pytest.mark.parametrize("version", [2, 3])
def test_arrays_stand_where_the_header_says(version: int, tmp_path: Path) -> None:
    first = np.array([[1.5, -2.0, 3.25], [0.0, 7.0, -0.5]], "<f4")  # 2 rows of 3: dimensions (3, 2)
    second = np.array([0.5, 65504.0], "<f2")
    data = first.tobytes() + bytes(8) + second.tobytes()  # 24 bytes, then the next multiple of 32
    infos = [info("second", (2,), F16, 32), info("first", (3, 2), F32, 0)]
    file = opened(tmp_path, whole([entry("a", 4, 1)], infos, data, version=version))
    assert file.numbers("first").tolist() == first.tolist()
    assert file.numbers("second").tolist() == [0.5, 65504.0]
    assert file.numbers("second").dtype == np.float32


def test_blocks_of_eight_bits(tmp_path: Path) -> None:
    # a block of Q8_0: a 16-bit scale d, then 32 whole numbers q; each stands for d * q
    whole_numbers = np.arange(-16, 16, dtype=np.int8)
    data = np.float16(0.25).tobytes() + whole_numbers.tobytes()
    found = opened(tmp_path, whole([], [info("x", (32,), Q8_0, 0)], data)).numbers("x")
    assert found.tolist() == [0.25 * q for q in range(-16, 16)]


def test_blocks_of_four_bits(tmp_path: Path) -> None:
    # Q4_0: scale d, then 16 bytes; byte i holds q_i in its low half and q_(i+16) in its high half; d * (q - 8)
    halves = bytes((15 - i) << 4 | i for i in range(16))
    found = opened(tmp_path, whole([], [info("x", (32,), Q4_0, 0)], np.float16(0.5).tobytes() + halves)).numbers("x")
    assert found.tolist() == [0.5 * (i - 8) for i in range(16)] + [0.5 * (15 - i - 8) for i in range(16)]
    # Q4_1: scale d and least value m; d * q + m
    content = np.array([0.5, -3.0], "<f2").tobytes() + halves
    found = opened(tmp_path, whole([], [info("x", (32,), Q4_1, 0)], content)).numbers("x")
    assert found.tolist() == [0.5 * i - 3 for i in range(16)] + [0.5 * (15 - i) - 3 for i in range(16)]


def test_two_rows_of_blocks(tmp_path: Path) -> None:
    rows = [np.float16(scale).tobytes() + bytes([value] * 32) for scale, value in ((0.5, 3), (2.0, 5))]
    found = opened(tmp_path, whole([], [info("x", (32, 2), Q8_0, 0)], b"".join(rows))).numbers("x")
    assert found.shape == (2, 32)
    assert found[:, 0].tolist() == [1.5, 10.0]


def test_alignment_of_the_file_s_own(tmp_path: Path) -> None:
    data = np.array([11.0], "<f4").tobytes() + bytes(60) + np.array([13.0], "<f4").tobytes()
    infos = [info("a", (1,), F32, 0), info("b", (1,), F32, 64)]
    file = opened(tmp_path, whole([entry("general.alignment", 4, 64)], infos, data, alignment=64))
    assert [file.numbers(name).tolist() for name in "ab"] == [[11.0], [13.0]]


NUMBERS = np.ones(8, "<f4").tobytes()
IMPOSSIBLE = {
    "cut inside an array": (whole([], [info("x", (9,), F32, 0)], NUMBERS), "'x' does not stand where"),
    "two arrays in one place": (whole([], [info("x", (8,), F32, 0), info("y", (8,), F32, 0)], NUMBERS), "'y' does not"),
    "not aligned": (whole([], [info("x", (2,), F32, 4)], NUMBERS), "'x' does not stand where"),
    "more than there can be": (whole([], [info("x", (1 << 40, 1 << 40), F32, 0)], NUMBERS), "impossible shape"),
    "no rows": (whole([], [info("x", (0,), F32, 0)], NUMBERS), "impossible shape"),
    "five dimensions": (whole([], [info("x", (1, 1, 1, 1, 1), F32, 0)], NUMBERS), "5 dimensions"),
    "part of a block": (whole([], [info("x", (31,), Q8_0, 0)], bytes(34)), "'x' does not stand where"),
    "a key twice": (whole([entry("a", 4, 1), entry("a", 4, 2)]), "the key 'a' stands twice"),
    "no such type": (whole([entry("a", 4, 1)[:-8] + struct.pack("<II", 77, 1)]), "has the type 77"),
    "lists of lists": (whole([by_hand.text("a") + struct.pack("<IIQ", 9, 9, 0)]), "none of numbers and texts"),
    "alignment": (whole([entry("general.alignment", 4, 48)]), "no power of two"),
    "not UTF-8": (whole([entry("a", STRING, "xy").replace(b"xy", b"\xff\xfe")]), "not UTF-8"),
    "endless list": (whole([by_hand.text("a") + struct.pack("<IIQ", 9, 4, 1 << 60)]), "more than the file has room"),
    "endless texts": (whole([by_hand.text("a") + struct.pack("<IIQ", 9, 8, 1 << 60)]), "more than the file has room"),
    "endless text": (whole([struct.pack("<Q", 1 << 62) + bytes(40)]), "bytes are announced"),
    "endless entries": (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60), "more than the file has room"),
    "endless arrays": (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "more than the file has room"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_is_refused_by_name(name: str, tmp_path: Path) -> None:
    content, said = IMPOSSIBLE[name]
    with pytest.raises(DamagedError, match=said) as caught:
        opened(tmp_path, content)
    assert "by-hand.gguf" in str(caught.value)


def test_numbers_that_are_not_finite(tmp_path: Path) -> None:
    data = np.array([1.0, np.nan], "<f4").tobytes()
    file = opened(tmp_path, whole([], [info("blk.0.x", (2,), F32, 0)], data))
    with pytest.raises(DamagedError, match=r"'blk\.0\.x' has a number that is not finite"):
        file.numbers("blk.0.x")


@pytest.mark.parametrize(("kind", "name", "size"), [(24, "I8", 1), (25, "I16", 2), (26, "I32", 4), (28, "F64", 8)])
def test_number_types_that_are_not_read_are_named(kind: int, name: str, size: int, tmp_path: Path) -> None:
    file = opened(tmp_path, whole([], [info("blk.0.x", (3,), kind, 0)], bytes(3 * size)))
    with pytest.raises(ArtefactError, match=rf"by-hand\.gguf: the array 'blk\.0\.x' has numbers of the type {name},"):
        file.numbers("blk.0.x")


def test_truth_values_and_long_lists(tmp_path: Path) -> None:
    """A list of N bytes becomes N references of 8 bytes, and nothing beside them."""
    assert opened(tmp_path, whole([entry("a", ARRAY, [True, False], inner=7)])).metadata["a"] == [True, False]
    content = whole([entry("a", ARRAY, [3] * 1_000_003, inner=0)])
    (tmp_path / "by-hand.gguf").write_bytes(content)
    tracemalloc.start()
    found = open_gguf(tmp_path / "by-hand.gguf").metadata["a"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [3] * 1_000_003
    assert peak < 11 * len(content)


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="not a GGUF file"):
        opened(tmp_path, b"GGML and more")
    with pytest.raises(ArtefactError, match="not a GGUF file"):
        opened(tmp_path, b"")
    with pytest.raises(ArtefactError, match="can't be read"):
        open_gguf(tmp_path / "missing.gguf")
    with pytest.raises(ArtefactError, match="can't be read"):
        open_gguf(tmp_path)
    with pytest.raises(ArtefactError, match="of version 1; versions 2 and 3"):
        opened(tmp_path, whole([], version=1))
    with pytest.raises(ArtefactError, match="big-endian"):
        opened(tmp_path, b"GGUF" + struct.pack(">IQQ", 3, 0, 0))
    with pytest.raises(ArtefactError, match="number type 777"):
        opened(tmp_path, whole([], [info("x", (8,), 777, 0)], NUMBERS))
