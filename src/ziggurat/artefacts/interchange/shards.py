"""Weights in one safetensors file, or in several that an index lists: ``model.safetensors.index.json``."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.tensors import read_tensors
from ziggurat.core.errors import ArtefactError, DamagedError

__all__ = ["INDEX", "WEIGHTS", "read_weights"]

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_MOST_NAMES = 12


def read_weights(folder: Path) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of a folder as read-only memory maps: of its one file, else of all shards that its index lists.

    Raises:
        ArtefactError: shards are missing, an array is not in the shard that the index names, or stands in two shards;
            the message names them all.
        DamagedError: a file is cut off or contradicts itself.
    """
    if (folder / WEIGHTS).is_file():
        return read_tensors(folder / WEIGHTS)
    index = folder / INDEX
    listed = _listed(index)
    names = sorted(set(listed.values()))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ArtefactError(f"{index}: {len(missing)} of {len(names)} shards are missing: {_some(missing)}")
    found: dict[str, npt.NDArray[np.generic]] = {}
    twice, absent = [], []
    for name in names:
        shard = read_tensors(folder / name)
        twice += [f"'{tensor}' (again in {name})" for tensor in shard if tensor in found]
        absent += [f"'{tensor}' (not in {name})" for tensor in listed if listed[tensor] == name and tensor not in shard]
        found |= shard
    unlisted = [f"'{tensor}'" for tensor in found if tensor not in listed]
    faults = [
        f"{what}: {_some(tensors)}"
        for what, tensors in (
            ("arrays that it lists are absent", absent),
            ("arrays stand in two shards", twice),
            ("arrays that it does not list are there", unlisted),
        )
        if tensors
    ]
    if faults:
        raise ArtefactError(f"{index}: the shards do not fit it: {'; '.join(faults)}")
    return found


def _listed(index: Path) -> dict[str, str]:
    """Return which shard holds which array; every shard is a file beside the index."""
    try:
        listed = json.loads(index.read_text(encoding="utf-8"), object_pairs_hook=_without_twins)["weight_map"]
        pairs = {str(tensor): str(name) for tensor, name in listed.items()}
    except OSError as error:
        raise ArtefactError(f"{index}: can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{index}: damaged: not the index of weights in shards ({error})") from error
    for name in set(pairs.values()):
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise DamagedError(f"{index}: damaged: the shard {name!r} is no safetensors file beside it")
    return pairs


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"listed twice: {_some([name for name, count in counts.items() if count > 1])}")
    return found


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
