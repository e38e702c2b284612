"""Tuning a mixture on dev text, where the best weights are known."""

import math

import numpy as np
import pytest

from tests.fakes.families import LANGUAGE_FAMILIES, tiny_language_model
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.types import Event, Vocabulary
from ziggurat.models.mixture import FAMILY, Mixture, MixtureConfig, Weighting
from ziggurat.training.blend import Config, fit, fit_weighting
from ziggurat.training.job import Job


def test_weights_of_parts_that_never_agree_are_how_often_each_is_right() -> None:
    # Part 0 gives p = 1 − ε to 3 of 4 tokens and ε to the other, part 1 the reverse. As ε → 0 the likelihood is
    # λ₀³·λ₁, whose greatest value is at λ₀ = 3/4.
    sure, never = math.log(1 - 1e-9), math.log(1e-9)
    logprobs = np.array([[sure, sure, sure, never], [never, never, never, sure]]).repeat(25, axis=1)
    weighting, loss = fit_weighting(logprobs)
    assert weighting.weights == pytest.approx((0.75, 0.25), abs=1e-3)
    # −(3/4 · ln 3/4 + 1/4 · ln 1/4).
    assert loss == pytest.approx(0.5623, abs=1e-4)
    assert not weighting.follows


def test_a_useless_part_is_left_with_almost_nothing() -> None:
    logprobs = np.log(np.array([[0.5] * 400, [0.1] * 400]))
    weighting, loss = fit_weighting(logprobs)
    assert weighting.weights[1] < 0.01
    assert loss == pytest.approx(math.log(2), abs=0.01)


def test_one_part_has_all_the_weight() -> None:
    weighting, loss = fit_weighting(np.log(np.full((1, 7), 0.25)))
    assert weighting.weights == (1.0,)
    assert loss == pytest.approx(math.log(4))


def random_parts(tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """Return log-probabilities and uncertainties where the gate that made the tokens is known."""
    generator = np.random.default_rng(3)
    uncertainty = generator.uniform(0, 1, (2, tokens))
    gate = np.exp(np.array([[1.0], [0.0]]) + np.array([[-4.0], [-2.0]]) * uncertainty)
    gate /= gate.sum(axis=0)
    author = (generator.uniform(size=tokens) < gate[1]).astype(int)
    # The author's own part is sure of the token, the other excludes it: who wrote what is plain to see.
    p = np.where(np.arange(2)[:, None] == author, 1 - 1e-6, 1e-6)
    return np.log(p), uncertainty


def test_a_known_gate_is_found_again() -> None:
    # Tokens that one of two parts wrote, drawn by λ ∝ (e·e^(−4u₀), e^(−2u₁)): λ₀ = e/(1+e) = 0.731.
    logprobs, uncertainty = random_parts(40_000)
    weighting, loss = fit_weighting(logprobs, uncertainty)
    constant, constant_loss = fit_weighting(logprobs)
    assert loss < constant_loss - 0.05
    grid = np.linspace(0, 1, 11)
    for part, slope in enumerate((-4.0, -2.0)):
        found = weighting.slopes[part] * grid + weighting.curves[part] * grid**2
        np.testing.assert_allclose(found, slope * grid, atol=0.35)
    assert weighting.weights[0] == pytest.approx(math.e / (1 + math.e), abs=0.05)
    assert not constant.follows


def test_the_weighting_gives_the_loss_that_was_promised() -> None:
    logprobs, uncertainty = random_parts(1000)
    weighting, loss = fit_weighting(logprobs, uncertainty)
    assert -weighting.mix(logprobs.astype(np.float32), uncertainty.astype(np.float32)).mean() == pytest.approx(
        loss, 1e-4
    )


def test_constant_weights_are_where_em_stands_still() -> None:
    generator = np.random.default_rng(3)
    logprobs = np.log(generator.uniform(0.01, 0.5, (3, 5000)))
    weighting, _ = fit_weighting(logprobs)
    joint = np.array(weighting.weights)[:, None] * np.exp(logprobs)
    np.testing.assert_allclose((joint / joint.sum(axis=0)).mean(axis=1), weighting.weights, atol=2e-3)


def test_little_text_gives_no_wild_numbers() -> None:
    logprobs, uncertainty = random_parts(3)
    weighting, _ = fit_weighting(logprobs, uncertainty)
    assert np.abs([*weighting.slopes, *weighting.curves]).max() < 30


def job(config: Config, *, dev: MemoryStream | None, events: list[Event]) -> Job:
    names = [name for name in LANGUAGE_FAMILIES if name != FAMILY.name][:2]
    return Job(
        family=FAMILY,
        model_config=MixtureConfig(),
        config=config,
        train=MemoryStream.of([], Vocabulary(11, 0, 0)),
        dev=dev,
        seed=3,
        listener=events.append,
        parts=tuple(tiny_language_model(name) for name in names),
        part_families=tuple(names),
    )


@pytest.mark.parametrize("follow", [True, False])
def test_fitted_on_dev_it_beats_its_parts_and_says_so(follow: bool) -> None:
    texts = np.random.default_rng(3).integers(1, 11, (20, 101)).tolist()
    dev = MemoryStream.of(texts, Vocabulary(11, 0, 0))
    events: list[Event] = []
    fitted = fit(job(Config(tokens=1000, follow=follow), dev=dev, events=events))
    facts, model = fitted.facts, fitted.model
    assert isinstance(model, Mixture)
    assert model.weighting.follows == follow
    assert model.context == 64
    assert facts["dev_tokens"] == 1000
    assert facts["dev_loss"] < min(facts["parts_dev_loss"])
    assert facts["dev_loss"] <= facts["constant_dev_loss"]
    assert Weighting(tuple(facts["weights"]), tuple(facts["slopes"]), tuple(facts["curves"])) == model.weighting
    assert [event["event"] for event in events] == ["eval"]


def test_without_parts_or_dev_text_there_is_nothing_to_tune() -> None:
    empty = MemoryStream.of([], Vocabulary(11, 0, 0))
    with pytest.raises(TooLittleTextError, match=r"text\.dev"):
        fit(job(Config(), dev=None, events=[]))
    with pytest.raises(TooLittleTextError, match=r"text\.dev"):
        fit(job(Config(), dev=empty, events=[]))
    with pytest.raises(UsageError, match="parts"):
        fit(Job(FAMILY, MixtureConfig(), Config(), empty, empty, seed=3))


def test_a_part_that_is_right_only_where_it_is_uncertain_keeps_its_small_beginning() -> None:
    # part 2 is worth nothing at u = 0 and much at u = 1: log λ2 − log λ1 = −20 + 25 u. A floor under its weight at 0
    # (1e-4 is e^-9.2) would multiply it by e^11 everywhere
    dice = np.random.default_rng(0)
    u = np.stack([np.zeros(40_000), dice.random(40_000)])
    trust = 1 / (1 + np.exp(20 - 25 * u[1]))
    second = dice.random(40_000) < trust
    logprobs = np.log(np.where([~second, second], 0.9, 0.01))
    weighting, loss = fit_weighting(logprobs, u)
    mixed = weighting.mix(logprobs.astype(np.float32), u.astype(np.float32))
    assert float(-mixed.mean()) == pytest.approx(loss, abs=1e-4)
    assert weighting.weights[1] < 1e-4
    _, constant_loss = fit_weighting(logprobs)
    assert loss < constant_loss - 0.1
