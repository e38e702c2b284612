"""The filters agree with those of `transformers`, which most people's expectations come from."""

import numpy as np
import pytest

from ziggurat.core.numerics import log_softmax
from ziggurat.use.sampling import (
    SamplingConfig,
    Scores,
    filtered,
    min_p,
    penalise_repetition,
    temperature,
    top_k,
    top_p,
)

torch = pytest.importorskip("torch")
processes = pytest.importorskip("transformers.generation.logits_process")

ROWS, WIDTH = 13, 101
SAID = np.random.default_rng(5).integers(0, WIDTH, size=(ROWS, 7), dtype=np.int32)


def scores() -> Scores:
    return log_softmax(2 * np.random.default_rng(3).normal(size=(ROWS, WIDTH)))


def theirs(process: object, values: Scores) -> Scores:
    found = process(torch.from_numpy(SAID.astype(np.int64)), torch.from_numpy(values.copy()))  # type: ignore[operator]
    return np.asarray(found.numpy())


@pytest.mark.parametrize("value", [0.3, 1.0, 1.9])
def test_temperature(value: float) -> None:
    expected = log_softmax(theirs(processes.TemperatureLogitsWarper(value), scores()))
    np.testing.assert_allclose(log_softmax(temperature(scores(), value)), expected, atol=1e-10)


@pytest.mark.parametrize("count", [1, 5, 97, 211])
def test_top_k(count: int) -> None:
    np.testing.assert_array_equal(top_k(scores(), count), theirs(processes.TopKLogitsWarper(count), scores()))


@pytest.mark.parametrize("mass", [0.1, 0.53, 0.9, 0.997])
def test_top_p(mass: float) -> None:
    np.testing.assert_array_equal(top_p(scores(), mass), theirs(processes.TopPLogitsWarper(mass), scores()))


@pytest.mark.parametrize("part", [0.003, 0.05, 0.7])
def test_min_p(part: float) -> None:
    np.testing.assert_array_equal(min_p(scores(), part), theirs(processes.MinPLogitsWarper(part), scores()))


@pytest.mark.parametrize("penalty", [0.8, 1.3])
@pytest.mark.parametrize("lift", [0.0, 5.0])
def test_repetition_penalty(penalty: float, lift: float) -> None:
    values = scores() + lift  # some scores become positive
    expected = theirs(processes.RepetitionPenaltyLogitsProcessor(penalty), values)
    np.testing.assert_allclose(penalise_repetition(values, list(SAID), penalty), expected, rtol=1e-12)


def test_all_in_order() -> None:
    config = SamplingConfig(temperature=0.7, top_k=31, top_p=0.93, min_p=0.02, repetition_penalty=1.2)
    values: Scores = scores().astype(np.float32).astype(np.float64)
    for process in (
        processes.RepetitionPenaltyLogitsProcessor(1.2),
        processes.TemperatureLogitsWarper(0.7),
        processes.TopKLogitsWarper(31),
        processes.TopPLogitsWarper(0.93),
        processes.MinPLogitsWarper(0.02),
    ):
        values = theirs(process, values)
    found = filtered(scores().astype(np.float32), config, list(SAID))
    np.testing.assert_allclose(found, log_softmax(values), atol=1e-9)
