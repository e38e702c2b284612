"""Low-rank changes on disk, in the form of the PEFT library: written by a training, merged into a bundle.

::

    adapter_config.json          rank, α, and which projections are changed
    adapter_model.safetensors    A and B of each, under the names that transformers has for the model

*Idea.* A change belongs to matrices as they stand in a bundle's ``model.safetensors``, so it is added to them there,
whatever the family: W ← W + (α / r)·B·A (Hu et al. 2021, section 4.1).
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.artefacts.bundle import Bundle, bundle_folder
from ziggurat.artefacts.recipe import Recipe
from ziggurat.artefacts.tensors import check_finite, read_tensors, write_tensors
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError
from ziggurat.core.files import atomic_folder, write_text
from ziggurat.core.protocols import Model
from ziggurat.core.types import TensorMap
from ziggurat.models.adapter import Adapter

__all__ = ["ADAPTER", "merged", "write_adapter"]

ADAPTER = "adapter"
"""The folder's name in a run."""
CONFIG = "adapter_config.json"
TENSORS = "adapter_model.safetensors"
_MATRIX = 2
_LARGEST_ALPHA = 1e9
PREFIX = "base_model.model."
_NAME = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])(\.default)?\.weight$")


def write_adapter(path: Path, adapter: Adapter, model: Any, recipe: Recipe) -> None:
    """Write what a training changed as the folder ``path``, under the names of the model's published form.

    ``model`` is the network with the change merged in, ``recipe`` what trained it. A model that has no form elsewhere
    keeps our names: `merged` takes both.

    Raises:
        DiskFullError: the disk is full; what stood at ``path`` is as it was.
    """
    from ziggurat.models.layouts.adapters import written

    form = written(recipe.family, model.network, adapter)
    tensors = {}
    for name, pair in form.pairs.items():
        tensors[f"{PREFIX}{name}.lora_A.weight"] = pair.down
        tensors[f"{PREFIX}{name}.lora_B.weight"] = pair.up
    ranks = {name: len(pair.down) for name, pair in form.pairs.items() if len(pair.down) != adapter.rank}
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM" if form.causal else None,
        "base_model_name_or_path": _base(recipe.start) if recipe.start else None,
        "r": adapter.rank,
        "lora_alpha": _whole(adapter.alpha),
        "lora_dropout": adapter.dropout,
        "target_modules": sorted(form.pairs),
        "rank_pattern": ranks,
        "alpha_pattern": {name: _whole(adapter.scale * rank) for name, rank in ranks.items()},
        "fan_in_fan_out": form.transposed,
        "bias": "none",
        "inference_mode": True,
    }
    with atomic_folder(path) as folder:
        write_text(folder / CONFIG, json.dumps(config, indent=1) + "\n")
        write_tensors(folder / TENSORS, tensors)


def _base(start: str) -> str:
    """Return the bundle that other programs open; where it has gone during the training, what the recipe says."""
    try:
        return str(bundle_folder(Path(start)))
    except ArtefactError:
        return start


