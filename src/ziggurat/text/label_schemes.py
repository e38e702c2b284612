"""Whether the labels of sentences are of the scheme that they are said to be, or of any."""

from collections import Counter
from collections.abc import Sequence

from ziggurat.core.errors import InputError
from ziggurat.core.schemes import OUTSIDE, SCHEMES, Scheme, foreign_to, likely_scheme, scheme_of
from ziggurat.core.types import Example

__all__ = ["check_scheme"]

NONE = "none"


def check_scheme(sentences: Sequence[Example], scheme: str) -> None:
    """Check that the labels of sentences are of a ``scheme``; ``auto``: of one, unless they are plain; ``none``: any.

    Raises:
        InputError: a label is none of it; the message names file and line.
    """
    named = next((one for one in SCHEMES if one == scheme), None)
    if scheme == NONE:
        return
    counts = Counter(label for sentence in sentences for label in sentence.answer)
    meant = named or (None if scheme_of(counts) else likely_scheme(counts))
    foreign = set() if meant is None else set(foreign_to(meant, counts))
    if meant is None or not foreign:
        return
    for sentence in sentences:
        place = next((place for place, label in enumerate(sentence.answer) if label in foreign), None)
        if place is not None:
            raise _error(sentence, place, meant, named=named is not None)


def _error(sentence: Example, place: int, scheme: Scheme, *, named: bool) -> InputError:
    path, _, line = sentence.id.rpartition(":")
    letters = "BI" if scheme == "IOB1" else scheme.replace(OUTSIDE, "")
    form = ", ".join([OUTSIDE, *(f"{letter}-TYPE" for letter in letters)])
    why = f"none of model.scheme {scheme}" if named else f"none of {scheme}, as most labels are"
    return InputError(
        f"{path}:{int(line) + place}: the label '{sentence.answer[place]}' is {why} ({form}); mend it, "
        f"or set model.scheme to {NONE} to learn labels as they stand"
    )
