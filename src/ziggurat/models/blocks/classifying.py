"""A network that tells which label a text has: another network's vectors, pooled, and one layer on top.

*Idea.* A network that reads ids, whatever kind it is (the *body*), gives each position a vector. Of these one vector is
made for the text, by the mean, the maximum or one of them, and a linear layer makes a logit of it for each label.

*Maths.* logits = W·drop(pool(h_1 … h_n)) + b over the n ids of the row, its begin and end among them; what is padding
is in no pool. Maxima over time are those of Collobert et al. (2011, section 3.3.2); maximum and mean side by side, for
a text's label, those of Howard & Ruder (2018, "ULMFiT", section 3.3, who add the last vector).

Axes: **B** rows, **T** time, **D** width of the body's vectors, **P** numbers that are pooled, **C** labels.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.blocks.initialisation import Linear, fill_normal
from ziggurat.models.blocks.network import WINDOW_TOKENS, Network, reading, rows_of_like_length
from ziggurat.models.blocks.weights import take_weights

__all__ = ["ClassifierNetwork", "ClassifyingKeys", "NeuralClassifier", "Pool", "pooled"]

Pool: TypeAlias = Literal["mean", "max", "first", "last", "mean+max"]

HEAD_STD = 0.02
"""Spread of the head's first weights: so small that at first all labels are about equally probable."""


@dataclass(frozen=True)
class ClassifyingKeys:
    """The ``[model]`` keys of every network that tells labels."""

    labels: tuple[str, ...] = option((), "labels that it tells apart; empty: those of the training text")
    pool: Literal["mean", "max", "first", "last", "mean+max"] = option(
        "mean", "how the vectors of a text become one: mean, max, first, last, or mean and max"
    )
    head_dropout: float = option(0.1, "part of that one vector that is dropped in training", low=0.0, high=0.95)

    @property
    def pools(self) -> int:
        """Vectors that stand side by side in the pooled one."""
        return len(self.pool.split("+"))

    @property
    def label_count(self) -> int:
        """C: how many labels there are; of a model whose training text is not known yet two, the fewest."""
        return len(self.labels) or 2

    def check_labels(self) -> None:
        """Refuse labels that can't be told apart.

        *Raises.* `UsageError`.
        """
        if len(set(self.labels)) < len(self.labels):
            twice = next(label for label in self.labels if self.labels.count(label) > 1)
            raise UsageError(f"labels: {twice!r} is there more than once")
        if len(self.labels) == 1:
            raise UsageError(f"labels: there is only {self.labels[0]!r}, and nothing to choose; give two or more")


class ClassifierNetwork(Network):
    """A body and the head on it; a family says how its body reads.

    *Cost.* That of the body, and 2·P·C operations a row.
    """

    own_parts: ClassVar[tuple[str, ...]] = ()
    """How the names of weights begin that a network to begin with may lack."""

    def __init__(self, config: Any, body: Network, *, width: int) -> None:
        """Put a head on ``body``, of which `read` makes vectors of ``width`` numbers."""
        super().__init__(body.vocabulary, width=width * config.pools, context=body.context)
        self.config = config
        self.body = body
        self.classifier = Linear(self.width, config.label_count)

    @abstractmethod
    def read(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, D) vectors of (B, T) ids, of each row its first ``lengths``; at padding they mean nothing."""

    @abstractmethod
    def fill_body(self, seed: int) -> None:
        """Draw the first weights of all but the head."""

    def fill(self, seed: int) -> None:
        """Draw first weights: the body's own, the head's matrix from N(0, 0.02²), its biases 0."""
        self.fill_body(seed)
        fill_normal(self.classifier.weight, std=HEAD_STD, seed=seed, name="classifier")
        nn.init.zeros_(self.classifier.bias)

    def pooled(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, P): one vector of each row of (B, T) ids, of which its first ``lengths`` are no padding.

        *Raises.* `UsageError` where a row is longer than `context`.
        """
        self.check_fits(ids.shape[1])
        return pooled(self.read(ids, lengths), lengths, self.config.pool)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, C) logits of labels from (…, P) pooled vectors."""
        dropped = nn.functional.dropout(hidden, self.config.head_dropout, self.training)
        return self.classifier(dropped)  # type: ignore[no-any-return]

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, C) logits of the labels of (B, T) ids."""
        return self.logits(self.pooled(ids, lengths))

    @property
    def token_embedding(self) -> Tensor:
        """(V, D'): the vector with which each id enters the body."""
        return self.body.token_embedding

    def begin_with(self, other: Network) -> None:
        """Take the weights of a trained network: one of the body's kind, or another classifier.

        The head keeps what was drawn where the other has none, or tells other labels; and so does of the body what the
        other may lack.

        *Raises.* `UsageError` where the other is of another kind or size.
        """
        tells = isinstance(other, ClassifierNetwork)
        keeps_head = not tells or other.config.labels != self.config.labels
        self.fresh = take_weights(
            self,
            other,
            prefix="" if tells else "body.",
            fresh=("classifier.",) if keeps_head else (),
            may_lack=self.own_parts,
        )


