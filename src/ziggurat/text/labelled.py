"""Files of texts with a label each: what a classifier learns from and is measured on."""

import csv
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ziggurat.core.errors import InputError
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.readers.jsonl import FIELD_NAMES
from ziggurat.text.sources import resolve

__all__ = ["LabelledSet", "read_labelled"]

LABEL_NAMES = ("label", "class", "category", "intent", "sentiment", "target", "y")
"""Where the label usually stands, the likeliest first."""
LOOK_AHEAD_ROWS = 50

Row = tuple[int, list[str]]


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
    """Read a CSV, TSV or JSONL file of texts with labels.

    *Forms.* JSON objects with a text (``text``, ``review``, ``sentence`` …) and a label (``label``, ``class`` …); or a
    table with those names in its first line; or a table without, whose text is the column with the longest cells and
    whose label is the first of the others. Tabs part the cells where the first line has one, else commas do. A text may
    be empty, a label not.

    Raises:
        InputError: there is no such file, a line is of another form, or there is nothing to tell apart; the message
            names the file and the line.
    """
    sources = resolve([os.fspath(name)])
    if len(sources) != 1 or not sources[0].explicit:
        raise InputError(f"{os.fspath(name)}: not one file; give a file of labelled texts")
    source = sources[0]
    with Ledger(Path(os.devnull)) as ledger, open_source(source) as stream:
        content = lines(stream, source, TextConfig(), ledger)
        first = next((line for line in content if line.strip()), "")
        every = itertools.chain([first], content)
        rows = _objects(every, source.label) if first.lstrip().startswith("{") else _table(every, first, source.label)
        found = list(rows)
    for number, _, label in found:
        if not label.strip():
            raise InputError(f"{source.label}:{number}: no label; mend or remove the line")
    texts, labels = tuple(text for _, text, _ in found), tuple(label.strip() for _, _, label in found)
    if len(set(labels)) < 2:
        raise InputError(f"{source.label}: {len(set(labels))} different labels; a classifier needs at least 2")
    return LabelledSet(Path(source.label).name.split(".")[0], texts, labels)


def _objects(content: Iterable[str], where: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(content, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}:{number}: not JSON ({error}); mend or remove the line") from error
        if not isinstance(record, dict):
            raise InputError(f"{where}:{number}: expected a JSON object, found {type(record).__name__}")
        text, label = (
            next((record[name] for name in names if record.get(name) is not None), None)
            for names in (FIELD_NAMES, LABEL_NAMES)
        )
        if not isinstance(text, str) or not isinstance(label, (str, int, bool)):
            raise InputError(f'{where}:{number}: no text with a label; each line is {{"text": …, "label": …}}')
        yield number, text, str(label)


def _table(content: Iterable[str], first: str, where: str) -> Iterator[tuple[int, str, str]]:
    csv.field_size_limit(min(sys.maxsize, 1 << 31))
    tabs = "\t" in first
    rows = (
        csv.reader(content, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        if tabs
        else csv.reader(content, strict=True)
    )
    try:
        numbered: Iterator[Row] = ((rows.line_num, row) for row in rows if row)
        head = list(itertools.islice(numbered, LOOK_AHEAD_ROWS))
        if not head:
            raise InputError(f"{where}: empty; give a file of labelled texts")
        text, label, named = _columns([row for _, row in head], where)
        for number, row in itertools.chain(head[named:], numbered):
            if len(row) <= max(text, label):
                raise InputError(f"{where}:{number}: {len(row)} cells; its text and label need {max(text, label) + 1}")
            yield number, row[text], row[label]
    except csv.Error as error:
        raise InputError(f"{where}:{rows.line_num}: not a table ({error}); mend the line") from error


def _columns(head: Sequence[Sequence[str]], where: str) -> tuple[int, int, bool]:
    """Return the columns of text and label, and whether the first row names them."""
    names = [name.strip().lower() for name in head[0]]
    text = next((names.index(name) for name in FIELD_NAMES if name in names), None)
    label = next((names.index(name) for name in LABEL_NAMES if name in names), None)
    if text is not None and label is not None:
        return text, label, True
    width = min(map(len, head))
    if width < 2:
        line = next(number for number, row in enumerate(head, start=1) if len(row) < 2)
        raise InputError(f"{where}:{line}: one cell; a row is a text and its label, parted by a tab or comma")
    lengths = [sum(len(row[column]) for row in head) for column in range(width)]
    longest = lengths.index(max(lengths))
    return longest, next(column for column in range(width) if column != longest), False
