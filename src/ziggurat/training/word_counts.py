"""How often each word of a token stream occurs, however large the stream is."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.protocols import TokenStream

__all__ = ["Counts", "count_words"]

Counts: TypeAlias = npt.NDArray[np.int64]
_TOKENS_AT_ONCE = 1 << 22


def count_words(stream: TokenStream) -> Counts:
    """Return (V,) how often each word occurs; 0 for special ids, which are no words."""
    vocabulary = stream.vocabulary
    counts = np.zeros(vocabulary.size, np.int64)
    for start in range(0, stream.tokens.size, _TOKENS_AT_ONCE):
        counts += np.bincount(stream.tokens[start : start + _TOKENS_AT_ONCE], minlength=vocabulary.size)
    counts[list(vocabulary.special)] = 0
    return counts
