"""Our own way to write a Transformer down, for those that no other program knows."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import nn

from ziggurat.core.config import from_mapping, to_mapping
from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.weights import load_tensors, tensors_of
from ziggurat.models.layouts.layout import Varied, check_arrays, fill_network, layout_for, layout_of, named, outward

__all__ = ["at_rest", "configured", "described", "restored", "with_vocabulary"]

C = TypeVar("C")
N = TypeVar("N", bound=nn.Module)

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


def described(family: str, config: Mapping[str, Any], tensors: TensorMap) -> tuple[dict[str, Any], Vocabulary]:
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
        if isinstance(layout, Varied):
            keys |= layout.parts(named(tensors, layout))
        return keys, vocabulary
    except KeyError as error:
        raise ArtefactError(f"config.json: the key {error} is missing") from None
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ArtefactError(f"config.json: a value is not what its key stands for ({error})") from None


def configured(family: str, kind: type[C], described_by: Mapping[str, Any], tensors: TensorMap) -> tuple[C, Vocabulary]:
    """Return what `described` reads as the family's configuration, which is of ``kind``.

    Raises:
        ArtefactError: a key is missing or impossible.
    """
    keys, vocabulary = described(family, described_by, tensors)
    return from_mapping(kind, keys, where="config.json"), vocabulary


def _fill(network: nn.Module, described_by: Mapping[str, Any], config: Any, tensors: TensorMap) -> None:
    """Copy the arrays of a model that `at_rest` wrote, or another program, into a network.

    Raises:
        ArtefactError: arrays are missing, unknown or of another shape; the message names them all.
    """
    layout = layout_of(described_by["model_type"])
    if layout is None:
        load_tensors(network, tensors)
    else:
        fill_network(network, tensors, layout, config)


def restored(
    family: str,
    kind: type[C],
    make: Callable[[C, Vocabulary], N],
    described_by: Mapping[str, Any],
    tensors: TensorMap,
) -> N:
    """Return the network that ``make`` makes of what a ``config.json`` describes, with the arrays in it.

    ``kind`` is the family's configuration.

    *Idea.* Sizes that a file claims are not believed: the network is made once without numbers (on torch's ``meta``
    device), its shapes are compared with those of the arrays, and only then is anything allocated.

    Raises:
        ArtefactError: a key is missing or impossible, or arrays are missing, unknown or of another shape; the message
            names them all.
    """
    config, vocabulary = configured(family, kind, described_by, tensors)
    for key, count in to_mapping(config).items():
        if key.endswith("layers") and count > len(tensors):
            raise ArtefactError(f"config.json: {key}: {count} of them, but there are only {len(tensors)} arrays")
    layout = layout_of(described_by["model_type"])
    if layout is not None:
        try:
            with torch.device("meta"):
                shape_only = make(config, vocabulary)
        except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
            raise ArtefactError(f"config.json: such a model can't be ({error})") from None
        check_arrays(shape_only, tensors, layout, config)
    network = make(config, vocabulary)
    _fill(network, described_by, config, tensors)
    return network


def with_vocabulary(config: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return a foreign ``config.json`` with the special ids of ``vocabulary``, which a tokenizer told."""
    ids = {f"{name}_token_id": getattr(vocabulary, name) for name in _SPECIAL}
    known = {key: index for key, index in ids.items() if index is not None}
    if "decoder_start_token_id" in config:
        known["decoder_start_token_id"] = vocabulary.bos
    return {**config, **known, "ziggurat": {**config.get("ziggurat", {}), **ids}}
