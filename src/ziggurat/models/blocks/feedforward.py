"""The position-wise half of a Transformer block: each vector on its own, through a wider hidden layer."""

from torch import Tensor, nn

from ziggurat.models.blocks.initialisation import Linear

__all__ = ["SwiGLU", "gated_width"]


class SwiGLU(nn.Module):
    """A gated feed-forward layer.

    *Maths.* FFN(x) = (Swish(x·W) ⊗ x·V)·W₂ with Swish(z) = z·σ(z) (Shazeer 2020, eq. 6); W is ``gate_proj``, V
    ``up_proj``, W₂ ``down_proj``.

    *Shapes and units.* (…, D) in and out, F wide inside; 3·D·F parameters.
    """

    def __init__(self, width: int, hidden: int) -> None:
        """Widen from ``width`` to ``hidden`` and back; values come later."""
        super().__init__()
        self.gate_proj = Linear(width, hidden, bias=False)
        self.up_proj = Linear(width, hidden, bias=False)
        self.down_proj = Linear(hidden, width, bias=False)

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
