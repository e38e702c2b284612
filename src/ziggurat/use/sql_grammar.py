"""A grammar of SQL queries that name only what a database has, for `ziggurat.use.constraints`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ziggurat.core.errors import UsageError
from ziggurat.text.databases import Schema

__all__ = ["SqlNames", "sql_grammar", "utterance_values"]

PLAIN_NAME = re.compile(r"[^\W\d]\w*")
WORD = re.compile(r"\w+(?:[.'’-]\w+)*\.?")
NUMBER = re.compile(r"\d+(?:\.\d+)?")

RULES = r"""
start: query (sp ";")? sp
query: select (SP ("UNION"i (SP "ALL"i)? | "INTERSECT"i | "EXCEPT"i) SP select)*
select: "SELECT"i SP ("DISTINCT"i SP)? item (comma item)* SP "FROM"i SP source (comma source | join)* tail
tail: where? group? order?
where: SP "WHERE"i SP condition
group: SP "GROUP"i SP "BY"i SP expression (comma expression)* (SP "HAVING"i SP condition)?
order: SP "ORDER"i SP "BY"i SP key (comma key)* limit? | limit
limit: SP "LIMIT"i SP /[0-9]{1,4}/
key: expression (SP ("ASC"i | "DESC"i))?
item: expression (sp COMPARISON sp expression)? (SP "AS"i SP DERIVED_FIELD)? | "*"
source: table | open query close SP "AS"i SP DERIVED_TABLE
join: SP (("LEFT"i (SP "OUTER"i)? | "INNER"i) SP)? "JOIN"i SP source SP "ON"i SP condition
condition: conjunction (SP "OR"i SP conjunction)*
conjunction: negation (SP "AND"i SP negation)*
negation: ("NOT"i SP)? predicate
predicate: open condition close
    | expression sp COMPARISON sp (expression | ("ALL"i | "ANY"i) sp open query close)
    | expression SP ("NOT"i SP)? "IN"i sp open (query | expression (comma expression)*) close
    | expression SP ("NOT"i SP)? "BETWEEN"i SP expression SP "AND"i SP expression
    | expression SP "IS"i SP ("NOT"i SP)? "NULL"i
    | expression SP ("NOT"i SP)? "LIKE"i SP literal
    | "EXISTS"i sp open query close
expression: term (sp /[+*\/-]/ sp term)*
term: column | literal | AGGREGATE sp open ("*" | ("DISTINCT"i SP)? expression) close
    | open query close | open expression close
open: "(" sp
close: sp ")"
comma: sp "," sp
as: SP "AS"i SP
sp: SP?
SP: / +/
COMPARISON: "=" | "<>" | "!=" | "<=" | ">=" | "<" | ">"
AGGREGATE: /(COUNT|MAX|MIN|AVG|SUM)/i
"""
"""Blanks part words and may stand around signs; keywords and names are of any case, values as they are given."""


@dataclass(frozen=True, slots=True)
class SqlNames:
    """Which names queries give: ``CITY AS CITYalias0``, ``COUNT( 1 ) AS DERIVED_FIELDalias0``."""

    alias: str = "alias"
    """What stands between a table's name, or one of the two below, and the number of its alias."""
    table: str = "DERIVED_TABLE"
    """What a query in parentheses is called."""
    field: str = "DERIVED_FIELD"
    """What a computed column is called."""


def sql_grammar(
    schema: Schema, *, values: Iterable[str] = (), numbers: Iterable[str] = (), names: SqlNames | None = None
) -> str:
    """Return a grammar of the queries to a database, in the notation of Lark that `llguidance` reads.

    *Idea.* Only tables and columns of the ``schema`` can be written, a column behind its own table's alias only; quoted
    texts and numbers only where they are among ``values`` and ``numbers``. Which aliases a query has declared is not
    followed: no context-free grammar can do that.

    Raises:
        UsageError: the schema has no table.

    >>> from ziggurat.text.databases import Column
    >>> "CITY" in sql_grammar(Schema({"CITY": (Column("NAME"),)}), values=["Utah"])
    True
    """
    if not any(schema.tables.values()):
        raise UsageError("a schema without tables and columns: no query to it can be written")
    used = names or SqlNames()
    number = f"{_literal(used.alias)}[0-9]{{1,2}}"
    derived_table, derived_field = (_literal(name) + number for name in (used.table, used.field))
    tables = {
        _name(table): "|".join(_name(column.name) for column in columns) for table, columns in schema.tables.items()
    }
    columns = "|".join(_name(name) for name in schema.columns)
    qualified = "|".join(f"{table}({number})?\\.({own})" for table, own in tables.items() if own)
    literals = [
        *_alternatives("TEXT", (quoted for value in values for quoted in _quoted(value))),
        *_alternatives("NUMBER", map(_literal, numbers)),
    ]
    kinds = [line.partition(":")[0] for line in literals]
    lines = [
        f"table: {' | '.join(f'TABLE_{n} (as ALIAS_{n})?' for n in range(len(tables)))}",
        *(f"TABLE_{n}: /{table}/i" for n, table in enumerate(tables)),
        *(f"ALIAS_{n}: /{table}{number}/i" for n, table in enumerate(tables)),
        f"DERIVED_TABLE: /{derived_table}/i",
        f"DERIVED_FIELD: /{derived_field}/i",
        "column: COLUMN | QUALIFIED | DERIVED_FIELD",
        f"COLUMN: /{columns}/i",
        f"QUALIFIED: /{qualified}|{derived_table}\\.({columns}|{derived_field})/i",
        f"literal: {' | '.join([*kinds, '/-?[0-9]/'])}",
        *literals,
    ]
    return RULES + "\n".join(lines) + "\n"


def utterance_values(utterance: str, *, most_words: int = 5) -> tuple[list[str], list[str]]:
    """Return every stretch of a question of up to ``most_words`` words as it stands and in capitals, and its numbers.

    >>> utterance_values("is Utah big", most_words=1)
    (['is', 'IS', 'Utah', 'UTAH', 'big', 'BIG'], [])
    """
    words = list(WORD.finditer(utterance))
    found: dict[str, None] = {}
    for start, first in enumerate(words):
        for last in words[start : start + most_words]:
            stretch = utterance[first.start() : last.end()]
            found.update(dict.fromkeys((stretch, stretch.upper())))
    return list(found), NUMBER.findall(utterance)


def _alternatives(name: str, found: Iterable[str]) -> Iterator[str]:
    every = "|".join(dict.fromkeys(found))
    if every:
        yield f"{name}: /{every}/"


def _quoted(value: str) -> Iterator[str]:
    for quote in "\"'":
        yield _literal(quote + value.replace(quote, quote * 2) + quote)


def _name(name: str) -> str:
    return _literal(name if PLAIN_NAME.fullmatch(name) else f"`{name}`")


def _literal(text: str) -> str:
    """Return a regular expression that is exactly a text."""
    return "".join(one if one.isalnum() or one in "_ " else f"\\x{{{ord(one):X}}}" for one in text)
