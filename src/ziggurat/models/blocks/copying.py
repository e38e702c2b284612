"""Copying: what comes next is either a word of the vocabulary or one that stands in the source.

*Idea.* A name or a number in a question stands in its query too, whether or not training has shown it often. So a
decoder that looks at its source may also write what it looks at: a gate says how much of the probability goes to the
vocabulary as usual, and the rest goes to the ids of the source, each as much as is looked at it (the pointer-generator
of See, Liu & Manning 2017; the attention-based copying of Jia & Liang 2016, which has one softmax for both).

Shape suffixes: **B** batch, **T** target time, **S** source time, **V** vocabulary.
"""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["copied", "mixed_logprobs"]

LEAST = torch.finfo(torch.float32).tiny
"""What has a probability below this has this one, so that logarithms stay finite."""


def copied(weights_BTS: Tensor, source_BS: Tensor, size: int) -> Tensor:
    """Return (B, T, V): for each id what is looked at it, wherever in the source it stands.

    *Maths.* Σ over the places i with w_i = w of a_i, the second part of See, Liu & Manning 2017, eq. 9. Rows of
    ``weights`` sum to one, so that those of the result do.

    >>> copied(torch.tensor([[[0.5, 0.25, 0.25]]]), torch.tensor([[2, 0, 2]]), 4).tolist()
    [[[0.25, 0.0, 0.75, 0.0]]]
    """
    batch, time, _ = weights_BTS.shape
    found_BTV = weights_BTS.new_zeros(batch, time, size)
    return found_BTV.scatter_add(2, source_BS[:, None].expand_as(weights_BTS), weights_BTS)


def mixed_logprobs(logits: Tensor, gate: Tensor, copies: Tensor) -> Tensor:
    """Return (…, V) log-probabilities of writing or copying each id.

    *Maths.* log(p_gen·softmax(logits) + (1 − p_gen)·copies) with p_gen = σ(gate) (See, Liu & Manning 2017, eq. 8 and
    9; (…, 1) ``gate`` is what stands inside the σ of eq. 8).

    *Departs.* Ids of a source are those of the one tokenizer, so that there is no extended vocabulary: what a source
    holds has an id already.
    """
    generated = functional.softmax(logits.float(), dim=-1)
    p_gen = torch.sigmoid(gate.float())
    return (p_gen * generated + (1 - p_gen) * copies.float()).clamp_min(LEAST).log()
