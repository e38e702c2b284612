"""A decoder's folder opened by transformers as the Qwen3 model that it is, from the same random weights."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.blocks.network import NeuralLanguageModel
from ziggurat.models.decoder import FAMILY, DecoderConfig

VOCABULARY = Vocabulary(size=53, bos=2, eos=3)
TOLERANCE = 1e-4


def open_by_transformers(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import transformers

    transformers.logging.disable_progress_bar()
    model, found = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    return model.eval()


@pytest.fixture(params=["tied", "untied", "grouped"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[NeuralLanguageModel, Any]:
    config = DecoderConfig(
        layers=3,
        width=24,
        heads=4,
        key_heads=2 if request.param == "grouped" else None,
        head_width=6 if request.param == "grouped" else None,
        feedforward=28,
        context=31,
        tied=request.param != "untied",
        rotary_base=500.0,
        norm_epsilon=1e-5,
    )
    model = FAMILY.build(config, VOCABULARY, seed=3)
    for name, parameter in model.network.named_parameters():
        fill_normal(parameter, std=0.4, seed=3, name=name)
    keys, tensors = FAMILY.state(model)
    (tmp_path / "config.json").write_text(json.dumps(keys))
    save_file(dict(tensors), tmp_path / "model.safetensors", metadata={"format": "pt"})
    return model, open_by_transformers(tmp_path)


def random_ids(rows: int, length: int) -> torch.Tensor:
    return torch.randint(0, VOCABULARY.size, (rows, length), generator=torch.Generator().manual_seed(5))


def test_logits_of_whole_windows(pair: tuple[NeuralLanguageModel, Any]) -> None:
    ours, theirs = pair
    assert theirs.config.bos_token_id == VOCABULARY.bos
    assert theirs.config.eos_token_id == VOCABULARY.eos
    for length in (1, 2, 17, 31):
        ids = random_ids(3, length)
        with torch.no_grad():
            difference = (ours.network.eval()(ids)[0] - theirs(ids).logits).abs().max()
        assert difference <= TOLERANCE


def test_logprobs_with_the_cache(pair: tuple[NeuralLanguageModel, Any]) -> None:
    ours, theirs = pair
    ids = random_ids(3, 13)
    logprobs, state = ours.begin(ids[:, :5].numpy().astype(np.int32), np.full(3, 5, dtype=np.int32))
    with torch.no_grad():
        answer = theirs(ids[:, :5], use_cache=True)
        for t in range(5, 13):
            expected = answer.logits[:, -1].log_softmax(-1).numpy()
            assert np.abs(logprobs - expected).max() <= TOLERANCE
            logprobs, state = ours.step(state, ids[:, t].numpy().astype(np.int32))
            answer = theirs(ids[:, t : t + 1], past_key_values=answer.past_key_values, use_cache=True)


def test_logprobs_of_padded_rows(pair: tuple[NeuralLanguageModel, Any]) -> None:
    ours, theirs = pair
    ids, lengths = random_ids(3, 13), np.array([13, 2, 7], dtype=np.int32)
    keep_mask = torch.arange(13) < torch.from_numpy(lengths)[:, None]
    with torch.no_grad():
        logits = theirs(ids, attention_mask=keep_mask.long()).logits
    expected = logits[:, :-1].log_softmax(-1).gather(2, ids[:, 1:, None])[:, :, 0].numpy()
    inside = keep_mask[:, 1:].numpy()
    scanned = ours.token_logprobs(ids.numpy().astype(np.int32), lengths)
    assert np.abs(np.where(inside, scanned - expected, 0)).max() <= TOLERANCE
    begun, _ = ours.begin(ids.numpy().astype(np.int32), lengths)
    last = logits[torch.arange(3), torch.from_numpy(lengths) - 1].log_softmax(-1).numpy()
    assert np.abs(begun - last).max() <= TOLERANCE


def test_what_transformers_saves_can_be_opened(pair: tuple[NeuralLanguageModel, Any], tmp_path: Path) -> None:
    ours, theirs = pair
    theirs.save_pretrained(tmp_path / "saved")
    keys = json.loads((tmp_path / "saved" / "config.json").read_text())
    opened = FAMILY.restore(keys, load_file(tmp_path / "saved" / "model.safetensors"))
    ids, lengths = random_ids(2, 11).numpy().astype(np.int32), np.array([11, 7], dtype=np.int32)
    np.testing.assert_array_equal(opened.token_logprobs(ids, lengths), ours.token_logprobs(ids, lengths))
