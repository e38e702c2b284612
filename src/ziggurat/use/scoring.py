"""How likely a model finds a text: by token, by sentence, by document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ziggurat.core.protocols import LanguageModel, MaskedLanguageModel, Tokenizer
from ziggurat.models.masking import pseudo_logprobs
from ziggurat.models.windows import document_logprobs
from ziggurat.tokens.display import pieces

__all__ = ["Scored", "score_texts"]

Unit = Literal["token", "sentence", "document"]


@dataclass(frozen=True, slots=True)
class Scored:
    """A stretch of text with its log-probability."""

    text: str
    start: int
    """First character; the end of text stands at the text's length and has no characters."""
    logprob: float
    """Nats: the sum over the stretch's tokens, each given all that stands before it (or, by an encoder, around it)."""
    tokens: int


def score_texts(
    model: LanguageModel | MaskedLanguageModel, tokenizer: Tokenizer, texts: Sequence[str], *, by: Unit
) -> list[list[Scored]]:
    """Return each text cut into units with their log-probabilities; those of one text add up to the text's.

    The first token is predicted from the begin token. The end of text is predicted too: it is a unit of its own by
    token, and part of the last one by sentence and by document.

    A model that guesses hidden tokens gives each token's log-probability when it alone is hidden, so that a text's sum
    is its pseudo-log-likelihood (`ziggurat.models.masking`); the end of text is not guessed and has no unit.
    """
    encodings = [tokenizer.encode(text) for text in texts]
    vocabulary = tokenizer.vocabulary
    sequences = [
        np.concatenate([[vocabulary.bos], encoding.ids, [vocabulary.eos]]).astype(np.int32) for encoding in encodings
    ]
    ends = isinstance(model, LanguageModel)
    told = (
        document_logprobs(model, sequences) if isinstance(model, LanguageModel) else pseudo_logprobs(model, sequences)
    )
    found = []
    for text, encoding, logprobs in zip(texts, encodings, told, strict=True):
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
