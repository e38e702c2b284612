"""One Transformer block: attention between positions, then a feed-forward layer on each, both added to what came in."""

from torch import Tensor, nn

from ziggurat.models.blocks.attention import MultiHeadAttention, Sight
from ziggurat.models.blocks.feedforward import SwiGLU
from ziggurat.models.blocks.normalisation import RMSNorm

__all__ = ["TransformerBlock"]


class TransformerBlock(nn.Module):
    """A pre-norm block: x + attention(norm(x)), then x + feedforward(norm(x)).

    *Idea.* The residual path from the first layer to the last is never normalised, so that gradients reach all layers
    alike (pre-norm; Xiong et al. 2020). Submodules carry the names of Qwen3's weights.

    *Departs.* Dropout acts on each branch before it is added (Vaswani et al. 2017, section 5.4), and on nothing else.
    """

    def __init__(self, attention: MultiHeadAttention, feedforward: SwiGLU, *, norms: tuple[RMSNorm, RMSNorm]) -> None:
        """Join the parts; ``norms`` stand before attention and before the feed-forward layer."""
        super().__init__()
        self.self_attn = attention
        self.mlp = feedforward
        self.input_layernorm, self.post_attention_layernorm = norms

    def forward(self, x_BTD: Tensor, sight: Sight, *, layer: int, dropout: float) -> Tensor:
        """Return the (B, T, D) vectors after this block; ``layer`` is its place in the cache."""
        gathered = self.self_attn(self.input_layernorm(x_BTD), sight, layer=layer)
        x_BTD = x_BTD + nn.functional.dropout(gathered, dropout, self.training)
        changed = self.mlp(self.post_attention_layernorm(x_BTD))
        return x_BTD + nn.functional.dropout(changed, dropout, self.training)
