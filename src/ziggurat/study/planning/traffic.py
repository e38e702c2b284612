"""What devices send each other in a step, and how much of it hides behind computing.

*Maths.* A ring that sums B bytes over N devices makes each of them send 2·(N−1)/N·B; gathering what is shared out, or
summing it onto the shares, half of that (Patarasuk & Yuan 2009). DDP sums the gradients once a step. ZeRO-1 and ZeRO-2
sum gradients onto shares and gather the new weights: as much, but where several batches make a step ZeRO-2 sums those
of each, since no device has room for all. FSDP gathers the weights for the forward pass and again for the backward
pass, and sums gradients onto shares: 3/2 of that (Rajbhandari et al. 2020, section 7). Muon's matrices are made
orthogonal in shares, which are gathered; under FSDP their gradients are gathered first.

What hides. Our DDP sums behind the backward pass: nothing hides. ZeRO-1 and ZeRO-2, which our trainer does not have,
are taken to sum while gradients come about, as their authors' does; new weights wait for the update. FSDP gathers a
block while the one before it computes. Processes that share one machine send by its cores: nothing hides there.

*Departs.* Each message's delay, which grows with N in a ring, is left out; so are trees and switches that sum on the
way, which save some of it. FSDP keeps the weights outside all blocks between the two passes: the one gathering that
this saves is not taken off.
"""

import math
from dataclasses import dataclass

from ziggurat.core.anatomy import NUMBER_BYTES
from ziggurat.study.planning.hardware import Hardware
from ziggurat.study.planning.memory import Strategy
from ziggurat.study.planning.work import Work

__all__ = ["BACKWARD_PART", "Traffic", "hidden_from_tokens", "sent_bytes", "traffic"]

BACKWARD_PART = 2 / 3
"""Part of computing in which gradients come about: two of three products."""


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
    """Return what a device sends in a step whose batches, the update left out, compute for ``computing`` seconds."""
    sent = sent_bytes(work, strategy, hardware.devices)
    if not sent:
        return Traffic(0.0, 0.0, 0.0)
    most = _hideable_bytes(work, strategy, hardware) / hardware.link
    hiding = computing if strategy == "fsdp" else BACKWARD_PART * computing
    if strategy == "zero1":  # gradients of all batches are summed in the last
        hiding /= work.accumulate
    seconds = sent / hardware.link
    return Traffic(sent, seconds, seconds - min(most, hiding))


def sent_bytes(work: Work, strategy: Strategy, devices: int) -> float:
    """Return the bytes that each of ``devices`` devices sends in a step.

    All of it travels in 32-bit, as the trainer holds it: under FSDP a device makes its 16-bit copies of what it has
    gathered. FSDP gathers and sums for each batch of a step.
    """
    each = NUMBER_BYTES * (devices - 1) / devices
    return each * (_each_batch(work, strategy) + _each_step(work, strategy))


def hidden_from_tokens(work: Work, strategy: Strategy, hardware: Hardware, *, seconds_per_token: float) -> float:
    """Return how many tokens a device must read in a batch so that what FSDP sends hides behind its computing.

    *Maths.* seconds a token · tokens = bytes of a batch / bandwidth. Infinite for the other ways, part of which never
    hides, and on a machine whose processes send by the cores that compute.
    """
    hideable = _hideable_bytes(work, strategy, hardware)
    if hardware.devices > 1 and (strategy != "fsdp" or not hideable):
        return math.inf
    return hideable / work.accumulate / hardware.link / seconds_per_token


def _each_batch(work: Work, strategy: Strategy) -> int:
    """Return the numbers that go round for the batches of a step: gathered, or summed onto shares."""
    trained = work.trained_numbers
    if strategy == "fsdp":
        return work.accumulate * (2 * work.all_numbers + trained)
    return work.accumulate * trained if strategy == "zero2" else trained


def _each_step(work: Work, strategy: Strategy) -> int:
    """Return the numbers that go round once more in a step: sums or new weights for all, and Muon's steps."""
    if strategy == "fsdp":
        return 2 * work.orthogonal_numbers
    return work.trained_numbers + (work.orthogonal_numbers if strategy == "ddp" else 0)


def _hideable_bytes(work: Work, strategy: Strategy, hardware: Hardware) -> float:
    if strategy == "ddp" or hardware.machine is not None:
        return 0.0
    return NUMBER_BYTES * (hardware.devices - 1) / hardware.devices * _each_batch(work, strategy)
