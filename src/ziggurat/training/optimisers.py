"""Optimisers: which parameters are changed by which rule, and which decay.

*Idea.* AdamW treats every number by itself. A matrix between two layers is more than its numbers: Muon makes the step
of the whole matrix orthogonal, so that it turns all directions alike and none is left behind because its gradient is
small. Embeddings, outputs, gains and biases are no such matrices and stay with AdamW. Tables, of which a step reads few
rows, have a rule of their own (`ziggurat.training.table_rows`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.initialisation import Linear
from ziggurat.models.blocks.lstm import LSTMLayer
from ziggurat.models.blocks.network import Network
from ziggurat.models.blocks.transformer import TransformerStack
from ziggurat.training.loop.config import TABLE_RATE
from ziggurat.training.loop.spreading import like, whole
from ziggurat.training.precision import multiplies_bfloat16
from ziggurat.training.table_rows import TableRows
from ziggurat.training.torchrun import Processes, current

__all__ = ["Muon", "Optimiser", "Parted", "Rule", "adamw", "matrices", "optimiser", "orthogonal", "parted"]

Rule: TypeAlias = Literal["adamw", "muon"]

TIMES = "new_rate"
"""Key of a group of parameters: by what the learning rate is multiplied before the rule sees it."""
GATES = 4
"""Matrices that an LSTM's layer holds one below another."""
POLYNOMIALS = (
    (8.02646, -21.88992, 14.99488),
    (3.84611, -2.65337, 0.46651),
    (3.28059, -2.28475, 0.43020),
    (2.33279, -1.60422, 0.36654),
)
"""Coefficients of x, x³ and x⁵ for one iteration after another: each brings what the one before has left, of singular
values that began between 0.004 and 1, as near to 1 as such a polynomial can (Amsel et al. 2025, "The Polar Express",
who show that to choose so is best for all together). Each is made for values up to 4 % larger than come to it, since
rounding may make them larger and all are steep there: without that a matrix of rank 1 explodes in 16-bit."""
MATCH = 0.2
"""Root mean square of AdamW's usual steps, as a part of its learning rate (Liu et al. 2025, section 2.2)."""


@dataclass(frozen=True)
class Parted:
    """The trained parameters of a network, by the rule that changes them."""

    rest: list[nn.Parameter]
    """By AdamW."""
    blocks: list[tuple[nn.Parameter, int]]
    """By Muon, each with how many matrices it holds one below another."""
    tables: list[nn.Parameter]
    """By rows that were read."""

    @property
    def moments(self) -> int:
        """Numbers that the rules keep: two for each of AdamW's, one for each of Muon's, one for a table's row."""
        muon = sum(matrix.numel() for matrix, _ in self.blocks)
        return 2 * sum(one.numel() for one in self.rest) + muon + sum(len(table) for table in self.tables)


def parted(network: nn.Module, rule: Rule) -> Parted:
    """Return which trained parameters of ``network`` are changed by what, where ``rule`` was asked for."""
    blocks = matrices(network) if rule == "muon" else []
    tables = [table for table in (network.tables() if isinstance(network, Network) else []) if table.requires_grad]
    apart = {id(one) for one in [*(matrix for matrix, _ in blocks), *tables]}
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return Parted([parameter for parameter in trained if id(parameter) not in apart], blocks, tables)


def optimiser(
    network: nn.Module,
    rule: Rule,
    *,
    learning_rate: float,
    weight_decay: float,
    betas: tuple[float, float],
    table_rate: float = TABLE_RATE,
    new_rate: float = 1.0,
) -> "Optimiser":
    """Return what changes the trained parameters of ``network``: AdamW, with Muon for `matrices` where asked for.

    Tables are changed by `TableRows`, whose rate is ``table_rate`` times the others'. What of AdamW's was not begun
    with trained weights is changed at ``new_rate`` times the rate: what is trained already is to move little, and what
    is new has far to go (layers of unlike rates: Howard & Ruder 2018, section 3.2, "discriminative fine-tuning").

    Raises:
        UsageError: a rate is for tables that are not there.
    """
    parts = parted(network, rule)
    if table_rate != TABLE_RATE and not parts.tables:
        raise UsageError("table_rate: there are no tables; set model.ngram_orders too, or leave it out")
    rules: list[torch.optim.Optimizer] = []
    for rest, times in _by_rate(network, parts.rest, new_rate):
        rule_of_rest = adamw(rest, learning_rate=learning_rate, weight_decay=weight_decay, betas=betas)
        for group in rule_of_rest.param_groups:
            group[TIMES] = times
        rules.append(rule_of_rest)
    if parts.blocks:
        rules.append(Muon(parts.blocks, learning_rate=learning_rate, weight_decay=weight_decay))
    if parts.tables:
        rules.append(TableRows(parts.tables, learning_rate=learning_rate, times=table_rate))
    return Optimiser(rules)


