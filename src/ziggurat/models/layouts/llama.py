"""Llama and its relatives: rotary positions, RMSNorm before each half of a block, gated feed-forward layers.

What tells them apart is small: Qwen2 adds biases to queries, keys and values, Qwen3 normalises queries and keys.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.positions import STRETCHES
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.layouts.layout import Renaming, extras, has_own_parts, vocabulary_of

__all__ = ["LAYOUT", "Llama"]

_FIRST = "original_max_position_embeddings"
CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}


class Llama:
    """Layout of Llama (Touvron et al. 2023), Mistral, Qwen2 and Qwen3 decoders."""

    family: ClassVar[str] = "decoder"
    model_types: ClassVar[tuple[str, ...]] = ("qwen3", "qwen2", "llama", "mistral")
    prefix: ClassVar[str] = "model."
    causal: ClassVar[bool] = True
    ignored: ClassVar[tuple[str, ...]] = (r"rotary_emb\.inv_freq$", r"^(model\.)?lm_head\.weight$")

    def holds(self, config: TransformerConfig) -> bool:
        """Return whether a model of this configuration can be written so."""
        alike = (config.positions, config.norm, config.norm_place, config.activation)
        known = alike == ("rotary", "rms", "pre", "swiglu") and not has_own_parts(config)
        return known and (config.bias == "none" or not config.query_norm)

    def describe(self, config: TransformerConfig, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        kind = "qwen3" if config.query_norm else "qwen2" if config.bias == "qkv" else "llama"
        biases = {} if kind == "qwen2" else {"attention_bias": config.bias == "all"}
        biases |= {"mlp_bias": config.bias == "all"} if kind == "llama" else {"use_sliding_window": False}
        return {
            "architectures": [CLASSES[kind]],
            "model_type": kind,
            "dtype": "float32",
            "torch_dtype": "float32",
            "vocab_size": vocabulary.size,
            "bos_token_id": vocabulary.bos,
            "eos_token_id": vocabulary.eos,
            "hidden_size": config.width,
            "intermediate_size": config.resolved_feedforward,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "num_key_value_heads": config.resolved_key_heads,
            "head_dim": config.resolved_head_width,
            "hidden_act": "silu",
            "max_position_embeddings": config.context,
            "rms_norm_eps": config.norm_epsilon,
            "rope_theta": config.rotary_base,
            "rope_parameters": _rope(config),
            "tie_word_embeddings": config.tied,
            "attention_dropout": 0.0,
            "initializer_range": 0.02,
            "use_cache": True,
            **biases,
            "ziggurat": extras(config, vocabulary),
        }

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        kind, extra = config["model_type"], config.get("ziggurat", {})
        _refuse_others(config)
        heads, width = config["num_attention_heads"], config["hidden_size"]
        stretch, numbers = _stretch(config)
        keys = {
            "layers": config["num_hidden_layers"],
            "width": width,
            "heads": heads,
            "key_heads": config.get("num_key_value_heads") or heads,
            "head_width": config.get("head_dim") or width // heads,
            "feedforward": config["intermediate_size"],
            "context": config["max_position_embeddings"],
            "tied": config.get("tie_word_embeddings", False),
            "dropout": extra.get("dropout", 0.0),
            "rotary_base": float(_said_of_positions(config).get("rope_theta") or config.get("rope_theta") or 10000.0),
            "rotary_stretch": stretch,
            "rotary_numbers": numbers,
            "norm_epsilon": config["rms_norm_eps"],
            "query_norm": kind == "qwen3",
            "bias": "qkv" if kind == "qwen2" else "all" if config.get("attention_bias") else "none",
        }
        return keys, vocabulary_of(config)

    def renamings(self, config: TransformerConfig) -> Iterator[Renaming]:
        """Yield where each array stands."""
        yield Renaming("embed_tokens.weight", "model.embed_tokens.weight")
        biased = {"none": (), "qkv": ("q", "k", "v"), "all": ("q", "k", "v", "o")}[config.bias]
        inner = ["input_layernorm.weight", "post_attention_layernorm.weight"]
        inner += [f"self_attn.{part}_proj.weight" for part in "qkvo"] + [f"self_attn.{p}_proj.bias" for p in biased]
        inner += ["self_attn.q_norm.weight", "self_attn.k_norm.weight"] if config.query_norm else []
        for part in ("gate", "up", "down"):
            inner += [f"mlp.{part}_proj.weight"] + ([f"mlp.{part}_proj.bias"] if config.bias == "all" else [])
        for layer in range(config.layers):
            for name in inner:
                yield Renaming(f"stack.layers.{layer}.{name}", f"model.layers.{layer}.{name}")
        yield Renaming("stack.norm.weight", "model.norm.weight")
        if not config.tied:
            yield Renaming("lm_head.weight", "lm_head.weight")


def _rope(config: TransformerConfig) -> dict[str, Any]:
    """Return what transformers calls ``rope_parameters``."""
    kind = "default" if config.rotary_stretch == "none" else config.rotary_stretch
    numbers = dict(zip(STRETCHES[config.rotary_stretch], config.rotary_numbers, strict=True))
    whole = {key: int(number) if key == _FIRST and number == int(number) else number for key, number in numbers.items()}
    return {"rope_type": kind, "rope_theta": config.rotary_base, **whole}


def _said_of_positions(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _stretch(config: Mapping[str, Any]) -> tuple[str, tuple[float, ...]]:
    """Return ``rotary_stretch`` and ``rotary_numbers``."""
    said = dict(_said_of_positions(config))
    kind = said.get("rope_type", said.get("type", "default"))
    kind = "none" if kind == "default" else kind
    if kind not in STRETCHES:
        known = ", ".join(["default", *list(STRETCHES)[1:]])
        raise ArtefactError(f"config.json: rope_type {kind!r} is not known here; these are: {known}")
    if kind == "yarn":
        for key in ("mscale", "mscale_all_dim"):
            if said.get(key):
                raise ArtefactError(f"config.json: rope_parameters: {key} is not known here")
        if said.get("truncate", True) is not True:
            raise ArtefactError("config.json: rope_parameters: truncate: only true is known here")
        said["beta_fast"], said["beta_slow"] = said.get("beta_fast") or 32.0, said.get("beta_slow") or 1.0
        if not said.get("attention_factor"):
            said["attention_factor"] = 0.1 * math.log(said["factor"]) + 1 if said["factor"] > 1 else 1.0
    if kind != "none":
        said.setdefault(_FIRST, config["max_position_embeddings"])
    missing = [key for key in STRETCHES[kind] if key not in said]
    if missing:
        raise ArtefactError(f"config.json: rope_parameters: {missing[0]} is missing, which rope_type {kind} needs")
    return kind, tuple(float(said[key]) for key in STRETCHES[kind])


def _refuse_others(config: Mapping[str, Any]) -> None:
    """Refuse what would open and then compute something else.

    Raises:
        ArtefactError: the model asks for it; the message names the key.
    """
    if config.get("hidden_act", "silu") not in ("silu", "swish"):
        raise ArtefactError(f"config.json: hidden_act {config['hidden_act']!r} is not done here; only 'silu' is")
    kind = config["model_type"]
    biases = bool(config.get("attention_bias")) and kind != "qwen2", bool(config.get("mlp_bias"))
    if biases[0] != biases[1]:
        raise ArtefactError("config.json: attention_bias and mlp_bias differ; only models with both or none open")
    context, window = config["max_position_embeddings"], config.get("sliding_window")
    slides = config.get("use_sliding_window", kind == "mistral") or "sliding_attention" in (
        config.get("layer_types") or ()
    )
    if slides and window is not None and window < context:
        raise ArtefactError(
            f"config.json: sliding_window {window} is smaller than max_position_embeddings {context}: attention in "
            f"sliding windows is not done here; with max_position_embeddings {window} the model opens, and reads so far"
        )
    others = set(config.get("layer_types") or ()) - {"full_attention", "sliding_attention"}
    if others:
        raise ArtefactError(f"config.json: layer_types: {', '.join(sorted(others))} is not done here")
    said = _said_of_positions(config)
    if said.get("partial_rotary_factor", config.get("partial_rotary_factor")) not in (None, 1, 1.0):
        raise ArtefactError("config.json: partial_rotary_factor is not done here; heads are turned as a whole")


LAYOUT = Llama()
