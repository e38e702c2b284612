"""Guess hidden tokens: what encoders that read in both directions are trained by."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import TokenStream
from ziggurat.core.seeding import generator
from ziggurat.core.types import IdArray
from ziggurat.models.blocks.encoding import NeuralMaskedModel
from ziggurat.models.blocks.network import NetworkState
from ziggurat.tokens.batches import ShuffledWindows, padded
from ziggurat.tokens.masking import Masker
from ziggurat.training.job import Job
from ziggurat.training.objectives.objective import cross_entropy

__all__ = ["MaskedTokens", "commonest"]


class MaskedTokens:
    """Rows ``[bos, …, eos]`` of the training text, some of whose ids are hidden and guessed.

    *Maths.* −1/N Σ log p(w_t | the row with its drawn ids hidden), over the N drawn ids of a batch (Devlin et al. 2019,
    section 3.1). Which stretch a row holds is a function of the seed and of the row's number, and so is what is hidden
    in it: each pass over the text hides other tokens (Liu et al. 2019, section 4.1: dynamic masking).

    *Departs.* Rows run over the ends of documents, whose tokens stand between them; there is no second objective of
    next sentences (Liu et al. 2019, section 4.2). On held-out text every drawn id is hidden, none replaced or left.
    """

    def __init__(self, job: Job, model: object, *, rows: int, window: int, part: float, whole: bool) -> None:
        """Lay the job's text out in batches for ``model``; ``whole`` says whether whole words are hidden.

        Raises:
            UsageError: the model does not guess hidden tokens, there is no token that hides, or it is not known which
                tokens make a word.
            TooLittleTextError: the training text is shorter than two tokens.
        """
        if not isinstance(model, NeuralMaskedModel):
            raise UsageError(
                f"the masked trainer can't fit this {job.family.name} model: it guesses no hidden tokens "
                "(an encoder needs head = true)"
            )
        if whole and job.words is None:
            raise UsageError("whole_words: it is not known which tokens make a word; set whole_words = false")
        self.model = model
        self.network: Any = model.network
        self.masker = Masker(job.train.vocabulary, part)
        self.job = job
        self.words = job.words if whole else None
        length = window if model.context is None else min(window, model.context)
        # two places of a row are those of its begin and its end
        self.batches = ShuffledWindows(job.train, rows=rows, length=max(1, length - 2), seed=job.seed)
        self.tokens_per_batch = self.batches.rows * (self.batches.length + 2)
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.carried: NetworkState | None = None
        self._dev: list[tuple[IdArray, IdArray]] | None = None

    def loss(self, number: int) -> Tensor:
        """Return the mean nats per hidden token of batch ``number``."""
        ids, targets = self.batch(number)
        ids_BT, targets_BT = (
            torch.from_numpy(each.astype(np.int64)).to(self.network.device) for each in (ids, targets)
        )
        asked = targets_BT >= 0
        return cross_entropy(self.network, self.network.hidden(ids_BT)[asked], targets_BT[asked])

    def batch(self, number: int) -> tuple[IdArray, IdArray]:
        """Return (B, T) ids of batch ``number`` as the model reads them, and (B, T) the ids to guess, −1 elsewhere."""
        places = self.batches.places(number)[:, :-1]
        text = np.asarray(self.batches.tokens[places]).astype(np.int32)
        goes_on = None if self.words is None else np.asarray(self.words.train[places])
        found = []
        for row, ids in enumerate(text):
            draw = generator(self.job.seed, "masks", number * self.batches.rows + row)
            chosen = self.masker.places(
                ids, self.masker.count(len(ids)), draw, None if goes_on is None else goes_on[row]
            )
            found.append(self._enclosed(self.masker.noised(ids, chosen, draw), ids, chosen))
        return np.stack([read for read, _ in found]), np.stack([targets for _, targets in found])

    def dev_loss(self, limit_tokens: int) -> float:
        """Return the mean nats per hidden token over the first held-out documents, the same hidden in every call."""
        if self._dev is None:
            self._dev = self._held_out(limit_tokens)
        total = count = 0.0
        for start in range(0, len(self._dev), 64):
            some = self._dev[start : start + 64]
            ids, lengths = padded([read for read, _ in some])
            targets = np.full(ids.shape, -1, np.int32)
            for row, (_, asked) in enumerate(some):
                targets[row, : len(asked)] = asked
            logprobs, _ = self.model.guess(ids, lengths, targets)
            total -= float(logprobs.sum(dtype=np.float64))
            count += int((targets >= 0).sum())
        return total / max(1.0, count)

    def _held_out(self, limit_tokens: int) -> list[tuple[IdArray, IdArray]]:
        """Return the rows of the first held-out documents as they are read, and what is to be guessed in them."""
        stream, found, count = self.job.dev, [], 0
        for number in range(0 if stream is None else len(stream.starts) - 1):
            assert stream is not None  # noqa: S101 - there would be no number
            document = stream.document(number)[1:-1]
            marks = None if self.words is None or self.words.dev is None else self.words.dev
            first = int(stream.starts[number]) + 1
            for start in range(0, len(document), self.batches.length):
                ids = document[start : start + self.batches.length][: limit_tokens - count]
                goes_on = None if marks is None else np.asarray(marks[first + start : first + start + len(ids)])
                draw = generator(self.job.seed, "dev masks", number, start)
                chosen = self.masker.places(ids, self.masker.count(len(ids)), draw, goes_on)
                found.append(self._enclosed(self.masker.hidden(ids, chosen), ids, chosen))
                count += len(ids)
                if count >= limit_tokens:
                    return found
        return found

    def _enclosed(self, read: IdArray, ids: IdArray, places: IdArray) -> tuple[IdArray, IdArray]:
        """Return a row between its begin and its end, and what is to be guessed in it."""
        vocabulary = self.masker.vocabulary
        targets = np.full(len(ids) + 2, -1, np.int32)
        targets[places + 1] = ids[places]
        return np.concatenate([[vocabulary.bos], read, [vocabulary.eos]]).astype(np.int32), targets


def commonest(stream: TokenStream) -> dict[str, Any]:
    """Return which id the training text has most often, special ones aside: the guess of who knows no context.

    *Cost.* One pass over the ids, in pieces.
    """
    counts = np.zeros(stream.vocabulary.size, np.int64)
    for start in range(0, len(stream.tokens), 1 << 24):
        counts += np.bincount(np.asarray(stream.tokens[start : start + (1 << 24)]), minlength=len(counts))
    counts[list(stream.vocabulary.special)] = 0
    return {"most_frequent_id": int(counts.argmax()), "most_frequent_part": float(counts.max() / max(1, counts.sum()))}
