"""Contextual calibration: what a prompt makes a model say whatever it is asked is divided out."""

import numpy as np
import numpy.typing as npt

from ziggurat.core.numerics import log_softmax

__all__ = ["CONTENT_FREE", "among_labels", "bias_of", "calibrated"]

CONTENT_FREE = ("N/A", "[MASK]", "")
"""Inputs that say nothing (Zhao et al. 2021, section 5)."""

LEAST_LOGPROB = -100.0
"""Log-probability that a label has at least: one that a model never says can still be divided by."""

Logprobs = npt.NDArray[np.float64]


def among_labels(scores: Logprobs) -> Logprobs:
    """Return (…, L) log p̂: scores in nats as log-probabilities among the labels alone.

    *Maths.* p̂_l = p_l / Σ_k p_k. A label that the model gives no chance beside the likeliest stands at e^−100 of it.
    """
    peak = np.max(scores, axis=-1, keepdims=True)
    gaps = np.where(np.isfinite(peak), scores - np.where(np.isfinite(peak), peak, 0.0), 0.0)
    return np.asarray(log_softmax(np.maximum(gaps, LEAST_LOGPROB)), dtype=np.float64)


def bias_of(scores: Logprobs) -> Logprobs:
    """Return (L,) log p̂_cf: the mean of the labels' probabilities over (C, L) scores of content-free inputs."""
    return np.asarray(np.log(np.exp(among_labels(scores)).mean(axis=0)), dtype=np.float64)


def calibrated(scores: Logprobs, bias: Logprobs) -> Logprobs:
    """Return (N, L) log q̂: ``scores`` of texts with the ``bias`` of their prompt divided out.

    *Maths.* q̂ ∝ W·p̂ with W = diag(p̂_cf)⁻¹ and no offset (Zhao et al. 2021, section 5): a content-free input itself
    comes out uniform.

    *Departs.* W·p̂ is divided by its sum. The article writes softmax(W·p̂), which has the same order but is never sure,
    because what it exponentiates are probabilities.
    """
    return among_labels(among_labels(scores) - bias)
