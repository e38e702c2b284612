"""The rule for tables of which a step reads few rows: a step costs what it read, not what there is.

*Idea.* AdamW would change every row of a table at every step, because its means fade and its decay pulls also where
nothing was read. Row-wise Adagrad leaves a row alone until a gradient reaches it, by its definition, so that touching
only such rows is no approximation; and rows that are seldom read keep their large steps, while frequent ones settle.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["TableRows"]

EPSILON = 1e-8


class TableRows(torch.optim.Optimizer):
    """Adagrad with one sum for a row.

    *Maths.* With the gradient g of a row of W numbers: s ← s + (Σ_j g_j²) / W, then w ← w − η·g / (√s + ε)
    (Duchi, Hazan & Singer 2011, whose diagonal form has a sum for each number).

    *Departs.* One sum for a row is 1/W of the memory, and the gradient of a row keeps its direction. Nothing decays.

    *Cost.* 4 bytes a row. With sparse gradients time and traffic follow the rows that were read; a dense gradient gives
    the same numbers and costs as much as the table is large.
    """

    def __init__(self, tables: Iterable[nn.Parameter], *, learning_rate: float, times: float = 1.0) -> None:
        """Change ``tables``, each (rows, W), by η = ``times`` the learning rate."""
        super().__init__(tables, {"lr": learning_rate, "times": times})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Change every row that a gradient reached."""
        del closure
        for group in self.param_groups:
            rate = group["times"] * group["lr"]
            for table in group["params"]:
                if table.grad is None:
                    continue
                state = self.state[table]
                if "squares" not in state:
                    state["squares"] = torch.zeros_like(table[:, :1])
                if table.grad.is_sparse:
                    gradient = table.grad.coalesce()
                    _change_rows(table, state["squares"], rate, gradient.indices()[0], gradient.values())
                else:
                    state["squares"] += _mean_squares(table.grad)
                    table.add_(table.grad * _scale(state["squares"], rate))


def _change_rows(table_RW: Tensor, squares_R1: Tensor, rate: float, rows_N: Tensor, gradient_NW: Tensor) -> None:
    """Change ``rows_N`` of a table, no two of which are the same."""
    sums_N1 = squares_R1.index_select(0, rows_N) + _mean_squares(gradient_NW)
    squares_R1.index_copy_(0, rows_N, sums_N1)
    table_RW.index_add_(0, rows_N, gradient_NW * _scale(sums_N1, rate))


def _mean_squares(gradient_NW: Tensor) -> Tensor:
    norms_N1: Tensor = torch.linalg.vector_norm(gradient_NW, dim=1, keepdim=True)
    return norms_N1.square() / gradient_NW.shape[1]


def _scale(sums_N1: Tensor, rate: float) -> Tensor:
    return -rate / (sums_N1.sqrt() + EPSILON)
