"""Reading and cleaning sources in tasks that several workers may do, in the order of the sources.

*Idea.* A small file goes to a task as its bytes: to unpack, to decode, to parse and to clean it is the task's. A large
one, standard input and what stands behind a scheme are read here, and their records go to tasks in batches; a record
that is longer than a batch goes in stretches. What a task is does not depend on who does it, so neither do the text,
its order, nor the ledger.
"""

import dataclasses
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from ziggurat.core.errors import InputError
from ziggurat.core.types import Listener
from ziggurat.core.workers import Workers
from ziggurat.text.cleaning import clean
from ziggurat.text.decoding import BinaryContentError
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Record, Source
from ziggurat.text.sources import read_records
from ziggurat.text.spool import Spool

__all__ = ["read_all"]

SMALL_FILE_BYTES = 1 << 20
"""Files up to this size, times the workers, go to tasks as they are."""
MOST_TIMES = 32
"""Workers beyond which no larger files do."""
TASK_BYTES = 1 << 18
"""Small files in one task have about this size together; batches of records have as many characters."""
MOST_UNPACKED = 8
"""Times its size that a small file may unpack to; one that is more is read here instead, piece by piece."""


@dataclass(slots=True)
class _Cleaned:
    """What a task leaves: whole documents one after another, or a stretch of one."""

    notes: Ledger = field(default_factory=Ledger)
    raw: bytearray = field(default_factory=bytearray)
    stops: "array[int]" = field(default_factory=lambda: array("q"))
    names: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    read: tuple[str, ...] = ()
    """Sources that have been read to their end."""
    again: tuple[Source, ...] = ()
    """Sources whose text was too much for a task; nothing else was done then."""
    stretch: tuple[str, ...] | None = None
    ends: bool = True
    """Whether the stretch is its document's last."""

    def add(self, record: Record, label: str, options: TextConfig) -> None:
        """Add a whole document, cleaned and its ends stripped; where nothing is left, note that."""
        text = "".join([clean(part, options, self.notes) for part in record.parts]).strip()
        if not text:
            self.notes.remove("empty", document=record.id)
            return
        self.raw += text.encode()
        self.stops.append(len(self.raw))
        self.names.append(record.id)
        self.labels.append(label)


@dataclass(frozen=True, slots=True)
class _Files:
    """Whole files with their bytes."""

    sources: tuple[Source, ...]
    most: int
    """Bytes of text that may come of them."""

    def clean(self, options: TextConfig) -> _Cleaned:
        done = _Cleaned(read=tuple(source.label for source in self.sources))
        for source in self.sources:
            try:
                for record in read_records(source, options, done.notes):
                    done.add(record, source.label, options)
                    if len(done.raw) > self.most:
                        return _Cleaned(again=tuple(dataclasses.replace(one, content=None) for one in self.sources))
            except BinaryContentError:
                if source.explicit:
                    raise
                done.notes.remove("binary", source=source.label)
        return done


