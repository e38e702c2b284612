"""What the pairwise-inner-product view says of spectra whose truth is known."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.types import Vocabulary
from ziggurat.study.pip_loss import Spectrum, expected_loss, measure_spectrum, opinion, signal_of

Vector = npt.NDArray[np.float64]


def spectrum(values: list[float] | Vector, *, words: int = 100, noise: float = 1.0) -> Spectrum:
    """A spectrum that begins with ``values`` and has nothing behind them."""
    filled = np.zeros(words)
    filled[: len(values)] = values
    return Spectrum(filled, noise, words, 1.0, 1.0)


def test_the_signal_by_hand() -> None:
    # N = 100, σ = 1: N σ² = 100. λ = 20 is seen at 20 + 100 / 20 = 25; its direction is known to 1 − 100 / 400
    # λ = 50 is seen at 52 and known to 0.96; 20 is the edge, where nothing is known
    signal, known = signal_of(spectrum([52.0, 25.0, 20.0, 19.0]))
    assert signal[:4] == pytest.approx([50.0, 20.0, 0.0, 0.0])
    assert known[:4] == pytest.approx([0.96, 0.75, 0.0, 0.0])


def test_without_noise_everything_is_signal() -> None:
    signal, known = signal_of(spectrum([3.0, 2.0, 0.5], noise=0.0))
    assert signal[:3].tolist() == [3.0, 2.0, 0.5]
    assert known[:3].tolist() == [1.0, 1.0, 1.0]
    # and vectors of three numbers have no loss
    assert expected_loss(spectrum([3.0, 2.0, 0.5], noise=0.0), 0.5)[3] == 0


def test_the_loss_by_hand() -> None:
    # α = ½: λ and λ̃ themselves. Nothing: √(50² + 20²). One: 50² + 20² + 52² − 2 · 52 · 50 · 0.96
    found = expected_loss(spectrum([52.0, 25.0]), 0.5)
    assert found[0] == pytest.approx(math.sqrt(2900))
    assert found[1] == pytest.approx(math.sqrt(2900 + 2704 - 4992))
    # two: 25² − 2 · 25 · 20 · 0.75 more
    assert found[2] == pytest.approx(math.sqrt(612 + 625 - 750))
    # α = 0: all vectors have length one: 2 dimensions of signal, then 1 − 2 · 0.96, then 1 − 2 · 0.75 more
    assert expected_loss(spectrum([52.0, 25.0]), 0.0)[:3] == pytest.approx(np.sqrt([2, 2 - 0.92, 2 - 0.92 - 0.5]))


@pytest.mark.parametrize(
    ("alpha", "threshold"),
    [
        # with y = λ / (σ √N) a dimension pays where (1 + 1/y²)²ᵅ < 2 (1 − 1/y²)
        (0.0, math.sqrt(2) + 1 / math.sqrt(2)),  # 1 < 2 − 2/y²: y² > 2
        (0.5, 4 / math.sqrt(3)),  # 1 + x < 2 − 2x: x < 1/3, y = √3: Gavish & Donoho's threshold
        (1.0, 1 / math.sqrt(math.sqrt(5) - 2) + math.sqrt(math.sqrt(5) - 2)),  # x² + 4x − 1 < 0: x < √5 − 2
    ],
)
def test_a_dimension_pays_above_a_threshold_and_not_below(alpha: float, threshold: float) -> None:
    high, low = 10 * threshold * 1.001, 10 * threshold * 0.999
    assert opinion(spectrum([90.0, 70.0, high]), alpha).best == 3
    assert opinion(spectrum([90.0, 70.0, low]), alpha).best == 2


def test_the_larger_the_exponent_the_fewer_dimensions() -> None:
    values = np.geomspace(500, 21, 79)
    sizes = [opinion(spectrum(values), alpha).best for alpha in (0.0, 0.5, 1.0)]
    assert sizes[0] > sizes[1] > sizes[2]


def noisy(true: Vector, *, words: int, noise: float, seed: int) -> tuple[Vector, npt.NDArray[np.float64], Vector]:
    """A matrix of known singular values plus noise: what is measured, its left vectors, and the true ones."""
    dice = np.random.default_rng(seed)
    left, _ = np.linalg.qr(dice.standard_normal((words, len(true))))
    right, _ = np.linalg.qr(dice.standard_normal((words, len(true))))
    measured = (left * true) @ right.T + noise * dice.standard_normal((words, words))
    found, values, _ = np.linalg.svd(measured)
    return values, found, left


def real_losses(true: Vector, values: Vector, found: Vector, left: Vector, alpha: float, most: int) -> Vector:
    """The PIP losses of 1 … most dimensions, by their definition: all inner products of both."""
    truth = (left * true ** (2 * alpha)) @ left.T
    losses = []
    for k in range(1, most + 1):
        ours = (found[:, :k] * values[:k] ** (2 * alpha)) @ found[:, :k].T
        losses.append(np.linalg.norm(ours - truth))
    return np.array(losses)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_the_expected_loss_is_that_of_matrices_with_known_rank_and_noise(alpha: float) -> None:
    # rank 31 in 307 words, σ √N = 17.5: values from 200 down to 24, so the last ones drown in part
    true = np.geomspace(200, 24, 31)
    values, found, left = noisy(true, words=307, noise=1.0, seed=3)
    real = real_losses(true, values, found, left, alpha, 60)
    told = expected_loss(Spectrum(values, 1.0, 307, 1.0, 1.0), alpha)[1:61]
    assert told == pytest.approx(real, rel=0.13)
    assert abs(int(told.argmin()) - int(real.argmin())) <= 3
    # what it costs to take the size that was told
    assert real[told.argmin()] <= 1.06 * real.min()


def test_without_anything_but_noise_there_is_no_opinion() -> None:
    values = np.linalg.svd(np.random.default_rng(1).standard_normal((211, 211)), compute_uv=False)
    quiet = Spectrum(np.asarray(values, np.float64), 1.02, 211, 1.0, 1.0)
    assert signal_of(quiet)[0].sum() == 0
    with pytest.raises(TooLittleTextError, match="stands out of chance"):
        opinion(quiet, 0.5)


def test_values_without_noise_come_nearer_than_by_subtracting_the_edge() -> None:
    # what is departed from: λ̃ − 2 σ √N (Chatterjee 2015)
    true = np.geomspace(200, 24, 31)
    values, *_ = noisy(true, words=307, noise=1.0, seed=5)
    ours = signal_of(Spectrum(values, 1.0, 307, 1.0, 1.0))[0][:31]
    theirs = np.maximum(values[:31] - 2 * math.sqrt(307), 0)
    errors = [float(np.sqrt(np.mean((found - true) ** 2))) for found in (ours, theirs)]
    # theirs lacks 2 σ √N − N σ² / λ of each: up to 35 − 307 / 200 = 33.5
    assert errors[1] > 20
    assert errors[0] < errors[1] / 3  # values that lie close push each other apart, which theory for N → ∞ has not


def test_more_noise_leaves_fewer_dimensions() -> None:
    true = np.geomspace(400, 20, 101)
    sizes = []
    for noise in (0.3, 1.0, 3.0):
        values, *_ = noisy(true, words=211, noise=noise, seed=7)
        sizes.append(opinion(Spectrum(values, noise, 211, 1.0, 1.0), 0.5).best)
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_what_an_opinion_holds() -> None:
    values = np.geomspace(500, 12, 79)
    found = opinion(spectrum(values), 0.5)
    loss = expected_loss(spectrum(values), 0.5)
    assert loss[found.best] == loss.min()
    assert found.low <= found.best <= found.high
    assert loss[found.low] <= 1.05 * loss.min() < loss[found.low - 1]
    assert loss[found.high] <= 1.05 * loss.min() < loss[found.high + 1]
    assert all(a < b for (a, _), (b, _) in pairwise(found.curve))
    assert dict(found.curve)[found.best] == pytest.approx(loss.min() / loss[0])
    assert found.curve[0][0] == 1


# -- from text --------------------------------------------------------------------------------------------------------

TOPICS, EACH = 7, 13
VOCABULARY = Vocabulary(size=2 + TOPICS * EACH, bos=0, eos=0, unk=1)


def text(documents: int, *, mixed: float, seed: int = 0) -> MemoryStream:
    """Documents of 31 words of one topic each, a part ``mixed`` of them drawn from all words."""
    dice = np.random.default_rng(seed)
    found = []
    for number in range(documents):
        own = 2 + (number % TOPICS) * EACH + dice.integers(0, EACH, 31)
        every = dice.integers(2, VOCABULARY.size, 31)
        found.append(np.where(dice.random(31) < mixed, every, own).tolist())
    return MemoryStream.of(found, VOCABULARY)


def test_topics_are_found_as_dimensions() -> None:
    # seven topics with words of their own: the matrix is seven blocks, so its rank is seven
    found = measure_spectrum(text(1500, mixed=0.5), window=5)
    assert found.words == TOPICS * EACH
    assert found.seen == 1.0
    assert found.edge_ratio == pytest.approx(1.0, abs=0.25)
    assert opinion(found, 0.5).best == TOPICS
    signal, known = signal_of(found)
    assert (signal > 0).sum() == TOPICS
    assert known[:TOPICS].min() > 0.9


def test_more_text_has_less_noise() -> None:
    few, many = (measure_spectrum(text(count, mixed=0.5), window=5) for count in (2000, 8000))
    # four times the text, half of the noise, or less: what lies below chance is cut to 0 and then has none
    assert 1.8 < few.noise / many.noise < 3.5


def test_words_without_order_give_no_opinion_or_hardly_any() -> None:
    found = measure_spectrum(text(1500, mixed=1.0), window=5)
    # all that is left is that mutual information is cut at 0, which leaves it a mean: one dimension
    assert opinion(found, 0.5).best == 1


def test_too_little_text_is_said() -> None:
    with pytest.raises(TooLittleTextError, match="a spectrum needs 50"):
        measure_spectrum(text(3, mixed=0.5), window=5)


def test_the_matrix_stops_where_pairs_become_rare() -> None:
    # 61 words that stand beside each other, and 400 rare ones, each seen beside at most 10 others: half of N² pairs
    # are 61² and a few at N = 61 √2 = 86
    dice = np.random.default_rng(0)
    documents = [(2 + dice.integers(0, 61, 31)).tolist() for _ in range(1000)]
    for number in range(400):
        documents[number][15] = 63 + number
    found = measure_spectrum(MemoryStream.of(documents, Vocabulary(size=463, bos=0, eos=0, unk=1)), window=5)
    assert 86 <= found.words <= 110
    assert 0.5 <= found.seen < 0.52
