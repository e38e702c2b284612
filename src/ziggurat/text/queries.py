"""Questions with the queries that answer them, as JSON lines: what a semantic parser learns from and is measured on.

*Form.* One object a line: ``utterance``, ``sql``, and perhaps ``template`` (the query with names in place of values)
and ``variables`` (what each name stands for); other keys are passed over. Files that name them otherwise are read with
`QueryKeys`.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ziggurat.core.errors import InputError, nearest, shown
from ziggurat.text.options import TextConfig
from ziggurat.text.relabelling import write_pieces
from ziggurat.text.tagged import one_source, read_lines

__all__ = ["Query", "QueryKeys", "QueryPair", "read_queries", "read_utterances", "write_queries"]

NONE: Mapping[str, str] = MappingProxyType({})
HALVES = re.compile("[\ud800-\udfff]")
"""Halves of a character, which JSON can hold and UTF-8 can't."""


@dataclass(frozen=True, slots=True)
class QueryKeys:
    """How a file names what it holds."""

    utterance: str = "utterance"
    sql: str = "sql"
    template: str = "template"
    variables: str = "variables"

    @property
    def form(self) -> str:
        """A line as it should be."""
        return json.dumps({self.utterance: "how big is texas", self.sql: "SELECT …"}, ensure_ascii=False)


class Query(str):
    """An answer that is a query: its text, which also knows the database that it is for, and where it stands."""

    database: str
    """An SQLite file; empty where none is known."""
    place: str
    """``path:line``; empty where it stands in no file."""

    def __new__(cls, sql: str, database: str = "", *, place: str = "") -> "Query":
        """Make one of a query's text."""
        found = super().__new__(cls, sql)
        found.database, found.place = database, place
        return found


@dataclass(frozen=True, slots=True)
class QueryPair:
    """What somebody asks, and the query that answers it."""

    id: str
    """Unique within a file: ``path:line``."""
    utterance: str
    sql: str
    template: str = ""
    """The query with names in place of values; empty where the file has none."""
    variables: Mapping[str, str] = field(default_factory=lambda: NONE)
    """What each name in the template stands for."""
    line: int = 0


def read_queries(
    name: str | os.PathLike[str], options: TextConfig | None = None, *, keys: QueryKeys | None = None
) -> Iterator[QueryPair]:
    """Yield a file's pairs one after another; ``-`` is standard input. Memory holds one pair.

    Raises:
        InputError: there is no such file, it has no pair, or a line is of another form; the message names file and
            line and what is wrong.
    """
    source = one_source(name)
    names = keys or QueryKeys()
    empty = True
    for line in read_lines(source, options or TextConfig()):
        if line.text.strip():
            yield _pair(line.text, f"{source.label}:{line.number}", line.number, names)
            empty = False
    if empty:
        raise InputError(f"{source.label}: no question with its query; each line is {names.form}")


def read_utterances(name: str | os.PathLike[str], options: TextConfig | None = None) -> Iterator[tuple[str, str]]:
    """Yield the questions in a file, each behind its place: a question a line, or JSON lines, where no query need be.

    Raises:
        InputError: there is no such file, or a line is of another form; the message names file and line.
    """
    source = one_source(name)
    names = QueryKeys()
    for line in read_lines(source, options or TextConfig()):
        where, text = f"{source.label}:{line.number}", line.text.strip()
        if text:
            yield where, _text(_record(text, where, names), names.utterance, where, names) if text[0] == "{" else text


def write_queries(path: str | os.PathLike[str], pairs: Iterable[QueryPair], *, keys: QueryKeys | None = None) -> None:
    """Write pairs as JSON lines in UTF-8; what is read from there is the same again, but for where it stands.

    Raises:
        InputError: a text holds what UTF-8 can't write.
    """
    names = keys or QueryKeys()
    write_pieces(Path(path), (_written(pair, names) for pair in pairs))


def _pair(text: str, where: str, number: int, keys: QueryKeys) -> QueryPair:
    record = _record(text, where, keys)
    utterance, sql = (_text(record, key, where, keys) for key in (keys.utterance, keys.sql))
    template = _text(record, keys.template, where, keys) if record.get(keys.template) is not None else ""
    return QueryPair(where, utterance, sql, template, _variables(record.get(keys.variables), where, keys), number)


def _record(text: str, where: str, keys: QueryKeys) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error}); mend or remove the line") from error
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(record).__name__}; each line is {keys.form}")
    return record


def _text(record: Mapping[str, Any], key: str, where: str, keys: QueryKeys) -> str:
    if key not in record:
        raise InputError(f"{where}: the key '{key}' is missing{nearest(key, record)}; each line is {keys.form}")
    found = record[key]
    if not isinstance(found, str) or not found.strip() or HALVES.search(found):
        raise InputError(f"{where}: the key '{key}' holds {shown(found)}, no text; each line is {keys.form}")
    return found


def _variables(found: Any, where: str, keys: QueryKeys) -> Mapping[str, str]:
    if found is None:
        return NONE
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InputError(
            f"{where}: the key '{keys.variables}' holds {shown(found)}; it is an object of texts: "
            '{"state_name0": "texas"}'
        )
    return MappingProxyType(found)


def _written(pair: QueryPair, keys: QueryKeys) -> bytes:
    record: dict[str, Any] = {keys.utterance: pair.utterance, keys.sql: pair.sql}
    if pair.template:
        record[keys.template] = pair.template
    if pair.variables:
        record[keys.variables] = dict(pair.variables)
    try:
        return (json.dumps(record, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{pair.id}: half a character ({error.reason}), which no file can hold") from error
