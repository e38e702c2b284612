"""Shares, sums over processes, and checkpoints whose rows several processes wrote."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.processes import together
from ziggurat.core.errors import DamagedError, TooLittleTextError, UsageError, ZigguratError
from ziggurat.training import torchrun as module
from ziggurat.training.checkpoints import (
    NEWEST,
    Checkpoint,
    keep_before,
    read_newest,
    remove_old_rows,
    write_checkpoint,
    write_rows,
)
from ziggurat.training.job import Share
from ziggurat.training.saves import resuming
from ziggurat.training.torchrun import Processes, current, joined, neighbours


def test_shares_are_neighbours_and_leave_nothing_out() -> None:
    # 7 rows in 3 parts: 0–1, 2–3, 4–6 (0·7//3 = 0, 7//3 = 2, 14//3 = 4)
    assert [list(range(7))[Share(rank, 3).of(7)] for rank in range(3)] == [[0, 1], [2, 3], [4, 5, 6]]
    assert [list(range(1))[Share(rank, 2).of(1)] for rank in range(2)] == [[], [0]]
    assert Share().of(5) == slice(0, 5)


@pytest.mark.parametrize(("rows", "count", "better"), [(5, 2, 4), (7, 4, 8), (1, 3, 3), (16, 5, 15)])
def test_rows_that_are_no_multiple_are_refused_with_a_number_that_is_one(rows: int, count: int, better: int) -> None:
    with pytest.raises(UsageError, match=rf"training\.rows: {rows} rows .* {count} processes; set it to {better}, or"):
        Share(0, count).check(rows)
    Share(0, count).check(better)


def test_alone_there_is_nothing_to_pass() -> None:
    alone = current()
    assert (alone.rank, alone.count, alone.device) == (0, 1, "cpu")
    assert alone.summed(2, 3.5) == [2, 3.5]
    assert alone.told(7) == 7
    tensor = torch.tensor([1.0, 2.0])
    alone.sum_all([tensor])
    assert tensor.tolist() == [1, 2]
    assert alone.gathered(tensor) == [tensor]
    with alone.first_alone(), joined() as same:
        assert same is alone


def test_several_sum_tell_and_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 24)  # several blocks

    def work(own: Processes) -> Any:
        r = own.rank + 1
        tensors = [torch.full((2, 3), float(r)), torch.tensor([r, 10 * r]), torch.tensor(0.5 * r)]
        own.sum_all(tensors)
        gathered = own.gathered(torch.tensor([r, -r]))
        own.barrier()
        return own.summed(r, 0.25), own.told(40 + r), [t.tolist() for t in tensors], [t.tolist() for t in gathered]

    # 1 + 2 + 3 = 6
    expected = ([6, 0.75], 41, [[[6] * 3] * 2, [6, 60], 3.0], [[1, -1], [2, -2], [3, -3]])
    assert together(3, work) == [expected] * 3


def test_the_first_goes_before_the_others(tmp_path: Path) -> None:
    def work(own: Processes) -> str:
        with own.first_alone():
            if own.rank == 0:
                (tmp_path / "made").write_text("by the first")
            return (tmp_path / "made").read_text()

    assert together(3, work) == ["by the first"] * 3


def test_where_the_first_fails_all_end_with_its_exit_code() -> None:
    def work(own: Processes) -> None:
        with own.first_alone():
            if own.rank == 0:
                raise TooLittleTextError("none")

    first, *others = together(3, work)
    assert isinstance(first, TooLittleTextError)
    assert [(type(other), other.code) for other in others] == [(SystemExit, first.exit_code)] * 2


def test_a_process_that_is_gone_is_said_to_be() -> None:
    def work(own: Processes) -> None:
        if own.rank == 0:
            raise KeyboardInterrupt
        own.barrier()

    _, other = together(2, work)
    assert isinstance(other, ZigguratError)
    assert "another process of this run is gone; with torchrun --max-restarts=3" in str(other)


def test_other_errors_keep_their_words() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"), neighbours():
        raise RuntimeError("shapes differ")


def test_variables_that_are_not_whole_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UsageError, match=r"torchrun's variables .*RANK"), joined():
        pass


def saved(folder: Path, mark: int, first: float) -> None:
    """A checkpoint of two processes, of 2 and of 1 rows."""
    pieces = [np.array([[first, 1], [2, 3]], np.float32), np.array([[4, 5]], np.float32)]
    for rank, piece in enumerate(pieces):
        names = write_rows(folder, {"a": piece}, mark=mark, rank=rank, count=2)
    keep_before(folder)
    write_checkpoint(folder / NEWEST, Checkpoint({"b": np.arange(3)}, {"rows": names, "step": mark}))
    remove_old_rows(folder)


def test_rows_are_put_together_and_two_generations_stay(tmp_path: Path) -> None:
    for mark in (10, 20, 30):
        saved(tmp_path, mark, mark)
    checkpoint = read_newest(tmp_path)
    assert checkpoint is not None
    assert checkpoint.facts["step"] == 30
    np.testing.assert_array_equal(checkpoint.tensors["a"], [[30, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(checkpoint.tensors["b"], [0, 1, 2])
    # 20 is 14 in hexadecimal digits, 30 is 1e
    left = sorted(path.name for path in tmp_path.glob("rows-*"))
    assert left == [f"rows-{mark}-{rank}-of-2.safetensors" for mark in ("14", "1e") for rank in (1, 2)]


@pytest.mark.parametrize("damage", ["missing", "cut", "of another"])
def test_damaged_rows_lead_back_to_the_checkpoint_before(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved(tmp_path, 10, 10)
    saved(tmp_path, 20, 20)
    file = tmp_path / "rows-14-2-of-2.safetensors"
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-3])
    else:
        write_checkpoint(file, Checkpoint({"other": np.zeros(1)}, {}))
    with caplog.at_level(logging.WARNING):
        checkpoint = read_newest(tmp_path)
    assert checkpoint is not None
    assert checkpoint.facts["step"] == 10
    assert "going back to the checkpoint before it" in caplog.text
    (tmp_path / "rows-a-1-of-2.safetensors").unlink()
    with pytest.raises(DamagedError, match="rows-"):
        read_newest(tmp_path)


def test_no_rows_are_removed_while_it_is_not_known_whose_they_are(tmp_path: Path) -> None:
    saved(tmp_path, 10, 10)
    (tmp_path / NEWEST).write_bytes(b"damaged")
    remove_old_rows(tmp_path)
    assert len(list(tmp_path.glob("rows-*"))) == 2


@pytest.mark.parametrize("count", ["abc", "-1", "", "2.0", "²"])
def test_a_number_of_processes_that_is_none_is_said(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", count)
    with pytest.raises(UsageError, match=f"WORLD_SIZE={count}: not a number of processes; unset it"), joined():
        pass


def test_the_command_that_goes_on_is_for_a_shell() -> None:
    assert resuming(Path("my runs/tower")) == "ziggurat train --resume 'my runs/tower'"
