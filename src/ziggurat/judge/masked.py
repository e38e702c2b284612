"""How well an encoder guesses hidden tokens of documents that it has not seen.

*Idea.* What is hidden decides how hard it is, so it is fixed: from the seed and the document, `PART` of its tokens, one
by one and not by words, each replaced by the token that hides. Accuracies compare only between encoders with the same
tokenizer.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.protocols import MaskedLanguageModel, Tokenizer
from ziggurat.core.seeding import generator
from ziggurat.core.types import Document, IdArray
from ziggurat.judge.significance import ratio_interval
from ziggurat.models.pseudo_likelihood import pseudo_logprobs
from ziggurat.tokens.batches import padded
from ziggurat.tokens.masking import Masker

__all__ = ["PART", "MaskedEvaluation", "evaluate_masked"]

PART = 0.15
PSEUDO_TOKENS = 1024
"""Tokens of which the pseudo-perplexity is taken: each costs the reading of its whole stretch."""
BATCH_ROWS = 64


@dataclass(frozen=True, slots=True)
class MaskedEvaluation:
    """What an encoder guessed in each document; all figures are made from these."""

    ids: tuple[str, ...]
    nats: tuple[float, ...]
    """−Σ log p of each document's hidden tokens, all `PART` of them hidden together."""
    right: tuple[int, ...]
    """Of those, how many were the likeliest."""
    tokens: tuple[int, ...]
    """Hidden tokens of each document."""
    commonest: tuple[int, ...]
    """Of those, how many are the most frequent id of the training text: the baseline's right guesses."""
    pseudo_nats: tuple[float, ...]
    """−Σ log p of single tokens of each document, each hidden alone."""
    pseudo_tokens: tuple[int, ...]
    document_bytes: tuple[int, ...]
    fingerprint: str
    """The tokenizer's."""
    baseline_from: str
    """Which text's most frequent id the baseline guesses: ``training text``, or ``this text`` where that is unknown."""

    def figures(self, *, seed: int = 0) -> dict[str, Any]:
        """Return what a manifest, a table and JSON say of it, under the names that they share.

        *Maths.* ``masked_accuracy`` is Σ right / Σ tokens, ``masked_loss`` Σ nats / Σ tokens; ``pseudo_perplexity`` is
        exp(Σ pseudo nats / Σ pseudo tokens) (Salazar et al. 2020, section 2.3). ``low`` and ``high`` bound the 95 %
        bootstrap interval of the accuracy over documents.
        """
        interval = ratio_interval(_numbers(self.right), _numbers(self.tokens), seed=seed)
        total = sum(self.tokens)
        return {
            "masked_accuracy": interval.value,
            "low": interval.low,
            "high": interval.high,
            "baseline_accuracy": sum(self.commonest) / total,
            "baseline_from": self.baseline_from,
            "masked_loss": sum(self.nats) / total,
            "pseudo_perplexity": math.exp(min(700.0, sum(self.pseudo_nats) / max(1, sum(self.pseudo_tokens)))),
            "pseudo_tokens": sum(self.pseudo_tokens),
            "masked_tokens": total,
            "documents": len(self.ids),
            "bytes": sum(self.document_bytes),
        }


