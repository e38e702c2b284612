"""Tables of n-grams: the last few ids pick rows, and what stands there is added to the embedding of the last of them.

*Idea.* A network that sees one id at a time must first learn, by attention or by gates, which ids stand together,
before it can use what any count of n-grams knows at once. Here the k ids that end at a position are looked up as a
whole, for each k of ``ngram_orders``; there are too many of them to have a vector each, so a hash tells which row is
theirs, and those that meet in a row share it. That is how fastText gives vectors to n-grams without a list of them
(Bojanowski et al. 2017, section 3.2); of tokens at the entrance of a Transformer, several orders added up, Huang et
al. (2025, "Over-Tokenized Transformer") have them. A row is read and changed only where one of its n-grams stands, so
tables far larger than the network cost a step next to nothing.

Shape suffixes: **B** batch, **T** time, **D** width, **N** orders, **R** ids that stood before, **W** width of a table.
"""

import itertools
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.initialisation import Linear, fill_normal

__all__ = ["NO_ID", "NgramTableKeys", "NgramTables", "mixed", "table_rows"]

NO_ID = -1
"""Stands where nothing has been read."""

FIRST_STD = 0.0
"""Standard deviation of a table's first numbers; with 0 the network begins as it would without tables."""

LONGEST_ORDER = 16
MOST_ROWS = (1 << 31) - 1
"""Rows at most: 32 bits of the hash times the rows must stay within a signed 64-bit number."""

T = TypeVar("T", int, Tensor)


def _signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


_STEP, _FIRST, _SECOND = map(_signed, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True)
class NgramTableKeys:
    """The ``[model]`` keys of a network that may have tables of n-grams."""

    ngram_orders: tuple[int, ...] = option(
        (),
        "lengths of the n-grams whose vectors are added to embeddings, for example [2, 3, 4]; none: no tables",
        low=2,
        high=LONGEST_ORDER,
    )
    ngram_rows: int = option(
        65536, "vectors of each length; more n-grams than that share them by a hash", low=1, high=MOST_ROWS
    )
    ngram_width: int | None = option(
        None,
        "numbers in such a vector; a matrix then widens those of all lengths (default: those of an embedding)",
        low=1,
    )

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        if len(set(self.ngram_orders)) < len(self.ngram_orders):
            raise UsageError("ngram_orders: each length of n-grams may stand there once")
        for key in ("ngram_rows", "ngram_width"):
            if not self.ngram_orders and getattr(self, key) != NgramTableKeys.__dataclass_fields__[key].default:
                raise UsageError(f"{key}: there are no tables without ngram_orders; set it too, or leave {key} out")


def table_rows(config: NgramTableKeys, vocabulary_size: int) -> tuple[int, ...]:
    """Return the rows of each order's table: one for each n-gram where so many fit, else ``ngram_rows``.

    >>> table_rows(NgramTableKeys(ngram_orders=(2, 3), ngram_rows=200), 11)
    (121, 200)
    """
    return tuple(min(vocabulary_size**order, config.ngram_rows) for order in config.ngram_orders)


def mixed(number: Tensor) -> Tensor:
    """Return 64-bit numbers of which every bit depends on every bit of those given, one to one.

    *Maths.* x ← (x ⊕ (x ≫ 30))·c₁; x ← (x ⊕ (x ≫ 27))·c₂; x ⊕ (x ≫ 31), shifts filling with 0 and products modulo
    2⁶⁴: the finaliser of SplitMix64 (Steele, Lea & Flood 2014, after Stafford's variant 13).
    """
    number = (number ^ _shifted(number, 30)) * _FIRST
    number = (number ^ _shifted(number, 27)) * _SECOND
    return number ^ _shifted(number, 31)


def _shifted(number: Tensor, places: int) -> Tensor:
    """Return numbers moved to the right; torch's own shift would repeat their sign."""
    return (number >> places) & ((1 << (64 - places)) - 1)


