"""Sums and normalisations in log space, exact where the obvious formula overflows."""

import numpy as np
import numpy.typing as npt

__all__ = ["log_softmax", "logsumexp"]


def logsumexp(values: npt.NDArray[np.floating], axis: int = -1) -> npt.NDArray[np.floating]:
    """Return log Σ exp along ``axis``; −inf where all terms are −inf.

    *Maths.* m + log Σ exp(x − m) with m = max x, so that no term overflows.
    """
    peak = np.max(values, axis=axis, keepdims=True)
    safe = np.where(np.isfinite(peak), peak, 0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(values - safe), axis=axis))
    return np.asarray(total + np.squeeze(safe, axis=axis))


def log_softmax(logits: npt.NDArray[np.floating], axis: int = -1) -> npt.NDArray[np.floating]:
    """Return logits − logsumexp(logits): normalised log-probabilities along ``axis``."""
    return np.asarray(logits - np.expand_dims(logsumexp(logits, axis=axis), axis))
