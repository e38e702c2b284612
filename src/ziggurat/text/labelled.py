"""Files of texts with a label each: what a classifier learns from, is measured on and is asked about."""

import csv
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ziggurat.core.errors import InputError
from ziggurat.core.types import Example
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.queries import HALVES
from ziggurat.text.readers.jsonl import FIELD_NAMES
from ziggurat.text.records import Source
from ziggurat.text.tagged import one_source

__all__ = ["LabelledSet", "read_examples", "read_labelled"]

LABEL_NAMES = (
    *("label", "class", "category", "intent", "sentiment", "target", "y"),
    *("标签", "类别", "分类", "情感", "意图"),
)
"""Where the label usually stands, the likeliest first."""
LOOK_AHEAD_ROWS = 50
TABLES = (".csv", ".tsv", ".tab")
"""Endings of tables' names: in other files a line without a tab is a text, whatever commas it has."""

Row = tuple[int, list[str]]
Found = tuple[int, str, str]
"""Line, text, and label or nothing."""


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
    table with those names in its first line; or a table without, whose text is the column with the longest cells and
    whose label is the first of the others. Tabs part the cells where the first line has one, else commas do. A text may
    be empty, a label not. Where they need not be ``labelled``, a label may be missing, and a file that is no table by
    its name, has no tab in its first line and names no column there holds a text a line.

    Raises:
        InputError: there is no such file, it may not be read, or a line is of another form; the message names the file
            and the line.
    """
    source = one_source(name)
    try:
        with Ledger(Path(os.devnull)) as ledger, open_source(source) as stream:
            content = lines(stream, source, options or TextConfig(), ledger)
            first = next((line for line in content if line.strip()), "")
            every = itertools.chain([first], content)
            for number, text, label in _rows(every, first, source, labelled=labelled):
                if labelled and not label.strip():
                    raise InputError(f"{source.label}:{number}: no label; mend or remove the line")
                if HALVES.search(label):
                    raise InputError(f"{source.label}:{number}: the label has half a character; mend the line")
                yield Example(f"{source.label}:{number}", text, label.strip() or None)
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error


def _rows(content: Iterable[str], first: str, source: Source, *, labelled: bool) -> Iterator[Found]:
    if first.lstrip().startswith("{"):
        return _objects(content, source.label, labelled=labelled)
    named = bool(source.path) and any(suffix.lower() in TABLES for suffix in source.path.suffixes)  # type: ignore[union-attr]
    if labelled or named or "\t" in first or _names_columns(first):
        return _table(content, first, source.label, labelled=labelled)
    return ((number, line.strip(), "") for number, line in enumerate(content, start=1) if line.strip())


def _names_columns(line: str) -> bool:
    """Return whether a line is the head of a table, whose names, each a word, are parted by commas."""
    cells = [cell.strip().strip('"').lower() for cell in line.split(",")]
    return len(cells) > 1 and all(len(cell.split()) == 1 for cell in cells) and any(n in cells for n in FIELD_NAMES)


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


def _table(content: Iterable[str], first: str, where: str, *, labelled: bool) -> Iterator[Found]:
    csv.field_size_limit(min(sys.maxsize, 1 << 31))
    tabs = "\t" in first
    rows = (
        csv.reader(content, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        if tabs
        else csv.reader(content, strict=True)
    )
    try:
        numbered = _numbered(rows)
        head = list(itertools.islice(numbered, LOOK_AHEAD_ROWS))
        if not head:
            raise InputError(f"{where}: empty; give a file of labelled texts")
        text, label, named = _columns([row for _, row in head], where, labelled=labelled)
        needed = max(text, -1 if label is None else label) + 1
        for number, row in itertools.chain(head[named:], numbered):
            if len(row) < needed:
                raise InputError(f"{where}:{number}: {len(row)} cells; its text and label need {needed}")
            yield number, row[text], "" if label is None else row[label]
    except _BrokenRowError as error:
        raise InputError(f"{where}:{error.line}: not a table ({error}); mend the row that begins here") from error


class _BrokenRowError(Exception):
    """A row of a table that can't be read."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def _numbered(rows: Any) -> Iterator[Row]:
    """Yield the rows of a ``csv.reader`` that are not empty, each with the line that it begins in."""
    last = 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise _BrokenRowError(last + 1, str(error)) from error
        if row is None:
            return
        if row:
            yield last + 1, row
        last = rows.line_num


def _columns(head: Sequence[Sequence[str]], where: str, *, labelled: bool) -> tuple[int, int | None, bool]:
    """Return the columns of text and label (None where there is none), and whether the first row names them."""
    names = [name.strip().lower() for name in head[0]]
    text = next((names.index(name) for name in FIELD_NAMES if name in names), None)
    label = next((names.index(name) for name in LABEL_NAMES if name in names), None)
    if text is not None and (label is not None or not labelled):
        return text, label, True
    if text is not None and _stands_once(head, text):
        raise InputError(
            f"{where}:1: the first line names a text, '{head[0][text].strip()}', but no label; "
            "name a column label (or class, category, 标签 …)"
        )
    width = min(map(len, head))
    if width < 2 and labelled:
        line = next(number for number, row in enumerate(head, start=1) if len(row) < 2)
        raise InputError(f"{where}:{line}: one cell; a row is a text and its label, parted by a tab or comma")
    named = label is not None and label < width and len(names[label]) > 1 and _stands_once(head, label)
    lengths = [-1 if named and column == label else sum(len(row[column]) for row in head) for column in range(width)]
    longest = lengths.index(max(lengths))
    if named:
        return longest, label, True
    return longest, next((column for column in range(width) if column != longest), None), False


def _stands_once(head: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether what a column has in the first row stands in none of the next: it is a name then, and no value."""
    return len(head) > 1 and all(row[column : column + 1] != [head[0][column]] for row in head[1:])
