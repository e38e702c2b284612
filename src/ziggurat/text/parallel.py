"""From files of pairs to pairs that are clean, without duplicates, and split: a source and the target that follows.

Which files hold pairs, and in which forms, says `ziggurat.text.pairs`.
"""

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import to_mapping
from ziggurat.core.errors import ArtefactError, DamagedError, NewerVersionError, TooLittleTextError
from ziggurat.core.files import atomic_folder, write_text
from ziggurat.core.types import Document, Listener, Pair
from ziggurat.text.cleaning import clean
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import PairSource, read_sides, resolve_pairs
from ziggurat.text.splits import SPLITS, assign

__all__ = ["PairSet", "ParallelCorpus", "open_pairs", "prepare_pairs"]

FORMAT = 1
HEADER = "pairs.json"
TEXT = "text.utf8"
TABLE = "pairs.npy"
LEDGER = "ledger.jsonl"

ROW = np.dtype(
    [("start", "<i8"), ("middle", "<i8"), ("stop", "<i8"), ("line", "<i8"), ("file", "<u4"), ("split", "u1")]
)
Table = npt.NDArray[np.void]
SOURCE, TARGET = "source", "target"


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
class ParallelCorpus:
    """Prepared pairs: three splits, and what was done to get them."""

    folder: Path
    train: PairSet
    dev: PairSet
    test: PairSet
    fingerprint: str
    """Hash of all kept pairs and of the options; does not depend on the order of files."""
    recorded: dict[str, Any]
    """What `facts` returns, but for the fingerprint."""

    @property
    def ledger(self) -> Path:
        """The file that says which pairs were left out, and why."""
        return self.folder / LEDGER

    def facts(self) -> dict[str, Any]:
        """Return counts for reports and manifests: splits, what was removed, encodings."""
        return {**self.recorded, "fingerprint": self.fingerprint}


def prepare_pairs(names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener) -> ParallelCorpus:
    """Read, clean, deduplicate and split the pairs behind ``names`` into ``folder``.

    *Idea.* Which split a pair belongs to is decided by the hash of its source: a sentence with several translations
    never straddles splits. Only exact duplicates of whole pairs are removed: two translations of one sentence are two
    pairs.

    *Cost.* About 60 bytes of memory a pair; texts go through to one file.

    Raises:
        InputError: a source can't be used; the message names file and line.
        TooLittleTextError: too little is left to be split.
        DiskFullError: the disk is full; nothing half written remains.
    """
    sources = resolve_pairs(names)
    with atomic_folder(folder) as work:
        facts, fingerprint = _prepare(sources, options, work, listener)
        header = {"format": FORMAT, "fingerprint": fingerprint, "facts": facts}
        header["labels"] = [source.label for source in sources]
        write_text(work / HEADER, json.dumps(header, ensure_ascii=False, indent=1))
    return open_pairs(folder)


def open_pairs(folder: Path) -> ParallelCorpus:
    """Open what `prepare_pairs` left in ``folder``.

    Raises:
        ArtefactError: there are no prepared pairs.
        DamagedError: a file is damaged; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    path = folder / HEADER
    if not path.is_file():
        raise ArtefactError(f"{folder}: no prepared pairs ({HEADER} is missing)")
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        if header["format"] > FORMAT:
            raise NewerVersionError(f"{path}: written by a newer ziggurat; upgrade, or prepare the pairs again")
        table = np.load(folder / TABLE)
        labels, facts, fingerprint = tuple(header["labels"]), header["facts"], header["fingerprint"]
        if int(table["stop"].max()) > (folder / TEXT).stat().st_size:
            raise ValueError("text is missing")
        if int(table["file"].max()) >= len(labels):
            raise ValueError("names of files are missing")
    except (ValueError, LookupError, TypeError, OSError, EOFError) as error:
        raise DamagedError(f"{path}: damaged: prepare the pairs again ({error})") from error
    sets = {name: _pair_set(folder, table, split, labels) for name, split in SPLITS.items()}
    return ParallelCorpus(folder, **sets, fingerprint=fingerprint, recorded=facts)


def _pair_set(folder: Path, table: Table, split: int, labels: tuple[str, ...]) -> PairSet:
    rows = np.flatnonzero(table["split"] == split)
    return PairSet(folder, rows, int((table["stop"][rows] - table["start"][rows]).sum()), labels)


def _prepare(sources: list[PairSource], options: TextConfig, work: Path, tell: Listener) -> tuple[dict[str, Any], str]:
    with Ledger(work / LEDGER) as ledger, (work / TEXT).open("wb") as file:
        spool = _PairSpool(file, ledger, keeps_twins=options.duplicates == "keep")
        for number, source in enumerate(sources):
            for line, one, other in read_sides(source, options, ledger):
                cleaned = (clean(text, options, ledger).strip() for text in (one, other))
                spool.add(number, line, *cleaned, label=source.label)
            tell({"event": "read", "source": source.label, "sources": len(sources), "done": number + 1})
        table, digests = spool.table()
        if not len(table):
            raise TooLittleTextError(f"{', '.join(s.label for s in sources[:3])}: no pairs after cleaning")
        own, places = np.unique(digests[:, 0], return_inverse=True)
        sizes = np.bincount(places, (table["stop"] - table["start"]).astype(np.float64)).astype(np.int64)
        table["split"] = assign(own, sizes, options)[places]
        np.save(work / TABLE, table)
        facts = {
            "sources": [source.label for source in sources[:20]],
            "source_count": len(sources),
            "splits": _split_facts(table),
            "removed": ledger.summary(),
            "observed": {kind: dict(counts) for kind, counts in ledger.observed.items()},
            "notes": [],
        }
    state = hashlib.sha256(np.sort(digests[:, 1]).tobytes())
    state.update(json.dumps(to_mapping(options), sort_keys=True).encode())
    return facts, state.hexdigest()[:16]


class _PairSpool:
    """Cleaned pairs on their way: one file of UTF-8, and a few numbers a pair in memory."""

    def __init__(self, file: IO[bytes], ledger: Ledger, *, keeps_twins: bool) -> None:
        self._file, self._ledger, self._keeps_twins = file, ledger, keeps_twins
        self._size = 0
        self._columns = {name: array("q") for name in ("start", "middle", "stop", "line", "file")}
        self._digests = array("Q")
        self._seen: dict[int, int] = {}
        self._labels: dict[int, str] = {}

    def add(self, number: int, line: int, source: str, target: str, *, label: str) -> None:
        """Write one pair, unless a side is empty or it was there before."""
        self._labels[number] = label
        for side, text in ((SOURCE, source), (TARGET, target)):
            if not text:
                self._ledger.remove(f"empty {side}", document=f"{label}:{line}")
                return
        one, other = source.encode(), target.encode()
        own, whole = _digest(one), _digest(one + b"\x00" + other)
        twin = self._seen.setdefault(whole, len(self._columns["start"]))
        if twin < len(self._columns["start"]) and not self._keeps_twins:
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


def _split_facts(table: Table) -> dict[str, dict[str, int]]:
    sizes = table["stop"] - table["start"]
    return {
        name: {"documents": int((table["split"] == split).sum()), "bytes": int(sizes[table["split"] == split].sum())}
        for name, split in SPLITS.items()
    }


def _digest(raw: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")
