"""From files of labelled words to sentences that are split, with the label of each word."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.files import atomic_folder
from ziggurat.core.schemes import lenient_spans_of
from ziggurat.core.spacing import joined
from ziggurat.core.types import Document, Example, Listener
from ziggurat.core.workers import HERE, Workers
from ziggurat.text.columns import read_columns
from ziggurat.text.labelled_corpus import resolve_labelled
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options
from ziggurat.text.prepared import LEDGER, PreparedText, digest, facts_of, fingerprint, reading, write_header
from ziggurat.text.splits import SPLITS, TRAIN, UNDECIDED, hold_out
from ziggurat.text.tagged import TaggedSentence

__all__ = ["SentenceSet", "TaggedCorpus", "open_tagged", "prepare_tagged"]

HEADER = "tagged.json"
SENTENCES = "sentences.jsonl"
ROW = np.dtype([("start", "<i8"), ("stop", "<i8"), ("split", "u1")])


@dataclass(frozen=True)
class SentenceSet:
    """The sentences of one split, in memory."""

    sentences: tuple[TaggedSentence, ...]

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.sentences)

    def __iter__(self) -> Iterator[Document]:
        """Yield the sentences as texts (`ziggurat.core.spacing`)."""
        for sentence in self.sentences:
            yield Document(sentence.id, joined(sentence.tokens)[0])

    def examples(self) -> Iterator[Example]:
        """Yield every sentence's words with their spans."""
        for one in self.sentences:
            yield Example(one.id, one.tokens, sorted(lenient_spans_of(one.labels)))

    def texts(self) -> Iterator[str]:
        """Yield every text."""
        return (document.text for document in self)

    @property
    def sides(self) -> Mapping[str, Iterable[Document]]:
        """What is to be tokenized: the texts, which have one side only."""
        return {"": self}


@dataclass(frozen=True)
class TaggedCorpus(PreparedText[SentenceSet]):
    """Prepared sentences of labelled words."""

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that can be learnt: those of the training split, sorted."""
        return tuple(sorted({label for sentence in self.train.sentences for label in sentence.labels}))


def prepare_tagged(
    names: Sequence[str], options: TextConfig, *, folder: Path, listener: Listener, workers: Workers = HERE
) -> TaggedCorpus:
    """Read and split the sentences in the files of columns behind ``names`` (`ziggurat.text.columns`) into ``folder``.

    ``dev=FILE`` and ``test=FILE`` name files that are held out. Words stay as they are written.

    Raises:
        UsageError: an option is set that labelled words have no use for.
        InputError: a file can't be used, or has no labels; the message names file and line.
        TooLittleTextError: there are no sentences, or all words have the same label.
        DiskFullError: the disk is full; nothing half written remains.
    """
    del workers  # reading labelled words takes seconds
    check_options(options)
    sources = resolve_labelled(names)
    sentences: list[TaggedSentence] = []
    splits: list[int] = []
    for number, source in enumerate(sources):
        for sentence in read_columns(source.path):
            sentences.append(sentence)
            splits.append(SPLITS.get(source.split, UNDECIDED))
        listener({"event": "read", "source": source.label, "sources": len(sources), "done": number + 1})
    hashes = np.array([digest("\0".join(one.tokens).encode()) for one in sentences], np.uint64)
    table = np.zeros(len(sentences), ROW)
    table["split"] = splits
    table["stop"] = [len(joined(one.tokens)[0].encode()) for one in sentences]
    kept = hold_out(table["split"], hashes, options, {source.split for source in sources})
    with atomic_folder(folder) as work, Ledger(work / LEDGER) as ledger:
        with (work / SENTENCES).open("w", encoding="utf-8") as file:
            for sentence, split, stays in zip(sentences, table["split"].tolist(), kept.tolist(), strict=True):
                if not stays:
                    ledger.remove("held out too", document=sentence.id)
                    continue
                entry = {"id": sentence.id, "words": sentence.tokens, "labels": sentence.labels, "split": split}
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        _check(sentences, table["split"][kept].tolist(), kept.tolist(), [source.label for source in sources])
        seeds = [
            digest(f"{text} {entry['split']} {' '.join(one.labels)}".encode())
            for text, entry, one, stays in zip(hashes.tolist(), table, sentences, kept.tolist(), strict=True)
            if stays
        ]
        facts = facts_of(sources, table[kept], ledger)
        write_header(work / HEADER, facts, fingerprint(np.array(seeds, np.uint64), options))
    return open_tagged(folder)


def open_tagged(folder: Path) -> TaggedCorpus:
    """Open what `prepare_tagged` left in ``folder``.

    Raises:
        ArtefactError: there are no prepared sentences.
        DamagedError: a file is damaged; the message names it.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    found: dict[int, list[TaggedSentence]] = {split: [] for split in SPLITS.values()}
    with reading(folder / HEADER, what="labelled words") as header:
        facts, hashed = header["facts"], header["fingerprint"]
        with (folder / SENTENCES).open(encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                sentence = TaggedSentence(entry["id"], tuple(entry["words"]), tuple(entry["labels"]))
                found[entry["split"]].append(sentence)
        if sum(map(len, found.values())) != sum(split["documents"] for split in facts["splits"].values()):
            raise ValueError("sentences are missing")
    sets = {name: SentenceSet(tuple(found[split])) for name, split in SPLITS.items()}
    return TaggedCorpus(folder, **sets, fingerprint=hashed, recorded=facts)


def _check(sentences: Sequence[TaggedSentence], splits: list[int], kept: list[bool], files: list[str]) -> None:
    stayed = [sentence for sentence, stays in zip(sentences, kept, strict=True) if stays]
    labels = {label for one, split in zip(stayed, splits, strict=True) if split == TRAIN for label in one.labels}
    if len(labels) < 2:
        named = ", ".join(files[:3])
        raise TooLittleTextError(f"{named}: {len(labels)} different labels to learn from; a tagger needs at least 2")
