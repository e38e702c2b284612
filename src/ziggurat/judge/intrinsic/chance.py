"""How far chance could move a figure of word vectors: resampled analogies, resampled pairs, and differences of models.

*Idea.* The questions of an analogy section are made by crossing a few pairs of words: with 23 countries and their
capitals, 506 questions. If a model has a bad vector for Canberra, all 44 questions with it suffer, so questions are not
independent, and intervals over questions would be several times too narrow. What chance chose are the pairs; sections
were chosen by somebody and would be the same in another set. So pairs are resampled, and sections keep their shares.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.seeding import generator
from ziggurat.judge.intrinsic.similarity import Values, midranks
from ziggurat.judge.intrinsic.word_sets import AnalogySet
from ziggurat.judge.significance import LEVEL, Z_POWER, Z_TWO_SIDED, Interval

__all__ = [
    "FEWEST",
    "Comparison",
    "difference",
    "interval",
    "models_resampled",
    "pairs_of",
    "resampled_correlations",
    "resampled_sections",
]

RESAMPLES = 2_000
CHUNK = 100
FEWEST = 5
"""Pairs of words from which on a figure has an interval."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of two models on the same questions; the difference is positive where the first is better."""

    name: str
    ours: float
    theirs: float
    low: float
    high: float
    """95 % bootstrap interval of the difference, over what both were asked, and over models where there are several."""
    p_value: float
    """Two-sided, from the same resamples."""
    smallest_detectable: float
    """Difference that this set shows with 80 % power at 5 %."""
    asked: int
    """Questions or pairs that both models know."""

    @property
    def difference(self) -> float:
        """Ours minus theirs."""
        return self.ours - self.theirs

    @property
    def below(self) -> bool:
        """Whether ours is significantly below: the whole interval is."""
        return self.high < 0

    @property
    def above(self) -> bool:
        """Whether ours is significantly above."""
        return self.low > 0


