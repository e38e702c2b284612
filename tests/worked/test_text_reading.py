"""How sources are cut into tasks: which files share one, which are read here, and what a task hands back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.elsewhere import Elsewhere, sent
from ziggurat.core.errors import InputError
from ziggurat.core.types import Event
from ziggurat.core.workers import HERE, Workers
from ziggurat.text import reading
from ziggurat.text.decoding import BinaryContentError
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Record, Source
from ziggurat.text.spool import Spool

OPTIONS = TextConfig()


def files(folder: Path, sizes: Sequence[int]) -> list[Source]:
    """Files of so many letters each, as somebody would name them."""
    found = []
    for number, size in enumerate(sizes):
        path = folder / f"{number}.txt"
        path.write_text(chr(97 + number) * size)
        found.append(Source(str(path), path))
    return found


def cut(sources: Sequence[Source], size: int) -> list[Any]:
    return list(reading._tasks(sources, OPTIONS, size))


def read(sources: Sequence[Source], folder: Path, workers: Workers = HERE) -> tuple[list[str], Ledger, list[Event]]:
    """The documents of these sources, what was noted, and what was told."""
    events: list[Event] = []
    ledger, spool = Ledger(), Spool(folder / "spool")
    try:
        reading.read_all(sources, OPTIONS, ledger, spool, tell=events.append, workers=workers)
    finally:
        spool.close()
    raw = spool.path.read_bytes()
    texts = [raw[start:stop].decode() for start, stop in zip(spool.starts, spool.stops, strict=True)]
    return texts, ledger, events


# -- which files share a task ------------------------------------------------------------------------------------------


def test_neighbours_share_a_task_until_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TASK_BYTES", 10)
    tasks = cut(files(tmp_path, [3, 3, 5, 11, 2, 2]), 100)
    # 3 + 3 + 5 reach 10, and 11 alone does; what is left at the end is a task too
    assert [[len(one.content) for one in task.sources] for task in tasks] == [[3, 3, 5], [11], [2, 2]]
    assert {task.most for task in tasks} == {reading.MOST_UNPACKED * 100}


def test_a_large_file_is_read_here_and_the_order_stays(tmp_path: Path) -> None:
    tasks = cut(files(tmp_path, [3, 101, 5]), 100)
    assert [type(task).__name__ for task in tasks] == ["_Files", "_Records", "_Files"]
    assert [record.id for record in tasks[1].records] == [str(tmp_path / "1.txt")]
    assert tasks[1].last


def test_a_file_of_just_the_size_is_small(tmp_path: Path) -> None:
    small, large = files(tmp_path, [100, 101])
    read_one = reading._small(small, 100)
    assert read_one is not None
    assert read_one.content == b"a" * 100
    assert small.content is None  # the source that was given holds nothing
    assert reading._small(large, 100) is None
    assert reading._small(Source("standard input"), 100) is None


def test_more_workers_take_larger_files_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL_FILE_BYTES", 10)
    monkeypatch.setattr(reading, "MOST_TIMES", 3)
    sources = files(tmp_path, [25, 35])
    kinds = {}
    for count in (1, 3, 1000):
        seen: list[str] = []
        workers = Elsewhere(count)
        own = workers.map

        def noted(function: Any, items: Any, own: Any = own, seen: list[str] = seen) -> Any:
            def each() -> Any:
                for item in items:
                    seen.append(type(item).__name__)
                    yield item

            return own(function, each())

        monkeypatch.setattr(workers, "map", noted)
        assert read(sources, tmp_path, workers)[0] == ["a" * 25, "b" * 35]
        kinds[count] = seen
    # 10, 30 and 30 bytes, not 10,000
    assert kinds == {1: ["_Records"] * 2, 3: ["_Files", "_Records"], 1000: ["_Files", "_Records"]}


# -- records -----------------------------------------------------------------------------------------------------------


def test_records_go_in_batches_and_the_last_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TASK_BYTES", 20)
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": letter * 7}) + "\n" for letter in "abcdefgh"))
    tasks = list(reading._read_here(Source(str(path), path), OPTIONS))
    # three of 7 letters are more than 20
    assert [len(task.records) for task in tasks if isinstance(task, reading._Records)] == [3, 3, 2]
    assert [task.last for task in tasks if isinstance(task, reading._Records)] == [False, False, True]
    texts, _, events = read([Source(str(path), path)], tmp_path, Elsewhere(2))
    assert texts == [letter * 7 for letter in "abcdefgh"]
    assert [event["done"] for event in events] == [1]


def test_a_source_of_nothing_is_done_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL_FILE_BYTES", 0)
    path = tmp_path / "empty.jsonl"
    path.write_text("")
    texts, ledger, events = read([Source(str(path), path)], tmp_path)
    assert (texts, ledger.summary()) == ([], {})
    assert [(event["source"], event["done"], event["sources"]) for event in events] == [(str(path), 1, 1)]


def test_what_is_empty_after_cleaning_is_noted_with_its_name(tmp_path: Path) -> None:
    done = reading._Cleaned()
    done.add(Record("blank", [" ", "\n"]), "a.txt", OPTIONS)
    done.add(Record("kept", [" tower", " of stone \n"]), "a.txt", OPTIONS)
    done.add(Record("塔", ["塔"]), "b.txt", OPTIONS)
    # stops are bytes: 14 of English, and 3 of a Chinese character
    assert (bytes(done.raw).decode(), list(done.stops)) == ("tower of stone塔", [14, 17])
    assert (done.names, done.labels) == (["kept", "塔"], ["a.txt", "b.txt"])
    assert [json.loads(line) for line in done.notes.waiting] == [{"reason": "empty", "document": "blank"}]
    again = sent(done)
    assert (again.raw, again.stops, again.names, again.notes.waiting) == (
        done.raw,
        done.stops,
        done.names,
        done.notes.waiting,
    )


# -- what can't be read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("small", [0, 1 << 20])
def test_binary_files_are_left_out_unless_they_were_named(
    small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SMALL_FILE_BYTES", small)
    path = tmp_path / "a.txt"
    path.write_bytes(b"\x89PNG\r\n" + bytes(300))
    found = Source(str(path), path, explicit=False)
    texts, ledger, events = read([found, *files(tmp_path, [3])], tmp_path, Elsewhere(2))
    assert texts == ["aaa"]
    assert ledger.documents == {"binary": 1}
    assert [event["done"] for event in events] == [1, 2]
    with pytest.raises(BinaryContentError):
        read([Source(str(path), path)], tmp_path)


@pytest.mark.parametrize("size", [0, 1 << 20])
def test_a_file_that_may_not_be_read_is_named(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = files(tmp_path, [3])

    def refused(*words: Any, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(source.path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    monkeypatch.setattr(reading, "read_records", refused)
    with pytest.raises(InputError, match=r"0\.txt: may not be read \(Permission denied\)"):
        cut([source], size)


def test_a_source_is_asked_for_only_when_its_turn_comes(tmp_path: Path) -> None:
    first, second = files(tmp_path, [101, 101])
    tasks = reading._tasks([first, second], OPTIONS, 100)
    assert second.path is not None
    assert isinstance(next(tasks), reading._Records)
    second.path.write_text("changed " * 13)
    task: Any = next(tasks)
    assert "".join(task.records[0].parts).startswith("changed")
