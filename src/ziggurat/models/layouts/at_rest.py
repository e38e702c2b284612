"""Our own way to write a Transformer down, for those that no other program knows."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from ziggurat.core.config import to_mapping
from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.weights import load_tensors, tensors_of
from ziggurat.models.layouts.layout import Varied, fill_network, layout_for, layout_of, named, outward

__all__ = ["at_rest", "described", "filled"]

MODEL_TYPE = "ziggurat-"
_SPECIAL = ("bos", "eos", "unk", "mask", "pad")


def at_rest(family: str, config: Any, vocabulary: Vocabulary, network: nn.Module) -> tuple[dict[str, Any], TensorMap]:
    """Return ``config.json`` and the arrays of a model: in a layout that other programs know, or else in ours."""
    layout = layout_for(family, config)
    if layout is not None:
        return layout.describe(config, vocabulary), outward(network, layout.renamings(config))
    special = {name: getattr(vocabulary, name) for name in _SPECIAL}
    described = {
        "model_type": MODEL_TYPE + family,
        "vocab_size": vocabulary.size,
        "special": special,
        "model": to_mapping(config),
    }
    return described, tensors_of(network)


def described(
    family: str, config: Mapping[str, Any], tensors: TensorMap | None = None
) -> tuple[dict[str, Any], Vocabulary]:
    """Return the ``[model]`` keys and the vocabulary of what a ``config.json`` describes.

    ``tensors`` are the arrays beside it, where a file may lack parts of the model.

    Raises:
        ArtefactError: it is of another family, a key is missing, or it asks for what our models don't do.
    """
    try:
        kind = config["model_type"]
        if kind == MODEL_TYPE + family:
            return dict(config["model"]), Vocabulary(config["vocab_size"], **config["special"])
        layout = layout_of(kind)
        if layout is None or layout.family != family:
            raise ArtefactError(f"config.json: model_type {kind!r} is not one of a {family}")
        keys, vocabulary = layout.read(config)
        if tensors is not None and isinstance(layout, Varied):
            keys |= layout.parts(named(tensors, layout))
        return keys, vocabulary
    except KeyError as error:
        raise ArtefactError(f"config.json: the key {error} is missing") from None


def filled(network: nn.Module, described_by: Mapping[str, Any], config: Any, tensors: TensorMap) -> None:
    """Copy the arrays of a model that `at_rest` wrote, or another program, into a network.

    Raises:
        ArtefactError: arrays are missing, unknown or of another shape; the message names them all.
    """
    layout = layout_of(described_by["model_type"])
    if layout is None:
        load_tensors(network, tensors)
    else:
        fill_network(network, tensors, layout, config)
