"""A small CRF with weights of its own, with and without masks, and sequences for it.

Dimensions are distinct primes: B = 5 rows, T = 7 positions at most, L = 3 labels.
"""

import torch
from torch import Tensor

from ziggurat.models.blocks.crf import LinearChainCRF

B, T, L = 5, 7, 3
LENGTHS = torch.tensor([7, 1, 2, 5, 3])
# Label 1 may not follow 0, and not start; label 2 may not end, nor follow itself.
FOLLOW = torch.tensor([[True, False, True], [True, True, True], [True, True, False]])
START, END = torch.tensor([True, False, True]), torch.tensor([True, True, False])


def random(*shape: int, seed: int = 3, scale: float = 2.0) -> Tensor:
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer(*, masked: bool = False, scale: float = 2.0, labels: int = L) -> LinearChainCRF:
    masks = {"keep_mask": FOLLOW, "start_keep_mask": START, "end_keep_mask": END} if masked else {}
    crf = LinearChainCRF(labels, **masks).double()
    with torch.no_grad():
        crf.transitions.copy_(random(labels, labels, seed=5, scale=scale))
        crf.start.copy_(random(labels, seed=7, scale=scale))
        crf.end.copy_(random(labels, seed=11, scale=scale))
    return crf
