"""BERT (Devlin et al. 2019): learned positions, LayerNorm after each half of a block, GELU, biases everywhere."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.layout import USUAL_DROPOUT, Renaming, extras, vocabulary_of

__all__ = ["LAYOUT", "Bert", "fits"]

ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu", "relu2": "relu2", "silu": "silu"}
UNABLE = {"position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False}
"""Keys that may only have this value."""


class Bert:
    """Layout of BERT; what RoBERTa and RoFormer do otherwise stands in their files."""

    family: ClassVar[str] = "encoder"
    model_types: ClassVar[tuple[str, ...]] = ("bert",)
    prefix: ClassVar[str] = "bert."
    causal: ClassVar[bool] = False
    ignored: ClassVar[tuple[str, ...]] = (
        r"\.position_ids$",
        r"\.token_type_ids$",
        r"^(bert\.)?cls\.predictions\.decoder\.(weight|bias)$",
        r"^(bert\.)?cls\.predictions\.bias$",
        r"^(bert\.)?cls\.seq_relationship\.",
        r"^(bert\.)?(classifier|qa_outputs)\.",
    )
    classes: ClassVar[tuple[str, str]] = ("BertForMaskedLM", "BertModel")
    """transformers' class for a model with a head and one without."""
    own: ClassVar[tuple[str, ...]] = ("head", "pooler", "pooling", "normalise", "longest_text")
    """Keys of parts, and of how a text becomes one vector, which no ``config.json`` of theirs has."""
    head: ClassVar[dict[str, str]] = {
        "dense": "cls.predictions.transform.dense",
        "norm": "cls.predictions.transform.LayerNorm",
        "decoder": "cls.predictions.decoder",
        "bias": "cls.predictions.bias",
    }
    """Where the head's parts stand."""

    positions: ClassVar[str] = "learned"
    """How it is told the order."""

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        return fits(config) and not config.first_position and config.token_types > 0

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        return {
            "architectures": [self.architecture(config)],
            "model_type": self.model_types[0],
            "dtype": "float32",
            "torch_dtype": "float32",
            "vocab_size": vocabulary.size,
            "bos_token_id": vocabulary.bos,
            "eos_token_id": vocabulary.eos,
            "pad_token_id": vocabulary.pad,
            "hidden_size": config.width,
            "intermediate_size": config.resolved_feedforward,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "max_position_embeddings": config.context + config.first_position,
            "type_vocab_size": config.token_types,
            "hidden_act": ACTIVATIONS[config.activation],
            "layer_norm_eps": config.norm_epsilon,
            "tie_word_embeddings": True,
            "hidden_dropout_prob": config.dropout,
            "attention_probs_dropout_prob": 0.0,
            "position_embedding_type": "absolute",
            "initializer_range": 0.02,
            "ziggurat": {
                **extras(config, vocabulary),
                **{key: value for key in self.own if (value := getattr(config, key)) is not None},
            },
        }

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        for key, only in UNABLE.items():
            if config.get(key, only) not in (only, None):
                raise ArtefactError(f"config.json: {key} {config[key]!r} is not supported, only {only!r}")
        known = {theirs: ours for ours, theirs in ACTIVATIONS.items()} | {"gelu_pytorch_tanh": "gelu_tanh"}
        activation = config.get("hidden_act", "gelu")
        if activation not in known:
            raise ArtefactError(f"config.json: hidden_act {activation!r} is not one of {', '.join(known)}")
        extra = config.get("ziggurat", {})
        first = self.first_position(config)
        keys = {
            "layers": config["num_hidden_layers"],
            "width": config["hidden_size"],
            "heads": config["num_attention_heads"],
            "feedforward": config["intermediate_size"],
            "context": config["max_position_embeddings"] - first,
            "dropout": extra.get("dropout", config.get("hidden_dropout_prob", USUAL_DROPOUT)),
            "norm_epsilon": config.get("layer_norm_eps", 1e-12),
            "activation": known[activation],
            "positions": self.positions,
            "token_types": config.get("type_vocab_size", 2),
            "first_position": first,
            "tied": config.get("tie_word_embeddings", True),
            **{key: extra[key] for key in self.own if key in extra},
        }
        if "longest_text" in keys:
            keys["longest_text"] = min(keys["longest_text"], keys["context"])
        return keys, vocabulary_of(config)

    def architecture(self, config: Any) -> str:
        """Return transformers' class for such a model."""
        return self.classes[0 if config.head else 1]

    def first_position(self, _: Mapping[str, Any]) -> int:
        """Return the number of a text's first position."""
        return 0

    def parts(self, names: Collection[str]) -> dict[str, Any]:
        """Return whether a file has the head and the pooler."""
        return {
            "head": f"{self.head['dense']}.weight" in names,
            "pooler": f"{self.prefix}pooler.dense.weight" in names,
        }

    def current(self, name: str) -> str:
        """Return a name as it is today: norms were ``gamma`` and ``beta`` once."""
        return re.sub(r"\.beta$", ".bias", re.sub(r"\.gamma$", ".weight", name))

    def renamings(self, config: Any) -> Iterator[Renaming]:
        """Yield where each array stands."""
        own = f"{self.prefix}embeddings."
        yield Renaming("embed_tokens.weight", f"{own}word_embeddings.weight")
        skipped = config.first_position
        if config.positions == "learned":
            yield Renaming("stack.added.table.weight", f"{own}position_embeddings.weight", skipped=skipped)
        if config.token_types:
            yield Renaming("embed_types.weight", f"{own}token_type_embeddings.weight")
        pairs = {"embed_norm": f"{own}LayerNorm"}
        for layer in range(config.layers):
            ours, theirs = f"stack.layers.{layer}.", f"{self.prefix}encoder.layer.{layer}."
            pairs |= {
                f"{ours}self_attn.q_proj": f"{theirs}attention.self.query",
                f"{ours}self_attn.k_proj": f"{theirs}attention.self.key",
                f"{ours}self_attn.v_proj": f"{theirs}attention.self.value",
                f"{ours}self_attn.o_proj": f"{theirs}attention.output.dense",
                f"{ours}input_layernorm": f"{theirs}attention.output.LayerNorm",
                f"{ours}mlp.up_proj": f"{theirs}intermediate.dense",
                f"{ours}mlp.down_proj": f"{theirs}output.dense",
                f"{ours}post_attention_layernorm": f"{theirs}output.LayerNorm",
            }
        if config.pooler:
            pairs["pooler"] = f"{self.prefix}pooler.dense"
        if getattr(config, "head", False):
            pairs |= {"head.dense": self.head["dense"], "head.norm": self.head["norm"]}
            bias = self.head["bias"] if config.tied else f"{self.head['decoder']}.bias"
            yield Renaming("head.bias", bias)
            if not config.tied:
                yield Renaming("head.output.weight", f"{self.head['decoder']}.weight")
        for name, theirs in pairs.items():
            for kind in ("weight", "bias"):
                yield Renaming(f"{name}.{kind}", f"{theirs}.{kind}")


def fits(config: Any, *, positions: str = "learned") -> bool:
    """Return whether an encoder has BERT's form with these positions; their numbers and token types aside."""
    alike = (config.positions, config.norm, config.norm_place, config.bias, config.query_norm, config.tied)
    whole = config.resolved_key_heads == config.heads and config.heads * config.resolved_head_width == config.width
    return alike == (positions, "layer", "post", "all", False, True) and whole and config.activation in ACTIVATIONS


LAYOUT = Bert()
