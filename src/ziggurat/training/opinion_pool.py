"""Weighing the parts of an ensemble of classifiers, by held-out texts whose labels are known.

*Idea.* Every part reads the held-out texts once, and weights are found at which their labels are likeliest. A weight
below 0 would hear a part's advice and do the opposite, which so few texts can't teach: such a part is left out, and
heard again where the loss would fall by it (an active set: Nocedal & Wright 2006, section 16.5).

*Maths.* With z_nmc = log p_m(c | text n), the loss of the weights λ is convex:

    L(λ) = −Σ_n log softmax(Σ_m λ_m z_nm)[label_n] + ρ/2 · Σ_m (λ_m − 1/M)²

ρ draws them towards the plain mean of the parts, which is what they are where nothing is held out.
"""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.protocols import Classifier, TokenStream
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.classifier_ensemble import LEAST_LOGPROB, ClassifierEnsemble, part_logprobs, pooled
from ziggurat.models.registry import telling
from ziggurat.tokens.batches import alike, padded
from ziggurat.training.job import Fitted, Job
from ziggurat.training.lbfgs import minimise

__all__ = ["Config", "fit", "fit_weights"]

Matrix = npt.NDArray[np.float64]

MOST_TURNS = 4
"""How often each part may be left out or heard again."""
ENOUGH = 1e-6
"""Nats a text and unit of weight: a part that promises less is not heard again."""
_BATCH_TOKENS = 1 << 13


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of an ensemble of classifiers."""

    pull: float = option(1.0, "pull of the weights towards the plain mean of the parts", low=0.0)


def fit(job: Job) -> Fitted:
    """Return the ensemble of the job's parts, weighed by its held-out texts; by their mean where there are none.

    Raises:
        UsageError: there are no parts, or one of them tells no labels.
    """
    if not job.parts or job.labels is None:
        raise UsageError("an ensemble needs classifiers to pool: train its parts first, on texts with labels")
    config: Config = job.config
    began = time.perf_counter()
    parts = [telling(part, name) for part, name in zip(job.parts, job.part_families, strict=True)]
    weights = np.full(len(parts), 1 / len(parts))
    facts: dict[str, Any] = {"texts": int(job.labels.train.size)}
    if job.dev is not None and job.labels.dev is not None and (known := np.flatnonzero(job.labels.dev >= 0)).size:
        told, classes = np.stack([_read(part, job.dev, known) for part in parts]), job.labels.dev[known]
        weights = fit_weights(told, classes, pull=config.pull)
        facts |= _measured(weights, told, classes)
        job.listener({"event": "eval", "step": 0, "loss": facts["dev_loss"], "per": "text"})
    facts |= {"weights": weights.tolist(), "seconds": time.perf_counter() - began}
    return Fitted(ClassifierEnsemble(parts, weights.tolist(), families=job.part_families), facts)


def fit_weights(logprobs: FloatArray, classes: IdArray, *, pull: float = 1.0) -> Matrix:
    """Return (M,): the weights, 0 or more, with the least loss of (M, N, C) log-probabilities of N texts.

    Args:
        logprobs: What each part says of each text.
        classes: (N,) the labels, 0 … C − 1.
        pull: ρ, towards the mean.
    """
    told = np.maximum(np.asarray(logprobs, np.float64), LEAST_LOGPROB)
    mean = 1 / len(told)
    heard, best = list(range(len(told))), np.zeros(len(told))
    for _ in range(MOST_TURNS * len(told)):
        if not heard:
            break
        loss = partial(_loss, told=told[heard], classes=classes, mean=mean, pull=pull)
        found = minimise(loss, np.full(len(heard), mean))
        if (found < 0).any():
            del heard[int(found.argmin())]
            continue
        best = np.zeros(len(told))
        best[heard] = found
        slopes = _loss(best, told, classes, mean, pull)[1]
        slopes[heard] = 0.0
        if slopes.min() >= -ENOUGH * classes.size:
            break
        heard.append(int(slopes.argmin()))
    return best if best.any() else np.full(len(told), mean)


def _loss(weights: Matrix, told: Matrix, classes: IdArray, mean: float, pull: float) -> tuple[float, Matrix]:
    """Return L(λ) and its gradient."""
    logprobs = log_softmax(np.tensordot(weights, told, axes=1))
    rows = np.arange(classes.size)
    expected = np.einsum("nc,mnc->m", np.exp(logprobs), told)
    gradient = expected - told[:, rows, classes].sum(axis=1) + pull * (weights - mean)
    loss = -float(logprobs[rows, classes].sum()) + pull / 2 * float(np.square(weights - mean).sum())
    return loss, gradient


def _read(part: Classifier, stream: TokenStream, documents: npt.NDArray[np.intp]) -> FloatArray:
    """Return (N, C) of those documents of a stream."""
    rows = [stream.document(number) for number in documents.tolist()]
    found = np.zeros((len(rows), len(part.labels)), np.float32)
    for some in alike([len(row) for row in rows], _BATCH_TOKENS):
        found[some] = part_logprobs(part, *padded([rows[number] for number in some]))
    return found


def _measured(weights: Matrix, told: FloatArray, classes: IdArray) -> dict[str, Any]:
    """Return the loss and the accuracy of the whole on held-out texts, and of each part."""

    def of(logprobs: FloatArray) -> tuple[float, float]:
        loss = -float(logprobs[np.arange(classes.size), classes].mean(dtype=np.float64))
        return loss, float((logprobs.argmax(axis=1) == classes).mean())

    loss, accuracy = of(pooled(weights.tolist(), told))
    parts = [of(one) for one in told]
    return {
        "dev_loss": loss,
        "dev_accuracy": accuracy,
        "dev_texts": classes.size,
        "parts_dev_loss": [one for one, _ in parts],
        "parts_dev_accuracy": [one for _, one in parts],
    }
