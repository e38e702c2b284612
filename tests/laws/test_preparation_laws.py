"""Whoever prepares a text, this process or others: the same bytes in every file, the same error, the same ledger."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.elsewhere import Elsewhere
from tests.fakes.preparations import assert_prepared, left_by, planted
from ziggurat.core.errors import InputError
from ziggurat.core.processes import LocalProcesses
from ziggurat.core.types import Document, Event
from ziggurat.core.workers import HERE, Workers
from ziggurat.text import duplicates, reading
from ziggurat.text.cleaning import clean
from ziggurat.text.corpus import prepare
from ziggurat.text.decoding import BinaryContentError
from ziggurat.text.ledger import Ledger, read_ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.sources import read_records, resolve
from ziggurat.text.spool import Spool
from ziggurat.tokens import store
from ziggurat.tokens.loading import train_tokenizer


@pytest.fixture(params=["as they are", "tiny"])
def tasks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks of the usual size, and so small that nearly every text is cut into several."""
    if request.param == "tiny":
        monkeypatch.setattr(reading, "SMALL_FILE_BYTES", 700)
        monkeypatch.setattr(reading, "TASK_BYTES", 900)
        monkeypatch.setattr(reading, "MOST_UNPACKED", 2)
        monkeypatch.setattr(duplicates, "TASK_BYTES", 3000)
        monkeypatch.setattr(store, "BATCH_CHARACTERS", 5000)


@pytest.mark.usefixtures("tasks")
@pytest.mark.parametrize("workers", [Elsewhere(2), Elsewhere(7)])
def test_whoever_prepares_the_bytes_are_the_same(workers: Elsewhere, tmp_path: Path) -> None:
    texts = planted(tmp_path / "texts")
    left = left_by(tmp_path / "here", HERE, texts)
    assert left == left_by(tmp_path / "there", workers, texts)
    assert_prepared(left, tmp_path / "here")
    assert workers.tasks > 10


def test_processes_of_this_machine_leave_the_same_bytes(tmp_path: Path) -> None:
    texts = planted(tmp_path / "texts")
    assert left_by(tmp_path / "here", HERE, texts) == left_by(tmp_path / "there", LocalProcesses(2), texts)


def one_by_one(names: list[str], options: TextConfig, ledger: Ledger, spool: Spool) -> None:
    """Read and clean by definition: source by source, record by record."""
    for source in resolve(names):
        try:
            for record in read_records(source, options, ledger):
                if not spool.add(record.id, source.label, (clean(part, options, ledger) for part in record.parts)):
                    ledger.remove("empty", document=record.id)
        except BinaryContentError:
            ledger.remove("binary", source=source.label)


@pytest.mark.usefixtures("tasks")
@pytest.mark.parametrize("workers", [HERE, Elsewhere(3), Elsewhere(40)])
def test_tasks_read_what_is_read_one_by_one(workers: Workers, tmp_path: Path) -> None:
    names, options = [str(planted(tmp_path / "texts"))], TextConfig()
    events: list[Event] = []
    found = []
    for place in ("definition", "tasks"):
        with Ledger(tmp_path / f"{place}.jsonl") as ledger:
            spool = Spool(tmp_path / place)
            if place == "tasks":
                reading.read_all(resolve(names), options, ledger, spool, tell=events.append, workers=workers)
            else:
                one_by_one(names, options, ledger, spool)
            spool.close()
        entries = list(read_ledger(tmp_path / f"{place}.jsonl"))
        counts = (ledger.documents, ledger.bytes, ledger.observed)
        places = (spool.starts.tolist(), spool.stops.tolist(), spool.names, spool.sources)
        found.append((spool.path.read_bytes(), places, entries, counts))
    assert found[0] == found[1]
    assert {"empty", "binary"} == {entry["reason"] for entry in found[0][2]}
    assert [event["done"] for event in events] == list(range(1, len(resolve(names)) + 1))


