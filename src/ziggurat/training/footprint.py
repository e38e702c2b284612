"""How much memory training takes, before anything is trained."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ziggurat.core.anatomy import NUMBER_BYTES, Anatomy, Load, Precision
from ziggurat.core.protocols import Dissects, Family
from ziggurat.core.types import Vocabulary
from ziggurat.training.memory import MEANS

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Footprint",
    "Trained",
    "trained_of",
    "training_flops",
    "training_flops_per_token",
    "training_footprint",
]

_ROW_BYTES = 8
"""Bytes of a row's number beside its gradient."""
MATRIX_AXES = 2
LOGIT_COUNT = 1 << 23
"""Logits that training has in memory at once: 32 MB in 32-bit. It stands here, where torch is not needed."""


@dataclass(frozen=True)
class Footprint:
    """Bytes of a training step, by what they hold."""

    weights: int
    gradients: int
    moments: int
    """Adam's two for each trained number (Kingma & Ba 2015, algorithm 1)."""
    copies: int
    """16-bit copies of the matrices, which autocast makes; 0 in 32-bit."""
    activations: int
    """What the forward pass keeps for the backward pass."""
    logits: int
    """The log-probabilities of all ids that stand in memory at once."""
    later: int = 0
    """What of `activations` is only set aside until the backward pass comes to it."""
    latest: int = 0
    """The most that the backward pass takes for one part: what was set aside for it, and what it works with."""

    @property
    def total(self) -> int:
        """All of it: what a step has in hand, gradients and activations side by side."""
        return self.weights + self.gradients + self.moments + self.copies + self.activations + self.logits

    @property
    def peak(self) -> int:
        """What stands in memory at once, at most.

        *Maths.* Activations go as gradients come. When the backward pass begins, no gradient is there, but the logits
        are there three times (the log-probabilities, their gradient and that of the logits); then it comes to the top
        layer; when it ends, all gradients are. The largest of these, beside weights and moments.
        """
        begins = self.copies + self.activations - self.later
        return self.weights + self.moments + max(begins + 3 * self.logits, begins + self.latest, self.gradients)

    def to_mapping(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        names = ("weights", "gradients", "moments", "copies", "activations", "logits", "total", "peak")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Trained:
    """How much of a model is trained."""

    numbers: int
    added: int = 0
    """Numbers that training puts beside the model's own: low-rank changes."""
    moments: int | None = None
    """Numbers that the optimiser keeps; None: AdamW's two for each that is trained."""
    table_numbers: int = 0
    """How many of `numbers` are in tables, whose gradient is only of the rows that a batch reads."""
    read_bytes: int = 0
    """Bytes of the gradients of the rows that are read for a token."""
    orthogonal: tuple[tuple[int, int, int], ...] = ()
    """Matrices whose steps Muon makes orthogonal: the shorter side, the longer side, and how many there are alike."""
    still: float = 0.0
    """Part of all matrices' numbers that stays as it is: no gradient of them is made."""


def trained_of(
    family: Family, model_config: Any, vocabulary: Vocabulary, training: Mapping[str, Any]
) -> Trained | None:
    """Return what the ``[training]`` keys ``frozen``, ``lora_…`` and ``optimiser`` train; None: everything, by AdamW.

    *Idea.* The model is made without numbers (on torch's ``meta`` device), so however large it is, it takes no memory.

    Raises:
        UnknownNameError: a key names no part of the model.
        UsageError: nothing is left to be trained, or there is nothing to adapt.
    """
    rank, frozen = int(training.get("lora_rank") or 0), tuple(training.get("frozen") or ())
    rule = training.get("optimiser", "adamw")
    if not rank and not frozen and rule == "adamw" and not _has_tables(family, model_config, vocabulary):
        return None
    import torch

    from ziggurat.models.blocks.lora import LowRankOptions
    from ziggurat.models.blocks.network import Neural
    from ziggurat.training.frozen import choose_trained
    from ziggurat.training.optimisers import parted

    with torch.device("meta"):
        model = family.build(model_config, vocabulary, seed=0)
    if not isinstance(model, Neural):
        return None
    network = model.network
    before = sum(weight.numel() for weight in network.parameters())
    options = LowRankOptions(rank, alpha=1.0)
    choose_trained(network, frozen=frozen, options=options, on=training.get("lora_on") or (), seed=0)
    weights, parts = list(network.parameters()), parted(network, rule)
    numbers = sum(weight.numel() for weight in weights if weight.requires_grad)
    return Trained(
        numbers=numbers,
        added=sum(weight.numel() for weight in weights) - before,
        moments=None if parts.moments == MEANS * numbers else parts.moments,
        table_numbers=sum(table.numel() for table in parts.tables),
        read_bytes=sum(
            rows * (NUMBER_BYTES * table.shape[1] + _ROW_BYTES)
            for table, rows in network.rows_read()
            if table.requires_grad
        ),
        orthogonal=_alike(parts.blocks),
        still=_still(network, tied=getattr(model_config, "tied", False)),
    )


def _alike(blocks: "Sequence[tuple[nn.Parameter, int]]") -> tuple[tuple[int, int, int], ...]:
    """Return the sides of Muon's matrices, and how many there are of each shape, as it makes them orthogonal."""
    found: Counter[tuple[int, int, int]] = Counter()
    for matrix, held in blocks:
        rows, columns = matrix.shape[0] // held, matrix.shape[1]
        found[rows, columns, held] += held
    return tuple((*sorted(shape[:2]), many) for shape, many in found.items())  # type: ignore[misc]


def _still(network: "nn.Module", *, tied: bool) -> float:
    """Return which part of the matrices' numbers is frozen.

    Tables that are only looked up multiply nothing and are left out: all of them, or where the first is ``tied`` to the
    output the others.
    """
    from ziggurat.models.blocks.initialisation import Embedding

    looked_up = {
        id(one.weight) for one in [one for one in network.modules() if isinstance(one, Embedding)][int(tied) :]
    }
    matrices = [one for one in network.parameters() if one.dim() == MATRIX_AXES and id(one) not in looked_up]
    frozen = sum(one.numel() for one in matrices if not one.requires_grad)
    return frozen / max(1, sum(one.numel() for one in matrices))


def _has_tables(family: Family, model_config: Any, vocabulary: Vocabulary) -> bool:
    if not isinstance(family, Dissects):
        return False
    return any(part.kind == "tables" for part, _ in family.anatomy(model_config, vocabulary).whole.walk())


def training_flops(anatomy: Anatomy, vocabulary_size: int, load: Load) -> int:
    """Return the operations of one training step on all rows of ``load``.

    *Maths.* 3 × reading (`Anatomy.training_flops`), and where logits are made in pieces those of the output once more,
    because each piece is made again for its gradient.
    """
    again = 0
    if load.rows * load.tokens("picked") > _piece(vocabulary_size):
        for part, times in anatomy.whole.walk():
            if part.kind == "output" or part.reads == "picked":
                again += times * 2 * part.products * load.tokens("picked")
    return anatomy.training_flops(load) + load.rows * again


def training_flops_per_token(anatomy: Anatomy, vocabulary_size: int, load: Load) -> float:
    """Return `training_flops` divided among the tokens of all rows."""
    return training_flops(anatomy, vocabulary_size, load) / (load.rows * load.text)


def training_footprint(
    anatomy: Anatomy, vocabulary_size: int, load: Load, *, half: bool, trained: Trained | None = None
) -> Footprint:
    """Return the bytes of a training step on ``load``.

    *Maths.* With N weights of which N′ are trained: 4·N bytes for weights, 4·N′ for gradients, 8·N′ for moments
    (4 for each number of Muon's, 4 for a row of a table), and under autocast 2 for each number of a matrix. Of tables
    the gradient is what a batch reads. Activations are what the parts keep (`ziggurat.core.anatomy.Saved`). Logits are
    V numbers a predicted token, as many tokens at a time as `ziggurat.training.objectives.objective.cross_entropy`
    makes.

    Args:
        anatomy: The model.
        vocabulary_size: V.
        load: Rows and window of a batch.
        half: Whether products are made in 16-bit.
        trained: What is trained, where it is not all of it.

    *Departs.* Activations are counted as if everything was trained: where parts are frozen, these are the most.
    """
    trained = Trained(anatomy.parameters) if trained is None else trained
    read = load.rows * load.text * trained.read_bytes
    moments = MEANS * trained.numbers if trained.moments is None else trained.moments
    precision: Precision = "bf16" if half else "f32"
    later, latest = anatomy.whole.later_bytes(load, precision=precision)
    predicted = min(load.rows * load.tokens("picked"), _piece(vocabulary_size))
    return Footprint(
        weights=NUMBER_BYTES * (anatomy.parameters + trained.added),
        gradients=NUMBER_BYTES * (trained.numbers - trained.table_numbers) + read,
        moments=NUMBER_BYTES * moments,
        copies=anatomy.weight_copies_bytes() if half else 0,
        activations=anatomy.whole.saved_bytes(load, precision=precision),
        logits=NUMBER_BYTES * predicted * vocabulary_size,
        later=later,
        latest=latest,
    )


def _piece(vocabulary_size: int) -> int:
    """Return of how many tokens logits stand in memory at once."""
    return max(1, LOGIT_COUNT // vocabulary_size)
