"""From files of pairs to pairs that are clean, without duplicates, and split: a source and the target that follows.

Which files hold pairs, and in which forms, says `ziggurat.text.pairs`.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.files import atomic_folder
from ziggurat.core.types import Document, Listener, Pair
from ziggurat.core.workers import HERE, Workers
from ziggurat.text.cleaning import clean
from ziggurat.text.duplicates import linked, near_pairs
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import PairSource, check_options, read_sides, resolve_pairs
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
from ziggurat.text.splits import FEWEST_DOCUMENTS, SPLITS, UNDECIDED, assign, check_read, hold_out

__all__ = ["PairSet", "ParallelCorpus", "open_pairs", "prepare_pairs"]

HEADER = "pairs.json"
TABLE = "pairs.npy"

ROW = np.dtype(
    [("start", "<i8"), ("middle", "<i8"), ("stop", "<i8"), ("line", "<i8"), ("file", "<u4"), ("split", "u1")]
)
SOURCE, TARGET = "source", "target"
HELD_OUT = ("dev", "test")
SEED = 0
LAST = np.iinfo(np.uint64).max
"""A hash that trains, since `assign` holds out the first."""
ROWS = 3
"""Values in a band of the signatures: fewer than documents have, since no second search follows."""


@dataclass(frozen=True)
class PairSet:
    """The pairs of one split; can be read any number of times, from disk each time."""

    folder: Path
    rows: npt.NDArray[np.int64]
    """Places in the corpus' table."""
    size_bytes: int
    labels: tuple[str, ...]
    """The files that pairs come from."""

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Pair]:
        """Yield the pairs in the order of the corpus."""
        table = np.load(self.folder / TABLE)
        with (self.folder / TEXT).open("rb") as file:
            for row in self.rows.tolist():
                entry = table[row]
                start, middle, stop = (int(entry[name]) for name in ("start", "middle", "stop"))
                file.seek(start)
                source, target = file.read(middle - start).decode(), file.read(stop - middle).decode()
                yield Pair(f"{self.labels[entry['file']]}:{entry['line']}", source, target)

    def texts(self) -> Iterator[str]:
        """Yield every text: of each pair its source, then its target."""
        for pair in self:
            yield from (pair.source, pair.target)

    @property
    def sides(self) -> Mapping[str, "_Side"]:
        """What is to be tokenized: the targets, and the sources that they follow from."""
        return {"": _Side(self, TARGET), SOURCE: _Side(self, SOURCE)}


@dataclass(frozen=True)
class _Side:
    """One side of pairs as documents."""

    pairs: PairSet
    name: str

    def __iter__(self) -> Iterator[Document]:
        for pair in self.pairs:
            yield Document(pair.id, getattr(pair, self.name))


@dataclass(frozen=True)
class ParallelCorpus(PreparedText[PairSet]):
    """Prepared pairs."""


def prepare_pairs(
    names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener, workers: Workers = HERE
) -> ParallelCorpus:
    """Read, clean, deduplicate and split the pairs behind ``names`` into ``folder``.

    *Idea.* Which split a pair belongs to is decided by the hash of its source, and sources that are nearly alike go
    together: neither a sentence with several translations nor its near twins straddle splits. Only exact duplicates of
    whole pairs are removed: translations of two sentences that differ in a word are two pairs that both teach.

    What the user holds out by name (`resolve_pairs`) is never learnt from, nor are its sources' near twins; the parts
    held out of other files are of sources then.

    Near twins are looked for by the ``workers``; reading and cleaning stay here.

    *Cost.* About 300 bytes of memory a pair, and 500 more while near twins are looked for; texts go to one file.

    Raises:
        UsageError: an option is set that pairs have no use for.
        InputError: a source can't be used; the message names file and line.
        TooLittleTextError: too little is left to be split.
        DiskFullError: the disk is full; nothing half written remains.
    """
    check_options(options)
    sources = resolve_pairs(names)
    with atomic_folder(folder) as work:
        facts, hashed = _prepare(sources, options, work, listener, workers)
        write_header(work / HEADER, facts, hashed, labels=[source.label for source in sources])
    return open_pairs(folder)


