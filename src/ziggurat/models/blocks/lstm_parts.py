"""The parts of an LSTM layer and what they hold, multiply and keep."""

from collections.abc import Iterable
from itertools import groupby, pairwise

from ziggurat.core.anatomy import NUMBER_BYTES, Part, Saved

__all__ = ["lstm_parts"]

FULL, HALF = NUMBER_BYTES, 2
LINE_BYTES = 64


def lstm_parts(widths: Iterable[int], *, dropped_between: bool = False, dropped_weights: bool = False) -> list[Part]:
    """Return the layers of an LSTM, equal neighbours as one part that is there several times.

    *Maths.* A layer of C cells that reads vectors of width D has four gates, each with W (C·D), U (C·C) and two biases:
    4·C·(D + C + 2) numbers (`ziggurat.models.blocks.lstm`). A token costs 4·C·(D + C) multiply–adds, whatever came
    before it; what a row remembers is h and c, 2·C numbers.
    """
    layers = list(pairwise(widths))
    parts = []
    first = True
    for (width, cells), equal in groupby(layers):
        times = len(list(equal))
        # the first layer copies its input; each later one reads what the one before it keeps, unless that is masked
        copied = (1 if first else 0) if not dropped_between else 1
        if first and times > 1:
            parts += [_layer(width, cells, 1, copied=1, dropped_weights=dropped_weights)]
            times, copied = times - 1, int(dropped_between)
        parts.append(_layer(width, cells, times, copied=copied, dropped_weights=dropped_weights))
        first = False
    return parts


def _layer(width: int, cells: int, times: int, *, copied: int, dropped_weights: bool) -> Part:
    """Return ``times`` layers alike.

    What torch keeps on a CPU is its input where that is copied, its output, the states of its rows, and a workspace of
    oneDNN, whose size is in no manual: gates and cells, and room that only the backward pass uses, for gates once more
    and for six vectors of the wider side; rows fill whole cache lines. The figures here are fitted to torch 2.13
    within a hundredth.
    """
    wide = max(width, cells)
    states = _line(wide, FULL)
    later_f32 = FULL * (4 * cells + 6 * states)
    f32 = FULL * (_line(4 * cells, FULL) + _line(cells, FULL)) + later_f32
    later_bf16 = 8 * cells + 4 * _line(wide, HALF) + 16 * states
    bf16 = HALF * (_line(4 * cells, HALF) + 2 * cells + _line(cells, HALF)) + later_bf16
    weights = 4 * cells * (width + cells)
    return Part(
        name="LSTM layer",
        kind="cells",
        formula="4·C·(D + C + 2)",
        sizes=(("D", width), ("C", cells)),
        gives="n × C",
        parameters=weights + 8 * cells,
        products=weights,
        held=2 * cells,
        saved=Saved(
            f32=f32 + FULL * (copied * width + cells),
            bf16=bf16 + HALF * (copied * width + cells),
            row_f32=FULL * (_line(cells, FULL) + 6 * states + 4 * cells),
            row_bf16=2 * _line(cells, HALF) + 4 * _line(wide, HALF) + 16 * states + HALF * 4 * cells,
            # the mask and the weights that are left; 16-bit ones are copies that are counted anyway
            once_f32=2 * FULL * 4 * cells * cells * dropped_weights,
            once_bf16=FULL * 4 * cells * cells * dropped_weights,
            later_f32=later_f32,
            later_bf16=later_bf16,
            # weights packed for the products with gradients, and the gradients of weights
            working_f32=2 * FULL * weights,
            working_bf16=(HALF + FULL) * weights,
        ),
        times=times,
    )


def _line(count: int, number_bytes: int) -> int:
    """Return ``count`` numbers rounded up to whole cache lines; a multiple of 256 gets one more, against collisions."""
    numbers = LINE_BYTES // number_bytes
    padded = -(-count // numbers) * numbers
    return padded + numbers if padded % 256 == 0 else padded
