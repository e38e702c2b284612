"""Databases that questions are about: which tables and columns there are, which values, and opening one to read only.

*Form.* An SQLite file; or its schema alone, as a CSV file whose first line names the columns ``Table Name``, ``Field
Name`` and perhaps ``Type`` among others, and in which a line of dashes parts the tables.
"""

import csv
import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from ziggurat.core.errors import InputError
from ziggurat.text.options import TextConfig
from ziggurat.text.tagged import one_source, read_lines

__all__ = ["Column", "Schema", "is_database", "open_database", "read_schema", "stored_values"]

_LOG = logging.getLogger("ziggurat")

MAGIC = b"SQLite format 3\x00"
TABLE, FIELD, TYPE = "table name", "field name", "type"
HEADER = "Table Name, Field Name, Type"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: str = ""
    """As declared (``varchar(255)``); empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a database, each with its columns, in the order of their declaration."""

    tables: Mapping[str, tuple[Column, ...]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The different names of columns, whatever their case, sorted."""
        return tuple(sorted({column.name.upper() for columns in self.tables.values() for column in columns}))

    @property
    def names(self) -> tuple[str, ...]:
        """The different names of tables and columns, as they are declared, sorted."""
        columns = {column.name for columns in self.tables.values() for column in columns}
        return tuple(sorted(columns.union(self.tables)))

    def merged(self, other: "Schema") -> "Schema":
        """Return this schema with the tables and columns that only the other one has; case makes no difference."""
        found = {name: list(columns) for name, columns in self.tables.items()}
        names = {name.upper(): name for name in found}
        for name, columns in other.tables.items():
            mine = found.setdefault(names.setdefault(name.upper(), name), [])
            known = {column.name.upper() for column in mine}
            mine.extend(column for column in columns if column.name.upper() not in known)
        return Schema(MappingProxyType({name: tuple(columns) for name, columns in found.items()}))


def is_database(name: str | os.PathLike[str]) -> bool:
    """Whether an SQLite file stands there, rather than a schema, or nothing."""
    try:
        with Path(name).open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False  # what is wrong with the file is said by whoever reads it


def read_schema(name: str | os.PathLike[str]) -> Schema:
    """Read the schema of an SQLite file, or one that stands in a CSV file.

    Raises:
        InputError: there is no such file, it is damaged, it has no table, or a line is of another form; the message
            names the file and the line.
    """
    found = _declared(Path(name)) if is_database(name) else _listed(name)
    if not found:
        raise InputError(f"{os.fspath(name)}: no table; give an SQLite file, or a CSV file with the header {HEADER}")
    return Schema(MappingProxyType({table: tuple(columns) for table, columns in found.items()}))


@contextmanager
def open_database(name: str | os.PathLike[str]) -> Iterator[sqlite3.Connection]:
    """Open an SQLite file so that nothing can be written; broken UTF-8 in a text is kept as lone surrogates.

    Raises:
        InputError: there is no such file, or it is no SQLite file or damaged; also what is found damaged later, while
            the database is open.
    """
    path = Path(name)
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}); name an SQLite file") from error
    if head != MAGIC:
        raise InputError(f"{path}: not an SQLite file; name a database that sqlite3 opens")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            connection.text_factory = _decoded
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield connection
    except sqlite3.OperationalError as error:
        raise InputError(f"{path}: can't be read now ({error}); is another program writing to it?") from error
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path}: damaged ({error}); restore it from a copy") from error


def stored_values(name: str | os.PathLike[str], *, most_distinct: int = 100_000) -> dict[str, str]:
    """Return every text that stands in a database, and the names of the columns that hold it.

    Columns of one name are one; of more than one name all are given, joined by ``_or_``: ``capital_or_city_name``. A
    column with more than ``most_distinct`` different texts, or with which there would be more in all, is passed over
    with a warning: its texts are no values that questions name, or too many to look for.

    Raises:
        InputError: the database can't be read.
    """
    found: dict[str, set[str]] = {}
    schema = read_schema(name)
    with open_database(name) as connection:
        for table, columns in schema.tables.items():
            for column in columns:
                try:
                    texts = _texts(connection, table, column.name, most_distinct)
                except sqlite3.OperationalError as error:  # a view that can be told of, and not be read
                    if not _is_broken(connection, table):
                        raise
                    _LOG.warning("%s: %s is passed over: it can't be read (%s)", os.fspath(name), table, error)
                    break
                if len(texts - found.keys()) + len(found) > most_distinct:
                    _LOG.warning(
                        "%s: column %s of table %s is passed over: with it there are more than %d different texts",
                        *(os.fspath(name), column.name, table, most_distinct),
                    )
                    continue
                for value in texts:
                    found.setdefault(value, set()).add(column.name.lower())
    return {value: "_or_".join(sorted(columns)) for value, columns in sorted(found.items())}


def _texts(connection: sqlite3.Connection, table: str, column: str, most: int) -> set[str]:
    """Return the different texts of a column, of more than ``most`` one more."""
    found: set[str] = set()
    query = f"SELECT DISTINCT {_quoted(column)} FROM {_quoted(table)}"  # noqa: S608 - quoted names
    for (value,) in connection.execute(query):
        if isinstance(value, str) and value.strip():
            found.add(value)
            if len(found) > most:
                break
    return found


def _decoded(text: bytes) -> str:
    return text.decode(errors="surrogateescape")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _declared(path: Path) -> dict[str, list[Column]]:
    with open_database(path) as connection:
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        tables = [name for (name,) in connection.execute(query) if not name.startswith("sqlite_")]
        found: dict[str, list[Column]] = {}
        for table in tables:
            try:
                rows = connection.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
            except sqlite3.OperationalError as error:  # a view of what is gone, a table whose module is not here
                if not _is_broken(connection, table):
                    raise
                _LOG.warning("%s: %s is passed over: it can't be read (%s)", path, table, error)
                continue
            found[table] = [Column(row[1], row[2]) for row in rows]
        return found


def _is_broken(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether it is this table or view that can't be read, and not the whole database."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    except sqlite3.OperationalError:
        return False
    return True


def _listed(name: str | os.PathLike[str]) -> dict[str, list[Column]]:
    source = one_source(name)
    found: dict[str, list[Column]] = {}
    header: list[str] = []
    for line in read_lines(source, TextConfig()):
        where = f"{source.label}:{line.number}"
        try:
            cells = [cell.strip() for cell in next(csv.reader([line.text], skipinitialspace=True, strict=True), [])]
        except csv.Error as error:
            raise InputError(f"{where}: not a table ({error}); mend the line") from error
        if not header:
            header = [cell.lower() for cell in cells]
            if TABLE not in header or FIELD not in header:
                raise InputError(f"{where}: the header names no table and field; it is {HEADER}")
        elif any(cell.strip("-") for cell in cells):
            if len(cells) <= max(header.index(TABLE), header.index(FIELD)):
                raise InputError(f"{where}: {len(cells)} cells; a line is {HEADER}")
            table, column = cells[header.index(TABLE)], cells[header.index(FIELD)]
            if not table.strip("-") or not column.strip("-"):
                raise InputError(f"{where}: a table or field without a name; a line is {HEADER}")
            kind = cells[header.index(TYPE)] if TYPE in header and header.index(TYPE) < len(cells) else ""
            found.setdefault(table, []).append(Column(column, kind))
    return found
