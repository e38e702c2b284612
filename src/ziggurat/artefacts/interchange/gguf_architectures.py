"""Models as GGUF names them, and as transformers does: keys, arrays, and the order of an array's rows.

*Idea.* Our models stand on disk as transformers' do (`ziggurat.models.layouts`), so GGUF is a renaming of those
names, the same list both ways, and everything else about a model is said once, in its layout.

*Maths.* llama.cpp turns neighbouring coordinates of Llama's queries and keys where transformers turns coordinate j and
j + K/2, so in GGUF the rows 0, 1, … K−1 of each head stand in the order 0, K/2, 1, K/2 + 1, …; Qwen's stand
as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.interchange.gguf_file import GgufFile
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError
from ziggurat.core.types import FloatArray, TensorMap

__all__ = ["ARCHITECTURES", "Architecture", "architecture_for", "from_gguf", "to_gguf"]

LONGEST_CONTEXT = 1 << 20
"""Ids; tables of positions are made for so many, so a damaged number must not be believed."""


@dataclass(frozen=True)
class Architecture:
    """One value of ``general.architecture``."""

    name: str
    """Also the ``model_type`` of transformers."""
    keys: Mapping[str, str]
    """Numbers: GGUF's key without the architecture, and the key of ``config.json``."""
    outer: Mapping[str, str]
    """Arrays beside the blocks: GGUF's name and transformers'."""
    inner: Mapping[str, str]
    """Arrays of a block, without what says which block."""
    block: str
    """What stands before a block's arrays in transformers, its number left out."""
    fixed: Mapping[str, Any]
    """Keys of ``config.json`` that are the same for all."""
    optional: frozenset[str] = frozenset()
    """GGUF's names of arrays that some models lack."""
    transposed: frozenset[str] = frozenset()
    turned: bool = False
    """Whether rows of queries and keys stand in llama.cpp's order."""
    narrow: bool = False
    """Whether llama.cpp opens only those whose heads are together as wide as the model."""
    sparing: bool = False
    """Whether files may leave out numbers that follow from others."""
    activations: tuple[str, ...] = ()
    """What ``activation_function`` may be; empty where there is one only."""

    def names(self, layers: int) -> Iterator[tuple[str, str]]:
        """Yield GGUF's and transformers' name of every array that a model of so many blocks may have."""
        yield from self.outer.items()
        for layer in range(layers):
            for ours, theirs in self.inner.items():
                yield f"blk.{layer}.{ours}", f"{self.block}{layer}.{theirs}"

    def key(self, name: str) -> str:
        """Return a key of the metadata."""
        return f"{self.name}.{name}"


def _both(pairs: Mapping[str, str]) -> dict[str, str]:
    return {f"{ours}.{kind}": f"{theirs}.{kind}" for ours, theirs in pairs.items() for kind in ("weight", "bias")}


_LLAMA_KEYS = {
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
}
_LLAMA_OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_NORMS = {"attn_norm.weight": "input_layernorm.weight", "ffn_norm.weight": "post_attention_layernorm.weight"}
_QKV = {f"attn_{part}": f"self_attn.{part}_proj" for part in "qkv"}
_MLP = {f"ffn_{part}": f"mlp.{part}_proj" for part in ("gate", "up", "down")}
_LLAMA_INNER = {
    **_NORMS,
    **_both({**_QKV, "attn_output": "self_attn.o_proj", **_MLP}),
}
_QWEN3_INNER = {
    **_LLAMA_INNER,
    "attn_q_norm.weight": "self_attn.q_norm.weight",
    "attn_k_norm.weight": "self_attn.k_norm.weight",
}


def _relative(name: str, inner: Mapping[str, str], *, turned: bool = False, narrow: bool = False) -> Architecture:
    optional = frozenset({name for name in inner if name.endswith(".bias")} | {"output.weight"})
    return Architecture(
        name,
        _LLAMA_KEYS,
        _LLAMA_OUTER,
        inner,
        "model.layers.",
        {},
        optional,
        turned=turned,
        narrow=narrow,
        sparing=True,
    )


_GPT2 = Architecture(
    "gpt2",
    keys={
        "block_count": "n_layer",
        "context_length": "n_positions",
        "embedding_length": "n_embd",
        "feed_forward_length": "n_inner",
        "attention.head_count": "n_head",
        "attention.layer_norm_epsilon": "layer_norm_epsilon",
    },
    outer={
        "token_embd.weight": "transformer.wte.weight",
        "position_embd.weight": "transformer.wpe.weight",
        **_both({"output_norm": "transformer.ln_f"}),
    },
    inner=_both(
        {
            "attn_norm": "ln_1",
            "attn_qkv": "attn.c_attn",
            "attn_output": "attn.c_proj",
            "ffn_norm": "ln_2",
            "ffn_up": "mlp.c_fc",
            "ffn_down": "mlp.c_proj",
        }
    ),
    block="transformer.h.",
    fixed={"activation_function": "gelu_new"},
    transposed=frozenset({"attn_qkv.weight", "attn_output.weight", "ffn_up.weight", "ffn_down.weight"}),
    activations=("gelu_new", "gelu_pytorch_tanh"),
)

