"""Answers → figures: accuracy by section, correlation by set, each with its interval; two models side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.judge.intrinsic.analogies import AnalogyAnswers, groups
from ziggurat.judge.intrinsic.chance import (
    FEWEST,
    Comparison,
    difference,
    interval,
    models_resampled,
    pairs_of,
    resampled_correlations,
    resampled_sections,
)
from ziggurat.judge.intrinsic.similarity import SimilarityAnswers, Values, spearman
from ziggurat.judge.significance import LEVEL, Interval

__all__ = ["AnalogyScore", "analogy_scores", "compare_analogies", "compare_similarity", "similarity_interval"]


@dataclass(frozen=True, slots=True)
class AnalogyScore:
    """How a section, or a total over several, went."""

    name: str
    right: int
    asked: int
    skipped: int
    """Questions of which a word is unknown."""
    interval: Interval | None
    """Of the accuracy; None where fewer than five different pairs of words were asked about."""
    total: bool = False
    """Whether it sums over sections."""

    @property
    def accuracy(self) -> float | None:
        """Share of the asked questions that were answered rightly; None where none was asked."""
        return self.right / self.asked if self.asked else None


def analogy_scores(answers: AnalogyAnswers, *, seed: int = 0) -> list[AnalogyScore]:
    """Return the score of each section, and then of the totals: semantic and syntactic where both are, overall.

    *Idea.* A total is taken over questions, as everybody does, so big sections weigh more. Its interval keeps the
    sections' sizes and resamples pairs of words (see `ziggurat.judge.intrinsic.chance`). Where all answers are right,
    or all are wrong, resampling can't tell how far that carries; the interval is then the one of as many independent
    answers as there are pairs of words.
    """
    questions = answers.questions
    section = np.array(questions.section)
    if answers.asked.any():
        draws = resampled_sections(questions, answers.asked, answers.right[None].astype(np.float64), seed=seed)[0]
    else:
        draws = np.full((len(questions.sections), 1), np.nan)
    sizes = np.bincount(section[answers.asked], minlength=len(questions.sections))
    parts = [(name, [number], False) for number, name in enumerate(questions.sections)]
    parts += [(name, numbers, True) for name, numbers in groups(questions).items()]
    scores = []
    for name, numbers, total in parts:
        inside = np.isin(section, numbers)
        rows = np.nonzero(inside & answers.asked)[0]
        right = int(answers.right[rows].sum())
        found = None
        if (known := len(np.unique(pairs_of(questions, rows)))) >= FEWEST:
            moves = 0 < right < len(rows)
            found = (
                interval(right / len(rows), _total(draws, numbers, sizes))
                if moves
                else _all_alike(right=right > 0, pairs=known)
            )
        scores.append(AnalogyScore(name, right, len(rows), int(inside.sum()) - len(rows), found, total))
    return scores


def similarity_interval(answers: SimilarityAnswers, *, seed: int = 0) -> Interval | None:
    """Return the rank correlation with its bootstrap interval over the asked pairs; None where fewer than five were."""
    value, asked = answers.correlation, answers.asked
    if value is None or asked.sum() < FEWEST:
        return None
    scores = np.array(answers.pairs.scores)[asked]
    return interval(value, resampled_correlations(scores, answers.cosines[None, asked], seed=seed)[0])


def compare_analogies(
    ours: Sequence[AnalogyAnswers], theirs: Sequence[AnalogyAnswers], *, seed: int = 0
) -> list[Comparison]:
    """Compare two recipes by their models' answers: each section, then the totals, on what all models were asked.

    *Idea.* Every resample of the pairs of words is the same for all models, so what makes a question hard for all of
    them cancels. Several models of a recipe (several seeds) are averaged, and resampled, too.

    Raises:
        UsageError: the models answered different sets.
        TooLittleTextError: the questions that all of them know are made of fewer than five pairs of words.
    """
    every = [*ours, *theirs]
    questions = every[0].questions
    if any(answers.questions != questions for answers in every):
        raise UsageError(f"{questions.name}: the models answered different sets; ask all of them the same one")
    asked = np.logical_and.reduce([answers.asked for answers in every])
    known = len(np.unique(pairs_of(questions, np.nonzero(asked)[0])))
    if known < FEWEST:
        said = f"the questions that all models know have {known} pairs of words"
        raise TooLittleTextError(f"{questions.name}: {said}; a comparison needs {FEWEST}")
    section = np.array(questions.section)
    right = np.array([answers.right for answers in every], np.float64)
    draws = resampled_sections(questions, asked, right, seed=seed)
    sizes = np.bincount(section[asked], minlength=len(questions.sections))
    parts = [(name, [number]) for number, name in enumerate(questions.sections)] + list(groups(questions).items())
    found = []
    for name, numbers in parts:
        rows = np.nonzero(np.isin(section, numbers) & asked)[0]
        if len(np.unique(pairs_of(questions, rows))) >= FEWEST:
            figures = np.array([one[rows].mean() for one in right])
            each = np.array([_total(one, numbers, sizes) for one in draws])
            found.append(_compared(name, figures, each, len(ours), len(rows), seed))
    return found


def compare_similarity(
    ours: Sequence[SimilarityAnswers], theirs: Sequence[SimilarityAnswers], *, seed: int = 0
) -> Comparison:
    """Compare two recipes by their models' rank correlations, on the pairs that all models know.

    Raises:
        UsageError: the models answered different sets.
        TooLittleTextError: there are fewer than five pairs that all of them know.
    """
    every = [*ours, *theirs]
    pairs = every[0].pairs
    if any(answers.pairs != pairs for answers in every):
        raise UsageError(f"{pairs.name}: the models answered different sets; ask all of them the same one")
    asked = np.logical_and.reduce([answers.asked for answers in every])
    scores = np.array(pairs.scores)[asked]
    cosines = np.array([answers.cosines[asked] for answers in every])
    if len(scores) < FEWEST:
        raise TooLittleTextError(f"{pairs.name}: {len(scores)} pairs that all models know; a comparison needs {FEWEST}")
    figures = [spearman(scores, row) for row in cosines]
    if None in figures:
        raise TooLittleTextError(
            f"{pairs.name}: people or a model find all known pairs equally alike: nothing to compare"
        )
    draws = resampled_correlations(scores, cosines, seed=seed)
    return _compared(pairs.name, np.array(figures, np.float64), draws, len(ours), len(scores), seed)


def _all_alike(*, right: bool, pairs: int) -> Interval:
    """Return the interval of an accuracy of one or nought over so many independent answers.

    *Maths.* Clopper & Pearson 1934: a chance p of success with (1 − p)ⁿ = (1 − level) / 2 bounds n failures.
    """
    reach = 1 - ((1 - LEVEL) / 2) ** (1 / pairs)
    return Interval(1.0, 1 - reach, 1.0) if right else Interval(0.0, 0.0, reach)


def _compared(name: str, figures: Values, draws: Values, ours: int, asked: int, seed: int) -> Comparison:
    """Return the comparison of the first ``ours`` of all models with the others."""
    sides = (slice(None, ours), slice(ours, None))
    one, other = (models_resampled(draws[side], seed=seed, side=str(n)) for n, side in enumerate(sides))
    means = (float(figures[sides[0]].mean()), float(figures[sides[1]].mean()))
    return difference(name, means, (one, other), asked)


def _total(draws: Values, sections: Sequence[int], sizes: npt.NDArray[np.int64]) -> Values:
    """Return (resamples,) the means of (sections, resamples) draws, each section with its number of questions."""
    chosen = draws[sections]
    weights = np.where(np.isnan(chosen), 0, sizes[sections][:, None])
    drawn = weights.sum(axis=0)
    return np.asarray((weights * np.nan_to_num(chosen)).sum(axis=0) / np.where(drawn > 0, drawn, np.nan))
