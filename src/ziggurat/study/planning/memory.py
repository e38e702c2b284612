"""What stands in a device's memory, by how a training is spread over devices.

*Maths.* With N devices and n numbers, 32-bit AdamW holds 4n bytes of weights, 4n of gradients and 8n of moments. DDP
keeps all of them on every device; ZeRO shares out moments (stage 1: 8n/N), gradients too (stage 2: 4n/N), weights too
(stage 3, which is FSDP: 4n/N); the rest is on every device (Rajbhandari et al. 2020, section 5). Activations follow the
rows of a device and are shared out by none of these. Where blocks are computed again in the backward pass, only their
inputs are kept, and all of one block for as long as it is computed (Chen et al. 2016; "full recomputation" in
Korthikanti et al. 2022).
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ziggurat.core.anatomy import NUMBER_BYTES
from ziggurat.study.planning.work import Work, blocks_of, kept_inputs, recomputes
from ziggurat.training.footprint import Footprint, training_footprint

__all__ = ["OFFERED", "SHARED", "STRATEGIES", "Held", "Strategy", "held", "largest_gathered", "share"]

Strategy: TypeAlias = Literal["one", "ddp", "zero1", "zero2", "fsdp"]
STRATEGIES: tuple[Strategy, ...] = ("ddp", "zero1", "zero2", "fsdp")
OFFERED: tuple[Strategy, ...] = ("one", "ddp", "fsdp")
"""What our trainer does, and a plan chooses from by itself."""
SHARED: dict[Strategy, tuple[str, ...]] = {
    "one": (),
    "ddp": (),
    "zero1": ("moments",),
    "zero2": ("moments", "gradients"),
    "fsdp": ("moments", "gradients", "weights"),
}
"""What each way shares out among the devices."""


@dataclass(frozen=True)
class Held:
    """Bytes on one device."""

    footprint: Footprint
    gathered: int = 0
    """Weights of other devices that stand here while they are used, and gradients on their way there."""
    accumulates: bool = False
    """Whether gradients of one batch wait for those of the next."""
    told: int = 0
    """What counts say of a batch, as it was read, and the gradient of where it is kept, which is as large."""

    @property
    def peak(self) -> int:
        """The most at any moment: that of a footprint, beside which gradients stand that wait."""
        one = self.footprint
        waiting = 0
        if self.accumulates:
            begins = one.copies + one.activations - one.later + max(3 * one.logits, one.latest)
            waiting = min(one.gradients, begins)
        return one.peak + waiting + self.gathered + self.told


def held(work: Work, strategy: Strategy, devices: int, *, recompute: bool = False) -> Held:
    """Return what one of ``devices`` devices holds.

    Under FSDP the weights of two blocks are there at once (one is used, the next is on its way), those outside all
    blocks stay, and a block's gradients are there before they are shared out; all in 32-bit. Autocast makes 16-bit
    copies of what was gathered and remembers each until the forward pass ends, whether blocks are computed again or
    not: these are shared out by nothing.
    """
    whole = training_footprint(work.anatomy, work.vocabulary, work.load, half=work.half, trained=work.trained)
    if recompute and recomputes(work.anatomy):
        whole = _recomputed(whole, work)
    parts = {name: share(getattr(whole, name), devices) for name in SHARED[strategy]}
    gathered = 0
    if strategy == "fsdp" and devices > 1:
        block, rest = largest_gathered(work)
        gathered = NUMBER_BYTES * (2 * block + rest + max(block, rest))
    told = 2 * work.told_bytes
    return Held(replace(whole, **parts), gathered, accumulates=work.accumulate > 1, told=told)


def share(number: int, devices: int) -> int:
    """Return the largest share of a number of bytes."""
    return -(-number // devices)


def largest_gathered(work: Work) -> tuple[int, int]:
    """Return the numbers of the largest block, and those that are in no block."""
    blocks = blocks_of(work.anatomy)
    inside = sum(part.each * times for part, times in blocks)
    return max((part.each for part, _ in blocks), default=0), work.anatomy.parameters - inside


def _recomputed(whole: Footprint, work: Work) -> Footprint:
    """Return a footprint in which of each block only the input is kept, and all of the largest while it is at work."""
    inside, largest = 0, 0
    for part, times in blocks_of(work.anatomy):
        each = replace(part, times=1).saved_bytes(work.load, precision=work.precision)
        inside, largest = inside + times * each, max(largest, each)
    kept = whole.activations - inside + kept_inputs(work.anatomy, work.load)
    return replace(whole, activations=kept, later=0, latest=largest)
