"""What word vectors are good for in one small task: labels told from the mean of a text's vectors.

*Idea.* A probe is the plainest classifier that can be: what it can't do, the vectors do not show. It is there to
compare vectors with each other, not to be used.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ziggurat.core.protocols import Encoder, Tokenizer
from ziggurat.core.seeding import generator
from ziggurat.study.logistic import fit_logistic

__all__ = ["fold_numbers", "mean_vectors", "out_of_fold"]

Matrix = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

FOLDS = 5
PENALTY = 1.0
"""Of squared weights, on features of variance one: the weak penalty that is usual."""


def mean_vectors(encoder: Encoder, tokenizer: Tokenizer, texts: Sequence[str]) -> Matrix:
    """Return (N, D): the mean vector of each text's words; words without a vector (zeros) do not count."""
    found = np.zeros((len(texts), encoder.width))
    for number, ids in enumerate(tokenizer.encode_batch(list(texts))):
        if len(ids):
            vectors = encoder.encode(np.asarray(ids)[None], np.array([len(ids)], np.int32))[0]
            known = vectors[np.any(vectors != 0, axis=1)]
            if len(known):
                found[number] = known.mean(axis=0, dtype=np.float64)
    return found


def fold_numbers(classes: Ids, *, folds: int = FOLDS) -> Ids:
    """Return (N,) the fold of each text: the same for everyone who asks, each class spread over all folds."""
    order = generator(0, "folds").permutation(len(classes))
    numbers = np.empty(len(classes), np.int64)
    for one in np.unique(classes):
        members = order[classes[order] == one]
        numbers[members] = (np.arange(len(members)) + one) % folds
    return numbers


def out_of_fold(features: Matrix, classes: Ids, numbers: Ids) -> npt.NDArray[np.bool_]:
    """Return (N,) whether each text's class was told rightly by a classifier that learnt from the other folds.

    Features are brought to mean zero and variance one by what the other folds say of them.
    """
    right = np.zeros(len(classes), bool)
    count = int(classes.max()) + 1
    for fold in np.unique(numbers):
        inside = numbers == fold
        mean, spread = features[~inside].mean(axis=0), features[~inside].std(axis=0)
        scaled = (features - mean) / np.where(spread > 0, spread, 1.0)
        weights = fit_logistic(scaled[~inside], classes[~inside], count, penalty=PENALTY)
        told = (scaled[inside] @ weights[:-1] + weights[-1]).argmax(axis=1)
        right[inside] = told == classes[inside]
    return right
