"""Files of texts with a label each: what a classifier learns from, is measured on and is asked about."""

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ziggurat.core.errors import InputError
from ziggurat.core.types import Example
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.labelled_tables import LABEL_NAMES, Found, names_columns, read_table
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.queries import HALVES
from ziggurat.text.readers.jsonl import FIELD_NAMES
from ziggurat.text.records import Source
from ziggurat.text.tagged import one_source

__all__ = ["LabelledSet", "read_examples", "read_labelled"]

LOOK_AHEAD_LINES = 50
TABLES = (".csv", ".tsv", ".tab")
OBJECTS = (".jsonl", ".ndjson", ".json")
"""Endings of names of tables and of JSON lines; what other files are is seen from their first line."""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Texts, and what somebody says that each is."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The different labels, sorted."""
        return tuple(sorted(set(self.labels)))


def read_labelled(name: str | os.PathLike[str]) -> LabelledSet:
    """Read a whole file of labelled texts, as `read_examples` does.

    Raises:
        InputError: there is no such file, a line is of another form, or there is nothing to tell apart; the message
            names the file and the line.
    """
    found = list(read_examples(name))
    labels = tuple(str(one.answer) for one in found)
    source = one_source(name)
    if len(set(labels)) < 2:
        raise InputError(f"{source.label}: {len(set(labels))} different labels; a classifier needs at least 2")
    return LabelledSet(Path(source.label).name.split(".")[0], tuple(str(one.input) for one in found), labels)


def read_examples(
    name: str | os.PathLike[str], options: TextConfig | None = None, *, labelled: bool = True
) -> Iterator[Example]:
    """Yield the texts of a CSV, TSV or JSONL file with their labels, bit by bit; ``options`` say how bytes are read.

    *Forms.* JSON objects with a text (``text``, ``review``, ``文本`` …) and a label (``label``, ``标签`` …); or a
    table (`ziggurat.text.labelled_tables`). A text may be empty, a label not. Where they need not be ``labelled``, a
    label may be missing, and a file that is no table by its name and whose first line neither names columns nor is a
    JSON object holds a text a line.

    Raises:
        InputError: there is no such file, it may not be read, or a line is of another form; the message names the file
            and the line.
    """
    source = one_source(name)
    try:
        with Ledger(Path(os.devnull)) as ledger, open_source(source) as stream:
            content = lines(stream, source, options or TextConfig(), ledger)
            for number, text, label in _rows(content, source, labelled=labelled):
                if labelled and not label.strip():
                    raise InputError(f"{source.label}:{number}: no label; mend or remove the line")
                if HALVES.search(label):
                    raise InputError(f"{source.label}:{number}: the label has half a character; mend the line")
                yield Example(f"{source.label}:{number}", text, label.strip() or None)
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error


def _rows(content: Iterator[str], source: Source, *, labelled: bool) -> Iterator[Found]:
    opening = list(itertools.islice(content, LOOK_AHEAD_LINES))
    first = next((line for line in opening if line.strip()), "")
    every = itertools.chain(opening, content)
    if first and (source.ending in OBJECTS or _is_object(first)):
        return _objects(every, source.label, labelled=labelled)
    if labelled or source.ending in TABLES or names_columns(first):
        return read_table(every, opening, source.label, labelled=labelled)
    return ((number, line.strip(), "") for number, line in enumerate(every, start=1) if line.strip())


def _is_object(line: str) -> bool:
    """Return whether a line is a JSON object that holds something: a text may begin with a brace."""
    try:
        found = json.loads(line) if line.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and bool(found)


def _objects(content: Iterable[str], where: str, *, labelled: bool) -> Iterator[Found]:
    for number, line in enumerate(content, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}:{number}: not JSON ({error}); mend or remove the line") from error
        if not isinstance(record, dict):
            raise InputError(f"{where}:{number}: expected a JSON object, found {type(record).__name__}")
        text, label = (_first_of(record, names) for names in (FIELD_NAMES, LABEL_NAMES))
        if label is None and not labelled:
            label = ""
        if not isinstance(text, str) or not isinstance(label, (str, int, bool)):
            raise InputError(f'{where}:{number}: no text with a label; each line is {{"text": …, "label": …}}')
        yield number, text, str(label)


def _first_of(record: dict[str, Any], names: Sequence[str]) -> Any:
    """Return what stands under the first of these names, in small letters or not."""
    known = {name.strip().lower(): value for name, value in record.items() if value is not None} | record
    return next((known[name] for name in names if known.get(name) is not None), None)
