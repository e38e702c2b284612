"""Corpora in a few words: text prepared into a folder, without anyone listening."""

import gzip
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from ziggurat.text.corpus import Corpus, prepare
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Record, Source
from ziggurat.text.sources import read_records, resolve


def prepared(folder: Path, *sources: Path | str, **options: Any) -> Corpus:
    """The corpus of ``sources`` below ``folder``."""
    names = [str(source) for source in sources]
    return prepare(names, TextConfig(**options), folder=folder / "corpus", listener=lambda event: None)


def read(path: Path | str, folder: Path, **options: Any) -> list[tuple[str, str]]:
    """Id and text of each record behind ``path``, before any cleaning."""
    with Ledger(folder / "read.jsonl") as ledger:
        found = []
        for source in resolve([str(path)]):
            records = cast("Generator[Record, None, None]", read_records(source, TextConfig(**options), ledger))
            with closing(records):  # a part that can't be read leaves the file open otherwise
                found += [(record.id, "".join(record.parts)) for record in records]
        return found


def source_of(path: Path) -> Source:
    """A file that the user named."""
    return Source(str(path), path)


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    """Write lines, through gzip where the name ends so."""
    data = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
