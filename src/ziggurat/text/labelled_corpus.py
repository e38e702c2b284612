"""From files of labelled texts, of labelled words or of roles to examples that are split, with their labels."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ziggurat.core.errors import InputError, TooLittleTextError
from ziggurat.core.files import atomic_folder
from ziggurat.core.schemes import lenient_spans_of
from ziggurat.core.spacing import joined
from ziggurat.core.types import Document, Example, Listener
from ziggurat.core.workers import HERE, Workers
from ziggurat.text.cleaning import clean
from ziggurat.text.label_schemes import check_scheme
from ziggurat.text.labelled import read_examples
from ziggurat.text.labelled_words import read_labelled_words
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options
from ziggurat.text.prepared import LEDGER, PreparedText, digest, facts_of, fingerprint, reading, write_header
from ziggurat.text.readings import Reading, frozen, plain, readings
from ziggurat.text.roles import RoleSentence, read_roles
from ziggurat.text.splits import SPLITS, TRAIN, UNDECIDED, check_read, hold_out, named_split
from ziggurat.text.tagged import one_source

__all__ = [
    "ExampleSet",
    "LabelledCorpus",
    "LabelledSource",
    "open_labelled",
    "prepare_labelled",
    "prepare_roles",
    "prepare_tagged",
    "resolve_labelled",
]

HEADER = "labelled.json"
EXAMPLES = "examples.jsonl"
SHOWN = 5
"""Labels that a warning lists."""
ROW = np.dtype([("start", "<i8"), ("stop", "<i8"), ("split", "u1")])

_LOG = logging.getLogger("ziggurat")

Read: TypeAlias = Callable[[str, TextConfig, Ledger], Iterator[Example]]
"""Yields the examples of a file."""


@dataclass(frozen=True, slots=True)
class LabelledSource:
    """A file of labelled examples, and which split the user made it."""

    path: str
    split: str = ""
    """``train``, ``dev`` or ``test``; empty where its examples are to be split."""

    @property
    def label(self) -> str:
        """What the user calls it."""
        return self.path


@dataclass(frozen=True)
class ExampleSet:
    """The examples of one split, in memory."""

    entries: tuple[Example, ...]
    """Texts with a label each, sentences of words with a label for each word, or with their predicates and roles."""

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.entries)

    def __iter__(self) -> Iterator[Document]:
        """Yield the texts; words are joined to one (`ziggurat.core.spacing`)."""
        for entry in self.entries:
            yield Document(entry.id, _text(entry))

    def texts(self) -> Iterator[str]:
        """Yield every text."""
        return map(_text, self.entries)

    def examples(self) -> Iterator[Example]:
        """Yield the examples as a task judges them: texts with labels, words with spans, or sentences with roles."""
        for entry in self.entries:
            answer = entry.answer
            if isinstance(answer, str):
                yield entry
            elif _names_spans(answer):
                yield Example(entry.id, entry.input, sorted(lenient_spans_of(answer)))
            else:
                sentence = RoleSentence(entry.id, entry.input, answer)
                yield Example(entry.id, sentence.asked(), sentence.roles)

    def readings(self) -> Iterator[tuple[int, Reading]]:
        """Yield what is to be learnt of sentences: each one's number, and how it is read (`ziggurat.text.readings`)."""
        for number, entry in enumerate(self.entries):
            yield from ((number, one) for one in readings(entry.input, entry.answer))

    @property
    def sides(self) -> Mapping[str, Iterable[Document]]:
        """What is to be tokenized: the texts, which have one side only."""
        return {"": self}


