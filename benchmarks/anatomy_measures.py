"""What a network really holds, multiplies and keeps: the measures that `ziggurat describe` is checked by."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ziggurat.training.optimisers import adamw

__all__ = [
    "cache_bytes",
    "counted_flops",
    "optimiser_bytes",
    "piece_bytes",
    "saved_bytes",
    "storage_bytes",
    "weight_bytes",
]

Step = Callable[[], Tensor]
"""What makes the loss of one batch."""


def counted_flops(step: Callable[[], Any], *, backward: bool = False) -> int:
    """Return torch's count of the operations of ``step``, with its backward pass where asked for.

    The fused kernels of a CPU are unknown to the counter, so attention and the LSTM run by their plain products.
    """
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), _plain_lstm():
        loss = step()
        if backward:
            loss.backward()
    return int(counter.get_total_flops())


def saved_bytes(network: torch.nn.Module, step: Step, *, half: bool = False) -> int:
    """Return the bytes of all distinct storages that ``step`` keeps for its backward pass, but for the weights."""
    own = {tensor.untyped_storage().data_ptr() for tensor in [*network.parameters(), *network.buffers()]}
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage().data_ptr()
        if place not in own:
            kept.setdefault(place, tensor)
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=half),
    ):
        loss = step()
    del loss
    return sum(storage_bytes(tensor) for tensor in kept.values())


def optimiser_bytes(network: torch.nn.Module, step: Step) -> tuple[int, int]:
    """Return the bytes of gradients and of the optimiser's moments after one step."""
    optimiser = adamw(network.parameters(), learning_rate=1e-3, weight_decay=0.0, betas=(0.9, 0.95))
    step().backward()  # type: ignore[no-untyped-call]
    gradients = sum(storage_bytes(p.grad) for p in network.parameters() if p.grad is not None)
    optimiser.step()
    states = optimiser.state_dict()["state"].values()
    return gradients, sum(storage_bytes(moment) for state in states for moment in state.values() if moment.dim())


def weight_bytes(network: torch.nn.Module) -> int:
    """Return the bytes of all distinct storages of a network's parameters."""
    storages = {p.untyped_storage().data_ptr(): storage_bytes(p) for p in network.parameters()}
    return sum(storages.values())


def piece_bytes(step: Step, *, half: bool = False) -> int:
    """Return the bytes of the log-probabilities that the backward pass of ``step`` makes again at once, at most.

    Where logits are made in pieces, autograd holds none of them until the backward pass makes each again; where they
    are made once, the backward pass makes none, and this is 0.
    """
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        loss = step()
    with _LargestLogprobs() as watch:
        loss.backward()  # type: ignore[no-untyped-call]
    return int(watch.largest)


class _LargestLogprobs(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Looks at every log-softmax that runs, and remembers the size of the largest one."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if func.name() == "aten::_log_softmax":
            self.largest = max(self.largest, storage_bytes(made))
        return made


def cache_bytes(state: Any) -> int:
    """Return the bytes of all tensors of numbers that a state of generation holds, however nested."""
    if isinstance(state, Tensor):
        return storage_bytes(state) if state.is_floating_point() else 0
    if isinstance(state, dict):
        return sum(cache_bytes(part) for part in state.values())
    if isinstance(state, (tuple, list)):
        return sum(cache_bytes(part) for part in state)
    held = getattr(state, "_held", None)
    if isinstance(held, Tensor):
        return storage_bytes(held)
    fields = getattr(state, "__dataclass_fields__", {})
    return sum(cache_bytes(getattr(state, name)) for name in fields)


def storage_bytes(tensor: Tensor) -> int:
    """Return the bytes of the storage that a tensor is a view of."""
    return int(tensor.untyped_storage().nbytes())


@contextmanager
def _plain_lstm() -> Iterator[None]:
    """Let the LSTM run step by step, not in one kernel of oneDNN."""
    with ExitStack() as stack:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        yield
