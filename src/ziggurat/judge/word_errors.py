"""Word and character error rates of transcripts, with intervals over recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ziggurat.core.errors import MissingExtraError, UsageError
from ziggurat.judge.significance import Difference, Interval, paired, ratio_interval
from ziggurat.text.spoken import spoken, spoken_units

__all__ = ["ErrorUnit", "Errors", "compare_errors", "error_counts", "error_rate"]

ErrorUnit: TypeAlias = Literal["word", "character"]
"""What is counted: words, of which each Han character is one (so that Chinese gets its usual rate); or all characters,
spaces left out.
"""


@dataclass(frozen=True, slots=True)
class Errors:
    """How a transcript differs from what was said, by the fewest changes that make one of the other."""

    substitutions: int
    deletions: int
    insertions: int
    units: int
    """Words or characters that were said."""

    @property
    def total(self) -> int:
        """All changes."""
        return self.substitutions + self.deletions + self.insertions


def error_counts(reference: str, hypothesis: str, *, unit: ErrorUnit = "word") -> Errors:
    """Return the errors of one transcript; capitals and signs don't count (`ziggurat.text.spoken`).

    Raises:
        MissingExtraError: the package ``jiwer`` is not installed.
    """
    said, heard = _units(reference, unit), _units(hypothesis, unit)
    if not said or not heard:
        return Errors(0, len(said), len(heard), len(said))
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtraError("word error rates", "speech") from error
    found = jiwer.process_words(" ".join(said), " ".join(heard))
    return Errors(int(found.substitutions), int(found.deletions), int(found.insertions), len(said))


def error_rate(counts: Sequence[Errors], *, seed: int) -> Interval:
    """Return errors per unit over all recordings, with its 95 % bootstrap interval over recordings.

    *Maths.* Σ (S + D + I) / Σ N: more than 1 where more is inserted than was said.

    Raises:
        TooLittleTextError: there are no recordings.
        UsageError: nothing was said in any.
    """
    wrong, units = _columns(counts)
    if len(units) and not units.sum():
        raise UsageError("the transcripts have no words: an error rate needs some")
    kept = units > 0  # what is heard in a silence counts in the rate, but can't be drawn alone
    spread = ratio_interval(wrong[kept], units[kept], seed=seed)
    return Interval(float(wrong.sum() / units.sum()), spread.low, spread.high)


def compare_errors(before: Sequence[Errors], after: Sequence[Errors], *, seed: int) -> Difference:
    """Return the error rate of ``after`` less that of ``before`` on the same recordings, with its paired test.

    Raises:
        UsageError: they are not the same recordings.
        TooLittleTextError: there are fewer than two.
    """
    if [one.units for one in before] != [one.units for one in after]:
        raise UsageError("error rates compare only on the same recordings, counted in the same units")
    (first, units), (second, _) = _columns(before), _columns(after)
    return paired(second - first, units, seed=seed)


def _units(text: str, unit: ErrorUnit) -> list[str]:
    return spoken_units(text) if unit == "word" else list(spoken(text).replace(" ", ""))


def _columns(counts: Sequence[Errors]) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    return np.array([one.total for one in counts], np.float64), np.array([one.units for one in counts], np.float64)
