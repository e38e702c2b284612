"""Word similarity from the user's file: rank correlation with people's scores."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import TooLittleTextError
from ziggurat.judge.intrinsic.chance import FEWEST, resampled_correlations
from ziggurat.judge.intrinsic.similarity import answer_similarity, spearman
from ziggurat.judge.intrinsic.word_sets import SimilaritySet, read_similarity
from ziggurat.study.yardstick import asked_of_all, lexicon_of

__all__ = ["YARDSTICK", "Similarity", "SimilarityYardstick"]

Array = npt.NDArray[np.float64]


class Similarity:
    """Pairs of words of one file."""

    def __init__(self, pairs: SimilaritySet) -> None:
        """Ask for the cosine of each of ``pairs``."""
        self.set = pairs
        self.label = pairs.name
        self.questions = len(pairs.pairs)
        self.key: Any = [pairs.pairs, pairs.scores]

    def answers(self, bundle: Bundle) -> list[list[float]]:
        """Return each pair's cosine, and which pairs could be asked."""
        found = answer_similarity(lexicon_of(bundle), self.set)
        return [found.cosines.tolist(), found.asked.astype(float).tolist()]

    def figures(self, answers: Array) -> Array:
        """Return Spearman's correlation with people's scores over the pairs that all models know."""
        scores, cosines = self._known(answers)
        return np.array([np.nan if (r := spearman(scores, row)) is None else r for row in cosines])

    def resampled(self, answers: Array, *, seed: int, resamples: int) -> Array:
        """Return that correlation over pairs drawn with replacement."""
        scores, cosines = self._known(answers)
        return resampled_correlations(scores, cosines, seed=seed, resamples=resamples)

    def _known(self, answers: Array) -> tuple[Array, Array]:
        asked = asked_of_all(answers, 1)
        if asked.sum() < FEWEST:
            raise TooLittleTextError(f"{self.label}: {asked.sum()} pairs are in the vocabulary; it needs {FEWEST}")
        return np.array(self.set.scores)[asked], answers[:, 0][:, asked]


class SimilarityYardstick:
    """Measures by word similarity."""

    file: ClassVar[str] = "wordsim353.tsv"
    higher_is_better: ClassVar[bool] = True
    quantity: ClassVar[str] = "quantity_similarity"

    def open(self, file: str) -> Similarity:
        """Read a file of word pairs."""
        return Similarity(read_similarity(Path(file)))


YARDSTICK = SimilarityYardstick()
