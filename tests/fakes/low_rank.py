"""Small decoders of three forms, and learnt changes of them; all from fixed seeds, so that golden files fit."""

from pathlib import Path
from typing import Any

import torch

from tests.fakes.bundles import eleven_words
from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.types import Vocabulary
from ziggurat.models.adapter import Adapter
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.blocks.lora import LowRankOptions, adapt, adapter_of
from ziggurat.models.decoder import FAMILY, DecoderConfig

LLAMA = DecoderConfig(layers=2, width=20, heads=5, head_width=4, feedforward=23, context=31, query_norm=False)
GPT2 = DecoderConfig(
    layers=2, width=20, heads=5, feedforward=23, context=31, positions="learned", norm="layer", bias="all",
    query_norm=False, activation="gelu_tanh", norm_epsilon=1e-5,
)  # fmt: skip
OWN = DecoderConfig(layers=2, width=20, heads=5, feedforward=23, context=31, activation="relu2")
"""Squared ReLU and rotary positions: a form that no other program has."""
OPTIONS = LowRankOptions(rank=3, alpha=7.0)
PROJECTIONS = ("q_proj", "v_proj", "o_proj", "down_proj")
"""What is changed: of GPT-2 two parts of one matrix, and matrices of their own."""
IDS = [2, 3, 5, 7, 10, 1, 0, 4, 4, 9, 8, 6, 2]


def base_bundle(path: Path, config: DecoderConfig) -> Bundle:
    """A decoder with wide weights."""
    model: Any = FAMILY.build(config, Vocabulary(size=11, bos=0, eos=0, unk=1), seed=0)
    for name, weight in model.network.named_parameters():
        fill_normal(weight, std=0.3, seed=5, name=name)
    return save(path, family="decoder", model=model, tokenizer=eleven_words(), provenance=Provenance())


def adapter_for(bundle: Bundle, on: tuple[str, ...]) -> Adapter:
    """A change as a training might have learnt it: B is no longer 0."""
    model: Any = FAMILY.restore(*FAMILY.state(bundle.model))
    adapt(model.network, on, OPTIONS, seed=11)
    with torch.no_grad():
        for name, weight in model.network.named_parameters():
            if name.endswith("lora_B"):
                fill_normal(weight, std=0.5, seed=7, name=name)
    adapter = adapter_of(model.network)
    assert adapter is not None
    return adapter
