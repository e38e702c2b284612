"""How large a network a budget and a text can carry, and what keeps it from learning the text by heart.

*Idea.* The speed of the machine and the seconds give operations; operations and the text give a size, and that how
often the text will be read. What is read a few times needs no dropout, however small the text is.
"""

import math
import time

import numpy as np

__all__ = ["dropout_for", "epochs_for", "folds_for", "learning_for", "measured_flops", "parameters_for"]

TOKENS_PER_PARAMETER = 12
"""Tokens read for each parameter where compute is the limit (Hoffmann et al. 2022 find about 20 for large models; on
small ones a few more parameters and fewer tokens cost little and mix better with counts)."""
EFFICIENCY = 0.3
"""Part of the matrix product's speed that training a small network reaches."""
LEAST, MOST = 100_000, 50_000_000

FEW_EPOCHS, USUAL_EPOCHS = 3, 12
"""Passes over a text up to which dropout only costs, and those that a recipe's dropout is meant for (measured:
`docs/experiments.md`)."""
DROPOUT_A_DOUBLING, MOST_DROPOUT = 0.1, 0.5
MUON_EPOCHS = 4
"""Passes over a text up to which Muon is ahead of AdamW: at 1.5 by far, at 12 no longer; 4 lies between."""
ADAMW_RATE = 0.5
"""Learning rate of AdamW as a part of that which Muon takes."""
SHORT_TOKENS = 5_000_000
"""Up to so many tokens counting takes seconds, and each fold of eight is counted from seven eighths of the text."""
MANY_FOLDS, FEW_FOLDS, LEAST_FOLDS = 8, 4, 2
COUNTING_PART = 0.4
"""Part of a network's seconds that its counts may take."""


def parameters_for(*, seconds: float, flops: float, training_tokens: int) -> int:
    """Return how many parameters, embeddings aside, a network should have.

    *Maths.* Training costs 6·N·D floating-point operations for N parameters and D tokens (Kaplan et al. 2020, section
    2.1). With D = 12 N, a budget of C carries N = √(C / 72). A text of few tokens is read many times over; beyond
    about 1 parameter a token a network learns it by heart, so that is the ceiling.
    """
    compute = flops * EFFICIENCY * seconds
    wanted = (compute / (6 * TOKENS_PER_PARAMETER)) ** 0.5
    return int(min(MOST, max(LEAST, min(wanted, training_tokens))))


def epochs_for(parameters: int, *, seconds: float, flops: float, training_tokens: int) -> float:
    """Return how often a network of so many parameters will have read the text.

    *Maths.* C / (6·N·D), as in `parameters_for`, with D the tokens of the text.
    """
    return flops * EFFICIENCY * seconds / (6 * parameters * max(1, training_tokens))


def dropout_for(given: float, *, epochs: float) -> float:
    """Return the dropout of a network that reads its text so often, where its recipe gives ``given``.

    *Maths.* With e the epochs: none up to e = 3, from there to 12 given·log₄(e/3), and beyond given + 0.1·log₂(e/12),
    but no more than a half, or than ``given``.
    """
    part = math.log2(max(1.0, epochs / FEW_EPOCHS)) / math.log2(USUAL_EPOCHS / FEW_EPOCHS)
    more = DROPOUT_A_DOUBLING * math.log2(max(1.0, epochs / USUAL_EPOCHS))
    return round(min(given * min(1.0, part) + more, max(given, MOST_DROPOUT)), 2)


def learning_for(optimiser: str, learning_rate: float, *, epochs: float) -> tuple[str, float]:
    """Return the optimiser and the learning rate of a network that reads its text so often.

    Where a recipe asks for Muon and the text is read more than four times, it is AdamW at half the learning rate: Muon
    learns a small text by heart before it has learnt what others have in common with it.
    """
    if optimiser != "muon" or epochs <= MUON_EPOCHS:
        return optimiser, learning_rate
    return "adamw", ADAMW_RATE * learning_rate


def folds_for(training_tokens: int, *, count_seconds: float, seconds: float) -> int | None:
    """Return in how many folds to count for a network on counts that has ``seconds``; None where even two take long.

    ``count_seconds`` is what counting the whole text once took. Eight folds up to 5 million tokens and four beyond,
    halved until counting them all and the whole takes no more than 0.4 of the seconds.
    """
    folds = MANY_FOLDS if training_tokens <= SHORT_TOKENS else FEW_FOLDS
    while folds >= LEAST_FOLDS:
        if (folds + 1) * count_seconds <= COUNTING_PART * seconds:
            return folds
        folds //= 2
    return None


def measured_flops() -> float:
    """Return the operations a second of a 32-bit matrix product on this machine, measured for a tenth of a second."""
    matrix = np.random.default_rng(0).standard_normal((768, 768), dtype=np.float32)
    matrix @ matrix
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < 0.1:
        matrix @ matrix
        rounds += 1
    return 2 * 768**3 * rounds / (time.perf_counter() - began)
