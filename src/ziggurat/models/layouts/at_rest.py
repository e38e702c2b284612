"""Our own way to write a Transformer down, for those that no other program knows."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import nn

from ziggurat.core.config import from_mapping, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.weights import check_tensors, load_tensors, shape_only, tensors_of
from ziggurat.models.layouts.layout import (
    Tabled,
    Varied,
    check_arrays,
    fill_network,
    layout_for,
    layout_of,
    named,
    outward,
)

__all__ = ["at_rest", "configured", "described", "restored", "with_vocabulary"]

C = TypeVar("C")
N = TypeVar("N", bound=nn.Module)

MODEL_TYPE = "ziggurat-"
_SPECIAL = ("bos", "eos", "unk", "mask", "pad")


def at_rest(family: str, config: Any, vocabulary: Vocabulary, network: nn.Module) -> tuple[dict[str, Any], TensorMap]:
    """Return ``config.json`` and the arrays of a model: in a layout that other programs know, or else in ours."""
    layout = layout_for(family, config)
    if layout is not None:
        tables = layout.tables(config) if isinstance(layout, Tabled) else {}
        return layout.describe(config, vocabulary), {**outward(network, layout.renamings(config)), **tables}
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
            special = {name: index for name, index in config["special"].items() if index is not None}
            sizes = {"size": config["vocab_size"], **special}
            return dict(config["model"]), from_mapping(Vocabulary, sizes, where="config.json")
        layout = layout_of(kind)
        if layout is None or layout.family != family:
            raise ArtefactError(f"config.json: model_type {kind!r} is not one of a {family}")
        keys, vocabulary = layout.read(config)
        if isinstance(layout, Varied):
            keys |= layout.parts(named(tensors, layout))
        return keys, vocabulary
    except KeyError as error:
        raise ArtefactError(f"config.json: the key {error} is missing") from None
    except UsageError as error:
        raise ArtefactError(str(error)) from None
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ArtefactError(f"config.json: a value is not what its key stands for ({error})") from None


def configured(family: str, kind: type[C], described_by: Mapping[str, Any], tensors: TensorMap) -> tuple[C, Vocabulary]:
    """Return what `described` reads as the family's configuration, which is of ``kind``.

    Raises:
        ArtefactError: a key is missing or impossible.
    """
    keys, vocabulary = described(family, described_by, tensors)
    return from_mapping(kind, keys, where="config.json"), vocabulary


def restored(
    family: str,
    kind: type[C],
    make: Callable[[C, Vocabulary], N],
    described_by: Mapping[str, Any],
    tensors: TensorMap,
) -> N:
    """Return the network that ``make`` makes of what a ``config.json`` describes, with the arrays in it.

    ``kind`` is the family's configuration.

    *Idea.* The network is made twice: first without numbers, so that sizes are checked before they cost memory.

    Raises:
        ArtefactError: a key is missing or impossible, or arrays are missing, unknown or of another shape; the message
            names them all.
    """
    config, vocabulary = configured(family, kind, described_by, tensors)
    shapes = shape_only(lambda: make(config, vocabulary), config, tensors)
    layout = layout_of(described_by["model_type"])
    if layout is None:
        check_tensors(shapes, tensors)
        network = make(config, vocabulary)
        load_tensors(network, tensors)
    else:
        check_arrays(shapes, tensors, layout, config)
        network = make(config, vocabulary)
        fill_network(network, tensors, layout, config)
    return network


def with_vocabulary(config: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return a foreign ``config.json`` with the special ids of ``vocabulary``, which a tokenizer told."""
    ids = {f"{name}_token_id": getattr(vocabulary, name) for name in _SPECIAL}
    known = {key: index for key, index in ids.items() if index is not None}
    if "decoder_start_token_id" in config:
        known["decoder_start_token_id"] = vocabulary.bos
    return {**config, **known, "ziggurat": {**config.get("ziggurat", {}), **ids}}
