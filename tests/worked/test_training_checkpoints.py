"""Checkpoints of NumPy arrays: what comes back, which one is read, and what stays when a file is damaged."""

import errno
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from tests.fakes.jobs import job
from ziggurat.core.errors import DamagedError, DiskFullError, NewerVersionError
from ziggurat.training.checkpoints import (
    BEFORE,
    FORMAT,
    NEWEST,
    Checkpoint,
    keep_before,
    read_checkpoint,
    read_newest,
    write_checkpoint,
)
from ziggurat.training.saves import Saves
from ziggurat.training.torchrun import Processes

KINDS = ("float32", "float64", "float16", "int8", "int32", "int64", "uint8", "uint32", "uint64", "bool")


def numbered(folder: Path, number: int) -> None:
    """Write the checkpoint ``number`` as a run does: the one before it steps back."""
    keep_before(folder)
    arrays: dict[str, Any] = {
        "inputs": np.full((3, 5), number, np.float32),
        "counts": np.arange(7, dtype=np.int64) * number,
    }
    write_checkpoint(folder / NEWEST, Checkpoint(arrays, {"progress": {"next": number}}))


def number_of(checkpoint: Checkpoint | None) -> int:
    assert checkpoint is not None
    assert checkpoint.tensors["inputs"].tolist() == [[checkpoint.facts["progress"]["next"]] * 5] * 3
    return int(checkpoint.facts["progress"]["next"])


