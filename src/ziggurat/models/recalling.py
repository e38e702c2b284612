"""What a text repeats: which ids came before in the same document, and what followed where the last ones stood before.

*Idea.* A name that came once will come again, and so will what was said of it. Counts of other texts do not know that,
and a small network takes long to learn to look. So it is handed over as it is, and the network says how far it matters.

*Maths.* Two numbers for each id v, of the last n ids of the document:

    lift(v) = log(1 + c(v) / (100·p(v)))        c(v) times seen among them, p(v) its probability everywhere
    echo(v) = log(1 + Σ_i 4^(m_i − 1))          over places i where the id that is now last stood, and v followed

where m_i ids before the two places are the same. Both are 0 of what did not come. Memories of words are those of Kuhn &
De Mori (1990, "A Cache-Based Natural Language Model for Speech Recognition"), of sequences those of Jelinek, Merialdo,
Roukos & Strauss (1991, "A Dynamic Language Model for Speech Recognition").

*Departs.* Both mix probabilities; here the numbers are added to a network's logits, with weights that follow the
context.

Axes: **B** rows, **T** time, **V** vocabulary.
"""

import numpy as np

from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.kernels import recall

__all__ = ["RECALLED", "Recall"]

RECALLED = 2
"""Numbers of each id: lift and echo."""
USUAL_TOKENS = 100
"""An id is lifted by log 2 when it came as often as it comes in so many tokens elsewhere."""


class Recall:
    """What is remembered of a document.

    *Cost.* Two rows of V numbers are written a position; each place where its id stood before is looked at.
    """

    def __init__(self, logprobs: FloatArray, *, bos: int, reach: int) -> None:
        """Remember ``reach`` ids; ``logprobs`` (V,) are those of each id everywhere, ``bos`` begins a document."""
        self.bos, self.reach = bos, reach
        with np.errstate(over="ignore"):
            self.lift = np.minimum(np.exp(-logprobs.astype(np.float64)) / USUAL_TOKENS, 1e6).astype(np.float32)

    def fill(self, before: IdArray, ids: IdArray, found: FloatArray) -> None:
        """Write to ``found``, (B, T, 2, V), what is remembered after each of (B, T) ``ids``.

        ``before`` (B, n) are the ids that stand before them, −1 where there are none; the last ``reach`` of them count.
        """
        recall.recall(before, ids, self.lift, self.bos, self.reach, found)
