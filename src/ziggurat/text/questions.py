"""From files of questions with their queries to pairs that are split, and linked with the values of a database.

Files are those of `ziggurat.text.queries`; which values there are, and how questions and queries are then written, say
`ziggurat.text.databases` and `ziggurat.text.question_links`.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.core.errors import InputError, TooLittleTextError, UnknownNameError, UsageError
from ziggurat.core.files import atomic_folder
from ziggurat.core.types import Document, Example, Listener, Pair
from ziggurat.core.workers import HERE, Workers
from ziggurat.text.databases import is_database, read_schema, stored_values
from ziggurat.text.ledger import Ledger
from ziggurat.text.linking import queried_names, queried_values
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options
from ziggurat.text.prepared import LEDGER, PreparedText, digest, facts_of, fingerprint, reading, write_header
from ziggurat.text.queries import Query, QueryPair, read_queries
from ziggurat.text.query_answers import asking, fault, said_faults
from ziggurat.text.question_links import Constants, LinkedQuestion, QuestionLinker
from ziggurat.text.splits import SPLITS, TRAIN, UNDECIDED, hold_out
from ziggurat.text.tagged import one_source

__all__ = [
    "QUERIES",
    "QuestionCorpus",
    "QuestionSet",
    "QuestionSource",
    "linker_of",
    "open_questions",
    "prepare_questions",
    "resolve_questions",
]

QUERIES = "queries"
"""What ``text.format`` says where files hold questions with their queries."""
DATABASE = "database"
HEADER = "questions.json"
PAIRS = "questions.jsonl"
ROW = np.dtype([("start", "<i8"), ("stop", "<i8"), ("split", "u1")])
SPLIT_NAMES = tuple(SPLITS)
FEWEST = 10
"""Pairs that there must be to learn from."""

_LOG = logging.getLogger("ziggurat")


@dataclass(frozen=True, slots=True)
class QuestionSource:
    """A file, and what the user made it."""

    path: str
    role: str = ""
    """``train``, ``dev``, ``test`` or ``database``; empty where its pairs are to be split."""

    @property
    def label(self) -> str:
        """What the user calls it."""
        return self.path


@dataclass(frozen=True)
class QuestionSet:
    """The questions of one split, in memory, as they were asked and as they are learnt from."""

    entries: tuple[tuple[QueryPair, Pair], ...]

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.entries)

    def __iter__(self) -> Iterator[Pair]:
        """Yield the linked pairs."""
        return (pair for _, pair in self.entries)

    def texts(self) -> Iterator[str]:
        """Yield every text: of each pair its source, then its target."""
        for pair in self:
            yield from (pair.source, pair.target)

    def examples(self) -> Iterator[Example]:
        """Yield the questions and queries as they stand in the file."""
        for asked, _ in self.entries:
            yield Example(asked.id, asked.utterance, Query(asked.sql, place=asked.id))

    @property
    def sides(self) -> Mapping[str, list[Document]]:
        """What is to be tokenized: the targets, and the sources that they follow from."""
        return {
            "": [Document(pair.id, pair.target) for pair in self],
            "source": [Document(pair.id, pair.source) for pair in self],
        }


@dataclass(frozen=True)
class QuestionCorpus(PreparedText[QuestionSet]):
    """Prepared questions."""


def resolve_questions(names: Sequence[str]) -> list[QuestionSource]:
    """Return the files behind ``names``; ``dev=FILE`` and ``test=FILE`` are held out, ``database=FILE`` is asked.

    Raises:
        InputError: none is named, or a path does not exist; the message names the nearest.
        UnknownNameError: a file is said to be something else.
        UsageError: two databases are named.
    """
    roles = (*SPLIT_NAMES, DATABASE)
    found = []
    for name in names:
        role, equals, path = name.partition("=")
        if not equals or Path(name).exists():
            role, path = "", name
        elif role not in roles:
            raise UnknownNameError("split", role, roles, where=name)
        one_source(path)
        found.append(QuestionSource(path, role))
    if all(source.role in ("dev", "test", DATABASE) for source in found):
        raise InputError("no file of questions to learn from was named: give one that is not held out")
    databases = [source.path for source in found if source.role == DATABASE]
    if len(databases) > 1:
        raise UsageError(f"{', '.join(databases)}: questions are about one database; name one")
    return found


def prepare_questions(
    names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener, workers: Workers = HERE
) -> QuestionCorpus:
    """Read, split and link the questions behind ``names`` (`resolve_questions`) into ``folder``.

    *Idea.* Equal questions stay on one side of a split, and what is held out in a file of its own is never learnt from.
    Known are the values of the database; without one, those of the queries learnt from. What the manifest keeps of them
    (`linker_of`) links new questions in the same way. Queries that the database refuses are learnt, and said.

    *Cost.* All questions are in memory.

    Raises:
        UsageError: an option is set that questions have no use for.
        InputError: a file can't be used; the message names file and line.
        TooLittleTextError: there are too few questions.
        DiskFullError: the disk is full; nothing half written remains.
    """
    del workers  # reading some thousand questions takes seconds
    check_options(options, of="questions")
    sources = resolve_questions(names)
    database = next((source.path for source in sources if source.role == DATABASE), "")
    if database:
        read_schema(database)  # what is wrong with it is said before anything is read
    sources = [source for source in sources if source.role != DATABASE]
    with atomic_folder(folder) as work, Ledger(work / LEDGER) as ledger:
        asked: list[QueryPair] = []
        splits: list[int] = []
        for number, source in enumerate(sources):
            asked += read_queries(source.path)
            splits += [SPLITS.get(source.role, UNDECIDED)] * (len(asked) - len(splits))
            listener({"event": "read", "source": source.label, "sources": len(sources), "done": number + 1})
        table = np.zeros(len(asked), ROW)
        table["split"] = splits
        table["stop"] = [len((pair.utterance + pair.sql).encode()) for pair in asked]
        hashes = np.array([digest(pair.utterance.encode()) for pair in asked], np.uint64)
        kept = hold_out(table["split"], hashes, options, {source.role for source in sources})
        for place in np.flatnonzero(~kept).tolist():
            ledger.remove("held out too", document=asked[place].id)
        asked, table = [asked[place] for place in np.flatnonzero(kept).tolist()], table[kept]
        learnt = [pair for pair, split in zip(asked, table["split"].tolist(), strict=True) if split == TRAIN]
        if len(learnt) < FEWEST:
            raise TooLittleTextError(f"{len(learnt)} questions to learn from; there must be at least {FEWEST}")
        _say_refused(asked, database)
        facts = {**facts_of(sources, table, ledger), "questions": _known(learnt, database)}
        linker = linker_of(facts)
        linked = [linker.linked(pair.utterance, pair.sql) for pair in asked]
        pairs = zip(linked, table["split"].tolist(), strict=True)
        constants = Constants.of(question for question, split in pairs if split == TRAIN)
        facts["questions"] |= {"texts": list(constants.texts), "numbers": list(constants.numbers)}
        digests = _write(work / PAIRS, asked, linked, table["split"].tolist())
        write_header(work / HEADER, facts, fingerprint(np.array(digests, np.uint64), options))
    return open_questions(folder)


def open_questions(folder: Path) -> QuestionCorpus:
    """Open what `prepare_questions` left in ``folder``.

    Raises:
        ArtefactError: there are no prepared questions.
        DamagedError: a file is damaged; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    found: dict[int, list[tuple[QueryPair, Pair]]] = {split: [] for split in SPLITS.values()}
    with reading(folder / HEADER, what="questions") as header:
        facts, hashed = header["facts"], header["fingerprint"]
        with (folder / PAIRS).open(encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                pair = Pair(entry["id"], entry["source"], entry["target"])
                found[entry["split"]].append((QueryPair(entry["id"], entry["utterance"], entry["sql"]), pair))
        if any(len(found[split]) != facts["splits"][name]["documents"] for name, split in SPLITS.items()):
            raise ValueError("questions are missing")
    sets = {name: QuestionSet(tuple(found[split])) for name, split in SPLITS.items()}
    return QuestionCorpus(folder, **sets, fingerprint=hashed, recorded=facts)


def linker_of(facts: Mapping[str, Any], database: str = "") -> QuestionLinker:
    """Return what links questions as the corpus with these facts was, or with the values of another ``database``.

    Raises:
        InputError: the database can't be read.
    """
    known = facts["questions"]
    chosen = database or known[DATABASE]
    values = stored_values(chosen) if chosen and is_database(chosen) else known["values"]
    if "names" not in known:  # prepared when a run of Han was one word: the model has learnt to read it so
        return QuestionLinker(values, whole_runs=True)
    return QuestionLinker(values, read_schema(chosen).names if chosen else known["names"])


def _say_refused(asked: Sequence[QueryPair], database: str) -> None:
    if not is_database(database):
        return
    with asking(database) as connection:
        faults = [(pair.id, what) for pair in asked if (what := fault(pair.sql, connection))]
    if faults:
        _LOG.warning(
            "%d of %d queries fail on this database (%s): mend them or leave them out",
            *(len(faults), len(asked), said_faults(faults)),
        )


def _known(learnt: Sequence[QueryPair], database: str) -> dict[str, Any]:
    """Return what the manifest keeps of the database: where it is; what that does not hold is that of queries."""
    if not database:
        return {DATABASE: "", "values": queried_values(learnt), "names": queried_names(learnt)}
    values = {} if is_database(database) else queried_values(learnt)
    return {DATABASE: str(Path(database).resolve()), "values": values, "names": []}


def _write(
    path: Path, asked: Sequence[QueryPair], linked: Sequence[LinkedQuestion], splits: Sequence[int]
) -> list[int]:
    """Write the pairs; return a hash of each."""
    digests: list[int] = []
    with path.open("w", encoding="utf-8") as file:
        for pair, question, split in zip(asked, linked, splits, strict=True):
            kept = {"utterance": pair.utterance, "sql": pair.sql, "split": split}
            kept |= {"source": question.source, "target": question.target}
            digests.append(digest(json.dumps(kept).encode()))
            file.write(json.dumps({"id": pair.id, **kept}, ensure_ascii=False) + "\n")
    return digests
