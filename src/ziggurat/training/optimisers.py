"""Optimisers: which parameters are changed by which rule, and which decay.

*Idea.* AdamW treats every number by itself. A matrix between two layers is more than its numbers: Muon makes the step
of the whole matrix orthogonal, so that it turns all directions alike and none is left behind because its gradient is
small. Embeddings, outputs, gains and biases are no such matrices and stay with AdamW.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from ziggurat.models.blocks.initialisation import Linear
from ziggurat.models.blocks.lstm import LSTMLayer
from ziggurat.models.blocks.transformer import TransformerStack

__all__ = ["Muon", "Optimiser", "Rule", "adamw", "matrices", "optimiser", "orthogonal"]

Rule: TypeAlias = Literal["adamw", "muon"]

GATES = 4
"""Matrices that an LSTM's layer holds one below another."""
STEPS = 5
"""Newton–Schulz iterations."""
POLYNOMIAL = (3.4445, -4.7750, 2.0315)
"""Coefficients of x, x³ and x⁵ that bring singular values near 1 soonest (Jordan et al. 2024)."""
MATCH = 0.2
"""Root mean square of AdamW's usual steps, as a part of its learning rate (Liu et al. 2025, section 2.2)."""


def optimiser(
    network: nn.Module, rule: Rule, *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> "Optimiser":
    """Return what changes the trained parameters of ``network``: AdamW, with Muon for `matrices` where asked for."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    blocks = matrices(network) if rule == "muon" else []
    chosen = {id(matrix) for matrix, _ in blocks}
    rest = [parameter for parameter in trained if id(parameter) not in chosen]
    rules: list[torch.optim.Optimizer] = []
    if rest:
        rules.append(adamw(rest, learning_rate=learning_rate, weight_decay=weight_decay, betas=betas))
    if blocks:
        rules.append(Muon(blocks, learning_rate=learning_rate, weight_decay=weight_decay))
    return Optimiser(rules)


class Optimiser:
    """Several rules, each for parameters of its own, as one."""

    def __init__(self, rules: list[torch.optim.Optimizer]) -> None:
        """Join ``rules``."""
        self.rules = rules

    def set_learning_rate(self, rate: float) -> None:
        """Let the next steps be of this rate."""
        for rule in self.rules:
            for group in rule.param_groups:
                group["lr"] = rate

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
            if placed is not None:
                for place, values in state.items():
                    values.update({key: placed(value, changed[place]) for key, value in values.items()})
            rule.load_state_dict({**rule.state_dict(), "state": state})


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

    *Cost.* 4 bytes a number beside its gradient. Matrices of one shape are made orthogonal together.
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
                self._change(alike, group)

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
            directions.extend(direction.chunk(group["held"]))
        steps = orthogonal(torch.stack(directions))
        scale = MATCH * max(steps.shape[1:]) ** 0.5
        for number, matrix in enumerate(alike):
            own = steps[number * group["held"] : (number + 1) * group["held"]].flatten(0, 1)
            matrix.mul_(1 - group["lr"] * group["weight_decay"]).add_(own, alpha=-group["lr"] * scale)


def orthogonal(matrices_NRC: Tensor) -> Tensor:
    """Return (N, R, C): for each matrix U·S·Vᵀ one near U·Vᵀ, in 32-bit.

    *Maths.* X ← X / ‖X‖_F, then five times X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ: an odd polynomial of the singular
    values, which brings all of them to between about 0.7 and 1.2 (Jordan et al. 2024; Newton–Schulz after Björck &
    Bowie 1971). It is made in bfloat16, whose errors are smaller than that.
    """
    a, b, c = POLYNOMIAL
    tall = matrices_NRC.shape[1] > matrices_NRC.shape[2]
    x_NRC: Tensor = matrices_NRC.transpose(1, 2) if tall else matrices_NRC
    x_NRC = (x_NRC / (x_NRC.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(STEPS):
        square_NRR = x_NRC @ x_NRC.transpose(1, 2)
        x_NRC = a * x_NRC + (b * square_NRR + c * (square_NRR @ square_NRR)) @ x_NRC
    found: Tensor = x_NRC.transpose(1, 2) if tall else x_NRC
    return found.float()
