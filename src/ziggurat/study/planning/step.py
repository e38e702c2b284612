"""How long a step takes on one device, by what it is spent on.

*Idea.* Two ways. Where a machine was measured (`ziggurat.training.speed`), each part of a model is charged what it was
seen to cost: its products, its pairs, its log-probabilities, what it moves through memory. Where there is only a data
sheet, products reach some part of the peak that the sheet promises, and memory its bandwidth; the larger of the two is
the time (the roofline: Williams, Waterman & Patterson 2009).
"""

from dataclasses import dataclass

from ziggurat.core.anatomy import NUMBER_BYTES, Part
from ziggurat.study.planning.work import Work, blocks_of
from ziggurat.training.rates import Machine, Rates, between, on_sheet

__all__ = ["TOUCHES", "UPDATE_NUMBERS", "StepTime", "from_sheet", "measured"]

TOUCHES = 4
"""How often what is kept for the backward pass goes through memory: written and read in the forward pass, and in the
backward pass read again, where its gradient is written."""
UPDATE_NUMBERS = 7
"""Numbers that AdamW reads (weight, gradient, two moments) and writes (weight, two moments) for each that it trains."""


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step on one device, by what they go to."""

    products: float
    attention: float = 0.0
    logits: float = 0.0
    moved: float = 0.0
    """All that is done number by number, and what waits for memory."""
    update: float = 0.0

    @property
    def seconds(self) -> float:
        """All of them."""
        return self.products + self.attention + self.logits + self.moved + self.update


def measured(work: Work, machine: Machine, *, recompute: bool = False) -> StepTime:
    """Return the time of a step on a machine that was measured.

    *Maths.* Σ over parts of 6·products·tokens / rate(tokens, √(products of a matrix)) + 6·pair_products·pairs /
    rate(window) + bytes kept · seconds a byte + seconds a part; then the log-probabilities, twice forward where they
    are made in pieces, and AdamW once for all batches of a step.
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
    update = machine.update * work.trained_numbers
    many = work.accumulate
    return StepTime(many * products, many * attention, many * logits, many * moved, update)


def from_sheet(
    work: Work, *, peak: float, bandwidth: float, reached: float, held_numbers: float, recompute: bool = False
) -> StepTime:
    """Return the time of a step on a device of which there is a data sheet.

    *Maths.* max(F / (r·peak), (`TOUCHES`·A + `UPDATE_NUMBERS`·4·n) / bandwidth): F operations that are made, A bytes of
    activations and log-probabilities, n numbers whose moments the device holds, r the part of the peak that is reached.

    Args:
        work: The step.
        peak: Operations a second that the data sheet promises.
        bandwidth: Bytes a second of the device's memory.
        reached: Part of the peak that products reach.
        held_numbers: Trained numbers whose moments this device holds.
        recompute: Whether blocks are computed again for the backward pass.
    """
    computing = work.done_flops(recompute=recompute) / (reached * peak)
    kept = work.anatomy.whole.saved_bytes(work.load, precision=work.precision)
    logits = NUMBER_BYTES * work.predicted * work.vocabulary
    update = UPDATE_NUMBERS * NUMBER_BYTES * held_numbers / bandwidth
    moving = TOUCHES * work.accumulate * (kept + logits) / bandwidth
    return StepTime(products=computing, moved=max(0.0, moving - computing), update=update)


def _products(part: Part, tokens: int, rows: int, rates: Rates) -> float:
    if not part.products:
        return 0.0
    flops = 6 * part.products * tokens
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
