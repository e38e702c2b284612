"""What devices send each other in a step, and how much of it hides behind computing.

*Maths.* A ring that sums B bytes over N devices makes each of them send 2·(N−1)/N·B; gathering what is shared out, or
summing it onto the shares, half of that (Patarasuk & Yuan 2009). DDP sums the gradients once a step. ZeRO-1 and ZeRO-2
sum gradients onto shares and gather the new weights: as much. FSDP gathers the weights for the forward pass and again
for the backward pass, and sums gradients onto shares: 3/2 of that (Rajbhandari et al. 2020, section 7).

*Departs.* Each message's delay, which grows with N in a ring, is left out; so are trees and switches that sum on the
way, which save some of it.
"""

from dataclasses import dataclass

from ziggurat.core.anatomy import NUMBER_BYTES
from ziggurat.study.planning.hardware import Hardware
from ziggurat.study.planning.memory import Strategy
from ziggurat.study.planning.work import Work

__all__ = ["BACKWARD_PART", "Traffic", "hidden_from_tokens", "sent_bytes", "traffic"]

BACKWARD_PART = 2 / 3
"""Part of a step in which gradients come about: two of three products."""


@dataclass(frozen=True)
class Traffic:
    """What one device sends in a step."""

    sent: float
    """Bytes."""
    seconds: float
    """How long that takes on the slowest link of the ring."""
    exposed: float
    """How much of it no computing hides."""


def traffic(work: Work, strategy: Strategy, hardware: Hardware, *, computing: float) -> Traffic:
    """Return what a device sends in a step whose computing takes ``computing`` seconds.

    DDP and the first two stages of ZeRO send while gradients come about, in the last two thirds of the last batch of a
    step; FSDP sends all the time, each block's weights while the one before it is computed.
    """
    sent = sent_bytes(work, strategy, hardware.devices)
    if not sent:
        return Traffic(0.0, 0.0, 0.0)
    seconds = sent / hardware.link
    hiding = computing if strategy == "fsdp" else BACKWARD_PART * computing / work.accumulate
    return Traffic(sent, seconds, max(0.0, seconds - hiding))


def sent_bytes(work: Work, strategy: Strategy, devices: int) -> float:
    """Return the bytes that each of ``devices`` devices sends in a step.

    Gradients are summed in 32-bit, as the trainer holds them; weights travel as products need them, in 16-bit under
    autocast. FSDP gathers and sums for each batch of a step.
    """
    part = (devices - 1) / devices
    trained, all_numbers = work.trained_numbers, work.anatomy.parameters
    if strategy == "fsdp":
        weights = 2 if work.half else NUMBER_BYTES
        return work.accumulate * part * (2 * weights * all_numbers + NUMBER_BYTES * trained)
    return 2 * part * NUMBER_BYTES * trained


def hidden_from_tokens(work: Work, strategy: Strategy, hardware: Hardware, *, seconds_per_token: float) -> float:
    """Return how many tokens a device must read in a batch so that all that it sends hides behind its computing.

    *Maths.* seconds a token · tokens · h = bytes / bandwidth, with h = 1 under FSDP, else `BACKWARD_PART`.
    """
    batch = work.accumulate if strategy == "fsdp" else 1
    seconds = sent_bytes(work, strategy, hardware.devices) / batch / hardware.link
    return seconds / (seconds_per_token * (1.0 if strategy == "fsdp" else BACKWARD_PART))
