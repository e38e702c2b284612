"""Folders of transformers that are incomplete, damaged, or of models that don't open: one line that says why."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.fakes.foreign_models import CONTEXT, SIZES, VOCABULARY, leave, make_model
from ziggurat.artefacts.interchange.formats import FORMATS, format_in
from ziggurat.core.errors import ArtefactError, DamagedError, UnknownNameError, UsageError, ZigguratError
from ziggurat.surface.cli import main

INDEX = "model.safetensors.index.json"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in one piece and, under ``shards``, the same in several."""
    folder = tmp_path_factory.mktemp("whole")
    model = make_model("LlamaForCausalLM", "LlamaConfig", **SIZES)
    leave(model, folder / "one")
    leave(model, folder / "shards", shards="20KB")
    return folder


@pytest.fixture
def one(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole / "one", tmp_path / "one"))


@pytest.fixture
def shards(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole / "shards", tmp_path / "shards"))


def change(path: Path, **keys: Any) -> None:
    """Set keys of a JSON file; those that are None go."""
    content = {**json.loads(path.read_text()), **keys}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def refusal(folder: Path) -> str:
    with pytest.raises(ArtefactError) as caught:
        format_in(folder).read(folder)
    said = str(caught.value)
    assert "\n" not in said
    assert str(folder) in said
    return said


def test_both_open(one: Path, shards: Path) -> None:
    for folder in (one, shards):
        assert format_in(folder) is FORMATS.get("transformers")
        assert format_in(folder).read(folder).family == "decoder"


def test_all_missing_shards_are_named(shards: Path) -> None:
    names = sorted(path.name for path in shards.glob("*.safetensors"))
    for name in (names[1], names[3]):
        (shards / name).unlink()
    said = refusal(shards)
    assert f"2 of {len(names)} shards are missing: {names[1]}, {names[3]}" in said


def test_an_array_that_is_not_where_the_index_says_is_named(shards: Path) -> None:
    names = sorted(path.name for path in shards.glob("*.safetensors"))
    first = load_file(shards / names[0])
    lost = sorted(first)[0]
    save_file({key: array for key, array in first.items() if key != lost}, shards / names[0], {"format": "pt"})
    assert f"arrays that it lists are absent: '{lost}' (not in {names[0]})" in refusal(shards)


def test_an_array_in_two_shards_is_named(shards: Path) -> None:
    names = sorted(path.name for path in shards.glob("*.safetensors"))
    first, second = load_file(shards / names[0]), load_file(shards / names[1])
    twin = sorted(first)[0]
    save_file({**second, twin: first[twin]}, shards / names[1], {"format": "pt"})
    assert f"arrays stand in two shards: '{twin}' (again in {names[1]})" in refusal(shards)


def test_an_array_that_no_index_lists_is_named(shards: Path) -> None:
    names = sorted(path.name for path in shards.glob("*.safetensors"))
    save_file({**load_file(shards / names[0]), "stray": np.zeros(3, np.float32)}, shards / names[0], {"format": "pt"})
    assert "arrays that it does not list are there: 'stray'" in refusal(shards)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1, 2", "damaged: not the index"),
        ("{}", "damaged: not the index"),
        ('{"weight_map": [1]}', "damaged: not the index"),
        ('{"weight_map": {"a": "x.safetensors", "a": "y.safetensors"}}', "listed twice: a"),
        ('{"weight_map": {"a": "../../x.safetensors"}}', "is no safetensors file beside it"),
        ('{"weight_map": {"a": "x.bin"}}', "is no safetensors file beside it"),
        ('{"weight_map": {}}', "layers: 3 of them, but there are only 0 arrays"),
    ],
)
def test_an_index_that_is_none(content: str, said: str, shards: Path) -> None:
    (shards / INDEX).write_text(content)
    assert said in refusal(shards)


def test_weights_cut_off_are_damaged(one: Path) -> None:
    path = one / "model.safetensors"
    raw = path.read_bytes()
    for size in (0, 5, 100, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:size])
        assert "model.safetensors: damaged" in refusal(one)