@dataclass(frozen=True)
class LabelledCorpus(PreparedText[ExampleSet]):
    """Prepared texts with labels, or sentences whose words have labels or roles."""

    @property
    def of_words(self) -> bool:
        """Whether it is words that have labels."""
        return not isinstance(self.train.entries[0].answer, str)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that can be learnt: those of the training split, sorted."""
        return tuple(sorted(_counted(self.train.entries)))


def resolve_labelled(names: Sequence[str]) -> list[LabelledSource]:
    """Return the files behind ``names``; ``dev=FILE`` and ``test=FILE`` name one whose examples are held out.

    Raises:
        InputError: none is named, or a path does not exist; the message names the nearest.
        UnknownNameError: a file is said to be of another split.
    """
    found = []
    for name in names:
        split, path = named_split(name)
        one_source(path)
        found.append(LabelledSource(path, split))
    if all(source.split in ("dev", "test") for source in found):
        raise InputError("no file of labelled examples to learn from was named: give one that is not held out")
    return found


def prepare_labelled(
    names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener, workers: Workers = HERE
) -> LabelledCorpus:
    """Read, clean and split the labelled texts behind ``names`` (`resolve_labelled`) into ``folder``.

    *Idea.* Equal texts stay on one side of a split, whatever their labels. What the user holds out in a file of its own
    is never learnt from: a training text that stands there too is left out. The parts held out are of examples.

    *Cost.* All examples are in memory.

    Raises:
        UsageError: an option is set that labelled examples have no use for.
        InputError: a file can't be used; the message names file and line.
        TooLittleTextError: there are too few examples, or all have the same label.
        DiskFullError: the disk is full; nothing half written remains.
    """
    del workers  # reading labelled examples takes seconds
    check_options(options, of="labelled texts", columns=True)
    return _prepare(resolve_labelled(names), options, folder, listener, read=_texts)


def prepare_tagged(
    names: Sequence[str],
    options: TextConfig,
    *,
    folder: Path,
    listener: Listener,
    workers: Workers = HERE,
    scheme: str = "auto",
) -> LabelledCorpus:
    """Do `prepare_labelled` for sentences of words (`ziggurat.text.labelled_words`); words stay as they are written.

    Labels must be of the ``scheme``, which is the model's (`ziggurat.text.label_schemes.check_scheme`).

    Raises:
        UsageError, InputError, TooLittleTextError, DiskFullError: as there.
        InputError: a label is none of the scheme's; the message names file and line.
    """
    del workers
    check_options(options, of="labelled words")
    sources = resolve_labelled(names)

    def check(entries: Sequence[Example]) -> None:
        check_scheme(entries, scheme)

    return _prepare(sources, options, folder, listener, read=_sentences, check=check)


def prepare_roles(
    names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener, workers: Workers = HERE
) -> LabelledCorpus:
    """Do `prepare_labelled` for sentences with roles (`ziggurat.text.roles`); all predicates of one stay together.

    Raises:
        UsageError, InputError, TooLittleTextError, DiskFullError: as there.
    """
    del workers
    check_options(options, of="sentences with roles")
    return _prepare(resolve_labelled(names), options, folder, listener, read=_role_sentences)


def open_labelled(folder: Path) -> LabelledCorpus:
    """Open what `prepare_labelled`, `prepare_tagged` or `prepare_roles` left in ``folder``.

    Raises:
        ArtefactError: there are no prepared examples.
        DamagedError: a file is damaged; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    found: dict[int, list[Example]] = {split: [] for split in SPLITS.values()}
    with reading(folder / HEADER, what="labelled examples") as header:
        facts, hashed = header["facts"], header["fingerprint"]
        with (folder / EXAMPLES).open(encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                found[entry["split"]].append(Example(entry["id"], _frozen(entry["input"]), frozen(entry["answer"])))
        if any(len(found[split]) != facts["splits"][name]["documents"] for name, split in SPLITS.items()):
            raise ValueError("examples are missing")
    sets = {name: ExampleSet(tuple(found[split])) for name, split in SPLITS.items()}
    return LabelledCorpus(folder, **sets, fingerprint=hashed, recorded=facts)


def _prepare(
    sources: list[LabelledSource],
    options: TextConfig,
    folder: Path,
    tell: Listener,
    *,
    read: Read,
    check: Callable[[Sequence[Example]], None] | None = None,
) -> LabelledCorpus:
    with atomic_folder(folder) as work, Ledger(work / LEDGER) as ledger:
        entries: list[Example] = []
        splits: list[int] = []
        for number, source in enumerate(sources):
            before = len(entries)
            entries += read(source.path, options, ledger)
            check_read(source.label, len(entries) - before)
            splits += [SPLITS.get(source.split, UNDECIDED)] * (len(entries) - len(splits))
            tell({"event": "read", "source": source.label, "sources": len(sources), "done": number + 1})
        if check is not None:
            check(entries)
        table = np.zeros(len(entries), ROW)
        table["split"] = splits
        table["stop"] = [len(_text(entry).encode()) for entry in entries]
        hashes = np.array([digest(json.dumps(entry.input).encode()) for entry in entries], np.uint64)
        kept = hold_out(table["split"], hashes, options, {source.split for source in sources})
        for place in np.flatnonzero(~kept).tolist():
            ledger.remove("held out too", document=entries[place].id)
        entries, table = [entries[place] for place in np.flatnonzero(kept).tolist()], table[kept]
        _check(entries, table["split"].tolist(), sources)
        digests: list[int] = []
        with (work / EXAMPLES).open("w", encoding="utf-8") as file:
            for entry, split in zip(entries, table["split"].tolist(), strict=True):
                kept_of_it = {"input": entry.input, "answer": plain(entry.answer), "split": split}
                digests.append(digest(json.dumps(kept_of_it).encode()))
                file.write(json.dumps({"id": entry.id, **kept_of_it}, ensure_ascii=False) + "\n")
        counts = _counts(entries, table["split"].tolist())
        _say_unknown(counts)
        facts = {**facts_of(sources, table, ledger), "labels": counts}
        write_header(work / HEADER, facts, fingerprint(np.array(digests, np.uint64), options))
    return open_labelled(folder)


def _texts(path: str, options: TextConfig, ledger: Ledger) -> Iterator[Example]:
    for example in read_examples(path, options):
        text = clean(example.input, options, ledger).strip()
        if text:
            yield Example(example.id, text, example.answer)
        else:
            ledger.remove("empty", document=example.id)


def _sentences(path: str, options: TextConfig, ledger: Ledger) -> Iterator[Example]:
    del ledger
    return (Example(each.id, each.tokens, each.labels) for each in read_labelled_words(path, options))


def _role_sentences(path: str, options: TextConfig, ledger: Ledger) -> Iterator[Example]:
    del ledger
    return (Example(each.id, each.tokens, each.predicates) for each in read_roles(path, options))


def _frozen(read: str | list[str]) -> str | tuple[str, ...]:
    return read if isinstance(read, str) else tuple(read)


def _text(entry: Example) -> str:
    return entry.input if isinstance(entry.input, str) else joined(entry.input)[0]


def _names_spans(answer: Sequence[object]) -> bool:
    """Return whether an answer is labels of words; sentences are not empty, but of predicates there may be none."""
    return bool(answer) and isinstance(answer[0], str)


def _counted(entries: Iterable[Example]) -> Counter[str]:
    """Return how often each label is to be learnt of examples; roles count in all readings of a sentence."""
    found: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry.answer, str):
            found[entry.answer] += 1
        else:
            for one in readings(entry.input, entry.answer):
                found.update(one.labels)
    return found


def _check(entries: Sequence[Example], splits: Sequence[int], sources: Sequence[LabelledSource]) -> None:
    learnt = _counted(entry for entry, split in zip(entries, splits, strict=True) if split == TRAIN)
    if len(learnt) < 2:
        named = ", ".join(source.label for source in sources[:3])
        raise TooLittleTextError(f"{named}: {len(learnt)} different labels to learn from; there must be at least 2")


def _say_unknown(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Say which labels stand only in what is held out: nothing teaches them, and all that has them is told wrongly."""
    for split in ("dev", "test"):
        unknown = [f"{name} ({many})" for name, many in counts[split].items() if many and not counts["train"][name]]
        if unknown:
            listed = ", ".join(unknown[:SHOWN]) + (" …" if len(unknown) > SHOWN else "")
            _LOG.warning("%s has labels that training text lacks, and which can't be learnt: %s", split, listed)


def _counts(entries: Sequence[Example], splits: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Return how often each split has each label."""
    found = {
        name: _counted(entry for entry, split in zip(entries, splits, strict=True) if split == number)
        for name, number in SPLITS.items()
    }
    names = sorted(set().union(*found.values()))
    return {split: {name: counts[name] for name in names} for split, counts in found.items()}
