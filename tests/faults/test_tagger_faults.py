"""What a user reads when a tagger's keys, files or labels do not fit: one line that says what to do."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.fakes.jobs import fit, job
from tests.fakes.word_batches import word_batch
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.recurrent_tagger import FAMILY, RecurrentTaggerConfig
from ziggurat.models.registry import predicting
from ziggurat.training.objectives.tags import TaggedSentences


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"layers": 0}, "layers: must be at least 1"),
        ({"labels": ["O", "B-A", "O"]}, "labels: each label may stand there once"),
        ({"labels": ["NOUN"], "scheme": "BIO"}, "label 'NOUN' is none of BIO"),
        ({"scheme": "BIOSE"}, "unknown value 'BIOSE'.*BIOES"),
        ({"ngram_rows": 7}, "ngram_rows: there are no tables without ngram_orders"),
        ({"character_filter": 7}, "unknown key 'character_filter'.*character_filters"),
        ({"character_rows": 1}, "character_rows: must be at least 2"),
    ],
)
def test_a_tagger_that_cannot_be(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_mapping(RecurrentTaggerConfig, keys, where="recipe.toml [model]")


def test_a_tagger_without_labels_has_a_size_and_tells_none() -> None:
    config, vocabulary = RecurrentTaggerConfig(), Vocabulary(11, 0, 0)
    model = FAMILY.build(config, vocabulary, seed=0)
    assert FAMILY.anatomy(config, vocabulary).parameters == model.network.parameter_count
    labels, confidence = model.tag(word_batch([3, 1]))
    assert (labels == -1).all()
    assert not confidence.any()


def test_it_writes_no_text() -> None:
    with pytest.raises(UsageError, match="mine: labels words and writes no text; give a language model"):
        predicting(FAMILY.tiny(seed=0), "mine")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config.pop("model"), "config.json does not describe a recurrent_tagger model"),
        (lambda config: config["model"].pop("labels"), "model: labels: there are none"),
        (lambda config: config["model"].update(labels=7), "labels: expected a list"),
        (lambda config: config["model"].update(labels=["O", "B-A"]), "model.safetensors does not fit config.json"),
        (lambda config: config["model"].update(layers=1 << 40), "but there are only"),
        (lambda config: config["model"].update(hidden=1 << 40), "config.json: such a model can't be|does not fit"),
        (lambda config: config["vocabulary"].update(size=1 << 60), "config.json: such a model can't be|does not fit"),
    ],
)
def test_a_damaged_configuration_is_refused(change: Any, message: str) -> None:
    config, tensors = FAMILY.state(FAMILY.tiny(seed=3))
    change(config)
    with pytest.raises(ArtefactError, match=message):
        FAMILY.restore(config, tensors)


def test_arrays_that_do_not_fit_are_all_named() -> None:
    config, tensors = FAMILY.state(FAMILY.tiny(seed=3))
    changed = {**tensors, "crf.start": np.zeros(7, np.float32), "more": np.zeros(1, np.float32)}
    del changed["embedding.weight"]
    with pytest.raises(
        ArtefactError, match=r"'embedding.weight' is missing.*'more' is not known.*'crf.start' has shape"
    ):
        FAMILY.restore(config, changed)


def test_a_model_and_its_text_must_have_the_same_labels() -> None:
    asked = job("recurrent_tagger", steps=1)
    other = dataclasses.replace(asked.model_config, labels=("O", "I-PER", "B-PER"))
    with pytest.raises(UsageError, match=r"model\.labels: not the labels of the training text"):
        fit(dataclasses.replace(asked, model_config=other))


def test_text_without_labels_trains_no_tagger() -> None:
    with pytest.raises(UsageError, match="a recurrent_tagger model can't be fitted to words with labels"):
        fit(dataclasses.replace(job("recurrent_tagger", steps=1), tags=None))


def test_another_model_can_t_be_fitted_to_labels_of_words() -> None:
    asked = job("decoder", steps=1)
    model = asked.family.build(asked.model_config, asked.train.vocabulary, seed=0)
    tags = job("recurrent_tagger", steps=1).tags
    with pytest.raises(UsageError, match="a decoder model can't be fitted to words with labels"):
        TaggedSentences(dataclasses.replace(asked, tags=tags), model, tokens=7, unknown=0)
