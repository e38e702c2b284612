"""What every neural family is inside (`Network`, torch) and how it shows itself outside (`NeuralLanguageModel`, NumPy).

Axes: **B** batch, **T** time, **V** vocabulary, **D** width, **N** positions picked from B × T.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.blocks.ngram_tables import NgramTables

__all__ = [
    "CausalNetwork",
    "Network",
    "NetworkState",
    "Neural",
    "NeuralLanguageModel",
    "reading",
    "rows_of_like_length",
]

NetworkState: TypeAlias = Any
"""What a network remembers of a batch of prefixes: an LSTM's hidden and cell vectors, a decoder's keys and values."""

WINDOW_TOKENS = 8192
"""Ids (rows × time) that one call of `CausalNetwork.hidden` is given at most, so that memory stays flat."""

WINDOW_ROWS = 64
"""Rows that a network which carries state reads side by side, however long they are."""

LOGIT_COUNT = 1 << 22
"""Logits that stand in memory at once when targets are looked up: 16 MB in 32-bit."""


class Network(nn.Module, ABC):
    """A network over ids: from a vector of its last layer it makes logits of ids.

    *Idea.* The projection to the vocabulary is a verb of its own, because B · T · V logits are most of a small model's
    memory: a loss makes all vectors once and calls `logits` on pieces of them.

    Parameters live in 32-bit; everything runs under ``torch.autocast``. Dropout acts in training mode only and draws
    from torch's global generator, whose state a checkpoint holds.
    """

    config: Any
    """The family's ``[model]`` keys that it was built with; each family sets its own."""
    fresh: frozenset[str] | None = None
    """Names of the weights that `begin_with` left as chance drew them; None: nothing was begun with."""

    def __init__(self, vocabulary: Vocabulary, *, width: int, context: int | None) -> None:
        """Remember the ids it knows, the width D of its vectors and the longest sequence that it can read."""
        super().__init__()
        self.vocabulary = vocabulary
        self.width = width
        self.context = context

    @abstractmethod
    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V) unnormalised log-probabilities of ids from (…, D) vectors."""

    @property
    @abstractmethod
    def token_embedding(self) -> Tensor:
        """(V, D'): the vector with which each id enters, D' being what the family's ``embedding_key`` says."""

    def check_fits(self, length: int) -> None:
        """Refuse to read ``length`` ids in one sequence where they are more than `context`.

        *Raises.* `UsageError`.
        """
        if self.context is not None and length > self.context:
            raise UsageError(
                f"{length} ids are more than the model can read at once (its context is {self.context}): "
                "score long texts by a rolling window, shorten the prompt, or train with a larger context"
            )

    def begin_with(self, other: "Network") -> None:
        """Take the weights of a trained network of the same kind."""
        self.load_state_dict(other.state_dict())
        self.fresh = frozenset()

    def tables(self) -> list[nn.Parameter]:
        """Return the weights of which a batch reads and changes few rows, and which may be far larger than the rest."""
        return [module.weight for module in self.modules() if isinstance(module, NgramTables)]

    def rows_read(self) -> list[tuple[nn.Parameter, int]]:
        """Return `tables`, each with how many of its rows are read for an id."""
        return [(module.weight, len(module.orders)) for module in self.modules() if isinstance(module, NgramTables)]

    def sparse_tables(self, wanted: bool) -> None:
        """Say whether gradients of `tables` come as sparse tensors (`NgramTables.sparse`)."""
        for module in self.modules():
            if isinstance(module, NgramTables):
                module.sparse = wanted

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    @property
    def parameter_count(self) -> int:
        """How many numbers there are in all weights, those that two places share counted once."""
        return sum(parameter.numel() for parameter in self.parameters())


class CausalNetwork(Network):
    """A network that reads from left to right: ids in, one vector a position out, from which the next id is told."""

    carries_state: bool
    """Whether the state after one training window may begin the next (truncated backpropagation through time)."""

    @abstractmethod
    def hidden(
        self,
        ids: Tensor,
        state: NetworkState | None = None,
        *,
        lengths: Tensor | None = None,
        beside: Tensor | None = None,
    ) -> tuple[Tensor, NetworkState | None]:
        """Read (B, T) ids after what ``state`` holds; return (B, T, D) vectors and the state after them.

        Where ``state`` is None the ids begin their sequences. A network that does not carry state then returns None
        and keeps nothing: begin with `initial_state` to go on from here. No gradient flows into a state that is
        returned. A state that was passed in may be changed in place: do not use it again. A decoder takes a state
        only where gradients are off.

        *Shapes and units.* ``lengths`` (B,), from 0 to T, counts the ids of each row that are no padding (all, where
        it is None). The returned state is that after a row's last real id; vectors at padding mean nothing.
        ``beside`` (B, T, D') is added to the vectors with which the ids enter.
        """

    @abstractmethod
    def initial_state(self, batch: int) -> NetworkState:
        """Return the state of ``batch`` rows of which nothing has been read."""

    @abstractmethod
    def reorder_state(self, state: NetworkState, rows: Tensor) -> NetworkState:
        """Return the state whose row b is the old row ``rows[b]``; rows may repeat or drop."""

    def of_rows(self, rows: Tensor, batch: int) -> "CausalNetwork":
        """Return the network that reads only ``rows`` of a batch: itself, unless rows differ in more than their ids."""
        del rows, batch
        return self

    def forward(self, ids: Tensor, state: NetworkState | None = None) -> tuple[Tensor, NetworkState | None]:
        """Return (B, T, V) logits and the state: `hidden` and `logits` in one, for where memory is no matter."""
        hidden, state = self.hidden(ids, state)
        return self.logits(hidden), state


@runtime_checkable
class Neural(Protocol):
    """A model that is a network inside."""

    @property
    def network(self) -> Network:
        """The network, which may be trained."""
        ...


class NeuralLanguageModel:
    """Any `CausalNetwork` as a `ziggurat.core.protocols.LanguageModel`: NumPy in, NumPy out, dropout off, no gradients.

    *Cost.* Scoring reads rows of like length together, at most `WINDOW_TOKENS` ids at a time, and projects to the
    vocabulary in pieces, so memory beyond the result does not grow with the text. `step` and `extend` may change the
    state that they are given: use the one they return.

    *Raises.* `UsageError` where more ids than `context` would have to be read: score by a rolling window, or prompt
    with less. (The last id of a sequence that is scored is not read, so `token_logprobs` takes one more.)
    """

    def __init__(self, network: CausalNetwork) -> None:
        """Show ``network``, in evaluation mode until someone trains it: it stays the same object."""
        self.network = network.eval()

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self.network.vocabulary

    @property
    def context(self) -> int | None:
        """Longest sequence that it can read at once, in ids; None where there is no limit."""
        return self.network.context

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T − 1): log p(ids[:, t] | ids[:, :t]) for t ≥ 1; 0 at and beyond a row's length."""
        return np.asarray(self._scan(ids, lengths, kinds=1)[0])

    def token_uncertainty(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, FloatArray]:
        """Return `token_logprobs`, and how uncertain the model was before each id (see `models.uncertainty`)."""
        logprobs, uncertainty = self._scan(ids, lengths, kinds=2)
        return logprobs, uncertainty

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        """Return (B,) nats: the sum of each row's `token_logprobs`."""
        return np.asarray(self.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64))

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, NetworkState]:
        """Read (B, T) prompts at once; return (B, V) next-id logprobs and the state."""
        with reading(self.network):
            state = self.network.initial_state(ids.shape[0])
        return self.extend(state, ids, lengths)

    def extend(self, state: NetworkState, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, NetworkState]:
        """Append (B, T) ids at once; return (B, V) next-id logprobs and the new state (the old one is gone)."""
        network = self.network
        ids_BT = self._tensor(ids[:, : int(lengths.max(initial=1))])
        lengths_B = self._tensor(lengths)
        with reading(network):
            last_BD = torch.zeros(ids.shape[0], network.width, device=network.device)
            for start, stop in self._windows(*ids_BT.shape):
                inside_B = (lengths_B - start).clamp(0, stop - start)
                hidden_BTD, state = network.hidden(ids_BT[:, start:stop], state, lengths=inside_B)
                ends_here = ((lengths_B > start) & (lengths_B <= stop)).nonzero().squeeze(1)
                last_BD[ends_here] = hidden_BTD[ends_here, inside_B[ends_here] - 1].to(last_BD.dtype)
            return self._next_logprobs(last_BD), state

    def step(self, state: NetworkState, ids: IdArray) -> tuple[FloatArray, NetworkState]:
        """Append one id (B,) to each row; return (B, V) next-id logprobs and the new state (the old one is gone)."""
        with reading(self.network):
            hidden_B1D, state = self.network.hidden(self._tensor(ids)[:, None], state)
            return self._next_logprobs(hidden_B1D[:, 0]), state

    def reorder(self, state: NetworkState, rows: IdArray) -> NetworkState:
        """Return the state whose row b is the old row ``rows[b]``; rows may repeat or drop."""
        with reading(self.network):
            return self.network.reorder_state(state, self._tensor(rows))

    def _scan(self, ids: IdArray, lengths: IdArray, *, kinds: int) -> FloatArray:
        """Return (kinds, B, T − 1): log-probabilities and, where two kinds are asked for, uncertainties."""
        scores = np.zeros((kinds, ids.shape[0], max(ids.shape[1] - 1, 0)), dtype=np.float32)
        with reading(self.network):
            for rows in self._rows_of_like_length(lengths):
                longest = int(lengths[rows].max())
                if longest > 1:
                    network = self.network.of_rows(torch.from_numpy(rows).to(self.network.device), len(ids))
                    scores[:, rows, : longest - 1] = self._scan_rows(network, ids[rows, :longest], lengths[rows], kinds)
        return scores

    def _scan_rows(self, network: CausalNetwork, ids: IdArray, lengths: IdArray, kinds: int) -> FloatArray:
        """Do `_scan` for rows that are read together; the last id of a row is predicted, not read."""
        ids_BT, lengths_B = self._tensor(ids), self._tensor(lengths)
        scores_XBT = torch.zeros(kinds, ids.shape[0], ids.shape[1] - 1, device=self.network.device)
        positions_T = torch.arange(1, ids.shape[1], device=self.network.device)
        state: NetworkState | None = None
        for start, stop in self._windows(ids.shape[0], ids.shape[1] - 1):
            hidden_BTD, state = network.hidden(ids_BT[:, start:stop], state)
            keep_mask = positions_T[start:stop] < lengths_B[:, None]
            targets_N = ids_BT[:, start + 1 : stop + 1][keep_mask]
            scores_XBT[:, :, start:stop][:, keep_mask] = self._judge(hidden_BTD[keep_mask], targets_N, kinds)
        return np.asarray(scores_XBT.cpu().numpy())

    def _judge(self, hidden_ND: Tensor, targets_N: Tensor, kinds: int) -> Tensor:
        """Return (kinds, N): what `_scan` tells of the targets, never holding all N × V logits."""
        rows = max(1, LOGIT_COUNT // self.vocabulary.size)
        scores_XN = torch.empty(kinds, hidden_ND.shape[0], device=hidden_ND.device)
        for start in range(0, hidden_ND.shape[0], rows):
            some = slice(start, start + rows)
            logprobs_NV = self.network.logits(hidden_ND[some]).float().log_softmax(-1)
            scores_XN[0, some] = logprobs_NV.gather(1, targets_N[some, None])[:, 0]
            if kinds > 1:
                scores_XN[1, some] = torch.special.entr(logprobs_NV.exp_()).sum(-1)
        if kinds > 1:
            scores_XN[1] /= math.log(max(2, self.vocabulary.size))
        return scores_XN

    def _next_logprobs(self, hidden_BD: Tensor) -> FloatArray:
        logprobs_BV = self.network.logits(hidden_BD).float().log_softmax(-1)
        return np.asarray(logprobs_BV.cpu().numpy())

    def _windows(self, batch: int, length: int) -> Iterator[tuple[int, int]]:
        """Cut time into windows that bound memory where state carries over; otherwise everything is one window."""
        size = max(1, WINDOW_TOKENS // max(1, batch)) if self.network.carries_state else max(1, length)
        for start in range(0, length, size):
            yield start, min(start + size, length)

    def _rows_of_like_length(self, lengths: IdArray) -> Iterator[npt.NDArray[np.intp]]:
        def fits(rows: int, longest: int) -> bool:
            return rows <= WINDOW_ROWS if self.network.carries_state else rows * longest <= WINDOW_TOKENS

        return rows_of_like_length(lengths, fits)

    def _tensor(self, ids: IdArray) -> Tensor:
        return torch.from_numpy(ids.astype(np.int64)).to(self.network.device)


def rows_of_like_length(lengths: IdArray, fits: Callable[[int, int], bool]) -> Iterator[npt.NDArray[np.intp]]:
    """Group rows, shortest first, so that little is padding; ``fits(rows, longest)`` bounds what is read at once."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        if stop < len(order):
            shortest, longest = int(lengths[order[start]]), int(lengths[order[stop]])
            if fits(stop + 1 - start, longest) and longest <= 2 * shortest + 32:
                continue
        yield order[start:stop]
        start = stop


@contextmanager
def reading(network: nn.Module) -> Iterator[None]:
    """Switch gradients and dropout off, and dropout on again where it was on."""
    training = network.training
    if training:
        network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        if training:
            network.train()
