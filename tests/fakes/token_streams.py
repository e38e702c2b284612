"""Token streams in memory, laid out as a store lays them out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.types import IdArray, Vocabulary


@dataclass(frozen=True)
class MemoryStream:
    """Documents as one array of ids."""

    vocabulary: Vocabulary
    tokens: IdArray
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, documents: Sequence[Sequence[int]], vocabulary: Vocabulary) -> "MemoryStream":
        """Lay out documents, given without ``bos`` and ``eos``."""
        tokens: list[int] = []
        starts = []
        for document in documents:
            starts.append(len(tokens))
            tokens += [vocabulary.bos, *document]
            if vocabulary.bos != vocabulary.eos:
                tokens.append(vocabulary.eos)
        starts.append(len(tokens))
        if vocabulary.bos == vocabulary.eos:
            tokens.append(vocabulary.eos)
        return cls(vocabulary, np.array(tokens, np.int32), np.array(starts, np.int64))

    def document(self, index: int) -> IdArray:
        """Return one document from its ``bos`` to its ``eos``."""
        shared = int(self.vocabulary.bos == self.vocabulary.eos)
        return self.tokens[self.starts[index] : self.starts[index + 1] + shared]