ARCHITECTURES: Mapping[str, Architecture] = {
    one.name: one
    for one in (
        _GPT2,
        _relative("llama", _LLAMA_INNER, turned=True),
        _relative("qwen2", _LLAMA_INNER, narrow=True),
        _relative("qwen3", _QWEN3_INNER),
    )
}
"""What can be read and written, by ``general.architecture``."""

_REFUSED = ("expert_count", "rope.scaling.factor", "attention.sliding_window", "rope.scale_linear")
"""Keys that ask for what our models don't do, unless they say 0."""


def architecture_for(config: Mapping[str, Any], where: str) -> Architecture:
    """Return the architecture of a model that its ``config.json`` describes.

    Raises:
        UsageError: GGUF, as llama.cpp reads it, has none that computes the same.
    """
    found = ARCHITECTURES.get(str(config.get("model_type")))
    if found is None:
        raise UsageError(
            f"{where}: GGUF holds decoders of the forms {', '.join(ARCHITECTURES)} "
            "(train with the recipe gpt2 or modern); this model is of none of them"
        )
    activation = config.get("activation_function", "")
    if found.activations and activation not in found.activations:
        raise UsageError(f"{where}: GGUF's {found.name} has the activation gelu_tanh only; this model has {activation}")
    if found.narrow and config["num_attention_heads"] * config["head_dim"] != config["hidden_size"]:
        raise UsageError(f"{where}: GGUF's {found.name} asks that heads times head_width are width; they are not")
    return found


def from_gguf(file: GgufFile) -> tuple[dict[str, Any], dict[str, FloatArray]]:
    """Return the ``config.json`` and the arrays of a file, as transformers has them; special ids are not yet in it.

    Raises:
        ArtefactError: the file is of an architecture, or asks for something, that our models don't do.
        DamagedError: a key is missing, or is not what the arrays say.
    """
    name = file.metadata.get("general.architecture")
    architecture = ARCHITECTURES.get(name) if isinstance(name, str) else None
    if architecture is None:
        raise ArtefactError(f"{file.path}: of the architecture {name!r}; {', '.join(ARCHITECTURES)} can be read")
    config = _config(file, architecture)
    arrays: dict[str, FloatArray] = {}
    known = dict(architecture.names(_layers(file)))
    if unknown := [one for one in file.arrays if one not in known]:
        raise ArtefactError(f"{file.path}: the array '{unknown[0]}' is not one of a {architecture.name} model")
    for ours, theirs in known.items():
        if ours in file.arrays:
            arrays[theirs] = _inward(file.numbers(ours), ours, architecture, config)
        elif _part(ours) not in architecture.optional:
            raise DamagedError(f"{file.path}: damaged: the array '{ours}' is missing")
    if architecture.turned:
        config["attention_bias"] = "blk.0.attn_q.bias" in file.arrays
        config["mlp_bias"] = "blk.0.ffn_up.bias" in file.arrays
    return config, arrays


def to_gguf(
    architecture: Architecture, config: Mapping[str, Any], tensors: TensorMap
) -> tuple[dict[str, int | float], dict[str, FloatArray]]:
    """Return a model's numbers by their keys and its arrays by their names, as GGUF has them.

    Raises:
        UsageError: it has an array that the architecture has no place for.
    """
    numbers = {architecture.key(ours): config[theirs] for ours, theirs in architecture.keys.items()}
    if "head_dim" in config:
        numbers[architecture.key("attention.value_length")] = config["head_dim"]
        numbers[architecture.key("rope.dimension_count")] = config["head_dim"]
    layers = config[architecture.keys["block_count"]]
    places = {theirs: ours for ours, theirs in architecture.names(layers)}
    if strange := [name for name in tensors if name not in places]:
        raise UsageError(f"GGUF's {architecture.name} has no place for the array '{strange[0]}'")
    arrays = {places[name]: np.asarray(array, np.float32) for name, array in tensors.items()}
    return numbers, {name: _outward(array, name, architecture, config) for name, array in arrays.items()}


def _part(name: str) -> str:
    """Return an array's name without what says which block."""
    return name.split(".", 2)[2] if name.startswith("blk.") else name


