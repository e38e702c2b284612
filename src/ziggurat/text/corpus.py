"""From what the user named to documents that are clean, without duplicates, and split."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.files import atomic_folder
from ziggurat.core.types import Document, Listener
from ziggurat.core.workers import HERE, Workers
from ziggurat.text.duplicates import Pairs, near_pairs, twins
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
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
from ziggurat.text.reading import read_all
from ziggurat.text.records import Source
from ziggurat.text.segmentation import blocks, language_of
from ziggurat.text.sources import resolve
from ziggurat.text.splits import SPLITS, TRAIN, assign
from ziggurat.text.spool import Spool

__all__ = ["Corpus", "DocumentSet", "open_corpus", "prepare"]

HEADER = "corpus.json"
TABLE = "documents.npy"
NAMES = "names.txt"
CHECK_SEED, FIRST_SEED = 1, 0
CHECK_ROWS = 3
"""Values in a band of the check's signatures: fewer than in the search, so it finds pairs that the search may miss."""

Search: TypeAlias = Callable[..., tuple[Pairs, npt.NDArray[np.float64], int]]
"""`near_pairs` of one text."""

ROW = np.dtype([("start", "<i8"), ("stop", "<i8"), ("digest", "<u8"), ("split", "u1")])


@dataclass(frozen=True)
class DocumentSet:
    """The documents of one split; can be read any number of times, from disk each time."""

    folder: Path
    rows: npt.NDArray[np.int64]
    """Places in the corpus' table."""
    size_bytes: int

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Document]:
        """Yield the documents in the order of the corpus."""
        table = np.load(self.folder / TABLE)
        names = (self.folder / NAMES).read_text(encoding="utf-8").split("\n")
        with (self.folder / TEXT).open("rb") as file:
            for row in self.rows.tolist():
                entry = table[row]
                file.seek(int(entry["start"]))
                text = file.read(int(entry["stop"] - entry["start"])).decode()
                name, _, source = names[row].partition("\t")
                yield Document(name, text, source, language_of(text))

    def texts(self) -> Iterator[str]:
        """Yield every text."""
        return (document.text for document in self)

    @property
    def sides(self) -> Mapping[str, Iterable[Document]]:
        """What is to be tokenized: the documents, which have one side only."""
        return {"": self}


@dataclass(frozen=True)
class Corpus(PreparedText[DocumentSet]):
    """A prepared text of documents."""


def prepare(
    names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener, workers: Workers = HERE
) -> Corpus:
    """Read, clean, deduplicate and split the text behind ``names`` into ``folder``.

    *Idea.* Text goes once through memory, piece by piece, into one file; everything after works on that file through a
    memory map and on a few numbers a document. The files in ``folder`` have the same bytes whoever the ``workers`` are.

    Raises:
        UsageError: a column of labels is named, which documents don't have.
        InputError: a source can't be used; the message names file and line.
        TooLittleTextError: too little is left to be split.
        DiskFullError: the disk is full; nothing half written remains.
    """
    if options.label_field is not None:
        raise UsageError("text.label_field: documents have no labels; leave it out")
    sources = resolve(names)
    with atomic_folder(folder) as work:
        facts, hashed = _prepare(sources, options, work, listener, workers)
        write_header(work / HEADER, facts, hashed)
    return open_corpus(folder)


