"""Which words are the predicate whose roles are asked: what a word is beside it.

*Idea.* One sentence has other roles for each of its predicates, so a tagger must be told which is meant. He et al.
(2017, section 2.1, "Deep semantic role labeling") embed a mark that is 1 at the predicate and 0 elsewhere; here the
vector also tells how far to the left or right of it a word stands, and each word sees the predicate's vector beside its
own (Zhou & Xu 2015), so that one layer can say what a deep one would have to carry along.

*Departs.* Both mark the words at the entrance. Here the marks enter before the last layer: what lies below reads a
sentence once, however many predicates it has (`distinct`), which is most of the work. An encoder that is to know which
predicate is asked has its ids marked too (`marked_ids`), inside.

Axes: **B** rows, **S** different sentences, **W** words, **D** width, **M** width beside the predicate.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import NUMBER_BYTES, Part, Saved
from ziggurat.core.config import option
from ziggurat.models.blocks.initialisation import Embedding, Linear, fill_normal, fill_uniform
from ziggurat.models.blocks.tagging import WordTensors, piece_counts

__all__ = [
    "PredicateMarkKeys",
    "PredicateMarks",
    "distinct",
    "mark_parts",
    "mark_symbols",
    "marked_ids",
    "predicate_part",
]

STD = 0.4
"""Standard deviation of first vectors, that of the embeddings beside which they stand."""
ID_BYTES = 8


@dataclass(frozen=True)
class PredicateMarkKeys:
    """The ``[model]`` keys of a tagger that may be told which words are the predicate."""

    mark_embedding: int = option(
        0, "numbers in the vector of a word beside the predicate; 0: words are not marked", low=0
    )
    mark_distance: int = option(8, "words on each side of the predicate whose distance is told apart", low=1)

    @property
    def reads_marks(self) -> bool:
        """Whether a predicate is read (`ziggurat.core.protocols.ReadsMarks`)."""
        return self.mark_embedding > 0


class PredicateMarks(nn.Module):
    """The vectors of words, given which of them are the predicate.

    *Maths.* With predicate words from p to q, word w stands at d = w − p before it, 0 within, w − q behind it, clipped
    to ±R; its vector x_w becomes relu(W·x_w + b + U·x̄ + E(d)), x̄ being the mean of x_p … x_q. Without a predicate E has
    a row of its own, and x̄ is 0.
    """

    def __init__(self, config: PredicateMarkKeys, width: int) -> None:
        """Make the layer for vectors of ``width`` numbers; its values come from `fill` or from a file."""
        super().__init__()
        self.reach = config.mark_distance
        self.word = Linear(width, config.mark_embedding)
        self.predicate = Linear(width, config.mark_embedding, bias=False)
        self.embedding = Embedding(2 * self.reach + 2, config.mark_embedding)

    def fill(self, *, seed: int, name: str) -> None:
        """Draw matrices from U(−1/√D, 1/√D), as torch does, and places from N(0, 0.4²); biases begin at 0."""
        for key, layer in (("word", self.word), ("predicate", self.predicate)):
            fill_uniform(layer.weight, bound=layer.in_features**-0.5, seed=seed, name=f"{name}.{key}")
        nn.init.zeros_(self.word.bias)
        fill_normal(self.embedding.weight, std=STD, seed=seed, name=f"{name}.embedding")

    def forward(self, x_SWD: Tensor, owner_B: Tensor, batch: WordTensors) -> Tensor:
        """Return (B, W, M) for the rows of a batch, of which row b reads sentence ``owner_B[b]`` of ``x_SWD``."""
        marks = torch.zeros_like(batch.firsts) if batch.marks is None else batch.marks
        mark_BW = (marks > 0) & batch.inside
        word_SWM, predicate_SWM = self.word(x_SWD), self.predicate(x_SWD)
        weight_BW = mark_BW.to(x_SWD.dtype)
        weight_BW = weight_BW / weight_BW.sum(1, keepdim=True).clamp_min(1)
        predicate_BM = (weight_BW[:, None] @ predicate_SWM[owner_B])[:, 0]
        placed_BWM = self.embedding(self.places(mark_BW)).to(x_SWD.dtype)
        return torch.relu(word_SWM[owner_B] + placed_BWM + predicate_BM[:, None])

    def places(self, mark_BW: Tensor) -> Tensor:
        """Return (B, W): the row of each word in the table, 0 where its sentence has no predicate.

        >>> config = PredicateMarkKeys(mark_embedding=2, mark_distance=2)
        >>> PredicateMarks(config, 3).places(torch.tensor([[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]) > 0).tolist()
        [[1, 1, 2, 3, 3, 4], [0, 0, 0, 0, 0, 0]]
        """
        words = mark_BW.shape[1]
        place_W = torch.arange(words, device=mark_BW.device)
        first_B1 = torch.where(mark_BW, place_W, words).amin(1, keepdim=True)
        last_B1 = torch.where(mark_BW, place_W, -1).amax(1, keepdim=True)
        distance_BW = (place_W - first_B1).clamp_max(0) + (place_W - last_B1).clamp_min(0)
        rows_BW = distance_BW.clamp(-self.reach, self.reach) + self.reach + 1
        return rows_BW.masked_fill(last_B1 < 0, 0)


def distinct(batch: WordTensors) -> tuple[WordTensors, Tensor]:
    """Return the different sentences of a batch, unmarked, and (B,) which of them each row reads."""
    parts = (batch.lengths[:, None], batch.words[:, None], batch.ids, batch.firsts, batch.characters.flatten(1))
    _, owner_B = torch.unique(torch.cat(parts, dim=1), dim=0, return_inverse=True)
    rows_B = torch.arange(len(owner_B), device=owner_B.device)
    first_S = rows_B.new_full((int(owner_B.max()) + 1 if len(owner_B) else 0,), len(owner_B))
    first_S = first_S.scatter_reduce(0, owner_B, rows_B, "amin")
    ids, lengths, firsts, words, characters = (part[first_S] for part in batch[:5] if part is not None)
    return WordTensors(ids, lengths, firsts, words, characters), owner_B


def marked_ids(batch: WordTensors) -> Tensor:
    """Return (B, T): True at the ids of words that are marked (`piece_counts`)."""
    steps_BT = torch.zeros(len(batch.ids), batch.ids.shape[1] + 1, dtype=torch.long, device=batch.ids.device)
    if batch.marks is not None:
        mark_BW = ((batch.marks > 0) & batch.inside).long()
        first_BW = batch.firsts.masked_fill(~batch.inside, 0)
        steps_BT.scatter_add_(1, first_BW, mark_BW)
        steps_BT.scatter_add_(1, first_BW + piece_counts(batch), -mark_BW)
    return steps_BT.cumsum(1)[:, :-1] > 0


def predicate_part(width: int) -> Part:
    """Return the vector that marks the predicate's ids as a part of a model."""
    sizes = (("d_model", width),)
    return Part("predicate vector", "positions", formula="d_model", sizes=sizes, gives="n × d_model", parameters=width)


def mark_parts(config: PredicateMarkKeys, width: tuple[str, int]) -> tuple[Part, ...]:
    """Return the layer as a part of a model, for vectors of ``width``, a symbol and its value; none without marks."""
    if not config.mark_embedding:
        return ()
    (symbol, wide), beside = width, config.mark_embedding
    return (
        Part(
            name="predicate marks",
            kind="tables",
            formula=f"2·{symbol}·m + m + (2·r + 2)·m",
            sizes=((symbol, wide), *mark_symbols(config)),
            gives="n × m",
            parameters=(2 * wide + 1 + 2 * config.mark_distance + 2) * beside,
            products=2 * wide * beside,
            saved=Saved(f32=ID_BYTES + NUMBER_BYTES * (wide + beside), bf16=ID_BYTES + NUMBER_BYTES * (wide + beside)),
        ),
    )


def mark_symbols(config: PredicateMarkKeys) -> tuple[tuple[str, int], ...]:
    """Return the symbols of `mark_parts` and their values; none where words are not marked."""
    return (("r", config.mark_distance), ("m", config.mark_embedding)) if config.mark_embedding else ()