def open_pairs(folder: Path) -> ParallelCorpus:
    """Open what `prepare_pairs` left in ``folder``.

    Raises:
        ArtefactError: there are no prepared pairs.
        DamagedError: a file is damaged; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    with reading(folder / HEADER, what="pairs") as header:
        table = np.load(folder / TABLE)
        labels, facts, hashed = tuple(header["labels"]), header["facts"], header["fingerprint"]
        if int(table["stop"].max()) > (folder / TEXT).stat().st_size:
            raise ValueError("text is missing")
        if int(table["file"].max()) >= len(labels):
            raise ValueError("names of files are missing")
    sets = {name: _pair_set(folder, table, split, labels) for name, split in SPLITS.items()}
    return ParallelCorpus(folder, **sets, fingerprint=hashed, recorded=facts)


def _pair_set(folder: Path, table: Table, split: int, labels: tuple[str, ...]) -> PairSet:
    rows = np.flatnonzero(table["split"] == split)
    return PairSet(folder, rows, int((table["stop"][rows] - table["start"][rows]).sum()), labels)


def _prepare(
    sources: list[PairSource], options: TextConfig, work: Path, tell: Listener, workers: Workers
) -> tuple[dict[str, Any], str]:
    with Ledger(work / LEDGER) as ledger, (work / TEXT).open("wb") as file:
        spool = _PairSpool(file, ledger, keeps_twins=options.duplicates == "keep")
        # what is held out first: of twins the one that is measured on stays
        ordered = sorted(enumerate(sources), key=lambda one: one[1].split not in HELD_OUT)
        for done, (number, source) in enumerate(ordered, start=1):
            line = 0
            for line, one, other in read_sides(source, options, ledger):
                cleaned = (clean(text, options, ledger).strip() for text in (one, other))
                spool.add((number, line), *cleaned, label=source.label, held_out=source.split in HELD_OUT)
            if source.split in HELD_OUT:
                check_read(source.label, line)
            tell({"event": "read", "source": source.label, "sources": len(sources), "done": done})
        file.flush()
        table, digests = spool.table()
        if not len(table):
            raise TooLittleTextError(f"{', '.join(s.label for s in sources[:3])}: no pairs after cleaning")
        groups, notes = _groups(work / TEXT, table, digests[:, 0], options, workers)
        given = {source.split for source in sources} - {""}
        if given:
            table, digests = _held_out(table, groups, digests, sources, options, ledger)
        else:
            table["split"] = _splits(table, groups, digests[:, 0], options)
        np.save(work / TABLE, table)
        facts = {**facts_of(sources, table, ledger), "notes": notes}
    return facts, fingerprint(digests[:, 1], options)


def _held_out(
    table: Table,
    groups: npt.NDArray[np.int64],
    digests: npt.NDArray[np.uint64],
    sources: list[PairSource],
    options: TextConfig,
    ledger: Ledger,
) -> tuple[Table, npt.NDArray[np.uint64]]:
    """Return what is kept of table and hashes where the user holds out files: what stands in them is not learnt."""
    of_file = np.array([SPLITS.get(source.split, UNDECIDED) for source in sources], np.uint8)
    table["split"] = of_file[table["file"]]
    smallest = np.full(len(table), LAST, np.uint64)
    np.minimum.at(smallest, groups, digests[:, 0])
    kept = hold_out(table["split"], smallest[groups], options, {source.split for source in sources})
    for entry in table[~kept]:
        ledger.remove("held out too", document=f"{sources[entry['file']].label}:{entry['line']}")
    return table[kept], digests[kept]


def _splits(
    table: Table, groups: npt.NDArray[np.int64], sources: npt.NDArray[np.uint64], options: TextConfig
) -> npt.NDArray[np.uint8]:
    """Return (pairs,) splits; a group is one document to `assign`, and has the smallest hash of its sources.

    A group that alone is more than what is held out trains: nothing else would be measured on.
    """
    sizes = np.bincount(groups, (table["stop"] - table["start"]).astype(np.float64)).astype(np.int64)
    hashes = np.full(len(sizes), LAST, np.uint64)
    np.minimum.at(hashes, groups, sources)
    if len(sizes) == len(np.unique(sources)):
        return assign(hashes, sizes, options)[groups]
    total = int(sizes.sum())
    wanted = [min(part * total, options.held_out_bytes) for part in (options.dev, options.test) if part]
    large = sizes > min(wanted, default=total)
    hashes[large] = LAST
    if len(sizes) < FEWEST_DOCUMENTS or int(sizes[~large].sum()) < sum(wanted):
        raise TooLittleTextError(
            "too many sources are nearly the same as one another to hold some out that differ from the rest "
            f"({len(sizes)} groups): text.duplicates = exact splits near twins too"
        )
    return assign(hashes, sizes, options)[groups]


def _groups(
    path: Path, table: Table, sources: npt.NDArray[np.uint64], options: TextConfig, workers: Workers
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return for each pair the number of the group that stays together, and what is to be said of it."""
    _, first, places = np.unique(sources, return_index=True, return_inverse=True)
    if options.duplicates != "near":
        return places, []
    text = np.memmap(path, dtype=np.uint8, mode="r")
    pairs, _, _ = near_pairs(
        text,
        (table["start"][first], table["middle"][first]),
        width=options.shingle,
        similarity=options.similarity,
        seed=SEED,
        rows=ROWS,
        workers=workers,
    )
    alike = len(np.unique(pairs))
    notes = (
        [f"{alike} sources are nearly the same as another: such pairs stand on one side of the split"] if alike else []
    )
    return linked(pairs, len(first))[places], notes


