"""Mixtures by hand, over parts whose probabilities are written down."""

import math
import subprocess
import sys

import numpy as np
import pytest

from ziggurat.core.protocols import Extends
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models import mixture
from ziggurat.models.mixture import Mixture, MixtureConfig, Weighting
from ziggurat.models.registry import FAMILIES
from ziggurat.models.windows import document_logprobs
from ziggurat.use.label_scores import LabelScorer

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


class Patient(Coin):
    """A coin that also reads many ids at once."""

    def extend(self, state: IdArray, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, IdArray]:
        return np.tile(self.logprobs, (len(ids), 1)), np.asarray(state + lengths)


def test_a_mixture_extends_where_all_of_its_parts_do_and_else_says_so() -> None:
    half = Weighting((0.5, 0.5))
    able = mixture.mixed([Patient(0.2), Patient(0.4)], half, families=["a", "b"])
    assert isinstance(able, Extends)
    ids = np.zeros((3, 5), np.int32)
    logprobs, state = able.begin(ids[:, :1], np.ones(3, np.int32))
    lengths = np.array([2, 5, 3], np.int32)
    logprobs, state = able.extend(state, ids, lengths)
    np.testing.assert_allclose(np.exp(logprobs[:, 1]), 0.3, rtol=1e-5)
    assert [held.tolist() for held in state] == [[3, 6, 4]] * 2
    for parts in ([Patient(0.2), Coin(0.4)], [Coin(0.2), Patient(0.4)]):
        assert not isinstance(mixture.mixed(parts, half, families=["a", "b"]), Extends)


def test_labels_are_scored_by_a_mixture_one_of_whose_parts_reads_on_id_by_id() -> None:
    # 0.5·0.2 + 0.5·0.4 = 0.3
    some = mixture.mixed([Patient(0.2), Coin(0.4)], Weighting((0.5, 0.5)), families=["a", "b"])
    prompts = [np.array(row, np.int32) for row in ([0, 1, 1, 0], [0, 1, 1, 1], [0, 1, 1, 1, 1])]
    found = LabelScorer(some, [np.array([1], np.int32)]).logprobs(prompts)
    np.testing.assert_allclose(np.exp(found), 0.3, rtol=1e-5)


def mixed(weighting: Weighting, ids: list[int]) -> list[float]:
    """Return the probabilities that a coin of 1/2 and one of 9/10 for id 1, mixed, give to ``ids`` after bos."""
    model = Mixture([Coin(0.5), Coin(0.9)], weighting, families=["a", "b"])
    row = np.array([[0, *ids]], dtype=np.int32)
    scanned = np.exp(model.token_logprobs(row, np.array([row.shape[1]], dtype=np.int32)))[0]
    logprobs, state = model.begin(row[:, :1], np.ones(1, dtype=np.int32))
    for t, token in enumerate(ids):
        assert np.exp(logprobs[0, token]) == pytest.approx(scanned[t], rel=1e-5)
        logprobs, state = model.step(state, np.array([token], dtype=np.int32))
    return [float(p) for p in scanned]


# The entropy of a coin of 9/10 in bits, which is its share of the largest, log 2.
U = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))


def test_constant_weights_average_probabilities() -> None:
    # 3/4 · 1/2 + 1/4 · 9/10 = 3/5 for id 1, so 2/5 for id 0.
    assert mixed(Weighting((0.75, 0.25)), [1, 0, 1]) == pytest.approx([0.6, 0.4, 0.6])


def test_a_part_counts_less_where_it_is_uncertain() -> None:
    # u is 1 and U: weights ∝ 3/4 · e^(−2·1) and 1/4 · e^(−2·U).
    first, second = 0.75 * math.exp(-2), 0.25 * math.exp(-2 * U)
    expected = (first * 0.5 + second * 0.9) / (first + second)
    assert mixed(Weighting((0.75, 0.25), slopes=(-2.0, -2.0)), [1]) == pytest.approx([expected])
    assert expected > 0.6


