"""Tell a text's label: what classifiers are trained by."""

import logging
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional

from ziggurat.core.errors import UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.blocks.classifying import ClassifierNetwork, NeuralClassifier
from ziggurat.models.blocks.network import NetworkState
from ziggurat.tokens.batches import TextBatches, padded, shortened
from ziggurat.training.held_out import spread_order
from ziggurat.training.job import Job, Labels
from ziggurat.training.objectives.objective import Loss, sent
from ziggurat.training.objectives.refined import SHARPNESS, RefinedLoss

__all__ = ["LabelledTexts", "class_weights", "labels_of"]

_LOG = logging.getLogger("ziggurat")

NOTHING = np.empty(0, np.int64)

READ_AT_ONCE = 256
"""Held-out texts that are padded together; the model reads those of like length together."""


class LabelledTexts:
    """Batches of whole texts of like length; of each its label is told.

    *Maths.* 1/N Σ −w(y)·log p(y | text) over the N texts of a batch, smoothed: the target distribution is 1 − ε on the
    label and ε/C on every one (Szegedy et al. 2016, section 7). The w(y) are 1, or as `class_weights` says. On held-out
    texts it is weighed the same, not smoothed, and refined (`ziggurat.training.objectives.refined`).
    """

    def __init__(self, job: Job, model: object, *, window: int, smoothing: float, weighted: bool) -> None:
        """Lay the job's texts out in batches for ``model``; of each up to ``window`` ids are read.

        Raises:
            UsageError: the model tells no labels by a network, the job has none or not those of the model, or rows
                can't be shared equally.
            TooLittleTextError: there is no text.
        """
        if not isinstance(model, NeuralClassifier):
            raise UsageError(
                f"the labelled trainer can't fit a {job.family.name} model: it tells no labels by a network"
            )
        self.labels = labels_of(job)
        if self.labels.names != model.labels:
            raise UsageError(
                f"labels: the model has {', '.join(model.labels)} and the text {', '.join(self.labels.names)}"
            )
        self.model = model
        self.network: ClassifierNetwork = model.network
        self.smoothing = smoothing
        self.dev = job.dev
        self.share = job.share
        self.share.check(job.config.rows)
        longest = window if model.context is None else min(window, model.context)
        self.batches = TextBatches(job.train, rows=job.config.rows, longest=longest, seed=job.seed)
        if self.batches.cut:
            _LOG.warning("%d texts are longer than %d tokens: of each the beginning is read", self.batches.cut, longest)
        count = len(self.labels.names)
        self.weights = class_weights(self.labels.train, count) if weighted else np.ones(count, np.float32)
        self._weights = torch.from_numpy(self.weights)
        self.tokens_per_batch = self.batches.tokens_per_batch
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.carried: NetworkState | None = None

    def loss(self, number: int) -> Loss:
        """Return the mean nats per text of batch ``number``, weighed and smoothed, and how many texts these are.

        Of several processes each reads its share of the texts.
        """
        texts, numbers = self.batches.batch(number)
        own = self.share.of(len(texts))
        # a share without a text reads one that counts nothing, so that all processes do the same
        counts = own.start < own.stop
        own = own if counts else slice(0, 1)
        ids, lengths = padded(texts[own])
        device = self.network.device
        targets = sent(self.labels.train[numbers[own]], device)
        logits = self.network(sent(ids, device), sent(lengths, device)).float()
        each = functional.cross_entropy(logits, targets, reduction="none", label_smoothing=self.smoothing)
        mean = (each * self._weights.to(device)[targets]).mean()
        return Loss(mean, len(targets) if counts else 0)

    def dev_loss(self, limit_tokens: int) -> float | None:
        """Return the refined nats per text over about ``limit_tokens`` of the held-out texts, from all over them.

        None where none of them has a label that the training text has too.
        """
        found = RefinedLoss()
        for ids, lengths, targets in self._held_out(limit_tokens):
            told = self.model.label_logprobs(ids, lengths).astype(np.float64)
            rows = np.arange(len(targets))
            each = [-log_softmax(sharpness * told)[rows, targets] * self.weights[targets] for sharpness in SHARPNESS]
            found.add([float(nats.sum()) for nats in each], len(targets))
        return found.mean

    def _held_out(self, limit_tokens: int) -> Iterator[tuple[IdArray, IdArray, IdArray]]:
        """Yield padded held-out texts, their lengths and the places of their labels."""
        known = (
            np.flatnonzero(self.labels.dev >= 0) if self.labels.dev is not None and self.dev is not None else NOTHING
        )
        texts: list[IdArray] = []
        targets: list[int] = []
        read = 0
        for number in known[spread_order(len(known))]:
            assert self.dev is not None  # noqa: S101 - there would be no number
            assert self.labels.dev is not None  # noqa: S101 - the same
            if read >= limit_tokens:
                break
            texts.append(shortened(self.dev.document(int(number)), self.batches.longest))
            targets.append(int(self.labels.dev[number]))
            read += len(texts[-1])
            if len(texts) == READ_AT_ONCE:
                yield (*padded(texts), np.array(targets))
                texts, targets = [], []
        if texts:
            yield (*padded(texts), np.array(targets))


def labels_of(job: Job) -> Labels:
    """Return the labels of a job's texts.

    Raises:
        UsageError: it has none, too few of them to tell apart, or not one for each text.
    """
    labels = job.labels
    if labels is None:
        raise UsageError(f"a {job.family.name} model learns which label a text has, and these texts have none")
    if len(labels.names) < 2:
        raise UsageError(f"labels: the training text has only {', '.join(labels.names) or 'none'}; give two or more")
    for given, stream in ((labels.train, job.train), (labels.dev, job.dev)):
        if given is not None and stream is not None and len(given) != len(stream.starts) - 1:
            raise UsageError(f"labels: there are {len(given)} of them for {len(stream.starts) - 1} texts")
    return labels


def class_weights(labels: IdArray, count: int) -> FloatArray:
    """Return (C,) float32: what each label's losses count for where all labels are to count the same.

    *Maths.* w(c) = N/(C·n_c) for N texts of which n_c have label c (King & Zeng 2001, section 4, up to the factor);
    over the training texts its mean is 1 where every label occurs.

    >>> class_weights(np.array([0, 0, 0, 0, 1]), 2).tolist()
    [0.625, 2.5]
    """
    found = np.bincount(labels, minlength=count)
    return (len(labels) / (count * np.maximum(1, found))).astype(np.float32)
