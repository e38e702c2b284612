"""An encoder that tells labels, opened by transformers as BertForSequenceClassification, from shared random weights."""

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.classifying import NeuralClassifier
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.encoder_classifier import FAMILY, EncoderClassifierConfig

CONTEXT, TOLERANCE = 31, 1e-4
VOCABULARY = Vocabulary(size=53, bos=2, eos=3, unk=5, mask=7, pad=1)
SMALL = EncoderClassifierConfig(
    layers=3, width=24, heads=4, feedforward=28, context=CONTEXT, labels=("no", "maybe", "yes", "好", "5")
)


def random_model(**keys: Any) -> NeuralClassifier:
    model = FAMILY.build(dataclasses.replace(SMALL, **keys), VOCABULARY, seed=3)
    for name, parameter in model.network.named_parameters():
        if "norm.weight" not in name:
            fill_normal(parameter, std=0.4, seed=3, name=name)
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys, tensors = FAMILY.state(random_model())
    (tmp_path / "config.json").write_text(json.dumps(keys))
    save_file(dict(tensors), tmp_path / "model.safetensors", metadata={"format": "pt"})
    return tmp_path


def open_by_transformers(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import transformers

    transformers.logging.disable_progress_bar()
    kind = transformers.AutoModelForSequenceClassification
    model, found = kind.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    return model.eval()


def test_logits_and_labels_are_theirs(folder: Path) -> None:
    ours, theirs = random_model(), open_by_transformers(folder)
    assert type(theirs).__name__ == "BertForSequenceClassification"
    assert theirs.config.id2label == {0: "no", 1: "maybe", 2: "yes", 3: "好", 4: "5"}
    ids = torch.randint(2, VOCABULARY.size, (5, 13), generator=torch.Generator().manual_seed(5))
    lengths = torch.tensor([13, 2, 7, 1, 11])
    keep_mask = torch.arange(13) < lengths[:, None]
    with torch.no_grad():
        logits = theirs(ids, attention_mask=keep_mask.long()).logits
        mine = ours.network(ids, lengths)
    assert (logits - mine).abs().max() <= TOLERANCE
    told = ours.label_logprobs(ids.numpy().astype(np.int32), lengths.numpy())
    assert np.abs(told - logits.log_softmax(-1).numpy()).max() <= TOLERANCE
    assert np.ptp(told) > 0.1


def test_what_transformers_saves_can_be_opened(folder: Path, tmp_path: Path) -> None:
    open_by_transformers(folder).save_pretrained(tmp_path / "theirs")
    keys = json.loads((tmp_path / "theirs" / "config.json").read_text())
    again, ours = FAMILY.restore(keys, load_file(tmp_path / "theirs" / "model.safetensors")), random_model()
    assert again.labels == ours.labels
    ids = np.random.default_rng(3).integers(2, 53, (2, 11)).astype(np.int32)
    lengths = np.array([11, 7], np.int32)
    np.testing.assert_array_equal(again.label_logprobs(ids, lengths), ours.label_logprobs(ids, lengths))


@pytest.mark.parametrize(
    "keys", [{"pool": "mean"}, {"pooler": False}, {"norm_place": "pre"}, {"token_types": 0}], ids=str
)
def test_other_forms_have_a_layout_of_their_own(keys: dict[str, Any]) -> None:
    model = random_model(**keys)
    written, tensors = FAMILY.state(model)
    assert "architectures" not in written
    again = FAMILY.restore(written, tensors)
    assert again.network.config == model.network.config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id2label": None}, "the key 'id2label' is missing"),
        ({"id2label": {"0": "no", "2": "yes"}}, r"id2label has the numbers \[0, 2\], and not 0 to 1"),
        ({"id2label": {"0": "no", "1": "no"}}, "'no' is there more than once"),
        (
            {"id2label": {"0": "no", "1": "yes"}},
            r"'classifier\.weight' has shape \[5, 24\] where \[2, 24\] is expected",
        ),
        ({"hidden_act": "mish"}, "hidden_act 'mish' is not one of gelu, gelu_new"),
        ({"num_hidden_layers": 4}, r"'bert\.encoder\.layer\.3\.attention\.self\.query\.weight' is missing"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    keys, tensors = FAMILY.state(random_model())
    changed = {key: value for key, value in {**keys, **change}.items() if value is not None}
    with pytest.raises(ArtefactError, match=message):
        FAMILY.restore(changed, tensors)
