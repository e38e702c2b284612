"""Query match: the part of queries that are written as the gold ones, but for what makes no difference."""

from typing import Any, ClassVar

from ziggurat.judge.execution import exact_match
from ziggurat.judge.metrics.answers.exact_match import ExactMatch

__all__ = ["METRIC", "QueryMatch"]


class QueryMatch(ExactMatch):
    """Right queries / queries: the exact match of the field (`ziggurat.judge.execution.exact_match`)."""

    name: ClassVar[str] = "query_match"
    reads: ClassVar[str] = "queries"

    def seen(self, gold: Any, predicted: Any) -> bool:
        """Return whether a query is written as the gold one."""
        return exact_match(str(gold), str(predicted))


METRIC = QueryMatch
