"""What a study measures models by: the user's own question, put to every model alike.

*Idea.* A yardstick asks a model many small questions and keeps each answer. A score is a function of the answers; which
differences of scores are chance is seen by asking resampled questions, the same for all models. So a yardstick says how
to answer, how to score, and how to resample, and the rule in `ziggurat.study.choice` needs to know nothing else.
"""

from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.protocols import StaticEncoder
from ziggurat.core.registry import Registry
from ziggurat.judge.intrinsic.lexicon import Lexicon

__all__ = ["YARDSTICKS", "Measure", "Yardstick", "asked_of_all", "lexicon_of", "open_measure", "resampled_ratio"]

Array = npt.NDArray[np.float64]


class Measure(Protocol):
    """A yardstick with its questions read."""

    label: str
    """What a person calls it: ``analogies of questions-words``."""
    questions: int
    """How many there are."""
    key: Any
    """What decides the answers beside the model: hashed into the study's progress. JSON-able."""

    def answers(self, bundle: Bundle) -> list[list[float]]:
        """Put all questions to a model; return rows of numbers, each as long as there are questions."""
        ...

    def figures(self, answers: Array) -> Array:
        """Return (K,) the scores of K models from their (K, rows, questions) answers."""
        ...

    def resampled(self, answers: Array, *, seed: int, resamples: int) -> Array:
        """Return (K, resamples) the scores over resampled questions, in every resample the same for all models."""
        ...


class Yardstick(Protocol):
    """The ``YARDSTICK`` object of a module in ``study/yardsticks/``."""

    file: ClassVar[str]
    """What its file holds, for messages; empty where it needs none."""
    higher_is_better: ClassVar[bool]
    quantity: ClassVar[str]
    """What its score is, a key of the report's words."""

    def open(self, file: str) -> Measure:
        """Read the questions.

        Raises:
            InputError: the file can't be read; the message names file and line.
        """
        ...


YARDSTICKS: Registry[Yardstick] = Registry("ziggurat.study.yardsticks", "YARDSTICK", kind="task")
"""All yardsticks, by the name of their module."""


def open_measure(task: str) -> tuple[str, Measure]:
    """Return the yardstick's name and its measure for ``loss`` or ``analogies=FILE``.

    Raises:
        UnknownNameError: there is no such task; the nearest is named.
        UsageError: its file is missing, or it takes none.
        InputError: the file can't be read; the message names file and line.
    """
    name, given, file = task.partition("=")
    yardstick = YARDSTICKS.get(name, where="--task")
    if yardstick.file and not file:
        raise UsageError(f"--task {name}: needs a file: --task {name}={yardstick.file}")
    if given and not yardstick.file:
        raise UsageError(f"--task {name}: takes no file; say --task {name}")
    try:
        return name, yardstick.open(file)
    except InputError as error:
        raise InputError(f"--task {name}: {error}") from error


def resampled_ratio(numerators: Array, denominators: Array, *, draw: np.random.Generator, resamples: int) -> Array:
    """Return (K, resamples) ratios of sums over questions drawn with replacement; both arrays are (K, N)."""
    size = numerators.shape[1]
    found = np.empty((len(numerators), resamples))
    for start in range(0, resamples, 200):
        stop = min(start + 200, resamples)
        counts = draw.multinomial(size, np.full(size, 1 / size), size=stop - start).T.astype(np.float64)
        found[:, start:stop] = (numerators @ counts) / (denominators @ counts)
    return found


def asked_of_all(answers: Array, row: int) -> npt.NDArray[np.bool_]:
    """Return (N,) which questions every model could be asked, by the ``row`` of answers that says so."""
    return np.asarray((answers[:, row] > 0).all(axis=0))


def lexicon_of(bundle: Bundle, *, restrict: int | None = None) -> Lexicon:
    """Return a bundle's words by falling frequency with their vectors, ids that are no words left out.

    Raises:
        UsageError: the model has no vectors of words.
    """
    model = bundle.model
    if not isinstance(model, StaticEncoder):
        raise UsageError(
            f"{bundle.path}: a {bundle.manifest.family} model has no vectors of words; choose another --recipe"
        )
    first = max(model.vocabulary.special) + 1
    return Lexicon(bundle.words.words()[first:], model.vectors[first:], restrict=restrict)
