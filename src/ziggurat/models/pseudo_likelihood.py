"""Pseudo-log-likelihood: what a model that guesses hidden ids thinks of a whole sequence.

*Idea.* Hide one id at a time and ask for it, given all others on both sides.

*Maths.* PLL(W) = Σ_t log p(w_t | W with w_t hidden) (Salazar et al. 2020, eq. 1). It is no log-probability of W: the
factors do not multiply to a distribution over sequences, so there is no perplexity of it, only a pseudo-perplexity
exp(−1/N Σ PLL) that compares encoders with the same tokenizer (the same article, section 2.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import MaskedLanguageModel
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.windows import BATCH_TOKENS, batches

__all__ = ["mask_id", "pseudo_logprobs", "scored_places"]


@dataclass(frozen=True, slots=True)
class _Copy:
    """A sequence, or a stretch of one, with one id hidden."""

    sequence: int
    place: int
    """The id that is hidden."""
    start: int
    """First id of the stretch."""
    stop: int
    begins: bool
    """Whether ``bos`` must be put before the stretch."""
    ends: bool
    """Whether ``eos`` must be put behind it."""

    @property
    def length(self) -> int:
        return self.stop - self.start + self.begins + self.ends


def pseudo_logprobs(
    model: MaskedLanguageModel,
    sequences: Sequence[IdArray],
    places: Sequence[npt.NDArray[np.int64]] | None = None,
    *,
    batch_tokens: int = BATCH_TOKENS,
) -> list[FloatArray]:
    """Return for each sequence ``[bos, t1, …, tn, eos]`` one number less than it has ids: log p(t | all others).

    The last is 0 where the sequence ends with ``eos``, since the end is never hidden. Where a sequence is longer than
    the model's context, an id is guessed from as many ids on either side as fit, between ``bos`` and ``eos``.
    ``places`` are those of each sequence that are asked about (default: `scored_places`); the others are 0.

    *Cost.* Every id costs the reading of the whole sequence: n² for n ids. Copies are read in batches of at most
    ``batch_tokens`` ids, like lengths together.

    Raises:
        UsageError: the model's vocabulary has no token that hides another.
    """
    mask = mask_id(model)
    asked = [scored_places(one, model.vocabulary.eos) for one in sequences] if places is None else places
    found = [np.zeros(max(0, len(one) - 1), np.float32) for one in sequences]
    copies = [
        _copy(number, int(place), len(sequences[number]), model.context)
        for number, some in enumerate(asked)
        for place in some
    ]
    copies.sort(key=lambda copy: copy.length)
    for batch in batches(copies, [copy.length for copy in copies], batch_tokens):
        lengths = np.array([copy.length for copy in batch], np.int32)
        ids = np.zeros((len(batch), int(lengths[-1])), np.int32)
        targets = np.full(ids.shape, -1, np.int32)
        for row, copy in enumerate(batch):
            ids[row, copy.begins : copy.begins + copy.stop - copy.start] = sequences[copy.sequence][
                copy.start : copy.stop
            ]
            if copy.begins:
                ids[row, 0] = model.vocabulary.bos
            if copy.ends:
                ids[row, copy.length - 1] = model.vocabulary.eos
            hidden = copy.place - copy.start + copy.begins
            targets[row, hidden], ids[row, hidden] = ids[row, hidden], mask
        logprobs, _ = model.guess(ids, lengths, targets)
        for copy, logprob in zip(batch, logprobs.sum(axis=1), strict=True):
            found[copy.sequence][copy.place - 1] = logprob
    return found


def scored_places(sequence: IdArray, eos: int) -> npt.NDArray[np.int64]:
    """Return the places of a sequence that are guessed: all but the first, and but the last where that is ``eos``.

    >>> scored_places(np.array([2, 7, 5, 3], np.int32), eos=3).tolist()
    [1, 2]
    """
    ended = len(sequence) > 1 and int(sequence[-1]) == eos
    return np.arange(1, len(sequence) - ended)


def mask_id(model: MaskedLanguageModel) -> int:
    """Return the id that hides another.

    Raises:
        UsageError: there is none.
    """
    mask = model.vocabulary.mask
    if mask is None:
        raise UsageError("the tokenizer has no token that hides another ([MASK]): nothing can be guessed")
    return mask


def _copy(number: int, place: int, length: int, context: int | None) -> _Copy:
    if context is None or length <= context:
        return _Copy(number, place, 0, length, begins=False, ends=False)
    # the stretch that has the id in its middle, moved inwards at the ends; room is left for bos and eos
    size = context - 2
    start = min(max(0, place - size // 2), length - size)
    begins, ends = start > 0, start + size < length
    return _Copy(number, place, start, start + size, begins=begins, ends=ends)
