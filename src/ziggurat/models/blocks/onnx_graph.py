"""A network as a graph of ONNX operators, for programs that run those and know nothing of ours.

*Idea.* torch follows one reading of some ids and writes down what was computed, with batch and time left open. An LSTM
is one operator there, so its layers are written as that instead of as a loop over time.

Shape suffixes: **B** batch, **T** time, **D** width, **C** cells.
"""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ziggurat.core.errors import MissingExtraError
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.blocks.lstm import CellState, LSTMLayer
from ziggurat.models.blocks.network import CausalNetwork, Network, reading

__all__ = ["INPUTS", "answer", "outputs", "write_graph"]

INPUTS = ("input_ids", "attention_mask")
"""(B, T) ids, and 1 at each that is no padding, which stands on the right; both 64-bit."""
HIDDEN, LOGITS = "last_hidden_state", "logits"
OPSET = 18
_ORDER = (0, 3, 1, 2)
"""Where torch's gates i, f, g, o stand in ONNX: i, o, f, g."""


class _Graph(nn.Module):
    """What becomes the graph: ids and mask to `outputs`."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.names = outputs(network)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        network = self.network
        if isinstance(network, CausalNetwork):
            hidden_BTD, _ = network.hidden(input_ids)  # nothing looks at what stands on its right
        else:
            hidden_BTD = network.hidden(input_ids, lengths=attention_mask.sum(dim=1))
        found = {HIDDEN: hidden_BTD, **({LOGITS: network.logits(hidden_BTD)} if LOGITS in self.names else {})}
        inside_BT1 = attention_mask[..., None].to(hidden_BTD.dtype)
        return tuple(found[name] * inside_BT1 for name in self.names)


def outputs(network: Network) -> tuple[str, ...]:
    """Return what a graph of the network gives, each 0 at padding.

    ``logits`` (B, T, V), unnormalised log-probabilities of the id after each, or where the network reads in both
    directions of the id at each place; and then also ``last_hidden_state`` (B, T, D), the vectors of its last layer.
    """
    if isinstance(network, CausalNetwork):
        return (LOGITS,)
    return (HIDDEN,) if getattr(network, "head", None) is None else (HIDDEN, LOGITS)


def write_graph(network: Network, path: Path) -> None:
    """Write a network as the ONNX file ``path``: `INPUTS` to `outputs`, batch and time open up to the context.

    Raises:
        MissingExtraError: the packages that write ONNX are not installed.
    """
    module = _Graph(_exportable(network)).eval()
    longest = {} if network.context is None else {"max": network.context}
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("time", **longest)}
    # lengths that no constant in the network is likely to have, so that none is taken for the other
    time = 7 if network.context is None else min(7, network.context)
    example = (torch.zeros(3, time, dtype=torch.long), torch.ones(3, time, dtype=torch.long))
    with _quiet():
        program: Any = torch.onnx.export(
            module,
            example,
            input_names=INPUTS,
            output_names=module.names,
            dynamic_shapes=(axes, axes),
            opset_version=OPSET,
            custom_translation_table={torch.ops.ziggurat.lstm.default: _lstm_operator},
            external_data=False,
            verbose=False,
        )
    program.save(str(path))


def answer(network: Network, ids: IdArray, mask: npt.NDArray[np.int64]) -> list[FloatArray]:
    """Return what the graph is to answer to (B, T) ids and their mask, in the order of `outputs`."""
    inputs = (torch.from_numpy(array.astype(np.int64)).to(network.device) for array in (ids, mask))
    with reading(network):
        return [found.float().cpu().numpy() for found in _Graph(network)(*inputs)]


# -- LSTM layers as one operator --------------------------------------------------------------------------------------


@torch.library.custom_op("ziggurat::lstm", mutates_args=())
def _lstm(x_TBD: Tensor, h_1BC: Tensor, c_1BC: Tensor, weights: list[Tensor]) -> Tensor:
    """Stand for the operator while the graph is written; nothing is computed by it."""
    del c_1BC, weights
    return x_TBD.new_zeros(x_TBD.shape[0], 1, x_TBD.shape[1], h_1BC.shape[-1])


@_lstm.register_fake
def _(x_TBD: Tensor, h_1BC: Tensor, c_1BC: Tensor, weights: list[Tensor]) -> Tensor:
    del c_1BC, weights
    return x_TBD.new_empty(x_TBD.shape[0], 1, x_TBD.shape[1], h_1BC.shape[-1])


def _lstm_operator(x_TBD: Any, h_1BC: Any, c_1BC: Any, weights: Any) -> Any:
    """Return (T, 1, B, C) by ONNX's LSTM."""
    from onnxscript import opset18

    inward, recurrent, bias = weights
    shown, _, _ = opset18.LSTM(x_TBD, inward, recurrent, bias, None, h_1BC, c_1BC, hidden_size=int(recurrent.shape[-1]))
    return shown


class _OneOperator(LSTMLayer):
    """An LSTM layer that calls the operator."""

    inward: Tensor
    recurrent: Tensor
    summed: Tensor

    @classmethod
    def of(cls, layer: LSTMLayer) -> "_OneOperator":
        made = cls(layer.weight_ih.shape[1], layer.cells)
        made.register_buffer("inward", _reordered(layer.weight_ih)[None])
        made.register_buffer("recurrent", _reordered(layer.weight_hh)[None])
        biases = torch.cat([_reordered(layer.bias_ih), _reordered(layer.bias_hh)])
        made.register_buffer("summed", biases[None])
        return made

    def forward(self, x_BTD: Tensor, state: CellState, *, weight_drop: float = 0.0) -> tuple[Tensor, CellState]:
        del weight_drop  # dropout is over
        held = [part_BC[None] for part_BC in state]
        y_T1BC = torch.ops.ziggurat.lstm(x_BTD.transpose(0, 1), *held, [self.inward, self.recurrent, self.summed])
        return y_T1BC[:, 0].transpose(0, 1), state


def _reordered(weight: Tensor) -> Tensor:
    gates = weight.detach().chunk(4)
    return torch.cat([gates[place] for place in _ORDER])


def _exportable(network: Network) -> Network:
    """Return a copy whose LSTM layers are operators and whose weights take no gradients."""
    copied = copy.deepcopy(network).cpu().requires_grad_(requires_grad=False)
    for name, module in list(copied.named_modules()):
        if isinstance(module, LSTMLayer):
            place, _, last = name.rpartition(".")
            setattr(copied.get_submodule(place), last, _OneOperator.of(module).requires_grad_(requires_grad=False))
    return copied.eval()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporter tells of itself, and of packages that it does not need, from the user's terminal."""
    try:
        import onnxscript  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtraError("ONNX", "formats") from error
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
