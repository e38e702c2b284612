"""How long a step takes on one device, by what it is spent on.

*Idea.* Two ways. Where a machine was measured (`ziggurat.training.speed`), each part of a model is charged what it was
seen to cost: its products, its pairs, its log-probabilities, what it moves through memory. Where there is only a data
sheet, products reach some part of the peak that the sheet promises, and memory its bandwidth; the larger of the two is
the time (the roofline: Williams, Waterman & Patterson 2009).
"""

from dataclasses import dataclass

from ziggurat.core.anatomy import NUMBER_BYTES, Part
from ziggurat.study.planning.hardware import Hardware
from ziggurat.study.planning.work import Work, blocks_of
from ziggurat.training.precision import has_bfloat16
from ziggurat.training.rates import Machine, Rates, between, on_sheet

__all__ = ["TOUCHES", "UPDATE_NUMBERS", "StepTime", "from_sheet", "measured", "orthogonal_flops", "weights_moved"]

TOUCHES = 4
"""How often what is kept for the backward pass goes through memory: written and read in the forward pass, and in the
backward pass read again, where its gradient is written."""
UPDATE_NUMBERS = 7
"""Numbers that AdamW reads (weight, gradient, two moments) and writes (weight, two moments) for each that it trains."""
POLYNOMIALS = 4
"""Of Muon's iterations (`ziggurat.training.optimisers.orthogonal`)."""


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step on one device, by what they go to."""

    products: float
    attention: float = 0.0
    logits: float = 0.0
    moved: float = 0.0
    """All that is done number by number, and what waits for memory."""
    update: float = 0.0
    """The optimiser's, once a step: of all batches."""
    counts: float = 0.0
    """Of reading what n-gram counts say, and weighing it, where the model stands on some."""

    @property
    def computing(self) -> float:
        """Of the batches alone."""
        return self.products + self.attention + self.logits + self.moved + self.counts

    @property
    def seconds(self) -> float:
        """All of them."""
        return self.computing + self.update


