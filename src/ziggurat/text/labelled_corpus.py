"""From files of labelled texts to examples that are clean and split, with the label of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import InputError, TooLittleTextError, UnknownNameError
from ziggurat.core.files import atomic_folder
from ziggurat.core.types import Document, Example, Listener
from ziggurat.core.workers import HERE, Workers
from ziggurat.text.cleaning import clean
from ziggurat.text.labelled import read_examples
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options
from ziggurat.text.prepared import (
    LEDGER,
    TEXT,
    PreparedText,
    Table,
    digest,
    facts_of,
    fingerprint,
    reading,
    write_header,
)
from ziggurat.text.splits import SPLITS, TRAIN, UNDECIDED, hold_out
from ziggurat.text.tagged import one_source

__all__ = ["ExampleSet", "LabelledCorpus", "LabelledSource", "open_labelled", "prepare_labelled", "resolve_labelled"]

HEADER = "labelled.json"
TABLE = "labelled.npy"
ROW = np.dtype([("start", "<i8"), ("stop", "<i8"), ("line", "<i8"), ("file", "<u4"), ("label", "<i4"), ("split", "u1")])
NAMED = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class LabelledSource:
    """A file of labelled texts, and which split the user made it."""

    path: str
    split: str = ""
    """``train``, ``dev`` or ``test``; empty where its texts are to be split."""

    @property
    def label(self) -> str:
        """What the user calls it."""
        return self.path


@dataclass(frozen=True)
class ExampleSet:
    """The labelled texts of one split; can be read any number of times, from disk each time."""

    folder: Path
    rows: npt.NDArray[np.int64]
    """Places in the corpus' table."""
    size_bytes: int
    labels: tuple[str, ...]
    """The label of each, in the order of the set."""
    files: tuple[str, ...]
    """Where texts come from."""

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Document]:
        """Yield the texts in the order of the corpus."""
        table = np.load(self.folder / TABLE)
        with (self.folder / TEXT).open("rb") as file:
            for row in self.rows.tolist():
                entry = table[row]
                file.seek(int(entry["start"]))
                text = file.read(int(entry["stop"] - entry["start"])).decode()
                yield Document(f"{self.files[entry['file']]}:{entry['line']}", text)

    def examples(self) -> Iterator[Example]:
        """Yield every text with its label."""
        for document, label in zip(self, self.labels, strict=True):
            yield Example(document.id, document.text, label)

    def texts(self) -> Iterator[str]:
        """Yield every text."""
        return (document.text for document in self)

    @property
    def sides(self) -> Mapping[str, Iterable[Document]]:
        """What is to be tokenized: the texts, which have one side only."""
        return {"": self}


