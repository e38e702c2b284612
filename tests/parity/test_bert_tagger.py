"""An encoder that labels words, opened by transformers as BertForTokenClassification, from shared random weights."""

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from tests.fakes.word_batches import word_batch
from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.blocks.tagging import NeuralTagger, word_tensors
from ziggurat.models.encoder_tagger import FAMILY, EncoderTaggerConfig

CONTEXT, TOLERANCE = 67, 1e-4
VOCABULARY = Vocabulary(size=53, bos=2, eos=3, unk=5, mask=7, pad=1)
LABELS = ("O", "B-人", "I-人", "B-LOC", "I-LOC")
SMALL = EncoderTaggerConfig(layers=3, width=24, heads=4, feedforward=28, context=CONTEXT, labels=LABELS)
WORDS = (13, 2, 7, 1, 11)
CHAIN = {"crf.transitions", "crf.start", "crf.end"}


def random_model(**keys: Any) -> NeuralTagger:
    model = FAMILY.build(dataclasses.replace(SMALL, **keys), VOCABULARY, seed=3)
    for name, parameter in model.network.named_parameters():
        if "norm.weight" not in name:
            fill_normal(parameter, std=0.4, seed=3, name=name)
    return model


def written(model: NeuralTagger, folder: Path) -> Path:
    keys, tensors = FAMILY.state(model)
    (folder / "config.json").write_text(json.dumps(keys))
    save_file(dict(tensors), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def open_by_transformers(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import transformers

    transformers.logging.disable_progress_bar()
    kind = transformers.AutoModelForTokenClassification
    model, found = kind.from_pretrained(folder, output_loading_info=True)
    assert set(found.pop("unexpected_keys")) <= CHAIN
    assert not any(found.values()), found
    return model.eval()


def test_emissions_and_labels_are_theirs(tmp_path: Path) -> None:
    ours = random_model()
    theirs = open_by_transformers(written(ours, tmp_path))
    assert type(theirs).__name__ == "BertForTokenClassification"
    assert theirs.config.id2label == dict(enumerate(LABELS))
    batch = word_batch(WORDS, ids=VOCABULARY.size)
    words = word_tensors(batch, torch.device("cpu"))
    keep_mask = torch.arange(batch.ids.shape[1]) < words.lengths[:, None]
    with torch.no_grad():
        logits = theirs(words.ids, attention_mask=keep_mask.long()).logits
        mine = ours.network.emissions(words)
    for row, count in enumerate(WORDS):
        expected = logits[row, words.firsts[row, :count]]
        assert (expected - mine[row, :count]).abs().max() <= TOLERANCE
    assert float(mine[0].std()) > 0.1


def test_what_transformers_saves_has_no_chain_and_tells_words_one_by_one(tmp_path: Path) -> None:
    ours = random_model(scheme="none")
    theirs = open_by_transformers(written(ours, tmp_path))
    theirs.save_pretrained(tmp_path / "theirs")
    arrays = load_file(tmp_path / "theirs" / "model.safetensors")
    assert not CHAIN & arrays.keys()
    again = FAMILY.restore(json.loads((tmp_path / "theirs" / "config.json").read_text()), arrays)
    assert again.labels == LABELS
    batch = word_batch(WORDS, ids=VOCABULARY.size)
    words = word_tensors(batch, torch.device("cpu"))
    said, sure = again.tag(batch)
    with torch.no_grad():
        told = again.network.emissions(words).softmax(-1).numpy()
    for row, count in enumerate(WORDS):
        np.testing.assert_array_equal(said[row, :count], told[row, :count].argmax(-1))
        np.testing.assert_allclose(sure[row, :count], told[row, :count].max(-1), rtol=1e-4)


@pytest.mark.parametrize(
    "keys",
    [{"word": "mean"}, {"character_filters": 5}, {"cells": 3}, {"norm_place": "pre"}, {"token_types": 0}],
    ids=str,
)
def test_other_forms_have_a_layout_of_their_own(keys: dict[str, Any]) -> None:
    model = random_model(**keys)
    described, tensors = FAMILY.state(model)
    assert "architectures" not in described
    again = FAMILY.restore(described, tensors)
    assert again.network.config == model.network.config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id2label": None}, "the key 'id2label' is missing"),
        ({"id2label": {"0": "O", "2": "B-A"}}, r"id2label has the numbers \[0, 2\], and not 0 to 1"),
        ({"id2label": {"0": "O", "1": "O"}}, "each label may stand there once"),
        ({"id2label": {"0": "O", "1": "B-A"}}, r"'classifier\.weight' has shape \[5, 24\] where \[2, 24\] is expected"),
        ({"hidden_act": "mish"}, "hidden_act 'mish' is not one of gelu, gelu_new"),
        ({"num_hidden_layers": 4}, r"'bert\.encoder\.layer\.3\.attention\.self\.query\.weight' is missing"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    keys, tensors = FAMILY.state(random_model())
    changed = {key: value for key, value in {**keys, **change}.items() if value is not None}
    with pytest.raises(ArtefactError, match=message):
        FAMILY.restore(changed, tensors)