def pooled(vectors_BTD: Tensor, lengths: Tensor, pool: Pool) -> Tensor:
    """Return (B, P): what ``pool`` makes of each row's first ``lengths`` vectors, in 32-bit; 0 of none.

    >>> told = torch.tensor([[[1.0, 7.0], [3.0, 5.0], [11.0, 11.0]]])
    >>> pooled(told, torch.tensor([2]), "mean+max").tolist()
    [[2.0, 6.0, 3.0, 7.0]]
    """
    vectors_BTD = vectors_BTD.float()
    batch, time, _ = vectors_BTD.shape
    inside_BT1 = (torch.arange(time, device=lengths.device) < lengths[:, None])[..., None]
    found = []
    for kind in pool.split("+"):
        if kind == "mean":
            total_BD = vectors_BTD.masked_fill(~inside_BT1, 0.0).sum(1)
            found.append(total_BD / lengths.clamp(min=1)[:, None])
        elif kind == "max":
            most_BD = vectors_BTD.masked_fill(~inside_BT1, float("-inf")).amax(1)
            found.append(most_BD.masked_fill((lengths == 0)[:, None], 0.0))
        else:
            places_B = (lengths - 1).clamp(min=0) if kind == "last" else torch.zeros_like(lengths)
            one_BD = vectors_BTD[torch.arange(batch, device=lengths.device), places_B]
            found.append(one_BD.masked_fill((lengths == 0)[:, None], 0.0))
    return torch.cat(found, dim=-1)


class NeuralClassifier:
    """Any `ClassifierNetwork` as a `ziggurat.core.protocols.Classifier`: NumPy in and out, dropout off, no gradients.

    *Cost.* Rows of like length are read together, at most `WINDOW_TOKENS` ids at a time, so memory beyond the result
    does not grow with the text.

    *Raises.* `UsageError` where a row has more ids than `context`, or the labels are not known yet.
    """

    def __init__(self, network: ClassifierNetwork) -> None:
        """Show ``network``, in evaluation mode until someone trains it: it stays the same object."""
        self.network = network.eval()

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self.network.vocabulary

    @property
    def labels(self) -> tuple[str, ...]:
        """The C labels."""
        return tuple(self.network.config.labels)

    @property
    def context(self) -> int | None:
        """Longest text that it can read, in ids; None where there is no limit."""
        return self.network.context

    def label_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, C): log p(label | the row's first ``lengths`` ids), which are ``[bos, t1, …, tn, eos]``."""
        if not self.labels:
            raise UsageError(
                "labels: this model has none yet; they come with the training text, or name them in [model]"
            )
        found = np.zeros((len(ids), len(self.labels)), np.float32)

        def fits(rows: int, longest: int) -> bool:
            return rows * longest <= WINDOW_TOKENS

        with reading(self.network):
            for rows in rows_of_like_length(lengths, fits) if len(ids) else ():
                longest = max(1, int(lengths[rows].max()))
                logits_BC = self.network(self._tensor(ids[rows, :longest]), self._tensor(lengths[rows]))
                found[rows] = logits_BC.float().log_softmax(-1).cpu().numpy()
        return found

    def _tensor(self, ids: IdArray) -> Tensor:
        return torch.from_numpy(ids.astype(np.int64)).to(self.network.device)
