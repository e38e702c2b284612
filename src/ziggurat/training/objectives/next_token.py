"""Predict the next token: what every language model that reads from left to right is trained by."""

import numpy as np
from torch import Tensor

from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.network import CausalNetwork, NetworkState, NeuralLanguageModel
from ziggurat.models.windows import document_logprobs
from ziggurat.tokens.batches import ParallelStreams, ShuffledWindows
from ziggurat.training.held_out import some_documents
from ziggurat.training.job import Job
from ziggurat.training.objectives.objective import Loss, cross_entropy, sent

__all__ = ["NextToken", "next_token"]


class NextToken:
    """Windows of the training text; a network that carries state reads on where the batch before ended."""

    def __init__(self, job: Job, model: object, *, rows: int, window: int) -> None:
        """Lay the job's text out in batches for ``model``.

        Raises:
            UsageError: the model does not predict next tokens by a network, or rows can't be shared equally.
            TooLittleTextError: the training text is shorter than two tokens.
        """
        if not isinstance(model, NeuralLanguageModel):
            raise UsageError(
                f"the gradient trainer can't fit a {job.family.name} model: it is no neural language model"
            )
        self.model = model
        self.network: CausalNetwork = model.network
        self.dev = job.dev
        layout = ParallelStreams if self.network.carries_state else ShuffledWindows
        length = window if model.context is None else min(window, model.context)
        self.batches = layout(job.train, rows=rows, length=length, seed=job.seed)
        job.share.check(self.batches.rows)
        self.rows = job.share.of(self.batches.rows)
        """Which rows of each batch are read here."""
        self.tokens_per_batch = self.batches.rows * self.batches.length
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.carried: NetworkState | None = None

    def loss(self, number: int) -> Loss:
        """Return the mean nats per token of this process's rows of batch ``number``, and how many these are."""
        ids = sent(self.batches.batch(number)[self.rows], self.network.device)
        if isinstance(self.batches, ParallelStreams) and self.batches.is_fresh(number):
            self.carried = None
        if self.network.carries_state and self.carried is None:
            self.carried = self.network.initial_state(len(ids))
        mean, self.carried = next_token(self.network, ids, self.carried)
        return Loss(mean, ids.shape[0] * (ids.shape[1] - 1))

    def dev_loss(self, limit_tokens: int) -> float | None:
        """Return the mean nats per token over held-out documents from all over, long ones by a rolling window.

        None where there are no tokens.
        """
        sequences = some_documents(self.dev, limit_tokens)
        count = sum(len(sequence) - 1 for sequence in sequences)
        if not count:
            return None
        scores = document_logprobs(self.model, sequences)
        return -float(np.concatenate(scores).sum(dtype=np.float64)) / count


def next_token(network: CausalNetwork, ids: Tensor, state: NetworkState | None) -> tuple[Tensor, NetworkState | None]:
    """Return the mean −log p of each next id in (B, T + 1) ``ids``, and the state after reading the first T.

    *Maths.* 1/(B·T) Σ −log softmax(logits)[target], the cross-entropy of Bengio et al. 2003, eq. 6 without its
    penalty. Targets are the ids shifted by one: position t is asked for id t + 1.
    """
    hidden, state = network.hidden(ids[:, :-1], state)
    return cross_entropy(network, hidden.flatten(0, 1), ids[:, 1:].flatten()), state
