"""What a user reads when a model's keys, files or texts do not fit: one line that says what to do."""

from typing import Any

import numpy as np
import pytest
import torch

from ziggurat.core.config import from_mapping
from ziggurat.core.errors import ArtefactError, UnknownNameError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.decoder import FAMILY as DECODER
from ziggurat.models.decoder import DecoderConfig
from ziggurat.models.encoder import FAMILY as ENCODER
from ziggurat.models.mixture import FAMILY as MIXTURE
from ziggurat.models.mixture import Mixture, MixtureConfig, Weighting
from ziggurat.models.recurrent import FAMILY as RECURRENT
from ziggurat.models.recurrent import RecurrentConfig
from ziggurat.models.seq2seq import FAMILY as SEQ2SEQ


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"width": 100, "heads": 3}, r"width \(100\) is not a multiple of heads \(3\)"),
        ({"width": 15, "heads": 5}, r"head_width \(3\) must be even"),
        ({"heads": 6, "key_heads": 4}, r"heads \(6\) is not a multiple of key_heads \(4\)"),
        ({"dropout": 1.0}, r"recipe.toml \[model\]: dropout: must be from 0.0 to 0.95"),
        ({"layer": 3}, r"unknown key 'layer'.*layers"),
        ({"context": 1}, r"context: must be at least 2, got 1"),
    ],
)
def test_a_decoder_that_cannot_be(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_mapping(DecoderConfig, keys, where="recipe.toml [model]")


def test_an_lstm_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="layers: must be at least 1"):
        from_mapping(RecurrentConfig, {"layers": 0}, where="recipe.toml [model]")


def test_more_than_the_context_is_refused_wherever_it_is_asked_for() -> None:
    model = DECODER.build(DecoderConfig(layers=1, width=6, heads=1, context=7), Vocabulary(11, 0, 0), seed=0)
    ids, lengths = np.zeros((1, 9), dtype=np.int32), np.array([9], dtype=np.int32)
    for asked in (model.token_logprobs, model.score, model.begin):
        with pytest.raises(UsageError, match=r"ids are more than the model can read at once \(its context is 7\)"):
            asked(ids, lengths)
    with pytest.raises(UsageError, match="8 ids"):
        model.network.hidden(torch.zeros(1, 8, dtype=torch.long))
    # The last id of a text is predicted and not read, so 8 ids can be scored.
    assert model.token_logprobs(ids, np.array([8], dtype=np.int32)).shape == (1, 8)
    _, state = model.begin(ids[:, :7], np.array([7], dtype=np.int32))
    with pytest.raises(UsageError, match="8 ids"):
        model.step(state, np.zeros(1, dtype=np.int32))


@pytest.mark.parametrize("family", [DECODER, RECURRENT])
def test_tensors_that_do_not_fit_are_all_named(family: Any) -> None:
    config, tensors = family.state(family.tiny(seed=3))
    names = sorted(tensors)
    damaged = dict(tensors) | {names[1]: np.zeros((2, 3, 5), dtype=np.float32), "surplus": np.zeros(7)}
    del damaged[names[0]]
    with pytest.raises(ArtefactError) as caught:
        family.restore(config, damaged)
    message = str(caught.value)
    assert f"'{names[0]}' is missing" in message
    assert f"'{names[1]}' has shape [2, 3, 5] where " in message
    assert "'surplus' is not known" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("family", "key"), [(DECODER, "hidden_size"), (RECURRENT, "vocabulary"), (MIXTURE, "weighting")]
)
def test_a_configuration_without_its_keys_is_refused(family: Any, key: str) -> None:
    config, tensors = family.state(family.tiny(seed=3))
    del config[key]
    with pytest.raises(ArtefactError, match=f"config.json.*'{key}'"):
        family.restore(config, tensors)


