"""Weighing classifiers on held-out texts, where the best weights are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fakes.jobs import Recorder
from tests.fakes.labelled_jobs import drawn, labelled_job
from ziggurat.core.errors import UsageError
from ziggurat.models.classifier_ensemble import ClassifierEnsemble, pooled
from ziggurat.models.linear import Linear
from ziggurat.models.registry import FAMILIES
from ziggurat.training import opinion_pool
from ziggurat.training.job import Fitted, Job, trainer
from ziggurat.training.opinion_pool import fit_weights


def binary(chances: list[float]) -> np.ndarray:
    """(N, 2) log-probabilities of parts that give label 1 these chances."""
    right = np.array(chances)
    return np.asarray(np.log(np.stack([1 - right, right], axis=1)))


def loss(weights: np.ndarray, told: np.ndarray, classes: np.ndarray) -> float:
    return -float(pooled(weights.tolist(), told)[np.arange(classes.size), classes].mean(dtype=np.float64))


def test_one_part_is_brought_to_how_often_it_is_right() -> None:
    # It says 0.9 and is right in three of four: λ with 0.9^λ / (0.9^λ + 0.1^λ) = 3/4, so 9^λ = 3 and λ = 1/2.
    told = binary([0.9] * 400)[None]
    classes = np.array([1, 1, 1, 0] * 100, np.int32)
    assert fit_weights(told, classes, pull=0.0).tolist() == pytest.approx([0.5], abs=1e-3)


def test_a_part_that_is_wrong_more_often_than_right_is_left_out() -> None:
    classes = np.array([1, 1, 1, 0] * 100, np.int32)
    told = np.stack([binary([0.9] * 400), binary([0.9 if one == 0 else 0.1 for one in classes])])
    found = fit_weights(told, classes, pull=0.01)
    assert found[1] == 0.0
    assert found[0] == pytest.approx(0.5, abs=1e-2)


def test_where_every_part_is_wrong_they_count_alike() -> None:
    classes = np.zeros(400, np.int32)
    told = np.stack([binary([0.9] * 400), binary([0.8] * 400)])
    assert fit_weights(told, classes, pull=0.0).tolist() == [0.5, 0.5]


def test_weights_are_where_no_neighbour_is_better() -> None:
    dice = np.random.default_rng(3)
    scores = dice.standard_normal((3, 500, 4))
    classes = dice.integers(0, 4, 500).astype(np.int32)
    scores[0, np.arange(500), classes] += 1.0
    scores[1, np.arange(500), classes] += 0.5
    told = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    found = fit_weights(told, classes, pull=0.0)
    assert found[0] > found[1] > found[2]
    best = loss(found, told, classes)
    for part in range(3):
        for step in (-0.05, 0.05):
            moved = found.copy()
            moved[part] = max(0.0, moved[part] + step)
            assert loss(moved, told, classes) >= best - 1e-6


def test_a_part_that_was_left_out_is_heard_again_where_it_helps() -> None:
    """Whatever was left out on the way, no part alone could lower the loss in the end."""
    for seed in range(12):
        dice = np.random.default_rng(seed)
        classes = dice.integers(0, 2, 60).astype(np.int32)
        common = dice.standard_normal(60)
        told = np.stack(
            [
                binary((1 / (1 + np.exp(-2 * (sign * common + own * dice.standard_normal(60))))).tolist())
                for sign, own in ((1, 0.1), (-1, 0.2), (1, 0.4), (-1, 0.8))
            ]
        )
        found = fit_weights(told, classes, pull=0.1)

        def goal(weights: np.ndarray, told: np.ndarray = told, classes: np.ndarray = classes) -> float:
            return loss(weights, told, classes) * classes.size + 0.05 * float(np.square(weights - 0.25).sum())

        for part in range(4):
            for step in (-1e-2, 1e-2):
                moved = found.copy()
                moved[part] = max(0.0, moved[part] + step)
                assert goal(moved) >= goal(found) - 1e-4


def test_a_strong_pull_leaves_the_mean() -> None:
    classes = np.array([1, 1, 0], np.int32)
    told = np.stack([binary([0.9, 0.9, 0.1]), binary([0.4, 0.6, 0.5])])
    assert fit_weights(told, classes, pull=1e9).tolist() == pytest.approx([0.5, 0.5], abs=1e-6)


def test_what_a_part_holds_for_impossible_decides_nothing_alone() -> None:
    with np.errstate(divide="ignore"):
        told = np.stack([binary([0.0, 1.0, 1.0]), binary([0.6, 0.6, 0.7])])
    found = fit_weights(told, np.array([1, 1, 1], np.int32))
    assert np.isfinite(found).all()
    assert (found >= 0).all()


# -- as a trainer --------------------------------------------------------------------------------------------------


def ensemble_job(**keys: Any) -> Job:
    """A job whose parts are a linear classifier that was trained and one that was not."""
    train, dev = drawn(200, seed=1), drawn(80, seed=2)
    good = trainer(FAMILIES.get("linear")).fit(labelled_job("linear", train, dev)).model
    assert isinstance(good, Linear)
    empty = FAMILIES.get("linear").build(good.config, good.vocabulary, seed=1)
    job = labelled_job("classifier_ensemble", train, dev, **keys)
    return replace(job, parts=(good, empty), part_families=("linear", "linear"))


def ensemble_of(found: Fitted) -> ClassifierEnsemble:
    assert isinstance(found.model, ClassifierEnsemble)
    return found.model


def test_a_trained_part_outweighs_one_that_knows_nothing() -> None:
    job, heard = ensemble_job(pull=0.0), Recorder()
    found = opinion_pool.fit(replace(job, listener=heard))
    model = ensemble_of(found)
    assert model.weights[0] > 0.8
    # a part that says the same of every label changes nothing, whatever its weight
    assert found.facts["dev_accuracy"] == found.facts["parts_dev_accuracy"][0]
    assert found.facts["dev_loss"] < min(found.facts["parts_dev_loss"]) + 1e-6
    assert found.facts["weights"] == list(model.weights)
    assert (found.facts["texts"], found.facts["dev_texts"]) == (200, 80)
    (event,) = heard.of("eval")
    assert (event["loss"], event["per"]) == (found.facts["dev_loss"], "text")


def test_its_dev_figures_are_those_of_the_model_that_it_returns() -> None:
    job = ensemble_job()
    found = opinion_pool.fit(job)
    assert job.dev is not None
    assert job.labels is not None
    assert job.labels.dev is not None
    told = []
    for number in range(len(job.dev.starts) - 1):
        row = job.dev.document(number)[None]
        told.append(ensemble_of(found).label_logprobs(row, np.array([row.shape[1]], np.int32))[0])
    logprobs = np.array(told)
    classes = job.labels.dev
    assert float((logprobs.argmax(axis=1) == classes).mean()) == found.facts["dev_accuracy"]
    assert -logprobs[np.arange(classes.size), classes].mean() == pytest.approx(found.facts["dev_loss"], rel=1e-5)


def test_without_held_out_texts_parts_count_alike() -> None:
    job = ensemble_job()
    assert job.labels is not None
    for bare in (
        replace(job, dev=None, labels=replace(job.labels, dev=None)),
        replace(job, labels=replace(job.labels, dev=np.full(80, -1, np.int32))),
    ):
        found = opinion_pool.fit(bare)
        assert ensemble_of(found).weights == (0.5, 0.5)
        assert "dev_loss" not in found.facts


def test_what_can_t_be_pooled_is_refused() -> None:
    job = ensemble_job()
    for broken in (replace(job, parts=(), part_families=()), replace(job, labels=None)):
        with pytest.raises(UsageError, match="an ensemble needs classifiers to pool"):
            opinion_pool.fit(broken)
    counted = FAMILIES.get("ngram").tiny(seed=0)
    with pytest.raises(UsageError, match="ngram: tells no labels of texts"):
        opinion_pool.fit(replace(job, parts=(counted,), part_families=("ngram",)))
