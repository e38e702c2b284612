"""Tuning a mixture: how much each part counts, and how that follows the text, from the dev split alone.

*Idea.* Each part scores the dev text once; after that everything is arithmetic on a few numbers a token. For every
candidate of how fast weights follow the text, the constant weights λ are fitted by Newton's method on the mean
log-likelihood; the best candidate on dev is kept, and constant weights unless another is better.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.numerics import log_softmax, logsumexp
from ziggurat.core.protocols import LanguageModel, TokenStream
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.mixture import LEAST_EVIDENCE, Mixture, Weighting
from ziggurat.models.windows import document_logprobs
from ziggurat.training.job import Fitted, Job

__all__ = ["Config", "fit", "fit_weights"]

Matrix = npt.NDArray[np.float64]

ITERATIONS = 25
LEAST_WEIGHT = 1e-4


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of a mixture."""

    tokens: int = option(200_000, "dev tokens that weights are tuned on", low=2)
    rates: tuple[float, ...] = option((0.0, 0.1, 0.2, 0.4, 0.8), "how strongly evidence may move the weights")
    memories: tuple[float, ...] = option((0.6, 0.8, 0.9, 0.95), "how much evidence may be left after each token")


def fit(job: Job) -> Fitted:
    """Return the mixture of the job's parts with the weights that predict dev best.

    Raises:
        UsageError: there are no parts.
        TooLittleTextError: there is no dev text.
    """
    if not job.parts:
        raise UsageError("a mixture needs models to mix: train its parts first")
    if job.dev is None or len(job.dev.starts) < 2:
        raise TooLittleTextError("a mixture is tuned on dev text and there is none: make text.dev larger")
    config: Config = job.config
    began = time.perf_counter()
    context = min((part.context for part in job.parts if part.context is not None), default=None)
    sequences = _first_documents(job.dev, config.tokens)
    scores = [document_logprobs(_Within(part, context), sequences) for part in job.parts]
    documents = [np.stack(rows).astype(np.float64) for rows in zip(*scores, strict=True)]
    best, best_loss, tried = None, float("inf"), []
    for rate in config.rates:
        for memory in config.memories if rate else (0.0,):
            weights, loss = fit_weights(documents, rate=rate, memory=memory)
            tried.append({"rate": rate, "memory": memory, "loss": loss})
            if loss < best_loss:
                best, best_loss = Weighting(tuple(weights), rate, memory), loss
    assert best is not None  # noqa: S101 - there is at least one rate
    model = Mixture(job.parts, best, families=job.part_families)
    seconds = time.perf_counter() - began
    facts: dict[str, Any] = {
        "weights": list(best.weights),
        "rate": best.rate,
        "memory": best.memory,
        "dev_loss": best_loss,
        "parts_dev_loss": [-float(np.concatenate([d[m] for d in documents]).mean()) for m in range(len(job.parts))],
        "tried": tried,
        "seconds": seconds,
    }
    job.listener({"event": "eval", "step": 0, "loss": best_loss, "best_loss": best_loss, "seconds": seconds})
    return Fitted(model, facts)


def fit_weights(documents: list[Matrix], *, rate: float, memory: float) -> tuple[list[float], float]:
    """Return the weights λ with the least mean loss on ``documents`` (each (M, T) log-probabilities), and that loss.

    *Maths.* With w_m(t) ∝ λ_m exp(rate · E_m(t)) and responsibilities r_m(t) = w_m p_m / Σ w p, the gradient of the
    log-likelihood by log λ_m is Σ_t (r_m − w_m); it is divided by Σ_t w_m (1 − w_m), the diagonal of the softmax's
    curvature, and steps are bounded. At rate 0 its fixed point is that of EM for mixture weights (Dempster, Laird &
    Rubin 1977; Jelinek & Mercer 1980).
    """
    evidence = np.concatenate(
        [_evidence(document, memory) if rate else np.zeros_like(document) for document in documents], axis=1
    )
    logprobs = np.concatenate(documents, axis=1)
    log_weights = np.full(len(logprobs), -np.log(len(logprobs)))
    best, best_loss = log_weights, float("inf")
    for _ in range(ITERATIONS):
        log_w = log_softmax(log_weights[:, None] + rate * evidence, axis=0)
        joint = log_w + logprobs
        total = logsumexp(joint, axis=0)
        loss = -float(total.mean())
        if loss < best_loss:
            best, best_loss = log_weights, loss
        weights, responsibilities = np.exp(log_w), np.exp(joint - total)
        gradient = (responsibilities - weights).sum(axis=1)
        curvature = (weights * (1 - weights)).sum(axis=1) + 1e-9
        log_weights = log_softmax(log_weights + np.clip(gradient / curvature, -1.0, 1.0))
    weights = np.maximum(np.exp(best), LEAST_WEIGHT)
    return [float(weight) for weight in weights / weights.sum()], best_loss


class _Within:
    """A part as the mixture sees it: with the shortest context of all parts."""

    def __init__(self, part: LanguageModel, context: int | None) -> None:
        self._part, self.context, self.vocabulary = part, context, part.vocabulary
        self.begin, self.step, self.reorder, self.score = part.begin, part.step, part.reorder, part.score

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        return self._part.token_logprobs(ids, lengths)


def _evidence(logprobs: Matrix, memory: float) -> Matrix:
    """Return E before each token: γ (E + log p) of the token before it (see `ziggurat.models.mixture`)."""
    seen = np.maximum(logprobs, LEAST_EVIDENCE)
    evidence = np.zeros_like(logprobs)
    for t in range(1, logprobs.shape[1]):
        evidence[:, t] = memory * (evidence[:, t - 1] + seen[:, t - 1])
    return evidence


def _first_documents(dev: TokenStream, limit: int) -> list[IdArray]:
    sequences: list[IdArray] = []
    left = limit
    for index in range(len(dev.starts) - 1):
        sequences.append(dev.document(index)[: left + 1])
        left -= len(sequences[-1]) - 1
        if left <= 0:
            break
    return sequences
