"""Execution match: the part of queries that have the right answer from the database."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from ziggurat.core.errors import UsageError
from ziggurat.judge.execution import Judged, judged_queries
from ziggurat.judge.metrics.answers.sums import SummedMetric, Vector
from ziggurat.text.queries import Query
from ziggurat.text.query_answers import said_faults

__all__ = ["METRIC", "ExecutionMatch"]

FAILED = "gold failed"
ELSEWHERE = ("no such table", "no such column")
"""How SQLite begins to say what another database may have."""

_LOG = logging.getLogger("ziggurat")


class ExecutionMatch(SummedMetric):
    """Queries with the answer that the gold query has / queries (`ziggurat.judge.execution.judged_queries`).

    A query that has no answer is wrong. Where the gold query has none nothing is known: such pairs are left out.
    """

    name: ClassVar[str] = "execution_match"
    reads: ClassVar[str] = "queries"

    def update(self, gold: Iterable[Any], predicted: Iterable[Any]) -> None:
        """Add examples, and say how many gold queries fail, where and why.

        Raises:
            UsageError: there are more of one than of the other, nobody says which database is asked, or all gold
                queries fail on it.
            InputError: the database can't be read.
        """
        before, golds = len(self._examples), list(gold)
        super().update(golds, predicted)
        added: list[Judged] = self._examples[before:]
        failed = [
            (right.place if isinstance(right, Query) else "", judged.reason)
            for right, judged in zip(golds, added, strict=True)
            if judged.outcome == FAILED
        ]
        if failed and len(failed) == len(self._examples):
            if any(reason.startswith(ELSEWHERE) for _, reason in failed):
                raise UsageError(
                    f"execution match: all right queries fail on this database ({said_faults(failed)}): "
                    "name the one that they ask"
                )
            raise UsageError(f"execution match: all right queries fail ({said_faults(failed)}): mend them")
        if failed:
            _LOG.warning(
                "%d of %d right queries fail on this database (%s): execution match leaves them out",
                *(len(failed), len(added), said_faults(failed)),
            )

    def seen(self, gold: Any, predicted: Any) -> Judged:
        """Return what the database says to a query and the one in its place.

        Raises:
            UsageError: nobody says which database that is.
            InputError: the database can't be read.
        """
        if not isinstance(predicted, Query) or not predicted.database:
            raise UsageError("execution match: no database is known that queries could be put to; name one")
        (judged,) = judged_queries([str(gold)], [str(predicted)], predicted.database)
        return judged

    def rows(self, examples: Sequence[Judged]) -> Vector:
        """Return (2, examples): 1 where an answer is right, and 1 where it is known which is."""
        right, known = ([judged.outcome == "right" for judged in examples], [j.outcome != FAILED for j in examples])
        return np.array([right, known], dtype=np.float64)

    def statistic(self, sums: Vector) -> Vector:
        """Return (R,) parts from (2, R) sums; 1 of nothing that is known, which there is nothing to say against."""
        return np.where(sums[1] > 0, sums[0] / np.maximum(sums[1], 1), 1.0)


METRIC = ExecutionMatch