def flip(path: Path, place: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 0x10
    path.write_bytes(raw)


# -- what comes back --------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=7), st.sampled_from(KINDS)))
def test_arrays_of_every_kind_come_back_to_the_bit(tmp_path_factory: pytest.TempPathFactory, kinds: Any) -> None:
    dice = np.random.default_rng(len(kinds))
    shapes: list[tuple[int, ...]] = [(), (0,), (7,), (3, 5), (2, 0, 3)]
    arrays = {
        name: dice.integers(0, 2 if kind == "bool" else 100, shapes[place % 5]).astype(kind)
        for place, (name, kind) in enumerate(kinds.items())
    }
    path = tmp_path_factory.mktemp("kinds") / NEWEST
    write_checkpoint(path, Checkpoint(arrays, {"step": 3, "文": [1.5, None]}))
    found = read_checkpoint(path)
    assert found.tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found.tensors[name].dtype == array.dtype
        np.testing.assert_array_equal(found.tensors[name], array)
    assert (found.facts["step"], found.facts["文"], found.facts["format"]) == (3, [1.5, None], FORMAT)


def test_views_are_written_by_their_values_and_not_by_their_memory(tmp_path: Path) -> None:
    # padded rows, every second row, turned round: all of them lie otherwise in memory than they read
    whole = np.arange(48, dtype=np.float32).reshape(3, 16)
    whole.flags.writeable = False
    views = {"narrow": whole[:, :5], "every": whole[::2], "turned": whole.T, "backwards": whole[::-1]}
    write_checkpoint(tmp_path / NEWEST, Checkpoint(views, {}))
    found = read_checkpoint(tmp_path / NEWEST).tensors
    for name, view in views.items():
        np.testing.assert_array_equal(found[name], view)


def test_equal_bytes_in_another_form_have_another_digest(tmp_path: Path) -> None:
    ones = np.ones(6, np.float32)
    given_arrays: list[dict[str, Any]] = [
        {"a": ones},
        {"b": ones},
        {"a": ones.reshape(2, 3)},
        {"a": ones.view(np.int32)},
        {"a": ones[:3], "b": ones[3:]},
    ]
    digests = set()
    for arrays in given_arrays:
        write_checkpoint(tmp_path / NEWEST, Checkpoint(arrays, {}))
        digests.add(read_checkpoint(tmp_path / NEWEST).facts["digest"])
    assert len(digests) == len(given_arrays)


def test_facts_that_were_read_can_be_written_with_other_arrays(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / NEWEST, Checkpoint({"a": np.zeros(3)}, {"step": 5}))
    facts = read_checkpoint(tmp_path / NEWEST).facts
    write_checkpoint(tmp_path / NEWEST, Checkpoint({"a": np.ones(3)}, facts))
    assert read_checkpoint(tmp_path / NEWEST).tensors["a"].tolist() == [1, 1, 1]


# -- which one is read ------------------------------------------------------------------------------------------------


def test_the_one_before_stays_behind_the_newest(tmp_path: Path) -> None:
    assert read_newest(tmp_path) is None
    keep_before(tmp_path)  # there is none yet
    assert list(tmp_path.iterdir()) == []
    for number in (1, 2, 3):
        numbered(tmp_path, number)
    assert number_of(read_newest(tmp_path)) == 3
    assert number_of(read_checkpoint(tmp_path / BEFORE)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([NEWEST, BEFORE])


def test_stepping_back_copies_nothing_and_twice_is_once(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    (tmp_path / f".{BEFORE}.link").write_text("left by a run that was killed here")
    keep_before(tmp_path)
    keep_before(tmp_path)
    assert (tmp_path / NEWEST).samefile(tmp_path / BEFORE)
    numbered(tmp_path, 2)  # written beside its place, so the older file keeps its bytes
    assert number_of(read_checkpoint(tmp_path / BEFORE)) == 1


def test_a_disk_without_links_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    for number in (1, 2, 3):
        numbered(tmp_path, number)
    assert (number_of(read_newest(tmp_path)), number_of(read_checkpoint(tmp_path / BEFORE))) == (3, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([NEWEST, BEFORE])

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(DiskFullError, match=r"previous\.safetensors: no space left"):
        keep_before(tmp_path)
    assert number_of(read_checkpoint(tmp_path / BEFORE)) == 2


# -- going on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "start"), [(1, ""), (3, "torchrun --nproc-per-node=3 -m ")])
def test_who_stops_a_run_is_told_how_to_go_on_with_as_many(
    count: int, start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Several(Processes):
        pass

    Several.count = count
    monkeypatch.setattr("ziggurat.training.saves.current", Several)
    said = str(Saves(job("decoder", tmp_path / "checkpoints", steps=1)).interruption("stopped at step 3"))
    assert said == f"stopped at step 3; go on with: {start}ziggurat train --resume {tmp_path}"


# -- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [-1, -60, 9, 0])  # an array, the other one, the header, its length
def test_a_damaged_newest_one_is_passed_over_and_said(
    place: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    numbered(tmp_path, 1)
    numbered(tmp_path, 2)
    flip(tmp_path / NEWEST, place)
    with caplog.at_level(logging.WARNING, "ziggurat"):
        assert number_of(read_newest(tmp_path)) == 1
    (line,) = caplog.messages
    assert line == (
        f"{tmp_path / NEWEST}: damaged: remove it to begin again, or put a copy in its place; "
        "going back to the checkpoint before it"
    )


def test_every_byte_is_guarded(tmp_path: Path) -> None:
    path = tmp_path / NEWEST
    write_checkpoint(path, Checkpoint({"a": np.arange(3, dtype=np.int32)}, {"step": 5}))
    whole = path.read_bytes()
    arrays = read_checkpoint(path).tensors
    for place in range(len(whole) - 12, len(whole)):
        flip(path, place)
        with pytest.raises(DamagedError):
            read_checkpoint(path)
        path.write_bytes(whole)
    assert np.array_equal(read_checkpoint(path).tensors["a"], arrays["a"])


def test_where_all_are_damaged_the_run_ends_with_the_file(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    numbered(tmp_path, 2)
    for name in (NEWEST, BEFORE):
        flip(tmp_path / name, -1)
    with pytest.raises(DamagedError, match=r"previous\.safetensors: damaged: remove it to begin again"):
        read_newest(tmp_path)
    (tmp_path / BEFORE).unlink()
    with pytest.raises(DamagedError, match=r"last\.safetensors: damaged"):
        read_newest(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"no checkpoint at all", "检查点".encode() * 30])
def test_what_is_no_checkpoint_is_damaged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NEWEST).write_bytes(content)
    with pytest.raises(DamagedError, match=r"last\.safetensors: damaged"):
        read_checkpoint(tmp_path / NEWEST)


def test_every_shorter_file_is_damaged(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    whole = (tmp_path / NEWEST).read_bytes()
    for size in range(0, len(whole), 13):
        (tmp_path / NEWEST).write_bytes(whole[:size])
        with pytest.raises(DamagedError):
            read_checkpoint(tmp_path / NEWEST)


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "pt"},
        {"ziggurat": "{"},
        {"ziggurat": "[]"},
        {"ziggurat": "3"},
        {"ziggurat": json.dumps({"step": 3})},
        {"ziggurat": json.dumps({"format": "one", "digest": "0"})},
        {"ziggurat": json.dumps({"format": FORMAT})},
        {"ziggurat": json.dumps({"format": FORMAT, "digest": "0" * 32})},
    ],
)
def test_arrays_whose_facts_are_missing_or_wrong_are_damaged(metadata: Any, tmp_path: Path) -> None:
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / NEWEST, metadata=metadata)
    with pytest.raises(DamagedError, match=r"last\.safetensors: damaged: remove it to begin again, or put a copy in"):
        read_checkpoint(tmp_path / NEWEST)


def test_a_newer_ziggurats_checkpoint_is_not_passed_over(tmp_path: Path) -> None:
    numbered(tmp_path, 1)
    keep_before(tmp_path)
    (tmp_path / NEWEST).unlink()
    facts = json.dumps({"format": FORMAT + 1, "digest": "0"})
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / NEWEST, metadata={"ziggurat": facts})
    with pytest.raises(NewerVersionError, match="written by a newer ziggurat; upgrade to go on with this run"):
        read_newest(tmp_path)  # going back to an older one would throw work away unasked