def orthogonal_flops(short: int, long: int, many: int, *, devices: int = 1) -> int:
    """Return the operations that one of ``devices`` devices makes so that Muon's steps of matrices are orthogonal.

    *Maths.* With sides r ≤ c an iteration multiplies X·Xᵀ, that with itself, and the sum of both with X:
    2·(2·r²·c + r³) operations. Of ``many`` matrices alike each device makes its share; the largest is waited for.
    """
    return -(-many // devices) * POLYNOMIALS * 2 * (2 * short**2 * long + short**3)


def measured(work: Work, machine: Machine, *, recompute: bool = False, devices: int = 1, shares: int = 1) -> StepTime:
    """Return the time of a step on a machine that was measured.

    *Maths.* Σ over parts of 6·products·tokens (2 where they are made forward only) / rate(tokens, √(products of a
    matrix)) + 6·pair_products·pairs / rate(window) + bytes kept · seconds a byte + seconds a part; then the
    log-probabilities, twice forward where they are made in pieces, and the numbers that counts tell; and once for all
    batches of a step AdamW, of whose numbers a device moves one of ``shares``, and Muon's iterations, shared out among
    ``devices``. The traffic of weights is in what was measured.
    """
    rates, load = machine.of(work.precision), work.load
    products = attention = moved = 0.0
    inside = {id(part) for block, _ in blocks_of(work.anatomy) for part, _ in block.walk()} if recompute else set()
    for part, times in work.anatomy.whole.walk():
        again = 4 / 3 if id(part) in inside or _in_pieces(part, work) else 1.0
        tokens = load.rows * load.tokens(part.reads)
        products += times * again * _products(part, tokens, load.rows, rates)
        if part.sees is not None:
            pairs, seen = tokens * load.tokens(part.sees), load.tokens(part.sees)
            attention += times * again * 6 * part.pair_products * pairs / between(rates.attention, seen)
        if part.kind not in ("output", "cells"):
            moved += times * again * _moved(part, work, tokens, rates)
        if not part.parts:
            moved += times * again * rates.part
    again = 2 if work.piece < work.predicted else 1
    at_once = work.piece * work.vocabulary
    each = again * between(rates.logit_forward, at_once) + between(rates.logit_backward, at_once)
    logits = work.predicted * work.vocabulary * each
    update = machine.update * work.trained_numbers / shares + _orthogonal(work, machine, devices)
    counts = work.told_bytes / NUMBER_BYTES * machine.telling
    many = work.accumulate
    batches = (many * products * work.products_made, many * attention, many * logits, many * moved)
    return StepTime(*batches, update, many * counts)


def from_sheet(work: Work, hardware: Hardware, *, reached: float, shares: int = 1, recompute: bool = False) -> StepTime:
    """Return the time of a step on a device of which there is a data sheet.

    *Maths.* max(F / (r·peak), (`TOUCHES`·A + W) / bandwidth) + `UPDATE_NUMBERS`·4·n / bandwidth + M / (r·peak): F
    operations that are made, A bytes of activations and log-probabilities, W of weights and gradients, n numbers whose
    moments the device holds, M operations of Muon's, r the part of the peak that is reached.

    *Departs.* The products of low-rank changes, a few in a hundred of those of their matrices, are not counted; nor is
    it that below the lowest part that is trained there is no backward pass at all. Nor what is done beside the device:
    reading counts, and sending there what they say.

    Args:
        work: The step.
        hardware: The device, and how many there are.
        reached: Part of the peak that products reach.
        shares: Devices that share out what the optimiser keeps.
        recompute: Whether blocks are computed again for the backward pass.
    """
    bandwidth = hardware.bandwidth
    computing = work.done_flops(recompute=recompute) / (reached * hardware.peak(work.precision))
    kept = work.anatomy.whole.saved_bytes(work.load, precision=work.precision)
    logits = NUMBER_BYTES * work.predicted * work.vocabulary
    update = UPDATE_NUMBERS * NUMBER_BYTES * work.trained_numbers / shares / bandwidth
    half = hardware.peak("bf16") or hardware.peak("f32")  # Muon multiplies 16-bit numbers wherever a device can
    update += sum(orthogonal_flops(*one, devices=hardware.devices) for one in work.orthogonal) / (reached * half)
    moving = work.accumulate * (TOUCHES * (kept + logits) + weights_moved(work)) / bandwidth
    return StepTime(products=computing, moved=max(0.0, moving - computing), update=update)


def weights_moved(work: Work) -> int:
    """Return the bytes of weights and gradients that a batch moves through memory.

    *Maths.* A number of a matrix is read forward and backward, 8 bytes; under autocast it is read once, and its 16-bit
    copy is written and read twice, 10 bytes. A gradient is written, 4 bytes, and where batches add up read too.
    """
    matrices = sum(times * part.products for part, times in work.anatomy.whole.walk())
    each = NUMBER_BYTES + 3 * NUMBER_BYTES // 2 if work.half else 2 * NUMBER_BYTES
    return each * matrices + NUMBER_BYTES * work.trained_numbers * (2 if work.accumulate > 1 else 1)


def _orthogonal(work: Work, machine: Machine, devices: int) -> float:
    rates = machine.bf16 if has_bfloat16() else machine.f32
    return sum(
        orthogonal_flops(short, long, many, devices=devices) / on_sheet(rates.products, short, (short * long) ** 0.5)
        for short, long, many in work.orthogonal
    )


def _products(part: Part, tokens: int, rows: int, rates: Rates) -> float:
    if not part.products:
        return 0.0
    flops = (6 * part.products - 4 * part.forward_products) * tokens
    sizes = [size for _, size in part.sizes]
    if part.kind == "cells":
        return flops / on_sheet(rates.cells, rows, sizes[-1])
    matrices = max(1.0, part.products / max(1, min(sizes) * max(sizes))) if len(sizes) > 1 else 1.0
    return flops / on_sheet(rates.products, tokens, (part.products / matrices) ** 0.5)


def _moved(part: Part, work: Work, tokens: int, rates: Rates) -> float:
    load = work.load
    pairs = 0 if part.sees is None else load.tokens(part.reads) * load.tokens(part.sees)
    kept = part.saved.bytes_of(load.rows, load.tokens(part.reads), pairs, precision=work.precision)
    return kept * between(rates.moved, tokens * work.width)


def _in_pieces(part: Part, work: Work) -> bool:
    return work.piece < work.predicted and (part.kind == "output" or part.reads == "picked")
