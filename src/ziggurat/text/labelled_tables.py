"""Tables of texts with a label each: what parts their cells, which columns these are, and rows that don't fit."""

import csv
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ziggurat.core.errors import InputError
from ziggurat.text.readers.jsonl import FIELD_NAMES

__all__ = ["LABEL_NAMES", "Found", "names_columns", "read_table"]

LABEL_NAMES = (
    *("label", "class", "category", "intent", "sentiment", "target", "y"),
    *("标签", "类别", "分类", "情感", "意图"),
)
"""Where the label usually stands, the likeliest first."""
LOOK_AHEAD_ROWS = 50
QUOTED = re.compile(r'(?<![^\t,;])"[^"]*"')
"""A cell in quotes."""

Row = tuple[int, list[str]]
Found = tuple[int, str, str]
"""Line, text, and label or nothing."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which cells of a row are text and label."""

    text: int
    label: int | None
    """None where there is none."""
    named: bool
    """Whether the first row names them, and is no example."""

    @property
    def needed(self) -> int:
        """How many cells a row has at least."""
        return max(self.text, -1 if self.label is None else self.label) + 1


def names_columns(line: str) -> bool:
    """Return whether a line is the head of a table: names without blanks, one of them known to be that of texts."""
    cells = [cell.strip('"').lower() for cell in line.strip("\r\n").split(_parted_by([line]))]
    return len(cells) > 1 and not any(map(_spaced, cells)) and any(n in cells for n in FIELD_NAMES)


def read_table(content: Iterable[str], opening: Sequence[str], where: str, *, labelled: bool) -> Iterator[Found]:
    """Yield the rows of a table, whose first lines are ``opening``, each with the line that it begins in.

    *Forms.* The first row names the columns (``text``, ``review``, ``文本`` …; ``label``, ``标签`` …); or it is an
    example, the text is the column with the longest cells and the label the first of the others. Tabs part the cells
    where the first line has one, else commas do; where it has neither, semicolons, if its names or all lines have some.
    A row has as many cells as the first, or more that are empty; where the columns are named it may leave out those
    that nobody reads.

    Raises:
        InputError: it is no such table, or a row has other cells; the message names the line.
    """
    csv.field_size_limit(min(sys.maxsize, 1 << 31))
    sign = _parted_by(opening)
    tabs = sign == "\t"
    rows = csv.reader(content, delimiter=sign, quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL, strict=True)
    try:
        numbered = _numbered(rows)
        head = list(itertools.islice(numbered, LOOK_AHEAD_ROWS))
        if not head:
            raise InputError(f"{where}: empty; give a file of labelled texts")
        columns = _columns([row for _, row in head], where, labelled=labelled)
        width = max(columns.needed, *(place for place, cell in enumerate(head[0][1], start=1) if cell.strip()))
        advice = "take the tab out of the text, or mend the line" if tabs else "quote the text, or mend the line"
        for number, row in itertools.chain(head[columns.named :], numbered):
            if len(row) < columns.needed:
                raise InputError(f"{where}:{number}: {len(row)} cells; its text and label need {columns.needed}")
            if any(cell.strip() for cell in row[width:]) or (len(row) < width and not columns.named):
                raise InputError(f"{where}:{number}: {len(row)} cells, where the first row has {width}: {advice}")
            yield number, row[columns.text], "" if columns.label is None else row[columns.label]
    except _BrokenRowError as error:
        raise InputError(f"{where}:{error.line}: not a table ({error}); mend the row that begins here") from error


class _BrokenRowError(Exception):
    """A row of a table that can't be read."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def _parted_by(opening: Sequence[str]) -> str:
    """Return the sign that parts the cells of a table with these first lines."""
    bare = [QUOTED.sub("", line.strip()) for line in opening if line.strip()] or [""]
    if "\t" in bare[0] or "," in bare[0]:
        return "\t" if "\t" in bare[0] else ","
    return ";" if ";" in bare[0] and (not _spaced(bare[0]) or all(";" in line for line in bare)) else ","


def _spaced(text: str) -> bool:
    """Return whether there is white space in a text: names of columns have none."""
    return len(text.split()) > 1 or text != text.strip()


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


def _columns(head: Sequence[Sequence[str]], where: str, *, labelled: bool) -> _Columns:
    names = [name.strip().lower() for name in head[0]]
    text = next((names.index(name) for name in FIELD_NAMES if name in names), None)
    label = next((names.index(name) for name in LABEL_NAMES if name in names), None)
    if text is not None and (label is not None or not labelled):
        return _Columns(text, label, named=True)
    if text is not None and _stands_once(head, text):
        raise InputError(
            f"{where}:1: the first line names a text, '{head[0][text].strip()}', but no label; "
            "name a column label (or class, category, 标签 …)"
        )
    width = min(map(len, head))
    if width < 2 and labelled:
        line = next(number for number, row in enumerate(head, start=1) if len(row) < 2)
        raise InputError(
            f"{where}:{line}: one cell; a row is a text and its label, parted by a tab, comma or semicolon"
        )
    named = label is not None and label < width and len(names[label]) > 1 and _stands_once(head, label)
    lengths = [-1 if named and column == label else sum(len(row[column]) for row in head) for column in range(width)]
    longest = lengths.index(max(lengths))
    if named:
        return _Columns(longest, label, named=True)
    others = (column for column in range(width) if column != longest)
    return _Columns(longest, next(others, None), named=False)


def _stands_once(head: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether what a column has in the first row stands in none of the next: it is a name then, and no value."""
    return len(head) > 1 and all(row[column : column + 1] != [head[0][column]] for row in head[1:])
