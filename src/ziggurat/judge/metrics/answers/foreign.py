"""The library whose scores of texts the field compares: sacrebleu (extra ``tasks``)."""

import warnings
from typing import Any

from ziggurat.core.errors import MissingExtraError

__all__ = ["sacrebleu_metrics", "signature_of"]


def sacrebleu_metrics(what: str) -> Any:
    """Return ``sacrebleu.metrics``, which ``what`` is computed by.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what its own imports complain of
            from sacrebleu import metrics
    except ImportError as error:
        raise MissingExtraError(what, "tasks") from error
    return metrics


def signature_of(metric: Any) -> str:
    """Return how one of its metrics, with one reference a text, says what it computes."""
    metric.corpus_score(["a"], [["a"]])  # which is when it counts the references
    return str(metric.get_signature())