def test_missing_extra_and_misshapen_arrays_are_named_in_one_message(one: Path) -> None:
    path = one / "model.safetensors"
    tensors = load_file(path)
    tensors["model.norm.weight"] = np.zeros((5, 7), np.float32)
    tensors["model.surplus"] = np.zeros(3, np.float32)
    tensors["model.layers.0.input_layernorm.weight"] = np.zeros(24, np.int32)
    for layer in range(3):
        del tensors[f"model.layers.{layer}.mlp.up_proj.weight"]
    save_file(tensors, path, {"format": "pt"})
    said = refusal(one)
    assert "'model.layers.*.mlp.up_proj.weight' is missing (3 times)" in said
    assert "'model.surplus' is not known" in said
    assert "'model.norm.weight' has shape [5, 7] where [24] is expected" in said
    assert "'model.layers.0.input_layernorm.weight' holds int32 where floating-point numbers are expected" in said


@pytest.mark.parametrize("own", [5, [], "x", None])
def test_keys_of_ours_that_are_none_are_damage(own: Any, one: Path) -> None:
    config = json.loads((one / "config.json").read_text())
    (one / "config.json").write_text(json.dumps({**config, "ziggurat": own}))
    (one / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Transformer"}]))
    assert "under 'ziggurat' stands " in refusal(one)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_numbers_that_are_not_finite_are_named(bad: float, kind: Any, one: Path) -> None:
    tensors = {name: array.astype(kind) for name, array in load_file(one / "model.safetensors").items()}
    tensors["model.layers.1.mlp.up_proj.weight"][3, 5] = bad
    save_file(tensors, one / "model.safetensors", {"format": "pt"})
    said = refusal(one)
    assert said.endswith(
        "damaged: numbers that are not finite (NaN or infinite) in 'model.layers.1.mlp.up_proj.weight'"
    )


def test_a_buffer_that_is_not_finite_does_no_harm(one: Path) -> None:
    """Older files carry masks of minus infinity, which no model of ours reads."""
    tensors = load_file(one / "model.safetensors")
    tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = np.full(3, np.inf, np.float32)
    save_file(tensors, one / "model.safetensors", {"format": "pt"})
    assert format_in(one).read(one).family == "decoder"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_a_pickle_is_never_opened_and_how_to_convert_it_is_said(name: str, one: Path) -> None:
    (one / "model.safetensors").unlink()
    (one / name).write_bytes(b"\x80\x04cos\nsystem\n(S'false'\ntR.")
    said = refusal(one)
    assert f"{name}: weights as a pickle" in said
    assert "save_pretrained" in said


def test_no_weights_at_all(one: Path) -> None:
    (one / "model.safetensors").unlink()
    assert "no weights: neither model.safetensors nor model.safetensors.index.json" in refusal(one)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"model_type": "mixtral"}, "model_type 'mixtral' don't open here; these do: "),
        ({"model_type": ["llama"]}, "don't open here; these do: "),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu' is not done here; only 'silu' is"),
        ({"attention_bias": True}, "attention_bias and mlp_bias differ"),
        ({"model_type": "mistral", "sliding_window": 13}, f"sliding_window 13 is smaller than .* {CONTEXT}"),
        ({"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 7}, "sliding_window 7 is smaller"),
        ({"layer_types": ["full_attention", "linear_attention"]}, "layer_types: linear_attention"),
        ({"layer_types": ["sliding_attention"], "sliding_window": 5}, "sliding_window 5 is smaller"),
        ({"rope_parameters": {"rope_type": "longrope"}}, "rope_type 'longrope' is not known here; .*llama3, yarn"),
        ({"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, "low_freq_factor is missing"),
        ({"rope_parameters": {"rope_type": "linear", "factor": -1.0}}, "rotary_numbers must be 1 positive"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 2.0, "truncate": False}}, "truncate"),
        ({"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor"),
        ({"hidden_size": None}, "the key 'hidden_size' is missing"),
        ({"hidden_size": "24"}, "a value is not what its key stands for|expected a whole number"),
        ({"num_attention_heads": 0}, "config.json"),
        ({"num_hidden_layers": 10**12}, "layers: 1000000000000 of them, but there are only 29 arrays|only"),
        ({"hidden_size": 10**12}, "expected|can't be"),
        ({"vocab_size": 10**12}, r"'model.embed_tokens.weight' has shape \[331, 24\] where"),
        ({"max_position_embeddings": 10**12}, r"context \(1000000000000\) is more than 1048576"),
        ({"intermediate_size": 29}, r"'model.layers.\*.mlp.up_proj.weight' has shape \[28, 24\].*\(3 times\)"),
        ({"vocab_size": 100}, "the tokenizer has .* ids and the model only 100"),
    ],
)
def test_a_model_that_does_not_open_says_which_key(keys: dict[str, Any], said: str, one: Path) -> None:
    change(one / "config.json", **keys)
    import re

    assert re.search(said, refusal(one)), refusal(one)


@pytest.mark.parametrize("content", ["", "[]", "{", '"x"', "[" * 100_000])
def test_a_configuration_that_is_none(content: str, one: Path) -> None:
    (one / "config.json").write_text(content)
    assert "config.json: damaged" in refusal(one)


def test_a_folder_without_a_tokenizer_says_what_was_looked_for(one: Path) -> None:
    (one / "tokenizer.json").unlink()
    said = refusal(one)
    for name in ("tokenizer.json", "merges.txt", "vocab.txt", "tokenizer.model", "source.spm"):
        assert name in said


def test_a_tokenizer_that_is_none(one: Path) -> None:
    (one / "tokenizer.json").write_text('{"model": 3}')
    assert "damaged: its files are not those of a tokenizer" in refusal(one)


def test_a_bundle_is_told_to_be_one(one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(one), "--out", str(tmp_path / "b"), "--quiet"]) == 0
    assert main(["import", str(tmp_path / "b")]) == 2
    assert "is a bundle already; use it as it is" in capsys.readouterr().err