class NgramTables(nn.Module):
    """For each order a table of vectors, and which of its rows the n-gram that ends at a position has.

    *Maths.* With ids x, the order k adds E_k[r_k(t)] at position t, or 0 where fewer than k ids have been read. Where
    the table has a row for each of the V^k n-grams, r_k(t) = Σ_{j<k} x_{t−j}·V^j. Otherwise r_k(t) = ⌊h_k·R / 2³²⌋ with
    R rows and h_k the upper 32 bits of H_k, where H_0 = 0 and H_{j+1} = `mixed` (H_j + (x_{t−j} + 1)·g) modulo 2⁶⁴,
    g = 0x9E3779B97F4A7C15. With narrow tables the vectors of all orders, side by side, are multiplied by a matrix.

    *Departs.* Huang et al. take a polynomial of the ids modulo the number of rows; that spreads neighbouring n-grams
    evenly only where the rows share no factor with the vocabulary, so bits are mixed here.

    *Cost.* N rows of W numbers read for a position; no products, but N·W·D with narrow tables. The gradient of the
    tables is as large as they are, unless `sparse` says that only touched rows are wanted.
    """

    def __init__(self, config: NgramTableKeys, vocabulary_size: int, width: int) -> None:
        """Make tables that give vectors of ``width`` numbers; their values come from `fill` or from a file."""
        super().__init__()
        self.orders = config.ngram_orders
        self.vocabulary_size = vocabulary_size
        self.limit = config.ngram_rows
        self.rows = table_rows(config, vocabulary_size)
        self.starts = tuple(itertools.accumulate(self.rows, initial=0))[:-1]
        """The first row of each order in `weight`."""
        self.reach = max(self.orders) - 1
        """R: how many ids before a position are looked at."""
        narrow = config.ngram_width
        self.weight = nn.Parameter(torch.empty(sum(self.rows), narrow or width))
        """All tables, one below another: (rows, W)."""
        self.project = None if narrow is None else Linear(len(self.orders) * narrow, width, bias=False)
        self.sparse = False
        """Whether the gradient of `weight` comes as a sparse tensor of the rows that a batch read; an optimiser that
        understands such gradients sets it. Rows may be there twice (`Tensor.coalesce` adds them up)."""

    def fill(self, *, seed: int, name: str) -> None:
        """Draw first weights: tables of `FIRST_STD`; a matrix that gives back the variance of its input."""
        if FIRST_STD:
            fill_normal(self.weight, std=FIRST_STD, seed=seed, name=f"{name}.weight")
        else:
            nn.init.zeros_(self.weight)
        if self.project is not None:
            std = self.project.in_features**-0.5
            fill_normal(self.project.weight, std=std, seed=seed, name=f"{name}.project.weight")

    def forward(self, ids: Tensor, before: Tensor | None = None) -> Tensor:
        """Return (B, T, D): what is added to the embeddings of (B, T) ``ids``.

        ``before`` (B, R) are the ids that stood before them, `NO_ID` where there was none; None: the ids begin their
        sequences.
        """
        places_BTN, known_BTN = self.places(ids, before)
        together = 1 if self.project is not None else len(self.orders)  # rows of which only the sum is wanted
        vectors = nn.functional.embedding_bag(
            places_BTN.reshape(-1, together),
            self.weight,
            mode="sum",
            per_sample_weights=known_BTN.reshape(-1, together).to(self.weight.dtype),
            sparse=self.sparse,
        )
        vectors = vectors.view(*ids.shape, len(self.orders) // together * self.weight.shape[1])
        return vectors if self.project is None else self.project(vectors)

    def places(self, ids: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (B, T, N) rows of `weight`, and whether so many ids had been read; rows where not mean nothing."""
        time = ids.shape[1]
        read_BX = torch.cat([self.nothing(len(ids)) if before is None else before, ids], dim=1)
        hashed_BT = exact_BT = torch.zeros_like(ids)
        found: dict[int, tuple[Tensor, Tensor]] = {}
        for back in range(self.reach + 1):
            order, id_BT = back + 1, read_BX[:, self.reach - back :][:, :time]
            hashed_BT = mixed(hashed_BT + (id_BT + 1) * _STEP)
            exact = self.vocabulary_size**order <= self.limit
            if exact:
                exact_BT = exact_BT + id_BT * self.vocabulary_size**back
            if order in self.orders:
                number = self.orders.index(order)
                row_BT = exact_BT if exact else _shifted(_shifted(hashed_BT, 32) * self.rows[number], 32)
                known_BT = id_BT != NO_ID
                found[number] = row_BT.where(known_BT, 0) + self.starts[number], known_BT
        places, known = zip(*(found[number] for number in range(len(self.orders))), strict=True)
        return torch.stack(places, dim=-1), torch.stack(known, dim=-1)

    def nothing(self, batch: int) -> Tensor:
        """Return the (B, R) ids that stand before rows of which nothing has been read."""
        return torch.full((batch, self.reach), NO_ID, dtype=torch.long, device=self.weight.device)

    def after(self, ids: Tensor, before: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return (B, R): what stands before the ids that follow (B, T) ``ids``, of which ``lengths`` a row are real."""
        read_BX = torch.cat([before, ids], dim=1)
        if lengths is None:
            return read_BX[:, ids.shape[1] :].clone()
        return read_BX.gather(1, lengths[:, None] + torch.arange(self.reach, device=ids.device))