def evaluate_masked(
    model: MaskedLanguageModel,
    tokenizer: Tokenizer,
    documents: Iterable[Document],
    *,
    training: Mapping[str, Any] | None = None,
    seed: int = 0,
    pseudo_tokens: int = PSEUDO_TOKENS,
) -> MaskedEvaluation:
    """Hide tokens of ``documents`` and let ``model`` guess them; long ones are cut to what it can read.

    ``training`` are the manifest's facts of the training, which know its text's most frequent id.

    Raises:
        TooLittleTextError: there are no documents, or no tokens in them.
        UsageError: there is no token that hides another.
    """
    masker = Masker(model.vocabulary, PART)
    whole = [document for document in documents if document.text]
    texts = tokenizer.encode_batch([document.text for document in whole])
    kept = [number for number, ids in enumerate(texts) if len(ids)]
    if not kept:
        raise TooLittleTextError("no documents with tokens to evaluate on: give more text")
    texts, whole = [texts[number] for number in kept], [whole[number] for number in kept]
    known = (training or {}).get("most_frequent_id")
    guess = int(np.bincount(np.concatenate(texts)).argmax()) if known is None else int(known)
    counted = _guesses(model, masker, whole, texts, guess, seed)
    alone = _one_by_one(model, whole, texts, seed, pseudo_tokens)
    return MaskedEvaluation(
        ids=tuple(document.id for document in whole),
        nats=tuple(-float(n) for n in counted[:, 0]),
        right=tuple(int(n) for n in counted[:, 1]),
        tokens=tuple(int(n) for n in counted[:, 2]),
        commonest=tuple(int(n) for n in counted[:, 3]),
        pseudo_nats=tuple(-float(told) for told, _ in alone),
        pseudo_tokens=tuple(count for _, count in alone),
        document_bytes=tuple(len(document.text.encode()) for document in whole),
        fingerprint=tokenizer.fingerprint,
        baseline_from="this text" if known is None else "training text",
    )


def _guesses(
    model: MaskedLanguageModel,
    masker: Masker,
    documents: list[Document],
    texts: list[IdArray],
    commonest: int,
    seed: int,
) -> npt.NDArray[np.float64]:
    """Return (documents, 4): Σ log p of hidden tokens, how many were guessed, are there, and are the commonest."""
    vocabulary, size = model.vocabulary, (model.context or 512) - 2
    rows: list[tuple[int, IdArray, IdArray]] = []
    for number, ids in enumerate(texts):
        draw = generator(seed, "masked", documents[number].id)
        for start in range(0, len(ids), size):
            some = ids[start : start + size]
            places = masker.places(some, masker.count(len(some)), draw)
            targets = np.full(len(some) + 2, -1, np.int32)
            targets[places + 1] = some[places]
            read = np.concatenate([[vocabulary.bos], masker.hidden(some, places), [vocabulary.eos]]).astype(np.int32)
            rows.append((number, read, targets))
    found = np.zeros((len(texts), 4))
    rows.sort(key=lambda row: len(row[1]))
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows[start : start + BATCH_ROWS]
        ids, lengths = padded([read for _, read, _ in batch])
        targets = np.full(ids.shape, -1, np.int32)
        for place, (_, read, asked) in enumerate(batch):
            targets[place, : len(read)] = asked
        logprobs, best = model.guess(ids, lengths, targets)
        asked_mask = targets >= 0
        counts = [logprobs, (best == targets) & asked_mask, asked_mask, targets == commonest]
        for place, (number, _, _) in enumerate(batch):
            found[number] += [float(each[place].sum(dtype=np.float64)) for each in counts]
    return found


def _one_by_one(
    model: MaskedLanguageModel, documents: list[Document], texts: list[IdArray], seed: int, limit: int
) -> list[tuple[float, int]]:
    """Return each document's log-probability of some single tokens, each hidden alone, and how many they are."""
    vocabulary = model.vocabulary
    total = sum(len(ids) for ids in texts)
    share = min(1.0, limit / total)
    sequences = [np.concatenate([[vocabulary.bos], ids, [vocabulary.eos]]).astype(np.int32) for ids in texts]
    places = []
    for document, ids in zip(documents, texts, strict=True):
        chosen = generator(seed, "pseudo", document.id).random(len(ids)) < share
        places.append(np.flatnonzero(chosen) + 1)
    told = pseudo_logprobs(model, sequences, places)
    return [(float(each.sum(dtype=np.float64)), len(some)) for each, some in zip(told, places, strict=True)]


def _numbers(values: Iterable[int]) -> npt.NDArray[np.float64]:
    return np.array(list(values), np.float64)
