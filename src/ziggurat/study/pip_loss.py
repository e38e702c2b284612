"""How many dimensions a text can carry, without training: the pairwise-inner-product view of Yin & Shen.

*Idea.* Word2Vec and GloVe factorise a matrix of co-occurrences. Its large singular values are what the language does,
its small ones are mostly chance. A dimension more brings signal and noise; where it brings more noise than signal,
vectors get worse. Two embeddings are compared by all inner products between their words, because these do not change
when the space is turned (Yin & Shen 2018, definition 2: the PIP loss ‖EEᵀ − FFᵀ‖).

This is an opinion about matrices, not about a task: it says where noise takes over, which can be far from where a
task stops to gain.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.protocols import TokenStream
from ziggurat.study.cooccurrence import count_halves, frequent_words, positive_pmi

__all__ = ["Opinion", "Spectrum", "expected_loss", "measure_spectrum", "opinion", "signal_of"]

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

MOST_WORDS = 1500
"""Words of the matrix at most: its spectrum costs the cube of them (a few seconds here)."""
FEWEST_WORDS = 50
SEEN = 0.5
"""Part of all pairs of words that must have been seen: the noise of a pair never seen can't be seen either."""
ALPHAS = (0.0, 0.5, 1.0)
"""Exponents of the singular values in the vectors; ½ is what Word2Vec and GloVe do, both sides being alike."""
NEAR = 1.05
"""Sizes whose loss is within 5 % of the least are as good for all that this view can tell."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The singular values of a co-occurrence matrix, and how much of them is chance."""

    values: Vector
    """(N,) descending."""
    noise: float
    """σ, standard deviation of what chance adds to an entry."""
    words: int
    """N."""
    seen: float
    """Part of the pairs of words that were seen."""
    edge_ratio: float
    """Largest singular value of the noise over 2 σ √N, what it would be if every entry had the same noise."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the view says for one exponent."""

    alpha: float
    best: int
    """The size with the least expected loss."""
    low: int
    high: int
    """Sizes between which the loss is within 5 % of the least."""
    curve: tuple[tuple[int, float], ...]
    """(size, expected loss / that of no vectors at all) at sizes that lie about evenly on a logarithmic axis."""


def measure_spectrum(stream: TokenStream, *, window: int, most: int = MOST_WORDS) -> Spectrum:
    """Count a text's pairs of words in two halves and return the spectrum of the whole with the noise in it.

    *Maths.* With M₁, M₂ from the halves, each has twice the variance of the whole, so σ² is the variance of
    (M₁ − M₂) / 2 (Yin & Shen 2018: "count-twice"). Matrices are positive PMI of the N most frequent words, with N as
    large as it can be while half of all pairs of these words have been seen, and at most 1500: a pair that was never
    seen shows no noise, so in a matrix of rare words noise would be taken for signal.

    *Departs.* Theory has the same noise in every entry. Where it is not, noise reaches higher in the spectrum than
    2 σ √N; σ is then taken from the largest singular value of (M₁ − M₂) / 2 itself.

    Raises:
        TooLittleTextError: hardly any word has been seen beside any other.
    """
    words = frequent_words(stream, most)
    one, other = count_halves(stream, words, window=window)
    size = _dense_size(one + other)
    if size < FEWEST_WORDS:
        raise TooLittleTextError(
            f"only {size} words were seen beside half of each other, a spectrum needs {FEWEST_WORDS}: give more text"
        )
    one, other = one[:size, :size], other[:size, :size]
    whole = positive_pmi(one + other)
    difference = (positive_pmi(one) - positive_pmi(other)) / 2
    values = np.sort(np.abs(np.linalg.eigvalsh(whole)))[::-1]
    even = float(np.sqrt((difference**2).mean()))
    edge = float(np.abs(np.linalg.eigvalsh(difference)).max())
    noise = max(even, edge / (2 * size**0.5))
    seen = float((one + other > 0).mean())
    return Spectrum(values, noise, size, seen, edge / (2 * even * size**0.5) if even else 1.0)