class _PairSpool:
    """Cleaned pairs on their way: one file of UTF-8, and a few numbers a pair in memory."""

    def __init__(self, file: IO[bytes], ledger: Ledger, *, keeps_twins: bool) -> None:
        self._file, self._ledger, self._keeps_twins = file, ledger, keeps_twins
        self._size = 0
        self._columns = {name: array("q") for name in ("start", "middle", "stop", "line", "file")}
        self._digests = array("Q")
        self._seen: dict[int, int] = {}
        self._labels: dict[int, str] = {}

    def add(self, place: tuple[int, int], source: str, target: str, *, label: str, held_out: bool) -> None:
        """Write the pair at a ``place``, file and line, unless a side is empty or it was there before.

        A file that the user holds out keeps its twins: it measures what it measures elsewhere.
        """
        number, line = place
        self._labels[number] = label
        for side, text in ((SOURCE, source), (TARGET, target)):
            if not text:
                self._ledger.remove(f"empty {side}", document=f"{label}:{line}")
                return
        one, other = source.encode(), target.encode()
        own, whole = digest(one), digest(one + b"\x00" + other)
        twin = self._seen.setdefault(whole, len(self._columns["start"]))
        if twin < len(self._columns["start"]) and not (self._keeps_twins or held_out):
            kept = f"{self._labels[self._columns['file'][twin]]}:{self._columns['line'][twin]}"
            size = len(one) + len(other)
            self._ledger.remove("exact duplicate", document=f"{label}:{line}", kept=kept, size_bytes=size)
            return
        self._file.write(one + other)
        middle, stop = self._size + len(one), self._size + len(one) + len(other)
        for name, value in zip(self._columns, (self._size, middle, stop, line, number), strict=True):
            self._columns[name].append(value)
        self._size = stop
        self._digests.extend((own, whole))

    def table(self) -> tuple[Table, npt.NDArray[np.uint64]]:
        """Return what is known of the pairs, and (pairs, 2) hashes: of their sources, and of both sides."""
        table = np.zeros(len(self._columns["start"]), dtype=ROW)
        for name, values in self._columns.items():
            table[name] = values
        return table, np.array(self._digests, dtype=np.uint64).reshape(-1, 2)
