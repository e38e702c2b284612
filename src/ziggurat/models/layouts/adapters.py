"""A low-rank change of our projections as a change of the matrices that another program has in their place.

*Idea.* Most layouts only rename. GPT-2 keeps queries, keys and values in one matrix, and changes of its parts are one
change of the whole: their A's stand one upon another, and each B in the rows of its own part, so that

    [B_q 0; 0 0; 0 B_v] · [A_q; A_v] = [B_q·A_q; 0; B_v·A_v]

with a rank that is the sum of theirs and the same α / r.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ziggurat.models.adapter import Adapter, LowRankPair
from ziggurat.models.blocks.network import Network
from ziggurat.models.layouts.layout import Renaming, layout_for

__all__ = ["Written", "written"]


@dataclass(frozen=True)
class Written:
    """An adapter under the names of another program's modules."""

    pairs: Mapping[str, LowRankPair]
    transposed: bool
    """Whether their matrices stand transposed, (inputs, outputs)."""
    causal: bool
    """Whether they are those of a model that guesses what follows."""


def written(family: str, network: Network, adapter: Adapter) -> Written:
    """Return an adapter as the layout of the network's published form names it; as it is where there is none."""
    layout = layout_for(family, network.config)
    if layout is None:
        return Written(dict(adapter.pairs), transposed=False, causal=False)
    places = {one.ours: one for one in layout.renamings(network.config)}
    parts: dict[str, list[tuple[Renaming, LowRankPair]]] = {}
    for name, pair in adapter.pairs.items():
        one = places[f"{name}.weight"]
        parts.setdefault(one.theirs.removesuffix(".weight"), []).append((one, pair))
    return Written(
        {name: _joined(found) for name, found in parts.items()},
        transposed=any(one.transposed for found in parts.values() for one, _ in found),
        causal=layout.causal,
    )


def _joined(found: list[tuple[Renaming, LowRankPair]]) -> LowRankPair:
    """Return the changes of a matrix's parts as one change of the whole."""
    first, pair = found[0]
    if first.pieces == 1:
        return pair
    rank, outputs = len(pair.down), len(pair.up)
    up = np.zeros((first.pieces * outputs, len(found) * rank), np.float32)
    for number, (one, own) in enumerate(found):
        rows, columns = one.piece * outputs, number * rank
        up[rows : rows + outputs, columns : columns + rank] = own.up
    return LowRankPair(np.concatenate([own.down for _, own in found]), up)