def test_a_name_of_a_hub_is_not_downloaded() -> None:
    with pytest.raises(ArtefactError, match=r"openai-community/gpt2: no such file or folder; nothing is downloaded"):
        format_in(Path("openai-community/gpt2"))
    with pytest.raises(UnknownNameError, match=r"unknown file ending '.foo'"):
        format_in(Path("nowhere.foo"))


def test_a_folder_of_folders_names_those_that_open(whole: Path) -> None:
    with pytest.raises(
        ArtefactError, match=r"no config\.json and no weights in it; give one of those in it: one, shards"
    ):
        format_in(whole)


def test_nothing_that_is_there_is_written_over(one: Path, tmp_path: Path) -> None:
    assert main(["import", str(one), "--out", str(tmp_path / "b"), "--quiet"]) == 0
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "letter.txt").write_text("dear")
    assert main(["export", str(tmp_path / "b"), str(tmp_path / "theirs"), "--to", "transformers"]) == 2
    assert (tmp_path / "theirs" / "letter.txt").read_text() == "dear"


def test_what_transformers_has_no_form_for_is_refused(tmp_path: Path) -> None:
    from tests.fakes.bundles import make_bundle

    bundle = make_bundle(tmp_path / "b", "ngram")
    with pytest.raises(UsageError, match="transformers has no form for this model of family 'ngram'"):
        FORMATS.get("transformers").write(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _flip(raw: bytes, dice: np.random.Generator) -> bytes:
    changed = bytearray(raw)
    for place in dice.integers(0, len(changed), 3):
        changed[place] = dice.integers(0, 256)
    return bytes(changed)


def _cut(raw: bytes, dice: np.random.Generator) -> bytes:
    return raw[: dice.integers(0, len(raw))]


def _number(raw: bytes, dice: np.random.Generator) -> bytes:
    """Put an absurd number where one stands."""
    import re

    found = list(re.finditer(rb"\d+", raw))
    spot = found[dice.integers(0, len(found))]
    absurd = [b"-1", b"0", b"99999999999", b"1e300", b"NaN", b'"x"', b"null", b"[]", b"0.5"][dice.integers(0, 9)]
    return raw[: spot.start()] + absurd + raw[spot.end() :]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", INDEX])
@pytest.mark.parametrize("damage", [_flip, _cut, _number])
def test_random_damage_opens_or_is_refused_in_one_line(
    name: str, damage: Callable[[bytes, np.random.Generator], bytes], one: Path, shards: Path
) -> None:
    folder = shards if name == INDEX else one
    raw = (folder / name).read_bytes()
    head = 1000 if name == "model.safetensors" else len(raw)
    dice = np.random.default_rng(7)
    refused = 0
    for _ in range(25):
        (folder / name).write_bytes(damage(raw[:head], dice) + raw[head:])
        try:
            found = format_in(folder).read(folder)
            assert found.model.vocabulary.size == VOCABULARY
        except ZigguratError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017
    assert refused > 0


def test_damage_of_a_safetensors_header_is_named_as_damage(one: Path) -> None:
    path = one / "model.safetensors"
    raw = path.read_bytes()
    path.write_bytes((10**15).to_bytes(8, "little") + raw[8:])
    with pytest.raises(DamagedError, match="the header claims 1000000000000000 bytes"):
        format_in(one).read(one)
