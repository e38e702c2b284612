"""The logistic function of many products at once, with its loss."""

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.intrinsics import float_of_bits

__all__ = ["logistic_steps"]

_LIMIT = np.float32(30.0)  # beyond, σ is 0 or 1 in 32 bits
_LOG2_E = np.float32(1.4426950408889634)

# 2^f on [−½, ½] and log(1 + z) on [0, 1] by polynomials: Chebyshev fits, errors below 1e-7
_POWER = (1.0, 0.69314720, 0.24022107, 0.055503272, 0.0096760371, 0.0013400432)
_LOG = (3.39e-8, 0.99999427, -0.49983856, 0.33154862, -0.23982616, 0.16582275, -0.093252039, 0.034849712, -0.0061514710)


@kernel(fast_math=True, inline=True, borrows=True)
def logistic_steps(
    products: npt.NDArray[np.float32], count: int, rate: np.float32, losses: npt.NDArray[np.float32]
) -> None:
    """Turn products x into −rate · σ(x), and write log(1 + eˣ) of each to ``losses``.

    *Maths.* σ(x) = 1 / (1 + e⁻ˣ), and log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|): the loss of a sample with label 0.
    With label 1 the step is rate higher and the loss x lower.
    """
    for i in range((count + 15) & ~15):  # whole registers: beyond the count is room, and nobody reads it
        x = min(max(products[i], -_LIMIT), _LIMIT)
        scaled = abs(x) * -_LOG2_E
        whole = np.int32(scaled - np.float32(0.5))  # the nearest, since scaled is not above 0
        part = scaled - np.float32(whole)
        power = np.float32(_POWER[5])
        power = power * part + np.float32(_POWER[4])
        power = power * part + np.float32(_POWER[3])
        power = power * part + np.float32(_POWER[2])
        power = power * part + np.float32(_POWER[1])
        power = power * part + np.float32(_POWER[0])
        z = power * float_of_bits((whole + np.int32(127)) << np.int32(23))
        log = np.float32(_LOG[8])
        log = log * z + np.float32(_LOG[7])
        log = log * z + np.float32(_LOG[6])
        log = log * z + np.float32(_LOG[5])
        log = log * z + np.float32(_LOG[4])
        log = log * z + np.float32(_LOG[3])
        log = log * z + np.float32(_LOG[2])
        log = log * z + np.float32(_LOG[1])
        log = log * z + np.float32(_LOG[0])
        larger = np.float32(1.0) / (np.float32(1.0) + z)  # σ(|x|)
        products[i] = -rate * (larger if x > 0 else np.float32(1.0) - larger)
        losses[i] = max(x, np.float32(0.0)) + log