def pairs_of(questions: AnalogySet, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return (rows, 2): which two pairs of words each of these questions is made of; a pair is one in all sections."""
    numbers: dict[tuple[str, str], int] = {}
    each = [questions.questions[row] for row in rows]
    table = [
        (numbers.setdefault((a, b), len(numbers)), numbers.setdefault((c, d), len(numbers))) for a, b, c, d in each
    ]
    return np.array(table, np.int64).reshape(-1, 2)


def resampled_sections(
    questions: AnalogySet, asked: npt.NDArray[np.bool_], values: Values, *, seed: int, resamples: int = RESAMPLES
) -> Values:
    """Return (K, sections, resamples) means of the K rows of ``values`` (K, N) over resampled pairs of words.

    *Maths.* Each pair gets a weight from Poisson's distribution with mean one, about as often as it would be drawn,
    each question the product of its two pairs' weights, and a section its weighted mean. Owen & Eckles (2012) show of
    such products that the variance is mildly too large, so intervals err on the safe side. Weights that are never zero
    would not do for differences: a single question that one model has right and the other wrong would show in every
    resample. A section is NaN where nothing of it was asked or drawn.
    """
    rows = np.nonzero(asked)[0]
    section = np.array(questions.section)[rows]
    rows = rows[np.argsort(section, kind="stable")]
    ends = np.searchsorted(np.sort(section), np.arange(len(questions.sections) + 1))
    first, second = pairs_of(questions, rows).T
    chosen = values[:, rows]
    draw = generator(seed, "analogies")
    found = np.full((len(values), len(questions.sections), resamples), np.nan)
    for start in range(0, resamples, CHUNK):
        columns = slice(start, min(start + CHUNK, resamples))
        weights = draw.poisson(1.0, (int(max(first.max(), second.max())) + 1, columns.stop - start)).astype(np.float64)
        products = weights[first] * weights[second]
        for number in range(len(questions.sections)):
            inside = slice(ends[number], ends[number + 1])
            if inside.start < inside.stop:
                part = products[inside]
                drawn = part.sum(axis=0)
                found[:, number, columns] = chosen[:, inside] @ part / np.where(drawn > 0, drawn, np.nan)
    return found


def resampled_correlations(scores: Values, cosines: Values, *, seed: int, resamples: int = RESAMPLES) -> Values:
    """Return (K, resamples) rank correlations of ``scores`` (N,) with the K rows of ``cosines`` (K, N).

    *Maths.* Pairs are drawn with replacement, the same for all K (Efron & Tibshirani 1993, section 13.3), and ranked
    anew. A pair drawn m times counts m times: its rank is the number of draws below it plus half of one more than
    those equal to it. Resamples in which one side is constant are NaN.

    *Cost.* No sorting but the first: O(resamples · K · N).
    """
    draw = generator(seed, "similarity")
    size = len(scores)
    found = np.empty((len(cosines), resamples))
    orders = [_Order(row) for row in (scores, *cosines)]
    for start in range(0, resamples, CHUNK):
        columns = slice(start, min(start + CHUNK, resamples))
        counts = draw.multinomial(size, np.full(size, 1 / size), size=columns.stop - start).astype(np.float64)
        people, *models = (order.ranks(counts) - (size + 1) / 2 for order in orders)
        weighted = counts * people
        spread = (weighted * people).sum(axis=1)
        for number, ranks in enumerate(models):
            product = spread * (counts * ranks * ranks).sum(axis=1)
            with np.errstate(invalid="ignore"):
                found[number, columns] = (weighted * ranks).sum(axis=1) / np.sqrt(
                    np.where(product > 0, product, np.nan)
                )
    return found


class _Order:
    """The order of values, found once, from which the ranks of every resample follow."""

    def __init__(self, values: Values) -> None:
        ranks = midranks(values)
        self._order = np.argsort(ranks, kind="stable")
        ordered = ranks[self._order]
        self._starts = np.nonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))[0]
        self._group = np.empty(len(values), np.int64)
        self._group[self._order] = np.cumsum(np.concatenate([[0], ordered[1:] != ordered[:-1]]))

    def ranks(self, counts: Values) -> Values:
        """Return (C, N) the ranks of N values that occur (C, N) times."""
        equal = np.add.reduceat(counts[:, self._order], self._starts, axis=1)
        return np.asarray((np.cumsum(equal, axis=1) - (equal - 1) / 2)[:, self._group])


def models_resampled(figures: Values, *, seed: int, side: str) -> Values:
    """Return (resamples,) the mean over models of (models, resamples) figures, models being resampled where several.

    *Maths.* Of n models of one recipe n − 1 are drawn with replacement, which gives the variance of their mean without
    the factor (n − 1) / n (Rao & Wu 1988).
    """
    models, resamples = figures.shape
    if models == 1:
        return np.asarray(figures[0])
    drawn = generator(seed, "models", side).integers(0, models, (models - 1, resamples))
    return np.asarray(np.take_along_axis(figures, drawn, axis=0).mean(axis=0))


def interval(value: float, resamples: Values) -> Interval | None:
    """Return a figure with the 95 % percentile interval of its resamples; None where none of these is defined."""
    bounds = _bounds(resamples)
    return None if bounds is None else Interval(value, *bounds)


def difference(name: str, figures: tuple[float, float], draws: tuple[Values, Values], asked: int) -> Comparison:
    """Return the comparison of two sides from the figure of each and its (resamples,) draws, both from one seed.

    *Maths.* p = 2 · (1 + the smaller number of resampled differences on one side of zero) / (1 + resamples), at most 1:
    the level at which the percentile interval would just reach zero (Efron & Tibshirani 1993, section 15.4).
    """
    resamples = draws[0] - draws[1]
    resamples = resamples[np.isfinite(resamples)]
    low, high = _bounds(resamples) or (-np.inf, np.inf)
    tail = min(int((resamples <= 0).sum()), int((resamples >= 0).sum()))
    detectable = (Z_TWO_SIDED + Z_POWER) * float(resamples.std(ddof=1)) if len(resamples) > 1 else np.inf
    p_value = min(1.0, 2 * (1 + tail) / (1 + len(resamples)))
    return Comparison(name, *figures, low, high, p_value, detectable, asked)


def _bounds(resamples: Values) -> tuple[float, float] | None:
    defined = resamples[np.isfinite(resamples)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
