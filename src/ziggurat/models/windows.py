"""Scoring sequences of any length with models of any context, each id predicted exactly once.

*Idea.* A model that reads 8 ids at once scores 13 predictions with a stride of 4 so (· context, # predicted)::

    ids        0  1  2  3  4  5  6  7  8  9 10 11 12 13
    window 1   ·  #  #  #  #  #  #  #  #
    window 2               ·  ·  ·  ·  ·  #  #  #  #
    window 3                  ·  ·  ·  ·  ·  ·  ·  ·  #

The last id of a window is predicted, not read. All but the first ids of a document are predicted from at least
context − stride ids before them. Where a model has no limit, a document is one window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ConditionalModel, LanguageModel, ReadsDocuments
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["BATCH_TOKENS", "batches", "document_logprobs", "document_scores", "pair_logprobs"]

T = TypeVar("T")

BATCH_TOKENS = 1 << 16
"""Ids that are read together at most, padding included."""
PAIR_TOKENS = 1 << 13
"""The same where sources are read whole beside targets, and so stand in memory at once."""


@dataclass(frozen=True, slots=True)
class _Window:
    document: int
    start: int
    """First id that is read."""
    predicted: int
    """First id that is predicted."""
    stop: int
    """One past the last id that is predicted."""


def document_logprobs(
    model: LanguageModel,
    sequences: Sequence[IdArray],
    *,
    stride: int | None = None,
    batch_tokens: int = BATCH_TOKENS,
) -> list[FloatArray]:
    """Return for each sequence ``[bos, t1, …, eos]`` of n ids its n − 1 log-probabilities (nats).

    ``stride`` is how far the window of a model with limited context moves (default: half of its context); a smaller
    one gives every id more context and costs more. ``batch_tokens`` bounds what is scored together. A model that
    `ziggurat.core.protocols.ReadsDocuments` does so.

    Raises:
        UsageError: the stride is less than 1 or more than the context.
    """
    if isinstance(model, ReadsDocuments):
        return model.document_logprobs(sequences, stride=stride, batch_tokens=batch_tokens)
    scores = document_scores(
        lambda ids, lengths: model.token_logprobs(ids, lengths)[None],
        sequences,
        context=model.context,
        stride=stride,
        batch_tokens=batch_tokens,
    )
    return [rows[0] for rows in scores]


def document_scores(
    read: Callable[[IdArray, IdArray], FloatArray],
    sequences: Sequence[IdArray],
    *,
    context: int | None,
    stride: int | None = None,
    batch_tokens: int = BATCH_TOKENS,
) -> list[FloatArray]:
    """Return for each sequence of n ids (K, n − 1) numbers, where ``read`` gives (K, B, T − 1) for a (B, T) batch.

    This is `document_logprobs` for whoever wants to know K things of each id at once.
    """
    return _gathered(lambda _, ids, lengths: read(ids, lengths), sequences, context, stride, batch_tokens)


def pair_logprobs(
    model: ConditionalModel,
    sources: Sequence[IdArray],
    targets: Sequence[IdArray],
    *,
    batch_tokens: int = PAIR_TOKENS,
) -> list[FloatArray]:
    """Return for each target ``[bos, t1, …, eos]`` of n ids its n − 1 log-probabilities (nats), given its source.

    Targets beyond the context are read by a window of it, as `document_logprobs` does.

    Raises:
        UsageError: a source is longer than the model's context, or has no ids.
    """

    def read(documents: Sequence[int], ids: IdArray, lengths: IdArray) -> FloatArray:
        source_lengths = np.array([len(sources[document]) for document in documents], dtype=np.int32)
        source = np.zeros((len(documents), int(source_lengths.max())), dtype=np.int32)
        for row, document in enumerate(documents):
            source[row, : source_lengths[row]] = sources[document]
        return model.condition(source, source_lengths).token_logprobs(ids, lengths)[None]

    sizes = [len(source) for source in sources]
    return [rows[0] for rows in _gathered(read, targets, model.context, None, batch_tokens, beside=sizes)]


def _gathered(
    read: Callable[[Sequence[int], IdArray, IdArray], FloatArray],
    sequences: Sequence[IdArray],
    context: int | None,
    stride: int | None,
    batch_tokens: int,
    *,
    beside: Sequence[int] = (),
) -> list[FloatArray]:
    """Do what `document_scores` says; ``read`` is also told which sequences its rows are of.

    ``beside`` are the lengths of what is read beside each sequence, which count too.
    """
    windows = [window for number, ids in enumerate(sequences) for window in _cut(number, len(ids), context, stride)]

    def size(window: _Window) -> int:
        return max(window.stop - window.start, beside[window.document] if beside else 0)

    windows.sort(key=size)
    scores: list[FloatArray | None] = [None] * len(sequences)
    for batch in batches(windows, [size(window) for window in windows], batch_tokens):
        lengths = np.array([window.stop - window.start for window in batch], dtype=np.int32)
        ids = np.zeros((len(batch), int(lengths.max())), dtype=np.int32)
        for row, window in enumerate(batch):
            ids[row, : lengths[row]] = sequences[window.document][window.start : window.stop]
        logprobs = read([window.document for window in batch], ids, lengths)
        for row, window in enumerate(batch):
            found = scores[window.document]
            if found is None:
                found = np.zeros((len(logprobs), len(sequences[window.document]) - 1), dtype=np.float32)
                scores[window.document] = found
            fresh = logprobs[:, row, window.predicted - window.start - 1 : window.stop - window.start - 1]
            found[:, window.predicted - 1 : window.stop - 1] = fresh
    return [np.zeros((1, 0), dtype=np.float32) if found is None else found for found in scores]


def _cut(number: int, length: int, context: int | None, stride: int | None) -> Iterator[_Window]:
    if length < 2:
        return
    if context is None or length <= context + 1:
        yield _Window(number, 0, 1, length)
        return
    step = max(1, context // 2) if stride is None else stride
    if not 1 <= step <= context:
        raise UsageError(f"a stride of {step} does not fit a context of {context}: give one from 1 to {context}")
    yield _Window(number, 0, 1, context + 1)
    predicted = context + 1
    while predicted < length:
        stop = min(length, predicted + step)
        yield _Window(number, stop - context - 1, predicted, stop)
        predicted = stop


def batches(items: Sequence[T], sizes: Sequence[int], batch_tokens: int) -> Iterator[Sequence[T]]:
    """Cut items that stand in order of their sizes where rows × longest would pass the bound.

    >>> list(batches("abcd", [1, 2, 2, 9], 6))
    ['abc', 'd']
    """
    start = 0
    for stop in range(1, len(items) + 1):
        if stop < len(items) and (stop + 1 - start) * sizes[stop] <= batch_tokens:
            continue
        yield items[start:stop]
        start = stop
