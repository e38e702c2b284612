"""How a sentence whose words have labels is read: once, or once for each of its predicates.

*Idea.* Names are labels of words, one each. Roles are labels too, but each predicate of a sentence gives its words
other ones; so the sentence is read once for each, the predicate marked, and once without a mark, to say where its
predicates are. What learns labels of words needs to know no more of roles than that.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from ziggurat.text.roles import Argument, Predicate

__all__ = ["LabelledAnswer", "Reading", "frozen", "plain", "readings"]

LabelledAnswer: TypeAlias = str | tuple[str, ...] | tuple[Predicate, ...]
"""What is known of an example: a text's label, a label for each word, or a sentence's predicates, which may be none."""


class Reading(NamedTuple):
    """A sentence read once."""

    labels: tuple[str, ...]
    """One for each word."""
    marked: range
    """The words that the labels are about; none where they are about no one word."""


def readings(words: Sequence[str], answer: tuple[str, ...] | tuple[Predicate, ...]) -> list[Reading]:
    """Return what is to be learnt of a sentence: its labels; or where its predicates are, and the roles of each.

    >>> readings(["dogs", "bark"], (Predicate(1, "bark.01", (Argument(0, 1, "ARG0"),)),))
    [Reading(labels=('O', 'B-V'), marked=range(0, 0)), Reading(labels=('B-ARG0', 'B-V'), marked=range(1, 2))]
    """
    labels = tuple(one for one in answer if isinstance(one, str))
    if labels:
        return [Reading(labels, range(0))]
    predicates = [one for one in answer if isinstance(one, Predicate)]
    found = [Reading(one.tags(len(words)), range(one.position, one.position + one.length)) for one in predicates]
    own = {place: reading.labels[place] for reading in found[::-1] for place in reading.marked}
    return [Reading(tuple(own.get(place, "O") for place in range(len(words))), range(0)), *found]


def plain(answer: LabelledAnswer) -> Any:
    """Return an answer as JSON takes it."""
    if isinstance(answer, str):
        return answer
    return [
        one if isinstance(one, str) else [one.position, one.length, one.sense, [list(each) for each in one.arguments]]
        for one in answer
    ]


def frozen(found: Any) -> LabelledAnswer:
    """Return the answer that `plain` gave.

    Raises:
        ValueError, TypeError: it gave none such.
    """
    if isinstance(found, str) or all(isinstance(one, str) for one in found):
        return found if isinstance(found, str) else tuple(found)
    return tuple(
        Predicate(position, sense, tuple(Argument(*each) for each in arguments), length)
        for position, length, sense, arguments in found
    )
