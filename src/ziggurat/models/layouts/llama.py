"""Llama and its relatives: rotary positions, RMSNorm before each half of a block, gated feed-forward layers.

What tells them apart is small: Qwen2 adds biases to queries, keys and values, Qwen3 normalises queries and keys.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.layouts.layout import Renaming, extras, vocabulary_of

__all__ = ["LAYOUT", "Llama"]

CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}


class Llama:
    """Layout of Llama (Touvron et al. 2023), Mistral, Qwen2 and Qwen3 decoders."""

    family: ClassVar[str] = "decoder"
    model_types: ClassVar[tuple[str, ...]] = ("qwen3", "qwen2", "llama", "mistral")
    prefix: ClassVar[str] = "model."
    ignored: ClassVar[tuple[str, ...]] = (r"rotary_emb\.inv_freq$",)

    def holds(self, config: TransformerConfig) -> bool:
        """Return whether a model of this configuration can be written so."""
        alike = (config.positions, config.norm, config.norm_place, config.activation)
        return alike == ("rotary", "rms", "pre", "swiglu") and (config.bias == "none" or not config.query_norm)

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
            "rope_parameters": {"rope_type": "default", "rope_theta": config.rotary_base},
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
        heads, width = config["num_attention_heads"], config["hidden_size"]
        bias = "all" if config.get("attention_bias") else "none"
        if bool(config.get("mlp_bias")) != (bias == "all") and kind == "llama":
            raise ArtefactError("config.json: attention_bias and mlp_bias differ; only models with both or none open")
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
            "rotary_base": float(_rotary_base(config)),
            "norm_epsilon": config["rms_norm_eps"],
            "query_norm": kind == "qwen3",
            "bias": "qkv" if kind == "qwen2" else bias,
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


def _rotary_base(config: Mapping[str, Any]) -> float:
    said = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = said.get("rope_type", said.get("type", "default"))
    if kind != "default":
        raise ArtefactError(f"config.json: rope_type {kind!r} is not known here; only 'default' is")
    return said.get("rope_theta") or config.get("rope_theta") or 10000.0


LAYOUT = Llama()