def _by_rate(network: nn.Module, rest: list[nn.Parameter], new_rate: float) -> list[tuple[list[nn.Parameter], float]]:
    """Return AdamW's parameters by the multiple of the learning rate that they are changed at."""
    fresh = network.fresh if isinstance(network, Network) else frozenset()
    if new_rate == 1.0 or fresh == frozenset():
        return [(rest, 1.0)] if rest else []
    if fresh is None:
        return [(rest, new_rate)] if rest else []
    new = {id(weight) for name, weight in network.named_parameters() if name in fresh}
    both = [one for one in rest if id(one) not in new], [one for one in rest if id(one) in new]
    return [(some, times) for some, times in zip(both, (1.0, new_rate), strict=True) if some]


class Optimiser:
    """Several rules, each for parameters of its own, as one."""

    def __init__(self, rules: list[torch.optim.Optimizer]) -> None:
        """Join ``rules``."""
        self.rules = rules

    def set_learning_rate(self, rate: float) -> None:
        """Let the next steps be of this rate."""
        for rule in self.rules:
            for group in rule.param_groups:
                group["lr"] = rate * group.get(TIMES, 1.0)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for rule in self.rules:
            rule.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Change all parameters by their gradients."""
        for rule in self.rules:
            rule.step()

    def held(self) -> Iterator[tuple[str, Tensor]]:
        """Yield what the rules remember of gradients, by a name that stays the same from run to run."""
        for number, rule in enumerate(self.rules):
            for index, values in rule.state_dict()["state"].items():
                for name, value in values.items():
                    yield f"{number}.{index}.{name}", value

    def take(self, held: dict[str, Tensor], placed: Callable[[Tensor, Tensor], Tensor] | None = None) -> None:
        """Take back what `held` gave; ``placed(tensor, parameter)`` puts it where its parameter is.

        *Raises.* `KeyError` or `ValueError` where it is another optimiser's.
        """
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in self.rules]
        for name, value in held.items():
            number, index, key = name.split(".", 2)
            if int(number) >= len(states):
                raise KeyError(name)
            # files know no number without an axis, and the count of steps is one
            states[int(number)].setdefault(int(index), {})[key] = value.reshape(()) if key == "step" else value
        for rule, state in zip(self.rules, states, strict=True):
            changed = [parameter for group in rule.param_groups for parameter in group["params"]]
            for place, values in state.items():
                if place >= len(changed) or any(not _fits(value, changed[place]) for value in values.values()):
                    raise ValueError("what another optimiser remembers")
                if placed is not None:
                    values.update({key: placed(value, changed[place]) for key, value in values.items()})
            rule.load_state_dict({**rule.state_dict(), "state": state})


def _fits(value: Tensor, parameter: Tensor) -> bool:
    """Return whether a value may be a rule's memory of a parameter: a number for each of it, for each row, or one."""
    return value.shape in (parameter.shape, (*parameter.shape[:1], 1), ())


def adamw(
    parameters: Iterable[nn.Parameter], *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter 2019, algorithm 2) over ``parameters``; with no decay it is Adam.

    Only matrices decay: pulling gains of norms and biases towards zero would change what a layer computes without
    making it simpler.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=learning_rate, betas=betas, fused=True)


