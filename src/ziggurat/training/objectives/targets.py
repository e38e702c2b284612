"""Predict the target's tokens, given the source: what a model that translates is trained by."""

import logging

import torch
from torch import Tensor

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import TokenStream
from ziggurat.core.types import IdArray
from ziggurat.models.blocks.conditioned import NeuralConditionalModel
from ziggurat.models.blocks.network import NetworkState, reading
from ziggurat.models.windows import pair_logprobs
from ziggurat.tokens.batches import PairBatches, padded
from ziggurat.training.held_out import spread_order
from ziggurat.training.job import Job
from ziggurat.training.objectives.objective import Loss, cross_entropy, sent

__all__ = ["Targets"]

_LOG = logging.getLogger("ziggurat")


class Targets:
    """Batches of pairs of like length; each id of a target is predicted from its source and the ids before it.

    *Maths.* 1/N Σ −log p(t_i | t_1 … t_{i−1}, source) over the N target ids of a batch, ends included, smoothed as
    `cross_entropy` says; on held-out pairs it is not smoothed.
    """

    def __init__(self, job: Job, model: object, *, tokens: int, smoothing: float) -> None:
        """Lay the job's pairs out in batches of ``tokens`` for ``model``.

        Raises:
            UsageError: the model is no encoder–decoder, or the job has no sources.
            TooLittleTextError: no pair fits the model's context.
        """
        if not isinstance(model, NeuralConditionalModel) or job.train_sources is None:
            raise UsageError(f"a {job.family.name} model can't be fitted to pairs of a source and a target")
        self.model = model
        self.network = model.network
        self.smoothing = smoothing
        self.share = job.share
        self.dev, self.dev_sources = job.dev, job.dev_sources
        self.batches = PairBatches(job.train_sources, job.train, tokens=tokens, longest=model.context, seed=job.seed)
        if self.batches.left_out:
            _LOG.warning(
                "%d pairs are longer than the model's context (%d tokens) and are left out",
                self.batches.left_out,
                model.context,
            )
        self.tokens_per_batch = self.batches.tokens_per_batch
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.carried: NetworkState | None = None

    def loss(self, number: int) -> Loss:
        """Return the mean nats per target token of batch ``number``, smoothed, and how many these are.

        Of several processes each reads its share of the pairs.
        """
        sources, targets = self.batches.batch(number)
        own = self.share.of(len(sources))
        # a share without a pair reads one that counts nothing, so that all processes do the same
        counts = own.start < own.stop
        own = own if counts else slice(0, 1)
        sources, targets = sources[own], targets[own]
        source_BS, source_lengths_B = _tensors(sources, self.network.device)
        target_BT, lengths_B = _tensors(targets, self.network.device)
        source = self.network.source(source_BS, source_lengths_B)
        hidden_BTD = self.network.hidden(target_BT[:, :-1], source)
        inside = torch.arange(1, target_BT.shape[1], device=self.network.device) < lengths_B[:, None]
        asked = target_BT[:, 1:][inside]
        mean = cross_entropy(self.network, hidden_BTD[inside], asked, smoothing=self.smoothing)
        return Loss(mean, len(asked) if counts else 0)

    def dev_loss(self, limit_tokens: int) -> float | None:
        """Return the mean nats per target token over about ``limit_tokens`` of the held-out pairs, from all over them.

        None where no pair fits the model's context.
        """
        sources, targets = _some_pairs(self.dev_sources, self.dev, limit_tokens, self.model.context)
        count = sum(len(target) - 1 for target in targets)
        if not count:
            return None
        with reading(self.network):
            return -sum(float(scores.sum()) for scores in pair_logprobs(self.model, sources, targets)) / count


def _some_pairs(
    sources: TokenStream | None, targets: TokenStream | None, limit_tokens: int, longest: int | None
) -> tuple[list[IdArray], list[IdArray]]:
    """Return pairs from all over that fit the context, as many as have ``limit_tokens`` target tokens."""
    found: tuple[list[IdArray], list[IdArray]] = ([], [])
    if sources is None or targets is None:
        return found
    count = 0
    for index in spread_order(len(targets.starts) - 1).tolist():
        source, target = sources.document(index)[1:], targets.document(index)
        if count >= limit_tokens:
            break
        if longest is None or len(source) <= longest:
            found[0].append(source)
            found[1].append(target)
            count += len(target) - 1
    return found


def _tensors(sequences: list[IdArray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return (B, T) ids padded at the right, and (B,) lengths."""
    ids, lengths = padded(sequences)
    return sent(ids, device), sent(lengths, device)