def _inward(array: FloatArray, name: str, architecture: Architecture, config: Mapping[str, Any]) -> FloatArray:
    part = _part(name)
    if part in architecture.transposed:
        return array.T
    heads = _turned_heads(part, architecture, config)
    if not heads or len(array) % (2 * heads):  # other sizes are refused later, with the array's name
        return array
    return _swapped(array, (heads, len(array) // heads // 2, 2))


def _outward(array: FloatArray, name: str, architecture: Architecture, config: Mapping[str, Any]) -> FloatArray:
    part = _part(name)
    if part in architecture.transposed:
        return np.ascontiguousarray(array.T)
    heads = _turned_heads(part, architecture, config)
    return _swapped(array, (heads, 2, len(array) // heads // 2)) if heads else array


def _swapped(array: npt.NDArray[np.float32], parts: tuple[int, int, int]) -> FloatArray:
    """Return an array whose rows, cut into heads and two parts, have these two exchanged."""
    return array.reshape(*parts, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)


def _turned_heads(part: str, architecture: Architecture, config: Mapping[str, Any]) -> int:
    """Return of how many heads an array's rows are turned; 0 where they are not."""
    if not architecture.turned or not part.startswith(("attn_q.", "attn_k.")):
        return 0
    return int(config["num_attention_heads" if part.startswith("attn_q.") else "num_key_value_heads"])


def _layers(file: GgufFile) -> int:
    blocks = {name.split(".")[1] for name in file.arrays if name.startswith("blk.")}
    return len(blocks)


def _config(file: GgufFile, architecture: Architecture) -> dict[str, Any]:
    """Return ``config.json`` after comparing every size with the arrays, so that nothing large is made in vain."""
    metadata, said = file.metadata, {}
    for ours, theirs in architecture.keys.items():
        said[theirs] = metadata.get(architecture.key(ours))
    config: dict[str, Any] = {"model_type": architecture.name, **architecture.fixed, **said}
    for name in _REFUSED:
        if metadata.get(architecture.key(name)):
            raise ArtefactError(f"{file.path}: asks for {architecture.key(name)}, which our models don't have")
    if metadata.get(architecture.key("rope.scaling.type"), "none") != "none":
        raise ArtefactError(f"{file.path}: asks for scaled rotary positions, which our models don't have")
    embedding = file.arrays.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise DamagedError(f"{file.path}: damaged: it has no array 'token_embd.weight' of rows and columns")
    config["vocab_size"], width = embedding.shape
    if architecture.sparing:
        _complete(file, architecture, config, width)
    _check_numbers(file, architecture, config)
    _check_sizes(file, architecture, config, width)
    return config


def _complete(file: GgufFile, architecture: Architecture, config: dict[str, Any], width: int) -> None:
    """Add what a file of Llama's kin may leave out."""
    heads = config["num_attention_heads"]
    if config["num_key_value_heads"] is None:
        config["num_key_value_heads"] = heads
    if config["head_dim"] is None and type(heads) is int and heads > 0:
        config["head_dim"] = width // heads
    if config["rope_theta"] is None:
        config["rope_theta"] = 10000.0
    config["tie_word_embeddings"] = "output.weight" not in file.arrays
    for name in ("attention.value_length", "rope.dimension_count"):
        if file.metadata.get(architecture.key(name), config["head_dim"]) != config["head_dim"]:
            raise ArtefactError(
                f"{file.path}: {architecture.key(name)} is not the width of a head, which our models ask for"
            )


def _check_numbers(file: GgufFile, architecture: Architecture, config: dict[str, Any]) -> None:
    for ours, theirs in architecture.keys.items():
        value = config[theirs]
        whole = not (theirs.endswith(("eps", "epsilon")) or theirs == "rope_theta")
        right = type(value) is int and value > 0 if whole else isinstance(value, float) and 0 <= value < float("inf")
        if not right:
            what = "is missing" if value is None else f"can't be {value!r}"
            raise DamagedError(f"{file.path}: damaged: the key '{architecture.key(ours)}' {what}")
        if not whole:
            config[theirs] = float(str(np.float32(value)))  # what was meant: 1e-05, not the 32-bit number next to it


def _check_sizes(file: GgufFile, architecture: Architecture, config: Mapping[str, Any], width: int) -> None:
    """Compare the sizes that metadata says with the arrays, which are known to be in the file."""
    sizes = {ours: config[theirs] for ours, theirs in architecture.keys.items()}
    up, table = file.arrays.get("blk.0.ffn_up.weight"), file.arrays.get("position_embd.weight")
    seen = {
        "block_count": _layers(file),
        "embedding_length": width,
        "feed_forward_length": up.shape[0] if up is not None else 0,
        **({"context_length": table.shape[0]} if table is not None else {}),
    }
    for name, value in seen.items():
        if sizes[name] != value:
            raise DamagedError(
                f"{file.path}: damaged: the key '{architecture.key(name)}' says {sizes[name]:,}, its arrays {value:,}"
            )
    if sizes["context_length"] > LONGEST_CONTEXT:
        raise ArtefactError(f"{file.path}: a context of {sizes['context_length']:,} ids; {LONGEST_CONTEXT:,} at most")
    heads = sizes["attention.head_count"]
    rows = heads * sizes.get("attention.key_length", 0)
    queries = file.arrays.get("blk.0.attn_q.weight")
    if heads > width or (queries is not None and queries.shape[0] != rows):
        raise DamagedError(f"{file.path}: damaged: {heads:,} heads do not fit the arrays of queries")
