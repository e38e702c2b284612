"""Embeddings that enter attention as values: a block need not carry in its vectors which id stands where.

*Idea.* What attention hands on of a position is its value. Ids that have vectors of their own there reach every block
that has them directly, and the residual path is free for what context adds. The first n blocks and the last n have
them: block i and block L − n + i share the i-th, as in the speed runs of Jordan et al. (2024, "modded-nanogpt").

Shape suffixes as in `ziggurat.models.blocks.attention`; **X** the width of all key heads, G·K.
"""

from torch import Tensor, nn

from ziggurat.models.blocks.initialisation import Embedding

__all__ = ["ValueEmbeddings", "embedding_of"]


def embedding_of(layer: int, *, layers: int, count: int) -> int | None:
    """Return which of ``count`` embeddings a block has: the first blocks and the last ``count``; None: none.

    >>> [embedding_of(layer, layers=5, count=2) for layer in range(5)]
    [0, 1, None, 0, 1]
    """
    if layer < count:
        return layer
    return layer - (layers - count) if layer >= layers - count else None


class ValueEmbeddings(nn.Module):
    """For each block the vectors that are added to its values, or none.

    *Maths.* v_t = W^V·x_t + E_i[id_t] in the first and the last n of L blocks, with n embeddings E_i of V·G·K numbers.

    *Departs.* Jordan et al. weigh both summands by learnt numbers and begin at a half each; here the embeddings begin
    at 0, so the network begins as the one without, and their own size says how much they weigh.
    """

    def __init__(self, count: int, *, layers: int, size: int, width: int) -> None:
        """Make ``count`` embeddings of ``size`` ids for ``layers`` blocks; values come from `fill` or from a file."""
        super().__init__()
        self.layers = layers
        self.embeddings = nn.ModuleList(Embedding(size, width) for _ in range(count))

    def fill(self) -> None:
        """Begin at 0."""
        for embedding in self.parameters():
            nn.init.zeros_(embedding)

    def forward(self, ids: Tensor) -> tuple[Tensor | None, ...]:
        """Return for each block the (B, T, X) vectors of (B, T) ``ids``; None where it has none."""
        found = [embedding(ids) for embedding in self.embeddings]
        chosen = (embedding_of(layer, layers=self.layers, count=len(found)) for layer in range(self.layers))
        return tuple(None if number is None else found[number] for number in chosen)
