"""safetensors files: what was written is read back as a read-only map, and a header is never believed."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ziggurat.artefacts.tensors import read_tensors, write_tensors
from ziggurat.core.errors import ArtefactError, DamagedError


def raw(path: Path, header: Any, data: bytes = b"", *, length: int | None = None) -> Path:
    """Write a file with this header, true or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def entry(dtype: str = "F32", shape: Any = (3,), offsets: Any = (0, 12)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"])
def test_every_type_comes_back_as_it_was(dtype: str, tmp_path: Path) -> None:
    arrays = {
        "matrix": np.arange(35).reshape(5, 7).astype(dtype),
        "column": np.arange(35).reshape(5, 7).astype(dtype)[:, 2],  # not contiguous
        "scalar": np.array(1, dtype),
        "empty": np.zeros((3, 0), dtype),
    }
    write_tensors(tmp_path / "m", arrays)
    found = read_tensors(tmp_path / "m")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)
    assert not found["matrix"].flags.writeable


def test_the_library_reads_ours_and_we_read_the_librarys(tmp_path: Path) -> None:
    array = np.arange(11, dtype=np.int32)
    write_tensors(tmp_path / "ours", {"a": array})
    np.testing.assert_array_equal(load_file(tmp_path / "ours")["a"], array)
    save_file({"a": array}, tmp_path / "theirs", metadata={"any": "thing"})
    np.testing.assert_array_equal(read_tensors(tmp_path / "theirs")["a"], array)


def test_bfloat16_widens_exactly(tmp_path: Path) -> None:
    # the upper half of float32: 1.0 = 0x3f800000, −2.5 = 0xc0200000, 0.15625 = 0x3e200000
    data = np.array([0x3F80, 0xC020, 0x3E20], "<u2").tobytes()
    found = read_tensors(raw(tmp_path / "m", {"a": entry("BF16", [3], [0, 6])}, data))
    assert found["a"].dtype == np.float32
    assert found["a"].tolist() == [1.0, -2.5, 0.15625]


def test_an_array_at_an_odd_place_is_copied_to_an_even_one(tmp_path: Path) -> None:
    header = {"a": entry("U8", [1], [0, 1]), "b": entry("F32", [2], [1, 9])}
    found = read_tensors(raw(tmp_path / "m", header, b"\x07" + np.array([1.5, 2.5], "<f4").tobytes()))
    assert found["b"].flags.aligned
    assert found["b"].tolist() == [1.5, 2.5]


def test_no_arrays_at_all(tmp_path: Path) -> None:
    write_tensors(tmp_path / "m", {})
    assert read_tensors(tmp_path / "m") == {}


TWICE = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": entry()}, b"\0" * 11),  # too short
        ({"a": entry()}, b"\0" * 13),  # too long
        ({"a": entry(shape=[5])}, b"\0" * 12),  # 5 × 4 ≠ 12
        ({"a": entry(shape=[-3])}, b"\0" * 12),
        ({"a": entry(shape=[3.0])}, b"\0" * 12),
        ({"a": entry(shape=[True, 3])}, b"\0" * 12),
        ({"a": entry(shape=[1 << 62, 1 << 62])}, b"\0" * 12),  # far more than memory
        ({"a": entry(shape=[0, 1 << 62, 1 << 62], offsets=[0, 0])}, b""),
        ({"a": entry(offsets=[-12, 0])}, b"\0" * 12),
        ({"a": entry(offsets=[12, 0])}, b"\0" * 12),
        ({"a": entry(offsets=[0, 12, 24])}, b"\0" * 12),
        ({"a": entry(), "b": entry()}, b"\0" * 12),  # overlap
        ({"a": entry(), "b": entry(offsets=[13, 25])}, b"\0" * 25),  # a hole
        ({"a": {"dtype": "F32", "shape": [3]}}, b"\0" * 12),
        ({"a": [1, 2]}, b""),
        ([1], b""),
        (b"", b""),
        (b"{", b""),
        (b"\xff\xfe", b""),
        (b"[" * 100_000, b""),
        (TWICE, b"\0"),
    ],
)
def test_a_header_that_lies_is_refused_by_the_files_name(header: Any, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match=r"model\.safetensors: damaged"):
        read_tensors(raw(tmp_path / "model.safetensors", header, data))


@pytest.mark.parametrize("length", [0, 1, 17, 1 << 31, 1 << 63, (1 << 64) - 1])
def test_a_header_length_that_lies_is_refused(length: int, tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="damaged"):
        read_tensors(raw(tmp_path / "m", {"a": entry()}, b"\0" * 12, length=length))


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_file_without_room_for_a_header_is_refused(size: int, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"\0" * size)
    with pytest.raises(DamagedError, match="damaged"):
        read_tensors(tmp_path / "m")


def test_a_type_that_numpy_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="'a' has the type F8_E4M3"):
        read_tensors(raw(tmp_path / "m", {"a": entry("F8_E4M3", [3], [0, 3])}, b"\0" * 3))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="nowhere"):
        read_tensors(tmp_path / "nowhere")


def test_every_flipped_or_missing_byte_of_a_small_header_is_harmless(tmp_path: Path) -> None:
    write_tensors(tmp_path / "m", {"a": np.arange(3, dtype=np.float32)})
    whole = (tmp_path / "m").read_bytes()
    for position in range(len(whole) - 12):
        broken = bytearray(whole)
        broken[position] ^= 0x11
        for content in (bytes(broken), whole[:position]):
            (tmp_path / "m").write_bytes(content)
            with suppress(ArtefactError):  # a name or padding may change unseen here: the manifest's hash sees it
                read_tensors(tmp_path / "m")
