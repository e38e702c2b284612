"""What is odd about texts that a model wrote: too short or long, empty, copied, going in circles."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ziggurat.text.spoken import spoken_units

__all__ = ["Oddities", "oddities"]

LONGEST_CIRCLE = 4
TIMES = 3


@dataclass(frozen=True, slots=True)
class Oddities:
    """How often what is odd was seen."""

    length_ratio: float
    """Words (Han characters count as words) that were written by those of the right texts."""
    empty: int
    """Texts without a word, where the right one has some."""
    copied: int
    """Texts that repeat what was asked, where the right one does not."""
    repeated: int
    """Texts with up to four words said three times in a row, where the right one has none such."""

    def figures(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def oddities(asked: Sequence[str], gold: Sequence[str], said: Sequence[str]) -> Oddities:
    """Return what is odd about texts ``said``, beside what was asked and what is right.

    >>> oddities(["ein Hund"] * 3, ["a dog"] * 3, ["ein Hund", "", "a a a dog"])
    Oddities(length_ratio=1.0, empty=1, copied=1, repeated=1)
    """
    sources, golds, written = ([spoken_units(text) for text in texts] for texts in (asked, gold, said))
    rows = list(zip(sources, golds, written, strict=True))
    stands = sum(len(right) for right in golds)
    return Oddities(
        length_ratio=sum(len(text) for text in written) / stands if stands else 1.0,
        empty=sum(bool(right) and not text for _, right, text in rows),
        copied=sum(bool(text) and text == source != right for source, right, text in rows),
        repeated=sum(_circles(text) and not _circles(right) for _, right, text in rows),
    )


def _circles(words: Sequence[str]) -> bool:
    return any(
        len({tuple(words[start + length * time : start + length * (time + 1)]) for time in range(TIMES)}) == 1
        for length in range(1, LONGEST_CIRCLE + 1)
        for start in range(len(words) - TIMES * length + 1)
    )
