"""What is to be trained: a model's anatomy, a batch of it, and in which precision."""

from dataclasses import dataclass, replace

from ziggurat.core.anatomy import NUMBER_BYTES, Anatomy, Load, Part, Precision
from ziggurat.training.footprint import LOGIT_COUNT, Trained, training_flops
from ziggurat.training.memory import MEANS

__all__ = ["Work", "block_flops", "blocks_of", "fused", "kept_inputs", "recomputes", "width_of"]


@dataclass(frozen=True)
class Work:
    """One step's work on one device."""

    anatomy: Anatomy
    vocabulary: int
    load: Load
    """A batch: rows and tokens of each, on one device."""
    precision: Precision
    accumulate: int = 1
    """Batches of a step."""
    trained: Trained | None = None
    """What is trained, where it is not all."""
    folds: int = 0
    """Parts of the text, for each of which there are counts of the rest, where the model stands on counts."""

    @property
    def half(self) -> bool:
        """Whether products are made in 16-bit."""
        return self.precision == "bf16"

    @property
    def trained_numbers(self) -> int:
        """Numbers that have a gradient."""
        return self.anatomy.parameters if self.trained is None else self.trained.numbers

    @property
    def all_numbers(self) -> int:
        """Numbers of all weights: those of the model, and those that training puts beside them."""
        return self.anatomy.parameters + (0 if self.trained is None else self.trained.added)

    @property
    def kept_numbers(self) -> int:
        """Numbers that the optimiser keeps: of AdamW two for each that is trained, of other rules fewer."""
        told = None if self.trained is None else self.trained.moments
        return MEANS * self.trained_numbers if told is None else told

    @property
    def orthogonal(self) -> tuple[tuple[int, int, int], ...]:
        """The sides of Muon's matrices, the shorter one first, and how many there are alike."""
        return () if self.trained is None else self.trained.orthogonal

    @property
    def orthogonal_numbers(self) -> int:
        """Numbers of Muon's matrices."""
        return sum(short * long * many for short, long, many in self.orthogonal)

    @property
    def products_made(self) -> float:
        """Part of a step's three products that are made: a matrix that stays as it is needs no gradient of its own."""
        return 1.0 if self.trained is None else 1 - self.trained.still / 3

    @property
    def tokens(self) -> int:
        """Tokens that one device reads in a step; where it translates, those of the text."""
        return self.accumulate * self.load.rows * self.load.text

    @property
    def told_bytes(self) -> int:
        """Bytes that are read for a batch from the counts that the model stands on."""
        counted = self.anatomy.counted
        return 0 if counted is None else NUMBER_BYTES * self.load.rows * self.load.text * counted.told

    @property
    def model_flops(self) -> float:
        """Operations of a step that the model asks for: three times those of reading it, less what stays as it is."""
        return self.accumulate * (self.anatomy.training_flops(self.load) - self._spared)

    @property
    def _spared(self) -> float:
        """Operations of a batch that are not made, because no gradient of frozen matrices is."""
        products = sum(
            times * part.products * self.load.tokens(part.reads) for part, times in self.anatomy.whole.walk()
        )
        return 6 * (1 - self.products_made) * self.load.rows * products

    def done_flops(self, *, recompute: bool) -> float:
        """Return the operations of a step that are made: with those that are made again for the backward pass."""
        once = training_flops(self.anatomy, self.vocabulary, self.load)
        again = self.load.rows * block_flops(self.anatomy, self.load) if recompute else 0
        return self.accumulate * (once + again - self._spared)

    @property
    def piece(self) -> int:
        """Tokens whose log-probabilities stand in memory at once."""
        return min(self.predicted, max(1, LOGIT_COUNT // self.vocabulary))

    @property
    def predicted(self) -> int:
        """Tokens of a batch that are predicted."""
        return self.load.rows * self.load.tokens("picked")

    @property
    def width(self) -> int:
        """Numbers in the vector of a token."""
        parts = (part for part, _ in self.anatomy.whole.walk() if part.kind == "embedding")
        return max((width_of(self.anatomy, part) for part in parts), default=1)

    def with_load(self, load: Load) -> "Work":
        """Return the same with other batches."""
        return replace(self, load=load)


def blocks_of(anatomy: Anatomy) -> list[tuple[Part, int]]:
    """Return the blocks that stand one upon another, each with how many there are."""
    return [(part, times) for part, times in anatomy.whole.walk() if part.kind == "block"]


def block_flops(anatomy: Anatomy, load: Load) -> int:
    """Return the operations of reading one row, of the blocks alone."""
    return sum(part.reading_flops(load) * times // part.times for part, times in blocks_of(anatomy))


def recomputes(anatomy: Anatomy) -> bool:
    """Whether there are blocks whose inputs can be kept in place of all that is in them."""
    return bool(blocks_of(anatomy))


def width_of(anatomy: Anatomy, part: Part) -> int:
    """Return how many numbers there are in a vector of what a part gives: the last size of its shape."""
    symbol = part.gives.rpartition("×")[2].strip()
    return dict(anatomy.symbols).get(symbol, 0)


def fused(anatomy: Anatomy) -> Anatomy:
    """Return the anatomy on a device whose attention never keeps the weights of pairs, however short the window is."""
    return replace(anatomy, towers=tuple(map(_fused, anatomy.towers)))


def _fused(part: Part) -> Part:
    saved = replace(part.saved, pairs_from_formula=0)
    return replace(part, saved=saved, parts=tuple(map(_fused, part.parts)))


def kept_inputs(anatomy: Anatomy, load: Load) -> int:
    """Return the bytes of the inputs of all blocks, in 32-bit."""
    found = 0
    for part, times in blocks_of(anatomy):
        reads = part.parts[0].parts[0].reads if part.parts and part.parts[0].parts else part.reads
        found += times * NUMBER_BYTES * width_of(anatomy, part) * load.rows * load.tokens(reads)
    return found
