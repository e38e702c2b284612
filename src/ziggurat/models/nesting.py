"""Models that are made of others at rest: each part's configuration nested, its arrays under its number."""

from collections.abc import Mapping, Sequence
from typing import Any

from ziggurat.core.errors import ArtefactError
from ziggurat.core.protocols import Model
from ziggurat.core.types import TensorMap
from ziggurat.models.registry import FAMILIES

__all__ = ["nested_models", "nested_state"]


def nested_state(families: Sequence[str], models: Sequence[Model]) -> tuple[list[dict[str, Any]], TensorMap]:
    """Return what ``config.json`` says of the parts, and their arrays with the part's number before each name."""
    configs, tensors = [], {}
    for number, (name, part) in enumerate(zip(families, models, strict=True)):
        config, own = FAMILIES.get(name).state(part)
        configs.append({"family": name, "config": config})
        tensors.update({f"{number}.{key}": array for key, array in own.items()})
    return configs, tensors


def nested_models(config: Mapping[str, Any], tensors: TensorMap, *, whole: str) -> tuple[list[str], list[Model]]:
    """Return the families and models of the parts that `nested_state` described; ``whole`` names what they make.

    Raises:
        ArtefactError: a key or array is missing or does not fit.
    """
    try:
        families = [part["family"] for part in config["parts"]]
        configs = [part["config"] for part in config["parts"]]
    except (KeyError, TypeError) as error:
        raise ArtefactError(f"config.json does not describe {whole}: {error} is missing") from None
    models = [
        FAMILIES.get(name, where="config.json").restore(own, _of_part(number, tensors))
        for number, (name, own) in enumerate(zip(families, configs, strict=True))
    ]
    return families, models


def _of_part(number: int, tensors: TensorMap) -> TensorMap:
    prefix = f"{number}."
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
