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
from ziggurat.text.labelled_names import Names, Naming, names_of
from ziggurat.text.labelled_tables import Found, names_columns, read_table
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.queries import HALVES
from ziggurat.text.records import Source
from ziggurat.text.tagged import one_source

__all__ = ["LabelledSet", "read_examples", "read_labelled"]

LOOK_AHEAD_LINES = 50
TABLES = (".csv", ".tsv", ".tab")
OBJECTS = (".jsonl", ".ndjson", ".json")
"""Endings of names of tables and of JSON lines; what other files are is seen from their first line."""
LABELS = (str, int, float)
"""What a label may be in JSON."""
SHOWN_FIELDS = 9


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
    name: str | os.PathLike[str],
    options: TextConfig | None = None,
    *,
    labelled: bool = True,
    learnt: Sequence[str | None] = (),
) -> Iterator[Example]:
    """Yield the texts of a CSV, TSV or JSONL file with their labels, bit by bit.

    The ``options`` say how bytes are read, and what the columns or fields of text and label are called; ``learnt`` are
    two names which these may have beside the usual ones.

    *Forms.* JSON objects with a text (``text``, ``review``, ``文本`` …) and a label (``label``, ``标签`` …); or a
    table (`ziggurat.text.labelled_tables`). A text may be empty, a label not. Where they need not be ``labelled``, a
    label may be missing, and a file that is no table by its name and whose first line neither names columns nor is a
    JSON object holds a text a line.

    Raises:
        InputError: there is no such file, it may not be read, or a line is of another form; the message names the file
            and the line.
        UnknownNameError: no column or field is called as the options say; the message names those that there are.
    """
    source, names, options = one_source(name), names_of(options, learnt), options or TextConfig()
    try:
        with Ledger(Path(os.devnull)) as ledger, open_source(source) as stream:
            content = lines(stream, source, options, ledger)
            for number, text, label in _rows(content, source, names, labelled=labelled):
                if labelled and not label.strip():
                    raise InputError(f"{source.label}:{number}: no label; mend or remove the line")
                if HALVES.search(label):
                    raise InputError(f"{source.label}:{number}: the label has half a character; mend the line")
                yield Example(f"{source.label}:{number}", text, label.strip() or None)
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error


def _rows(content: Iterator[str], source: Source, names: Names, *, labelled: bool) -> Iterator[Found]:
    opening = list(itertools.islice(content, LOOK_AHEAD_LINES))
    first = next((line for line in opening if line.strip()), "")
    every = itertools.chain(opening, content)
    if first and (source.ending in OBJECTS or _is_object(first)):
        return _objects(every, names, source.label, labelled=labelled)
    if labelled or names.given or source.ending in TABLES or names_columns(first, names):
        return read_table(every, opening, names, source.label, labelled=labelled)
    return ((number, line.strip(), "") for number, line in enumerate(every, start=1) if line.strip())


def _is_object(line: str) -> bool:
    """Return whether a line is a JSON object that holds something: a text may begin with a brace."""
    try:
        found = json.loads(line) if line.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and bool(found)


def _objects(content: Iterable[str], names: Names, where: str, *, labelled: bool) -> Iterator[Found]:
    for number, line in enumerate(content, start=1):
        if not line.strip():
            continue
        if line.lstrip().startswith("[") and number == 1:
            raise InputError(f"{where}:1: a list; write its objects a line each: jq -c '.[]' does")
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}:{number}: not JSON ({error}); mend or remove the line") from error
        if not isinstance(record, dict):
            raise InputError(f"{where}:{number}: expected a JSON object, found {type(record).__name__}")
        text, label = (_found(record, naming, f"{where}:{number}") for naming in (names.text, names.label))
        if not labelled and not isinstance(label, LABELS):
            label = ""
        if not isinstance(text, str) or not isinstance(label, LABELS):
            fields = ", ".join(list(record)[:SHOWN_FIELDS]) or "none"
            raise InputError(
                f"{where}:{number}: no text with a label (fields: {fields}); each line is "
                '{"text": …, "label": …}, or tell other names by --text.field and --text.label_field'
            )
        yield number, text, str(label)


def _found(record: dict[str, Any], naming: Naming, where: str) -> Any:
    """Return what stands in a field; a usual one that holds nothing is passed over."""
    names = [name for name, value in record.items() if value is not None or naming.given is not None]
    place = naming.place(names, kind="field", where=where)
    return None if place is None else record[names[place]]
