"""How likely a model finds a text: by token, by sentence, by document."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ziggurat.core.protocols import ConditionalModel, LanguageModel, MaskedLanguageModel, Tokenizer
from ziggurat.core.types import Encoding, FloatArray, IdArray, Pair
from ziggurat.models.pseudo_likelihood import pseudo_logprobs
from ziggurat.models.windows import document_logprobs, pair_logprobs
from ziggurat.tokens.display import pieces
from ziggurat.use.translation import source_ids

__all__ = ["Scored", "Total", "Unit", "score_pairs", "score_texts", "total_of"]

Unit: TypeAlias = Literal["token", "sentence", "document"]
"""What a text is cut into."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A stretch of text with its log-probability."""

    text: str
    start: int
    """First character; the end of text stands at the text's length and has no characters."""
    logprob: float
    """Nats: the sum over the stretch's tokens, each given all that stands before it (or, by an encoder, around it)."""
    tokens: int


@dataclass(frozen=True, slots=True)
class Total:
    """Everything that was scored, together."""

    logprob: float
    tokens: int

    @property
    def mean(self) -> float:
        """Nats a token; 0 where there is none."""
        return self.logprob / self.tokens if self.tokens else 0.0


def total_of(scored: Iterable[Iterable[Scored]]) -> Total:
    """Return the sums over all units of all texts.

    >>> total_of([[Scored("a", 0, -1.0, 1), Scored("b", 1, -2.0, 3)], []]).mean
    -0.75
    """
    units = [unit for text in scored for unit in text]
    return Total(sum((unit.logprob for unit in units), 0.0), sum(unit.tokens for unit in units))


def score_texts(
    model: LanguageModel | MaskedLanguageModel, tokenizer: Tokenizer, texts: Sequence[str], *, by: Unit
) -> list[list[Scored]]:
    """Return each text cut into units with their log-probabilities; those of one text add up to the text's.

    The first token is predicted from the begin token. The end of text is predicted too: it is a unit of its own by
    token, and part of the last one by sentence and by document.

    A model that guesses hidden tokens gives each token's log-probability when it alone is hidden, so that a text's sum
    is its pseudo-log-likelihood (`ziggurat.models.pseudo_likelihood`); the end of text is not guessed and has no unit.
    """
    encodings = [tokenizer.encode(text) for text in texts]
    sequences = [_sequence(tokenizer, one) for one in encodings]
    if isinstance(model, LanguageModel):
        return _cut(texts, encodings, document_logprobs(model, sequences), by)
    return _cut(texts, encodings, pseudo_logprobs(model, sequences), by, ends=False)


def score_pairs(
    model: ConditionalModel, tokenizer: Tokenizer, pairs: Sequence[Pair], *, by: Unit
) -> list[list[Scored]]:
    """Return each pair's target cut into units with their log-probabilities given the source, as `score_texts` does.

    Raises:
        UsageError: a source is longer than the model's context; the message names the pair.
    """
    texts = [pair.target for pair in pairs]
    encodings = [tokenizer.encode(text) for text in texts]
    sources = [source_ids(model, tokenizer, pair.source, name=pair.id) for pair in pairs]
    targets = [_sequence(tokenizer, one) for one in encodings]
    return _cut(texts, encodings, pair_logprobs(model, sources, targets), by)


def _sequence(tokenizer: Tokenizer, encoding: Encoding) -> IdArray:
    vocabulary = tokenizer.vocabulary
    return np.concatenate([[vocabulary.bos], encoding.ids, [vocabulary.eos]]).astype(np.int32)


def _cut(
    texts: Sequence[str],
    encodings: Sequence[Encoding],
    scores: Sequence[FloatArray],
    by: Unit,
    *,
    ends: bool = True,
) -> list[list[Scored]]:
    """Return each text's units; ``ends`` says whether scores have one more for the end of text."""
    found = []
    for text, encoding, logprobs in zip(texts, encodings, scores, strict=True):
        parts = [
            Scored(
                piece.text,
                int(encoding.offsets[piece.start, 0]),
                float(logprobs[piece.start : piece.stop].sum()),
                piece.stop - piece.start,
            )
            for piece in pieces(text, encoding)
        ]
        if ends:
            parts.append(Scored("", len(text), float(logprobs[-1]), 1))
        found.append(parts if by == "token" else list(_joined(text, parts, by)))
    return found


def _joined(text: str, parts: list[Scored], by: Unit) -> Iterator[Scored]:
    from ziggurat.text.segmentation import sentences

    spans = list(sentences(text)) if by == "sentence" else [(0, len(text))]
    starts = [start for start, _ in spans] or [0]
    owner = np.maximum(np.searchsorted(starts, [part.start for part in parts], side="right") - 1, 0)
    for number, start in enumerate(starts):
        own = [part for part, of in zip(parts, owner.tolist(), strict=True) if of == number]
        stop = starts[number + 1] if number + 1 < len(starts) else len(text)
        yield Scored(text[start:stop], start, sum(p.logprob for p in own), sum(p.tokens for p in own))
