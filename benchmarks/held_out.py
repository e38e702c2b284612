"""The judge of all models in a comparison: the same ids, the same context, the same arithmetic.

What reads a window of N ids at most is moved on by N // 2: every prediction but those of the first window has at least
half a window before it. What carries a state, or counts, reads from the beginning to the end.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.windows import document_scores

__all__ = ["BATCH_TOKENS", "Reader", "carried_logprobs", "carried_loss"]

Reader = Callable[[IdArray, IdArray], FloatArray]
"""(1, B, T − 1) log-probabilities of (B, T) ids, each given those before it in its row; lengths come second."""

BATCH_TOKENS = 1 << 13
"""Ids read together: the logits of a larger vocabulary must fit in memory."""


def carried_logprobs(read: Reader, sequences: Sequence[IdArray], *, context: int | None) -> list[FloatArray]:
    """Return each sequence's log-probabilities of all ids but the first, as the rule above has it."""
    stride = None if context is None else max(1, context // 2)
    told = document_scores(read, sequences, context=context, stride=stride, batch_tokens=BATCH_TOKENS)
    return [rows[0] for rows in told]


def carried_loss(read: Reader, ids: IdArray, *, context: int | None) -> float:
    """Return the mean nats of all ids of one text but the first."""
    return -float(carried_logprobs(read, [ids], context=context)[0].mean(dtype=np.float64))
