"""What a layout is, which there are, and how arrays go from our names to theirs and back.

*Idea.* A family's arrays have names of ours. A layout says for each of them where it stands in somebody else's file;
that one list reads and writes. A model that no layout holds is written as it is, under our own names (`OWN`).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from ziggurat.core.errors import ArtefactError
from ziggurat.core.registry import Registry
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.ngram_tables import NgramTableKeys
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.blocks.weights import tensors_of

__all__ = [
    "LAYOUTS",
    "USUAL_DROPOUT",
    "Layout",
    "Renaming",
    "Tabled",
    "Varied",
    "carried",
    "check_arrays",
    "extras",
    "fill_network",
    "has_own_parts",
    "layout_for",
    "layout_of",
    "named",
    "outward",
    "vocabulary_of",
]


_OTHERS = ("unk", "mask", "pad")
"""Special tokens beside begin and end."""

_NUMBER = re.compile(r"\.\d+\.")
_MOST_FAULTS = 16
USUAL_DROPOUT = 0.1
"""What transformers takes where a BERT's or GPT-2's file says nothing of dropout; both were trained with it."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """Where an array of ours stands in somebody else's file."""

    ours: str
    theirs: str
    transposed: bool = False
    """Whether theirs is the transpose."""
    piece: int = 0
    """Which of `pieces` equal parts of theirs it is; after transposition, along the first axis."""
    pieces: int = 1
    neighbours: int = 0
    """Width of a head whose coordinates are turned in pairs of neighbours there, and in halves here; 0: all alike."""
    skipped: int = 0
    """Leading rows of theirs that ours has not; written as zeros."""


