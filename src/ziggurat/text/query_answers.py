"""Answers of a database to queries that may say anything: nothing is written, and nothing takes for ever."""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from ziggurat.text.databases import open_database

__all__ = ["ExecutionLimits", "QueryFailedError", "Row", "answer", "asking", "compared", "fault", "said_faults"]

Row: TypeAlias = tuple[Any, ...]

DIGITS = 12
"""Of a number with a fraction: what sums in another order have in common."""
SHOWN_FAULTS = 3
BETWEEN_LOOKS = 1_000
"""Steps of the database's machine between two looks at the clock."""
READING = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE))
"""All that a query may do: it attaches no other file, and changes no setting."""


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    """What a query may cost; beyond that it has failed."""

    seconds: float = 10.0
    rows: int = 1_000_000
    """Of an answer to a gold query; of a predicted one only as many are read as could be right."""
    value_bytes: int = 10_000_000
    """Of one text or blob."""


class QueryFailedError(Exception):
    """A query has no answer; the message says why."""


@contextmanager
def asking(database: str | os.PathLike[str], limits: ExecutionLimits | None = None) -> Iterator[sqlite3.Connection]:
    """Open a database for `answer`.

    Raises:
        InputError: the database can't be read or is damaged.
    """
    with open_database(database) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, (limits or ExecutionLimits()).value_bytes)
        connection.set_authorizer(_permitted)
        yield connection


def answer(
    sql: str,
    connection: sqlite3.Connection,
    limits: ExecutionLimits | None = None,
    *,
    rows: int | None = None,
    fails_beyond: bool = False,
) -> list[Row]:
    """Return the first ``rows`` rows of what a database says to a query, or as many as ``limits`` has.

    Raises:
        QueryFailedError: it is no query, the database refuses it, it takes too long, or, where it ``fails_beyond`` the
            rows, there are more.
    """
    allowed = limits or ExecutionLimits()
    most = allowed.rows if rows is None else rows
    deadline = time.monotonic() + allowed.seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), BETWEEN_LOOKS)
    try:
        cursor = connection.execute(sql)
        if cursor.description is None:
            raise QueryFailedError("no query: it returns no rows")
        found: list[Row] = cursor.fetchmany(most)
        if fails_beyond and cursor.fetchone() is not None:
            raise QueryFailedError(f"more than {most} rows")
        cursor.close()
    except sqlite3.OperationalError as error:
        if str(error) == "interrupted":
            raise QueryFailedError(f"not done after {allowed.seconds:g} seconds") from error
        raise QueryFailedError(str(error)) from error
    except (sqlite3.DatabaseError, sqlite3.Warning, UnicodeEncodeError, ValueError) as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        if code == sqlite3.SQLITE_AUTH:
            raise QueryFailedError(f"no query: it does more than read ({error})") from error
        raise QueryFailedError(str(error)) from error
    return found


def fault(sql: str, connection: sqlite3.Connection) -> str:
    """Return what is wrong with a query as far as that shows before it runs; empty where nothing does."""
    try:
        answer(f"EXPLAIN {sql}", connection, rows=1)
    except QueryFailedError as error:
        return str(error)
    return ""


def said_faults(faults: Iterable[tuple[str, str]]) -> str:
    """Return what is wrong with queries, of (place, fault): each fault once, where it stands first, and three at most.

    >>> said_faults([("a:1", "no such table: b"), ("a:2", "no such table: b"), ("", "incomplete input")])
    'a:1: no such table: b; incomplete input'
    """
    first: dict[str, str] = {}
    for place, what in faults:
        first.setdefault(what, place)
    said = [f"{place}: {what}" if place else what for what, place in first.items()]
    return "; ".join([*said[:SHOWN_FAULTS], *(["…"] if len(said) > SHOWN_FAULTS else [])])


def compared(row: Row) -> Row:
    """Return a row as it is compared with others: numbers with a fraction to 12 digits."""
    return tuple(float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for value in row)


def _permitted(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY
