"""The linear classifier's trainer by hand: what counts say of features, and the optimum that weights are at."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fakes.jobs import Recorder
from tests.fakes.labelled_jobs import NAMES, VOCABULARY, Labelled, drawn, labelled_job
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.types import Vocabulary
from ziggurat.models.linear import Linear
from ziggurat.models.text_features import FeatureIndex, Parts, TextBags
from ziggurat.study.logistic import fit_logistic
from ziggurat.training import log_linear
from ziggurat.training.job import Fitted, Job, Spelling
from ziggurat.training.kernels.sparse_rows import add_outer, rows_times
from ziggurat.training.log_linear import Config, Problem, log_count_ratios

BAGS = TextBags(np.array([0, 2, 4, 5]), np.array([0, 1, 0, 2, 2], np.int32))
"""Three texts with the features {0, 1}, {0, 2} and {2}."""
INDEX = FeatureIndex(Parts(np.zeros(4, np.int64), np.empty(0, np.int32)), np.empty(0, np.int64), 3, 1)
"""Three ids that are features, and nothing else."""
SPELLING = Spelling(
    np.array([0, 0, 0, 2, 4, 6, 6, 6, 6, 6, 6, 6, 6, 7]), np.array([17, 5, 5, 11, 23, 17, 11], np.int32)
)
"""Ids 2, 3, 4 and 12 are spelled, in buckets 5, 11, 17 and 23."""


def fitted(train: Labelled, dev: Labelled | None = None, **keys: Any) -> Fitted:
    return log_linear.fit(labelled_job("linear", train, dev, **keys))


def model_of(found: Fitted) -> Linear:
    assert isinstance(found.model, Linear)
    return found.model


def told(model: Linear, documents: Labelled) -> np.ndarray[Any, Any]:
    """(documents, C) log-probabilities, one document at a time."""
    rows = []
    for ids, _ in documents:
        row = np.array([[0, *ids, 0]], np.int32)
        rows.append(model.label_logprobs(row, np.array([row.size], np.int32))[0])
    return np.array(rows)


def test_log_count_ratios_by_hand() -> None:
    # texts 0 and 1 have the label 0, text 2 the label 1; α = 1
    # label 0: 1 + (2, 1, 1) = (3, 2, 2), sum 7; label 1: 1 + (0, 0, 1) = (1, 1, 2), sum 4
    # ratios of label 0: (3/7)/(1/4) = 12/7, (2/7)/(1/4) = 8/7, (2/7)/(2/4) = 4/7; of label 1 their inverses
    found = log_count_ratios(BAGS, 3, np.array([0, 0, 1], np.int32), 2, smoothing=1.0)
    expected = np.log([12 / 7, 8 / 7, 4 / 7])
    assert found == pytest.approx(np.stack([expected, -expected], axis=1))


def test_log_count_ratios_of_one_label_against_all_others() -> None:
    # three texts, three labels, α = ½. Label 2 has ½ + (0, 0, 1), sum 2½; the others ½ + (2, 1, 1), sum 5½:
    # (0.2, 0.2, 0.6) / (2.5/5.5, 1.5/5.5, 1.5/5.5) = 0.44, 0.7333, 2.2
    found = log_count_ratios(BAGS, 3, np.array([0, 1, 2], np.int32), 3, smoothing=0.5)
    assert found[:, 2] == pytest.approx(np.log([0.44, 0.7333333, 2.2]))


def test_a_feature_that_no_text_has_says_nothing_and_takes_no_share() -> None:
    classes = np.array([0, 0, 1], np.int32)
    found = log_count_ratios(BAGS, 5, classes, 2, smoothing=1.0)
    assert found[:3] == pytest.approx(log_count_ratios(BAGS, 3, classes, 2, smoothing=1.0))
    assert not found[3:].any()


def test_products_with_a_sparse_matrix() -> None:
    dice = np.random.default_rng(3)
    full = dice.standard_normal((5, 7)).astype(np.float32) * (dice.random((5, 7)) < 0.4)
    full[2] = 0
    rows, columns = np.nonzero(full)
    sparse = np.searchsorted(rows, np.arange(6)), columns.astype(np.int32), full[rows, columns]
    dense, product = dice.standard_normal((7, 3)), np.ones((5, 3))
    rows_times(*sparse, dense, product)
    assert product == pytest.approx(1 + full @ dense)
    other, turned = dice.standard_normal((5, 3)), np.ones((7, 3))
    add_outer(*sparse, other, turned)
    assert turned == pytest.approx(1 + full.T @ other)


def test_the_gradient_is_that_of_the_loss() -> None:
    problem = Problem(INDEX, BAGS, np.array([0, 2, 1], np.int32), 3, smoothing=1.0)
    function = problem.loss(0.3)
    point = np.random.default_rng(5).standard_normal(problem.zeros().size)
    value, gradient = function(point)
    assert value > 0
    for place in range(point.size):
        step = np.zeros(point.size)
        step[place] = 1e-5
        slope = (function(point + step)[0] - function(point - step)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-6)
    assert problem.passes == 1 + 2 * point.size


def test_the_loss_at_zero_by_hand() -> None:
    # all labels alike: 3 texts · ln 2; the gradient of biases: Σ (½ − wanted) = 1.5 − (2, 1)
    problem = Problem(INDEX, BAGS, np.array([0, 0, 1], np.int32), 2, smoothing=1.0)
    value, gradient = problem.loss(0.3)(problem.zeros())
    assert value == pytest.approx(3 * math.log(2))
    assert gradient[-2:] == pytest.approx([-0.5, 0.5])
    # of feature 0: texts 0 and 1 with values s₀ / √(s₀² + s₁²) and s₀ / √(s₀² + s₂²), each times ½ − 1
    s = np.log([12 / 7, 8 / 7, 7 / 4])
    expected = -0.5 * (s[0] / math.hypot(s[0], s[1]) + s[0] / math.hypot(s[0], s[2]))
    assert gradient[:2] == pytest.approx([expected, -expected])


def test_one_word_that_says_all_by_hand() -> None:
    # two labels, each with four texts of one word: no n-grams (but of one id), no spelling. A text is a unit vector,
    # so by symmetry the weights are ±w: with penalty λ, 8 texts and 4 weights of size w
    # d/dw of −8 ln σ(2w) + λ/2 · 4 w² is 0: 16 (1 − σ(2w)) = 4 λ w
    train = [([2], 0)] * 4 + [([3], 1)] * 4
    model = model_of(fitted(train, names=("a", "b"), model={"word_ngrams": 1, "longest_ngram": 0}, penalties=[0.3]))
    logprobs = told(model, [([2], 0), ([3], 1), ([5], 0)])
    w = (logprobs[0, 0] - logprobs[0, 1]) / 2
    assert 16 * (1 - 1 / (1 + math.exp(-2 * w))) == pytest.approx(4 * 0.3 * w, rel=1e-3)
    assert logprobs[1] == pytest.approx(logprobs[0, ::-1], abs=1e-4)
    assert np.exp(logprobs[2]) == pytest.approx([0.5, 0.5], abs=1e-4)  # a word that it never saw says nothing


def test_it_is_the_optimum_that_plain_logistic_regression_finds() -> None:
    train, penalty = drawn(61), 0.7
    found = fitted(train, model={"word_ngrams": 1, "longest_ngram": 0}, penalties=[penalty])
    # features: ids 2 … 12 (0 is in no bag), scaled by the mean of the three ratios, rows of length 1
    classes = np.array([label for _, label in train])
    present = np.array([[float(one in ids) for one in range(2, 13)] for ids, _ in train])
    inside = np.array([1 + present[classes == label].sum(axis=0) for label in range(3)])
    outside = np.array([1 + present[classes != label].sum(axis=0) for label in range(3)])
    ratios = np.log((inside / inside.sum(axis=1, keepdims=True)) / (outside / outside.sum(axis=1, keepdims=True)))
    scaled = present * np.abs(ratios).mean(axis=0)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    weights = fit_logistic(scaled, classes, 3, penalty=penalty)
    scores = scaled @ weights[:-1] + weights[-1]
    expected = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    assert told(model_of(found), train) == pytest.approx(expected, abs=2e-3)
    assert found.facts["train_accuracy"] == pytest.approx(np.mean(expected.argmax(axis=1) == classes))


def test_features_of_words_spellings_and_ngrams() -> None:
    train = [([2, 3], 0), ([4, 2], 1), ([12], 2)]
    found = fitted(train, model={"word_ngrams": 3}, spelling=SPELLING, least_texts=1)
    # words 2, 3, 4, 12; buckets 5, 11, 17, 23; pairs (0 2) (2 3) (3 0) (0 4) (4 2) (2 0) (0 12) (12 0);
    # threes (0 2 3) (2 3 0) (0 4 2) (4 2 0) (0 12 0)
    model = model_of(found)
    assert found.facts["features"] == 4 + 4 + 8 + 5
    assert (model.index.ids, model.index.first, model.index.keys.size) == (13, 13 + 4, 13)
    # 2 is spelled in 17 and 5, 3 in 5 and 11: they share one; 4 in 23 and 17
    starts, features = model.index.parts
    shared = [set(features[starts[one] : starts[one + 1]].tolist()) for one in (2, 3, 4, 12, 5, 0)]
    assert [len(each) for each in shared] == [2, 2, 2, 1, 0, 0]
    assert len(shared[0] & shared[1]) == len(shared[2] & shared[0]) == 1
    # what no text has counts nothing: begin and end, the unknown word, words 5 … 11
    assert np.flatnonzero(model.weights.scales == 0).tolist() == [0, 1, 5, 6, 7, 8, 9, 10, 11]
    assert not model.weights.weights[[0, 1, 5, 11]].any()


def test_a_spelling_counts_half() -> None:
    # one bucket of all words of a label: its ratio is that of the words together, and half of it is its scale
    train = [([2], 0), ([3], 0), ([4], 1), ([5], 1)]
    spelling = Spelling(np.array([0, 0, 0, 1, 2, *[2] * 9]), np.array([17, 17], np.int32))
    found = fitted(train, names=("a", "b"), model={"word_ngrams": 1}, spelling=spelling)
    # label a: 1 + (1, 1, 0, 0, 2), sum 9; label b: 1 + (0, 0, 1, 1, 0), sum 7; the ratio of word 4 is (1 / 9) : (2 / 7)
    scales = model_of(found).weights.scales
    assert scales[[2, 4, 13]] == pytest.approx([math.log(14 / 9), math.log(18 / 7), math.log(21 / 9) / 2])


def test_rare_ngrams_are_left_out_and_rare_words_are_not() -> None:
    train = [([2, 3], 0), ([2, 4], 1), ([2, 3], 0), ([5], 1)]
    keys: dict[str, Any] = {"names": ("a", "b"), "spelling": SPELLING}
    # words 2, 3, 4, 5; in two texts or more: the pairs (0 2), (2 3), (3 0), and the buckets 5, 11, 17
    assert fitted(train, **keys).facts["features"] == 4 + 3 + 3
    # and the pairs (2 4) (4 0) (0 5) (5 0), and the bucket 23
    assert fitted(train, least_texts=1, **keys).facts["features"] == 4 + 7 + 4
    assert fitted(train, least_texts=5, **keys).facts["features"] == 4


def test_it_learns_and_says_what_it_did() -> None:
    recorder = Recorder()
    found = fitted(drawn(211), drawn(97, seed=1), listener=recorder, penalties=[1.0, 0.1, 30.0])
    facts = found.facts
    assert model_of(found).labels == NAMES
    assert facts["dev_accuracy"] > 0.75
    assert facts["dev_loss"] < math.log(3) * 0.8
    assert (facts["texts"], facts["dev_texts"]) == (211, 97)
    assert [penalty for penalty, _, _ in facts["penalties"]] == [30.0, 1.0, 0.1]
    assert [facts["penalty"], facts["dev_loss"], facts["dev_accuracy"]] == min(
        facts["penalties"], key=lambda one: one[1]
    )
    assert [event["penalty"] for event in recorder.of("eval")] == [30.0, 1.0, 0.1]
    assert recorder.of("end")[0]["step"] == facts["steps"] > 3
    assert recorder.of("start")[0]["parameters"] == model_of(found).weights.weights.size


def test_without_held_out_texts_the_first_penalty_counts() -> None:
    train = drawn(53)
    found = fitted(train, penalties=[1.0, 0.1])
    assert found.facts["penalty"] == 1.0
    assert not [name for name in found.facts if name.startswith("dev") or name == "penalties"]
    assert np.array_equal(told(model_of(found), train), told(model_of(fitted(train, penalties=[1.0])), train))


def test_a_label_that_training_lacks_is_told_wrongly() -> None:
    train, dev = drawn(53), drawn(29, seed=1)
    whole = fitted(train, dev, penalties=[1.0]).facts
    strange = [*dev, ([2, 5], -1), ([3], -1)]
    facts = fitted(train, strange, penalties=[1.0]).facts
    assert facts["dev_loss"] == pytest.approx(whole["dev_loss"])
    assert facts["dev_accuracy"] == pytest.approx(whole["dev_accuracy"] * 29 / 31)
    assert "dev_loss" not in fitted(train, [([2], -1)]).facts  # nothing can be told of these


def test_the_same_texts_give_the_same_model_whatever_the_seed() -> None:
    job = labelled_job("linear", drawn(53))
    one, other = (model_of(log_linear.fit(replace(job, seed=seed))) for seed in (1, 2))
    assert np.array_equal(one.weights.weights, other.weights.weights)


def test_text_that_is_read_in_pieces_gives_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    train, dev = drawn(53), drawn(11, seed=1)
    whole = fitted(train, dev)
    monkeypatch.setattr(log_linear, "_TOKENS_AT_ONCE", 13)
    parted = fitted(train, dev)
    assert np.array_equal(model_of(whole).weights.weights, model_of(parted).weights.weights)
    assert whole.facts["dev_loss"] == parted.facts["dev_loss"]


def test_begin_and_end_may_be_two_ids() -> None:
    vocabulary = Vocabulary(size=14, bos=0, eos=13, unk=1)
    train = drawn(53)
    keys: dict[str, Any] = {"model": {"word_ngrams": 1, "longest_ngram": 0}, "penalties": [1.0]}
    one = fitted(train, **keys)
    other = fitted(train, vocabulary=vocabulary, **keys)
    assert one.facts["features"] == other.facts["features"] == 11
    assert model_of(other).weights.weights[:13] == pytest.approx(model_of(one).weights.weights, abs=1e-6)


def test_scores_do_not_depend_on_how_many_texts_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    train = drawn(53)
    model = model_of(fitted(train, spelling=SPELLING))
    stream = MemoryStream.of([ids for ids, _ in train], VOCABULARY)
    lengths = np.array([stream.document(number).size for number in range(53)], np.int32)
    rows = np.zeros((53, int(lengths.max())), np.int32)
    for number, length in enumerate(lengths):
        rows[number, :length] = stream.document(number)
    together = model.label_logprobs(rows, lengths)
    monkeypatch.setattr("ziggurat.models.linear._AT_ONCE", 17)
    assert model.label_logprobs(rows, lengths) == pytest.approx(together, abs=1e-5)
    assert told(model, train) == pytest.approx(together, abs=1e-5)


def test_the_defaults_are_a_job_s() -> None:
    job: Job = labelled_job("linear", drawn(13))
    assert job.config == Config()