class Layout(Protocol):
    """The ``LAYOUT`` object of a module in ``models/layouts/``."""

    family: ClassVar[str]
    """The family whose models it writes down."""
    model_types: ClassVar[tuple[str, ...]]
    """What ``model_type`` in ``config.json`` says of such models; the first is written."""
    prefix: ClassVar[str]
    """What all names of the body begin with; files of a body alone leave it out."""
    ignored: ClassVar[tuple[str, ...]]
    """Patterns of names that carry nothing which our models have: buffers, heads that are not ours."""

    causal: ClassVar[bool]
    """Whether such a model guesses what follows; an adapter beside it says so too."""

    def holds(self, config: Any) -> bool:
        """Return whether a model of this configuration can be written so."""
        ...

    def describe(self, config: Any, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return ``config.json``."""
        ...

    def read(self, config: Mapping[str, Any]) -> tuple[dict[str, Any], Vocabulary]:
        """Return the ``[model]`` keys of what a ``config.json`` describes, and its vocabulary.

        Raises:
            ArtefactError: it asks for something that our models don't do; the message names the key.
            KeyError: a key is missing.
        """
        ...

    def renamings(self, config: Any) -> Iterable[Renaming]:
        """Yield where each array of a model of this configuration stands."""
        ...


@runtime_checkable
class Varied(Protocol):
    """A layout whose files differ in their parts and their names, whatever ``config.json`` says."""

    def parts(self, names: Collection[str]) -> dict[str, Any]:
        """Return the ``[model]`` keys that the names of a file's arrays decide, in their `current` form."""
        ...

    def current(self, name: str) -> str:
        """Return what an array is called today that older files call ``name``."""
        ...


@runtime_checkable
class Tabled(Protocol):
    """A layout whose files hold arrays that follow from the configuration, and that our models therefore lack."""

    def tables(self, config: Any) -> TensorMap:
        """Return those arrays."""
        ...


LAYOUTS: Registry[Layout] = Registry("ziggurat.models.layouts", "LAYOUT", kind="layout")
"""All layouts of other programs, by the name of their module."""


def layout_for(family: str, config: Any) -> Layout | None:
    """Return the layout of other programs that holds such a model; None where there is none."""
    found = (LAYOUTS.get(name) for name in LAYOUTS.names())
    return next((one for one in found if one.family == family and one.holds(config)), None)


def layout_of(model_type: str) -> Layout | None:
    """Return the layout of this ``model_type``; None where there is none."""
    found = (LAYOUTS.get(name) for name in LAYOUTS.names())
    return next((one for one in found if model_type in one.model_types), None)


def has_own_parts(config: TransformerConfig) -> bool:
    """Return whether a decoder has parts that are in no other program's: tables of n-grams, value embeddings."""
    tables = isinstance(config, NgramTableKeys) and config.ngram_orders
    return bool(tables or getattr(config, "value_embeddings", 0))


def extras(config: TransformerConfig, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what a foreign ``config.json`` has no key for, to stand under ``ziggurat``."""
    return {
        "dropout": config.dropout,
        **{f"{name}_token_id": getattr(vocabulary, name) for name in _OTHERS},
    }


def vocabulary_of(config: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary of a foreign ``config.json``; a begin or end token that it lacks is id 0, or the other.

    Whoever opens it with a tokenizer takes the special ids from that.
    """
    extra = config.get("ziggurat", {})
    eos, bos = _special_id(config, "eos_token_id"), _special_id(config, "bos_token_id")
    eos = (bos or 0) if eos is None else eos
    special = {name: extra.get(f"{name}_token_id", _special_id(config, f"{name}_token_id")) for name in _OTHERS}
    return Vocabulary(config["vocab_size"], bos=eos if bos is None else bos, eos=eos, **special)


def outward(network: nn.Module, renamings: Iterable[Renaming]) -> TensorMap:
    """Return a network's arrays under their names."""
    own = tensors_of(network)
    parts: dict[str, dict[int, np.ndarray]] = {}
    for one in renamings:
        array = own[one.ours].T if one.transposed and own[one.ours].ndim > 1 else own[one.ours]
        if one.neighbours:
            array = _reordered(array, (-1, 2, one.neighbours // 2))
        if one.skipped:
            array = np.concatenate([np.zeros((one.skipped, *array.shape[1:]), array.dtype), array])
        parts.setdefault(one.theirs, {})[one.piece] = array
    return {
        name: found[0] if len(found) == 1 else np.concatenate([found[piece] for piece in sorted(found)], axis=-1)
        for name, found in parts.items()
    }


def _reordered(array: np.ndarray, heads: tuple[int, int, int]) -> np.ndarray:
    """Return an array whose rows, seen as heads of two axes, stand with those axes exchanged."""
    return array.reshape(*heads, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)


def fill_network(network: nn.Module, tensors: TensorMap, layout: Layout, config: Any) -> None:
    """Copy somebody else's arrays into a network; they may be read-only memory maps of any floating-point type.

    Raises:
        ArtefactError: arrays are missing, unknown or of another shape; the message names them all, as they call them.
    """
    check_arrays(network, tensors, layout, config)
    found = named(tensors, layout)
    own = network.state_dict()
    with torch.no_grad():
        for one in layout.renamings(config):
            array = np.asarray(found[one.theirs])
            width = array.shape[-1] // one.pieces
            array = array[..., one.piece * width : (one.piece + 1) * width] if one.pieces > 1 else array[one.skipped :]
            array = array.T if one.transposed and array.ndim > 1 else array
            if one.neighbours:
                array = _reordered(array, (-1, one.neighbours // 2, 2))
            own[one.ours].copy_(torch.from_numpy(np.array(array, dtype=np.float32)))


def check_arrays(network: nn.Module, tensors: TensorMap, layout: Layout, config: Any) -> None:
    """Check that somebody else's arrays are those of a network, which may be one without numbers (``meta``).

    Raises:
        ArtefactError: arrays are missing, unknown or of another shape or type; the message names them all.
    """
    faults = _faults(network.state_dict(), named(tensors, layout), layout, config)
    if faults:
        raise ArtefactError(f"the arrays do not fit config.json: {_in_short(faults)}")


def named(tensors: TensorMap, layout: Layout) -> TensorMap:
    """Return somebody else's arrays under the names that `Layout.renamings` has for them."""
    if isinstance(layout, Varied):
        tensors = {layout.current(name): array for name, array in tensors.items()}
    return _with_prefix(tensors, layout.prefix)


def carried(tensors: TensorMap, layout: Layout) -> TensorMap:
    """Return those of somebody else's arrays that our models have, without buffers and heads that are not ours."""
    found = named(tensors, layout).items()
    return {name: array for name, array in found if not any(re.search(kind, name) for kind in layout.ignored)}


def _special_id(config: Mapping[str, Any], key: str) -> int | None:
    """Return a special id, the first where ``config.json`` lists several; None where it says none."""
    value = config.get(key)
    return (value[0] if value else None) if isinstance(value, list) else value


def _with_prefix(tensors: TensorMap, prefix: str) -> TensorMap:
    """Return arrays whose names have the body's prefix, also where the file is of a body alone."""
    if not prefix or any(name.startswith(prefix) for name in tensors):
        return tensors
    return {prefix + name: array for name, array in tensors.items()}


def _faults(own: Mapping[str, Any], found: TensorMap, layout: Layout, config: Any) -> list[tuple[str, str]]:
    """Return what is wrong with which array."""
    renamings = list(layout.renamings(config))
    known = {one.theirs for one in renamings}
    faults = [(name, "is missing") for name in dict.fromkeys(one.theirs for one in renamings) if name not in found]
    faults += [
        (name, "is not known")
        for name in found
        if name not in known and not any(re.search(pattern, name) for pattern in layout.ignored)
    ]
    for one in renamings:
        if one.theirs not in found or one.piece:
            continue
        shape = list(own[one.ours].shape)
        shape = shape[::-1] if one.transposed else shape
        shape[-1] *= one.pieces
        shape[0] += one.skipped
        given = found[one.theirs]
        if list(given.shape) != shape:
            faults.append((one.theirs, f"has shape {list(given.shape)} where {shape} is expected"))
        elif given.dtype.kind != "f":
            faults.append((one.theirs, f"holds {given.dtype} where floating-point numbers are expected"))
    return faults


def _in_short(faults: list[tuple[str, str]]) -> str:
    """Return one line that names all arrays; those of many blocks that differ in the block's number are said once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for name, fault in faults:
        alike.setdefault((_NUMBER.sub(".*.", name), fault), []).append(name)
    kinds: dict[str, list[str]] = {}
    for (pattern, fault), names in alike.items():
        said = f"'{names[0]}' {fault}" if len(names) == 1 else f"'{pattern}' {fault} ({len(names)} times)"
        kinds.setdefault(" ".join(fault.split()[:2]), []).append(said)
    for kind, lines in kinds.items():
        if len(lines) > _MOST_FAULTS:
            kinds[kind] = [*lines[:_MOST_FAULTS], f"{len(lines) - _MOST_FAULTS} more of which each {kind}"]
    return "; ".join(line for lines in kinds.values() for line in lines)
