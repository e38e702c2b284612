"""A linear classifier that can't be trained or opened says why, in one line."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fakes.labelled_jobs import drawn, labelled_job
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import ArtefactError, TooLittleTextError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.linear import FAMILY, LinearConfig
from ziggurat.models.registry import predicting
from ziggurat.training import log_linear
from ziggurat.training.log_linear import Config

NAMES = ["part_starts", "parts", "keys", "scales", "weights", "biases"]


def state() -> tuple[dict[str, Any], dict[str, Any]]:
    config, arrays = FAMILY.state(FAMILY.tiny(seed=3))
    assert sorted(arrays) == sorted(NAMES)
    return config, dict(arrays)


def refusal(config: Any, arrays: Any) -> str:
    with pytest.raises(ArtefactError) as caught:
        FAMILY.restore(config, arrays)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- training ---------------------------------------------------------------------------------------------------------


def test_without_labels_there_is_nothing_to_learn() -> None:
    job = replace(labelled_job("linear", drawn(5)), labels=None)
    with pytest.raises(UsageError, match="learns from labels and there are none: give texts with a label each"):
        log_linear.fit(job)


@pytest.mark.parametrize("documents", [[([2, 3], 1), ([4], 1)], []])
def test_fewer_than_two_labels_are_too_few(documents: Any) -> None:
    with pytest.raises(TooLittleTextError, match=rf"have {len(documents[:1])} different labels; .* needs at least 2"):
        log_linear.fit(labelled_job("linear", documents))


def test_texts_without_words_have_no_features() -> None:
    job = labelled_job("linear", [([], 0), ([], 1)])
    with pytest.raises(TooLittleTextError, match="the training texts have no words"):
        log_linear.fit(job)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"penalties": []}, r"training: penalties: expected numbers above 0, got \[\]"),
        ({"penalties": [0.3, 0]}, r"penalties: expected numbers above 0, got \[0\.3, 0\.0\]"),
        ({"penalties": ["much"]}, r"training: penalties: expected a number, got 'much'"),
        ({"smoothing": 0.0}, r"smoothing: must be above 0, got 0\.0"),
        ({"least_texts": 0}, "least_texts: must be at least 1, got 0"),
        ({"penalty": 1.0}, r"unknown key 'penalty'; did you mean 'penalties'\?"),
    ],
)
def test_keys_that_can_t_be(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_mapping(Config, keys, where="training")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"word_ngrams": 0}, "word_ngrams: must be from 1 to 9, got 0"),
        ({"longest_ngram": 2}, "longest_ngram: must not be below shortest_ngram"),
        ({"labels": ["a", "b", "a"]}, "labels: each may stand there once"),
        ({"labels": ["a", 1]}, "labels: expected text in quotes, got 1"),
    ],
)
def test_a_model_s_keys_that_can_t_be(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_mapping(LinearConfig, keys, where="model")


@pytest.mark.parametrize("labels", [(), ("a",)])
def test_a_classifier_of_fewer_than_two_labels_is_none(labels: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=rf"labels: {len(labels)} labels; a classifier needs at least 2"):
        FAMILY.build(LinearConfig(labels=labels), Vocabulary(size=11, bos=0, eos=0), seed=1)


def test_it_predicts_no_text_and_says_so() -> None:
    with pytest.raises(UsageError, match=r"^runs/塔: tells labels and writes no text; give a language model$"):
        predicting(FAMILY.tiny(seed=0), "runs/塔")


# -- opening ----------------------------------------------------------------------------------------------------------


def test_what_is_whole_opens() -> None:
    config, arrays = state()
    again = FAMILY.state(FAMILY.restore(config, arrays))
    assert again[0] == config
    assert all(np.array_equal(again[1][name], arrays[name]) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_array_that_is_missing_is_named(name: str) -> None:
    config, arrays = state()
    del arrays[name]
    assert refusal(config, arrays) == f"config.json does not describe a linear classifier: '{name}' is missing"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change",
    [lambda array: array[..., None], lambda array: array.reshape(-1)[0], lambda array: array[::-1]],
    ids=["an axis more", "a number", "turned round"],
)
def test_an_array_of_another_shape_or_order_is_named(name: str, change: Any) -> None:
    config, arrays = state()
    arrays[name] = change(arrays[name])
    if name in ("scales", "weights", "biases") and arrays[name].shape == state()[1][name].shape:
        FAMILY.restore(config, arrays)  # other numbers, and nothing wrong with them
    elif not (name == "parts" and arrays[name].ndim == 1):
        assert f"array '{name}'" in refusal(config, arrays)


@pytest.mark.parametrize("name", NAMES)
def test_an_array_that_is_shorter_does_not_fit(name: str) -> None:
    config, arrays = state()
    arrays[name] = arrays[name][:-1]
    said = refusal(config, arrays)
    # of what is measured on each other either may be named
    assert said.startswith("array '")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["float64", "float16", "int64", "int32", "bool", "float32"])
def test_an_array_of_another_kind_is_named(name: str, kind: str) -> None:
    config, arrays = state()
    if arrays[name].dtype == kind:
        FAMILY.restore(config, arrays)  # its own kind
        return
    arrays[name] = np.zeros(arrays[name].shape, kind)
    assert refusal(config, arrays).startswith(f"array '{name}' ({kind}, ")


def test_an_array_that_nobody_knows_is_named() -> None:
    config, arrays = state()
    arrays["vectors"] = arrays["weights"]
    assert refusal(config, arrays).startswith("array 'vectors' (float32, ")


@pytest.mark.parametrize("section", ["model", "vocabulary"])
@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"unheard": 1}])
def test_a_section_that_is_missing_or_something_else_is_refused(section: str, value: Any) -> None:
    config, arrays = state()
    if value is None:
        del config[section]
    else:
        config[section] = value
    assert refusal(config, arrays).startswith("config.json does not describe a linear classifier: ")


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("model", "labels", ["bad", "good"]),
        ("model", "labels", ["bad"]),
        ("model", "labels", "bad"),
        ("model", "longest_ngram", 2),
        ("vocabulary", "size", 12),
        ("vocabulary", "bos", "zero"),
    ],
)
def test_a_value_that_can_t_be_is_refused(section: str, key: str, value: Any) -> None:
    config, arrays = state()
    config[section] = {**config[section], key: value}
    assert "config.json" in refusal(config, arrays)
