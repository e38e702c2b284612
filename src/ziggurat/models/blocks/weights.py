"""A network's weights as plain named arrays, and back."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from ziggurat.core.config import to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.types import TensorMap

__all__ = ["check_tensors", "load_tensors", "shape_only", "take_weights", "tensors_of"]

N = TypeVar("N", bound=nn.Module)


def tensors_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Return all weights by name, in 32-bit; on a CPU they share memory with the network, so save before it trains."""
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in network.state_dict().items()}


def shape_only(make: Callable[[], N], config: Any, tensors: TensorMap) -> N:
    """Return the network that ``make`` makes of a file's configuration, without numbers (on torch's ``meta`` device).

    *Idea.* Sizes that a file claims are not believed: they are compared with the shapes of its arrays before anything
    of that size is allocated.

    *Raises.* `ArtefactError` where there can be no such network.
    """
    for key, count in to_mapping(config).items():
        if key.endswith("layers") and isinstance(count, int) and count > len(tensors):
            raise ArtefactError(f"config.json: {key}: {count} of them, but there are only {len(tensors)} arrays")
    try:
        with torch.device("meta"):
            return make()
    except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
        raise ArtefactError(f"config.json: such a model can't be ({error})") from None


def check_tensors(network: nn.Module, tensors: TensorMap) -> None:
    """Check that named arrays are those of a network, which may be one without numbers (`shape_only`).

    *Raises.* `ArtefactError` that names every missing, unexpected and misshapen tensor at once.
    """
    own = network.state_dict()
    faults = [f"'{name}' is missing" for name in own if name not in tensors]
    faults += [f"'{name}' is not known" for name in tensors if name not in own]
    for name, tensor in own.items():
        if name in tensors and tuple(tensors[name].shape) != tuple(tensor.shape):
            faults.append(f"'{name}' has shape {list(tensors[name].shape)} where {list(tensor.shape)} is expected")
    if faults:
        raise ArtefactError(f"model.safetensors does not fit config.json: {'; '.join(faults)}")


def load_tensors(network: nn.Module, tensors: TensorMap) -> None:
    """Copy named arrays into the network's weights; the arrays may be read-only memory maps.

    *Raises.* `ArtefactError`, as `check_tensors` does.
    """
    check_tensors(network, tensors)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(torch.from_numpy(np.array(tensors[name], dtype=np.float32)))


def take_weights(
    network: nn.Module, other: nn.Module, *, prefix: str, fresh: tuple[str, ...], may_lack: tuple[str, ...] = ()
) -> frozenset[str]:
    """Give a network the weights of another one, which is inside it below ``prefix``; return the names of the rest.

    Weights whose names begin as one of ``fresh`` keep what was drawn; those that begin as one of ``may_lack`` do so
    where the other has none that fits.

    *Raises.* `UsageError` where any other weight is not in the other, or of another size.
    """
    own = network.state_dict()
    theirs = {f"{prefix}{name}": value for name, value in other.state_dict().items()}
    wanted = [name for name in own if not name.startswith(fresh)]
    taken = {name: theirs[name] for name in wanted if name in theirs and theirs[name].shape == own[name].shape}
    if lacking := [name for name in wanted if name not in taken and not name.startswith(may_lack)]:
        raise UsageError(
            f"start: {lacking[0].removeprefix('body.')!r} is not in that model, or of another size: begin with one "
            "of the same [model] keys"
        )
    network.load_state_dict({**own, **taken})
    return frozenset(own.keys() - taken.keys())
