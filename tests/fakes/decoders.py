"""Small decoders of every form that other programs know, with tokenizers of our own, trained for a moment or drawn."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes.texts import documents
from tests.fakes.token_streams import MemoryStream
from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.config import from_mapping
from ziggurat.core.protocols import Tokenizer
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.loading import TOKENIZERS, train_tokenizer
from ziggurat.training.gradient import Config, fit
from ziggurat.training.job import Job

TEXTS = (
    *documents(7, seed=3),
    *documents(7, seed=4, chinese=True),
    "It's 12345 or 3.14; don't — 👩‍👩‍👧‍👦\n\n\tIndented.\n",
)

MODERN = {"layers": 2, "width": 26, "heads": 6, "key_heads": 3, "head_width": 10, "feedforward": 37, "context": 61}
"""Sizes of which few are equal."""
WHOLE = {"layers": 2, "width": 35, "heads": 5, "feedforward": 41, "context": 61}
"""The same where the heads must be as wide as the model together."""
GPT2 = {"positions": "learned", "norm": "layer", "activation": "gelu_tanh", "bias": "all", "query_norm": False}

FORMS: Mapping[str, dict[str, Any]] = {
    "gpt2": {**WHOLE, **GPT2},
    "llama": {**MODERN, "query_norm": False, "rotary_base": 50021.0, "tied": False},
    "llama biased": {**MODERN, "query_norm": False, "bias": "all", "norm_epsilon": 3e-5},
    "qwen2": {**WHOLE, "width": 30, "query_norm": False, "bias": "qkv"},
    "qwen3": MODERN,
    "qwen3 untied": {**MODERN, "tied": False},
}
"""``[model]`` keys, by the form that the layouts write such a model in."""


@functools.cache
def tokenizer(kind: str, **keys: Any) -> Tokenizer:
    """A tokenizer of a kind, trained on `TEXTS`."""
    return train_tokenizer(TEXTS, kind, from_mapping(TOKENIZERS.get(kind).config, keys, where="test"))


def byte_pairs(pattern: str = "gpt2") -> Tokenizer:
    """A byte-level BPE with some merges."""
    return tokenizer("bpe", vocab_size=353, pattern=pattern)


def drawn(folder: Path, form: Mapping[str, Any], tokens: Tokenizer, *, more_ids: int = 0, **papers: Any) -> Bundle:
    """Save a decoder whose weights are drawn wide, so that its distributions are far from uniform."""
    family = FAMILIES.get("decoder")
    vocabulary = tokens.vocabulary
    if more_ids:
        from dataclasses import replace

        vocabulary = replace(vocabulary, size=vocabulary.size + more_ids)
    model: Any = family.build(from_mapping(family.config, dict(form), where="test"), vocabulary, seed=5)
    for name, parameter in model.network.named_parameters():
        if parameter.dim() > 1:
            fill_normal(parameter, std=0.3, seed=5, name=name)
        else:
            fill_normal(parameter, std=0.2, seed=5, name=name)
            if "norm" in name and name.endswith("weight"):
                parameter.data += 1
    provenance = Provenance(recipe={"name": "drawn"})
    return save(folder, family="decoder", model=model, tokenizer=tokens, provenance=provenance, **papers)


def trained(folder: Path, form: Mapping[str, Any], tokens: Tokenizer, *, steps: int = 40) -> Bundle:
    """Save a decoder that was trained on `TEXTS` for some steps."""
    family = FAMILIES.get("decoder")
    found = [tokens.encode(text).ids.tolist() for text in TEXTS]
    job = Job(
        family=family,
        model_config=from_mapping(family.config, dict(form), where="test"),
        config=from_mapping(
            Config, {"steps": steps, "rows": 8, "window": 47, "warmup_steps": 3, "evaluations": 1}, where="training"
        ),
        train=MemoryStream.of(found, tokens.vocabulary),
        dev=MemoryStream.of(found[:2], tokens.vocabulary),
        seed=11,
    )
    fitted = fit(job)
    return save(folder, family="decoder", model=fitted.model, tokenizer=tokens, provenance=Provenance())
