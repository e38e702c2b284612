"""Contextual calibration by hand."""

import numpy as np
import pytest

from ziggurat.use.calibration import CONTENT_FREE, among_labels, bias_of, calibrated


def logs(*probabilities: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.array(probabilities)))


def test_the_inputs_without_content_are_those_of_the_article() -> None:
    assert CONTENT_FREE == ("N/A", "[MASK]", "")


def test_among_labels_the_rest_of_the_vocabulary_does_not_count() -> None:
    # 0.06 and 0.02 of all words are 3/4 and 1/4 of the two labels
    assert np.exp(among_labels(logs(0.06, 0.02))).tolist() == pytest.approx([3 / 4, 1 / 4])


def test_rows_are_normalised_each_by_itself() -> None:
    found = np.exp(among_labels(np.stack([logs(0.5, 0.5, 1.0), logs(0.1, 0.3, 0.0001)])))
    assert found.sum(axis=1).tolist() == pytest.approx([1, 1])
    assert found[0].tolist() == pytest.approx([1 / 4, 1 / 4, 1 / 2])


def test_scores_below_what_a_float_holds_are_still_compared() -> None:
    assert np.exp(among_labels(np.array([-5000.0, -5000.0 + np.log(3)]))).tolist() == pytest.approx([1 / 4, 3 / 4])


def test_the_bias_is_the_mean_of_probabilities_not_of_scores() -> None:
    # (3/4 + 1/4 + 1/2) / 3 = 1/2
    found = bias_of(np.stack([logs(0.03, 0.01), logs(0.2, 0.6), logs(0.4, 0.4)]))
    assert np.exp(found).tolist() == pytest.approx([1 / 2, 1 / 2])
    # (9/10 + 3/10) / 2 = 6/10
    assert np.exp(bias_of(np.stack([logs(0.9, 0.1), logs(0.3, 0.7)]))).tolist() == pytest.approx([6 / 10, 4 / 10])


def test_calibration_divides_by_the_bias_and_normalises() -> None:
    # p̂ = (0.7, 0.3), p̂_cf = (0.8, 0.2): W·p̂ = (0.875, 1.5), which is (7, 12) / 19: the answer changes
    found = calibrated(logs(0.7, 0.3)[None], logs(0.8, 0.2))
    assert np.exp(found).tolist() == [pytest.approx([7 / 19, 12 / 19])]


def test_what_says_no_more_than_the_bias_comes_out_uniform() -> None:
    found = calibrated(logs(0.08, 0.01, 0.01)[None], logs(0.8, 0.1, 0.1))
    assert np.exp(found).tolist() == [pytest.approx([1 / 3, 1 / 3, 1 / 3])]


def test_no_bias_changes_nothing() -> None:
    scores = np.stack([logs(0.1, 0.3), logs(0.5, 0.125)])
    assert calibrated(scores, logs(0.5, 0.5)).tolist() == [pytest.approx(row) for row in among_labels(scores).tolist()]


def test_a_label_that_is_never_said_can_be_divided_by() -> None:
    bias = bias_of(logs(1.0, 0.0)[None])
    assert bias.tolist() == pytest.approx([0, -100])
    found = calibrated(np.stack([logs(1.0, 0.0), logs(0.5, 0.5)]), bias)
    assert np.isfinite(found).all()
    assert np.exp(found[0]).tolist() == pytest.approx([0.5, 0.5])
    assert np.exp(found[1]).tolist() == pytest.approx([0, 1])


def test_labels_that_are_all_impossible_are_equally_likely() -> None:
    assert np.exp(among_labels(logs(0.0, 0.0, 0.0, 0.0))).tolist() == pytest.approx([1 / 4] * 4)
