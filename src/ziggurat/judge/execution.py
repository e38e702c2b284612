"""Whether predicted SQL is right: written as the gold query is, or with the same answer from the database."""

import math
import os
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ziggurat.core.errors import UsageError
from ziggurat.text.query_answers import ExecutionLimits, QueryFailedError, answer, asking, compared
from ziggurat.text.sql import is_ordered, normal_form

__all__ = ["ExecutionLimits", "Judged", "Outcome", "exact_match", "judged_queries", "query_figures"]

Outcome: TypeAlias = Literal["right", "wrong", "failed", "gold failed"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of one predicted query."""

    outcome: Outcome
    exact: bool
    """Whether it is written as the gold query is (see `exact_match`)."""
    reason: str = ""
    """Why it, or the gold query, failed."""
    empty: bool = False
    """Whether the gold query's answer has no row, which many wrong queries share."""


def exact_match(gold: str, predicted: str) -> bool:
    """Whether two queries differ in nothing but their writing (`ziggurat.text.sql.normal_form`).

    >>> exact_match("SELECT a FROM b ;", "select A  from B")
    True
    """
    return normal_form(gold) == normal_form(predicted)


def judged_queries(
    gold: Sequence[str],
    predicted: Sequence[str],
    database: str | os.PathLike[str],
    *,
    limits: ExecutionLimits | None = None,
) -> list[Judged]:
    """Run each gold query and the one predicted in its place, and compare their answers.

    *Idea.* Answers are equal as multisets of rows, or as lists where the gold query asks for an order; the names of
    columns make no difference, their order does. Whole and broken numbers of equal value are equal, the latter to 12
    digits. A predicted query that fails, for whatever reason, is wrong and counted as ``failed``; of a pair whose gold
    query fails nothing is known. Queries only read: nothing they say writes, attaches a file or changes a setting.

    *Cost.* Both answers of a pair in memory, and at most ``limits.seconds`` a query.

    Raises:
        UsageError: the numbers of queries differ.
        InputError: the database can't be read or is damaged.
    """
    if len(gold) != len(predicted):
        raise UsageError(f"{len(predicted)} predicted queries for {len(gold)} gold ones; each has one")
    allowed = limits or ExecutionLimits()
    with asking(database, allowed) as connection:
        return [_judged(one, other, connection, allowed) for one, other in zip(gold, predicted, strict=True)]


def query_figures(judged: Sequence[Judged]) -> dict[str, float | int]:
    """Return the counts and parts of what `judged_queries` found.

    *Maths.* ``exact`` is the part of all queries written as the gold ones; ``execution`` the part with the right answer
    among those whose gold query has one; ``execution_not_empty`` the same where that answer has a row.
    """
    counts = Counter(one.outcome for one in judged)
    known = [one for one in judged if one.outcome != "gold failed"]
    filled = [one for one in known if not one.empty]
    return {
        "queries": len(judged),
        "failed": counts["failed"],
        "gold_failed": counts["gold failed"],
        "gold_empty": len(known) - len(filled),
        "exact": _part(sum(one.exact for one in judged), len(judged)),
        "execution": _part(counts["right"], len(known)),
        "execution_not_empty": _part(sum(one.outcome == "right" for one in filled), len(filled)),
    }


def _part(count: int, of: int) -> float:
    return count / of if of else math.nan


def _judged(gold: str, predicted: str, connection: sqlite3.Connection, limits: ExecutionLimits) -> Judged:
    exact = exact_match(gold, predicted)
    try:
        right = [compared(row) for row in answer(gold, connection, limits, fails_beyond=True)]
    except QueryFailedError as error:
        return Judged("gold failed", exact, str(error))
    try:
        found = [compared(row) for row in answer(predicted, connection, limits, rows=len(right) + 1)]
    except QueryFailedError as error:
        return Judged("failed", exact, str(error), empty=not right)
    same = right == found if is_ordered(gold) else Counter(right) == Counter(found)
    return Judged("right" if same else "wrong", exact, empty=not right)
