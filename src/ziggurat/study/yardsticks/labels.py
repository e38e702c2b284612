"""A file of labelled texts: held-out accuracy of the plainest classifier on mean word vectors."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import InputError
from ziggurat.core.seeding import generator
from ziggurat.study.text_probe import FOLDS, PENALTY, fold_numbers, mean_vectors, out_of_fold
from ziggurat.study.yardstick import resampled_ratio
from ziggurat.text.labelled import LabelledSet, read_labelled

__all__ = ["YARDSTICK", "Labels", "LabelsYardstick"]

Array = npt.NDArray[np.float64]


class Labels:
    """Texts whose labels are to be told, five folds of them, the same for all models."""

    def __init__(self, labelled: LabelledSet) -> None:
        """Learn and tell the labels of ``labelled``."""
        self.set = labelled
        self.label = labelled.name
        self.questions = len(labelled.texts)
        self.key: Any = [labelled.texts, labelled.labels, FOLDS, PENALTY]
        place = {name: number for number, name in enumerate(labelled.classes)}
        self._classes = np.array([place[label] for label in labelled.labels], np.int64)
        rarest = int(np.bincount(self._classes).min())
        if rarest < 2:
            name = labelled.classes[int(np.bincount(self._classes).argmin())]
            raise InputError(
                f"{labelled.name}: label '{name}' has one text; each needs 2, to learn from and to measure on"
            )
        self._folds = fold_numbers(self._classes)

    def answers(self, bundle: Bundle) -> list[list[float]]:
        """Return which texts were labelled rightly by a classifier that had not seen them."""
        features = mean_vectors(bundle.encoder, bundle.tokenizer, self.set.texts)
        return [out_of_fold(features, self._classes, self._folds).astype(float).tolist()]

    def figures(self, answers: Array) -> Array:
        """Return the accuracy."""
        return np.asarray(answers[:, 0].mean(axis=1))

    def resampled(self, answers: Array, *, seed: int, resamples: int) -> Array:
        """Return the accuracy over texts drawn with replacement."""
        right = answers[:, 0]
        return resampled_ratio(right, np.ones_like(right), draw=generator(seed, "labels"), resamples=resamples)


class LabelsYardstick:
    """Measures by a small classification task."""

    file: ClassVar[str] = "labelled.tsv"
    higher_is_better: ClassVar[bool] = True
    quantity: ClassVar[str] = "quantity_labels"

    def open(self, file: str) -> Labels:
        """Read a CSV, TSV or JSONL file of texts with labels."""
        return Labels(read_labelled(file))


YARDSTICK = LabelsYardstick()
