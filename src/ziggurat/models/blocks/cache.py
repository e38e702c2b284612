"""The memory of a decoder that writes: keys and values of all that was read, so that no id is read twice.

Shape suffixes as in `ziggurat.models.blocks.attention`; **L** layers, **C** places that are allocated.
"""

import torch
from torch import Tensor

__all__ = ["KeyValueCache"]

FIRST_PLACES = 64
"""Places allocated at first; doubled whenever they are full."""


class KeyValueCache:
    """Keys and values of every layer, with a length of its own for each row.

    *Idea.* Rows of one batch may have read different numbers of ids (prompts padded on the right). Each row writes at
    its own end, over the padding, so that nothing is ever moved; what stands beyond a row's end gets weight 0 (and is
    finite, because 0 · NaN would spoil the sum: places are allocated as zeros).

    *Shapes and units.* One (L, 2, B, G, C, K) array; 8·L·B·G·C·K bytes in 32-bit.

    *Cost.* `append` writes in place; places double when they run out, so each is copied twice at most on average.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        *,
        dtype: torch.dtype,
        device: torch.device,
        last_ids: Tensor | None = None,
    ) -> None:
        """Make an empty cache for ``shape`` = (layers L, rows B, key heads G, head width K).

        ``last_ids`` (B, R) stand there for a network that looks up what was read last; it keeps them up to date.
        """
        layers, batch, heads, head_width = shape
        self._held = torch.zeros(layers, 2, batch, heads, FIRST_PLACES, head_width, dtype=dtype, device=device)
        self.lengths = torch.zeros(batch, dtype=torch.long, device=device)
        """(B,) ids that each row has read."""
        self.last_ids = last_ids
        """What a network of n-gram tables has read last (`ziggurat.models.blocks.ngram_tables`); None: it asks not."""
        self.longest = 0
        """The largest of `lengths`."""
        self.even = True
        """Whether all rows have read equally much."""

    def positions(self, time: int) -> Tensor | slice:
        """Return where the next ``time`` ids stand: a slice where all rows agree, else (B, T)."""
        if self.even:
            return slice(self.longest, self.longest + time)
        return self.lengths[:, None] + torch.arange(time, device=self.lengths.device)

    def keep_mask(self, time: int) -> Tensor | None:
        """Return (B or 1, 1, T, S), True where one of the next ``time`` ids may look; None where it may everywhere."""
        if self.even and time == 1:
            return None
        positions = self.positions(time)
        places_S = torch.arange(self.longest + time, device=self.lengths.device)
        if isinstance(positions, slice):
            return (places_S <= places_S[positions, None])[None, None]
        return (places_S <= positions[:, :, None])[:, None]

    def append(self, layer: int, k_BGTK: Tensor, v_BGTK: Tensor) -> tuple[Tensor, Tensor]:
        """Write one layer's keys and values of the next ids; return all (B, G, S, K) of them up to the longest row."""
        time = k_BGTK.shape[2]
        end = self.longest + time
        if end > self._held.shape[4]:
            self._grow(end)
        positions = self.positions(time)
        for held_BGCK, new_BGTK in zip(self._held[layer], (k_BGTK, v_BGTK), strict=True):
            if isinstance(positions, slice):
                held_BGCK[:, :, positions] = new_BGTK
            else:
                places = positions[:, None, :, None].expand_as(new_BGTK)
                held_BGCK.scatter_(2, places, new_BGTK.to(held_BGCK.dtype))
        keys, values = self._held[layer, :, :, :, :end]
        return keys, values

    def advance(self, time: int, lengths: Tensor | None = None) -> None:
        """Count the ids that all layers have appended: ``time`` for each row, or (B,) ``lengths``."""
        if lengths is None:
            self.lengths = self.lengths + time
            self.longest += time
            return
        self.lengths = self.lengths + lengths
        self.longest = int(self.lengths.max()) if len(self.lengths) else 0
        self.even = bool((self.lengths == self.longest).all())

    def reorder(self, rows: Tensor) -> "KeyValueCache":
        """Return a cache of its own whose row b is a copy of row ``rows[b]``."""
        layers, _, _, heads, places, head_width = self._held.shape
        other = KeyValueCache((layers, 0, heads, head_width), dtype=self._held.dtype, device=self._held.device)
        other._held = self._held.new_zeros(layers, 2, len(rows), heads, places, head_width)
        other._held[..., : self.longest, :] = self._held[..., : self.longest, :].index_select(2, rows)
        other.lengths = self.lengths[rows]
        other.last_ids = None if self.last_ids is None else self.last_ids[rows]
        other.longest = int(other.lengths.max()) if len(rows) else 0
        other.even = bool((other.lengths == other.longest).all())
        return other

    def _grow(self, places: int) -> None:
        held = self._held
        wanted = max(places, 2 * held.shape[4])
        self._held = held.new_zeros(*held.shape[:4], wanted, held.shape[5])
        self._held[..., : self.longest, :] = held[..., : self.longest, :]
