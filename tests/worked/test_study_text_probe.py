"""The probe: features, folds and answers by hand, and that it finds what is there and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.size_studies import word_bundle
from ziggurat.study.text_probe import fold_numbers, mean_vectors, out_of_fold


def test_a_text_is_the_mean_of_its_words(tmp_path: Path) -> None:
    bundle = word_bundle(tmp_path / "b", {"day": [1.0, 0.0], "night": [0.0, 2.0], "long": [3.0, 4.0]})
    found = mean_vectors(bundle.encoder, bundle.tokenizer, ["day night", "day day long", "unheard", "", "day unheard"])
    # (1 + 0) / 2, (0 + 2) / 2; (1 + 1 + 3) / 3, 4 / 3; nothing known; nothing; a word that is unknown does not count
    assert found == pytest.approx(np.array([[0.5, 1.0], [5 / 3, 4 / 3], [0, 0], [0, 0], [1.0, 0.0]]))


def test_folds_are_fixed_and_even() -> None:
    classes = np.array([0] * 50 + [1] * 23 + [2] * 5)
    numbers = fold_numbers(classes)
    assert np.array_equal(numbers, fold_numbers(classes.copy()))
    for one, count in ((0, 50), (1, 23), (2, 5)):
        sizes = np.bincount(numbers[classes == one], minlength=5)
        assert sizes.sum() == count
        assert sizes.max() - sizes.min() <= 1
    assert np.bincount(numbers).tolist() != [78, 0, 0, 0, 0]


def test_two_texts_of_a_class_stand_in_two_folds() -> None:
    numbers = fold_numbers(np.array([0, 0, 1, 1, 2, 2]))
    assert all(numbers[place] != numbers[place + 1] for place in (0, 2, 4))


def test_what_a_line_can_part_is_told() -> None:
    dice = np.random.default_rng(0)
    classes = dice.integers(0, 3, 211)
    features = np.eye(3)[classes] @ dice.standard_normal((3, 7)) * 4 + dice.standard_normal((211, 7)) * 0.1
    assert out_of_fold(features, classes, fold_numbers(classes)).mean() > 0.99


def test_what_is_not_there_is_not_told() -> None:
    # a classifier that saw the labels that it tells would be far better than chance
    dice = np.random.default_rng(1)
    classes = np.arange(300) % 2
    features = dice.standard_normal((300, 61))
    # 300 fair coins: the standard deviation of the share is 0.029
    assert abs(out_of_fold(features, classes, fold_numbers(classes)).mean() - 0.5) < 0.12


def test_the_scale_of_a_feature_makes_no_difference() -> None:
    dice = np.random.default_rng(2)
    classes = dice.integers(0, 2, 101)
    features = dice.standard_normal((101, 3)) + classes[:, None]
    numbers = fold_numbers(classes)
    one, other = (out_of_fold(features * scale, classes, numbers) for scale in (1.0, np.array([1000.0, 1e-3, 7.0])))
    assert (one == other).mean() > 0.98


def test_a_feature_without_spread_does_no_harm() -> None:
    classes = np.arange(20) % 2
    features = np.stack([classes.astype(float), np.full(20, 3.0)], axis=1)
    assert out_of_fold(features, classes, fold_numbers(classes)).all()