def merged(bundle: Bundle, path: Path) -> Model:
    """Return a bundle's model with the adapter of the folder ``path`` added: ours, or anyone's in the form of PEFT.

    The bundle stays as it is. A name may leave out what a model's body is called inside the whole (``model.``).

    Raises:
        ArtefactError: there is no adapter, or it is not for such a model; the message names the array.
        DamagedError: its files are damaged.
        UsageError: it asks for something else than A and B.
    """
    config = _config(path)
    family = bundle.family
    described, own = family.state(bundle.model)
    tensors: dict[str, Any] = dict(own)
    for module, pair in _pairs(path).items():
        name = _counterpart(module, own, path)
        with np.errstate(over="ignore", invalid="ignore"):
            product = pair["B"].astype(np.float32) @ pair["A"].astype(np.float32)
            change = _scale(config, module, len(pair["A"])) * product
        change = change.T if config.get("fan_in_fan_out") else change
        if change.shape != own[name].shape:
            raise ArtefactError(
                f"{path / TENSORS}: the change of '{module}' has shape {list(change.shape)} and the model's matrix "
                f"{list(own[name].shape)}: the adapter is another model's"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            tensors[name] = own[name] + change
        check_finite({name: tensors[name]}, path)
    return family.restore(described, tensors)


def _config(path: Path) -> dict[str, Any]:
    with _reading(path / CONFIG) as file:
        config = dict(json.loads(file.read_text(encoding="utf-8")))
        kind = config["peft_type"]
    if kind != "LORA":
        raise UsageError(f"{path / CONFIG}: peft_type {kind!r}; only LORA can be merged")
    _check_numbers(path / CONFIG, config)
    for key, plain in (("bias", "none"), ("use_dora", False), ("modules_to_save", None)):
        if (config.get(key) or plain) != plain:
            raise UsageError(f"{path / CONFIG}: {key} is {config[key]!r}; only A and B can be merged")
    return config


def _check_numbers(file: Path, config: Mapping[str, Any]) -> None:
    """Check what `_scale` and `merged` will ask for.

    Raises:
        DamagedError: a value is missing or is not what its key stands for; the message names the key.
    """
    patterns = config.get("alpha_pattern") or {}
    if not isinstance(patterns, dict):
        raise DamagedError(f"{file}: damaged: alpha_pattern is {patterns!r}, not names with a number each")
    if not _is_number(config.get("lora_alpha")):
        raise DamagedError(f"{file}: damaged: lora_alpha is {config.get('lora_alpha')!r}, not a number")
    for pattern, value in patterns.items():
        if not _is_number(value):
            raise DamagedError(f"{file}: damaged: alpha_pattern says {value!r} of {pattern!r}, not a number")
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise DamagedError(f"{file}: damaged: alpha_pattern {pattern!r} is no pattern ({error})") from error
    for key in ("use_rslora", "fan_in_fan_out"):
        if not isinstance(config.get(key) or False, bool):
            raise DamagedError(f"{file}: damaged: {key} is {config[key]!r}, neither true nor false")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < _LARGEST_ALPHA  # NaN is below nothing


def _pairs(path: Path) -> dict[str, dict[str, Any]]:
    """Return A and B of each module."""
    pairs: dict[str, dict[str, Any]] = {}
    tensors = read_tensors(path / TENSORS)
    if not tensors:
        raise DamagedError(f"{path / TENSORS}: damaged: there is no array in it")
    check_finite(tensors, path / TENSORS)
    for name, array in tensors.items():
        found = _NAME.match(name)
        if found is None or array.ndim != _MATRIX:
            raise UsageError(f"{path / TENSORS}: '{name}' is no A or B of a projection; only those can be merged")
        if array.dtype.kind != "f":
            raise DamagedError(f"{path / TENSORS}: damaged: '{name}' holds {array.dtype}, not floating-point numbers")
        pairs.setdefault(found["module"], {})[found["side"]] = array
    for module, pair in pairs.items():
        if len(pair) != 2 or pair["A"].shape[0] != pair["B"].shape[1]:
            raise DamagedError(f"{path / TENSORS}: damaged: A and B of '{module}' do not fit each other")
        if not pair["A"].shape[0]:
            raise DamagedError(f"{path / TENSORS}: damaged: the rank of '{module}' is 0")
    return pairs


def _counterpart(module: str, tensors: TensorMap, path: Path) -> str:
    """Return the name of the matrix that a module is in a bundle's file."""
    name = f"{module}.weight"
    ending = [name] if name in tensors else [known for known in tensors if known.endswith(f".{name}")]
    if len(ending) != 1:
        raise ArtefactError(f"{path / TENSORS}: the model has no matrix '{name}': the adapter is another model's")
    return ending[0]


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """Return by how much B·A is multiplied: α / r, or α / √r where the adapter says so (Kalajdzievski 2023)."""
    patterns = config.get("alpha_pattern") or {}
    own = (value for key, value in patterns.items() if re.fullmatch(rf"(.*\.)?({key})", module))
    alpha = float(next(own, config["lora_alpha"]))
    return alpha / rank**0.5 if config.get("use_rslora") else alpha / rank


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    try:
        yield path
    except OSError as error:
        raise ArtefactError(
            f"{path}: can't be read ({error.strerror}); an adapter is a folder that holds it"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path}: damaged: {error}") from error