def signal_of(spectrum: Spectrum) -> tuple[Vector, Vector]:
    """Return (N,) each singular value without noise, 0 where noise hides it, and how well its direction is known.

    *Maths.* Noise of variance σ² in N × N entries moves a singular value λ > σ√N to λ + Nσ² / λ, and the squared cosine
    between its singular vectors before and after is 1 − Nσ² / λ² (Benaych-Georges & Nadakuditi 2012, section 3.1,
    square matrices). A smaller λ sinks into the noise, whose own values reach 2σ√N. The first equation solved for λ
    gives the signal (Gavish & Donoho 2017).

    *Departs.* Yin & Shen subtract 2σ√N from every value (Chatterjee 2015), which takes too much from the large ones.
    """
    power = spectrum.words * spectrum.noise**2
    values = spectrum.values
    found = values > 2 * power**0.5
    signal = np.where(found, (values + np.sqrt(np.maximum(values**2 - 4 * power, 0.0))) / 2, 0.0)
    known = np.where(found, 1 - power / np.where(found, signal, 1.0) ** 2, 0.0)
    return signal, known


def expected_loss(spectrum: Spectrum, alpha: float) -> Vector:
    """Return (N + 1,) the expected PIP loss of vectors of 0, 1 … N dimensions.

    *Maths.* With E = U Λᵅ of the true signal and F = Ũ_k Λ̃ᵅ_k, the first k dimensions of what was measured, the
    squared loss is Σᵢ λᵢ⁴ᵅ + Σ_{i≤k} λ̃ᵢ⁴ᵅ − 2 Σ_{i≤k} Σⱼ λ̃ᵢ²ᵅ λⱼ²ᵅ ⟨ũᵢ, uⱼ⟩², which Yin & Shen (2018) bound in theorems
    1 to 3. For N → ∞ the last sum keeps j = i, where ⟨ũᵢ, uᵢ⟩² is what `signal_of` returns. At α = ½ the least lies
    where λ̃ falls below 4/√3 · σ√N, Gavish & Donoho's (2014) threshold for the best matrix of low rank.
    """
    signal, known = signal_of(spectrum)
    true = np.where(signal > 0, np.power(np.where(signal > 0, signal, 1.0), 2 * alpha), 0.0)
    measured = np.power(spectrum.values, 2 * alpha)
    steps = measured**2 - 2 * measured * true * known
    squared = float((true**2).sum()) + np.concatenate([[0.0], np.cumsum(steps)])
    return np.sqrt(np.maximum(squared, 0.0))


def opinion(spectrum: Spectrum, alpha: float) -> Opinion:
    """Return the size with the least expected PIP loss, and the sizes that are near it.

    Raises:
        TooLittleTextError: nothing stands out of the noise.
    """
    loss = expected_loss(spectrum, alpha)
    best = int(loss.argmin())
    if best == 0:
        raise TooLittleTextError("no dimension of the co-occurrences stands out of chance: give more text")
    near = np.flatnonzero(loss[1:] <= NEAR * loss[best]) + 1
    beside = near[_run_around(near, best)]
    grid = np.unique(np.concatenate([np.geomspace(1, spectrum.words, 120).round().astype(int), [best]]))
    curve = tuple((int(k), float(loss[k] / loss[0])) for k in grid)
    return Opinion(alpha, best, int(beside.min()), int(beside.max()), curve)


def _run_around(near: npt.NDArray[np.int64], best: int) -> npt.NDArray[np.bool_]:
    """Return which of ``near`` belong to the unbroken run that holds ``best``."""
    runs = np.cumsum(np.concatenate([[0], np.diff(near) > 1]))
    return np.asarray(runs == runs[near == best][0])


def _dense_size(counts: npt.NDArray[np.int64]) -> int:
    """Return how many of the first words can be taken while half of their pairs have been seen."""
    seen = np.cumsum(np.cumsum(counts > 0, axis=0, dtype=np.int64), axis=1).diagonal()
    sizes = np.arange(1, len(counts) + 1)
    enough = np.flatnonzero(seen >= SEEN * sizes**2)
    return int(sizes[enough[-1]]) if len(enough) else 0
