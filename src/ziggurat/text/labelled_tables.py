"""Tables of texts with a label each: what parts their cells, which columns these are, and rows that don't fit."""

import csv
import itertools
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ziggurat.core.errors import InputError
from ziggurat.text.decoding import LONE_RETURN
from ziggurat.text.labelled_names import Names

__all__ = ["Found", "names_columns", "read_table"]

LOOK_AHEAD_ROWS = 50
QUOTED = re.compile(r'(?<![^\t,;])"[^"]*"')
"""A cell in quotes."""

Row = tuple[int, list[str]]
Found = tuple[int, str, str]
"""Line, text, and label or nothing."""

_LOG = logging.getLogger("ziggurat")


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


def names_columns(line: str, names: Names) -> bool:
    """Return whether a line is the head of a table: names without blanks, one of them known to be that of texts."""
    cells = [cell.strip('"') for cell in line.strip("\r\n").split(_parted_by([line]))]
    return len(cells) > 1 and not any(map(_spaced, cells)) and names.text.place(cells) is not None


def read_table(
    content: Iterable[str], opening: Sequence[str], names: Names, where: str, *, labelled: bool
) -> Iterator[Found]:
    """Yield the rows of a table, whose first lines are ``opening``, each with the line that it begins in.

    *Forms.* The first row names the columns, as the user says or as is usual (``text``, ``review``, ``文本`` …;
    ``label``, ``标签`` …); or it is an example, the text is the column with the longest cells and the label the first
    of the others, which the log says. Tabs part the cells where the first line has one, else commas do; where it has
    neither, semicolons, if its names or all lines have some. A row has as many cells as the first, or more that are
    empty; where the columns are named it may leave out those that nobody reads.

    Raises:
        InputError: it is no such table, or a row has other cells; the message names the line.
        UnknownNameError: no column is called as the user says; the message names those that there are.
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
        columns = _columns([row for _, row in head], names, where, labelled=labelled)
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
            why = LONE_RETURN if str(error).startswith("new-line character") else str(error)
            raise _BrokenRowError(last + 1, why) from error
        if row is None:
            return
        if row:
            yield last + 1, row
        last = rows.line_num


def _columns(head: Sequence[Sequence[str]], names: Names, where: str, *, labelled: bool) -> _Columns:
    text, label = names.text.place(head[0], where=where), names.label.place(head[0], where=where)
    if text is not None and (label is not None or not labelled):
        return _Columns(text, label, named=True)
    if text is not None and (names.given or _stands_once(head, text)):
        raise InputError(
            f"{where}:1: the first line names a text, '{head[0][text].strip()}', but no label; "
            "name a column label (or class, category, 标签 …), or tell its name by --text.label_field"
        )
    width = min(map(len, head))
    if width < 2 and labelled:
        line = next(number for number, row in enumerate(head, start=1) if len(row) < 2)
        raise InputError(
            f"{where}:{line}: one cell; a row is a text and its label, parted by a tab, comma or semicolon"
        )
    named = label is not None and (names.given or (label < width and _is_name(head, label)))
    lengths = [-1 if named and column == label else sum(len(row[column]) for row in head) for column in range(width)]
    text = lengths.index(max(lengths))
    if named:
        if names.asked:
            _LOG.info("%s: column '%s' is read as the text; tell another by --text.field", where, head[0][text].strip())
        return _Columns(text, label, named=True)
    label = next((column for column in range(width) if column != text), None)
    if names.asked:
        _LOG.info(
            "%s: no column has a name that is known, so the first row is an example%s; "
            "name columns in the first row, or tell their names by --text.field and --text.label_field",
            where,
            f", with the text in cell {text + 1} and the label in cell {label + 1}"
            if labelled and label is not None
            else "",
        )
    return _Columns(text, label, named=False)


def _is_name(head: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether what a column has in the first row is a name and no label, as one letter is."""
    return len(head[0][column].strip()) > 1 and _stands_once(head, column)


def _stands_once(head: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether what a column has in the first row stands in none of the next: it is a name then, and no value."""
    return len(head) > 1 and all(row[column : column + 1] != [head[0][column]] for row in head[1:])
