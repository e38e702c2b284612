"""F1 of semantic roles: an argument's boundaries and role, for each predicate by itself."""

from typing import ClassVar

from ziggurat.judge.metrics.answers.places import Place, Roles, of_roles
from ziggurat.judge.metrics.answers.tally import TallyMetric

__all__ = ["METRIC", "ArgumentF1"]


class ArgumentF1(TallyMetric):
    """2 · right / (gold + said) over all arguments of all predicates; the predicates themselves do not count."""

    name: ClassVar[str] = "argument_f1"
    reads: ClassVar[str] = "roles"

    @staticmethod
    def places(gold: Roles, predicted: Roles) -> list[Place]:
        """Return what is counted of an example."""
        return of_roles(gold, predicted)


METRIC = ArgumentF1
