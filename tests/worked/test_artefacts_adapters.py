"""Adapters on disk: written in the form of PEFT, merged into a bundle, refused where they are another model's."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words, make_bundle
from tests.fakes.low_rank import GPT2, LLAMA, OWN, adapter_for, base_bundle
from ziggurat.artefacts.adapters import CONFIG, TENSORS, merged, write_adapter
from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.tensors import read_tensors, write_tensors
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError
from ziggurat.models.adapter import Adapter
from ziggurat.models.decoder import DecoderConfig

FORMS = {"llama": LLAMA, "gpt2": GPT2, "own": OWN}
RECIPE = load_recipe("gpt")


def written(tmp_path: Path, form: DecoderConfig, on: tuple[str, ...]) -> tuple[Bundle, Adapter, Path]:
    bundle = base_bundle(tmp_path / "base", form)
    adapter = adapter_for(bundle, on)
    started = dataclasses.replace(RECIPE, start=str(tmp_path / "base"))
    write_adapter(tmp_path / "adapter", adapter, bundle.model, started)
    return bundle, adapter, tmp_path / "adapter"


def config_of(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / CONFIG).read_text(encoding="utf-8")))


def change(path: Path, **keys: Any) -> None:
    (path / CONFIG).write_text(json.dumps(config_of(path) | keys), encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("on", [("q_proj", "v_proj"), ("k_proj",), ("all",)], ids="-".join)
def test_merged_each_matrix_has_its_change(tmp_path: Path, form: str, on: tuple[str, ...]) -> None:
    bundle, adapter, path = written(tmp_path, FORMS[form], on)
    model: Any = merged(bundle, path)
    base: Any = bundle.model
    before = {name: value.numpy() for name, value in base.network.state_dict().items()}
    after = {name: value.numpy() for name, value in model.network.state_dict().items()}
    assert before.keys() == after.keys()
    for name, plain in before.items():
        pair = adapter.pairs.get(name.removesuffix(".weight"))
        added = 0 if pair is None else adapter.scale * pair.up @ pair.down
        np.testing.assert_allclose(after[name], plain + added, atol=1e-5, err_msg=name)


def test_names_are_those_of_the_published_form(tmp_path: Path) -> None:
    _, _, path = written(tmp_path, LLAMA, ("q_proj",))
    names = [f"base_model.model.model.layers.{n}.self_attn.q_proj.lora_{side}.weight" for n in (0, 1) for side in "AB"]
    assert sorted(read_tensors(path / TENSORS)) == names
    config = config_of(path)
    assert (config["peft_type"], config["task_type"], config["r"], config["lora_alpha"]) == ("LORA", "CAUSAL_LM", 3, 7)
    assert config["base_model_name_or_path"] == str(tmp_path / "base")
    assert config["target_modules"] == ["model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"]
    assert (config["rank_pattern"], config["fan_in_fan_out"]) == ({}, False)


def test_gpt2_s_one_matrix_gets_one_change_of_higher_rank(tmp_path: Path) -> None:
    _, adapter, path = written(tmp_path, GPT2, ("q_proj", "v_proj", "down_proj"))
    tensors: dict[str, Any] = dict(read_tensors(path / TENSORS))
    down = tensors["base_model.model.transformer.h.1.attn.c_attn.lora_A.weight"]
    up = tensors["base_model.model.transformer.h.1.attn.c_attn.lora_B.weight"]
    # two changes of rank 3 in one matrix from 20 to 3 · 20
    assert (down.shape, up.shape) == ((6, 20), (60, 6))
    query = adapter.pairs["stack.layers.1.self_attn.q_proj"]
    value = adapter.pairs["stack.layers.1.self_attn.v_proj"]
    np.testing.assert_allclose(
        up @ down, np.concatenate([query.up @ query.down, np.zeros((20, 20)), value.up @ value.down]), atol=1e-5
    )
    config = config_of(path)
    assert config["fan_in_fan_out"] is True
    # α / r stays 7 / 3: at rank 6 α is 14
    assert config["rank_pattern"] == {f"transformer.h.{n}.attn.c_attn": 6 for n in (0, 1)}
    assert config["alpha_pattern"] == {f"transformer.h.{n}.attn.c_attn": 14 for n in (0, 1)}


def test_a_model_of_no_published_form_keeps_our_names(tmp_path: Path) -> None:
    _, _, path = written(tmp_path, OWN, ("q_proj",))
    assert "base_model.model.stack.layers.0.self_attn.q_proj.lora_A.weight" in read_tensors(path / TENSORS)
    assert config_of(path)["task_type"] is None


def test_the_bundle_stays_as_it_was(tmp_path: Path) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("all",))
    before = (bundle.path / "model.safetensors").read_bytes()
    merged(bundle, path)
    assert (bundle.path / "model.safetensors").read_bytes() == before


# -- what other programs write ----------------------------------------------------------------------------------------


def test_names_of_a_body_alone_are_found(tmp_path: Path) -> None:
    # AutoModel has no "model." before its layers
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    expected: Any = merged(bundle, path)
    tensors = read_tensors(path / TENSORS)
    write_tensors(path / TENSORS, {name.replace("model.model.", "model.", 1): array for name, array in tensors.items()})
    found: Any = merged(bundle, path)
    for name, value in expected.network.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), found.network.state_dict()[name].numpy())


def test_the_root_of_the_rank_divides_where_the_adapter_says_so(tmp_path: Path) -> None:
    bundle, adapter, path = written(tmp_path, LLAMA, ("q_proj",))
    change(path, use_rslora=True)
    model: Any = merged(bundle, path)
    base: Any = bundle.model
    name = "stack.layers.0.self_attn.q_proj"
    pair = adapter.pairs[name]
    added = model.network.get_parameter(f"{name}.weight") - base.network.get_parameter(f"{name}.weight")
    np.testing.assert_allclose(added.detach().numpy(), 7 / np.sqrt(3) * pair.up @ pair.down, atol=1e-5)


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"peft_type": "IA3"}, "peft_type 'IA3'; only LORA can be merged"),
        ({"bias": "all"}, "bias is 'all'"),
        ({"use_dora": True}, "use_dora is True"),
        ({"modules_to_save": ["lm_head"]}, r"modules_to_save is \['lm_head'\]"),
    ],
)
def test_more_than_a_and_b_is_refused(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    change(path, **keys)
    with pytest.raises(UsageError, match=message):
        merged(bundle, path)


def test_an_array_of_another_kind_is_named(tmp_path: Path) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    tensors = read_tensors(path / TENSORS)
    write_tensors(path / TENSORS, {**tensors, "base_model.model.lm_head.weight": np.ones((5, 7), np.float32)})
    with pytest.raises(UsageError, match=r"'base_model.model.lm_head.weight' is no A or B"):
        merged(bundle, path)


def test_another_model_s_adapter_is_refused(tmp_path: Path) -> None:
    _, _, path = written(tmp_path, LLAMA, ("q_proj",))
    other = base_bundle(tmp_path / "gpt2", GPT2)
    with pytest.raises(
        ArtefactError, match=r"no matrix 'model.layers.0.self_attn.q_proj.weight': the adapter is anoth"
    ):
        merged(other, path)
    wider = base_bundle(tmp_path / "wider", dataclasses.replace(LLAMA, width=30))
    with pytest.raises(ArtefactError, match=r"has shape \[20, 20\] and the model's matrix \[20, 30\]"):
        merged(wider, path)
    counted = make_bundle(tmp_path / "ngram", "ngram")
    with pytest.raises(ArtefactError, match="the adapter is another model's"):
        merged(counted, path)


def test_damage_is_named(tmp_path: Path) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    tensors = read_tensors(path / TENSORS)
    some = {name: np.array(array) for name, array in tensors.items()}
    write_tensors(
        path / TENSORS, {name: array for name, array in some.items() if "0.self_attn.q_proj.lora_A" not in name}
    )
    with pytest.raises(DamagedError, match=r"A and B of .* do not fit"):
        merged(bundle, path)
    (path / TENSORS).write_bytes(b"not tensors")
    with pytest.raises(DamagedError, match=TENSORS):
        merged(bundle, path)
    (path / CONFIG).write_text("{", encoding="utf-8")
    with pytest.raises(DamagedError, match=CONFIG):
        merged(bundle, path)
    (path / CONFIG).unlink()
    with pytest.raises(ArtefactError, match=f"{CONFIG}: can't be read"):
        merged(bundle, path)


def test_a_merged_model_saves_as_every_other(tmp_path: Path) -> None:
    bundle, _, path = written(tmp_path, GPT2, ("all",))
    model = merged(bundle, path)
    again = save(tmp_path / "new", family="decoder", model=model, tokenizer=eleven_words(), provenance=Provenance())
    assert again.manifest.model["architecture"] == "GPT2LMHeadModel"


# -- values that no adapter has ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"lora_alpha": None}, "lora_alpha is None, not a number"),
        ({"lora_alpha": "x"}, "lora_alpha is 'x', not a number"),
        ({"lora_alpha": float("nan")}, "lora_alpha is nan, not a number"),
        ({"lora_alpha": 10**400}, "lora_alpha is 1000"),
        ({"lora_alpha": True}, "lora_alpha is True"),
        ({"alpha_pattern": [3]}, r"alpha_pattern is \[3\], not names with a number each"),
        ({"alpha_pattern": {"(": 3}}, r"alpha_pattern '\(' is no pattern"),
        ({"alpha_pattern": {"q_proj": "x"}}, "alpha_pattern says 'x' of 'q_proj'"),
        ({"use_rslora": "no"}, "use_rslora is 'no', neither true nor false"),
        ({"fan_in_fan_out": 3}, "fan_in_fan_out is 3"),
    ],
)
def test_a_value_that_its_key_does_not_stand_for(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    change(path, **keys)
    with pytest.raises(DamagedError, match=f"{CONFIG}: damaged: {message}"):
        merged(bundle, path)


@pytest.mark.parametrize("content", ["[]", "3", "null", '"LORA"', "[1, 2]", '[["peft_type", 3]]'])
def test_a_configuration_that_is_none(tmp_path: Path, content: str) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    (path / CONFIG).write_text(content, encoding="utf-8")
    with pytest.raises((DamagedError, UsageError), match=CONFIG):
        merged(bundle, path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda array: np.full_like(array, np.nan), r"not finite \(NaN or infinite\) in 'base_model"),
        (lambda array: np.full_like(array, np.inf), "not finite"),
        (lambda array: array.astype(np.int32), "holds int32, not floating-point numbers"),
        (lambda array: np.full_like(array, 3e38), "not finite .* in 'model.layers.0.self_attn.q_proj.weight'"),
    ],
)
def test_numbers_that_spoil_a_model_are_not_merged(tmp_path: Path, spoil: Any, message: str) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    tensors = {name: spoil(np.array(array)) for name, array in read_tensors(path / TENSORS).items()}
    write_tensors(path / TENSORS, tensors)
    with pytest.raises(DamagedError, match=message):
        merged(bundle, path)


def test_an_adapter_of_nothing_is_refused(tmp_path: Path) -> None:
    bundle, _, path = written(tmp_path, LLAMA, ("q_proj",))
    before = {name: np.array(array) for name, array in read_tensors(path / TENSORS).items()}
    write_tensors(path / TENSORS, {})
    with pytest.raises(DamagedError, match=f"{TENSORS}: damaged: there is no array in it"):
        merged(bundle, path)
    # rank 0: A is (0, 20) and B (20, 0)
    write_tensors(path / TENSORS, {n: a[:0] if "lora_A" in n else a[:, :0] for n, a in before.items()})
    with pytest.raises(DamagedError, match=r"the rank of 'model.layers.\d.self_attn.q_proj' is 0"):
        merged(bundle, path)


def test_the_base_is_the_bundle_which_transformers_opens(tmp_path: Path) -> None:
    """Of a run folder that is the folder in it: what PEFT loads beneath the adapter."""
    bundle = base_bundle(tmp_path / "run" / "bundle", LLAMA)
    adapter = adapter_for(bundle, ("q_proj",))
    write_adapter(tmp_path / "a", adapter, bundle.model, dataclasses.replace(RECIPE, start=str(tmp_path / "run")))
    assert config_of(tmp_path / "a")["base_model_name_or_path"] == str(tmp_path / "run" / "bundle")
    write_adapter(tmp_path / "a", adapter, bundle.model, dataclasses.replace(RECIPE, start=""))
    assert config_of(tmp_path / "a")["base_model_name_or_path"] is None
    write_adapter(tmp_path / "a", adapter, bundle.model, dataclasses.replace(RECIPE, start="runs/gone"))
    assert config_of(tmp_path / "a")["base_model_name_or_path"] == "runs/gone"