@dataclass(frozen=True, slots=True)
class _Records:
    """Whole records of one source."""

    records: Sequence[Record]
    label: str
    notes: Ledger
    last: bool

    def clean(self, options: TextConfig) -> _Cleaned:
        done = _Cleaned(self.notes, read=(self.label,) if self.last else ())
        for record in self.records:
            done.add(record, self.label, options)
        return done


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Neighbouring parts of one long record."""

    record: Record
    label: str
    notes: Ledger
    ends: bool

    def clean(self, options: TextConfig) -> _Cleaned:
        stretch = tuple([clean(part, options, self.notes) for part in self.record.parts])
        return _Cleaned(self.notes, names=[self.record.id], labels=[self.label], stretch=stretch, ends=self.ends)


_Task: TypeAlias = _Files | _Records | _Stretch


def read_all(
    sources: Sequence[Source], options: TextConfig, ledger: Ledger, spool: Spool, *, tell: Listener, workers: Workers
) -> None:
    """Read and clean all sources into ``spool``, and enter in ``ledger`` what was left out and what was found.

    Raises:
        InputError: a source can't be used; the message names file and line.
    """
    size = SMALL_FILE_BYTES * min(workers.count, MOST_TIMES)
    _Reading(options, ledger, spool, tell, workers, len(sources)).take(_tasks(sources, options, size))


@dataclass(slots=True)
class _Reading:
    """Where the results of tasks go, in their order."""

    options: TextConfig
    ledger: Ledger
    spool: Spool
    tell: Listener
    workers: Workers
    sources: int
    done: int = 0

    def take(self, tasks: Iterable[_Task]) -> None:
        """Have the tasks done and take what they leave."""
        results = iter(self.workers.map(partial(_clean, self.options), tasks))
        for one in results:
            if one.again:
                self.take(task for source in one.again for task in _read_here(source, self.options))
            elif one.stretch is not None:
                if not self.spool.add(one.names[0], one.labels[0], self._stretches(one, results)):
                    self.ledger.remove("empty", document=one.names[0])
            else:
                self.ledger.take_in(one.notes)
                self.spool.add_all(one.names, one.labels, one.stops, one.raw)
            for label in one.read:
                self.done += 1
                self.tell({"event": "read", "source": label, "sources": self.sources, "done": self.done})

    def _stretches(self, first: _Cleaned, results: Iterator[_Cleaned]) -> Iterator[str]:
        one = first
        while True:
            self.ledger.take_in(one.notes)
            yield from one.stretch or ()
            if one.ends:
                return
            one = next(results)


def _clean(options: TextConfig, task: _Task) -> _Cleaned:
    return task.clean(options)


def _tasks(sources: Iterable[Source], options: TextConfig, size: int) -> Iterator[_Task]:
    """Yield the tasks of all sources; neighbouring small files share one."""
    group: list[Source] = []
    held = 0
    for source in sources:
        small = _small(source, size)
        if small is not None:
            group.append(small)
            held += len(small.content or b"")
        if group and (small is None or held >= TASK_BYTES):
            yield _Files(tuple(group), MOST_UNPACKED * size)
            group, held = [], 0
        if small is None:
            yield from _read_here(source, options)
    if group:
        yield _Files(tuple(group), MOST_UNPACKED * size)


def _small(source: Source, size: int) -> Source | None:
    """Return a small file with its bytes; None of anything else."""
    if source.path is None or not source.path.is_file() or source.path.stat().st_size > size:
        return None
    with _permitted(source):
        return dataclasses.replace(source, content=source.path.read_bytes())


@contextmanager
def _permitted(source: Source) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error


def _read_here(source: Source, options: TextConfig) -> Iterator[_Task]:
    """Yield batches of a source's records."""
    notes = Ledger()
    batch: list[Record] = []
    held = 0
    try:
        with _permitted(source):
            for record in read_records(source, options, notes):
                parts: list[str] = []
                size, long = 0, False
                for part in record.parts:
                    parts.append(part)
                    size += len(part)
                    if size >= TASK_BYTES and len(parts) > 1:
                        if batch:
                            yield _Records(batch, source.label, notes.hand_over(), last=False)
                            batch, held = [], 0
                        yield _Stretch(Record(record.id, parts), source.label, notes.hand_over(), ends=False)
                        parts, size, long = [], 0, True
                if long:
                    yield _Stretch(Record(record.id, parts), source.label, notes.hand_over(), ends=True)
                    continue
                batch.append(Record(record.id, parts))
                held += size
                if held >= TASK_BYTES:
                    yield _Records(batch, source.label, notes.hand_over(), last=False)
                    batch, held = [], 0
    except BinaryContentError:
        if source.explicit:
            raise
        notes.remove("binary", source=source.label)
    yield _Records(batch, source.label, notes.hand_over(), last=True)