def test_each_part_has_its_own_slope_and_curve() -> None:
    # Weights ∝ 1/2 · e^(3·1 − 1·1²) and 1/2 · e^(−1·U + 2·U²).
    first, second = math.exp(3 - 1), math.exp(-U + 2 * U**2)
    expected = (first * 0.5 + second * 0.1) / (first + second)
    weighting = Weighting((0.5, 0.5), slopes=(3.0, -1.0), curves=(-1.0, 2.0))
    assert mixed(weighting, [0, 0]) == pytest.approx([expected, expected])


def test_curves_may_stand_without_slopes() -> None:
    first, second = 1.0, math.exp(U**2 - 1)
    expected = (first * 0.5 + second * 0.9) / (first + second)
    assert mixed(Weighting((0.5, 0.5), curves=(1.0, 1.0)), [1]) == pytest.approx([expected])


def test_equal_slopes_of_equally_certain_parts_change_nothing() -> None:
    model = Mixture([Coin(0.2), Coin(0.8)], Weighting((0.75, 0.25), slopes=(5.0, 5.0)), families=["a", "b"])
    logprobs, _ = model.begin(np.zeros((1, 1), dtype=np.int32), np.ones(1, dtype=np.int32))
    assert np.exp(logprobs[0, 1]) == pytest.approx(0.75 * 0.2 + 0.25 * 0.8)


def test_what_one_part_holds_for_impossible_the_other_may_save() -> None:
    model = Mixture([Coin(0.0), Coin(0.5)], Weighting((0.5, 0.5), slopes=(-1.0, -1.0)), families=["a", "b"])
    logprobs = model.token_logprobs(np.array([[0, 1]], dtype=np.int32), np.array([2], dtype=np.int32))
    # u is 0 and 1: the second's weight is e^−1 / (1 + e^−1), its probability 1/2.
    assert np.exp(logprobs[0, 0]) == pytest.approx(0.5 * math.exp(-1) / (1 + math.exp(-1)))


def test_context_is_the_shortest_of_the_parts() -> None:
    weights = Weighting((0.5, 0.5))
    assert Mixture([Coin(0.2, context=7), Coin(0.2)], weights, families=["a", "b"]).context == 7
    assert Mixture([Coin(0.2), Coin(0.2)], weights, families=["a", "b"]).context is None


class Rising:
    """The longer what was read, the surer: id 1 has the probability of ids read to all ids, 2 ids at least."""

    def __init__(self, *, context: int | None = None) -> None:
        self.context = context
        self.vocabulary = Vocabulary(2, 0, 0)

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        assert self.context is None or ids.shape[1] <= self.context + 1
        read = np.arange(1, ids.shape[1], dtype=np.float32)
        inside = np.arange(1, ids.shape[1]) < lengths[:, None]
        return np.where(inside, np.log(read / (read + 1)), 0).astype(np.float32)


@pytest.mark.parametrize("stride", [None, 1, 3, 7])
def test_each_part_reads_documents_as_far_back_as_it_can(stride: int | None) -> None:
    near, far = Rising(context=5), Rising()
    model = Mixture([near, far], Weighting((0.25, 0.75)), families=["a", "b"])  # type: ignore[list-item]
    sequences = [np.array([0, *[1] * length], np.int32) for length in (1, 3, 17)]
    whole = far.token_logprobs(sequences[2][None], np.array([18], np.int32))[0]
    found = document_logprobs(model, sequences, stride=stride)
    assert len(found) == 3
    for ids, told in zip(sequences, found, strict=True):
        alone = document_logprobs(near, [ids], stride=min(stride or 2, 5))[0]  # type: ignore[arg-type]
        expected = 0.25 * np.exp(alone) + 0.75 * np.exp(whole[: len(told)])
        np.testing.assert_allclose(np.exp(told), expected, rtol=1e-5)


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
