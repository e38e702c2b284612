"""How large a network a budget and a text can carry."""

import time

import numpy as np

__all__ = ["measured_flops", "parameters_for"]

TOKENS_PER_PARAMETER = 12
"""Tokens read for each parameter where compute is the limit (Hoffmann et al. 2022 find about 20 for large models; on
small ones a few more parameters and fewer tokens cost little and mix better with counts)."""
EFFICIENCY = 0.3
"""Part of the matrix product's speed that training a small network reaches."""
LEAST, MOST = 100_000, 50_000_000


def parameters_for(*, seconds: float, flops: float, training_tokens: int) -> int:
    """Return how many parameters, embeddings aside, a network should have.

    *Maths.* Training costs 6·N·D floating-point operations for N parameters and D tokens (Kaplan et al. 2020, section
    2.1). With D = 12 N, a budget of C carries N = √(C / 72). A text of few tokens is read many times over; beyond
    about 1 parameter a token a network learns it by heart, so that is the ceiling.
    """
    compute = flops * EFFICIENCY * seconds
    wanted = (compute / (6 * TOKENS_PER_PARAMETER)) ** 0.5
    return int(min(MOST, max(LEAST, min(wanted, training_tokens))))


def measured_flops() -> float:
    """Return the operations a second of a 32-bit matrix product on this machine, measured for a tenth of a second."""
    matrix = np.random.default_rng(0).standard_normal((768, 768), dtype=np.float32)
    matrix @ matrix
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < 0.1:
        matrix @ matrix
        rounds += 1
    return 2 * 768**3 * rounds / (time.perf_counter() - began)
