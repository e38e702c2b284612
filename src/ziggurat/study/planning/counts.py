"""What the n-gram counts take that a network stands on: made before the first step, held beside it.

*Idea.* `ziggurat.training.counted` counts the whole text, and for each of F folds what is left without it, in every
process. It does so on the processor, in its memory: where that is what is planned, both are in the plan; of the
processor beside another device nothing is known but how much it has to hold.

*Maths.* T tokens are counted once and F times all but one part of F: T + F·(1 − 1/F)·T = F·T tokens, of each order.
"""

from dataclasses import dataclass

from ziggurat.core.anatomy import NUMBER_BYTES
from ziggurat.study.planning.hardware import Hardware
from ziggurat.study.planning.work import Work

__all__ = ["Counts", "counts_of"]


@dataclass(frozen=True)
class Counts:
    """What making and holding counts takes in one process."""

    bytes: float | None
    """Of all of them, at most; None where it is not known how large the text is."""
    seconds: float | None
    """Of making them; None where that is not known, or how fast the processor is."""
    read_bytes: int
    """That are read from them in a step."""
    here: bool
    """Whether the processor that makes and holds them is what is planned."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of them is in no sum of a plan."""
        beside = not self.here
        out = {"bytes": self.bytes is None, "seconds": self.seconds is None, "reading": beside, "sending": beside}
        return tuple(name for name in out if out[name])

    @property
    def beside_bytes(self) -> float:
        """Bytes of the memory that is planned."""
        return (self.bytes or 0.0) if self.here else 0.0


def counts_of(work: Work, hardware: Hardware, corpus_tokens: float | None) -> Counts | None:
    """Return what the counts of a text of ``corpus_tokens`` take; None where the model stands on none."""
    counted, machine, folds = work.anatomy.counted, hardware.machine, work.folds
    if counted is None:
        return None
    read = work.accumulate * NUMBER_BYTES * work.load.rows * work.load.text * counted.told
    if corpus_tokens is None:
        return Counts(None, None, read, machine is not None)
    held = counted.most_bytes(corpus_tokens)
    held += folds * counted.most_bytes(corpus_tokens * (1 - 1 / folds)) if folds else 0.0
    seconds = None if machine is None else max(1, folds) * corpus_tokens * counted.order * machine.counting
    return Counts(held, seconds, read, machine is not None)
