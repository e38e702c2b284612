"""Which words are the predicate whose roles are asked: a vector for where each word stands to it, and its own vector.

*Idea.* One sentence has other roles for each of its predicates, so a tagger must be told which is meant. He et al.
(2017, section 2.2, "Deep semantic role labeling") embed a mark that is 1 at the predicate and 0 elsewhere; here the
vector also tells how far to the left or right of it a word stands, and each word sees the predicate's vector beside its
own (Zhou & Xu 2015, section 3.3), so that one layer can say what a deep one would have to carry along.

Axes: **B** rows, **W** words, **D** width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import NUMBER_BYTES, Part, Saved
from ziggurat.core.config import option
from ziggurat.models.blocks.initialisation import Embedding, fill_normal
from ziggurat.models.blocks.tagging import WordTensors

__all__ = ["PredicateMarkKeys", "PredicateMarks", "mark_parts", "mark_symbols", "mark_width"]

STD = 0.4
"""Standard deviation of first vectors, that of the embeddings beside which they stand."""
ID_BYTES = 8


@dataclass(frozen=True)
class PredicateMarkKeys:
    """The ``[model]`` keys of a tagger that may be told which words are the predicate."""

    mark_embedding: int = option(
        0, "numbers in the vector of a word's place beside the predicate; 0: no predicate is read", low=0
    )
    mark_distance: int = option(8, "words on each side of the predicate whose distance is told apart", low=1)

    @property
    def reads_marks(self) -> bool:
        """Whether a predicate is read (`ziggurat.core.protocols.ReadsMarks`)."""
        return self.mark_embedding > 0


class PredicateMarks(nn.Module):
    """What the place of the predicate adds to the vectors of words.

    *Maths.* With predicate words from p to q, word w stands at d = w − p before it, 0 within, w − q behind it, clipped
    to ±R; its vector x_w becomes [x_w; E(d); mean of x_p … x_q]. Without a predicate E has a row of its own, and the
    mean is 0.
    """

    def __init__(self, config: PredicateMarkKeys) -> None:
        """Make the table; its values come from `fill` or from a file."""
        super().__init__()
        self.reach = config.mark_distance
        self.embedding = Embedding(2 * self.reach + 2, config.mark_embedding)

    def fill(self, *, seed: int, name: str) -> None:
        """Draw first vectors from N(0, 0.4²)."""
        fill_normal(self.embedding.weight, std=STD, seed=seed, name=f"{name}.embedding")

    def forward(self, x_BWD: Tensor, batch: WordTensors) -> Tensor:
        """Return (B, W, 2·D + E): each word's vector, that of its place and that of the predicate."""
        marks = batch.marks
        if marks is None:
            marks = torch.zeros_like(batch.firsts)
        mark_BW = (marks > 0) & batch.inside
        weight_BW = mark_BW.to(x_BWD.dtype)
        count_B = weight_BW.sum(1, keepdim=True).clamp_min(1)
        predicate_BD = ((weight_BW / count_B)[:, None] @ x_BWD)[:, 0]
        placed_BWE = self.embedding(self.places(mark_BW)).to(x_BWD.dtype)
        return torch.cat([x_BWD, placed_BWE, predicate_BD[:, None].expand_as(x_BWD)], dim=-1)

    def places(self, mark_BW: Tensor) -> Tensor:
        """Return (B, W): the row of each word in the table, 0 where its sentence has no predicate.

        >>> config = PredicateMarkKeys(mark_embedding=2, mark_distance=2)
        >>> PredicateMarks(config).places(torch.tensor([[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]) > 0).tolist()
        [[1, 1, 2, 3, 3, 4], [0, 0, 0, 0, 0, 0]]
        """
        words = mark_BW.shape[1]
        place_W = torch.arange(words, device=mark_BW.device)
        first_B1 = torch.where(mark_BW, place_W, words).amin(1, keepdim=True)
        last_B1 = torch.where(mark_BW, place_W, -1).amax(1, keepdim=True)
        distance_BW = (place_W - first_B1).clamp_max(0) + (place_W - last_B1).clamp_min(0)
        rows_BW = distance_BW.clamp(-self.reach, self.reach) + self.reach + 1
        return rows_BW.masked_fill(last_B1 < 0, 0)


def mark_width(config: PredicateMarkKeys, width: int) -> int:
    """Return the numbers of a word's vector, of ``width`` numbers before, once marks are read."""
    return 2 * width + config.mark_embedding if config.reads_marks else width


def mark_parts(config: PredicateMarkKeys) -> tuple[Part, ...]:
    """Return the table as a part of a model; none where no predicate is read."""
    if not config.reads_marks:
        return ()
    return (
        Part(
            name="predicate marks",
            kind="tables",
            formula="(2·r + 2)·m",
            sizes=mark_symbols(config),
            gives="n × m",
            parameters=(2 * config.mark_distance + 2) * config.mark_embedding,
            saved=Saved(f32=ID_BYTES + NUMBER_BYTES, bf16=ID_BYTES + NUMBER_BYTES),
        ),
    )


def mark_symbols(config: PredicateMarkKeys) -> tuple[tuple[str, int], ...]:
    """Return the symbols of `mark_parts` and their values; none where no predicate is read."""
    return (("r", config.mark_distance), ("m", config.mark_embedding)) if config.reads_marks else ()
