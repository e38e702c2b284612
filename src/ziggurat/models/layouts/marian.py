"""Marian (Junczys-Dowmunt et al. 2018): the encoder–decoder of Vaswani et al. 2017, as OPUS-MT's models have it."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.layout import Renaming, extras, vocabulary_of

__all__ = ["LAYOUT", "Marian"]

ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "silu": "swish"}
EPSILON = 1e-5
"""What transformers adds under the root; ``config.json`` has no key for it."""
LONGEST = 1 << 20
"""Positions that a file may claim: their table is computed, so no array's shape bears them out."""
REFUSED = ("normalize_before", "normalize_embedding", "add_final_layer_norm")
"""What some of Marian's own models do and neither transformers' nor ours: their answers would be wrong in silence."""
SAME = (
    ("encoder_attention_heads", "decoder_attention_heads"),
    ("encoder_ffn_dim", "decoder_ffn_dim"),
    ("vocab_size", "decoder_vocab_size"),
)
"""Keys of the encoder and of the decoder that must agree."""


class Marian:
    """Layout of Marian's translation models.

    *Departs.* The decoder begins with the padding token there, so that is what the vocabulary calls ``bos``. Tables of
    positions are computed, and neither read nor written.
    """

    family: ClassVar[str] = "seq2seq"
    model_types: ClassVar[tuple[str, ...]] = ("marian",)
    prefix: ClassVar[str] = ""
    causal: ClassVar[bool] = False
    ignored: ClassVar[tuple[str, ...]] = (
        r"^model\.(encoder|decoder)\.embed_(positions|tokens)\.weight$",
        r"^lm_head\.weight$",
    )

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        alike = (config.positions, config.norm, config.norm_place, config.bias, config.query_norm, config.tied)
        whole = config.resolved_key_heads == config.heads and config.heads * config.resolved_head_width == config.width
        known = config.activation in ACTIVATIONS and config.norm_epsilon == EPSILON
        return alike == ("sinusoidal", "layer", "post", "all", False, True) and whole and known

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return what transformers writes for such a model."""
        sides: dict[str, Any] = {}
        for side, layers in (("encoder", config.layers), ("decoder", config.resolved_decoder_layers)):
            sides[f"{side}_layers"] = layers
            sides[f"{side}_attention_heads"] = config.heads
            sides[f"{side}_ffn_dim"] = config.resolved_feedforward
        return {
            "architectures": ["MarianMTModel"],
            "model_type": "marian",
            "is_encoder_decoder": True,
            "dtype": "float32",
            "torch_dtype": "float32",
            "vocab_size": vocabulary.size,
            "decoder_vocab_size": vocabulary.size,
            "share_encoder_decoder_embeddings": True,
            "tie_word_embeddings": True,
            "bos_token_id": vocabulary.bos,
            "eos_token_id": vocabulary.eos,
            "pad_token_id": vocabulary.bos if vocabulary.pad is None else vocabulary.pad,
            "decoder_start_token_id": vocabulary.bos,
            "forced_eos_token_id": None,
            "d_model": config.width,
            **sides,
            "num_hidden_layers": config.layers,
            "max_position_embeddings": config.context,
            "activation_function": ACTIVATIONS[config.activation],
            "scale_embedding": config.scale_embedding,
            "static_position_embeddings": True,
            "dropout": config.dropout,
            "attention_dropout": 0.0,
            "activation_dropout": 0.0,
            "encoder_layerdrop": 0.0,
            "decoder_layerdrop": 0.0,
            "init_std": 0.02,
            "use_cache": True,
            "ziggurat": extras(config, vocabulary),
        }

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys and the vocabulary of such a ``config.json``."""
        known = {theirs: ours for ours, theirs in ACTIVATIONS.items()} | {"silu": "silu"}
        activation = config.get("activation_function", "gelu")
        if activation not in known:
            raise ArtefactError(f"config.json: activation_function {activation!r} is not one of {', '.join(known)}")
        for key in REFUSED:
            if config.get(key):
                raise ArtefactError(f"config.json: {key} is true: such models of Marian can't be opened")
        if int(config["max_position_embeddings"]) > LONGEST:
            length = config["max_position_embeddings"]
            raise ArtefactError(f"config.json: max_position_embeddings: {length} is more than {LONGEST}")
        for one, other in SAME:
            if (config[other] if config.get(other) is not None else config[one]) != config[one]:
                raise ArtefactError(f"config.json: {one} ({config[one]}) and {other} ({config[other]}) must agree")
        for key in ("share_encoder_decoder_embeddings", "tie_word_embeddings"):
            if not config.get(key, True):
                raise ArtefactError(f"config.json: {key} is false: only models that share one matrix can be opened")
        keys = {
            "layers": config["encoder_layers"],
            "decoder_layers": config["decoder_layers"],
            "width": config["d_model"],
            "heads": config["encoder_attention_heads"],
            "feedforward": config["encoder_ffn_dim"],
            "context": config["max_position_embeddings"],
            "dropout": config.get("ziggurat", {}).get("dropout", config.get("dropout", 0.0)),
            "activation": known[activation],
            "scale_embedding": bool(config.get("scale_embedding", False)),
            "norm_epsilon": EPSILON,
        }
        if "ziggurat" not in config:  # which says that bos_token_id is how targets begin, or that a tokenizer told it
            start = config.get("decoder_start_token_id")
            config = {**config, "bos_token_id": config["pad_token_id"] if start is None else start}
        return keys, vocabulary_of(config)

    def renamings(self, config: Any) -> Iterator[Renaming]:
        """Yield where each array stands."""
        yield Renaming("embed_tokens.weight", "model.shared.weight")
        yield Renaming("final_logits_bias", "final_logits_bias")
        for layer in range(config.layers):
            yield from _block(f"encoder.layers.{layer}.", crosses=False)
        for layer in range(config.resolved_decoder_layers):
            yield from _block(f"decoder.layers.{layer}.", crosses=True)


def _block(block: str, *, crosses: bool) -> Iterator[Renaming]:
    """Yield where the arrays of one block stand."""
    attentions = [("self_attn", "self_attn", "input_layernorm")]
    if crosses:
        attentions.append(("cross_attn", "encoder_attn", "cross_attn_layernorm"))
    for kind in ("weight", "bias"):
        for ours, theirs, norm in attentions:
            for part in "qkvo":
                name = "out_proj" if part == "o" else f"{part}_proj"
                yield Renaming(f"{block}{ours}.{part}_proj.{kind}", f"model.{block}{theirs}.{name}.{kind}")
            yield Renaming(f"{block}{norm}.{kind}", f"model.{block}{theirs}_layer_norm.{kind}")
        yield Renaming(f"{block}mlp.up_proj.{kind}", f"model.{block}fc1.{kind}")
        yield Renaming(f"{block}mlp.down_proj.{kind}", f"model.{block}fc2.{kind}")
        yield Renaming(f"{block}post_attention_layernorm.{kind}", f"model.{block}final_layer_norm.{kind}")


LAYOUT = Marian()
