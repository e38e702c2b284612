"""Where labels stand: answers of every kind as sets of labels, gold and predicted, at the same places.

*Idea.* A text's one label, its several labels, a tag for each of its tokens, its spans and the roles of its predicates
are counted alike once both sides are told place by place. A text is one place, so is a token; the place of a span are
its exact boundaries, and of a role those and its predicate: so what is right is right in all of them (strict).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from ziggurat.core.errors import UsageError
from ziggurat.core.schemes import LabelSpan

__all__ = ["Labels", "Place", "Roles", "Spans", "of_labels", "of_roles", "of_spans"]

Place: TypeAlias = tuple[frozenset[str], frozenset[str]]
"""Gold labels and predicted ones of one place; at a place of one side only the other side's are none."""

Labels: TypeAlias = str | AbstractSet[str] | Sequence[str | AbstractSet[str]]
"""A label, a set of labels, or one of these for each position."""

Spans: TypeAlias = Iterable[LabelSpan]

Roles: TypeAlias = Mapping[int, Spans]
"""Argument spans by the position of their predicate; its own span may be one of them, and never counts."""

ByPlace: TypeAlias = dict[tuple[int, int, int], frozenset[str]]
"""What stands between two boundaries for a predicate."""

PREDICATE = "V"
"""The role of a predicate's own span."""


def of_labels(gold: Labels, predicted: Labels) -> list[Place]:
    """Return the places of a text with a label, or with several; or of a sequence with either at each position.

    >>> of_labels("a", "b") == [(frozenset("a"), frozenset("b"))]
    True

    Raises:
        UsageError: two sequences differ in length.
    """
    golds, said = _sets(gold), _sets(predicted)
    if len(golds) != len(said):
        raise UsageError(f"{len(said)} labels for {len(golds)} positions: they can't be compared")
    return list(zip(golds, said, strict=True))


def of_spans(gold: Spans, predicted: Spans) -> list[Place]:
    """Return a place for each pair of boundaries that either side has, in the order of the sequence."""
    return _paired(_by_place({0: gold}), _by_place({0: predicted}))


def of_roles(gold: Roles, predicted: Roles) -> list[Place]:
    """Return a place for each predicate and pair of boundaries that either side has; spans of predicates are none.

    >>> of_roles({1: [(1, 2, "V")]}, {1: [(1, 2, "V"), (2, 3, "ARG1")]}) == [(frozenset(), frozenset(["ARG1"]))]
    True
    """
    return _paired(
        *(_by_place({place: _arguments(spans) for place, spans in one.items()}) for one in (gold, predicted))
    )


def _arguments(spans: Spans) -> Spans:
    return [span for span in spans if span[2] != PREDICATE]


def _paired(golds: ByPlace, said: ByPlace) -> list[Place]:
    nothing: frozenset[str] = frozenset()
    return [(golds.get(place, nothing), said.get(place, nothing)) for place in sorted({*golds, *said})]


def _sets(answer: Labels) -> list[frozenset[str]]:
    if isinstance(answer, str):
        return [frozenset([answer])]
    if isinstance(answer, AbstractSet):
        return [frozenset(answer)]
    return [frozenset([one]) if isinstance(one, str) else frozenset(one) for one in answer]


def _by_place(roles: Roles) -> ByPlace:
    found: dict[tuple[int, int, int], set[str]] = defaultdict(set)
    for predicate, spans in roles.items():
        for start, stop, kind in spans:
            found[predicate, start, stop].add(kind)
    return {place: frozenset(kinds) for place, kinds in found.items()}
