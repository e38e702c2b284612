"""Analogies from the user's file: the share of questions that the vectors answer."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import TooLittleTextError
from ziggurat.judge.intrinsic.analogies import answer_analogies
from ziggurat.judge.intrinsic.chance import resampled_sections
from ziggurat.judge.intrinsic.word_sets import AnalogySet, read_analogies
from ziggurat.study.yardstick import asked_of_all, lexicon_of

__all__ = ["YARDSTICK", "Analogies", "AnalogiesYardstick"]

Array = npt.NDArray[np.float64]

FREQUENT = 30_000
"""Answers are looked for among so many frequent words, as is usual."""


class Analogies:
    """Questions "a is to b as c is to …?" of one file."""

    def __init__(self, questions: AnalogySet) -> None:
        """Ask ``questions``."""
        self.set = questions
        self.label = questions.name
        self.questions = len(questions.questions)
        self.key: Any = [questions.questions, questions.section, FREQUENT]

    def answers(self, bundle: Bundle) -> list[list[float]]:
        """Return which questions were answered rightly, and which could be asked."""
        found = answer_analogies(lexicon_of(bundle, restrict=FREQUENT), self.set)
        return [found.right.astype(float).tolist(), found.asked.astype(float).tolist()]

    def figures(self, answers: Array) -> Array:
        """Return the share of right answers among what all models could be asked."""
        return np.asarray(answers[:, 0][:, self._asked(answers)].mean(axis=1))

    def resampled(self, answers: Array, *, seed: int, resamples: int) -> Array:
        """Return that share over resampled pairs of words; sections keep their sizes."""
        asked = self._asked(answers)
        draws = resampled_sections(self.set, asked, answers[:, 0], seed=seed, resamples=resamples)
        sizes = np.bincount(np.array(self.set.section)[asked], minlength=len(self.set.sections))[:, None]
        weights = np.where(np.isnan(draws), 0, sizes)
        drawn = weights.sum(axis=1)
        return np.asarray((weights * np.nan_to_num(draws)).sum(axis=1) / np.where(drawn > 0, drawn, np.nan))

    def _asked(self, answers: Array) -> npt.NDArray[np.bool_]:
        asked = asked_of_all(answers, 1)
        if not asked.any():
            raise TooLittleTextError(f"{self.label}: no question whose four words are all in the vocabulary")
        return asked


class AnalogiesYardstick:
    """Measures by analogies."""

    file: ClassVar[str] = "questions-words.txt"
    higher_is_better: ClassVar[bool] = True
    quantity: ClassVar[str] = "quantity_analogies"

    def open(self, file: str) -> Analogies:
        """Read a file of analogies."""
        return Analogies(read_analogies(Path(file)))


YARDSTICK = AnalogiesYardstick()
