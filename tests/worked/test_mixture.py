"""Mixtures by hand, over parts whose probabilities are written down."""

import subprocess
import sys

import numpy as np
import pytest

from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.mixture import Mixture, MixtureConfig, Weighting
from ziggurat.models.registry import FAMILIES

VOCABULARY = Vocabulary(size=2, bos=0, eos=0)


class Coin:
    """Says id 1 with one probability, whatever came before; its state is how many ids it has read."""

    vocabulary = VOCABULARY

    def __init__(self, probability: float, *, context: int | None = None) -> None:
        with np.errstate(divide="ignore"):
            self.logprobs = np.log(np.array([1 - probability, probability], dtype=np.float32))
        self.context = context

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        inside = np.arange(1, ids.shape[1]) < lengths[:, None]
        return np.asarray(np.where(inside, self.logprobs[ids[:, 1:]], np.float32(0)))

    def score(self, ids: IdArray, lengths: IdArray) -> np.ndarray:
        return np.asarray(self.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64))

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, IdArray]:
        return np.tile(self.logprobs, (len(ids), 1)), lengths

    def step(self, state: IdArray, ids: IdArray) -> tuple[FloatArray, IdArray]:
        return np.tile(self.logprobs, (len(ids), 1)), np.asarray(state + 1)

    def reorder(self, state: IdArray, rows: IdArray) -> IdArray:
        return np.asarray(state[rows])


def mixed(weighting: Weighting, ids: list[int]) -> list[float]:
    """Return the probabilities that coins of 1/5 and 3/5 for id 1, mixed, give to ``ids`` after bos."""
    model = Mixture([Coin(0.2), Coin(0.6)], weighting, families=["a", "b"])
    row = np.array([[0, *ids]], dtype=np.int32)
    scanned = np.exp(model.token_logprobs(row, np.array([row.shape[1]], dtype=np.int32)))[0]
    logprobs, state = model.begin(row[:, :1], np.ones(1, dtype=np.int32))
    for t, token in enumerate(ids):
        assert np.exp(logprobs[0, token]) == pytest.approx(scanned[t], rel=1e-5)
        logprobs, state = model.step(state, np.array([token], dtype=np.int32))
    return [float(p) for p in scanned]


def test_constant_weights_average_probabilities() -> None:
    # 3/4 · 1/5 + 1/4 · 3/5 = 3/10 for id 1, so 7/10 for id 0.
    assert mixed(Weighting((0.75, 0.25)), [1, 0, 1]) == pytest.approx([0.3, 0.7, 0.3])


def test_full_evidence_is_the_posterior_over_who_wrote_the_text() -> None:
    # After id 1 the posterior is ∝ (3/4 · 1/5, 1/4 · 3/5) = (3/20, 3/20): equal. Then p(1) = (1/5 + 3/5) / 2 = 2/5.
    # After two: ∝ (1/5, 3/5) = (1/4, 3/4). Then p(0) = 1/4 · 4/5 + 3/4 · 2/5 = 1/2.
    # The product is the mixture of whole texts: 3/4 · (1/25 · 4/5) + 1/4 · (9/25 · 2/5) = 0.06 = 0.3 · 0.4 · 0.5.
    assert mixed(Weighting((0.75, 0.25), rate=1.0, memory=1.0), [1, 1, 0]) == pytest.approx([0.3, 0.4, 0.5])


def test_memory_halves_what_a_token_told() -> None:
    # E = 1/2 · log p(1): after id 1 the weights are ∝ (√(1/5), √(3/5)) ∝ (1, √3), so p(1) = (1/5 + √3·3/5) / (1 + √3).
    # After another 1, E = 1/2 · (1/2 + 1) · log p(1) = 3/4 · log p(1): ∝ (1, 3^(3/4)).
    expected = [0.4, *((0.2 + ratio * 0.6) / (1 + ratio) for ratio in (3**0.5, 3**0.75))]
    assert mixed(Weighting((0.5, 0.5), rate=1.0, memory=0.5), [1, 1, 1]) == pytest.approx(expected)


def test_rate_is_an_exponent_of_the_evidence() -> None:
    # rate 1/2 of full memory after one token equals rate 1 of memory 1/2: E is halved once either way.
    assert mixed(Weighting((0.5, 0.5), rate=0.5, memory=1.0), [1, 1])[1] == pytest.approx(
        mixed(Weighting((0.5, 0.5), rate=1.0, memory=0.5), [1, 1])[1]
    )


def test_a_prompt_is_evidence_and_each_row_has_its_own() -> None:
    weighting = Weighting((0.75, 0.25), rate=1.0, memory=1.0)
    model = Mixture([Coin(0.2), Coin(0.6)], weighting, families=["a", "b"])
    ids = np.array([[0, 1, 1], [0, 1, 0], [0, 0, 0]], dtype=np.int32)
    logprobs, state = model.begin(ids, np.array([3, 2, 1], dtype=np.int32))
    # As above: after [1, 1] p(0) = 1/2; after [1] p(1) = 2/5; after nothing p(1) = 3/10.
    assert np.exp(logprobs[:, 1]) == pytest.approx([0.5, 0.4, 0.3])
    state = model.reorder(state, np.array([1, 2], dtype=np.int32))
    logprobs, _ = model.step(state, np.array([1, 1], dtype=np.int32))
    assert np.exp(logprobs[:, 0]) == pytest.approx([0.5, 0.6])


def test_a_part_that_found_the_impossible_is_not_lost_for_good() -> None:
    model = Mixture([Coin(0.0), Coin(0.5)], Weighting((0.5, 0.5), rate=1.0, memory=1.0), families=["a", "b"])
    row = np.array([[0, 1] + [0] * 40], dtype=np.int32)
    logprobs = model.token_logprobs(row, np.array([42], dtype=np.int32))[0]
    assert np.isfinite(logprobs).all()
    # 20 nats against it: p(0) = 1/2, the other part's; 40 times ln 2 = 27.7 nats for it bring it back: p(0) nears 1.
    assert np.exp(logprobs[1]) == pytest.approx(0.5, abs=1e-3)
    assert np.exp(logprobs[-1]) > 0.99


def test_context_is_the_shortest_of_the_parts() -> None:
    weights = Weighting((0.5, 0.5))
    assert Mixture([Coin(0.2, context=7), Coin(0.2)], weights, families=["a", "b"]).context == 7
    assert Mixture([Coin(0.2), Coin(0.2)], weights, families=["a", "b"]).context is None


def test_parts_tell_their_own_logprobs_for_tuning() -> None:
    model = Mixture([Coin(0.2), Coin(0.6)], Weighting((0.5, 0.5)), families=["a", "b"])
    own = model.part_logprobs(np.array([[0, 1, 0]], dtype=np.int32), np.array([3], dtype=np.int32))
    assert np.exp(own[:, 0]) == pytest.approx(np.array([[0.2, 0.8], [0.6, 0.4]]))


def test_nested_names_and_numbers() -> None:
    family = FAMILIES.get("mixture")
    config, tensors = family.state(family.tiny(seed=3))
    assert [set(part) for part in config["parts"]] == [{"family", "config"}] * 2
    assert {name.split(".")[0] for name in tensors} == {"0", "1"}


def test_mixing_needs_no_torch() -> None:
    code = (
        "import sys, ziggurat.models.mixture as m; m.FAMILIES.names();"
        "m.Weighting((0.5, 0.5)); sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_default_parts_are_families() -> None:
    assert set(MixtureConfig().parts) <= set(FAMILIES.names())
