"""Decoders of every published layout, from random weights that both programs share: logits as transformers has them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.foreign_models import CONTEXT, GPT2_SIZES, SIZES, leave, make_model, random_ids
from ziggurat.artefacts.bundle import load, save
from ziggurat.artefacts.interchange.formats import Foreign, format_in
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.errors import UsageError

TOLERANCE = 1e-4
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 17,
}
YARN = {"rope_type": "yarn", "rope_theta": 50.0, "factor": 3.0, "original_max_position_embeddings": 23}
LLAMA = ("LlamaForCausalLM", "LlamaConfig")
MISTRAL = ("MistralForCausalLM", "MistralConfig")
QWEN2 = ("Qwen2ForCausalLM", "Qwen2Config")
QWEN3 = ("Qwen3ForCausalLM", "Qwen3Config")
MODELS: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "gpt2": (("GPT2LMHeadModel", "GPT2Config"), GPT2_SIZES),
    "gpt2-narrow-relu-untied": (
        ("GPT2LMHeadModel", "GPT2Config"),
        {**GPT2_SIZES, "n_inner": 37, "activation_function": "relu", "tie_word_embeddings": False},
    ),
    "llama": (LLAMA, SIZES),
    "llama-tied": (LLAMA, {**SIZES, "tie_word_embeddings": True}),
    "llama-grouped": (LLAMA, {**SIZES, "num_key_value_heads": 2, "head_dim": 10}),
    "llama-biased": (LLAMA, {**SIZES, "attention_bias": True, "mlp_bias": True}),
    "llama3-stretched": (LLAMA, {**SIZES, "head_dim": 22, "rope_parameters": LLAMA3}),
    "llama-linear": (
        LLAMA,
        {**SIZES, "rope_parameters": {"rope_type": "linear", "rope_theta": 100.0, "factor": 2.5}},
    ),
    "mistral": (MISTRAL, {**SIZES, "num_key_value_heads": 1, "sliding_window": None}),
    "mistral-window-as-long-as-the-context": (
        MISTRAL,
        {**SIZES, "num_key_value_heads": 2, "sliding_window": CONTEXT},
    ),
    "qwen2": (QWEN2, {**SIZES, "num_key_value_heads": 2, "rms_norm_eps": 1e-3}),
    "qwen2-yarn": (QWEN2, {**SIZES, "num_key_value_heads": 2, "head_dim": 26, "rope_parameters": YARN}),
    "qwen3": (QWEN3, {**SIZES, "num_key_value_heads": 2, "head_dim": 10}),
    "qwen3-untied": (QWEN3, {**SIZES, "num_key_value_heads": 4, "head_dim": 6, "tie_word_embeddings": False}),
}


@pytest.fixture(scope="module", params=MODELS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Foreign, Any, Path]:
    """A model of transformers, what its folder opens as, and the folder."""
    (kind, config), keys = MODELS[request.param]
    theirs = make_model(kind, config, **keys)
    folder = leave(theirs, tmp_path_factory.mktemp("models") / request.param, shards="20KB")
    assert (folder / "model.safetensors.index.json").is_file()
    return format_in(folder).read(folder), theirs, folder


def logits_of(theirs: Any, ids: np.ndarray, **keys: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = theirs(torch.from_numpy(ids).long(), **keys).logits
    return found


def test_logits_at_every_length_up_to_the_context(pair: tuple[Foreign, Any, Path]) -> None:
    ours: Any = pair[0].model
    for length in (1, 2, 3, 17, CONTEXT):
        ids = random_ids(2, length)
        with torch.no_grad():
            found = ours.network.eval()(torch.from_numpy(ids).long())[0]
        assert (found - logits_of(pair[1], ids)).abs().max() <= TOLERANCE


def test_a_length_beyond_the_context_is_refused(pair: tuple[Foreign, Any, Path]) -> None:
    ours: Any = pair[0].model
    with pytest.raises(UsageError, match=rf"{CONTEXT + 1} ids are more than the model can read .* {CONTEXT}"):
        ours.network(torch.zeros(1, CONTEXT + 1, dtype=torch.long))


def test_logits_one_by_one_with_the_cache(pair: tuple[Foreign, Any, Path]) -> None:
    ours: Any = pair[0].model
    ids = random_ids(3, 13)
    expected = logits_of(pair[1], ids).log_softmax(-1).numpy()
    logprobs, state = ours.begin(ids[:, :5], np.full(3, 5, np.int32))
    for place in range(5, 13):
        assert np.abs(logprobs - expected[:, place - 1]).max() <= TOLERANCE
        logprobs, state = ours.step(state, ids[:, place])
    assert np.abs(logprobs - expected[:, 12]).max() <= TOLERANCE


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_on_either_side_is_inert(side: str, pair: tuple[Foreign, Any, Path]) -> None:
    ours: Any = pair[0].model
    ids, lengths = random_ids(3, 13), np.array([13, 2, 7], np.int32)
    given, keep = ids.copy(), np.arange(13) < lengths[:, None]
    if side == "left":  # as generation of transformers has it: the real ids stand at the right, counted from 0
        for row, length in enumerate(lengths):
            given[row] = np.roll(ids[row], 13 - length)
        keep = keep[:, ::-1].copy()
    positions = torch.from_numpy(np.maximum(np.cumsum(keep, axis=1) - 1, 0))
    mask = torch.from_numpy(keep).long()
    expected = logits_of(pair[1], given, attention_mask=mask, position_ids=positions).log_softmax(-1).numpy()
    begun, _ = ours.begin(ids, lengths)
    scored = ours.token_logprobs(ids, lengths)
    for row, length in enumerate(lengths.tolist()):
        first = 13 - length if side == "left" else 0
        assert np.abs(begun[row] - expected[row, first + length - 1]).max() <= TOLERANCE
        for place in range(1, length):
            wanted = expected[row, first + place - 1, ids[row, place]]
            assert abs(scored[row, place - 1] - wanted) <= TOLERANCE


def test_the_bundle_of_it_opens_in_transformers_again(pair: tuple[Foreign, Any, Path], tmp_path: Path) -> None:
    import transformers

    found, theirs, _ = pair
    path = tmp_path / "b"
    save(path, family=found.family, model=found.model, tokenizer=found.tokenizer, provenance=Provenance())
    again, told = transformers.AutoModelForCausalLM.from_pretrained(path, output_loading_info=True)
    assert not any(told.values()), told
    ids = random_ids(2, CONTEXT)
    assert (logits_of(again.eval(), ids) - logits_of(theirs, ids)).abs().max() <= TOLERANCE
    cut = transformers.AutoTokenizer.from_pretrained(path)("The tower 塔楼", add_special_tokens=False)["input_ids"]
    assert cut == load(path).tokenizer.encode("The tower 塔楼").ids.tolist()


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_weights_of_every_floating_point_type(kind: str, tmp_path: Path) -> None:
    theirs = make_model(*LLAMA, **SIZES).to(getattr(torch, kind))
    folder = leave(theirs, tmp_path / "m")
    assert json.loads((folder / "config.json").read_text())["dtype"] == kind
    ours: Any = format_in(folder).read(folder).model
    ids = random_ids(2, 11)
    with torch.no_grad():
        found = ours.network.eval()(torch.from_numpy(ids).long())[0]
    assert (found - logits_of(theirs.float(), ids)).abs().max() <= TOLERANCE


def test_older_folders_say_positions_in_their_own_words(tmp_path: Path) -> None:
    # before transformers 5: rope_theta beside rope_scaling, and "type" for rope_type
    theirs = make_model(*LLAMA, **{**SIZES, "head_dim": 22, "rope_parameters": LLAMA3})
    folder = leave(theirs, tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = {"type": rope.pop("rope_type"), **rope}
    (folder / "config.json").write_text(json.dumps(config))
    ours: Any = format_in(folder).read(folder).model
    ids = random_ids(2, CONTEXT)
    with torch.no_grad():
        found = ours.network.eval()(torch.from_numpy(ids).long())[0]
    assert (found - logits_of(theirs, ids)).abs().max() <= TOLERANCE


def test_a_folder_of_the_body_alone_opens_where_the_head_is_the_embedding(tmp_path: Path) -> None:
    theirs = make_model("GPT2LMHeadModel", "GPT2Config", **GPT2_SIZES)
    folder = leave(theirs.transformer, tmp_path / "m")
    ours: Any = format_in(folder).read(folder).model
    ids = random_ids(2, 7)
    with torch.no_grad():
        found = ours.network.eval()(torch.from_numpy(ids).long())[0]
    assert (found - logits_of(theirs, ids)).abs().max() <= TOLERANCE
