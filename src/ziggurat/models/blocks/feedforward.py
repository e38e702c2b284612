"""The position-wise half of a Transformer block: each vector on its own, through a wider hidden layer."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import Tensor, nn

from ziggurat.models.blocks.initialisation import Linear

__all__ = ["ACTIVATIONS", "Activation", "FeedForward", "SwiGLU", "gated_width", "squared_relu"]

Activation = Literal["relu", "gelu", "gelu_tanh", "relu2", "silu"]


def squared_relu(x: Tensor) -> Tensor:
    """Return max(0, x)² (So et al. 2021)."""
    return nn.functional.relu(x).square()


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": nn.functional.relu,
    "gelu": nn.functional.gelu,
    "gelu_tanh": partial(nn.functional.gelu, approximate="tanh"),
    "relu2": squared_relu,
    "silu": nn.functional.silu,
}
"""What may stand between the two matrices of a `FeedForward`: max(0, x) (Vaswani et al. 2017, eq. 2); x·Φ(x) with the
normal distribution's Φ, exactly or by the hyperbolic tangent as GPT-2 has it (Hendrycks & Gimpel 2016, section 2);
max(0, x)² (So et al. 2021); x·σ(x), also called swish (Hendrycks & Gimpel 2016, section 2; Elfwing et al. 2018)."""


class FeedForward(nn.Module):
    """Two matrices with an activation between them.

    *Maths.* FFN(x) = max(0, x·W₁ + b₁)·W₂ + b₂ (Vaswani et al. 2017, eq. 2), with other activations in place of
    max(0, ·); W₁ is ``up_proj``, W₂ ``down_proj``.

    *Shapes and units.* (…, D) in and out, F wide inside; 2·D·F parameters, and D + F where there are biases.
    """

    def __init__(self, width: int, hidden: int, *, activation: Activation, bias: bool) -> None:
        """Widen from ``width`` to ``hidden`` and back; values come later."""
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.up_proj = Linear(width, hidden, bias=bias)
        self.down_proj = Linear(hidden, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the new vectors."""
        return self.down_proj(self.activation(self.up_proj(x)))  # type: ignore[no-any-return]


class SwiGLU(nn.Module):
    """A gated feed-forward layer.

    *Maths.* FFN(x) = (Swish(x·W) ⊗ x·V)·W₂ with Swish(z) = z·σ(z) (Shazeer 2020, eq. 6); W is ``gate_proj``, V
    ``up_proj``, W₂ ``down_proj``.

    *Shapes and units.* (…, D) in and out, F wide inside; 3·D·F parameters.
    """

    def __init__(self, width: int, hidden: int, *, bias: bool = False) -> None:
        """Widen from ``width`` to ``hidden`` and back; values come later."""
        super().__init__()
        self.gate_proj = Linear(width, hidden, bias=bias)
        self.up_proj = Linear(width, hidden, bias=bias)
        self.down_proj = Linear(hidden, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the new vectors."""
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))  # type: ignore[no-any-return]


def gated_width(width: int, *, multiple: int = 32) -> int:
    """Return 8/3 of ``width``, rounded up: three matrices of this size cost what two of 4 · ``width`` would.

    *Maths.* 3·D·F = 2·D·4D gives F = 8/3·D (Shazeer 2020, section 2).

    >>> gated_width(96), gated_width(100)
    (256, 288)
    """
    return -(-8 * width // (3 * multiple)) * multiple
