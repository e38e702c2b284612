"""Which size to take, from scores of every size over the same questions and the same seeds.

**The rule.** Take the smallest size whose score is not significantly worse than that of the best size.

*Idea.* A larger vector costs more wherever it goes, so it must earn its place; a difference that chance alone could
have made earns nothing. Chance comes from two sides: which questions were asked, and which seed each model grew from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.seeding import generator
from ziggurat.judge.significance import LEVEL, Z_POWER

__all__ = ["RESAMPLES", "Choice", "Scored", "choose", "seed_noise"]

Array = npt.NDArray[np.float64]

RESAMPLES = 4_000


@dataclass(frozen=True, slots=True)
class Scored:
    """One size's score and how it stands to the best."""

    size: int
    score: float
    """Mean over seeds."""
    by_seed: tuple[float, ...]
    behind: float
    """By how much it is worse than the best size's; 0 for the best."""
    low: float
    high: float
    """Interval of ``behind``; the intervals of all sizes hold together with 95 %."""

    @property
    def worse(self) -> bool:
        """Whether it is significantly worse than the best: the whole interval lies above zero."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rule came to."""

    chosen: int
    best: int
    """The size with the best score."""
    higher_is_better: bool
    rows: tuple[Scored, ...]
    """By size."""
    smallest_detectable: float
    """Difference to the best that would be found with 80 % power at this level, at the median of the sizes."""
    seeds: int

    def row(self, size: int) -> Scored:
        """Return one size's row."""
        return next(row for row in self.rows if row.size == size)

    @property
    def all_alike(self) -> bool:
        """Whether no size is significantly worse than the best."""
        return not any(row.worse for row in self.rows)


def choose(sizes: Sequence[int], figures: Array, draws: Array, *, higher_is_better: bool, seed: int = 0) -> Choice:
    """Apply the rule of this file.

    *Maths.* The difference d of two sizes' mean scores has an interval from draws that join both kinds of chance.
    Questions: ``draws`` are the scores over resampled questions, the same questions for all models (a paired
    bootstrap). Seeds: scores are laid out sizes × seeds, and s² is the variance left when means of sizes and of seeds
    are taken out; a draw of Student's t with (S − 1)(R − 1) degrees of freedom times s √(2 / R) is added (Fisher's
    randomised blocks; a few seeds are too few to be resampled). With one seed this part is missing. The best size was
    picked for its score, so it looks better than it is; the bounds are quantiles at 2.5 % / (S (S − 1) / 2), with which
    the intervals of all pairs of sizes hold together with 95 %, those with the best among them (Dunn 1961).

    Args:
        sizes: (S,) ascending.
        figures: (S, R) each model's score.
        draws: (S, R, B) the same over resampled questions; B = 1 where questions can't be resampled.
        higher_is_better: Which way is better.
        seed: Of the draws of Student's t.

    Raises:
        UsageError: there are fewer than two sizes.
        TooLittleTextError: a score is undefined, or neither seeds nor questions tell how far chance goes.
    """
    count, seeds = figures.shape
    if count < 2:
        raise UsageError("--sizes: a choice needs at least 2 sizes")
    if not np.isfinite(figures).all():
        raise TooLittleTextError("a score is undefined: too few questions could be asked")
    if seeds == 1 and draws.shape[2] == 1:
        raise TooLittleTextError("--seeds: this yardstick gives one number a model, so it needs at least 2 seeds")
    sign = 1.0 if higher_is_better else -1.0
    means = figures.mean(axis=1)
    best = int(np.argmax(sign * means))
    behind = sign * (means[best] - means)
    resampled = _resampled(sign * draws.mean(axis=1), best, behind)
    noise, degrees = seed_noise(figures)
    if degrees:
        resampled = resampled + noise * math.sqrt(2 / seeds) * generator(seed, "seeds").standard_t(
            degrees, resampled.shape
        )
    tail = (1 - LEVEL) / 2 / math.comb(count, 2)
    low, high = np.nanquantile(resampled, [tail, 1 - tail], axis=1)
    low[best] = high[best] = 0.0
    rows = tuple(
        Scored(size, float(means[n]), tuple(map(float, figures[n])), float(behind[n]), float(low[n]), float(high[n]))
        for n, size in enumerate(sizes)
    )
    chosen = min(row.size for row in rows if not row.worse)
    wide = NormalDist().inv_cdf(1 - tail)
    halves = [(high[n] - low[n]) / 2 * (1 + Z_POWER / wide) for n in range(count) if n != best]
    return Choice(chosen, sizes[best], higher_is_better, rows, float(np.median(halves)), seeds)


def seed_noise(figures: Array) -> tuple[float, int]:
    """Return the standard deviation that seeds leave in (S, R) scores, and its degrees of freedom (0: unknown)."""
    count, seeds = figures.shape
    degrees = (count - 1) * (seeds - 1)
    if not degrees:
        return 0.0, 0
    left = figures - figures.mean(axis=1, keepdims=True) - figures.mean(axis=0, keepdims=True) + figures.mean()
    return math.sqrt(float((left**2).sum()) / degrees), degrees


def _resampled(draws: Array, best: int, behind: Array) -> Array:
    """Return (S, B) by how much each size is behind the best over resampled questions, as many as are needed."""
    found = draws[best] - draws
    if draws.shape[1] == 1:
        return np.repeat(behind[:, None], RESAMPLES, axis=1)
    return np.asarray(found)