def matrices(network: nn.Module) -> list[tuple[nn.Parameter, int]]:
    """Return the trained matrices between layers, each with how many it holds one below another.

    These are the projections of Transformer blocks, and the gates of LSTM layers.
    """
    found: dict[int, tuple[nn.Parameter, int]] = {}
    parts: list[tuple[nn.Module, str, int]]
    for module in network.modules():
        if isinstance(module, TransformerStack):
            parts = [(part, "weight", 1) for part in module.modules() if isinstance(part, Linear)]
        elif isinstance(module, LSTMLayer):
            parts = [(module, "weight_ih", GATES), (module, "weight_hh", GATES)]
        else:
            continue
        for part, name, held in parts:
            weight = part.get_parameter(name)
            if weight.requires_grad:
                found[id(weight)] = (weight, held)
    return list(found.values())


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal (Jordan et al. 2024, "Muon").

    *Maths.* With the gradient G of a matrix: B ← μ·B + G, then W ← W − η·(s·O + λ·W), where O is `orthogonal`
    of G + μ·B (Nesterov) and s = 0.2·√max(rows, columns), which makes the step as large as AdamW's usually is, so that
    one learning rate and one decay serve both (Liu et al. 2025, "Muon is Scalable for LLM Training", eq. 4).

    *Cost.* 4 bytes a number beside its gradient. Matrices of one shape are made orthogonal together; of several
    processes each makes its share of them so and sends it to the others.
    """

    def __init__(
        self,
        blocks: list[tuple[nn.Parameter, int]],
        *,
        learning_rate: float,
        weight_decay: float,
        momentum: float = 0.95,
    ) -> None:
        """Change the matrices of ``blocks``, each with how many it holds one below another."""
        groups = [
            {"params": [matrix for matrix, held in blocks if held == count], "held": count}
            for count in sorted({held for _, held in blocks})
        ]
        super().__init__(groups, {"lr": learning_rate, "weight_decay": weight_decay, "momentum": momentum})
        self.processes = current()

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Change every matrix that has a gradient."""
        del closure
        for group in self.param_groups:
            shapes: dict[torch.Size, list[nn.Parameter]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    shapes.setdefault(matrix.shape, []).append(matrix)
            for alike in shapes.values():
                most = self._most(alike, group["held"])
                for start in range(0, len(alike), most):
                    self._change(alike[start : start + most], group)

    def _most(self, alike: list[nn.Parameter], held: int) -> int:
        """Return how many parameters are changed at once: of those in parts few, since they are whole meanwhile."""
        return max(1, self.processes.count // held) if isinstance(alike[0], DTensor) else len(alike)

    def _change(self, alike: list[nn.Parameter], group: dict[str, Any]) -> None:
        """Change matrices of one shape."""
        directions: list[Tensor] = []
        for matrix in alike:
            state, gradient = self.state[matrix], matrix.grad
            assert gradient is not None  # noqa: S101 - chosen for having one
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(matrix)
            state["momentum"].mul_(group["momentum"]).add_(gradient)
            direction = gradient.add(state["momentum"], alpha=group["momentum"])
            directions.extend(whole(direction).chunk(group["held"]))
        steps = _shared(torch.stack(directions), self.processes)
        scale = MATCH * max(steps.shape[1:]) ** 0.5
        for number, matrix in enumerate(alike):
            own = steps[number * group["held"] : (number + 1) * group["held"]].flatten(0, 1)
            matrix.mul_(1 - group["lr"] * group["weight_decay"]).add_(like(own, matrix), alpha=-group["lr"] * scale)


def _shared(matrices_NRC: Tensor, processes: Processes) -> Tensor:
    """Return what `orthogonal` makes of (N, R, C) matrices that all processes have, each having made a share of it."""
    if processes.count == 1:
        return orthogonal(matrices_NRC)
    each = -(-len(matrices_NRC) // processes.count)
    own_ERC = matrices_NRC[processes.rank * each :][:each]
    short = each - len(own_ERC)  # made up by zeros, so that all send the same size
    made_ERC = nn.functional.pad(orthogonal(own_ERC), (0, 0, 0, 0, 0, short))
    return torch.cat(processes.gathered(made_ERC))[: len(matrices_NRC)]


def orthogonal(matrices_NRC: Tensor) -> Tensor:
    """Return (N, R, C): for each matrix U·S·Vᵀ one near U·Vᵀ, in 32-bit.

    *Maths.* X ← X / ‖X‖_F, then for each (a, b, c) of `POLYNOMIALS` X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ: odd
    polynomials of the singular values, which bring all that were above 0.004 to between 0.83 and 1.17 (Newton–Schulz
    after Björck & Bowie 1971). Where bfloat16 is fast they are made in it, and rounding lets some end at 0.7.

    *Departs.* Jordan et al. (2024) repeat one polynomial five times, which ends between 0.68 and 1.2.

    *Cost.* With r ≤ c the sides, 4·(2·r²·c + r³) multiply–adds a matrix.
    """
    tall = matrices_NRC.shape[1] > matrices_NRC.shape[2]
    x_NRC: Tensor = matrices_NRC.transpose(1, 2) if tall else matrices_NRC
    half = multiplies_bfloat16(x_NRC.device.type)
    x_NRC = x_NRC / (x_NRC.norm(dim=(1, 2), keepdim=True) + 1e-7)
    x_NRC = x_NRC.to(torch.bfloat16 if half else torch.float32).contiguous()
    for a, b, c in POLYNOMIALS:
        square_NRR = x_NRC @ x_NRC.transpose(1, 2)
        factor_NRR = (square_NRR @ square_NRR).mul_(c).add_(square_NRR, alpha=b)
        factor_NRR.diagonal(dim1=1, dim2=2).add_(a)  # a·X without another pass over X
        x_NRC = factor_NRR @ x_NRC
    found: Tensor = x_NRC.transpose(1, 2) if tall else x_NRC
    return found.float()
