"""The long short-term memory layer: a cell that keeps, forgets and shows what it has read.

Shape suffixes: **B** batch, **T** time, **D** width of the input, **C** cells.
"""

import math
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ziggurat.models.blocks.initialisation import fill_uniform

__all__ = ["BidirectionalLSTM", "CellState", "LSTMLayer", "reference_lstm", "turned"]

CellState: TypeAlias = tuple[Tensor, Tensor]
"""What the cells show, h, and hold, c: each (B, C)."""


def reference_lstm(x_BTD: Tensor, state: CellState, weights: tuple[Tensor, ...]) -> tuple[Tensor, CellState]:
    """Return (B, T, C) and the last state: the layer as its formulas are written.

    *Maths.* With gates i, f, o = σ(W·x_t + b + U·h_{t−1} + b′) and candidate g = tanh(…) of the same form:
    c_t = f ⊙ c_{t−1} + i ⊙ g and h_t = o ⊙ tanh(c_t) (Hochreiter & Schmidhuber 1997; the forget gate f is of Gers,
    Schmidhuber & Cummins 2000). ``weights`` are W (4C, D), U (4C, C), b and b′ (4C) with rows in the order i, f, g, o.
    """
    input_weight, hidden_weight, input_bias, hidden_bias = weights
    h_BC, c_BC = state
    shown = []
    for x_BD in x_BTD.unbind(dim=1):
        gates = x_BD @ input_weight.t() + input_bias + h_BC @ hidden_weight.t() + hidden_bias
        i_BC, f_BC, g_BC, o_BC = gates.chunk(4, dim=1)
        c_BC = torch.sigmoid(f_BC) * c_BC + torch.sigmoid(i_BC) * torch.tanh(g_BC)
        h_BC = torch.sigmoid(o_BC) * torch.tanh(c_BC)
        shown.append(h_BC)
    return torch.stack(shown, dim=1), (h_BC, c_BC)


class LSTMLayer(nn.Module):
    """One layer, computed by torch's fused kernel, with DropConnect on the hidden-to-hidden weights as an option.

    *Idea.* Dropping activations inside a recurrence disturbs its memory; dropping *weights* once for a whole window
    does not, and any fast kernel can be used (weight-dropped LSTM, Merity, Keskar & Socher 2017, section 2).
    """

    def __init__(self, width: int, cells: int) -> None:
        """Make a layer of ``cells`` cells for inputs of ``width`` numbers; values come from `fill` or a file."""
        super().__init__()
        self.cells = cells
        self.weight_ih = nn.Parameter(torch.empty(4 * cells, width))
        self.weight_hh = nn.Parameter(torch.empty(4 * cells, cells))
        self.bias_ih = nn.Parameter(torch.empty(4 * cells))
        self.bias_hh = nn.Parameter(torch.empty(4 * cells))

    def fill(self, *, seed: int, name: str) -> None:
        """Draw first weights from U(−1/√C, 1/√C); the forget gates' bias is 1, so that cells begin by keeping.

        *Maths.* The bound is that of torch.nn.LSTM; forget bias 1 after Jozefowicz, Zaremba & Sutskever (2015).
        """
        for own_name, parameter in self.named_parameters():
            fill_uniform(parameter, bound=1 / math.sqrt(self.cells), seed=seed, name=f"{name}.{own_name}")
        with torch.no_grad():
            self.bias_ih[self.cells : 2 * self.cells] = 1.0
            self.bias_hh[self.cells : 2 * self.cells] = 0.0

    def forward(self, x_BTD: Tensor, state: CellState, *, weight_drop: float = 0.0) -> tuple[Tensor, CellState]:
        """Return (B, T, C) and the state after the last step; the state is kept in 32-bit.

        Under autocast a processor without 16-bit products computes it in 32-bit: its fused kernel has nothing else.
        """
        if x_BTD.device.type == "cpu" and torch.is_autocast_enabled("cpu") and not _multiplies_bfloat16():
            with torch.autocast("cpu", enabled=False):
                return self.forward(x_BTD.float(), state, weight_drop=weight_drop)
        hidden_weight = nn.functional.dropout(self.weight_hh, weight_drop, self.training)
        weights = [self.weight_ih, hidden_weight, self.bias_ih, self.bias_hh]
        held = [part_BC[None].to(x_BTD.dtype) for part_BC in state]
        y_BTC, h_1BC, c_1BC = torch.lstm(x_BTD, held, weights, True, 1, 0.0, self.training, False, True)
        return y_BTC, (h_1BC[0].float(), c_1BC[0].float())

    def read_padded(self, x_BTD: Tensor, state: CellState, lengths: Tensor) -> tuple[Tensor, CellState]:
        """Return (B, T, C) and the state after each row's own last step; ``lengths`` (B,) are from 0 to T.

        *Idea.* Between one row's end and the next row's, all rows that go on are read together.
        """
        y_BTC = x_BTD.new_zeros(*x_BTD.shape[:2], self.cells)
        h_BC, c_BC = state[0].clone(), state[1].clone()
        start = 0
        for stop in torch.unique(lengths).tolist():
            if stop > start:
                rows = (lengths >= stop).nonzero().squeeze(1)
                shown, (h_BC[rows], c_BC[rows]) = self(x_BTD[rows, start:stop], (h_BC[rows], c_BC[rows]))
                y_BTC[rows, start:stop] = shown.to(y_BTC.dtype)
                start = stop
        return y_BTC, (h_BC, c_BC)


class BidirectionalLSTM(nn.Module):
    """Two layers side by side, one of which reads each row from its end (Graves & Schmidhuber 2005)."""

    def __init__(self, width: int, cells: int) -> None:
        """Make two layers of ``cells`` cells for inputs of ``width`` numbers; values come from `fill` or a file."""
        super().__init__()
        self.forwards = LSTMLayer(width, cells)
        self.backwards = LSTMLayer(width, cells)

    def fill(self, *, seed: int, name: str) -> None:
        """Draw first weights, as `LSTMLayer.fill` says."""
        self.forwards.fill(seed=seed, name=f"{name}.forwards")
        self.backwards.fill(seed=seed, name=f"{name}.backwards")

    def forward(self, x_BTD: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, 2·C): what both show of each row's first ``lengths`` vectors; beyond them it means nothing.

        *Idea.* A row is turned about its own length, so what is read from the end begins with the row's last vector,
        and padding stands behind what is read in both directions.
        """
        zeros_BC = x_BTD.new_zeros(len(x_BTD), self.forwards.cells, dtype=torch.float32)
        ahead_BTC, _ = self.forwards(x_BTD, (zeros_BC, zeros_BC))
        back_BTC, _ = self.backwards(turned(x_BTD, lengths), (zeros_BC, zeros_BC))
        return torch.cat([ahead_BTC, turned(back_BTC, lengths)], dim=-1)


def turned(vectors_BTD: Tensor, lengths: Tensor) -> Tensor:
    """Return each row's first ``lengths`` vectors in the order from the last to the first; padding stays where it is.

    >>> turned(torch.tensor([[[2], [3], [5], [7]]]), torch.tensor([3])).flatten().tolist()
    [5, 3, 2, 7]
    """
    places_T = torch.arange(vectors_BTD.shape[1], device=lengths.device)
    from_end_BT = lengths[:, None] - 1 - places_T
    order_BT = torch.where(from_end_BT >= 0, from_end_BT, places_T)
    return vectors_BTD.gather(1, order_BT[..., None].expand_as(vectors_BTD))


def _multiplies_bfloat16() -> bool:
    """Return whether oneDNN has 16-bit kernels for this processor; without them torch.lstm under autocast fails."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 - what torch itself asks
