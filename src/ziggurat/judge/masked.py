"""How well an encoder guesses hidden tokens of documents that it has not seen.

*Idea.* What is hidden decides how hard it is, so it is fixed: from the seed and the document, `PART` of its tokens, one
by one and not by words, each replaced by the token that hides. Accuracies compare only between encoders with the same
tokenizer.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.protocols import MaskedLanguageModel, Tokenizer
from ziggurat.core.seeding import generator
from ziggurat.core.types import Document, IdArray
from ziggurat.judge.significance import ratio_interval
from ziggurat.models.pseudo_likelihood import pseudo_logprobs
from ziggurat.tokens.masking import AskedRow, Masker, most_frequent, stacked

__all__ = ["PART", "MaskedEvaluation", "evaluate_masked"]

PART = 0.15
PSEUDO_TOKENS = 1024
"""Tokens of which the pseudo-perplexity is taken: each costs the reading of its whole stretch."""
BATCH_ROWS = 64
BATCH_DOCUMENTS = 512
SORTED_ROWS = 64 * BATCH_ROWS
"""Rows of which those of like length are put together."""


class _Text(NamedTuple):
    """What is kept of a document."""

    document: str
    ids: IdArray
    size_bytes: int


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

    *Cost.* Of the documents their ids stay in memory, 4 bytes a token.

    ``training`` are the manifest's facts of the training, which know its text's most frequent id.

    Raises:
        TooLittleTextError: there are no documents, or no tokens in them but special ones.
        UsageError: there is no token that hides another.
    """
    masker = Masker(model.vocabulary, PART)
    texts = [text for text in _tokenized(tokenizer, documents) if masker.guessable(text.ids).any()]
    if not texts:
        raise TooLittleTextError("no documents with tokens to guess (special ones aside): give more text")
    known = (training or {}).get("most_frequent_id")
    guess = most_frequent((text.ids for text in texts), model.vocabulary)[0] if known is None else int(known)
    counted = _guesses(model, masker, texts, guess, seed)
    alone = _one_by_one(model, masker, texts, seed, pseudo_tokens)
    return MaskedEvaluation(
        ids=tuple(text.document for text in texts),
        nats=tuple(-float(n) for n in counted[:, 0]),
        right=tuple(int(n) for n in counted[:, 1]),
        tokens=tuple(int(n) for n in counted[:, 2]),
        commonest=tuple(int(n) for n in counted[:, 3]),
        pseudo_nats=tuple(-float(told) for told, _ in alone),
        pseudo_tokens=tuple(count for _, count in alone),
        document_bytes=tuple(text.size_bytes for text in texts),
        fingerprint=tokenizer.fingerprint,
        baseline_from="this text" if known is None else "training text",
    )


def _guesses(
    model: MaskedLanguageModel,
    masker: Masker,
    texts: Sequence[_Text],
    commonest: int,
    seed: int,
) -> npt.NDArray[np.float64]:
    """Return (documents, 4): Σ log p of hidden tokens, how many were guessed, are there, and are the commonest."""
    size = (model.context or 512) - 2
    found = np.zeros((len(texts), 4))
    rows = ((number, row) for number, text in enumerate(texts) for row in _rows(masker, text, size, seed))
    # rows of like length are read together, and no more of them are made than can be sorted at once
    while some := sorted(itertools.islice(rows, SORTED_ROWS), key=lambda entry: len(entry[1].read)):
        for start in range(0, len(some), BATCH_ROWS):
            batch = some[start : start + BATCH_ROWS]
            ids, lengths, targets = stacked([row for _, row in batch])
            logprobs, best = model.guess(ids, lengths, targets)
            asked_mask = targets >= 0
            counts = [logprobs, (best == targets) & asked_mask, asked_mask, targets == commonest]
            for place, (number, _) in enumerate(batch):
                found[number] += [float(each[place].sum(dtype=np.float64)) for each in counts]
    return found


def _rows(masker: Masker, text: _Text, size: int, seed: int) -> Iterator[AskedRow]:
    """Yield a document's stretches of ``size`` ids, some of each hidden."""
    draw = generator(seed, "masked", text.document)
    for start in range(0, len(text.ids), size):
        ids = text.ids[start : start + size]
        places = masker.places(ids, masker.count(len(ids)), draw)
        yield masker.asked(masker.hidden(ids, places), ids, places)


def _one_by_one(
    model: MaskedLanguageModel, masker: Masker, texts: Sequence[_Text], seed: int, limit: int
) -> list[tuple[float, int]]:
    """Return each document's log-probability of some single tokens, each hidden alone, and how many they are."""
    vocabulary = model.vocabulary
    share = min(1.0, limit / sum(int(masker.guessable(text.ids).sum()) for text in texts))
    found = [(0.0, 0)] * len(texts)
    sequences: list[IdArray] = []
    places: dict[int, npt.NDArray[np.int64]] = {}
    for number, text in enumerate(texts):
        drawn = generator(seed, "pseudo", text.document).random(len(text.ids)) < share
        chosen = np.flatnonzero(drawn & masker.guessable(text.ids)) + 1
        if len(chosen):
            sequences.append(np.concatenate([[vocabulary.bos], text.ids, [vocabulary.eos]]).astype(np.int32))
            places[number] = chosen
    for number, told in zip(places, pseudo_logprobs(model, sequences, list(places.values())), strict=True):
        found[number] = (float(told.sum(dtype=np.float64)), len(places[number]))
    return found


def _tokenized(tokenizer: Tokenizer, documents: Iterable[Document]) -> Iterator[_Text]:
    following = iter(documents)
    while some := list(itertools.islice(following, BATCH_DOCUMENTS)):
        texts = tokenizer.encode_batch([document.text for document in some])
        for document, ids in zip(some, texts, strict=True):
            yield _Text(document.id, np.asarray(ids, np.int32), len(document.text.encode()))


def _numbers(values: Iterable[int]) -> npt.NDArray[np.float64]:
    return np.array(list(values), np.float64)