def test_a_long_record_goes_in_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL_FILE_BYTES", 0)
    monkeypatch.setattr(reading, "TASK_BYTES", 300_000)
    path = tmp_path / "long.txt"
    path.write_text("  " + "".join(f"line {number}\n" for number in range(100_000)) + " \n\n")
    kinds = [type(task).__name__ for task in reading._tasks(resolve([str(path)]), TextConfig(), 0)]
    assert kinds == ["_Stretch"] * 3 + ["_Records"]
    for workers in (HERE, Elsewhere(3)):
        with Ledger() as ledger:
            spool = Spool(tmp_path / "spool")
            reading.read_all(
                resolve([str(path)]), TextConfig(), ledger, spool, tell=lambda event: None, workers=workers
            )
            spool.close()
        assert (tmp_path / "spool").read_text() == path.read_text().strip()
        assert (spool.names, spool.starts.tolist()) == ([str(path)], [0])


def test_a_small_file_that_unpacks_beyond_measure_is_read_here(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt.gz").write_bytes(gzip.compress(("word " * 99 + "\n").encode() * 30_000, mtime=0))
    task = next(iter(reading._tasks(resolve([str(texts)]), TextConfig(), 1 << 16)))
    assert isinstance(task, reading._Files)
    done = task.clean(TextConfig())
    assert [source.content for source in done.again] == [None]
    assert (bytes(done.raw), done.names, done.notes.observed) == (b"", [], {})
    again = list(reading._read_here(done.again[0], TextConfig()))
    assert len(again) > 20


BAD = [
    ("b.jsonl", b'{"text": "fine"}\n{"text": \n', "b.jsonl:2: not JSON"),
    ("b.txt", b"sound \xe4\xb8\xad\xe6\x96\x87 \xe4\xb8\xad\n" * 9 + b"then \xff\n", "b.txt:10: byte"),
    ("b.txt.gz", b"\x1f\x8b\x08broken", "damaged gzip"),
]


@pytest.mark.parametrize(("name", "content", "said"), BAD)
@pytest.mark.parametrize("small", [0, 1 << 20])
def test_bad_input_is_the_same_error_wherever_it_is_found(
    name: str, content: bytes, said: str, small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SMALL_FILE_BYTES", small)
    texts = planted(tmp_path / "texts")
    (texts / name).unlink(missing_ok=True)
    (texts / name).write_bytes(content)
    (texts / "z.jsonl").write_text("{\n")  # a later one is not what is told of
    messages = set()
    for number, workers in enumerate((HERE, Elsewhere(5))):
        folder = tmp_path / str(number)
        with pytest.raises(InputError, match=said) as caught:
            prepare([str(texts)], TextConfig(), folder=folder, listener=lambda event: None, workers=workers)
        messages.add(str(caught.value))
        assert not folder.exists()
    assert len(messages) == 1


def test_a_text_that_can_not_be_tokenized_is_named_from_elsewhere(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(documents_of("one", "two"), "bpe")

    def texts() -> Iterator[Document]:
        yield Document("fine", "one")
        yield Document("odd", "lone \ud800 surrogate")

    messages = set()
    for workers in (HERE, Elsewhere(2)):
        with pytest.raises(InputError, match=r"^odd: ") as caught:
            store.write_store(tokenizer, texts(), tmp_path / "store", workers=workers)
        messages.add(str(caught.value))
    assert len(messages) == 1


def documents_of(*words: str) -> list[str]:
    return [" ".join(words) for _ in range(50)]


def test_a_ledger_takes_in_what_waits_in_another(tmp_path: Path) -> None:
    waits = Ledger()
    waits.remove("empty", document="a")
    waits.observe("encodings", "utf-8", 2)
    first = waits.hand_over()
    waits.remove("binary", source="b", size_bytes=7)
    assert (waits.documents["empty"], len(waits.waiting)) == (0, 1)
    with Ledger(tmp_path / "l.jsonl") as ledger:
        ledger.observe("encodings", "utf-8")
        for one in (first, waits):
            ledger.take_in(one)
    assert [entry["reason"] for entry in read_ledger(tmp_path / "l.jsonl")] == ["empty", "binary"]
    assert ledger.summary() == {"binary": {"documents": 1, "bytes": 7}, "empty": {"documents": 1, "bytes": 0}}
    assert ledger.observed == {"encodings": {"utf-8": 3}}
