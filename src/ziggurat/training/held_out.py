"""Which part of what is held out is read, where a part is enough: one from all over it.

*Idea.* Files are often sorted, by label, by source or by date: their first lines would tell of one label alone.
"""

import numpy as np
import numpy.typing as npt

from ziggurat.core.protocols import TokenStream
from ziggurat.core.types import IdArray

__all__ = ["some_documents", "spread_order"]

GOLDEN = (np.sqrt(5) - 1) / 2


def spread_order(count: int) -> npt.NDArray[np.int64]:
    """Return (count,): the numbers 0 … count − 1 in an order of which every beginning is spread evenly over all.

    *Maths.* By the fractional part of i·(√5 − 1)/2, so that those below p have gaps of at most three lengths (Sós 1958)
    and fall in with no period of the file.

    >>> spread_order(8).tolist()
    [0, 5, 2, 7, 4, 1, 6, 3]
    """
    return np.argsort(np.arange(count) * GOLDEN % 1.0, kind="stable")


def some_documents(stream: TokenStream | None, limit_tokens: int) -> list[IdArray]:
    """Return documents from all over ``stream``, cut so that about ``limit_tokens`` of their tokens are predicted."""
    sequences: list[IdArray] = []
    count = 0
    for index in spread_order(len(stream.starts) - 1 if stream is not None else 0).tolist():
        assert stream is not None  # noqa: S101 - there would be no index
        sequence = stream.document(index)[: limit_tokens - count + 1]
        sequences.append(sequence)
        count += len(sequence) - 1
        if count >= limit_tokens:
            break
    return sequences
