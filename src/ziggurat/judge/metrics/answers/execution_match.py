"""Execution match: the part of queries that have the right answer from the database."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ziggurat.core.errors import UsageError
from ziggurat.judge.execution import judged_queries
from ziggurat.judge.metrics.answers.sums import SummedMetric, Vector
from ziggurat.text.queries import Query

__all__ = ["METRIC", "ExecutionMatch"]


class ExecutionMatch(SummedMetric):
    """Queries with the answer that the gold query has / queries (`ziggurat.judge.execution.judged_queries`).

    A query that has no answer is wrong, and so is one in the place of a gold query that has none.
    """

    name: ClassVar[str] = "execution_match"
    reads: ClassVar[str] = "queries"

    def seen(self, gold: Any, predicted: Any) -> bool:
        """Return whether a query has the right answer from its database.

        Raises:
            UsageError: nobody says which database that is.
            InputError: the database can't be read.
        """
        if not isinstance(predicted, Query) or not predicted.database:
            raise UsageError("execution match: no database is known that queries could be put to; name one")
        (judged,) = judged_queries([str(gold)], [str(predicted)], predicted.database)
        return judged.outcome == "right"

    def rows(self, examples: Sequence[bool]) -> Vector:
        """Return (2, examples): 1 where an answer is right, and 1."""
        return np.array([examples, [True] * len(examples)], dtype=np.float64)

    def statistic(self, sums: Vector) -> Vector:
        """Return (R,) parts from (2, R) sums."""
        return np.asarray(sums[0] / sums[1], dtype=np.float64)


METRIC = ExecutionMatch
