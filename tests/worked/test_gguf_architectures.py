"""Renaming between GGUF and transformers: rows of queries in llama.cpp's order, transposed matrices, sizes compared."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.decoders import FORMS, byte_pairs, drawn, tokenizer
from tests.fakes.gguf_files import write
from ziggurat.artefacts.interchange.gguf import FORMAT
from ziggurat.artefacts.interchange.gguf_architectures import ARCHITECTURES, architecture_for, from_gguf, to_gguf
from ziggurat.artefacts.interchange.gguf_file import open_gguf
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError

pytest.importorskip("gguf")

# one block: 2 heads of 6 numbers on a width of 4, 1 head of keys, 3 numbers between, 5 ids, 7 places
SIZES: dict[str, Any] = {
    "llama.block_count": 1,
    "llama.context_length": 7,
    "llama.embedding_length": 4,
    "llama.feed_forward_length": 3,
    "llama.attention.head_count": 2,
    "llama.attention.head_count_kv": 1,
    "llama.attention.key_length": 6,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.freq_base": 10007.0,
}
SHAPES = {
    "token_embd.weight": (5, 4),
    "output_norm.weight": (4,),
    "blk.0.attn_norm.weight": (4,),
    "blk.0.ffn_norm.weight": (4,),
    "blk.0.attn_q.weight": (12, 4),
    "blk.0.attn_k.weight": (6, 4),
    "blk.0.attn_v.weight": (6, 4),
    "blk.0.attn_output.weight": (4, 12),
    "blk.0.ffn_gate.weight": (3, 4),
    "blk.0.ffn_up.weight": (3, 4),
    "blk.0.ffn_down.weight": (4, 3),
}


def arrays() -> dict[str, np.ndarray]:
    return {name: np.arange(np.prod(shape), dtype=np.float32).reshape(shape) for name, shape in SHAPES.items()}


def opened(tmp_path: Path, facts: dict[str, Any], found: dict[str, np.ndarray] | None = None, name: str = "llama"):
    return open_gguf(write(tmp_path / "x.gguf", facts, arrays() if found is None else found, name=name))


def test_rows_of_queries_are_put_back(tmp_path: Path) -> None:
    # llama.cpp turns neighbours (0,1), (2,3), (4,5) of a head where we turn (0,3), (1,4), (2,5): its rows stand in the
    # order 0 3 1 4 2 5, so ours 0..5 are its rows 0 2 4 1 3 5, and the second head's six more
    _, found = from_gguf(opened(tmp_path, SIZES))
    order = [0, 2, 4, 1, 3, 5]
    theirs = arrays()["blk.0.attn_q.weight"]
    query = found["model.layers.0.self_attn.q_proj.weight"]
    assert query.tolist() == theirs[[*order, *(6 + row for row in order)]].tolist()
    assert found["model.layers.0.self_attn.k_proj.weight"].tolist() == arrays()["blk.0.attn_k.weight"][order].tolist()
    assert found["model.layers.0.self_attn.v_proj.weight"].tolist() == arrays()["blk.0.attn_v.weight"].tolist()


def test_a_config_is_what_the_layout_reads(tmp_path: Path) -> None:
    config, _ = from_gguf(opened(tmp_path, SIZES))
    wanted = {
        "model_type": "llama", "vocab_size": 5, "hidden_size": 4, "intermediate_size": 3, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 6, "max_position_embeddings": 7,
        "rms_norm_eps": 1e-5, "rope_theta": 10007.0, "tie_word_embeddings": True, "attention_bias": False,
        "mlp_bias": False,
    }  # fmt: skip
    assert config == wanted


def test_what_may_be_left_out(tmp_path: Path) -> None:
    kept = {key: value for key, value in SIZES.items() if key not in ("llama.rope.freq_base",)}
    kept |= {"llama.attention.head_count": 4, "llama.attention.head_count_kv": 4}
    del kept["llama.attention.key_length"], kept["llama.attention.head_count_kv"]
    square = {**arrays(), **{f"blk.0.attn_{part}.weight": np.ones((4, 4), np.float32) for part in "qkv"}}
    config, _ = from_gguf(opened(tmp_path, kept, square))
    # key heads default to heads, a head's width to width / heads, the base to Llama's first
    assert (config["num_key_value_heads"], config["head_dim"], config["rope_theta"]) == (4, 1, 10000.0)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "more blocks than there are": ({"llama.block_count": 1 << 31}, "block_count' says 2,147,483,648, its arrays 1"),
    "a context beyond all": ({"llama.context_length": (1 << 32) - 1}, "a context of 4,294,967,295 ids"),
    "another width": ({"llama.embedding_length": 5}, "embedding_length' says 5, its arrays 4"),
    "another inner width": ({"llama.feed_forward_length": 4}, "feed_forward_length' says 4, its arrays 3"),
    "no heads": ({"llama.attention.head_count": 0}, "head_count' can't be 0"),
    "too many heads": ({"llama.attention.head_count": 1 << 30}, "1,073,741,824 heads do not fit"),
    "heads by the layer": ({"llama.attention.head_count_kv": [1, 1]}, r"head_count_kv' can't be \[1, 1\]"),
    "an epsilon that is none": ({"llama.attention.layer_norm_rms_epsilon": float("nan")}, "can't be nan"),
    "experts": ({"llama.expert_count": 8}, "asks for llama.expert_count"),
    "scaled positions": ({"llama.rope.scaling.type": "yarn"}, "scaled rotary positions"),
    "half-turned heads": ({"llama.rope.dimension_count": 3}, "rope.dimension_count is not the width of a head"),
    "another architecture": ({"general.architecture": "mamba"}, "of the architecture 'mamba'; gpt2, llama"),
}


@pytest.mark.parametrize("name", WRONG)
def test_sizes_that_the_arrays_deny(name: str, tmp_path: Path) -> None:
    changed, said = WRONG[name]
    architecture = changed.get("general.architecture", "llama")
    facts = {**SIZES, **{key: value for key, value in changed.items() if key != "general.architecture"}}
    with pytest.raises(ArtefactError, match=said) as caught:
        from_gguf(opened(tmp_path, facts, name=architecture))
    assert "x.gguf" in str(caught.value)


@pytest.mark.parametrize("key", [key for key in SIZES if "head_count_kv" not in key and "rope" not in key])
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    facts = {name: value for name, value in SIZES.items() if name != key}
    if key == "llama.attention.key_length":  # then width / heads, which the arrays of queries deny
        with pytest.raises(DamagedError, match="2 heads do not fit"):
            from_gguf(opened(tmp_path, facts))
        return
    with pytest.raises(DamagedError, match=f"the key '{key}' is missing"):
        from_gguf(opened(tmp_path, facts))


@pytest.mark.parametrize("name", SHAPES)
def test_a_missing_array_is_named(name: str, tmp_path: Path) -> None:
    found = {key: array for key, array in arrays().items() if key != name}
    with pytest.raises(DamagedError, match=r"x\.gguf: damaged") as caught:
        from_gguf(opened(tmp_path, SIZES, found))
    assert name.rsplit(".", 1)[0].removeprefix("blk.0.") in str(caught.value) or "feed_forward" in str(caught.value)


def test_a_strange_array_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"'rope_freqs\.weight' is not one of a llama model"):
        from_gguf(opened(tmp_path, SIZES, {**arrays(), "rope_freqs.weight": np.ones(3, np.float32)}))


@pytest.mark.parametrize("form", FORMS)
def test_there_and_back(form: str, tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS[form], byte_pairs())
    config, tensors = bundle.family.state(bundle.model)
    architecture = architecture_for(config, "here")
    numbers, found = to_gguf(architecture, config, tensors)
    assert architecture.name == form.split(maxsplit=1)[0]
    file = open_gguf(write(tmp_path / "x.gguf", numbers, found, name=architecture.name))
    again, back = from_gguf(file)
    assert set(back) == set(tensors)
    assert all(np.array_equal(back[name], tensors[name]) for name in tensors)
    assert {key: config[key] for key in again if key in config} == {key: again[key] for key in again if key in config}


def test_gpt2_stands_transposed(tmp_path: Path) -> None:
    bundle = drawn(tmp_path / "b", FORMS["gpt2"], byte_pairs())
    config, tensors = bundle.family.state(bundle.model)
    _, found = to_gguf(ARCHITECTURES["gpt2"], config, tensors)
    # transformers' Conv1D holds (in, out) = (35, 105); ggml multiplies rows, so (105, 35)
    assert tensors["transformer.h.1.attn.c_attn.weight"].shape == (35, 105)
    assert found["blk.1.attn_qkv.weight"].shape == (105, 35)
    assert found["position_embd.weight"].shape == (61, 35)


UNHELD: dict[str, tuple[dict[str, Any], str]] = {
    "GELU by its definition": ({**FORMS["gpt2"], "activation": "gelu"}, "activation gelu_tanh only"),
    "squared ReLU": ({"activation": "relu2"}, r"decoders of the forms gpt2, llama, qwen2, qwen3 \(train"),
    "post-norm": ({"norm_place": "post"}, "this model is of none of them"),
    "wide heads with biases": ({**FORMS["qwen2"], "head_width": 14}, "asks that heads times head_width are width"),
}


@pytest.mark.parametrize("name", UNHELD)
def test_models_that_no_architecture_holds(name: str, tmp_path: Path) -> None:
    form, said = UNHELD[name]
    bundle = drawn(tmp_path / "b", {"layers": 1, "width": 12, "heads": 2, "context": 17, **form}, tokenizer("bytes"))
    with pytest.raises(UsageError, match=said):
        FORMAT.write(bundle, tmp_path / "x.gguf")
    assert not (tmp_path / "x.gguf").exists()
