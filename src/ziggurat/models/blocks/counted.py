"""A network that stands on counts: it learns only what they leave unexplained.

*Idea.* An n-gram model knows after a second what a network needs minutes for: which letters make a word, which words
make a phrase. Its log-probabilities are handed to a network, which adds its own logits to them and says at each
position how far each order is to be believed. The network begins as the counts and can only get better from there.
It also reads them: what the counts expect next enters beside each id.

*Maths.* With p_k the n-gram distribution of order k, h the network's vector at a position and E its embeddings:

    logits = z(h) + Σ_k w_k(h)·log p_k(· | ids) + Σ_r w_r(h)·f_r(· | document),        w(h) = W·h + b

where the f_r, lift and echo, are what is recalled of the same document (`ziggurat.models.recalling`), where asked for;
and the vector that enters is E[id] + P·[Σ_v p_k(v)·E[v]]_k. Residual learning on an n-gram model is that of Li, Cai, Xu
& Watanabe (2022, "Residual Learning of Neural Text Generation with n-gram Language Model"), whose weight of the counts
is one number; weights that follow the context are those of a mixture of experts (Jacobs et al. 1991), here of
logarithms.

*Departs.* The counts that a network is trained on must not have seen the text that they predict, or it would learn to
believe them blindly: `ziggurat.training.counted`. What the counts expect is taken as it is: no gradient goes through it
to the embeddings, which would cost two products of B·T·V·E more.

Axes: **B** batch, **T** time, **V** vocabulary, **K** orders, **J** these and what is recalled, **D** width, **E**
embedding width.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.initialisation import Linear, fill_normal
from ziggurat.models.blocks.network import CausalNetwork, NetworkState
from ziggurat.models.ngram_reading import NOTHING, Counts
from ziggurat.models.recalling import RECALLED

__all__ = ["CountedNetwork", "CountingKeys"]

SEVERAL_UP_TO = 1024
"""Ids up to which the distributions of three orders are handed on where no orders are named."""


@dataclass(frozen=True)
class CountingKeys:
    """The ``[model]`` keys of every network that stands on counts."""

    order: int = option(6, "words in the longest n-gram that is counted", low=1)
    orders: tuple[int, ...] = option(
        (), "orders whose distributions are handed on; empty: the longest, and up to 1,024 ids two shorter ones too"
    )
    recall: int = option(
        0,
        "tokens of the same document that are remembered: what came, and what followed it; a decoder remembers none "
        "beyond its context; 0: none",
        low=0,
    )

    @property
    def recalled(self) -> int:
        """Numbers of each id that are recalled."""
        return RECALLED if self.recall else 0

    def check_orders(self) -> None:
        """Refuse orders that are not counted.

        *Raises.* `UsageError`.
        """
        if list(self.orders) != sorted(set(self.orders)) or (
            self.orders and not 1 <= self.orders[0] <= self.orders[-1] <= self.order
        ):
            raise UsageError(f"orders: expected rising numbers from 1 to order ({self.order}), got {list(self.orders)}")

    def resolved_orders(self, vocabulary_size: int) -> tuple[int, ...]:
        """Return the orders that are handed on of a vocabulary of so many ids.

        *Maths.* Where none are named, and there are `SEVERAL_UP_TO` ids or fewer: round(n/3), round(2·n/3) and n for
        the longest order n, each once and none below 1 (8: 3, 5, 8). Of characters and bytes a distribution is short,
        so three cost little, and what one letter expects and what a whole word expects are not the same. Of more ids
        the longest order alone.
        """
        if self.orders:
            return self.orders
        if vocabulary_size > SEVERAL_UP_TO:
            return (self.order,)
        thirds = (round(self.order / 3), round(2 * self.order / 3), self.order)
        return tuple(sorted({order for order in thirds if order >= 1}))


class CountedNetwork(CausalNetwork):
    """Any `CausalNetwork` on counts.

    Vectors of `hidden` are those of the network inside with the J·V numbers of the counts and of what is recalled
    behind them, so they are D + J·V wide, and `logits` needs nothing else.

    *Cost.* That of the network inside, B·T·J·V numbers in memory, and a product of K·V with the embeddings.
    """

    def __init__(self, config: Any, network: CausalNetwork, counts: Counts, *, orders: int) -> None:
        """Stand on ``counts``, which hand on ``orders`` distributions, and what is recalled."""
        inner, size, told = network.width, network.vocabulary.size, orders + config.recalled
        super().__init__(network.vocabulary, width=inner + told * size, context=network.context)
        self.config = config
        self.carries_state = network.carries_state
        self.network = network
        self.counts: Counts = counts
        self.before = max(config.order - 1, config.recall)
        self.orders = orders
        self.trust = Linear(inner, told)
        self.expected = Linear(orders * network.token_embedding.shape[1], network.token_embedding.shape[1], bias=False)

    def fill(self, seed: int) -> None:
        """Draw first weights: at first the longest order alone is believed, wholly."""
        with torch.no_grad():
            self.trust.weight.zero_()
            self.trust.bias.zero_()
            self.trust.bias[self.orders - 1] = 1.0
        fill_normal(self.expected.weight, std=self.expected.in_features**-0.5, seed=seed, name="expected")

    def hidden(
        self,
        ids: Tensor,
        state: NetworkState | None = None,
        *,
        lengths: Tensor | None = None,
        beside: Tensor | None = None,
    ) -> tuple[Tensor, NetworkState | None]:
        """Read (B, T) ids (see `CausalNetwork.hidden`)."""
        before, inner = (self._nothing(len(ids)), None) if state is None else state
        read = self.counts.read(before.cpu().numpy(), ids.cpu().numpy())
        told_BTJV = torch.from_numpy(read).to(self.device)
        with torch.no_grad():
            expected_BTX = (told_BTJV[:, :, : self.orders].exp() @ self.network.token_embedding).flatten(2)
        told_BTE = self.expected(expected_BTX)
        told_BTE = told_BTE if beside is None else told_BTE + beside
        hidden_BTD, inner = self.network.hidden(ids, inner, lengths=lengths, beside=told_BTE)
        joined: Tensor = _Beside.apply(hidden_BTD.float(), told_BTJV.flatten(2))  # type: ignore[no-untyped-call]
        if inner is None:
            return joined, None
        return joined, (self._after(before, ids, lengths), inner)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V): the network's own logits and the weighed log-probabilities of the counts, in 32-bit."""
        inner = self.network.width
        own: Tensor = _Front.apply(hidden, inner)  # type: ignore[no-untyped-call]
        told = hidden.detach()[..., inner:]
        weights: Tensor = self.trust(own).float()
        found: Tensor = self.network.logits(own).float()
        for number, one in enumerate(torch.split(told, self.vocabulary.size, dim=-1)):
            found = torch.addcmul(found, weights[..., number, None], one)
        return found

    @property
    def token_embedding(self) -> Tensor:
        """(V, E): the vector with which each id enters."""
        return self.network.token_embedding

    def initial_state(self, batch: int) -> NetworkState:
        """Return the state of the network inside, and that nothing stands before."""
        return self._nothing(batch), self.network.initial_state(batch)

    def reorder_state(self, state: NetworkState, rows: Tensor) -> NetworkState:
        """Return a state with copies of ``rows``; the old one stays as it was."""
        before, inner = state
        return before[rows], self.network.reorder_state(inner, rows)

    def _nothing(self, batch: int) -> Tensor:
        return torch.full((batch, self.before), NOTHING, dtype=torch.int64, device=self.device)

    def _after(self, before: Tensor, ids: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the last ids of each row, as many as the counts look back at."""
        read = torch.cat([before, ids], dim=1)
        if lengths is None:
            return read[:, read.shape[1] - self.before :]
        return read.gather(1, lengths[:, None] + torch.arange(self.before, device=self.device))


class _Beside(torch.autograd.Function):
    """Vectors with numbers behind them that have no gradient."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, numbers: Tensor) -> Tensor:
        ctx.width = vectors.shape[-1]
        return torch.cat([vectors, numbers], dim=-1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0][..., : ctx.width], None


class _Front(torch.autograd.Function):
    """The vectors of what `_Beside` has put together.

    *Departs.* The gradient's part for the numbers, the larger by far, is left unwritten: `_Beside` does not read it.
    """

    @staticmethod
    def forward(ctx: Any, both: Tensor, width: int) -> Tensor:
        ctx.shape, ctx.width = both.shape, width
        return both[..., :width].contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        found = gradients[0].new_empty(ctx.shape)
        found[..., : ctx.width] = gradients[0]
        return found, None
