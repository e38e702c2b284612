"""CSV and TSV: one row a document, its text in a column that is given or found."""

import csv
import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import ClassVar

from ziggurat.core.errors import InputError, UnknownNameError
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.readers.jsonl import FIELD_NAMES
from ziggurat.text.records import Record, Source

__all__ = ["READER", "TableReader"]

LOOK_AHEAD_ROWS = 50


class TableReader:
    """Reads rows; tabs part the cells of ``.tsv`` files and of files whose first line has one, else commas do."""

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")
    openings: ClassVar[tuple[bytes, ...]] = ()
    scheme: ClassVar[str] = ""

    def read(self, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:
        """Yield a record for each row, a header left out."""
        csv.field_size_limit(min(sys.maxsize, 1 << 31))
        with open_source(source) as stream:
            content = lines(stream, source, options, ledger)
            first = next(content, "")
            tabs = "\t" in first or ".tsv" in source.label
            rows = csv.reader(itertools.chain([first], content), delimiter="\t" if tabs else ",", strict=True)
            try:
                yield from self._records(rows, source, options)
            except csv.Error as error:
                raise InputError(f"{source.label}:{rows.line_num}: not a table ({error}); mend the line") from error

    def _records(self, rows: Iterator[list[str]], source: Source, options: TextConfig) -> Iterator[Record]:
        numbered = ((number, row) for number, row in enumerate(rows, start=1) if row)
        head = list(itertools.islice(numbered, LOOK_AHEAD_ROWS))
        if not head:
            return
        column, has_header = _text_column([row for _, row in head], options.field, source.label)
        for number, row in itertools.chain(head[has_header:], numbered):
            if len(row) <= column:
                raise InputError(
                    f"{source.label}: row {number} has {len(row)} cells, its text should be in cell {column + 1}"
                )
            yield Record(f"{source.label}:{number}", (row[column],))


def _text_column(head: Sequence[Sequence[str]], wanted: str | None, label: str) -> tuple[int, bool]:
    names = [name.strip().lower() for name in head[0]]
    if wanted is not None:
        if wanted.lower() not in names:
            raise UnknownNameError("column", wanted, head[0], where=label)
        return names.index(wanted.lower()), True
    usual = next((name for name in FIELD_NAMES if name in names), None)
    if usual is not None:
        return names.index(usual), True
    width = min(map(len, head))
    lengths = [sum(len(row[column]) for row in head) for column in range(width)]
    return lengths.index(max(lengths)), False


READER = TableReader()