def open_corpus(folder: Path) -> Corpus:
    """Open what `prepare` left in ``folder``.

    Raises:
        ArtefactError: there is no corpus.
        DamagedError: a file is damaged; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    with reading(folder / HEADER, what="text") as header:
        table = np.load(folder / TABLE)
        facts, hashed = header["facts"], header["fingerprint"]
        if int(table["stop"].max()) > (folder / TEXT).stat().st_size:
            raise ValueError("text is missing")
        if (folder / NAMES).read_bytes().count(b"\n") != len(table):
            raise ValueError("names are missing")
    sets = {name: _document_set(folder, table, split) for name, split in SPLITS.items()}
    return Corpus(folder, **sets, fingerprint=hashed, recorded=facts)


def _document_set(folder: Path, table: Table, split: int) -> DocumentSet:
    rows = np.flatnonzero(table["split"] == split)
    return DocumentSet(folder, rows, int((table["stop"][rows] - table["start"][rows]).sum()))


def _prepare(
    sources: list[Source], options: TextConfig, work: Path, tell: Listener, workers: Workers
) -> tuple[dict[str, Any], str]:
    with Ledger(work / LEDGER) as ledger:
        spool = Spool(work / TEXT)
        try:
            read_all(sources, options, ledger, spool, tell=tell, workers=workers)
        finally:
            spool.close()
        starts, stops, names, notes = _cut(spool, options)
        text = _mapped(work / TEXT)
        if not len(text):
            raise TooLittleTextError(f"{', '.join(s.label for s in sources[:3])}: no text after cleaning")
        digests = np.array(
            [digest(text[a:b].tobytes()) for a, b in zip(starts.tolist(), stops.tolist(), strict=True)], np.uint64
        )
        keep = np.ones(len(starts), dtype=bool)
        search = partial(near_pairs, text, width=options.shingle, similarity=options.similarity, workers=workers)
        if options.duplicates != "keep":
            _drop_exact(digests, starts, stops, names, keep, ledger)
        if options.duplicates == "near":
            _drop_near(search, (starts, stops), digests, names, keep, ledger)
        starts, stops, digests = starts[keep], stops[keep], digests[keep]
        names = [name for name, kept in zip(names, keep.tolist(), strict=True) if kept]
        splits = assign(digests, stops - starts, options)
        leaks = _check(search, (starts, stops), splits, names, options, ledger)
        held = leaks.pop("rows")
        rest = np.ones(len(starts), dtype=bool)
        rest[held] = False
        table = np.zeros(int(rest.sum()), dtype=ROW)
        table["start"], table["stop"], table["digest"] = starts[rest], stops[rest], digests[rest]
        table["split"] = splits[rest]
        np.save(work / TABLE, table)
        kept_names = [name for name, kept in zip(names, rest.tolist(), strict=True) if kept]
        (work / NAMES).write_text("\n".join(kept_names) + "\n", encoding="utf-8")
        facts = {**facts_of(sources, table, ledger), **leaks, "notes": notes}
    return facts, fingerprint(table["digest"], options)


def _cut(
    spool: Spool, options: TextConfig
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[str], list[str]]:
    """Cut long documents into blocks of paragraphs where that was asked for or where there are too few documents."""
    starts, stops = spool.starts, spool.stops
    few = options.cut == "auto" and len(starts) < options.fewest_documents
    longest = options.block_bytes * 3 // 2 if few or options.cut == "always" else options.longest_bytes
    labels = [f"{name}\t{source}" for name, source in zip(spool.names, spool.sources, strict=True)]
    if options.cut == "never" or not len(starts) or int((stops - starts).max()) <= longest:
        return starts, stops, labels, []
    text = _mapped(spool.path)
    size = options.block_bytes if few or options.cut == "always" else options.longest_bytes
    new: list[tuple[int, int, str]] = []
    cut = 0
    for start, stop, name, source in zip(starts.tolist(), stops.tolist(), spool.names, spool.sources, strict=True):
        if stop - start <= longest:
            new.append((start, stop, f"{name}\t{source}"))
            continue
        cut += 1
        raw = text[start:stop].tobytes()
        for number, (a, b) in enumerate(blocks(raw, size), start=1):
            left, right = _stripped(raw, a, b)
            if left < right:
                new.append((start + left, start + right, f"{name}#{number}\t{source}"))
    why = f"too few documents to split ({len(starts)})" if few else f"long documents ({cut})"
    notes = [
        f"{why}: cut into {len(new)} blocks at paragraphs; blocks of one document may stand on both sides of the split"
    ]
    return np.array([n[0] for n in new]), np.array([n[1] for n in new]), [n[2] for n in new], notes


def _drop_exact(
    digests: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    names: list[str],
    keep: npt.NDArray[np.bool_],
    ledger: Ledger,
) -> None:
    first: dict[int, int] = {}
    for index, own in enumerate(digests.tolist()):
        twin = first.setdefault(own, index)
        if twin != index:
            keep[index] = False
            ledger.remove(
                "exact duplicate",
                document=_name(names[index]),
                kept=_name(names[twin]),
                similarity=1.0,
                size_bytes=int(stops[index] - starts[index]),
            )


def _drop_near(
    search: Search,
    spans: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    digests: npt.NDArray[np.uint64],
    names: list[str],
    keep: npt.NDArray[np.bool_],
    ledger: Ledger,
) -> None:
    rows = np.flatnonzero(keep)
    starts, stops = spans[0][rows], spans[1][rows]
    pairs, similarities, _ = search((starts, stops), seed=FIRST_SEED)
    alike = {(a, b): s for (a, b), s in zip(pairs.tolist(), similarities.tolist(), strict=True)}
    for removed, kept in twins(pairs, stops - starts, digests[rows]).items():
        keep[rows[removed]] = False
        ledger.remove(
            "near duplicate",
            document=_name(names[rows[removed]]),
            kept=_name(names[rows[kept]]),
            similarity=round(alike[min(removed, kept), max(removed, kept)], 3),
            size_bytes=int(stops[removed] - starts[removed]),
        )


def _check(
    search: Search,
    spans: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    splits: npt.NDArray[np.uint8],
    names: list[str],
    options: TextConfig,
    ledger: Ledger,
) -> dict[str, Any]:
    """Look again, with other hashes and looser bands, for near duplicates that stand on both sides of the split.

    Where the search missed one, its held-out side is removed now. Returns the facts and the rows to be removed.
    """
    if options.duplicates != "near":
        return {"near_duplicates_across_splits": None, "pairs_compared": 0, "rows": []}
    pairs, similarities, compared = search(spans, seed=CHECK_SEED, rows=CHECK_ROWS)
    removed: set[int] = set()
    for (a, b), similarity in zip(pairs.tolist(), similarities.tolist(), strict=True):
        if splits[a] == splits[b] or a in removed or b in removed:
            continue
        out, kept = (a, b) if splits[a] != TRAIN else (b, a)
        removed.add(out)
        size = int(spans[1][out] - spans[0][out])
        ledger.remove(
            "near duplicate found by the check",
            document=_name(names[out]),
            kept=_name(names[kept]),
            similarity=round(similarity, 3),
            size_bytes=size,
        )
    remaining = sum(splits[a] != splits[b] and a not in removed and b not in removed for a, b in pairs.tolist())
    return {"near_duplicates_across_splits": int(remaining), "pairs_compared": compared, "rows": sorted(removed)}


def _stripped(raw: bytes, start: int, stop: int) -> tuple[int, int]:
    piece = raw[start:stop]
    left = start + len(piece) - len(piece.lstrip())
    return left, left + len(piece.strip())


def _name(label: str) -> str:
    return label.partition("\t")[0]


def _mapped(path: Path) -> npt.NDArray[np.uint8]:
    return np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.zeros(0, dtype=np.uint8)
