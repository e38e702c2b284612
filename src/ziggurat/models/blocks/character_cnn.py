"""A word's vector from its spelling: windows over its characters, and of each filter where it answers most.

Shape suffixes: **N** words, **K** characters, **E** width of a character's vector, **F** filters, **w** width of a
window.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ziggurat.core.config import option
from ziggurat.models.blocks.initialisation import Embedding, Linear, fill_normal, fill_uniform

__all__ = ["CharacterCNN", "SpellingKeys"]


@dataclass(frozen=True)
class SpellingKeys:
    """The ``[model]`` keys of every model that spells words."""

    character_filters: int = option(64, "filters over a word's characters; 0: words are not spelled", low=0)
    character_window: int = option(3, "characters that a filter sees at once", low=1)
    character_embedding: int = option(32, "numbers in the vector of a character", low=1)
    character_rows: int = option(1024, "vectors of characters; code points beyond share them", low=2)


class CharacterCNN(nn.Module):
    """From the characters of words to a vector of each.

    *Idea.* What tells a name in its spelling, a capital at the beginning, an ending, a digit, stands somewhere in the
    word and is as long as a few characters; so few filters find it wherever it is, in words never seen too.

    *Maths.* ReLU(max_k (W·[x_{k−⌊(w−1)/2⌋}; …; x_{k+⌊w/2⌋}] + b)) over the characters x_1 … x_K of a word, 0 beyond its
    ends (dos Santos & Zadrozny 2014; Ma & Hovy 2016, section 2.1). A word without characters is 0.

    *Departs.* There is no list of characters: a code point c has row 1 + c mod (rows − 1) of the table, so that those
    of every writing have one; with the usual 1024 rows no two letters below U+03FF share it. The ReLU is ours.
    """

    def __init__(self, *, rows: int, width: int, filters: int, window: int) -> None:
        """Make ``filters`` filters over ``window`` characters with vectors of ``width`` numbers; values come later."""
        super().__init__()
        self.rows, self.window, self.filters = rows, window, filters
        self.embedding = Embedding(rows, width)
        self.convolve = Linear(window * width, filters)

    @classmethod
    def of(cls, keys: SpellingKeys) -> "CharacterCNN | None":
        """Return what these keys ask for; None where words are not spelled."""
        if not keys.character_filters:
            return None
        return cls(
            rows=keys.character_rows,
            width=keys.character_embedding,
            filters=keys.character_filters,
            window=keys.character_window,
        )

    def fill(self, *, seed: int, name: str) -> None:
        """Draw first weights: characters from N(0, 1/E), filters from U(−1/√(w·E), 1/√(w·E)), biases 0."""
        fill_normal(self.embedding.weight, std=self.embedding.embedding_dim**-0.5, seed=seed, name=f"{name}.embedding")
        bound = self.convolve.in_features**-0.5
        fill_uniform(self.convolve.weight, bound=bound, seed=seed, name=f"{name}.convolve")
        nn.init.zeros_(self.convolve.bias)

    def forward(self, characters_NK: Tensor) -> Tensor:
        """Return (…, F) of (…, K) code points plus one, 0 behind each word's last."""
        inside = characters_NK > 0
        if not characters_NK.shape[-1]:
            return self.convolve.weight.new_zeros(*characters_NK.shape[:-1], self.filters)
        rows = torch.where(inside, 1 + (characters_NK - 1) % (self.rows - 1), 0)
        x_NKE = (self.embedding(rows) * inside[..., None]).flatten(0, -3)
        padded_NKE = nn.functional.pad(x_NKE, (0, 0, (self.window - 1) // 2, self.window // 2))
        # windows side by side, as the filters lie: character after character
        windows_NKD = padded_NKE.unfold(1, self.window, 1).transpose(2, 3).flatten(2)
        answers_NKF = self.convolve(windows_NKD).view(*characters_NK.shape, self.filters)
        best_NF = answers_NKF.masked_fill(~inside[..., None], -torch.inf).amax(-2)
        return torch.relu(best_NF)  # of a word without characters −∞ becomes 0
