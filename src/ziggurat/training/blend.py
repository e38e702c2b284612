"""Tuning a mixture: how much each part counts, and how that follows its uncertainty, from the dev split alone.

*Idea.* Each part reads the dev text once; after that everything is arithmetic on two numbers a token and part.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.numerics import log_softmax, logsumexp
from ziggurat.models.mixture import Weighting, mixed, read_part
from ziggurat.models.registry import predicting
from ziggurat.training.held_out import some_documents
from ziggurat.training.job import Fitted, Job

__all__ = ["Config", "fit", "fit_weighting"]

Matrix = npt.NDArray[np.float64]

ITERATIONS = 100
ENOUGH = 1e-7
"""Nats per token: a step that gains less is the last."""
LEAST_WEIGHT = 1e-4
LEAST_WEIGHT_FOLLOWED = 1e-300
"""A weight that follows uncertainty may begin at next to nothing, at u = 0, and be large elsewhere."""
LEAST_LOGPROB = -100.0
"""Nats: a token that no part holds for possible must not make the loss infinite, or nothing could be tuned."""
RIDGE = 0.01
"""Pull of the numbers towards 0, as if each had been seen to be 0 ± 10: it keeps a short dev text from running away."""


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of a mixture."""

    tokens: int = option(60_000, "dev tokens that weights are tuned on", low=2)
    follow: bool = option(True, "let weights follow how uncertain each part is")


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
    sequences = some_documents(job.dev, config.tokens)
    parts = [predicting(part, name) for part, name in zip(job.parts, job.part_families, strict=True)]
    told = [np.concatenate(read_part(part, sequences, follow=config.follow), axis=1) for part in parts]
    logprobs, uncertainty = np.stack(told).astype(np.float64).swapaxes(0, 1)
    logprobs = np.maximum(logprobs, LEAST_LOGPROB)
    weighting, constant_loss = fit_weighting(logprobs)
    loss = constant_loss
    if config.follow:
        weighting, loss = fit_weighting(logprobs, uncertainty)
    model = mixed(parts, weighting, families=job.part_families)
    seconds = time.perf_counter() - began
    facts: dict[str, Any] = {
        "weights": list(weighting.weights),
        "slopes": list(weighting.slopes),
        "curves": list(weighting.curves),
        "dev_loss": loss,
        "constant_dev_loss": constant_loss,
        "parts_dev_loss": [-float(row.mean()) for row in logprobs],
        "dev_tokens": logprobs.shape[1],
        "seconds": seconds,
    }
    job.listener({"event": "eval", "step": 0, "loss": loss, "best_loss": loss, "seconds": seconds})
    return Fitted(model, facts)


def fit_weighting(logprobs: Matrix, uncertainty: Matrix | None = None) -> tuple[Weighting, float]:
    """Return the weighting with the least mean loss on (M, N) log-probabilities, and that loss.

    With (M, N) ``uncertainty`` the weights follow it; without, they are constant.

    *Maths.* log λ_m(t) = θ_m · φ_m(t) − log Z(t) with φ = (1) or (1, u, u²). With responsibilities
    r_m = λ_m·p_m / Σ λ·p, the gradient of a token's log-likelihood by θ_m is g = (r_m − λ_m)·φ_m. Each step solves
    (Σ g·gᵀ) Δ = Σ g (Berndt, Hall, Hall & Hausman 1974: near the optimum Σ g·gᵀ is the curvature), and is halved until
    the loss falls. The constant weights' optimum is that of EM (Jelinek & Mercer 1980).

    *Cost.* About ten passes of N·M²·9 operations.
    """
    features = np.ones((1, *logprobs.shape))
    if uncertainty is not None:
        features = np.stack([features[0], uncertainty, np.square(uncertainty)])
    theta = np.zeros((logprobs.shape[0], len(features)))
    goal, step = _gradient(theta, features, logprobs)
    for _ in range(ITERATIONS):
        for halving in range(20):
            tried = theta + step / 2**halving
            better, next_step = _gradient(tried, features, logprobs)
            if better < goal:
                break
        else:
            break
        gain, theta, goal, step = goal - better, tried, better, next_step
        if gain < ENOUGH:
            break
    least = LEAST_WEIGHT if uncertainty is None else LEAST_WEIGHT_FOLLOWED
    weights = np.maximum(np.exp(log_softmax(theta[:, 0])), least)
    shares = tuple((weights / weights.sum()).tolist())
    slopes, curves = theta.T[1:].tolist() if uncertainty is not None else ((), ())
    weighting = Weighting(shares, slopes=tuple(slopes), curves=tuple(curves))
    return weighting, _loss(theta, features, logprobs)


def _gradient(theta: Matrix, features: Matrix, logprobs: Matrix) -> tuple[float, Matrix]:
    """Return what is made small (the mean loss and the ridge) and the step that makes it smaller."""
    joint, log_weights = _joint(theta, features, logprobs)
    total = logsumexp(joint, axis=0)
    slack = np.exp(joint - total) - np.exp(log_weights)
    each = np.einsum("mn,kmn->mkn", slack, features).reshape(theta.size, -1)
    step = np.linalg.solve(each @ each.T + RIDGE * np.eye(theta.size), each.sum(axis=1) - RIDGE * theta.ravel())
    goal = (-float(total.sum()) + RIDGE / 2 * float(np.square(theta).sum())) / logprobs.shape[1]
    return goal, step.reshape(theta.shape)


def _joint(theta: Matrix, features: Matrix, logprobs: Matrix) -> tuple[Matrix, Matrix]:
    log_weights: Matrix = log_softmax(np.einsum("mk,kmn->mn", theta, features), axis=0).astype(np.float64)
    return log_weights + logprobs, log_weights


def _loss(theta: Matrix, features: Matrix, logprobs: Matrix) -> float:
    return -float(logsumexp(_joint(theta, features, logprobs)[0], axis=0).mean())
