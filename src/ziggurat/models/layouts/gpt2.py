"""GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each half of a block, GELU, biases everywhere."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.layouts.layout import USUAL_DROPOUT, Renaming, extras, has_own_parts, vocabulary_of

__all__ = ["LAYOUT", "Gpt2"]

ACTIVATIONS = {"gelu_tanh": "gelu_new", "gelu": "gelu", "relu": "relu"}
_ALWAYS = {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False}
"""Keys that would make another model, and what they must say."""


class Gpt2:
    """Layout of GPT-2: matrices stand transposed, and queries, keys and values in one."""

    family: ClassVar[str] = "decoder"
    model_types: ClassVar[tuple[str, ...]] = ("gpt2",)
    prefix: ClassVar[str] = "transformer."
    causal: ClassVar[bool] = True
    ignored: ClassVar[tuple[str, ...]] = (r"\.attn\.(masked_)?bias$", r"^(transformer\.)?lm_head\.weight$")

    def holds(self, config: TransformerConfig) -> bool:
        """Return whether a model of this configuration can be written so."""
        alike = (config.positions, config.norm, config.norm_place, config.bias, config.query_norm)
        whole = config.resolved_key_heads == config.heads and config.heads * config.resolved_head_width == config.width
        known = config.activation in ACTIVATIONS and not has_own_parts(config)
        return alike == ("learned", "layer", "pre", "all", False) and whole and known

    def describe(self, config: TransformerConfig, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        return {
            "architectures": ["GPT2LMHeadModel"],
            "model_type": "gpt2",
            "dtype": "float32",
            "torch_dtype": "float32",
            "vocab_size": vocabulary.size,
            "bos_token_id": vocabulary.bos,
            "eos_token_id": vocabulary.eos,
            "n_embd": config.width,
            "n_inner": config.resolved_feedforward,
            "n_layer": config.layers,
            "n_head": config.heads,
            "n_positions": config.context,
            "n_ctx": config.context,
            "activation_function": ACTIVATIONS[config.activation],
            "layer_norm_epsilon": config.norm_epsilon,
            "tie_word_embeddings": config.tied,
            "embd_pdrop": config.dropout,
            "resid_pdrop": config.dropout,
            "attn_pdrop": 0.0,
            "initializer_range": 0.02,
            "use_cache": True,
            "ziggurat": extras(config, vocabulary),
        }

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        known = {theirs: ours for ours, theirs in ACTIVATIONS.items()} | {"gelu_pytorch_tanh": "gelu_tanh"}
        activation = config.get("activation_function", "gelu_new")
        if activation not in known:
            raise ArtefactError(f"config.json: activation_function {activation!r} is not one of {', '.join(known)}")
        for key, value in _ALWAYS.items():
            if config.get(key, value) != value:
                raise ArtefactError(f"config.json: {key} {config[key]!r} is not done here; only {value!r} is")
        extra = config.get("ziggurat", {})
        keys = {
            "layers": config["n_layer"],
            "width": config["n_embd"],
            "heads": config["n_head"],
            "feedforward": config.get("n_inner") or 4 * config["n_embd"],
            "context": config["n_positions"],
            "dropout": extra.get("dropout", config.get("resid_pdrop", USUAL_DROPOUT)),
            "norm_epsilon": config.get("layer_norm_epsilon", 1e-5),
            "activation": known[activation],
            "positions": "learned",
            "norm": "layer",
            "bias": "all",
            "query_norm": False,
            "tied": config.get("tie_word_embeddings", True),
        }
        return keys, vocabulary_of(config)

    def renamings(self, config: TransformerConfig) -> Iterator[Renaming]:
        """Yield where each array stands."""
        yield Renaming("embed_tokens.weight", "transformer.wte.weight")
        yield Renaming("stack.added.table.weight", "transformer.wpe.weight")
        for layer in range(config.layers):
            ours, theirs = f"stack.layers.{layer}.", f"transformer.h.{layer}."
            for kind in ("weight", "bias"):
                yield Renaming(f"{ours}input_layernorm.{kind}", f"{theirs}ln_1.{kind}")
                yield Renaming(f"{ours}post_attention_layernorm.{kind}", f"{theirs}ln_2.{kind}")
                for piece, part in enumerate("qkv"):
                    name = f"{ours}self_attn.{part}_proj.{kind}"
                    yield Renaming(name, f"{theirs}attn.c_attn.{kind}", transposed=True, piece=piece, pieces=3)
                yield Renaming(f"{ours}self_attn.o_proj.{kind}", f"{theirs}attn.c_proj.{kind}", transposed=True)
                yield Renaming(f"{ours}mlp.up_proj.{kind}", f"{theirs}mlp.c_fc.{kind}", transposed=True)
                yield Renaming(f"{ours}mlp.down_proj.{kind}", f"{theirs}mlp.c_proj.{kind}", transposed=True)
        for kind in ("weight", "bias"):
            yield Renaming(f"stack.norm.{kind}", f"transformer.ln_f.{kind}")
        if not config.tied:
            yield Renaming("lm_head.weight", "lm_head.weight")


LAYOUT = Gpt2()
