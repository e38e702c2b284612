"""A network's weights as plain named arrays, and back."""

import numpy as np
import torch
from torch import nn

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import TensorMap

__all__ = ["load_tensors", "tensors_of"]


def tensors_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Return all weights by name, in 32-bit; on a CPU they share memory with the network, so save before it trains."""
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in network.state_dict().items()}


def load_tensors(network: nn.Module, tensors: TensorMap) -> None:
    """Copy named arrays into the network's weights; the arrays may be read-only memory maps.

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
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(torch.from_numpy(np.array(tensors[name], dtype=np.float32)))
