"""What `benchmarks.prose` does beside judging: ids made from a set's texts, and the processes that learn them."""

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ziggurat.core.protocols import Tokenizer
from ziggurat.core.types import Document
from ziggurat.tokens.loading import load_tokenizer, train_tokenizer
from ziggurat.tokens.store import Store, open_store, write_store

__all__ = ["Prepared", "documents_of", "main", "prepare", "prepared"]

DEV_PART = 0.02
LEAST_DOCUMENTS = 6
"""Of a limited set: its documents are cut where they are longer."""
FORMS = (".jsonl.gz", ".jsonl", ".txt.gz", ".txt")


@dataclass(frozen=True)
class Prepared:
    """A set as ids."""

    tokenizer: Tokenizer
    learnt: Store
    """All training documents."""
    train: Store
    """The same without the last ones, which ours put aside where they tune something."""
    dev: Store
    """Those that are put aside."""
    held_out: Store

    @property
    def lossless(self) -> bool:
        """Whether the ids hold all of the text."""
        return self.tokenizer.lossless


def documents_of(folder: Path, split: str) -> Iterator[Document]:
    """Yield the documents of a set's split: records with id and text, or articles with an empty line between them.

    Raises:
        SystemExit: there is no such file.
    """
    path = next((folder / f"{split}{form}" for form in FORMS if (folder / f"{split}{form}").is_file()), None)
    if path is None:
        raise SystemExit(f"no {split} in {folder}: it needs one of {', '.join(split + form for form in FORMS)}")
    with _opened(path) as file:
        if ".jsonl" in path.name:
            for number, line in enumerate(file, 1):
                record = json.loads(line)
                yield Document(str(record.get("id", f"{path.name}:{number}")), record["text"])
            return
        lines: list[str] = []
        number = 0
        for line in [*file, "\n"]:
            if line.strip():
                lines.append(line)
            elif lines:
                number += 1
                yield Document(f"{path.name}:{number}", "".join(lines))
                lines = []


def prepare(data: Path, folder: Path, *, vocabulary: int, limit: int | None, longest: int) -> Prepared:
    """Train a tokenizer on a set's training documents and write all as ids below ``folder``.

    Of a held-out document the lines within its first ``longest`` bytes are taken. With a ``limit`` only the
    beginnings of the first documents are, so many bytes together, and a quarter of that of those held out.

    Raises:
        SystemExit: a text is missing, or there are too few documents.
    """
    from ziggurat.tokens.bpe import BpeConfig

    train = _first(documents_of(data, "train"), limit)
    held_out = _first((_lines(one, longest) for one in documents_of(data, "dev")), limit and limit // 4)
    tokenizer = train_tokenizer((one.text for one in train), "bpe", BpeConfig(vocab_size=vocabulary))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
    if len(train) < 2:
        raise SystemExit(f"{data}: {len(train)} training documents: some are put aside, so it takes two at least")
    aside = max(1, round(DEV_PART * len(train)))
    parts = {"learnt": train, "train": train[:-aside], "dev": train[-aside:], "held_out": held_out}
    for name, documents in parts.items():
        write_store(tokenizer, documents, folder / name)
    return prepared(folder)


def prepared(folder: Path) -> Prepared:
    """Open what `prepare` left in ``folder``."""
    tokenizer = load_tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return Prepared(tokenizer, *(open_store(folder / name) for name in ("learnt", "train", "dev", "held_out")))


def main(arguments: Sequence[str]) -> None:
    """Run one process and print its facts as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prose_steps")
    parser.add_argument("what", choices=("ours", "peer"))
    parser.add_argument("texts", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--entry", default="{}")
    parser.add_argument("--seconds", type=float, default=600.0)
    for name in ("layers", "heads", "width", "block"):
        parser.add_argument(f"--{name}", type=int, default=4)
    options = parser.parse_args(arguments)
    texts = prepared(options.texts)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.what == "ours":
        facts = train_ours(texts, options.folder, options.entry, options.seed)
    else:
        from benchmarks.plain_gpt import Shape

        shape = Shape(options.layers, options.heads, options.width, options.block)
        facts = train_peer(texts, options.folder, shape, options.seconds, options.seed)
    print(json.dumps(facts))


def train_ours(texts: Prepared, folder: Path, entry_json: str, seed: int) -> dict[str, Any]:
    """Fit an entry and write its bundle."""
    from benchmarks.entries import Entry, fit_entry
    from ziggurat.artefacts.fit import Material

    entry = Entry.from_json(entry_json)
    train, dev = (texts.train, texts.dev) if entry.dev else (texts.learnt, None)
    key = hashlib.sha256((train.path / "store.json").read_bytes()).hexdigest()
    material = Material(texts.tokenizer, train, dev, {}, key)
    return fit_entry(entry, material, folder, seed=seed)


def train_peer(texts: Prepared, folder: Path, shape: Any, seconds: float, seed: int) -> dict[str, Any]:
    """Train the peer's network for so many seconds, and write it."""
    import torch

    from benchmarks.plain_gpt import PlainGPT, Training, save, train

    torch.manual_seed(seed)
    network = PlainGPT(shape, texts.learnt.vocabulary.size)
    facts = train(network, texts.learnt.tokens, Training(steps=None, seconds=seconds), seed=seed)
    save(network, folder / "peer.safetensors")
    return {**facts, "parameters": network.parameter_count}


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _lines(document: Document, longest: int) -> Document:
    """Return a document's whole lines within so many bytes; a line that is longer is cut."""
    encoded = document.text.encode()
    if len(encoded) <= longest:
        return document
    end = encoded.rfind(b"\n", 0, longest) + 1 or longest
    return Document(document.id, encoded[:end].decode(errors="ignore"))


def _first(documents: Iterator[Document], limit: int | None) -> list[Document]:
    """Return all documents; with a limit the beginnings of the first ones, until there are so many bytes."""
    if limit is None:
        return list(documents)
    kept: list[Document] = []
    longest, size = limit // LEAST_DOCUMENTS, 0
    for document in documents:
        beginning = document.text.encode()[:longest]
        kept.append(Document(document.id, beginning.decode(errors="ignore")))
        size += len(beginning)
        if size >= limit:
            break
    return kept


if __name__ == "__main__":
    main(sys.argv[1:])