def ours(family: Any, **keys: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a model that no other program has a form for is at rest."""
    return family.state(family.build(family.config(**keys), Vocabulary(11, 0, 0, mask=10), seed=3))  # type: ignore[no-any-return]


OWN: dict[str, tuple[Any, dict[str, Any]]] = {
    "decoder": (DECODER, {"layers": 1, "width": 12, "heads": 2, "context": 13, "activation": "relu2"}),
    "encoder": (ENCODER, {"layers": 1, "width": 12, "heads": 2, "context": 13, "norm_place": "pre"}),
    "seq2seq": (SEQ2SEQ, {"layers": 1, "width": 12, "heads": 2, "context": 13, "norm_place": "pre"}),
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("vocab_size", 10**12, r"\[11, 12\] where \[1000000000000, 12\] is expected"),
        ("vocab_size", "abc", "config.json: size: .*abc"),
        ("vocab_size", -3, "config.json: such a model can't be"),
        ("vocab_size", None, "config.json"),
        ("special", [], "config.json: a value is not what its key stands for"),
        ("special", {"bos": 0, "eos": "</s>"}, "config.json: eos: .*</s>"),
        ("width", 10**12, r"is expected|can't be"),
        ("feedforward", 10**12, r"is expected|can't be"),
        ("layers", 10**12, r"config.json: layers: 1000000000000 of them, but there are only \d+ arrays"),
    ],
)
def test_sizes_that_our_own_files_claim_are_not_believed(name: str, key: str, value: Any, said: str) -> None:
    family, keys = OWN[name]
    described, tensors = ours(family, **keys)
    assert described["model_type"] == f"ziggurat-{name}"
    if key in described:
        described[key] = value
    else:
        described["model"] = {**described["model"], key: value}
    with pytest.raises(ArtefactError, match=said):
        family.restore(described, tensors)


@pytest.mark.parametrize("name", OWN)
def test_our_own_files_come_back(name: str) -> None:
    family, keys = OWN[name]
    described, tensors = ours(family, **keys)
    again, arrays = family.state(family.restore(described, tensors))
    assert again == described
    assert all(np.array_equal(arrays[one], tensors[one]) for one in tensors)


@pytest.mark.parametrize(
    ("place", "key", "value", "said"),
    [
        ("vocabulary", "size", 10**12, r"where \[1000000000000, \d+\] is expected"),
        ("vocabulary", "size", -1, "such a model can't be"),
        ("model", "hidden", 10**12, "is expected|can't be"),
        ("model", "layers", 10**12, "but there are only"),
    ],
)
def test_sizes_that_the_file_of_an_lstm_claims_are_not_believed(place: str, key: str, value: int, said: str) -> None:
    config, tensors = RECURRENT.state(RECURRENT.tiny(seed=3))
    with pytest.raises(ArtefactError, match=said):
        RECURRENT.restore({**config, place: {**config[place], key: value}}, tensors)


def test_an_lstm_of_unknown_keys_is_refused() -> None:
    config, tensors = RECURRENT.state(RECURRENT.tiny(seed=3))
    with pytest.raises(ArtefactError, match=r"config.json.*'cells'"):
        RECURRENT.restore({**config, "model": {"cells": 3}}, tensors)


def test_a_mixture_that_cannot_be() -> None:
    part = RECURRENT.tiny(seed=3)
    other = RECURRENT.build(RecurrentConfig(layers=1, embedding=2, hidden=2), Vocabulary(13, 0, 0), seed=3)
    with pytest.raises(UsageError, match="share one tokenizer"):
        Mixture([part, other], Weighting((0.5, 0.5)), families=["recurrent", "recurrent"])
    with pytest.raises(UsageError, match="2 parts, 1 families and 2 weights"):
        Mixture([part, part], Weighting((0.5, 0.5)), families=["recurrent"])
    with pytest.raises(UsageError, match="at least one"):
        MixtureConfig(parts=())
    with pytest.raises(UnknownNameError, match=r"parts: unknown model family 'recurent'.*'recurrent'"):
        MIXTURE.build(MixtureConfig(parts=("recurent",)), Vocabulary(11, 0, 0), seed=0)


@pytest.mark.parametrize("weights", [(), (0.5, 0.6), (1.0, 0.0), (1.5, -0.5)])
def test_weights_that_are_none(weights: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="must be positive and have sum 1"):
        Weighting(weights)


def test_slopes_that_are_too_few() -> None:
    with pytest.raises(UsageError, match="2 weights, 1 slopes and 0 curves"):
        Weighting((0.5, 0.5), slopes=(1.0,))


def test_a_part_of_an_unknown_family_is_refused() -> None:
    config, tensors = MIXTURE.state(MIXTURE.tiny(seed=3))
    config["parts"][0]["family"] = "decodr"
    with pytest.raises(UnknownNameError, match=r"config.json: unknown model family 'decodr'.*'decoder'"):
        MIXTURE.restore(config, tensors)
