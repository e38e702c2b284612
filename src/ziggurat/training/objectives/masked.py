"""Guess hidden tokens: what encoders that read in both directions are trained by."""

from typing import Any

import numpy as np

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import TokenStream
from ziggurat.core.seeding import generator
from ziggurat.core.types import IdArray
from ziggurat.models.blocks.encoding import NeuralMaskedModel
from ziggurat.models.blocks.network import NetworkState
from ziggurat.tokens.batches import ShuffledWindows
from ziggurat.tokens.masking import AskedRow, Masker, most_frequent, stacked
from ziggurat.training.held_out import spread_order
from ziggurat.training.job import Job
from ziggurat.training.objectives.objective import Loss, cross_entropy, sent

__all__ = ["MaskedTokens", "commonest"]

_PIECE = 1 << 24
"""Ids that are counted at once."""


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
            UsageError: the model does not guess hidden tokens, there is no token that hides, it is not known which
                tokens make a word, or rows can't be shared equally among processes.
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
        job.share.check(self.batches.rows)
        self.tokens_per_batch = self.batches.rows * self.masker.count(self.batches.length)
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.carried: NetworkState | None = None
        self._dev: list[AskedRow] | None = None

    def loss(self, number: int) -> Loss:
        """Return the mean nats per hidden token of batch ``number``, and how many these are."""
        ids, targets = self.batch(number)
        ids_BT, targets_BT = (sent(each, self.network.device) for each in (ids, targets))
        asked = targets_BT >= 0
        mean = cross_entropy(self.network, self.network.hidden(ids_BT)[asked], targets_BT[asked])
        return Loss(mean, int(asked.sum()))

    def batch(self, number: int) -> tuple[IdArray, IdArray]:
        """Return (B, T) ids of batch ``number`` as the model reads them, and (B, T) the ids to guess, −1 elsewhere.

        Of several processes each has the rows of its share, with the same ids hidden as where one has all.
        """
        rows = self.job.share.of(self.batches.rows)
        places = self.batches.places(number)[rows, :-1]
        text = np.asarray(self.batches.tokens[places]).astype(np.int32)
        goes_on = None if self.words is None else np.asarray(self.words.train[places])
        found = []
        for row, ids in enumerate(text):
            draw = generator(self.job.seed, "masks", number * self.batches.rows + rows.start + row)
            chosen = self.masker.places(
                ids, self.masker.count(len(ids)), draw, None if goes_on is None else goes_on[row]
            )
            found.append(self.masker.asked(self.masker.noised(ids, chosen, draw), ids, chosen))
        read, _, targets = stacked(found)
        return read, targets

    def dev_loss(self, limit_tokens: int) -> float | None:
        """Return the mean nats per hidden token over held-out documents from all over, the same hidden in every call.

        None where there is nothing to hide.
        """
        if self._dev is None:
            self._dev = self._held_out(limit_tokens)
        total, count = 0.0, 0
        for start in range(0, len(self._dev), 64):
            ids, lengths, targets = stacked(self._dev[start : start + 64])
            logprobs, _ = self.model.guess(ids, lengths, targets)
            total -= float(logprobs.sum(dtype=np.float64))
            count += int((targets >= 0).sum())
        return total / count if count else None

    def _held_out(self, limit_tokens: int) -> list[AskedRow]:
        """Return rows of held-out documents as they are read, and what is to be guessed in them."""
        stream, count = self.job.dev, 0
        found: list[AskedRow] = []
        for number in spread_order(0 if stream is None else len(stream.starts) - 1).tolist():
            assert stream is not None  # noqa: S101 - there would be no number
            document = stream.document(number)[1:-1]
            marks = None if self.words is None or self.words.dev is None else self.words.dev
            first = int(stream.starts[number]) + 1
            for start in range(0, len(document), self.batches.length):
                ids = document[start : start + self.batches.length][: limit_tokens - count]
                goes_on = None if marks is None else np.asarray(marks[first + start : first + start + len(ids)])
                draw = generator(self.job.seed, "dev masks", number, start)
                chosen = self.masker.places(ids, self.masker.count(len(ids)), draw, goes_on)
                found.append(self.masker.asked(self.masker.hidden(ids, chosen), ids, chosen))
                count += len(ids)
                if count >= limit_tokens:
                    return found
        return found


def commonest(stream: TokenStream) -> dict[str, Any]:
    """Return which id the training text has most often, special ones aside: the guess of who knows no context.

    *Cost.* One pass over the ids, in pieces.
    """
    pieces = (np.asarray(stream.tokens[at : at + _PIECE]) for at in range(0, len(stream.tokens), _PIECE))
    index, part = most_frequent(pieces, stream.vocabulary)
    return {"most_frequent_id": index, "most_frequent_part": part}