@dataclass(frozen=True)
class LabelledCorpus(PreparedText[ExampleSet]):
    """Prepared texts with labels."""

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that can be learnt: those of the training split, sorted."""
        return tuple(sorted(set(self.train.labels)))


def resolve_labelled(names: Sequence[str]) -> list[LabelledSource]:
    """Return the files behind ``names``; ``dev=FILE`` and ``test=FILE`` name one whose texts are held out.

    Raises:
        InputError: none is named, or a path does not exist; the message names the nearest.
        UnknownNameError: a file is said to be of another split.
    """
    found = []
    for name in names:
        split, equals, path = name.partition("=")
        if not equals or Path(name).exists():
            split, path = "", name
        elif split not in NAMED:
            raise UnknownNameError("split", split, NAMED, where=name)
        one_source(path)
        found.append(LabelledSource(path, split))
    if all(source.split in ("dev", "test") for source in found):
        raise InputError("no file of labelled texts to learn from was named: give CSV, TSV or JSONL files")
    return found


def prepare_labelled(
    names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener, workers: Workers = HERE
) -> LabelledCorpus:
    """Read, clean and split the labelled texts behind ``names`` (`resolve_labelled`) into ``folder``.

    *Idea.* Equal texts stay on one side of a split, whatever their labels. What the user holds out in a file of its own
    is never learnt from: a training text that stands there too is left out. The parts held out are of examples.

    Raises:
        UsageError: an option is set that labelled texts have no use for.
        InputError: a file can't be used; the message names file and line.
        TooLittleTextError: there are too few texts, or all have the same label.
        DiskFullError: the disk is full; nothing half written remains.
    """
    del workers  # reading labelled texts takes seconds
    check_options(options)
    sources = resolve_labelled(names)
    with atomic_folder(folder) as work:
        facts, hashed, labels = _prepare(sources, options, work, listener)
        write_header(work / HEADER, facts, hashed, labels=labels, files=[source.label for source in sources])
    return open_labelled(folder)


def open_labelled(folder: Path) -> LabelledCorpus:
    """Open what `prepare_labelled` left in ``folder``.

    Raises:
        ArtefactError: there are no prepared texts with labels.
        DamagedError: a file is damaged; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    with reading(folder / HEADER, what="labelled texts") as header:
        table = np.load(folder / TABLE)
        labels, files = tuple(header["labels"]), tuple(header["files"])
        facts, hashed = header["facts"], header["fingerprint"]
        if int(table["stop"].max()) > (folder / TEXT).stat().st_size:
            raise ValueError("text is missing")
        if int(table["label"].max()) >= len(labels):
            raise ValueError("names of labels are missing")
        if int(table["file"].max()) >= len(files):
            raise ValueError("names of files are missing")
    sets = {}
    for name, split in SPLITS.items():
        rows = np.flatnonzero(table["split"] == split)
        own = tuple(labels[label] for label in table["label"][rows].tolist())
        sets[name] = ExampleSet(folder, rows, int((table["stop"][rows] - table["start"][rows]).sum()), own, files)
    return LabelledCorpus(folder, **sets, fingerprint=hashed, recorded=facts)


def _prepare(
    sources: list[LabelledSource], options: TextConfig, work: Path, tell: Listener
) -> tuple[dict[str, Any], str, list[str]]:
    labels: dict[str, int] = {}
    rows: list[tuple[int, int, int, int, int, int]] = []
    digests: list[int] = []
    size = 0
    with Ledger(work / LEDGER) as ledger:
        with (work / TEXT).open("wb") as file:
            for number, source in enumerate(sources):
                for example in read_examples(source.path):
                    raw = clean(example.input, options, ledger).strip().encode()
                    if not raw:
                        ledger.remove("empty", document=example.id)
                        continue
                    file.write(raw)
                    label = labels.setdefault(str(example.answer), len(labels))
                    line = int(example.id.rpartition(":")[2])
                    rows.append((size, size + len(raw), line, number, label, SPLITS.get(source.split, UNDECIDED)))
                    digests.append(digest(raw))
                    size += len(raw)
                tell({"event": "read", "source": source.label, "sources": len(sources), "done": number + 1})
        table, hashes = np.array(rows, ROW), np.array(digests, np.uint64)
        kept = hold_out(table["split"], hashes, options, {source.split for source in sources})
        for entry in table[~kept]:
            ledger.remove("held out too", document=f"{sources[entry['file']].label}:{entry['line']}")
        table, hashes = table[kept], hashes[kept]
        _check_labels(table, sources)
        np.save(work / TABLE, table)
        facts = facts_of(sources, table, ledger)
    facts["labels"] = _counts(table, list(labels))
    names = list(labels)
    whole = [
        digest(f"{text} {entry['split']} {names[entry['label']]}".encode())
        for text, entry in zip(hashes.tolist(), table, strict=True)
    ]
    return facts, fingerprint(np.array(whole, np.uint64), options), names


def _check_labels(table: Table, sources: Sequence[LabelledSource]) -> None:
    count = len(np.unique(table["label"][table["split"] == TRAIN]))
    if count < 2:
        named = ", ".join(source.label for source in sources[:3])
        raise TooLittleTextError(f"{named}: {count} different labels to learn from; a classifier needs at least 2")


def _counts(table: Table, labels: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how many examples of each split have each label."""
    found = {}
    for name, split in SPLITS.items():
        counts = np.bincount(table["label"][table["split"] == split], minlength=len(labels))
        found[name] = dict(zip(labels, counts.tolist(), strict=True))
    return found
