"""Networks that write what follows from a source (`TranslatingNetwork`), and how they show themselves outside.

Shape suffixes as in `ziggurat.models.blocks.attention`; S is the time of the source.
"""

from abc import abstractmethod
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from ziggurat.core.errors import UsageError
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.models.blocks.network import CausalNetwork, Network, NeuralLanguageModel, reading

__all__ = ["ConditionedNetwork", "NeuralConditionalModel", "SourceRead", "TranslatingNetwork", "Written"]

S = TypeVar("S", bound="SourceRead")
W = TypeVar("W", bound="Written")


class SourceRead(Protocol):
    """What an encoder made of a batch of sources."""

    @property
    def rows(self) -> int:
        """How many sources were read."""
        ...

    def picked(self: S, rows: Tensor) -> S:
        """Return the sources of ``rows``, which may repeat or drop."""
        ...

    def spread(self: S, batch: int) -> S:
        """Return the only source there is for each of ``batch`` rows."""
        ...


class Written(Protocol):
    """What a decoder remembers of the targets that it has written so far; it grows in place."""

    def reorder(self: W, rows: Tensor) -> W:
        """Return one of its own whose row b is a copy of row ``rows[b]``."""
        ...


class TranslatingNetwork(Network):
    """A network that reads a source whole, and a target beside it from left to right."""

    @abstractmethod
    def source(self, ids: Tensor, lengths: Tensor) -> Any:
        """Return what the decoder looks at of (B, S) source ids, of which (B,) ``lengths`` a row are no padding.

        It is a `SourceRead`.
        """

    @abstractmethod
    def hidden(self, ids: Tensor, source: Any, state: Any = None, *, lengths: Tensor | None = None) -> Tensor:
        """Read (B, T) target ids beside a source of B rows; return (B, T, D) vectors.

        With a ``state`` the ids go on where it ends, and it grows by (B,) ``lengths`` of them (default: T); without one
        they begin their sequences.

        *Raises.* `UsageError` where a row would become longer than `context`.
        """

    @abstractmethod
    def empty_cache(self, batch: int) -> Any:
        """Return the state of ``batch`` targets of which nothing has been read; it is a `Written`."""


class _Reading(NamedTuple):
    """What a decoder remembers of rows that translate: what they have written, and what each of them looks at."""

    cache: Written
    source: SourceRead


class ConditionedNetwork(CausalNetwork):
    """The decoder beside a source that is read already: what is left is a network from left to right."""

    carries_state = False

    def __init__(self, network: TranslatingNetwork, source: SourceRead) -> None:
        """Look at ``source``: row b of a batch at its row b, or every row at its only one."""
        super().__init__(network.vocabulary, width=network.width, context=network.context)
        self.network = network
        self.source = source

    def hidden(
        self,
        ids: Tensor,
        state: _Reading | None = None,
        *,
        lengths: Tensor | None = None,
        beside: Tensor | None = None,
    ) -> tuple[Tensor, _Reading | None]:
        """Read (B, T) ids (see `CausalNetwork.hidden`).

        *Raises.* `UsageError` where a row would become longer than `context`, there is not one source for each row, or
        something is to be read beside the ids.
        """
        if beside is not None:
            raise UsageError("a decoder that translates reads nothing beside its ids but its source")
        source = _for_rows(self.source if state is None else state.source, len(ids))
        cache = None if state is None else state.cache
        return self.network.hidden(ids, source, cache, lengths=lengths), state

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V) logits (see `Network.logits`)."""
        return self.network.logits(hidden)

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters."""
        return self.network.token_embedding

    def of_rows(self, rows: Tensor, batch: int) -> "ConditionedNetwork":
        """Return the network that reads only ``rows`` of a batch, each beside its own source.

        *Raises.* `UsageError` where there is not one source for each row of the batch.
        """
        return ConditionedNetwork(self.network, _picked(_for_rows(self.source, batch), rows))

    def initial_state(self, batch: int) -> _Reading:
        """Return an empty cache, and the source."""
        return _Reading(self.network.empty_cache(batch), self.source)

    def reorder_state(self, state: _Reading, rows: Tensor) -> _Reading:
        """Return a state with copies of ``rows``, each still beside its source; the old one stays as it was."""
        return _Reading(state.cache.reorder(rows), _picked(state.source, rows))


class NeuralConditionalModel:
    """Any `TranslatingNetwork` as a `ziggurat.core.protocols.ConditionalModel`."""

    def __init__(self, network: TranslatingNetwork) -> None:
        """Show ``network``, in evaluation mode until someone trains it: it stays the same object."""
        self.network = network.eval()

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self.network.vocabulary

    @property
    def context(self) -> int | None:
        """Longest source, and longest target, that it can read at once, in ids; None where there is no limit."""
        return self.network.context

    def condition(self, source: IdArray, lengths: IdArray) -> NeuralLanguageModel:
        """Read (B, S) source ids, of which ``lengths`` a row are no padding; return the model of what follows.

        *Raises.* `UsageError` where a source has no ids, or more than `context`.
        """
        if (lengths < 1).any():
            raise UsageError("a source without ids can't be read: it has at least its end token")
        longest = int(lengths.max(initial=1))
        self.network.check_fits(longest)
        with reading(self.network):
            ids_BS, lengths_B = (
                torch.from_numpy(array.astype("int64")).to(self.network.device) for array in (source, lengths)
            )
            read = self.network.source(ids_BS[:, :longest], lengths_B)
            return NeuralLanguageModel(ConditionedNetwork(self.network, read))


def _for_rows(source: SourceRead, batch: int) -> SourceRead:
    """Return the source with a row for each of ``batch``: its own, or its only one for all (without a copy)."""
    rows = source.rows
    if rows == batch:
        return source
    if rows != 1:
        raise UsageError(f"{batch} rows can't be read beside {rows} sources: give one source for each row, or one")
    return source.spread(batch)


def _picked(source: SourceRead, rows: Tensor) -> SourceRead:
    """Return the source whose row b is the old row ``rows[b]``; a source of one row serves whichever rows there are."""
    return source if source.rows == 1 else source.picked(rows)
